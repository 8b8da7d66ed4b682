//! What a second look at a text is worth.

use std::cmp::Ordering;
use std::fmt;

use super::super::maths::{ln, sigmoid};
use crate::message::{FRUSTRATED_FROM, Language, Score};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// How much a slow model's answer to a text is worth, from 0 to just below 1; as a threshold also [`Worth::NEVER`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Worth(f32);

impl Worth {
    /// Worth nothing. As a threshold: every text is sent.
    pub const NOTHING: Self = Self(0.0);

    /// A threshold above the worth of every text: none is sent.
    pub const NEVER: Self = Self(1.0);

    /// How many steps there are from [`Self::NOTHING`] to [`Self::NEVER`]: thresholds are whole steps.
    pub const STEPS: u16 = 1_000;

    /// The worth of a text: clamps to what is below [`Self::NEVER`], and takes not-a-number for 0.
    #[must_use]
    pub fn new(value: f32) -> Self {
        const MOST: f32 = 1.0 - f32::EPSILON / 2.0;
        Self::clamped(value, MOST)
    }

    /// The threshold at a step, 0 to [`Self::STEPS`].
    #[must_use]
    pub fn at_step(step: u16) -> Self {
        Self(f32::from(step.min(Self::STEPS)) / f32::from(Self::STEPS))
    }

    /// The last step that it reaches: it is at or above the threshold there, and below the next.
    #[must_use]
    pub fn step(self) -> u16 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to STEPS")]
        let near = (self.0 * f32::from(Self::STEPS)) as u16;
        // The product is rounded, and what is just below a step must not be taken for what reaches it.
        if Self::at_step(near) > self {
            return near - 1;
        }
        if near < Self::STEPS && Self::at_step(near + 1) <= self { near + 1 } else { near }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f32 {
        self.0
    }

    /// For an atomic.
    #[must_use]
    pub const fn to_bits(self) -> u32 {
        self.0.to_bits()
    }

    /// What [`Self::to_bits`] gave. Of other bits it makes what is nearest, and 0 of what is no number.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self::clamped(f32::from_bits(bits), Self::NEVER.0)
    }

    fn clamped(value: f32, most: f32) -> Self {
        // Adding 0 makes -0 a 0, which it has to be in the order.
        if value.is_nan() { Self::NOTHING } else { Self(value.clamp(0.0, most) + 0.0) }
    }
}

impl Eq for Worth {}

impl Ord for Worth {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Worth {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Worth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.3}", self.0)
    }
}

/// What hangs on a message of a department.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stakes {
    /// Messages in the department's shortest window.
    pub messages: u32,
    /// How near the department is to an alert: 0 is calm, 1 is one that is open or about to open. What is beyond is clamped, and what is
    /// no number counts as calm.
    pub suspicion: f32,
}

impl Stakes {
    /// By how much the department's messages count more than others: 0.5 to 4.
    ///
    /// One label moves the ratio of a window of n messages by 1/n, but a window that large has also more of them looked at: so the
    /// weight falls slowly with n, from 2 to 0.5. Suspicion up to doubles it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count this large has the least weight anyway")]
    pub fn weight(self) -> f32 {
        const MOST: f32 = 2.0;
        const LEAST: f32 = 0.5;
        /// So many messages more than none take the weight down to MOST / sqrt(2).
        const FEW: f32 = 30.0;
        let size = (MOST / (1.0 + self.messages as f32 / FEW).sqrt()).max(LEAST);
        let suspicion = if self.suspicion.is_nan() { 0.0 } else { self.suspicion.clamp(0.0, 1.0) };
        size * (1.0 + suspicion)
    }
}

/// What a second look at a text is worth: how likely it changes a label, times what hangs on it, brought to below 1.
#[must_use]
pub fn worth(score: &Score, stakes: Stakes) -> Worth {
    let gain = doubt(score) * stakes.weight();
    Worth::new(gain / (1.0 + gain))
}

/// What a head's answer is in doubt by, as log odds.
struct Coefficients {
    /// Of a score as sure as can be, of a text in a language that we know.
    bias: f32,
    /// Of how near the labels are to each other: 0 is one alone, 1 is a tie.
    nearness: f32,
    /// Of the entropy of the probabilities, 1 where all are equal.
    entropy: f32,
    /// Of a language that the model was not taught, or too little text to tell.
    other_language: f32,
    /// Of a text in which the model knows nothing.
    unknown: f32,
}

/// Chosen by hand: near certainty one label in a hundred changes, at a tie between two nearly one in two.
const SENTIMENT: Coefficients =
    Coefficients { bias: -4.5, nearness: 3.0, entropy: 2.0, other_language: 0.5, unknown: 0.5 };

/// Chosen by hand, as [`SENTIMENT`]; of two classes the entropy says nothing that nearness does not.
const FRUSTRATION: Coefficients =
    Coefficients { bias: -5.0, nearness: 4.5, entropy: 0.0, other_language: 0.5, unknown: 0.5 };

impl Coefficients {
    fn probability(&self, nearness: f32, entropy: f32, is_other_language: bool, is_unknown: bool) -> f32 {
        let when = |holds: bool, coefficient: f32| if holds { coefficient } else { 0.0 };
        sigmoid(
            self.bias
                + self.nearness * nearness
                + self.entropy * entropy
                + when(is_other_language, self.other_language)
                + when(is_unknown, self.unknown),
        )
    }
}

/// How likely a slow model gives the text another label, of sentiment or of frustration: 0 to 1.
///
/// For each head a logistic function of how near its labels are to each other and of what is known of the text; the two heads are taken
/// for independent.
#[must_use]
pub fn doubt(score: &Score) -> f32 {
    let is_other_language = score.language == Language::Other;
    let (nearness, entropy) = sentiment_inputs(score);
    let sentiment = SENTIMENT.probability(nearness, entropy, is_other_language, score.share_cells.sentiment.is_none());
    let nearness = 1.0 - (score.frustration.get() - FRUSTRATED_FROM).abs() / FRUSTRATED_FROM;
    let frustration =
        FRUSTRATION.probability(nearness, 0.0, is_other_language, score.share_cells.frustration.is_none());
    1.0 - (1.0 - sentiment) * (1.0 - frustration)
}

/// One less the distance of the two likeliest sentiments, and the entropy of all three as a part of the largest.
fn sentiment_inputs(score: &Score) -> (f32, f32) {
    let mut parts =
        [score.sentiment.negative, score.sentiment.neutral, score.sentiment.positive].map(|part| part.get());
    parts.sort_unstable_by(|one, other| other.total_cmp(one));
    let surprise = |part: &f32| if *part > 0.0 { -part * ln(*part) } else { 0.0 };
    let entropy = parts.iter().map(surprise).sum::<f32>() / ln(3.0);
    (1.0 - (parts[0] - parts[1]), entropy.clamp(0.0, 1.0))
}
