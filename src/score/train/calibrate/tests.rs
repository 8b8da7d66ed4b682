//! Promises of the calibration, on cases made on the spot.

use super::*;
use crate::message::Sentiment;
use crate::score::labels::{Target, Targets};
use crate::score::maths::{ln, sigmoid};
use crate::score::model::layout::{ANGER, LANGUAGE_COUNT, OBSTACLE, OUTPUTS};
use crate::score::recipe::FrustrationHead;
use crate::score::train::corpus::Example;

const SPANISH: usize = 0;
const ENGLISH: usize = 1;
const PORTUGUESE: usize = 2;

/// A row that says nothing yet.
fn example(language: usize) -> Example {
    Example { language: Some(language), all_sentiments: true, both_sides: true, ..Example::silent() }
}

/// Hundred rows said to be negative by a margin of 4, of which a share is.
fn said_negative(language: usize, right: usize, of: usize) -> Vec<(Outputs, Example)> {
    (0..of)
        .map(|at| {
            let mut outputs = [0.0; OUTPUTS];
            outputs[0] = 4.0;
            let label = if at < right { Sentiment::Negative } else { Sentiment::Neutral };
            let targets = Targets::from(Target { sentiment: Some(label), frustrated: None });
            (outputs, Example { targets, sentiment_weight: 1.0, calibration_weight: 1.0, ..example(language) })
        })
        .collect()
}

fn frustration_rows(head: FrustrationHead, output: usize, offset: f32, language: usize) -> Vec<(Outputs, Example)> {
    (0..400_u16)
        .map(|at| {
            let level = f32::from(at % 20) / 2.0 - 5.0;
            let mut outputs = [0.0; OUTPUTS];
            outputs[output] = level;
            let frustrated = f32::from(at / 20) + 0.5 < 20.0 * sigmoid(level + offset);
            let targets = Targets::from(Target { sentiment: None, frustrated: Some(frustrated) });
            (outputs, Example { targets, head, frustration_weight: 1.0, ..example(language) })
        })
        .collect()
}

fn cases(rows: &[(Outputs, Example)]) -> Vec<Case<'_>> {
    rows.iter().map(|(outputs, example)| Case { outputs: *outputs, example }).collect()
}

fn calibrated(rows: &[(Outputs, Example)], base: Option<&Calibration>) -> Calibration {
    let cases = cases(rows);
    let mut calibration = base.copied().unwrap_or_default();
    calibration.sentiment = sentiment::fitted(&cases, base.map(|base| base.sentiment));
    calibration.frustration = frustration::fitted(&cases, &calibration, base.map(|base| base.frustration));
    calibration
}

#[test]
fn a_language_that_is_too_sure_is_told_to_doubt_and_another_is_not() {
    let rows: Vec<_> = [said_negative(SPANISH, 600, 1_000), said_negative(ENGLISH, 950, 1_000)].concat();
    let found = calibrated(&rows, None);
    let said = |language| found.sentiment(&rows[0].0, language)[0];
    assert!((said(SPANISH) - 0.6).abs() < 0.06, "{}", said(SPANISH));
    assert!((said(ENGLISH) - 0.95).abs() < 0.06, "{}", said(ENGLISH));
}

#[test]
fn a_language_with_few_rows_or_none_shares_what_fits_all() {
    let rows: Vec<_> = [said_negative(SPANISH, 800, 1_000), said_negative(PORTUGUESE, 1, 3)].concat();
    let found = calibrated(&rows, None);
    assert_eq!(found.sentiment[ENGLISH], found.sentiment[LANGUAGE_COUNT - 1]);
    let of = |language: usize| ln(found.sentiment[language].temperature);
    assert!((of(PORTUGUESE) - of(ENGLISH)).abs() < 0.1, "{} {}", of(PORTUGUESE), of(ENGLISH));
    assert!((of(SPANISH) - of(ENGLISH)).abs() < 0.1, "{} {}", of(SPANISH), of(ENGLISH));
}

#[test]
fn rows_of_a_set_that_counts_less_move_a_language_less() {
    let right = said_negative(SPANISH, 500, 500);
    let said = |weight| {
        let mut rows = [said_negative(SPANISH, 250, 500), right.clone()].concat();
        rows[500..].iter_mut().for_each(|(_, example)| example.calibration_weight = weight);
        calibrated(&rows, None).sentiment(&rows[0].0, SPANISH)[0]
    };
    assert!((said(1.0) - 0.75).abs() < 0.05, "{}", said(1.0));
    assert!((said(0.1) - 0.55).abs() < 0.05, "{}", said(0.1));
    assert!(said(0.0) < said(0.1), "{} {}", said(0.0), said(0.1));
}

#[test]
fn a_calm_obstacle_and_plain_anger_each_frustrate() {
    let rows: Vec<_> = [
        frustration_rows(FrustrationHead::Obstacle, OBSTACLE, 0.0, SPANISH),
        frustration_rows(FrustrationHead::Anger, ANGER, -2.0, ENGLISH),
    ]
    .concat();
    let found = calibrated(&rows, None);
    let said = |obstacle: f32, anger: f32| {
        let mut outputs = [0.0; OUTPUTS];
        (outputs[OBSTACLE], outputs[ANGER]) = (obstacle, anger);
        found.frustration(&outputs, 1.0 / 3.0, SPANISH)
    };
    assert!(said(-4.0, -4.0) < 0.1, "{}", said(-4.0, -4.0));
    assert!(said(4.0, -4.0) > 0.9, "{}", said(4.0, -4.0));
    assert!(said(-4.0, 5.0) > 0.8, "{}", said(-4.0, 5.0));
    // Its rows had an anger output of 0.
    assert!((said(0.0, 0.0) - 0.5).abs() < 0.05, "{}", said(0.0, 0.0));
}

#[test]
fn rows_of_emotions_alone_do_not_move_the_obstacle() {
    let rows = frustration_rows(FrustrationHead::Anger, ANGER, 0.0, ENGLISH);
    let found = calibrated(&rows, None).frustration[ENGLISH];
    assert_eq!((found.obstacle, found.anger, found.offset), (1.0, 0.0, 0.0));
    let few = calibrated(&rows[..40], None).frustration[ENGLISH];
    assert_eq!(few.open_anger, None);
}

#[test]
fn without_rows_the_base_stays() {
    let rows = said_negative(SPANISH, 700, 1_000);
    let base = calibrated(&rows, None);
    assert_eq!(calibrated(&[], Some(&base)), base);
    assert_eq!(calibrated(&[], None), Calibration::default());
}

#[test]
fn files_of_one_set_are_one_mix() {
    use crate::score::data::{DataSet, Origin, Row};
    use crate::score::recipe::{Recipe, SetRecipe};
    use crate::score::soft::SoftLabels;
    let file = |language: &str, frustrated| DataSet {
        name: "messages".into(),
        language: language.into(),
        rows: vec![Row {
            text: format!("hola {language}"),
            targets: Targets { sentiment: None, frustrated: Some(frustrated) },
            signals: None,
            language: None,
            origin: Origin::default(),
            line: 1,
        }],
        unlabelled: Vec::new(),
        recipe: SetRecipe::default(),
    };
    let both = Corpus::of(&[file("es", true), file("en", false)], &SoftLabels::default(), &Recipe::default(), 0.0);
    assert!(both.examples.iter().all(|example| example.both_sides));
    let one = Corpus::of(&[file("es", true)], &SoftLabels::default(), &Recipe::default(), 0.0);
    assert!(one.examples.iter().all(|example| !example.both_sides));
}
