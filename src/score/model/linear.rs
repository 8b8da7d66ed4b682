//! The model as a sum, for one text: with the hidden units as they are for that text, what it says is linear in the pooled
//! channels, and so in the words.

use super::layout::{ANGER, OBSTACLE, OUTPUTS, Outputs, POOLED, Pooled, SENTIMENT};
use super::{Calibration, EmbeddedModel};
use crate::score::embedded::narrow;
use crate::score::maths::{LOG_ODDS_FROM, exp, ln, log_odds, sigmoid, softmax};

/// A number made of a text's pooled channels: each times its factor, and what no channel gave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Linear {
    /// By channel.
    pub(crate) factors: [f64; POOLED],
    /// What is there without any word: biases of the outputs, of the hidden units and of the calibration.
    pub(crate) rest: f64,
}

/// A number made of a text's outputs, in the same way.
struct OfOutputs {
    factors: [f64; OUTPUTS],
    rest: f64,
}

impl EmbeddedModel {
    /// The log odds of negative, and of frustration, as sums over the pooled channels of a text.
    pub(crate) fn log_odds_of(&self, pooled: &Pooled, language: usize) -> [Linear; 2] {
        let outputs = self.outputs(pooled);
        let calibration = &self.header.calibration;
        let negative = negative(calibration, &outputs, language);
        let frustration = frustration(calibration, &outputs, language, &negative);
        [negative, frustration].map(|sum| self.through(pooled, &sum))
    }

    /// From a sum over the outputs to one over the pooled channels.
    fn through(&self, pooled: &Pooled, sum: &OfOutputs) -> Linear {
        let mut linear = Linear { factors: [0.0; POOLED], rest: sum.rest + dot(&self.header.biases, &sum.factors) };
        linear.factors[..OUTPUTS].copy_from_slice(&sum.factors);
        let dense = &self.dense;
        dense.outputs(self.header.biases, pooled, &mut |unit, _| {
            let by_unit = dot(&dense.output[unit], &sum.factors);
            linear.rest += by_unit * f64::from(dense.bias[unit]);
            for (factor, &weight) in linear.factors.iter_mut().zip(&dense.input[unit]) {
                *factor += by_unit * f64::from(weight);
            }
        });
        linear
    }
}

/// ln(e^neutral + e^positive), which stands against negative, is the mean of both by their shares and the shares' entropy.
fn negative(calibration: &Calibration, outputs: &Outputs, language: usize) -> OfOutputs {
    let by = &calibration.sentiment[language];
    let margins: [f32; 3] =
        std::array::from_fn(|class| outputs[SENTIMENT + class] / by.temperature + by.offsets[class]);
    let [_, neutral, positive] = margins;
    let shares = softmax([neutral, positive]);
    let against = neutral.max(positive) + ln(1.0 + exp(-(neutral - positive).abs()));
    let entropy = against - shares[0] * neutral - shares[1] * positive;
    let mut sum = OfOutputs { factors: [0.0; OUTPUTS], rest: -f64::from(entropy) };
    for (class, share) in [1.0, -shares[0], -shares[1]].into_iter().enumerate() {
        sum.factors[SENTIMENT + class] = f64::from(share / by.temperature);
        sum.rest += f64::from(share * by.offsets[class]);
    }
    sum
}

fn frustration(calibration: &Calibration, outputs: &Outputs, language: usize, negative: &OfOutputs) -> OfOutputs {
    let by = &calibration.frustration[language];
    let obstacle = obstacle(calibration, outputs, language, negative);
    let Some(anger) = by.open_anger else { return obstacle };
    let chances = [sigmoid(narrow(dot(outputs, &obstacle.factors) + obstacle.rest)), anger.probability(outputs)];
    let neither = chances.iter().fold(1.0, |neither, chance| neither * (1.0 - chance));
    // A step of either's log odds moves those of both by its part in the chance of both.
    let both = (1.0 - neither).max(f32::MIN_POSITIVE);
    let [of_obstacle, of_anger] = chances.map(|chance| f64::from(chance / both));
    let mut sum = OfOutputs { factors: obstacle.factors.map(|factor| of_obstacle * factor), rest: 0.0 };
    sum.factors[ANGER] += of_anger * f64::from(anger.factor);
    sum.rest = f64::from(ln(both) - ln(neither.max(f32::MIN_POSITIVE))) - dot(outputs, &sum.factors);
    sum
}

/// The log odds of an obstacle.
fn obstacle(calibration: &Calibration, outputs: &Outputs, language: usize, negative: &OfOutputs) -> OfOutputs {
    let by = &calibration.frustration[language];
    let mut sum = OfOutputs { factors: [0.0; OUTPUTS], rest: f64::from(by.offset) };
    sum.factors[OBSTACLE] = f64::from(by.obstacle);
    sum.factors[ANGER] = f64::from(by.anger);
    let probability = calibration.sentiment(outputs, language)[0];
    let share = f64::from(by.negative);
    if !(LOG_ODDS_FROM..=1.0 - LOG_ODDS_FROM).contains(&probability) {
        // So sure of negative, or of its opposite, that no word moves this part.
        sum.rest += share * f64::from(log_odds(probability));
        return sum;
    }
    for (factor, of_negative) in sum.factors.iter_mut().zip(&negative.factors) {
        *factor += share * of_negative;
    }
    sum.rest += share * negative.rest;
    sum
}

fn dot(numbers: &Outputs, factors: &[f64; OUTPUTS]) -> f64 {
    numbers.iter().zip(factors).map(|(&number, factor)| f64::from(number) * factor).sum()
}
