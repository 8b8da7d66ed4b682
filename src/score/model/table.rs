//! The rows of a model, those that hold something close together.

use prefetch_index::prefetch_index;

use super::layout::{CHANNELS, Row};

/// Rows of a chunk.
const CHUNK: usize = u32::BITS as usize;

/// `2^bits` rows by number. Most hold nothing and take no room, so that fewer lines and pages come from memory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    chunks: Vec<Chunk>,
    /// The row of all that hold nothing, and those that hold something, in order.
    rows: Vec<Row>,
}

/// Rows with the same high bits of their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunk {
    /// By the low bits, whether a row holds something.
    filled: u32,
    /// Where the last row before these stands.
    before: u32,
}

/// Where a row stands; 0 if it holds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

impl Place {
    /// That of all rows that hold nothing.
    pub(crate) const NOTHING: Self = Self(0);

    /// Whether the row holds anything.
    #[inline]
    pub(crate) fn is_filled(self) -> bool {
        self.0 != 0
    }
}

const NOTHING: Row = [0; CHANNELS];

impl Table {
    /// A table of these rows, whose count is a multiple of [`CHUNK`]. They are gone through twice, so that they need not be kept.
    pub(crate) fn new(all: impl ExactSizeIterator<Item = Row> + Clone) -> Self {
        debug_assert_eq!(all.len() % CHUNK, 0);
        let filled = all.clone().filter(|row| *row != NOTHING).count();
        let mut rows = Vec::with_capacity(1 + filled);
        rows.push(NOTHING);
        let mut chunks = Vec::with_capacity(all.len() / CHUNK);
        for (number, row) in all.enumerate() {
            if number % CHUNK == 0 {
                chunks.push(Chunk { filled: 0, before: short(rows.len() - 1) });
            }
            if row != NOTHING {
                chunks[number / CHUNK].filled |= 1 << (number % CHUNK);
                rows.push(row);
            }
        }
        Self { chunks, rows }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        CHUNK * self.chunks.len()
    }

    /// Where a row stands.
    #[inline]
    fn place(&self, number: usize) -> Place {
        let Chunk { filled, before } = self.chunks[number / CHUNK];
        // The row and those before it in its chunk, the row last.
        let with_row = filled << (CHUNK - 1 - number % CHUNK);
        let is_filled = with_row >> (CHUNK - 1);
        Place((before + with_row.count_ones()) * is_filled)
    }

    /// Where a row stands, which is sent for: by the time it is asked for, it has come from memory.
    #[inline]
    pub(crate) fn send_for(&self, number: usize) -> Place {
        let place = self.place(number);
        prefetch_index(&self.rows, place.0 as usize);
        place
    }

    /// The row at a place.
    #[inline]
    pub(crate) fn at(&self, place: Place) -> &Row {
        &self.rows[place.0 as usize]
    }

    /// A row.
    #[inline]
    pub(crate) fn row(&self, number: usize) -> &Row {
        self.at(self.place(number))
    }

    /// All rows in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Row> {
        (0..self.len()).map(|number| self.row(number))
    }
}

/// A place among the rows, of which a model file allows at most 2^22.
#[expect(clippy::cast_possible_truncation, reason = "at most 2^22")]
fn short(place: usize) -> u32 {
    place as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row() -> impl Strategy<Value = Row> {
        let filled = any::<i8>().prop_map(|part| {
            let mut row = [0; CHANNELS];
            row[CHANNELS - 1] = part;
            row
        });
        prop_oneof![3 => Just([0; CHANNELS]), 2 => filled, 1 => any::<Row>()]
    }

    proptest! {
        #[test]
        fn a_table_gives_every_row_that_it_was_made_of(all in prop::collection::vec(row(), 256)) {
            let table = Table::new(all.iter().copied());
            prop_assert_eq!(table.len(), all.len());
            prop_assert!(table.iter().eq(&all));
            for (number, row) in all.iter().enumerate() {
                let place = table.place(number);
                prop_assert_eq!(place.is_filled(), *row != [0; CHANNELS]);
                prop_assert_eq!(table.at(place), row);
            }
        }
    }

    #[test]
    fn rows_that_hold_nothing_take_no_room() {
        let table = Table::new((0..1 << 10).map(|number| [i8::from(number == 700); CHANNELS]));
        assert_eq!(table.rows.len(), 2);
    }
}
