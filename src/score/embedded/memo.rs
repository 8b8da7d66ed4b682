//! Words remembered, each with what it adds.

use std::sync::Arc;

use prefetch_index::prefetch_index;

use super::super::features::{Family, TokenFeatures};
use super::super::model::layout::{CHANNELS, RARITY};
use super::super::model::{EmbeddedModel, Place};
use super::super::normalise::LONGEST;
use super::super::signals::{Rules, Sense};
use super::evidence::Evidence;
use super::sums::{add_row, bucket};

/// Sets of words, as a power of 2.
const SET_BITS: u32 = 14;

/// Words of a set. A word costs 144 bytes.
const WAYS: usize = 4;

/// A word's own features, summed: of whole words, and of characters. A token has fewer than 250 features of at most 127 each.
pub(super) type Share = [[i16; CHANNELS]; 2];

/// What words add, what they give to go by and what they are to the rules, so that a word seen before costs one look-up and not one for
/// each of its n-grams. Exact, because sums do not depend on their order; bounded, because a word takes the place of one of its set that
/// was not asked for lately.
#[derive(Debug)]
pub(super) struct Memo {
    sets: Vec<Set>,
    /// By place: [`WAYS`] for each set.
    shares: Vec<Share>,
    rules: Arc<Rules>,
    /// Where the rows of a new word's n-grams stand.
    grams: Vec<Place>,
}

/// Words with the same high bits of their key, in one line of cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Set {
    /// 0 marks an empty place.
    keys: [u64; WAYS],
    meanings: [Meaning; WAYS],
    /// A bit for each that was asked for lately; not all are set.
    lately: u8,
}

const _: () = assert!(size_of::<Set>() == 64);

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
        const { assert!(WAYS == 4) };
        let is = |way: usize| usize::from(self.keys[way] == key);
        let way = is(1) | (2 * is(2)) | (3 * is(3));
        (self.keys[way] == key).then_some(way)
    }

    /// A word was asked for.
    #[inline]
    fn touch(&mut self, way: usize) {
        let (this, all) = (1 << way, (1 << WAYS) - 1);
        let lately = self.lately | this;
        self.lately = if lately == all { this } else { lately };
    }

    /// A word that was not asked for lately.
    fn stale(&self) -> usize {
        self.lately.trailing_ones() as usize
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
            grams: Vec::with_capacity(4 * (LONGEST + 1)),
        }
    }

    /// Sends for what is known of the word with that key: by the time it is asked for, it has come from memory.
    #[inline]
    pub(super) fn send_for(&self, key: u64) {
        prefetch_index(&self.sets, set_of(stored(key)));
    }

    /// Sends for what the word at a place adds.
    #[inline]
    pub(super) fn send_for_share(&self, place: usize) {
        let lines = self.shares.as_flattened();
        prefetch_index(lines, 2 * place);
        prefetch_index(lines, 2 * place + 1);
    }

    /// The place of the word with that key, if it is known. It stays there until another word is put in.
    #[inline]
    pub(super) fn place_of(&self, key: u64) -> Option<usize> {
        let key = stored(key);
        let set = set_of(key);
        self.sets[set].way_of(key).map(|way| set * WAYS + way)
    }

    /// What the word at a place says.
    #[inline]
    pub(super) fn meaning(&mut self, place: usize) -> Meaning {
        let (set, way) = (&mut self.sets[place / WAYS], place % WAYS);
        set.touch(way);
        set.meanings[way]
    }

    /// What the word at a place adds.
    #[inline]
    pub(super) fn share(&self, place: usize) -> &Share {
        &self.shares[place]
    }

    /// Puts a word in, under its key.
    #[cold]
    pub(super) fn remember(&mut self, key: u64, token: &TokenFeatures<'_>, model: &EmbeddedModel) {
        let (table, shift) = (&model.table, model.shift());
        let mut words = [0; CHANNELS];
        self.grams.clear();
        token.each(&mut |family, hash| match family {
            Family::Words => add_row(&mut words, table.row(bucket(hash, shift))),
            Family::Characters => self.grams.push(table.send_for(bucket(hash, shift))),
        });
        let (mut characters, mut known) = ([0; CHANNELS], 0);
        for place in &self.grams {
            let row = table.at(*place);
            known += usize::from(row[RARITY] > 0);
            add_row(&mut characters, row);
        }
        let plain = token.token();
        let word_is_known = table.row(bucket(plain.hash, shift))[RARITY] > 0;
        let evidence = Evidence::of(token, word_is_known, known, self.grams.len());
        let key = stored(key);
        let set = set_of(key);
        let of_set = &mut self.sets[set];
        let way = of_set.stale();
        of_set.touch(way);
        of_set.keys[way] = key;
        of_set.meanings[way] = Meaning { sense: self.rules.sense(plain), evidence };
        self.shares[set * WAYS + way] = [words, characters];
    }
}
