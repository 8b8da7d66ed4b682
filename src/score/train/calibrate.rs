//! Probabilities that mean what they say, fitted on rows that taught nothing.

mod frustration;
mod sentiment;

use super::corpus::{Corpus, Example};
use crate::score::embedded::pooled;
use crate::score::model::layout::{CHANNELS, Outputs};
use crate::score::model::{Calibration, EmbeddedModel};

/// A labelled row and what the model says of it.
struct Case<'a> {
    outputs: Outputs,
    example: &'a Example,
}

/// Sets the calibration from these rows, each counting once. Every language is drawn towards `base`, or else towards what
/// fits all rows together: a language with few rows shares that.
pub(super) fn calibrate(model: &mut EmbeddedModel, corpus: &Corpus, examples: &[Example], base: Option<&Calibration>) {
    let cases: Vec<Case<'_>> = examples
        .iter()
        .filter_map(|example| Some(Case { outputs: outputs(model, corpus.families(example))?, example }))
        .collect();
    let mut calibration = base.copied().unwrap_or_default();
    calibration.sentiment = sentiment::fitted(&cases, base.map(|base| base.sentiment));
    calibration.frustration = frustration::fitted(&cases, &calibration, base.map(|base| base.frustration));
    model.header.calibration = calibration;
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

/// The numbers of every language: `prior` for each, or else what fits all cases together, drawn to what fits its own.
fn by_language<T: Copy, C: Copy, const N: usize>(
    cases: &[C],
    language: impl Fn(&C) -> Option<usize>,
    prior: Option<[T; N]>,
    pooled: impl FnOnce(&[C]) -> T,
    fit: impl Fn(&[C], T) -> T,
) -> [T; N] {
    let prior = prior.unwrap_or_else(|| [pooled(cases); N]);
    std::array::from_fn(|at| {
        let own: Vec<C> = cases.iter().copied().filter(|case| language(case) == Some(at)).collect();
        if own.is_empty() { prior[at] } else { fit(&own, prior[at]) }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests;
