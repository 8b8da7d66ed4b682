//! Words remembered, each with what it adds.

use std::sync::Arc;

use super::super::features::{Family, TokenFeatures};
use super::super::model::EmbeddedModel;
use super::super::model::layout::{CHANNELS, RARITY, Row};
use super::super::normalise::MAX_TOKEN_CHARS;
use super::super::signals::{Rules, Sense};
use super::evidence::Evidence;
use super::sums::{add_row, bucket, short};

/// Sets of words, as a power of 2.
const SET_BITS: u32 = 15;

/// Words of a set. A word costs 144 bytes.
const WAYS: usize = 2;

/// A word's own features, summed: of whole words, and of characters. A token has fewer than 250 features of at most 127 each.
pub(super) type Share = [[i16; CHANNELS]; 2];

/// What words add, what they give to go by and what they are to the rules, so that a word seen before costs one look-up and not one for
/// each of its n-grams. Exact, because sums do not depend on their order; bounded, because a word takes the place of the one of its set
/// that was asked for longest ago.
#[derive(Debug)]
pub(super) struct Memo {
    sets: Vec<Set>,
    /// By place: [`WAYS`] for each set.
    shares: Vec<Share>,
    rules: Arc<Rules>,
    /// The rows of a new word's n-grams.
    grams: Vec<u32>,
}

/// Words with the same high bits of their key.
#[derive(Clone, Copy, Debug, Default)]
struct Set {
    /// 0 marks an empty place.
    keys: [u64; WAYS],
    meanings: [Meaning; WAYS],
    latest: u8,
}

/// What a word says beside its share.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meaning {
    pub(super) sense: Sense,
    pub(super) evidence: Evidence,
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

/// A word's key as it is stored.
fn stored(key: u64) -> u64 {
    key | 1
}

fn set_of(stored: u64) -> usize {
    bucket(stored, u64::BITS - SET_BITS)
}

impl Memo {
    pub(super) fn new(rules: Arc<Rules>) -> Self {
        let sets = 1 << SET_BITS;
        Self {
            sets: vec![Set::default(); sets],
            shares: vec![[[0; CHANNELS]; 2]; sets * WAYS],
            rules,
            grams: Vec::with_capacity(4 * (MAX_TOKEN_CHARS + 1)),
        }
    }

    /// The place of the word with that key, if it is known. It stays there until another word is put in.
    #[inline]
    pub(super) fn place_of(&self, key: u64) -> Option<usize> {
        let key = stored(key);
        let set = set_of(key);
        self.sets[set].way_of(key).map(|way| set * WAYS + way)
    }

    /// What the word at a place says; it is the last of its set to go.
    #[inline]
    pub(super) fn meaning(&mut self, place: usize) -> Meaning {
        let (set, way) = (&mut self.sets[place / WAYS], place % WAYS);
        set.latest = u8::from(way != 0);
        set.meanings[way]
    }

    /// What the word at a place adds.
    #[inline]
    pub(super) fn share(&self, place: usize) -> &Share {
        &self.shares[place]
    }

    /// Puts a word in.
    #[cold]
    pub(super) fn remember(&mut self, token: &TokenFeatures<'_>, model: &EmbeddedModel) {
        let (rows, shift): (&[Row], u32) = (&model.rows, model.shift());
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
        let (plain, word) = token.token();
        let word_is_known = rows[bucket(word, shift)][RARITY] > 0;
        let evidence = Evidence::of(token, word_is_known, known, self.grams.len());
        let key = stored(token.key());
        let set = set_of(key);
        let of_set = &mut self.sets[set];
        let way = usize::from(of_set.latest == 0);
        of_set.keys[way] = key;
        of_set.meanings[way] = Meaning { sense: self.rules.sense(plain), evidence };
        self.shares[set * WAYS + way] = [words, characters];
    }
}
