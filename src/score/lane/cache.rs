//! What a slow model said of texts that come again: canned complaints, shares, echoes of bots.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::num::NonZeroUsize;

use lru::LruCache;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::{Logits, Tokens};
use crate::message::ModelId;

/// A bounded memory of answers by model and text. The answer that nobody asked for the longest goes first.
///
/// It keeps no text, not even as tokens: a hash of 128 bits under a key that each process draws for itself, so that nobody can write
/// texts that share one.
#[derive(Debug)]
pub struct AnswerCache {
    answers: Option<LruCache<(ModelId, u128), Logits>>,
    hasher: SipHasher13,
    hits: u64,
    misses: u64,
}

impl AnswerCache {
    /// Room for the answers to so many texts; with room for none it remembers nothing.
    #[must_use]
    pub fn new(texts: usize) -> Self {
        let drawn = RandomState::new();
        let key = |part: u8| drawn.hash_one(part);
        Self {
            // Grows as texts come: most installations never fill it.
            answers: NonZeroUsize::new(texts).map(|most| {
                let mut answers = LruCache::unbounded();
                answers.resize(most);
                answers
            }),
            hasher: SipHasher13::new_with_keys(key(0), key(1)),
            hits: 0,
            misses: 0,
        }
    }

    /// What the model said of the text, if that is remembered.
    pub fn get(&mut self, model: ModelId, text: &Tokens) -> Option<Logits> {
        let key = (model, self.hash(text));
        let answer = self.answers.as_mut()?.get(&key).cloned();
        let count = if answer.is_some() { &mut self.hits } else { &mut self.misses };
        *count += 1;
        answer
    }

    /// Remembers what the model said of the text.
    pub fn put(&mut self, model: ModelId, text: &Tokens, answer: Logits) {
        let key = (model, self.hash(text));
        if let Some(answers) = &mut self.answers {
            answers.put(key, answer);
        }
    }

    /// How many were asked for and remembered.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.hits
    }

    /// How many were asked for in vain. One without room counts none.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.misses
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.as_ref().map_or(0, LruCache::len)
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn hash(&self, text: &Tokens) -> u128 {
        let mut hasher = self.hasher;
        text.ids().hash(&mut hasher);
        hasher.write_u8(0);
        hasher.finish128().as_u128()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Remembers in a list, the one last asked for first.
    #[derive(Default)]
    struct Naive {
        list: Vec<((u32, u8), f32)>,
        most: usize,
        hits: u64,
        misses: u64,
    }

    impl Naive {
        fn get(&mut self, key: (u32, u8)) -> Option<f32> {
            let found = self.list.iter().position(|(known, _)| *known == key);
            match found {
                Some(place) => {
                    let entry = self.list.remove(place);
                    self.list.insert(0, entry);
                    self.hits += 1;
                    Some(entry.1)
                }
                None => {
                    self.misses += u64::from(self.most > 0);
                    None
                }
            }
        }

        fn put(&mut self, key: (u32, u8), answer: f32) {
            self.list.retain(|(known, _)| *known != key);
            self.list.insert(0, (key, answer));
            self.list.truncate(self.most);
        }
    }

    fn text(number: u8) -> Tokens {
        Tokens::new(vec![0, u32::from(number), 2])
    }

    #[test]
    fn texts_of_one_beginning_are_told_apart() {
        let mut cache = AnswerCache::new(10);
        cache.put(ModelId(1), &Tokens::new(vec![0, 5]), Box::new([1.0]));
        assert_eq!(cache.get(ModelId(1), &Tokens::new(vec![0, 5, 0])), None);
        assert_eq!(cache.get(ModelId(1), &Tokens::new(vec![0, 5])).as_deref(), Some(&[1.0][..]));
    }

    proptest! {
        #[test]
        fn it_remembers_what_a_list_in_order_of_use_remembers(
            most in 0_usize..6,
            steps in prop::collection::vec((any::<bool>(), 0_u32..2, 0_u8..8, -9.0_f32..9.0), 0..200),
        ) {
            let (mut cache, mut naive) = (AnswerCache::new(most), Naive { most, ..Naive::default() });
            for (is_put, model, number, answer) in steps {
                if is_put {
                    cache.put(ModelId(model), &text(number), Box::new([answer]));
                    naive.put((model, number), answer);
                } else {
                    let found = cache.get(ModelId(model), &text(number));
                    prop_assert_eq!(found.map(|found| found[0]), naive.get((model, number)));
                }
                prop_assert_eq!(cache.len(), naive.list.len());
            }
            prop_assert_eq!((cache.hits(), cache.misses()), (naive.hits, naive.misses));
            prop_assert_eq!(cache.is_empty(), naive.list.is_empty());
        }
    }
}
