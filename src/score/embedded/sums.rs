//! A text's sums over the table, with each word's share remembered.

use super::super::features::{Family, FeatureSink, TokenFeatures};
use super::super::model::EmbeddedModel;
use super::super::model::layout::{CHANNELS, POOLED, Pooled, RARITY, Row};
use super::super::normalise::MAX_TOKEN_CHARS;
use super::super::signals::Sense;
use super::evidence::{Evidence, Found};

/// Words remembered, as a power of 2. A word costs 144 bytes.
const MEMO_BITS: u32 = 16;

/// A word's own features, summed: of whole words, and of characters. A token has fewer than 250 features of at most 127 each.
type Share = [[i16; CHANNELS]; 2];

/// Most features of whole words that a token has.
const WORD_FEATURES: usize = 5;

/// Words that may wait to be added: so many word features fit a sum of 16 bits.
const WORDS_WAITING: usize = 48;
const _: () = assert!(WORDS_WAITING * WORD_FEATURES * 128 < 1 << 15);

/// Rows that may wait: so many fit a sum of 16 bits.
const ROWS_WAITING: usize = 2 * WORDS_WAITING;
const _: () = assert!(ROWS_WAITING * 128 < 1 << 15);

/// What words add, what they give to go by and what they are to the rules, so that a word seen before costs one look-up and not one for
/// each of its n-grams. Exact, because sums do not depend on their order; bounded, because a word takes the place of another with the
/// same high bits of its key.
#[derive(Debug)]
pub(super) struct Memo {
    places: Vec<Place>,
    shares: Vec<Share>,
    /// The rows of a new word's n-grams.
    grams: Vec<u32>,
}

/// A word remembered.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// 0 marks an empty place.
    key: u64,
    evidence: Evidence,
    /// Once asked for.
    sense: Option<Sense>,
}

impl Default for Memo {
    fn default() -> Self {
        let places = 1 << MEMO_BITS;
        Self {
            places: vec![Place::default(); places],
            shares: vec![[[0; CHANNELS]; 2]; places],
            grams: Vec::with_capacity(4 * (MAX_TOKEN_CHARS + 1)),
        }
    }
}

impl Memo {
    #[cold]
    fn remember(&mut self, at: usize, key: u64, token: &TokenFeatures<'_>, rows: &[Row], shift: u32) {
        let mut words = [0; CHANNELS];
        self.grams.clear();
        token.each(&mut |family, hash| match family {
            Family::Words => add_row(&mut words, &rows[bucket(hash, shift)]),
            Family::Characters => self.grams.push(short(bucket(hash, shift))),
        });
        // One after the other, and nothing else between: so the rows are on their way from memory together.
        let (mut characters, mut known) = ([0; CHANNELS], 0);
        for row in &self.grams {
            let row = &rows[*row as usize];
            known += usize::from(row[RARITY] > 0);
            add_row(&mut characters, row);
        }
        let (_, word) = token.token();
        let word_is_known = rows[bucket(word, shift)][RARITY] > 0;
        let evidence = Evidence::of(token, word_is_known, known, self.grams.len());
        self.shares[at] = [words, characters];
        self.places[at] = Place { key, evidence, sense: None };
    }
}

/// Numbers that wait.
#[derive(Debug)]
struct Waiting<const MOST: usize> {
    numbers: [u32; MOST],
    count: usize,
}

impl<const MOST: usize> Waiting<MOST> {
    const NONE: Self = Self { numbers: [0; MOST], count: 0 };

    fn is_full(&self) -> bool {
        self.count == MOST
    }

    #[inline]
    fn push(&mut self, number: usize) {
        self.numbers[self.count] = short(number);
        self.count += 1;
    }

    fn drain(&mut self) -> &[u32] {
        &self.numbers[..std::mem::take(&mut self.count)]
    }
}

/// Sums of the rows of a text's features, in two families that are each brought to length 1.
///
/// Words and rows wait until there are some, and are added together: most rows are not in cache, and so they are on their way from
/// memory at the same time.
pub(super) struct Sums<'m> {
    rows: &'m [Row],
    memo: &'m mut Memo,
    shift: u32,
    pub(super) families: [[i32; CHANNELS]; 2],
    pub(super) found: Found,
    words_waiting: Waiting<WORDS_WAITING>,
    rows_waiting: Waiting<ROWS_WAITING>,
}

impl<'m> Sums<'m> {
    pub(super) fn new(model: &'m EmbeddedModel, memo: &'m mut Memo) -> Self {
        Self {
            rows: &model.rows,
            memo,
            shift: model.shift(),
            families: [[0; CHANNELS]; 2],
            found: Found::default(),
            words_waiting: Waiting::NONE,
            rows_waiting: Waiting::NONE,
        }
    }

    /// Takes a word, and gives what it is to the rules.
    #[inline]
    pub(super) fn word(&mut self, token: &TokenFeatures<'_>, sense: impl FnOnce() -> Sense) -> Sense {
        let at = self.place(token);
        let known = &mut self.memo.places[at].sense;
        *known.get_or_insert_with(sense)
    }

    /// The place of a word that waits now to be added.
    #[inline]
    fn place(&mut self, token: &TokenFeatures<'_>) -> usize {
        let key = token.key() | 1;
        let at = bucket(key, u64::BITS - MEMO_BITS);
        let is_known = self.memo.places[at].key == key;
        if !is_known || self.words_waiting.is_full() {
            // Also before another word takes a place that waits.
            self.add_words();
        }
        if !is_known {
            self.memo.remember(at, key, token, self.rows, self.shift);
        }
        self.found.add(self.memo.places[at].evidence);
        self.words_waiting.push(at);
        at
    }

    fn add_words(&mut self) {
        let (mut words, mut characters) = ([0; CHANNELS], [0; CHANNELS]);
        for place in self.words_waiting.drain() {
            let share = &self.memo.shares[*place as usize];
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

    fn add_rows(&mut self) {
        let mut sums = [0; CHANNELS];
        for row in self.rows_waiting.drain() {
            add_row(&mut sums, &self.rows[*row as usize]);
        }
        add_wide(&mut self.families[Family::Words as usize], &sums);
    }

    /// Adds what waits.
    pub(super) fn settle(&mut self) {
        self.add_words();
        self.add_rows();
    }

    /// What each family's sum is divided by; 0 where no feature of it is known.
    pub(super) fn lengths(&mut self, scales: &[f32; CHANNELS]) -> [f32; 2] {
        self.settle();
        lengths(&self.families, scales)
    }

    /// The pooled channels; nothing where no feature is known, or the text says nothing.
    pub(super) fn finish(mut self, scales: &[f32; CHANNELS]) -> Option<Pooled> {
        if !self.found.says_something() {
            return None;
        }
        self.settle();
        pooled(&self.families, scales)
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
        self.place(token);
    }

    #[inline]
    fn context(&mut self, hash: u64, _before: u8) {
        if self.rows_waiting.is_full() {
            self.add_rows();
        }
        self.rows_waiting.push(bucket(hash, self.shift));
    }
}

// With plain indices and a count known beforehand these become vector instructions.

#[inline]
fn add_row(sums: &mut [i16; CHANNELS], row: &Row) {
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

/// A place in the memo or in the table, of which there are at most 2^22.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "at most 2^22")]
fn short(place: usize) -> u32 {
    place as u32
}

#[expect(clippy::cast_possible_truncation, reason = "a margin needs no more digits than f32 has")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}
