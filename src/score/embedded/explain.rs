//! Why a text has its score: what each of its words adds.

use std::iter::Sum;
use std::ops::{Add, Mul, Range};

use super::super::Text;
use super::super::features::{Family, FeatureSink, TokenFeatures};
use super::super::maths::log_odds;
use super::super::model::Table;
use super::super::model::layout::{CHANNELS, POOLED, Row};
use super::super::model::linear::Linear;
use super::sums::{Sums, bucket};
use super::{EmbeddedScorer, language_index};
use crate::message::{MAX_TEXT_BYTES, Score, head};

/// Log odds (natural logarithms: 0.69 more doubles the odds) of negative against neutral or positive, and of frustration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogOdds {
    /// Of negative.
    pub negative: f64,
    /// Of frustration.
    pub frustration: f64,
}

impl Add for LogOdds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { negative: self.negative + other.negative, frustration: self.frustration + other.frustration }
    }
}

impl Mul<f64> for LogOdds {
    type Output = Self;

    fn mul(self, part: f64) -> Self {
        Self { negative: self.negative * part, frustration: self.frustration * part }
    }
}

impl Sum for LogOdds {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Self::add)
    }
}

/// What a word, mark or emoji of a text adds to the log odds; below 0 it takes away.
#[derive(Clone, Debug, PartialEq)]
pub struct WordShare {
    /// Where it stands in the text as it was given, in bytes, on character boundaries.
    pub range: Range<usize>,
    /// What it adds.
    pub log_odds: LogOdds,
}

/// Why a text has its score.
///
/// The parts sum to the log odds of the score. They hold for this text: each hidden unit counts as it stands, so what a word adds
/// here is not quite what leaving it out would change. A pair of words belongs half to each; a negated word half to its negation.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What is explained.
    pub score: Score,
    /// What each word adds, in the order of the text. All 0 where the score is the model's prior, since no word is known.
    pub words: Vec<WordShare>,
    /// What is there without any word.
    pub base: LogOdds,
    /// Names of the signal rules that held. A signal without one is learned.
    pub rules: Vec<String>,
}

impl Explanation {
    /// The log odds that words and base come to.
    #[must_use]
    pub fn log_odds(&self) -> LogOdds {
        self.base + self.words.iter().map(|word| word.log_odds).sum()
    }
}

impl EmbeddedScorer {
    /// Scores one text and says why. It costs a few times as much as the score alone.
    pub fn explain(&mut self, text: Text<'_>) -> Explanation {
        let score = self.score_one(text);
        let rules = self.rules_held().map(str::to_owned).collect();
        let text = head(text.text, MAX_TEXT_BYTES);
        let (weights, base) = self.weights(text, &score);
        let mut words = Words { table: &self.model.table, shift: self.model.shift(), weights, words: Vec::new() };
        self.extractor.extract(text, &mut words);
        Explanation { score, words: words.words, base, rules }
    }

    /// What a row's numbers add to the log odds of this text, and what those are without any word.
    fn weights(&mut self, text: &str, score: &Score) -> ([Weights; 2], LogOdds) {
        let scales = &self.model.header.scales;
        let mut sums = Sums::new(&self.model, &mut self.kept);
        self.extractor.extract(text, &mut sums);
        let lengths = sums.lengths();
        let Some((pooled, _)) = sums.finish() else {
            let [negative, frustration] =
                [score.sentiment.negative, score.frustration].map(|part| f64::from(log_odds(part.get())));
            return ([Weights::NONE; 2], LogOdds { negative, frustration });
        };
        let [negative, frustration] = self.model.log_odds_of(&pooled, language_index(score.language));
        let weights = lengths.map(|length| Weights {
            negative: of_rows(&negative, scales, length),
            frustration: of_rows(&frustration, scales, length),
        });
        (weights, LogOdds { negative: negative.rest, frustration: frustration.rest })
    }
}

/// What one unit of each of a row's numbers adds, for one family of features.
#[derive(Clone, Copy)]
struct Weights {
    negative: [f64; POOLED],
    frustration: [f64; POOLED],
}

impl Weights {
    const NONE: Self = Self { negative: [0.0; POOLED], frustration: [0.0; POOLED] };

    fn of(&self, row: &Row) -> LogOdds {
        LogOdds { negative: dot(row, &self.negative), frustration: dot(row, &self.frustration) }
    }
}

/// From factors of the pooled channels to factors of a row's numbers; a family of length 0 adds nothing.
fn of_rows(linear: &Linear, scales: &[f32; CHANNELS], length: f32) -> [f64; POOLED] {
    if length <= 0.0 {
        return [0.0; POOLED];
    }
    std::array::from_fn(|channel| linear.factors[channel] * f64::from(scales[channel] / length))
}

fn dot(row: &Row, weights: &[f64; POOLED]) -> f64 {
    row.iter().zip(weights).map(|(&number, weight)| f64::from(number) * weight).sum()
}

/// Gives each feature's share to the words that it is of.
struct Words<'m> {
    table: &'m Table,
    shift: u32,
    /// By family.
    weights: [Weights; 2],
    words: Vec<WordShare>,
}

impl Words<'_> {
    fn share(&self, family: Family, hash: u64) -> LogOdds {
        self.weights[family as usize].of(self.table.row(bucket(hash, self.shift)))
    }

    /// Adds that part of a share to the word so many before the last.
    fn add(&mut self, before: u8, share: LogOdds, part: f64) {
        let word = self.words.iter_mut().rev().nth(usize::from(before));
        debug_assert!(word.is_some(), "a feature reaches no further than the text's first token");
        if let Some(word) = word {
            word.log_odds = word.log_odds + share * part;
        }
    }
}

impl FeatureSink for Words<'_> {
    fn token(&mut self, token: &TokenFeatures<'_>) {
        let mut log_odds = LogOdds::default();
        token.each(&mut |family, hash| log_odds = log_odds + self.share(family, hash));
        self.words.push(WordShare { range: token.range(), log_odds });
    }

    fn context(&mut self, hash: u64, before: u8) {
        let share = self.share(Family::Words, hash);
        self.add(0, share, 0.5);
        self.add(before, share, 0.5);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
