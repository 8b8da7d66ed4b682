//! Functions with the same result on every machine: `exp` and `ln` of the system's library differ in their last digit from one
//! processor to the next, and a training run would not come out the same.

/// Probabilities that sum to 1, whatever the margins.
pub(crate) fn softmax<const N: usize>(margins: [f32; N]) -> [f32; N] {
    let largest = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials = margins.map(|margin| exp(margin - largest));
    let total: f32 = exponentials.iter().sum();
    exponentials.map(|exponential| exponential / total)
}

/// 1 / (1 + e^-x)
pub(crate) fn sigmoid(margin: f32) -> f32 {
    1.0 / (1.0 + exp(-margin))
}

/// Probabilities below it, or as close to 1, have no further log odds.
pub(crate) const LOG_ODDS_FROM: f32 = 1e-4;

/// ln(p / (1 - p)), finite for every probability.
pub(crate) fn log_odds(probability: f32) -> f32 {
    let inside = probability.clamp(LOG_ODDS_FROM, 1.0 - LOG_ODDS_FROM);
    ln(inside / (1.0 - inside))
}

/// e^x
pub(crate) fn exp(value: f32) -> f32 {
    libm::expf(value)
}

/// Natural logarithm.
pub(crate) fn ln(value: f32) -> f32 {
    libm::logf(value)
}
