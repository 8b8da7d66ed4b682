//! How far the outputs are from what is known of a text.

use super::corpus::Example;
use crate::message::Signal;
use crate::score::maths::{sigmoid, softmax};
use crate::score::model::layout::{ANGER, LANGUAGE, LANGUAGE_COUNT, OBSTACLE, OUTPUTS, Outputs, SENTIMENT, SIGNALS};
use crate::score::recipe::{FrustrationHead, Recipe};
use crate::score::soft::SoftTarget;

/// Weight of each signal against that of a sentiment.
const SIGNAL_WEIGHT: f32 = 0.5;

/// Derivative of the weighted losses by the outputs. Where a text has soft labels, the gold ones keep `1 - recipe.soft` of their weight.
pub(super) fn errors(outputs: &Outputs, example: &Example, recipe: &Recipe) -> Outputs {
    let mut errors = [0.0; OUTPUTS];
    let gold = if example.soft.is_some() { 1.0 - recipe.soft } else { 1.0 };
    gold_sentiment(&mut errors, outputs, example, gold, recipe.smoothing);
    gold_frustration(&mut errors, outputs, example, gold);
    gold_signals(&mut errors, outputs, example, gold);
    if let Some(soft) = &example.soft {
        follow(&mut errors, outputs, soft, recipe.soft * example.soft_weight);
    }
    if let Some(language) = example.language {
        let probabilities = softmax::<LANGUAGE_COUNT>(std::array::from_fn(|at| outputs[LANGUAGE + at]));
        for (at, probability) in probabilities.into_iter().enumerate() {
            errors[LANGUAGE + at] = example.language_weight * (probability - one_if(at == language));
        }
    }
    errors
}

fn gold_sentiment(errors: &mut Outputs, outputs: &Outputs, example: &Example, share: f32, smoothing: f32) {
    let Some(shares) = example.targets.sentiment else { return };
    let among = |class: usize| if example.told_apart[class] { outputs[SENTIMENT + class] } else { f32::NEG_INFINITY };
    let probabilities = softmax(std::array::from_fn::<_, 3, _>(among));
    let classes: f32 = example.told_apart.iter().map(|&told| one_if(told)).sum();
    for class in (0..3).filter(|&class| example.told_apart[class]) {
        let target = shares[class] * (1.0 - smoothing) + smoothing / classes;
        errors[SENTIMENT + class] += share * example.sentiment_weight * (probabilities[class] - target);
    }
}

fn gold_frustration(errors: &mut Outputs, outputs: &Outputs, example: &Example, share: f32) {
    let Some(frustrated) = example.targets.frustrated else { return };
    let output = match example.head {
        FrustrationHead::Obstacle => OBSTACLE,
        FrustrationHead::Anger => ANGER,
    };
    errors[output] += share * example.frustration_weight * (sigmoid(outputs[output]) - one_if(frustrated));
}

/// A signal that is there counts twice: most are not.
fn gold_signals(errors: &mut Outputs, outputs: &Outputs, example: &Example, share: f32) {
    let Some(signals) = example.signals else { return };
    for &signal in Signal::ALL {
        let (there, at) = (one_if(signals.contains(signal)), SIGNALS + signal as usize);
        errors[at] += share * example.signal_weight * SIGNAL_WEIGHT * (1.0 + there) * (sigmoid(outputs[at]) - there);
    }
}

fn follow(errors: &mut Outputs, outputs: &Outputs, soft: &SoftTarget, weight: f32) {
    let target = |at: usize| f32::from(soft[at]) / 255.0;
    let probabilities = softmax(std::array::from_fn::<_, 3, _>(|class| outputs[SENTIMENT + class]));
    for (class, probability) in probabilities.into_iter().enumerate() {
        errors[SENTIMENT + class] += weight * (probability - target(SENTIMENT + class));
    }
    for at in [ANGER, OBSTACLE] {
        errors[at] += weight * (sigmoid(outputs[at]) - target(at));
    }
    for at in SIGNALS..LANGUAGE {
        errors[at] += weight * SIGNAL_WEIGHT * (sigmoid(outputs[at]) - target(at));
    }
}

fn one_if(condition: bool) -> f32 {
    if condition { 1.0 } else { 0.0 }
}
