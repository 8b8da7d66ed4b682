//! The scorer built into the binary: hashed n-grams, one table look-up each, two heads and the language.

use std::sync::Arc;

use super::features::{Extractor, FeatureSink};
use super::model::{CHANNELS, EmbeddedModel, FRUSTRATION, Header, LANGUAGE, RARITY, Row, SENTIMENT};
use super::normalise::Token;
use super::signals::{self, Matcher, Rules};
use super::{Scorer, Text};
use crate::message::{Language, Probability, Score, ScorerKind, SentimentScore, SignalSet};

/// A language less likely than this is not named.
const LANGUAGE_FROM: f32 = 0.4;

/// Scores with an [`EmbeddedModel`] and finds signals by [`Rules`]. Each worker owns one; model and rules are shared.
#[derive(Debug)]
pub struct EmbeddedScorer {
    model: Arc<EmbeddedModel>,
    extractor: Extractor,
    matcher: Matcher,
}

impl EmbeddedScorer {
    /// A scorer on a model and rules.
    #[must_use]
    pub fn new(model: Arc<EmbeddedModel>, rules: Arc<Rules>) -> Self {
        Self { model, extractor: Extractor::default(), matcher: Matcher::new(rules) }
    }

    /// Scores one text.
    pub fn score_one(&mut self, text: Text<'_>) -> Score {
        let margins = self.margins(text.text);
        let header = &self.model.header;
        let Some(margins) = margins else {
            let signals = self.matcher.finish(text.language.unwrap_or(Language::Other));
            return prior(header, text.language, signals);
        };
        let language = text.language.unwrap_or_else(|| likeliest_language(&margins));
        // No head for signals yet: what it learns joins here.
        let signals = signals::join(self.matcher.finish(language), SignalSet::EMPTY);
        let heads = Heads::of(header, &margins, language);
        let [negative, neutral, positive] = heads.sentiment(header.sentiment_temperature).map(Probability::new);
        Score {
            sentiment: SentimentScore { negative, neutral, positive },
            frustration: Probability::new(heads.frustration(header)),
            language,
            scorer: ScorerKind::Embedded,
            signals,
        }
    }

    /// The names of the rules that held in the last text: why it has its signals.
    pub fn rules_held(&self) -> impl Iterator<Item = &str> {
        self.matcher.held()
    }

    /// The heads' margins; nothing where no feature of the text is known.
    fn margins(&mut self, text: &str) -> Option<[f32; RARITY]> {
        let mut sums = Sums::new(&self.model);
        self.extractor.extract(text, &mut Tokenwise { sums: &mut sums, matcher: &mut self.matcher });
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
        for (family, sums) in families.iter().enumerate().filter(|(_, sums)| sums[RARITY] > 0.0) {
            let length = family_length(family, sums[RARITY] * f64::from(header.scales[RARITY]));
            for (channel, margin) in margins.iter_mut().enumerate() {
                *margin += narrow(sums[channel] / length) * header.scales[channel];
            }
        }
        Some(margins)
    }
}

/// Hands features to the sums and tokens to the signals, in one pass.
struct Tokenwise<'a, 'm> {
    sums: &'a mut Sums<'m>,
    matcher: &'a mut Matcher,
}

impl FeatureSink for Tokenwise<'_, '_> {
    #[inline]
    fn word(&mut self, hash: u64) {
        self.sums.word(hash);
    }

    #[inline]
    fn chars(&mut self, hash: u64) {
        self.sums.chars(hash);
    }

    #[inline]
    fn token(&mut self, token: &Token<'_>, hash: u64) {
        self.matcher.token(token, hash);
    }

    #[inline]
    fn token_end(&mut self) {
        self.sums.token_end();
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

fn prior(header: &Header, language: Option<Language>, signals: SignalSet) -> Score {
    let [negative, neutral, positive, frustration] = header.prior.map(Probability::new);
    Score {
        sentiment: SentimentScore { negative, neutral, positive },
        frustration,
        language: language.unwrap_or(Language::Other),
        scorer: ScorerKind::Embedded,
        signals,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::Sentiment;

    fn scorer() -> EmbeddedScorer {
        EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap())
    }

    fn score(text: &str) -> Score {
        scorer().score_one(Text { text, language: None })
    }

    fn assert_sound(score: &Score) {
        let parts = [score.sentiment.negative, score.sentiment.neutral, score.sentiment.positive];
        let sum: f32 = parts.iter().map(|part| part.get()).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{score:?}");
        assert!(parts.iter().all(|part| (0.0..=1.0).contains(&part.get())), "{score:?}");
        assert!((0.0..=1.0).contains(&score.frustration.get()), "{score:?}");
    }

    #[test]
    fn plain_praise_and_anger_are_told_apart() {
        let positive = [
            "muchas gracias, quedé encantada con la atención",
            "Excelente servicio, todo llegó perfecto",
            "La doctora fue amabilísima, la recomiendo",
            "I love this shop, thank you so much",
            "Great service, very happy with the result 😍",
            "gracias",
            "thank you!",
        ];
        let negative = [
            "qué asco de servicio, no vuelvo nunca",
            "Pésima atención, son unos ladrones",
            "Estoy harta de sus mentiras",
            "This is the worst company I have ever dealt with",
            "Terrible, the food was disgusting",
            "I hate this stupid app 😡",
        ];
        for text in positive {
            assert_eq!(score(text).sentiment.label(), Sentiment::Positive, "{text}: {:?}", score(text));
        }
        for text in negative {
            assert_eq!(score(text).sentiment.label(), Sentiment::Negative, "{text}: {:?}", score(text));
        }
    }

    #[test]
    fn obstacles_frustrate_and_first_questions_do_not() {
        let frustrated = [
            "llevo dos semanas esperando y nadie me responde",
            "quiero hablar con una persona",
            "I have been on hold for an hour and nobody answers",
            "my payment was declined again and I can't log in",
            "Me cobraron dos veces y no me devuelven el dinero",
        ];
        let calm = [
            "¿a qué hora abren el sábado?",
            "gracias por todo",
            "Do you deliver to Canada?",
            "thanks, that was quick",
            "Quisiera saber cuánto cuesta el envío",
        ];
        for text in frustrated {
            assert!(score(text).is_frustrated(), "{text}: {:?}", score(text));
        }
        for text in calm {
            assert!(!score(text).is_frustrated(), "{text}: {:?}", score(text));
        }
    }

    #[test]
    fn the_language_is_found_and_a_given_one_is_kept() {
        assert_eq!(score("¿dónde está mi pedido?").language, Language::Spanish);
        assert_eq!(score("where is my order").language, Language::English);
        assert_eq!(score("não consigo acessar a minha conta").language, Language::Portuguese);
        assert_eq!(score("wo ist mein Paket, ich warte schon lange").language, Language::Other);
        let given = scorer().score_one(Text { text: "where is my order", language: Some(Language::Portuguese) });
        assert_eq!(given.language, Language::Portuguese);
    }

    #[test]
    fn a_text_that_says_nothing_gets_the_neutral_prior() {
        for text in ["", "   ", "\u{200b}\u{feff}", "\u{202e}"] {
            let score = score(text);
            assert_eq!(score.sentiment.label(), Sentiment::Neutral, "{text:?}");
            assert!(!score.is_frustrated());
            assert_eq!(score.language, Language::Other);
            assert_sound(&score);
        }
    }

    #[test]
    fn ten_megabytes_of_one_character_are_scored() {
        for character in ["a", "😡", "!", "\u{200d}", "ש"] {
            assert_sound(&score(&character.repeat((10 << 20) / character.len())));
        }
        assert_sound(&score(&"a ".repeat(2 << 20)));
    }

    #[test]
    fn a_text_is_no_surer_for_being_very_long() {
        // Long enough that the sums are moved on the way.
        let some = score(&"estoy muy contenta con la compra. ".repeat(20));
        let more = score(&"estoy muy contenta con la compra. ".repeat(20_000));
        assert_eq!(some.sentiment.label(), Sentiment::Positive);
        assert!((some.sentiment.positive.get() - more.sentiment.positive.get()).abs() < 0.05, "{some:?} {more:?}");
    }

    proptest! {
        #[test]
        fn any_text_has_a_sound_score(text in any::<String>()) {
            assert_sound(&score(&text));
        }

        #[test]
        fn any_bytes_have_a_sound_score(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            assert_sound(&score(&String::from_utf8_lossy(&bytes)));
        }

        #[test]
        fn one_character_repeated_has_a_sound_score(character in any::<char>(), times in 1_usize..500) {
            assert_sound(&score(&character.to_string().repeat(times)));
        }

        #[test]
        fn right_to_left_and_emoji_only_texts_have_a_sound_score(text in "[\u{5d0}-\u{5ea}\u{202b}😀-🙏\u{200d}\u{fe0f} ]{0,80}") {
            assert_sound(&score(&text));
        }

        #[test]
        fn a_batch_scores_as_one_by_one(texts in proptest::collection::vec("[a-zñ¿?! áéí😡]{0,40}", 0..20)) {
            let batch: Vec<Text<'_>> = texts.iter().map(|text| Text { text, language: None }).collect();
            let mut together = Vec::new();
            scorer().score(&batch, &mut together);
            let mut one = scorer();
            let alone: Vec<Score> = batch.iter().map(|&text| one.score_one(text)).collect();
            prop_assert_eq!(together, alone);
        }
    }
}
