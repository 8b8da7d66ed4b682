//! From outputs to probabilities that mean what they say.

use serde::{Deserialize, Serialize};

use super::layout::{ANGER, LANGUAGE_COUNT, OBSTACLE, Outputs, SENTIMENT, SIGNAL_COUNT, SIGNALS};
use super::{LARGEST, is_divisor, is_moderate};
use crate::score::maths::{log_odds, sigmoid, softmax};

/// How the sentiment outputs of one language become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentimentCalibration {
    /// Divides the outputs; more than 0.
    pub temperature: f32,
    /// Added to negative, neutral, positive afterwards.
    pub offsets: [f32; 3],
}

/// How the frustration of one language is made: the chance that an obstacle is there, or that the writer is openly angry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrustrationCalibration {
    /// Factor of the obstacle output.
    pub obstacle: f32,
    /// Factor of the anger output.
    pub anger: f32,
    /// Factor of the log odds of negative.
    pub negative: f32,
    /// Added to all.
    pub offset: f32,
    /// Anger that counts without a sign of an obstacle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_anger: Option<OpenAnger>,
}

/// How the anger output becomes the chance of open anger.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAnger {
    /// Factor of the anger output.
    pub factor: f32,
    /// Added to it.
    pub offset: f32,
}

impl OpenAnger {
    /// Probability of open anger.
    pub(crate) fn probability(self, outputs: &Outputs) -> f32 {
        sigmoid(self.factor * outputs[ANGER] + self.offset)
    }
}

/// Calibration of every head; languages in the order of the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Sentiment, by language.
    pub sentiment: [SentimentCalibration; LANGUAGE_COUNT],
    /// Frustration, by language.
    pub frustration: [FrustrationCalibration; LANGUAGE_COUNT],
    /// Added to each signal's output; the signal is there from 0 on.
    pub signals: [f32; SIGNAL_COUNT],
}

impl Default for SentimentCalibration {
    fn default() -> Self {
        Self { temperature: 1.0, offsets: [0.0; 3] }
    }
}

impl Default for FrustrationCalibration {
    fn default() -> Self {
        Self { obstacle: 1.0, anger: 0.0, negative: 0.0, offset: 0.0, open_anger: None }
    }
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            sentiment: [SentimentCalibration::default(); LANGUAGE_COUNT],
            frustration: [FrustrationCalibration::default(); LANGUAGE_COUNT],
            signals: [0.0; SIGNAL_COUNT],
        }
    }
}

impl Calibration {
    /// Probabilities of negative, neutral, positive.
    pub(crate) fn sentiment(&self, outputs: &Outputs, language: usize) -> [f32; 3] {
        let calibration = &self.sentiment[language];
        softmax(std::array::from_fn::<_, 3, _>(|class| {
            outputs[SENTIMENT + class] / calibration.temperature + calibration.offsets[class]
        }))
    }

    /// Probability of frustration, given that of negative.
    pub(crate) fn frustration(&self, outputs: &Outputs, negative: f32, language: usize) -> f32 {
        let by = &self.frustration[language];
        let obstacle = sigmoid(
            by.obstacle * outputs[OBSTACLE] + by.anger * outputs[ANGER] + by.negative * log_odds(negative) + by.offset,
        );
        let anger = by.open_anger.map_or(0.0, |anger| anger.probability(outputs));
        obstacle + anger - obstacle * anger
    }

    /// Whether a signal, by its place, was learned to be there.
    pub(crate) fn has_signal(&self, outputs: &Outputs, signal: usize) -> bool {
        outputs[SIGNALS + signal] + self.signals[signal] >= 0.0
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        let temperature = self.sentiment.iter().map(|of| of.temperature).find(|temperature| !is_divisor(*temperature));
        if let Some(temperature) = temperature {
            return Err(format!("its temperature is {temperature}, expected {} to {LARGEST}", 1.0 / LARGEST));
        }
        let offsets = self.sentiment.iter().flat_map(|of| of.offsets);
        let factors = self.frustration.iter().flat_map(|of| [of.obstacle, of.anger, of.negative, of.offset]);
        let anger = self.frustration.iter().filter_map(|of| of.open_anger).flat_map(|of| [of.factor, of.offset]);
        let mut numbers = offsets.chain(factors).chain(anger).chain(self.signals);
        if let Some(number) = numbers.find(|number| !is_moderate(*number)) {
            return Err(format!("its calibration holds {number}, expected {} to {LARGEST}", -LARGEST));
        }
        Ok(())
    }
}
