//! The scorer built into the binary: hashed n-grams, one table look-up each, two heads and the language.

use std::sync::Arc;

use super::features::{Extractor, FeatureSink};
use super::model::{CHANNELS, EmbeddedModel, FRUSTRATION, Header, LANGUAGE, RARITY, Row, SENTIMENT};
use super::{Scorer, Text};
use crate::message::{Language, Probability, Score, ScorerKind, SentimentScore};

/// A language less likely than this is not named.
const LANGUAGE_FROM: f32 = 0.4;

/// Scores with an [`EmbeddedModel`]. Each worker owns one; the model is shared.
#[derive(Debug)]
pub struct EmbeddedScorer {
    model: Arc<EmbeddedModel>,
    extractor: Extractor,
}

impl EmbeddedScorer {
    /// A scorer on a model.
    #[must_use]
    pub fn new(model: Arc<EmbeddedModel>) -> Self {
        Self { model, extractor: Extractor::default() }
    }

    /// Scores one text.
    pub fn score_one(&mut self, text: Text<'_>) -> Score {
        let margins = self.margins(text.text);
        let header = &self.model.header;
        let Some(margins) = margins else { return prior(header, text.language) };
        let language = text.language.unwrap_or_else(|| likeliest_language(&margins));
        let heads = Heads::of(header, &margins, language);
        let [negative, neutral, positive] = heads.sentiment(header.sentiment_temperature).map(Probability::new);
        Score {
            sentiment: SentimentScore { negative, neutral, positive },
            frustration: Probability::new(heads.frustration(header)),
            language,
            scorer: ScorerKind::Embedded,
        }
    }

    /// The heads' margins; nothing where no feature of the text is known.
    fn margins(&mut self, text: &str) -> Option<[f32; RARITY]> {
        let mut sums = Sums::new(&self.model);
        self.extractor.extract(text, &mut sums);
        sums.finish(&self.model.header)
    }
}

impl Scorer for EmbeddedScorer {
    fn score(&mut self, texts: &[Text<'_>], scores: &mut Vec<Score>) {
        scores.extend(texts.iter().map(|&text| self.score_one(text)));
    }
}

/// Margins with language biases added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    sentiment: [f32; 3],
    frustration: f32,
}

impl Heads {
    pub(crate) fn of(header: &Header, margins: &[f32; RARITY], language: Language) -> Self {
        let biases = &header.language_biases[language_index(language)];
        Self {
            sentiment: std::array::from_fn(|class| margins[SENTIMENT + class] + biases[class]),
            frustration: margins[FRUSTRATION] + biases[FRUSTRATION],
        }
    }

    pub(crate) fn sentiment(&self, temperature: f32) -> [f32; 3] {
        softmax(self.sentiment.map(|margin| margin / temperature))
    }

    pub(crate) fn margin(&self) -> f32 {
        self.frustration
    }

    fn frustration(&self, header: &Header) -> f32 {
        let blend = header.frustration;
        let negative = log_odds(self.sentiment(header.sentiment_temperature)[0]);
        sigmoid(blend.margin * self.frustration + blend.negative * negative + blend.offset)
    }
}

/// Sums of the rows of a text's features, in two families that are each brought to length 1.
struct Sums<'m> {
    rows: &'m [Row],
    shift: u32,
    word: [i32; CHANNELS],
    chars: [i32; CHANNELS],
    word_total: [f64; CHANNELS],
    chars_total: [f64; CHANNELS],
    tokens: u32,
}

impl<'m> Sums<'m> {
    fn new(model: &'m EmbeddedModel) -> Self {
        Self {
            rows: &model.rows,
            shift: u64::BITS - model.header.bits,
            word: [0; CHANNELS],
            chars: [0; CHANNELS],
            word_total: [0.0; CHANNELS],
            chars_total: [0.0; CHANNELS],
            tokens: 0,
        }
    }

    /// Moves the small sums to the large ones before they could overflow.
    fn spill(&mut self) {
        for channel in 0..CHANNELS {
            self.word_total[channel] += f64::from(self.word[channel]);
            self.chars_total[channel] += f64::from(self.chars[channel]);
        }
        self.word = [0; CHANNELS];
        self.chars = [0; CHANNELS];
        self.tokens = 0;
    }

    fn finish(mut self, header: &Header) -> Option<[f32; RARITY]> {
        self.spill();
        let families = [self.word_total, self.chars_total];
        if families.iter().all(|sums| sums[RARITY] <= 0.0) {
            return None;
        }
        let mut margins = header.biases;
        for sums in families.iter().filter(|sums| sums[RARITY] > 0.0) {
            let length = (sums[RARITY] * f64::from(header.scales[RARITY])).sqrt();
            for (channel, margin) in margins.iter_mut().enumerate() {
                *margin += narrow(sums[channel] / length) * header.scales[channel];
            }
        }
        Some(margins)
    }
}

impl FeatureSink for Sums<'_> {
    #[inline]
    fn word(&mut self, hash: u64) {
        add(&mut self.word, self.rows[bucket(hash, self.shift)]);
    }

    #[inline]
    fn chars(&mut self, hash: u64) {
        add(&mut self.chars, self.rows[bucket(hash, self.shift)]);
    }

    #[inline]
    fn token_end(&mut self) {
        self.tokens += 1;
        // A token has fewer than 300 features of at most 128 each: far below 2^31 in 2^15 tokens.
        if self.tokens >= 1 << 15 {
            self.spill();
        }
    }
}

#[inline]
fn add(sums: &mut [i32; CHANNELS], row: Row) {
    for channel in 0..CHANNELS {
        sums[channel] += i32::from(row[channel]);
    }
}

/// The row of a hash: its high bits, which are the well-mixed ones.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "at most 22 bits are left")]
pub(crate) fn bucket(hash: u64, shift: u32) -> usize {
    (hash >> shift) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "a margin needs no more digits than f32 has")]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn prior(header: &Header, language: Option<Language>) -> Score {
    let [negative, neutral, positive, frustration] = header.prior.map(Probability::new);
    Score {
        sentiment: SentimentScore { negative, neutral, positive },
        frustration,
        language: language.unwrap_or(Language::Other),
        scorer: ScorerKind::Embedded,
    }
}

/// The place of a language in a model's arrays.
pub(crate) const fn language_index(language: Language) -> usize {
    match language {
        Language::Spanish => 0,
        Language::English => 1,
        Language::Portuguese => 2,
        Language::Other => 3,
    }
}

fn likeliest_language(margins: &[f32; RARITY]) -> Language {
    let probabilities = softmax(language_margins(margins));
    let order = [Language::Spanish, Language::English, Language::Portuguese];
    let mut best = (Language::Other, LANGUAGE_FROM);
    for (language, probability) in order.into_iter().zip(probabilities) {
        if probability > best.1 && probability > probabilities[3] {
            best = (language, probability);
        }
    }
    best.0
}

/// Margins of es, en, pt and the reference class.
pub(crate) fn language_margins(margins: &[f32; RARITY]) -> [f32; 4] {
    [margins[LANGUAGE], margins[LANGUAGE + 1], margins[LANGUAGE + 2], 0.0]
}

/// Probabilities that sum to 1, whatever the margins.
pub(crate) fn softmax<const N: usize>(margins: [f32; N]) -> [f32; N] {
    let largest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials = margins.map(|margin| (margin - largest).exp());
    let total: f32 = exponentials.iter().sum();
    exponentials.map(|exponential| exponential / total)
}

pub(crate) fn sigmoid(margin: f32) -> f32 {
    1.0 / (1.0 + (-margin).exp())
}

/// ln(p / (1 - p)), finite for every probability.
pub(crate) fn log_odds(probability: f32) -> f32 {
    let inside = probability.clamp(1e-4, 1.0 - 1e-4);
    (inside / (1.0 - inside)).ln()
}
