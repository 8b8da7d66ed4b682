//! Probabilities that mean what they say, fitted on rows that were kept aside.

use super::corpus::{Corpus, Example};
use crate::score::embedded::pooled;
use crate::score::maths::{ln, log_odds, sigmoid, softmax};
use crate::score::model::layout::{ANGER, CHANNELS, LANGUAGE_COUNT, OBSTACLE, Outputs, SENTIMENT};
use crate::score::model::{EmbeddedModel, FrustrationCalibration, SentimentCalibration};
use crate::score::recipe::FrustrationHead;

/// With fewer rows kept aside a head stays as trained.
const MIN_ROWS: usize = 50;

/// Steps of the gradient descents.
const STEPS: u32 = 2_000;

/// Sets the calibration from the rows kept aside.
pub(super) fn calibrate(model: &mut EmbeddedModel, corpus: &Corpus) {
    let held: Vec<(Outputs, &Example)> = corpus
        .held_out
        .iter()
        .filter_map(|example| Some((outputs(model, corpus.families(example))?, example)))
        .collect();
    let sentiment = sentiment(&held);
    model.header.calibration.sentiment = [sentiment; LANGUAGE_COUNT];
    let negative = |outputs: &Outputs| model.header.calibration.sentiment(outputs, 0)[0];
    model.header.calibration.frustration = [frustration(&held, &negative); LANGUAGE_COUNT];
}

/// What the model says of a row's features, as the scorer computes it.
pub(super) fn outputs(model: &EmbeddedModel, families: [&[u32]; 2]) -> Option<Outputs> {
    let sums = families.map(|features| {
        let mut sums = [0_i32; CHANNELS];
        for &feature in features {
            for (sum, &weight) in sums.iter_mut().zip(&model.rows[feature as usize]) {
                *sum += i32::from(weight);
            }
        }
        sums
    });
    Some(model.outputs(&pooled(&sums, &model.header.scales)?))
}

/// The temperature with the least cross-entropy.
fn sentiment(held: &[(Outputs, &Example)]) -> SentimentCalibration {
    let rows: Vec<_> = held
        .iter()
        .filter(|(_, example)| example.told_apart == [true; 3] && example.sentiment_weight > 0.0)
        .filter_map(|(outputs, example)| Some((outputs, example.targets.sentiment?, example.sentiment_weight)))
        .collect();
    let mut found = SentimentCalibration { temperature: 1.0, offsets: [0.0; 3] };
    if rows.len() < MIN_ROWS {
        return found;
    }
    let loss = |log_temperature: f32| -> f32 {
        let temperature = crate::score::maths::exp(log_temperature);
        rows.iter()
            .map(|(outputs, shares, weight)| {
                let margins = std::array::from_fn::<_, 3, _>(|class| outputs[SENTIMENT + class] / temperature);
                let loss: f32 = shares.iter().zip(softmax(margins)).map(|(share, p)| -share * ln(p.max(1e-6))).sum();
                weight * loss
            })
            .sum()
    };
    found.temperature = crate::score::maths::exp(least(-1.5, 2.5, &loss));
    found
}

/// Golden-section search; the loss has one minimum.
fn least(mut low: f32, mut high: f32, loss: &dyn Fn(f32) -> f32) -> f32 {
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

/// Logistic regression of frustration on the obstacle and anger outputs and the log odds of negative, by gradient descent.
fn frustration(held: &[(Outputs, &Example)], negative: &dyn Fn(&Outputs) -> f32) -> FrustrationCalibration {
    let rows: Vec<([f32; 3], f32, f32)> = held
        .iter()
        .filter(|(_, example)| example.head == FrustrationHead::Obstacle && example.frustration_weight > 0.0)
        .filter_map(|(outputs, example)| {
            let target = if example.targets.frustrated? { 1.0 } else { 0.0 };
            let parts = [outputs[OBSTACLE], outputs[ANGER], log_odds(negative(outputs))];
            Some((parts, target, example.frustration_weight))
        })
        .collect();
    let mut factors = [1.0_f32, 0.0, 0.0];
    let mut offset = 0.0_f32;
    if rows.len() >= MIN_ROWS {
        let total: f32 = rows.iter().map(|(_, _, weight)| weight).sum();
        for _ in 0..STEPS {
            let (mut by_factors, mut by_offset) = ([0.0; 3], 0.0);
            for (parts, target, weight) in &rows {
                let logit: f32 = parts.iter().zip(factors).map(|(part, factor)| part * factor).sum();
                let error = weight * (sigmoid(logit + offset) - target) / total;
                for (by, part) in by_factors.iter_mut().zip(parts) {
                    *by += error * part;
                }
                by_offset += error;
            }
            for (factor, by) in factors.iter_mut().zip(by_factors) {
                // A head that speaks against its own name is noise.
                *factor = (*factor - 0.2 * by).max(0.0);
            }
            offset -= 0.2 * by_offset;
        }
    }
    let [obstacle, anger, negative] = factors;
    FrustrationCalibration { obstacle, anger, negative, offset }
}
