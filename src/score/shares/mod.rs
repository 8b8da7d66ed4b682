//! What part of a window's messages is negative, or frustrated: more than counting labels.
//!
//! A scorer that takes one calm message in ten for an angry one finds 10 % angry ones where there are none. How much a share
//! counted by labels is off depends on the share itself, so it cannot be taken off once for all. Here each score falls into
//! one of a few cells of about equal evidence, a window counts messages by cell, and from the counts and from how often each
//! class falls into each cell (measured when the model is trained) the shares are found that explain the counts best.
//!
//! What a cell means must not depend on the language, though the scorer's errors do: evidence is brought to one scale by
//! language first.

mod estimate;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use serde::{Deserialize, Serialize};

use super::maths::{ln, log_odds, softmax};
use super::model::layout::LANGUAGE_COUNT;
use crate::message::{SHARE_CELLS, ShareCells};

pub use estimate::Estimate;

/// Classes told apart: the one whose share is wanted, and two that differ from it in unlike ways. Their mix changes from
/// department to department too, so it is estimated with the share.
pub(crate) const CLASSES: usize = 3;
/// A constant, and two numbers of the score.
pub(crate) const INPUTS: usize = 3;

/// Bounds of the cells by the log odds of the wanted class; below the third each cell is split by which other class is likelier.
const BOUNDS: [f32; 4] = [-2.0, -0.8, 0.2, 1.4];
/// How many of the intervals between [`BOUNDS`] are split.
const SPLIT: usize = 3;

const _: () = assert!(2 * SPLIT + (BOUNDS.len() + 1 - SPLIT) == SHARE_CELLS);

/// The tables of both heads; a head that had too little to learn from has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shares {
    /// Of negative, neutral and positive messages: the share of the negative ones is wanted.
    pub sentiment: Option<ShareTable>,
    /// Of frustrated messages, those neither frustrated nor positive, and the other positive ones.
    pub frustration: Option<ShareTable>,
}

/// How the evidence of one head is brought to cells, and how often each class falls into each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareTable {
    /// By language, in the order of the outputs: factors of each input for each class.
    pub weights: [[[f32; CLASSES]; INPUTS]; LANGUAGE_COUNT],
    /// Part of each class that falls into a cell, by cell; each class sums to 1 over the cells.
    pub cells: [[f32; CLASSES]; SHARE_CELLS],
    /// Standard deviation between sets of texts of the log odds of the wanted class: how far a text from elsewhere may be
    /// misjudged. Widens the interval.
    pub spread: f32,
}

impl Shares {
    /// Whether no share can be estimated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sentiment.is_none() && self.frustration.is_none()
    }

    /// The cells of a score: probabilities of negative, neutral, positive; that of frustration; the place of the language.
    pub(crate) fn cells(&self, sentiment: [f32; 3], frustration: f32, language: usize) -> ShareCells {
        let cell = |table: &Option<ShareTable>, inputs| table.as_ref().map(|table| table.cell(inputs, language));
        ShareCells {
            sentiment: cell(&self.sentiment, sentiment_inputs(sentiment)),
            frustration: cell(&self.frustration, frustration_inputs(sentiment, frustration)),
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        self.sentiment.iter().chain(&self.frustration).try_for_each(ShareTable::validate)
    }
}

impl ShareTable {
    /// The cell of such inputs.
    pub(crate) fn cell(&self, inputs: [f32; INPUTS], language: usize) -> u8 {
        cell_of(probabilities(&self.weights[language], inputs))
    }

    fn validate(&self) -> Result<(), String> {
        if !self.weights.as_flattened().as_flattened().iter().chain([&self.spread]).all(|number| number.is_finite()) {
            return Err("a number of its share tables is not finite".to_owned());
        }
        for class in 0..CLASSES {
            let total: f32 = self.cells.iter().map(|cell| cell[class]).sum();
            if !((total - 1.0).abs() < 0.01 && self.cells.iter().all(|cell| cell[class] > 0.0)) {
                return Err(format!("class {class} of a share table sums to {total}, expected 1 of parts above 0"));
            }
        }
        Ok(())
    }
}

/// What the table of sentiments looks at.
pub(crate) fn sentiment_inputs([negative, neutral, positive]: [f32; 3]) -> [f32; INPUTS] {
    [1.0, log_ratio(negative, neutral), log_ratio(positive, neutral)]
}

/// What the table of frustration looks at.
pub(crate) fn frustration_inputs([_, neutral, positive]: [f32; 3], frustration: f32) -> [f32; INPUTS] {
    [1.0, log_odds(frustration), log_ratio(positive, neutral)]
}

/// ln(part / other), finite for all probabilities.
fn log_ratio(part: f32, other: f32) -> f32 {
    const LEAST: f32 = 1e-4;
    ln(part.max(LEAST)) - ln(other.max(LEAST))
}

/// Probabilities of the classes, were all equally frequent.
pub(crate) fn probabilities(weights: &[[f32; CLASSES]; INPUTS], inputs: [f32; INPUTS]) -> [f32; CLASSES] {
    softmax(std::array::from_fn::<_, CLASSES, _>(|class| {
        weights.iter().zip(inputs).map(|(of_input, input)| of_input[class] * input).sum()
    }))
}

/// The cell of such probabilities.
pub(crate) fn cell_of([wanted, second, third]: [f32; CLASSES]) -> u8 {
    let evidence = log_odds(wanted);
    let interval = BOUNDS.iter().filter(|bound| evidence >= **bound).count();
    let cell = if interval < SPLIT { 2 * interval + usize::from(third > second) } else { SPLIT + interval };
    u8::try_from(cell).unwrap_or_default()
}
