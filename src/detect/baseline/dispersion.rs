//! How much more counts vary than chance alone would have them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::detect::tick::SPANS;

/// Weight of what is assumed: as much as so many blocks that have plenty of messages. Departments differ.
const PRIOR_BLOCKS: f64 = 2.0;

/// The correlation assumed of the messages of 15 minutes; of a longer span less, as far as what moves them is over sooner.
const PRIOR_CORRELATION: f64 = 0.01;

/// The squared coefficient of variation assumed of volumes.
const PRIOR_VOLUME: f64 = 0.05;

/// A residual teaches at most as if it were so many variances large: one incident is not the usual spread.
const MOST_VARIANCES: f64 = 12.0;

/// Blocks of a span after which a weight is half.
const HALF_LIFE_BLOCKS: f64 = 2_000.0;

/// As if so many messages had come one by one.
const PRIOR_CLUMPED_MESSAGES: f64 = 50.0;

const LEAST: f64 = 1e-6;
const MOST_CORRELATION: f64 = 0.3;
const MOST_VOLUME: f64 = 3.0;
const MOST_CLUMPING: f64 = 50.0;

/// A moment estimator: excess variance over the factor that the dispersion multiplies. A block adds at most 1 / dispersion² to the
/// factor, however many messages it has.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Moment {
    excess: f64,
    factor: f64,
}

impl Moment {
    fn add(&mut self, weight: f64, excess: f64, factor: f64) {
        let kept = (-1.0 / HALF_LIFE_BLOCKS).exp2();
        self.excess = self.excess * kept + weight * excess;
        self.factor = self.factor * kept + weight * factor;
    }

    fn is_sound(self) -> bool {
        self.factor > 0.0
    }

    fn value(self, most: f64) -> f64 {
        (self.excess / self.factor).clamp(LEAST, most)
    }
}

/// The correlation between two messages of a span, for each of [`SPANS`]: that they are of one customer, one thread, one cause.
///
/// Variance of the unhappy ones among n = n p (1 − p) (1 + (n − 1) ρ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Correlation([Moment; SPANS.len()]);

impl Correlation {
    pub(crate) fn assumed() -> Self {
        Self(SPANS.map(|span| {
            let assumed = assumed(span);
            Moment { excess: PRIOR_BLOCKS / assumed, factor: PRIOR_BLOCKS / assumed.powi(2) }
        }))
    }

    /// Whether it is what it should be, wherever it came from.
    pub(crate) fn is_sound(&self) -> bool {
        self.0.iter().all(|moment| moment.is_sound())
    }

    pub(crate) fn of(&self, span: usize) -> f64 {
        self.0[span].value(MOST_CORRELATION)
    }

    /// Learns from a block of a span's length: so many unhappy ones of `messages`, where `expected` of them were expected.
    pub(crate) fn learn(&mut self, span: usize, messages: f64, unhappy: f64, expected: f64) {
        if messages < 2.0 {
            return;
        }
        let ratio = (expected / messages).clamp(1e-6, 1.0 - 1e-6);
        let of_one = ratio * (1.0 - ratio);
        let known = 1.0 + (messages - 1.0) * self.of(span);
        let square = (unhappy - expected).powi(2).min(MOST_VARIANCES * messages * of_one * known);
        // Blocks with many messages tell more, but no longer once the correlation itself makes most of their variance.
        let weight = (1.0 + (messages - 1.0) * assumed(SPANS[span])).powi(-2);
        self.0[span].add(weight, square / of_one - messages, messages * (messages - 1.0));
    }
}

fn assumed(span: Duration) -> f64 {
    PRIOR_CORRELATION * SPANS[0].as_secs_f64() / span.as_secs_f64()
}

/// How much a span's number of messages varies: variance = `clumping` × mean + `spread` × mean².
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct VolumeSpread {
    /// Squared coefficient of variation beyond that of independent messages: days and hours that differ.
    spans: [Moment; SPANS.len()],
    /// Messages that come together, in seconds or minutes: customers who write several in a row.
    clumps: Moment,
}

impl VolumeSpread {
    pub(crate) fn assumed() -> Self {
        Self {
            spans: [Moment { excess: PRIOR_BLOCKS / PRIOR_VOLUME, factor: PRIOR_BLOCKS / PRIOR_VOLUME.powi(2) };
                SPANS.len()],
            clumps: Moment { excess: 0.0, factor: PRIOR_CLUMPED_MESSAGES },
        }
    }

    /// Whether it is what it should be, wherever it came from.
    pub(crate) fn is_sound(&self) -> bool {
        self.spans.iter().chain([&self.clumps]).all(|moment| moment.is_sound())
    }

    pub(crate) fn of(&self, span: usize) -> f64 {
        self.spans[span].value(MOST_VOLUME)
    }

    /// Variance over mean of a short while's messages, 1 or more.
    pub(crate) fn clumping(&self) -> f64 {
        1.0 + self.clumps.value(MOST_CLUMPING)
    }

    pub(crate) fn learn(&mut self, span: usize, messages: f64, expected: f64) {
        if expected < 0.3 {
            return;
        }
        let chance = expected * self.clumping();
        let known = chance + self.of(span) * expected * expected;
        let square = (messages - expected).powi(2).min(MOST_VARIANCES * known);
        let weight = (1.0 + expected * PRIOR_VOLUME).powi(-2);
        self.spans[span].add(weight, square - chance, expected * expected);
    }

    /// Learns from the slices of a block: the sum of their squared distances from what was expected, and the sums of that and of its
    /// square.
    pub(crate) fn learn_clumping(&mut self, square: f64, expected: f64, expected_square: f64) {
        if expected <= 0.0 {
            return;
        }
        let of_spread = self.of(0) * expected_square;
        let square = square.min(MOST_VARIANCES * (expected * self.clumping() + of_spread));
        // Where the spread makes most of the variance, clumps do not show.
        let weight = expected / (expected + of_spread);
        self.clumps.add(weight, square - expected - of_spread, expected);
    }
}
