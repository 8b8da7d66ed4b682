//! A text's sums over the table, with each word's share remembered.

use super::super::features::{Family, FeatureSink, TokenFeatures};
use super::super::model::EmbeddedModel;
use super::super::model::layout::{CHANNELS, POOLED, Pooled, RARITY, Row};
use super::evidence::{Evidence, Found};

/// Words remembered, as a power of 2.
const MEMO_BITS: u32 = 14;

/// A word's own features, summed: of whole words, and of characters. A token has fewer than 250 features of at most 127 each.
type Share = [[i16; CHANNELS]; 2];

/// What words add, so that a word seen before costs one look-up and not one for each of its n-grams. Exact, because sums do not
/// depend on their order; bounded, because a word takes the place of another with the same high bits of its key.
#[derive(Debug)]
pub(super) struct Memo {
    keys: Vec<(u64, Evidence)>,
    shares: Vec<Share>,
}

impl Default for Memo {
    fn default() -> Self {
        let places = 1 << MEMO_BITS;
        Self { keys: vec![(0, Evidence::Nothing); places], shares: vec![[[0; CHANNELS]; 2]; places] }
    }
}

impl Memo {
    fn share(&mut self, token: &TokenFeatures<'_>, rows: &[Row], shift: u32) -> (&Share, Evidence) {
        // 0 marks an empty place.
        let key = token.key() | 1;
        let at = bucket(key, u64::BITS - MEMO_BITS);
        if self.keys[at].0 != key {
            let (share, evidence) = computed(token, rows, shift);
            self.keys[at] = (key, evidence);
            self.shares[at] = share;
        }
        (&self.shares[at], self.keys[at].1)
    }
}

fn computed(token: &TokenFeatures<'_>, rows: &[Row], shift: u32) -> (Share, Evidence) {
    let mut share = [[0; CHANNELS]; 2];
    let (mut grams, mut known) = (0, 0);
    token.each(&mut |family, hash| {
        let row = &rows[bucket(hash, shift)];
        if family == Family::Characters {
            grams += 1;
            known += usize::from(row[RARITY] > 0);
        }
        for (sum, &weight) in share[family as usize].iter_mut().zip(row) {
            *sum += i16::from(weight);
        }
    });
    let (_, word) = token.token();
    let word_is_known = rows[bucket(word, shift)][RARITY] > 0;
    (share, Evidence::of(token, word_is_known, known, grams))
}

/// Sums of the rows of a text's features, in two families that are each brought to length 1.
pub(super) struct Sums<'m> {
    rows: &'m [Row],
    memo: &'m mut Memo,
    shift: u32,
    families: [[i32; CHANNELS]; 2],
    pub(super) found: Found,
}

impl<'m> Sums<'m> {
    pub(super) fn new(model: &'m EmbeddedModel, memo: &'m mut Memo) -> Self {
        Self { rows: &model.rows, memo, shift: model.shift(), families: [[0; CHANNELS]; 2], found: Found::default() }
    }

    /// What each family's sum is divided by; 0 where no feature of it is known.
    pub(super) fn lengths(&self, scales: &[f32; CHANNELS]) -> [f32; 2] {
        lengths(&self.families, scales)
    }

    /// The pooled channels; nothing where no feature is known, or the text says nothing.
    pub(super) fn finish(self, scales: &[f32; CHANNELS]) -> Option<Pooled> {
        if self.found.says_something() { pooled(&self.families, scales) } else { None }
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
        let (share, evidence) = self.memo.share(token, self.rows, self.shift);
        self.found.add(evidence);
        for (sums, share) in self.families.iter_mut().zip(share) {
            for (sum, &part) in sums.iter_mut().zip(share) {
                *sum += i32::from(part);
            }
        }
    }

    #[inline]
    fn context(&mut self, hash: u64, _before: u8) {
        let row = &self.rows[bucket(hash, self.shift)];
        for (sum, &weight) in self.families[Family::Words as usize].iter_mut().zip(row) {
            *sum += i32::from(weight);
        }
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

#[expect(clippy::cast_possible_truncation, reason = "a margin needs no more digits than f32 has")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}
