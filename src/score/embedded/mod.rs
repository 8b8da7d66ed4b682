//! The scorer built into the binary: hashed n-grams, one table look-up each, a small feed-forward part, all heads at once.

mod evidence;
mod explain;
mod memo;
mod queue;
mod sums;

use std::sync::Arc;

use super::features::Extractor;
use super::maths::softmax;
use super::model::layout::{LANGUAGE, LANGUAGE_COUNT, Outputs};
use super::model::{Blocks, Calibration, EmbeddedModel};
use super::signals::{self, Matcher, Rules};
use super::{Scorer, Text};
use crate::message::{
    Language, MAX_TEXT_BYTES, ModelId, Probability, Score, ScorerKind, SentimentScore, ShareCells, Signal, SignalSet,
    head,
};

pub use explain::{Explanation, LogOdds, WordShare};
use sums::{Kept, Sums};
pub(crate) use sums::{bucket, family_length, narrow, pooled};

/// A language less likely than this is not named.
const LANGUAGE_FROM: f32 = 0.4;

/// Scores with an [`EmbeddedModel`] and finds signals by [`Rules`] too. Each worker owns one; model and rules are shared.
#[derive(Debug)]
pub struct EmbeddedScorer {
    model: Arc<EmbeddedModel>,
    extractor: Extractor,
    kept: Kept,
    hidden: Blocks,
    matcher: Matcher,
}

impl EmbeddedScorer {
    /// A scorer on a model and rules.
    #[must_use]
    pub fn new(model: Arc<EmbeddedModel>, rules: Arc<Rules>) -> Self {
        let matcher = Matcher::new(Arc::clone(&rules));
        let hidden = Blocks::new(&model.dense);
        let kept = Kept::new(rules);
        Self { model, extractor: Extractor::default(), kept, hidden, matcher }
    }

    /// Scores one text.
    pub fn score_one(&mut self, text: Text<'_>) -> Score {
        let Text { text, language: named } = Text { text: head(text.text, MAX_TEXT_BYTES), ..text };
        let Some((outputs, has_words)) = self.outputs(text) else {
            let language = named.unwrap_or(Language::Other);
            let signals = self.matcher.find(self.kept.senses(), language);
            return Score { model: self.model.id, ..prior(self.model.header.prior, language, signals) };
        };
        let calibration = &self.model.header.calibration;
        let detected = || if has_words { likeliest_language(text, &outputs) } else { Language::Other };
        let language = named.unwrap_or_else(detected);
        let place = language_index(language);
        let sentiment = calibration.sentiment(&outputs, place);
        let frustration = calibration.frustration(&outputs, sentiment[0], place);
        let phrases = self.matcher.find(self.kept.senses(), language);
        let share_cells = self.model.header.shares.cells(sentiment, frustration, place);
        let [negative, neutral, positive] = sentiment.map(Probability::new);
        Score {
            sentiment: SentimentScore { negative, neutral, positive },
            frustration: Probability::new(frustration),
            language,
            scorer: ScorerKind::Embedded,
            signals: signals::join(phrases, learned(calibration, &outputs)),
            share_cells,
            model: self.model.id,
        }
    }

    /// The names of the rules that held in the last text, in the order of the rules: why it has its signals.
    pub fn rules_held(&self) -> impl Iterator<Item = &str> {
        self.matcher.held()
    }

    /// What the model says, and whether there are words to tell a language by; nothing where the text says nothing.
    fn outputs(&mut self, text: &str) -> Option<(Outputs, bool)> {
        let mut sums = Sums::new(&self.model, &mut self.kept);
        self.extractor.extract(text, &mut sums);
        let (pooled, has_words) = sums.finish()?;
        Some((self.hidden.outputs(self.model.header.biases, &pooled), has_words))
    }
}

impl Scorer for EmbeddedScorer {
    fn score(&mut self, texts: &[Text<'_>], scores: &mut Vec<Score>) {
        scores.extend(texts.iter().map(|&text| self.score_one(text)));
    }
}

/// The signals that the model has learned to see.
fn learned(calibration: &Calibration, outputs: &Outputs) -> SignalSet {
    Signal::ALL.iter().copied().filter(|&signal| calibration.has_signal(outputs, signal as usize)).collect()
}

fn prior(prior: [f32; 4], language: Language, signals: SignalSet) -> Score {
    let [negative, neutral, positive, frustration] = prior.map(Probability::new);
    Score {
        sentiment: SentimentScore { negative, neutral, positive },
        frustration,
        language,
        scorer: ScorerKind::Embedded,
        signals,
        share_cells: ShareCells::default(),
        model: ModelId::UNKNOWN,
    }
}

/// The place of a language in a model's arrays.
pub(crate) const fn language_index(language: Language) -> usize {
    language as usize
}

fn likeliest_language(text: &str, outputs: &Outputs) -> Language {
    if is_of_another_script(text) {
        return Language::Other;
    }
    let margins: [f32; LANGUAGE_COUNT] = std::array::from_fn(|at| outputs[LANGUAGE + at]);
    if let Some(language) = far_ahead(margins) {
        return language;
    }
    let probabilities = softmax(margins);
    let mut best = (Language::Other, LANGUAGE_FROM);
    for (&language, probability) in Language::ALL.iter().zip(probabilities) {
        if probability > best.1 {
            best = (language, probability);
        }
    }
    best.0
}

/// The language whose margin is so far ahead of all others that its probability is more than [`LANGUAGE_FROM`] whatever these are.
fn far_ahead(margins: [f32; LANGUAGE_COUNT]) -> Option<Language> {
    const AHEAD: f32 = 2.0;
    // e^-2 of 1 for each of the six others leaves 0.55.
    const _: () = assert!(LANGUAGE_COUNT == 7 && LANGUAGE_FROM < 0.5);
    let largest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let near = |margin: &f32| *margin > largest - AHEAD || margin.is_nan();
    let at = margins.iter().position(near)?;
    (!margins[at + 1..].iter().any(near)).then_some(Language::ALL[at])
}

/// Whether most letters are none of the Latin script, which all languages told apart are written in.
fn is_of_another_script(text: &str) -> bool {
    // First bytes, in UTF-8, of letters from Greek to Georgian, and of the scripts of Asia.
    let others = count(text, |byte| matches!(byte, 0xcd..=0xe0 | 0xe3..=0xed));
    if others == 0 {
        return false;
    }
    let latin = count(text, |byte| byte.is_ascii_alphabetic());
    others > latin
}

/// How many bytes are such. A byte counts a chunk of them, so that vector instructions take 16 at once.
fn count(text: &str, is_such: impl Fn(u8) -> bool) -> usize {
    let of_chunk = |chunk: &[u8]| chunk.iter().fold(0_u8, |count, byte| count + u8::from(is_such(*byte)));
    text.as_bytes().chunks(usize::from(u8::MAX)).map(|chunk| usize::from(of_chunk(chunk))).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
