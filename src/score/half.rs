//! Labelled rows in two halves by their text: calibration is fitted on one and measured on the other.

use super::data::DataSet;

/// Which half of the labelled rows. A text is always of the same half, whatever file it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Rows that calibration is fitted on: the hash of their text is even.
    Fitted,
    /// The other rows.
    Other,
}

impl Half {
    /// The half that a text is of.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text_hash(text).is_multiple_of(2) { Self::Fitted } else { Self::Other }
    }

    /// Leaves only this half's rows in a set.
    pub fn keep(self, set: &mut DataSet) {
        set.rows.retain(|row| Self::of(&row.text) == self);
        set.unlabelled.retain(|row| Self::of(&row.text) == self);
    }
}

/// FNV-1a of a text, 64 bits.
pub(crate) fn text_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::score::recipe::Recipe;

    #[test]
    fn every_row_is_of_one_half_and_copies_of_a_text_are_of_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made.es.tsv");
        let rows: String = (0..200).map(|at| format!("pedido {}\tneutral\n", at % 100)).collect();
        std::fs::write(&path, format!("text\tlabel\n{rows}")).unwrap();
        let halves = [Half::Fitted, Half::Other].map(|half| {
            let mut set = crate::score::data::read(&path, &Recipe::default(), None).unwrap();
            half.keep(&mut set);
            set.rows.into_iter().map(|row| row.text).collect::<Vec<_>>()
        });
        assert_eq!(halves[0].len() + halves[1].len(), 200);
        assert!(halves.iter().all(|half| half.len() > 60), "{} {}", halves[0].len(), halves[1].len());
        assert!(halves[0].iter().all(|text| !halves[1].contains(text)));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(text_hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Half::of("a"), Half::Fitted);
    }
}
