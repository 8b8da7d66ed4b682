//! A text's sums over the table, with each word's share remembered.

use super::super::features::{Family, FeatureSink, TokenFeatures};
use super::super::model::EmbeddedModel;
use super::super::model::layout::{CHANNELS, POOLED, Pooled, RARITY, Row};
use super::super::normalise::MAX_TOKEN_CHARS;
use super::super::signals::Sense;
use super::evidence::{Evidence, Found};

/// Sets of words remembered, as a power of 2.
const SET_BITS: u32 = 15;

/// Words of a set. A word costs 144 bytes.
const WAYS: usize = 2;

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
/// each of its n-grams. Exact, because sums do not depend on their order; bounded, because a word takes the place of the one of its set
/// that was asked for longest ago.
#[derive(Debug)]
pub(super) struct Memo {
    sets: Vec<Set>,
    /// By place: [`WAYS`] for each set.
    shares: Vec<Share>,
    /// The rows of a new word's n-grams.
    grams: Vec<u32>,
    /// By row of the table, whether it holds anything.
    filled: Bits,
}

/// Words with the same high bits of their key.
#[derive(Clone, Copy, Debug, Default)]
struct Set {
    /// 0 marks an empty place.
    keys: [u64; WAYS],
    /// Once asked for.
    senses: [Option<Sense>; WAYS],
    evidence: [Evidence; WAYS],
    latest: u8,
}

impl Set {
    /// Which of its words has that key, if one does. Which one is hard to guess for a processor: so there is no branch.
    #[inline]
    fn way_of(&self, key: u64) -> Option<usize> {
        const { assert!(WAYS == 2) };
        let way = usize::from(self.keys[1] == key);
        (self.keys[way] == key).then_some(way)
    }
}

/// The set and the way of a word.
#[derive(Clone, Copy)]
struct Place {
    set: usize,
    way: usize,
}

impl Place {
    fn number(self) -> usize {
        self.set * WAYS + self.way
    }
}

impl Memo {
    pub(super) fn new(model: &EmbeddedModel) -> Self {
        let sets = 1 << SET_BITS;
        Self {
            sets: vec![Set::default(); sets],
            shares: vec![[[0; CHANNELS]; 2]; sets * WAYS],
            grams: Vec::with_capacity(4 * (MAX_TOKEN_CHARS + 1)),
            filled: Bits::of(model.rows.iter().map(|row| row.iter().any(|part| *part != 0))),
        }
    }

    /// Puts a new word in a set; gives its way.
    #[cold]
    fn remember(&mut self, set: usize, key: u64, token: &TokenFeatures<'_>, rows: &[Row], shift: u32) -> usize {
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
        let of_set = &mut self.sets[set];
        let way = usize::from(of_set.latest == 0);
        (of_set.keys[way], of_set.evidence[way], of_set.senses[way]) = (key, evidence, None);
        self.shares[Place { set, way }.number()] = [words, characters];
        way
    }
}

/// Bits by number.
#[derive(Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn of(bits: impl Iterator<Item = bool>) -> Self {
        let mut words = Vec::new();
        for (number, bit) in bits.enumerate() {
            if number % 64 == 0 {
                words.push(0);
            }
            words[number / 64] |= u64::from(bit) << (number % 64);
        }
        Self(words)
    }

    #[inline]
    fn has(&self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 != 0
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
        self.push_if(true, number);
    }

    /// Written always: whether it stays is hard to guess for a processor.
    #[inline]
    fn push_if(&mut self, stays: bool, number: usize) {
        self.numbers[self.count] = short(number);
        self.count += usize::from(stays);
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
        let Place { set, way } = self.place(token);
        *self.memo.sets[set].senses[way].get_or_insert_with(sense)
    }

    /// The place of a word that waits now to be added.
    #[inline]
    fn place(&mut self, token: &TokenFeatures<'_>) -> Place {
        let key = token.key() | 1;
        let set = bucket(key, u64::BITS - SET_BITS);
        let known = self.memo.sets[set].way_of(key);
        if known.is_none() || self.words_waiting.is_full() {
            // Also before another word takes a place that waits.
            self.add_words();
        }
        let way = known.unwrap_or_else(|| self.memo.remember(set, key, token, self.rows, self.shift));
        let of_set = &mut self.memo.sets[set];
        of_set.latest = u8::from(way != 0);
        self.found.add(of_set.evidence[way]);
        let place = Place { set, way };
        self.words_waiting.push(place.number());
        place
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
        let row = bucket(hash, self.shift);
        // Most pairs of words were never met, and their rows add nothing: they need not come from memory.
        self.rows_waiting.push_if(self.memo.filled.has(row), row);
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
