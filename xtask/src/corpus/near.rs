//! Texts that nearly equal a text of a fixed collection: Jaccard similarity of their character 5-grams.
//!
//! Exact, by prefix filtering: two sets whose similarity reaches the threshold must share one of their rarest grams, so
//! only those are indexed, and only texts that share one are compared in full. Most texts have so many grams that the
//! collection lacks that nothing is compared at all.

use rustc_hash::{FxHashMap, FxHashSet};

use super::words::MIN_WORDS;

const GRAM: usize = 5;
/// From this similarity on two texts are near duplicates.
pub(crate) const THRESHOLD: f64 = 0.6;

/// The letters of a gram, packed.
type Gram = u128;

/// The collection, indexed.
pub(crate) struct Near {
    /// From a gram to its rank, the rarest first.
    ranks: FxHashMap<Gram, u32>,
    /// For each text, its grams' ranks in order; empty for a text that is too short to compare.
    texts: Vec<Vec<u32>>,
    /// For each rank, the texts that have it among their rarest.
    index: Vec<Vec<usize>>,
}

impl Near {
    pub(crate) fn new(texts: &[Vec<String>]) -> Self {
        let grams: Vec<FxHashSet<Gram>> = texts.iter().map(|words| grams(words)).collect();
        let ranks = ranks(&grams);
        let texts: Vec<Vec<u32>> = grams.iter().map(|grams| sorted(grams.iter().map(|gram| ranks[gram]))).collect();
        let mut index = vec![Vec::new(); ranks.len()];
        for (at, text) in texts.iter().enumerate() {
            for rank in &text[..prefix(text.len())] {
                index[*rank as usize].push(at);
            }
        }
        Self { ranks, texts, index }
    }

    /// The most similar text that reaches the threshold, and its similarity.
    pub(crate) fn nearest(&self, words: &[String]) -> Option<(usize, f64)> {
        let grams = grams(words);
        let known = sorted(grams.iter().filter_map(|gram| self.ranks.get(gram).copied()));
        self.most_similar(&known, grams.len(), |_| true)
    }

    /// The same for a text of the collection, among those before it.
    pub(crate) fn nearest_before(&self, at: usize) -> Option<(usize, f64)> {
        self.most_similar(&self.texts[at], self.texts[at].len(), |other| other < at)
    }

    /// `known` are a text's grams but for those that the collection lacks.
    fn most_similar(&self, known: &[u32], grams: usize, among: impl Fn(usize) -> bool) -> Option<(usize, f64)> {
        // Grams that the collection lacks are the rarest of all, and lead to no text.
        let rarest = prefix(grams).saturating_sub(grams - known.len());
        let candidates: FxHashSet<usize> = known[..rarest]
            .iter()
            .flat_map(|rank| &self.index[*rank as usize])
            .copied()
            .filter(|at| among(*at) && lengths_fit(self.texts[*at].len(), grams))
            .collect();
        let similar = candidates.into_iter().map(|at| (at, jaccard(&self.texts[at], known, grams)));
        similar
            .filter(|(_, similarity)| *similarity >= THRESHOLD)
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }
}

fn grams(words: &[String]) -> FxHashSet<Gram> {
    if words.len() < MIN_WORDS {
        return FxHashSet::default();
    }
    let letters: Vec<Gram> = words.join(" ").chars().map(|letter| Gram::from(u32::from(letter))).collect();
    letters.windows(GRAM).map(|gram| gram.iter().fold(0, |packed, letter| packed << 21 | letter)).collect()
}

/// A rank for each gram: those that few texts have come first.
fn ranks(texts: &[FxHashSet<Gram>]) -> FxHashMap<Gram, u32> {
    let mut counts: FxHashMap<Gram, u32> = FxHashMap::default();
    for gram in texts.iter().flatten() {
        *counts.entry(*gram).or_default() += 1;
    }
    let mut order: Vec<(u32, Gram)> = counts.into_iter().map(|(gram, count)| (count, gram)).collect();
    order.sort_unstable();
    (0..).zip(order).map(|(rank, (_, gram))| (gram, rank)).collect()
}

fn sorted(ranks: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut ranks: Vec<u32> = ranks.collect();
    ranks.sort_unstable();
    ranks
}

/// So many of a set's rarest grams: a set similar enough has one of them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of a length"
)]
fn prefix(length: usize) -> usize {
    // One gram to spare, so that rounding loses nothing.
    (length + 2).saturating_sub((length as f64 * THRESHOLD).ceil() as usize).min(length)
}

/// Whether sets of these lengths can be similar enough at all.
#[expect(clippy::cast_precision_loss, reason = "a ratio of lengths")]
fn lengths_fit(first: usize, second: usize) -> bool {
    first.min(second) as f64 >= THRESHOLD * first.max(second) as f64
}

/// Shared grams over all grams; `known` is the second set but for grams that the first cannot have.
#[expect(clippy::cast_precision_loss, reason = "a ratio of lengths")]
fn jaccard(first: &[u32], known: &[u32], second_length: usize) -> f64 {
    let shared = known.iter().filter(|rank| first.binary_search(rank).is_ok()).count();
    shared as f64 / (first.len() + second_length - shared) as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_pcg::Pcg64Mcg;

    use super::*;
    use crate::corpus::words::words;

    fn near(texts: &[&str]) -> Near {
        Near::new(&texts.iter().map(|text| words(text)).collect::<Vec<_>>())
    }

    const WAITING: &str = "Llevo tres días esperando que alguien me conteste el chat";

    #[test]
    fn a_text_with_one_word_changed_is_near() {
        let (at, similarity) = near(&["no tengo ninguna queja de ustedes", WAITING])
            .nearest(&words("llevo cinco dias esperando que alguien me conteste el chat"))
            .unwrap();
        assert!(at == 1 && (THRESHOLD..1.0).contains(&similarity), "{at}: {similarity}");
    }

    #[test]
    fn a_text_of_other_words_on_the_same_matter_is_not_near() {
        assert_eq!(near(&[WAITING]).nearest(&words("hace tres días que espero y nadie contesta en el chat")), None);
    }

    #[test]
    fn texts_below_five_words_are_not_compared() {
        assert_eq!(near(&["muchas gracias a todos"]).nearest(&words("muchas gracias a todos")), None);
    }

    #[test]
    fn a_text_of_the_collection_is_compared_with_those_before_it() {
        let texts = [
            WAITING,
            "no tengo ninguna queja de ustedes",
            "llevo cinco días esperando que alguien me conteste el chat",
        ];
        let near = near(&texts);
        assert_eq!([0, 1].map(|at| near.nearest_before(at)), [None, None]);
        assert_eq!(near.nearest_before(2).unwrap().0, 0);
    }

    #[test]
    fn the_filter_finds_what_comparing_all_with_all_finds() {
        let stock = ["el", "banco", "no", "contesta", "desde", "ayer", "la", "app", "falla", "otra", "vez"];
        let mut random = Pcg64Mcg::seed_from_u64(7);
        let mut word = || stock[random.random_range(0..stock.len())].to_owned();
        let texts: Vec<Vec<String>> = (0..400).map(|at| (0..5 + at % 4).map(|_| word()).collect()).collect();
        let (known, others) = texts.split_at(200);
        let near = Near::new(known);
        let mut found = 0;
        for other in others {
            let best = known.iter().map(|text| plain_jaccard(text, other)).fold(0.0, f64::max);
            let expected = (best >= THRESHOLD).then_some(best);
            assert_eq!(near.nearest(other).map(|(_, similarity)| similarity), expected);
            found += usize::from(expected.is_some());
        }
        assert!((1..others.len()).contains(&found), "the test compares only one kind: {found}");
    }

    fn plain_jaccard(first: &[String], second: &[String]) -> f64 {
        let (first, second) = (grams(first), grams(second));
        first.intersection(&second).count() as f64 / first.union(&second).count() as f64
    }
}
