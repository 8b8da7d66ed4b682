//! A text's sums over the table, with each word's share remembered.

use std::sync::Arc;

use super::super::features::{Family, FeatureSink, TokenFeatures};
use super::super::model::layout::{CHANNELS, POOLED, Pooled, RARITY, Row};
use super::super::model::{EmbeddedModel, Place, Table};
use super::super::signals::{Rules, Sense};
use super::evidence::Found;
use super::memo::{Meaning, Memo};
use super::queue::{MOST_WAITING, Queue};
use crate::message::MAX_TEXT_BYTES;

/// Most features of whole words that a token has.
const WORD_FEATURES: usize = 5;

/// So many features of words fit a sum of 16 bits.
const _: () = assert!(MOST_WAITING * WORD_FEATURES * 128 < 1 << 15);

/// Rows that may wait: so many fit a sum of 16 bits.
const ROWS_WAITING: usize = 2 * MOST_WAITING;
const _: () = assert!(ROWS_WAITING * 128 < 1 << 15);

/// What a scorer keeps from text to text.
#[derive(Debug)]
pub(super) struct Kept {
    memo: Memo,
    queue: Queue,
    /// What the last text's tokens were to the rules.
    senses: Vec<Sense>,
}

impl Kept {
    pub(super) fn new(rules: Arc<Rules>) -> Self {
        Self { memo: Memo::new(rules), queue: Queue::new(), senses: Vec::with_capacity(MAX_TEXT_BYTES) }
    }

    /// What the last text's tokens were to the rules.
    pub(super) fn senses(&self) -> &[Sense] {
        &self.senses
    }
}

/// Rows that wait, by number.
#[derive(Debug)]
struct Rows {
    numbers: [u32; ROWS_WAITING],
    count: usize,
}

/// Where those stand that hold something.
struct FilledRows {
    places: [Place; ROWS_WAITING],
    count: usize,
}

impl Rows {
    const NONE: Self = Self { numbers: [0; ROWS_WAITING], count: 0 };

    fn is_full(&self) -> bool {
        self.count == ROWS_WAITING
    }

    #[inline]
    fn push(&mut self, number: u32) {
        self.numbers[self.count] = number;
        self.count += 1;
    }

    /// Finds and sends for those that wait. Most pairs of words were never met, and their rows hold nothing.
    #[inline]
    fn find(&mut self, table: &Table) -> FilledRows {
        let mut found = FilledRows { places: [Place::NOTHING; ROWS_WAITING], count: 0 };
        for number in &self.numbers[..std::mem::take(&mut self.count)] {
            let place = table.send_for(*number as usize);
            // Written always: whether it stays is hard to guess for a processor.
            found.places[found.count] = place;
            found.count += usize::from(place.is_filled());
        }
        found
    }
}

/// Sums of the rows of a text's features, in two families that are each brought to length 1.
///
/// Words and rows wait until there are some, and are looked up and added together: most are not in cache, and so they are on their way
/// from memory at the same time.
pub(super) struct Sums<'m> {
    model: &'m EmbeddedModel,
    kept: &'m mut Kept,
    pub(super) families: [[i32; CHANNELS]; 2],
    found: Found,
    rows: Rows,
}

impl<'m> Sums<'m> {
    pub(super) fn new(model: &'m EmbeddedModel, kept: &'m mut Kept) -> Self {
        kept.senses.clear();
        Self { model, kept, families: [[0; CHANNELS]; 2], found: Found::default(), rows: Rows::NONE }
    }

    /// Adds the words that wait.
    fn add_words(&mut self) {
        let mut places = [0; MOST_WAITING];
        let mut from = 0;
        loop {
            let Kept { memo, queue, .. } = &mut *self.kept;
            let known = known_places(memo, &queue.keys()[from..], &mut places);
            self.add_known(&places[..known]);
            from += known;
            let Kept { memo, queue, .. } = &mut *self.kept;
            if from == queue.keys().len() {
                return queue.clear();
            }
            memo.remember(queue.keys()[from], &queue.token(from), self.model);
        }
    }

    fn add_known(&mut self, places: &[usize]) {
        let Kept { memo, senses, .. } = &mut *self.kept;
        for place in places {
            let Meaning { sense, evidence } = memo.meaning(*place);
            self.found.add(evidence);
            senses.push(sense);
        }
        let (mut words, mut characters) = ([0; CHANNELS], [0; CHANNELS]);
        for place in places {
            let share = memo.share(*place);
            for (sum, part) in words.iter_mut().zip(&share[Family::Words as usize]) {
                *sum += part;
            }
            add_wide(&mut characters, &share[Family::Characters as usize]);
        }
        add_wide(&mut self.families[Family::Words as usize], &words);
        for (sum, part) in self.families[Family::Characters as usize].iter_mut().zip(characters) {
            *sum += part;
        }
    }

    fn add_rows(&mut self, found: &FilledRows) {
        let mut sums = [0; CHANNELS];
        for place in &found.places[..found.count] {
            add_row(&mut sums, self.model.table.at(*place));
        }
        add_wide(&mut self.families[Family::Words as usize], &sums);
    }

    /// Adds what waits.
    pub(super) fn settle(&mut self) {
        // The rows come while the words are added.
        let rows = self.rows.find(&self.model.table);
        self.add_words();
        self.add_rows(&rows);
    }

    /// What each family's sum is divided by; 0 where no feature of it is known.
    pub(super) fn lengths(&mut self) -> [f32; 2] {
        self.settle();
        lengths(&self.families, &self.model.header.scales)
    }

    /// The pooled channels, and whether there are words to tell a language by; nothing where no feature is known, or the text says
    /// nothing.
    pub(super) fn finish(mut self) -> Option<(Pooled, bool)> {
        self.settle();
        if !self.found.says_something() {
            return None;
        }
        pooled(&self.families, &self.model.header.scales).map(|pooled| (pooled, self.found.has_words()))
    }
}

fn lengths(families: &[[i32; CHANNELS]; 2], scales: &[f32; CHANNELS]) -> [f32; 2] {
    std::array::from_fn(|family| {
        let squared = f64::from(families[family][RARITY].max(0)) * f64::from(scales[RARITY]);
        narrow(family_length(family, squared))
    })
}

/// The sums of both families, each brought to length 1 and added; nothing where no feature is known.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "a sum needs no more digits than f32 has")]
pub(crate) fn pooled(families: &[[i32; CHANNELS]; 2], scales: &[f32; CHANNELS]) -> Option<Pooled> {
    if families.iter().all(|sums| sums[RARITY] <= 0) {
        return None;
    }
    let mut pooled = [0.0; POOLED];
    for (sums, length) in families.iter().zip(lengths(families, scales)).filter(|(_, length)| *length > 0.0) {
        for (channel, value) in pooled.iter_mut().enumerate() {
            *value += sums[channel] as f32 * (scales[channel] / length);
        }
    }
    Some(pooled)
}

impl FeatureSink for Sums<'_> {
    #[inline]
    fn token(&mut self, token: &TokenFeatures<'_>) {
        if self.kept.queue.is_full() {
            self.settle();
        }
        let key = token.key();
        self.kept.memo.send_for(key);
        self.kept.queue.push(key, token);
    }

    #[inline]
    fn context(&mut self, hash: u64, _before: u8) {
        if self.rows.is_full() {
            self.settle();
        }
        self.rows.push(short(bucket(hash, self.model.shift())));
    }
}

/// The places of the first of those words, as many as are known before one is not; gives how many.
#[inline]
fn known_places(memo: &Memo, keys: &[u64], places: &mut [usize; MOST_WAITING]) -> usize {
    for (number, key) in keys.iter().enumerate() {
        let Some(place) = memo.place_of(*key) else { return number };
        memo.send_for_share(place);
        places[number] = place;
    }
    keys.len()
}

// With plain indices and a count known beforehand these become vector instructions.

#[inline]
pub(super) fn add_row(sums: &mut [i16; CHANNELS], row: &Row) {
    for channel in 0..CHANNELS {
        sums[channel] += i16::from(row[channel]);
    }
}

#[inline]
fn add_wide(sums: &mut [i32; CHANNELS], parts: &[i16; CHANNELS]) {
    for channel in 0..CHANNELS {
        sums[channel] += i32::from(parts[channel]);
    }
}

/// Squared rarity of the words, and of the characters, of a text of about forty words.
const LONG: [f64; 2] = [6_000.0, 50_000.0];

/// What a family's sum is divided by, from its features' summed squared rarity: their Euclidean length, and for texts
/// longer than [`LONG`] a growing multiple of it, so that a long text counts by its average and is no surer for its length.
pub(crate) fn family_length(family: usize, squared: f64) -> f64 {
    squared.sqrt() * (squared / LONG[family]).sqrt().max(1.0)
}

/// The row of a hash: its high bits, which are the well-mixed ones.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "at most 22 bits are left")]
pub(crate) fn bucket(hash: u64, shift: u32) -> usize {
    (hash >> shift) as usize
}

/// A row's number, of which there are at most 2^22.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "at most 2^22")]
fn short(number: usize) -> u32 {
    number as u32
}

#[expect(clippy::cast_possible_truncation, reason = "a margin needs no more digits than f32 has")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}
