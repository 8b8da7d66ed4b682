//! Promises of explanations.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::message::Probability;
use crate::score::model::{EmbeddedModel, FrustrationCalibration, OpenAnger, SentimentCalibration};
use crate::score::signals::Rules;

fn explain(text: &str) -> Explanation {
    explain_with(EmbeddedModel::builtin().unwrap(), text)
}

fn explain_with(model: Arc<EmbeddedModel>, text: &str) -> Explanation {
    EmbeddedScorer::new(model, Rules::builtin().unwrap()).explain(Text { text, language: None })
}

/// The built-in model with a calibration in which every number counts.
fn calibrated() -> Arc<EmbeddedModel> {
    static MODEL: LazyLock<Arc<EmbeddedModel>> = LazyLock::new(|| {
        let bytes = include_bytes!("../../../../models/embedded.latido");
        let mut model = EmbeddedModel::from_bytes(bytes, "the built-in model").unwrap();
        let calibration = &mut model.header.calibration;
        calibration.sentiment.fill(SentimentCalibration { temperature: 0.4, offsets: [-0.3, 0.2, 0.5] });
        calibration.frustration.fill(FrustrationCalibration {
            obstacle: 0.9,
            anger: 0.3,
            negative: 0.6,
            offset: -0.7,
            open_anger: Some(OpenAnger { factor: 0.8, offset: -1.5 }),
        });
        Arc::new(model)
    });
    Arc::clone(&MODEL)
}

fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

fn assert_sums(explanation: &Explanation) {
    let sum = explanation.log_odds();
    let close =
        |log_odds: f64, probability: Probability| (sigmoid(log_odds) - f64::from(probability.get())).abs() < 1e-4;
    assert!(close(sum.negative, explanation.score.sentiment.negative), "{explanation:?}");
    assert!(close(sum.frustration, explanation.score.frustration), "{explanation:?}");
}

fn places<'t>(text: &'t str, explanation: &Explanation) -> Vec<&'t str> {
    explanation.words.iter().map(|word| &text[word.range.clone()]).collect()
}

fn of<'e>(text: &str, explanation: &'e Explanation, word: &str) -> &'e WordShare {
    explanation.words.iter().find(|share| &text[share.range.clone()] == word).unwrap()
}

#[test]
fn each_word_stands_where_it_was_written() {
    let text = "¡Pésimooooo! e\u{301}xito &ntilde; 👍🏽 @Banco #NoSirve d'accord \u{200b}ＱＵＥ";
    let explanation = explain(text);
    assert_eq!(
        places(text, &explanation),
        [
            "¡",
            "Pésimooooo",
            "!",
            "e\u{301}xito",
            "&",
            "ntilde",
            ";",
            "👍",
            "@Banco",
            "No",
            "Sirve",
            "d'accord",
            "ＱＵＥ"
        ]
    );
    assert_sums(&explanation);
}

#[test]
fn the_word_that_is_unkind_says_so() {
    let text = "fue un servicio pésimo ayer";
    let explanation = explain(text);
    let unkind = of(text, &explanation, "pésimo").log_odds.negative;
    assert!(unkind > 0.5, "{explanation:?}");
    assert!(explanation.words.iter().all(|word| word.log_odds.negative <= unkind), "{explanation:?}");
}

#[test]
fn the_word_that_is_kind_takes_from_negative() {
    let text = "todo excelente, gracias";
    let explanation = explain(text);
    assert!(of(text, &explanation, "excelente").log_odds.negative < -0.2, "{explanation:?}");
}

#[test]
fn a_word_that_waits_adds_to_frustration() {
    let text = "sigo esperando el reembolso";
    let explanation = explain(text);
    assert!(of(text, &explanation, "esperando").log_odds.frustration > 0.3, "{explanation:?}");
    assert!(!explanation.rules.is_empty());
}

#[test]
fn of_a_text_that_says_nothing_no_word_says_anything() {
    for text in ["", "\u{200b}", "...", "aaaa 12345"] {
        let explanation = explain(text);
        assert_sums(&explanation);
        assert!(explanation.words.iter().all(|word| word.log_odds == LogOdds::default()), "{explanation:?}");
    }
    assert!(explain("").words.is_empty());
}

#[test]
fn explaining_changes_no_score() {
    let mut scorer = EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap());
    for text in ["no funciona la app", "gracias 😍", "no funciona la app", ""] {
        let text = Text { text, language: None };
        let before = scorer.score_one(text);
        assert_eq!(scorer.explain(text).score, before);
        assert_eq!(scorer.score_one(text), before);
    }
}

#[test]
fn a_very_long_text_is_explained_as_far_as_it_is_read() {
    let text = "no funciona nada ".repeat(MAX_TEXT_BYTES / 10);
    let explanation = explain(&text);
    assert_eq!(explanation.words.last().unwrap().range.end, MAX_TEXT_BYTES);
    assert_sums(&explanation);
}

#[test]
fn sums_hold_where_a_word_is_sure_of_itself() {
    for text in ["pésimo asco estafa basura odio 😡😡😡", "excelente gracias genial 😍", "no no no funciona"] {
        assert_sums(&explain_with(calibrated(), text));
    }
}

proptest! {
    #[test]
    fn the_parts_of_any_text_sum_to_its_score(text in any::<String>()) {
        let explanation = explain(&text);
        assert_sums(&explanation);
        assert!(explanation.words.iter().all(|word| text.get(word.range.clone()).is_some_and(|word| !word.is_empty())));
        assert!(explanation.words.is_sorted_by(|one, next| one.range.end <= next.range.start));
    }

    #[test]
    fn the_parts_of_words_sum_to_their_score(
        words in proptest::collection::vec("no|nunca|can't|funciona|gracias|pésimo|[a-zñ]{1,9}|😡|[,.!?]|#NoSirve|@ana|00|HOLAAAA", 0..25),
    ) {
        let text = words.join(" ");
        assert_sums(&explain(&text));
        assert_sums(&explain_with(calibrated(), &text));
    }
}
