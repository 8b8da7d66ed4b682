//! The temperature of the sentiments, by language.
//!
//! A temperature and nothing more: offsets by class fit the mix of classes of the rows at hand, and lose on every set with
//! another mix.

use super::{Case, by_language};
use crate::score::maths::{exp, ln, softmax};
use crate::score::model::SentimentCalibration;
use crate::score::model::layout::{LANGUAGE_COUNT, SENTIMENT};
use crate::score::recipe::FrustrationHead;

/// How strongly all rows together are drawn to a temperature of 1, and a language's to that of all: of about so many rows.
const PULLS: [f64; 2] = [1.0, 100.0];

#[derive(Clone, Copy)]
struct Row {
    margins: [f32; 3],
    shares: [f32; 3],
    weight: f32,
    language: Option<usize>,
}

pub(super) fn fitted(
    cases: &[Case<'_>],
    base: Option<[SentimentCalibration; LANGUAGE_COUNT]>,
) -> [SentimentCalibration; LANGUAGE_COUNT] {
    let rows: Vec<Row> = cases.iter().filter_map(row).collect();
    by_language(
        &rows,
        |row| row.language,
        base,
        |rows| drawn(rows, SentimentCalibration::default(), PULLS[0]),
        |rows, prior| drawn(rows, prior, PULLS[1]),
    )
}

/// Sets of emotions mean something else by neutral, and a set without one of the sentiments has no mix to go by.
fn row(case: &Case<'_>) -> Option<Row> {
    let example = case.example;
    let fits = example.all_sentiments && example.sentiment_weight > 0.0 && example.head == FrustrationHead::Obstacle;
    let margins = std::array::from_fn(|class| case.outputs[SENTIMENT + class]);
    let (shares, weight) = (example.targets.sentiment?, example.calibration_weight);
    fits.then_some(Row { margins, shares, weight, language: example.language })
}

/// The temperature with the least cross-entropy, drawn to the prior's.
fn drawn(rows: &[Row], prior: SentimentCalibration, pull: f64) -> SentimentCalibration {
    let start = ln(prior.temperature);
    let loss = |log_temperature: f32| -> f64 {
        let temperature = exp(log_temperature);
        let fit: f64 = rows.iter().map(|row| f64::from(cross_entropy(row, temperature, prior.offsets))).sum();
        fit + pull / 2.0 * f64::from(log_temperature - start).powi(2)
    };
    SentimentCalibration { temperature: exp(least(start - 2.0, start + 2.0, &loss)), offsets: prior.offsets }
}

fn cross_entropy(row: &Row, temperature: f32, offsets: [f32; 3]) -> f32 {
    let margins: [f32; 3] = std::array::from_fn(|class| row.margins[class] / temperature + offsets[class]);
    let entropy: f32 = row.shares.iter().zip(softmax(margins)).map(|(share, p)| -share * ln(p.max(1e-6))).sum();
    row.weight * entropy
}

/// Golden-section search; the loss has one minimum.
fn least(mut low: f32, mut high: f32, loss: &dyn Fn(f32) -> f64) -> f32 {
    const RATIO: f32 = 0.618_034;
    for _ in 0..40 {
        let (left, right) = (high - RATIO * (high - low), low + RATIO * (high - low));
        if loss(left) < loss(right) {
            high = right;
        } else {
            low = left;
        }
    }
    f32::midpoint(low, high)
}
