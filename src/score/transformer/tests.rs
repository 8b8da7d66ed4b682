mod brought;
mod hostile;

use std::sync::LazyLock;

use serde::Deserialize;

use super::*;
use crate::message::{Language, MAX_TEXT_BYTES, ScorerKind, Sentiment};
use crate::score::{EmbeddedModel, EmbeddedScorer, Rules, Text};

#[derive(Deserialize)]
struct Fixture {
    text: String,
    ids: Vec<u32>,
    sentiment: [f32; 3],
    anger: [f32; 1],
    obstacle: [f32; 1],
    signals: [f32; 16],
}

/// Outputs of the shipped encoder: heads in the order of their names.
const ANGER: usize = 0;
const OBSTACLE: usize = 1;
const SENTIMENT: std::ops::Range<usize> = 2..5;
const SIGNALS: std::ops::Range<usize> = 5..21;

static SHIPPED: LazyLock<Transformer> =
    LazyLock::new(|| Transformer::of(&Files::inside(), Precision::Float32).unwrap());

fn fixtures() -> Vec<Fixture> {
    let lines = include_str!("../../../models/encoder/fixtures.jsonl");
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the network says of texts, in batches of so many.
fn logits(model: &Transformer, texts: &[Tokens], at_once: usize) -> Vec<Vec<f32>> {
    let mut network = model.network().unwrap();
    let run = |batch: &[Tokens]| network.run(&batch.iter().collect::<Vec<_>>()).unwrap();
    texts.chunks(at_once).flat_map(run).map(Vec::from).collect()
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let parts: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let all: f32 = parts.iter().sum();
    parts.iter().map(|part| part / all).collect()
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The largest difference between the probabilities of a fixture and what the network says.
fn difference(fixture: &Fixture, logits: &[f32]) -> f32 {
    assert_eq!(logits.len(), SIGNALS.end);
    let mut wanted = vec![fixture.anger[0], fixture.obstacle[0]];
    wanted.extend(fixture.sentiment);
    wanted.extend(fixture.signals);
    let mut found = vec![sigmoid(logits[ANGER]), sigmoid(logits[OBSTACLE])];
    found.extend(softmax(&logits[SENTIMENT]));
    found.extend(logits[SIGNALS].iter().copied().map(sigmoid));
    wanted.iter().zip(&found).map(|(wanted, found)| (wanted - found).abs()).fold(0.0, f32::max)
}

/// Over every so-manieth fixture.
fn worst_difference(model: &Transformer, every: usize) -> f32 {
    let fixtures: Vec<Fixture> = fixtures().into_iter().step_by(every).collect();
    let tokens: Vec<Tokens> = fixtures.iter().map(|fixture| model.tokens(&fixture.text)).collect();
    let found = logits(model, &tokens, 32);
    fixtures.iter().zip(&found).map(|(fixture, logits)| difference(fixture, logits)).fold(0.0, f32::max)
}

fn embedded(text: &str, language: Language) -> Score {
    let mut scorer = EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap());
    scorer.score_one(Text { text, language: Some(language) })
}

fn score(text: &str, language: Language) -> Score {
    let said = logits(&SHIPPED, &[SHIPPED.tokens(text)], 1);
    SHIPPED.score(&said[0], &embedded(text, language))
}

#[test]
fn token_ids_are_those_of_the_reference_in_every_fixture() {
    for fixture in fixtures() {
        assert_eq!(SHIPPED.tokens(&fixture.text).ids(), fixture.ids, "{:?}", fixture.text);
    }
}

#[test]
fn probabilities_are_those_of_the_reference_to_a_thousandth() {
    let worst = worst_difference(&SHIPPED, 1);
    assert!(worst <= 1e-3, "{worst}");
}

/// Of all 200 the worst is off by 0.0101. A part of them: processors without AVX-512 take minutes for all.
#[test]
fn probabilities_in_16_bits_are_those_of_the_reference_to_12_thousandths() {
    let worst = worst_difference(&Transformer::of(&Files::inside(), Precision::Bfloat16).unwrap(), 16);
    assert!(worst <= 1.2e-2, "{worst}");
}

#[test]
fn what_is_said_of_a_text_does_not_depend_on_its_neighbours() {
    let tokens: Vec<Tokens> = fixtures().iter().take(48).map(|fixture| SHIPPED.tokens(&fixture.text)).collect();
    let alone = logits(&SHIPPED, &tokens, 1);
    let together = logits(&SHIPPED, &tokens, 48);
    for (alone, together) in alone.iter().zip(&together) {
        let (alone, together) = (softmax(&alone[SENTIMENT]), softmax(&together[SENTIMENT]));
        let worst = alone.iter().zip(&together).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(worst <= 1e-5, "{worst}");
    }
}

#[test]
fn the_same_texts_get_the_same_scores_again_from_another_network_of_the_model() {
    let tokens: Vec<Tokens> = fixtures().iter().take(20).map(|fixture| SHIPPED.tokens(&fixture.text)).collect();
    assert_eq!(logits(&SHIPPED, &tokens, 8), logits(&SHIPPED, &tokens, 8));
}

#[test]
fn an_unhappy_customer_is_told_from_a_happy_one_in_three_languages() {
    let cases = [
        ("Llevo tres semanas esperando y nadie me contesta, es una vergüenza", Language::Spanish, Sentiment::Negative),
        ("Muchas gracias, me lo resolvieron en cinco minutos, excelente", Language::Spanish, Sentiment::Positive),
        ("Worst support ever, my money is still gone", Language::English, Sentiment::Negative),
        ("Thank you so much, you were wonderful", Language::English, Sentiment::Positive),
        ("Péssimo atendimento, nunca mais compro aqui", Language::Portuguese, Sentiment::Negative),
    ];
    for (text, language, wanted) in cases {
        let score = score(text, language);
        assert_eq!(score.sentiment.label(), wanted, "{text}");
        assert_eq!((score.scorer, score.model, score.language), (ScorerKind::Transformer, SHIPPED.id(), language));
        assert_eq!(score.is_frustrated(), wanted == Sentiment::Negative, "{text}");
    }
}

#[test]
fn probabilities_sum_to_1_in_every_language() {
    let fixtures = fixtures();
    let tokens: Vec<Tokens> = fixtures.iter().map(|fixture| SHIPPED.tokens(&fixture.text)).collect();
    let before = embedded("espera", Language::Spanish);
    for (said, language) in logits(&SHIPPED, &tokens, 32).iter().zip(Language::ALL.iter().cycle()) {
        let sentiment = SHIPPED.score(said, &Score { language: *language, ..before }).sentiment;
        let sum = sentiment.negative.get() + sentiment.neutral.get() + sentiment.positive.get();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }
}

#[test]
fn signals_and_cells_stay_those_of_the_embedded_scorer() {
    let text = "quiero hablar con una persona, no con un robot";
    let (before, after) = (embedded(text, Language::Spanish), score(text, Language::Spanish));
    assert!(!before.signals.is_empty());
    assert_eq!((before.signals, before.share_cells), (after.signals, after.share_cells));
}

#[test]
fn weights_that_are_not_those_of_the_card_are_refused_by_their_hash() {
    let mut files = Files::inside();
    files.weights.to_mut()[41_000_000] ^= 1;
    let error = Transformer::of(&files, Precision::Float32).unwrap_err().to_string();
    assert!(error.contains("latido.json of the encoder inside this program: `hash` is"), "{error}");
}
