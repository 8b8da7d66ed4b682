//! Probabilities that mean what they say, fitted on rows that were kept aside.

use super::corpus::{Corpus, Example};
use crate::message::Language;
use crate::score::embedded::{Heads, family_length, log_odds, narrow, sigmoid};
use crate::score::model::{CHANNELS, EmbeddedModel, FrustrationBlend, RARITY};
use crate::score::recipe::Recipe;

/// With fewer rows kept aside the model stays as trained.
const MIN_ROWS: usize = 50;

/// Sets the sentiment temperature and the frustration blend.
pub(super) fn calibrate(model: &mut EmbeddedModel, corpus: &Corpus, recipe: &Recipe) {
    model.header.frustration.negative = recipe.negative_in_frustration;
    let held: Vec<(Heads, &Example)> = corpus
        .held_out
        .iter()
        .filter_map(|example| {
            let margins = margins(model, corpus.families(example))?;
            Some((Heads::of(&model.header, &margins, example.language.unwrap_or(Language::Other)), example))
        })
        .collect();
    model.header.sentiment_temperature = temperature(&held);
    model.header.frustration = blend(&held, model.header.sentiment_temperature, recipe.negative_in_frustration);
}

/// The margins of a row's features, as the scorer computes them.
pub(super) fn margins(model: &EmbeddedModel, families: [&[u32]; 2]) -> Option<[f32; RARITY]> {
    let scales = &model.header.scales;
    let mut margins = model.header.biases;
    let mut known = false;
    for (family, features) in families.into_iter().enumerate() {
        let mut sums = [0.0_f32; CHANNELS];
        for &feature in features {
            for (sum, &weight) in sums.iter_mut().zip(&model.rows[feature as usize]) {
                *sum += f32::from(weight);
            }
        }
        if sums[RARITY] > 0.0 {
            known = true;
            let length = narrow(family_length(family, f64::from(sums[RARITY] * scales[RARITY])));
            for (channel, margin) in margins.iter_mut().enumerate() {
                *margin += sums[channel] * scales[channel] / length;
            }
        }
    }
    known.then_some(margins)
}

/// The temperature with the least cross-entropy, by golden-section search (the loss has one minimum).
fn temperature(held: &[(Heads, &Example)]) -> f32 {
    let rows: Vec<_> = held
        .iter()
        .filter(|(_, example)| example.told_apart == [true; 3])
        .filter_map(|(heads, example)| Some((heads, example.targets.sentiment?, example.sentiment_weight)))
        .filter(|(_, _, weight)| *weight > 0.0)
        .collect();
    if rows.len() < MIN_ROWS {
        return 1.0;
    }
    let loss = |log_temperature: f32| -> f32 {
        let temperature = log_temperature.exp();
        rows.iter()
            .map(|(heads, shares, weight)| {
                let probabilities = heads.sentiment(temperature);
                let loss: f32 = shares.iter().zip(probabilities).map(|(share, p)| -share * p.max(1e-6).ln()).sum();
                weight * loss
            })
            .sum()
    };
    least(-1.5, 2.5, &loss).exp()
}

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

/// Scale and offset of the frustration logit by gradient descent; the factor between its two parts is the recipe's.
fn blend(held: &[(Heads, &Example)], temperature: f32, negative: f32) -> FrustrationBlend {
    let rows: Vec<(f32, f32, f32)> = held
        .iter()
        .filter(|(_, example)| example.frustration_weight > 0.0)
        .filter_map(|(heads, example)| {
            let target = if example.targets.frustrated? { 1.0 } else { 0.0 };
            let raw = heads.margin() + negative * log_odds(heads.sentiment(temperature)[0]);
            Some((raw, target, example.frustration_weight))
        })
        .collect();
    if rows.len() < MIN_ROWS {
        return FrustrationBlend { margin: 1.0, negative, offset: 0.0 };
    }
    let total: f32 = rows.iter().map(|(_, _, weight)| weight).sum();
    let (mut scale, mut offset) = (1.0_f32, 0.0_f32);
    for _ in 0..2_000 {
        let (mut by_scale, mut by_offset) = (0.0, 0.0);
        for &(raw, target, weight) in &rows {
            let error = weight * (sigmoid(scale * raw + offset) - target) / total;
            by_scale += error * raw;
            by_offset += error;
        }
        scale = (scale - 0.5 * by_scale).max(0.05);
        offset -= 0.5 * by_offset;
    }
    FrustrationBlend { margin: scale, negative: scale * negative, offset }
}
