//! Which number of a row, and of a text's outputs, is whose.

use crate::message::{Language, Signal};

/// Numbers in a row of the table: one cache line holds two rows.
pub(crate) const CHANNELS: usize = 32;
/// Channels that are summed over a text's features; the first [`OUTPUTS`] are also its outputs' direct part.
pub(crate) const POOLED: usize = 31;
/// Channel of the squared inverse document frequency, by which a text's features are brought to length 1.
pub(crate) const RARITY: usize = POOLED;

/// What a model says of a text, before calibration.
pub(crate) const OUTPUTS: usize = 28;
/// Outputs of negative, neutral, positive.
pub(crate) const SENTIMENT: usize = 0;
/// Output of anger in general talk.
pub(crate) const ANGER: usize = 3;
/// Output of an obstacle between a customer and what they need.
pub(crate) const OBSTACLE: usize = 4;
/// Outputs of the signals, in their order.
pub(crate) const SIGNALS: usize = 5;
/// How many signals there are.
pub(crate) const SIGNAL_COUNT: usize = 16;
/// Outputs of the languages, in their order; the last is any other.
pub(crate) const LANGUAGE: usize = 21;
/// How many languages there are, with any other.
pub(crate) const LANGUAGE_COUNT: usize = 7;

const _: () = assert!(Signal::ALL.len() == SIGNAL_COUNT && Language::ALL.len() == LANGUAGE_COUNT);
const _: () = assert!(SIGNALS + SIGNAL_COUNT == LANGUAGE && LANGUAGE + LANGUAGE_COUNT == OUTPUTS && OUTPUTS <= POOLED);

/// One row of the table: what a feature says.
pub(crate) type Row = [i8; CHANNELS];
/// The sums of a text's rows, each family brought to length 1.
pub(crate) type Pooled = [f32; POOLED];
/// What a model says of a text, before calibration.
pub(crate) type Outputs = [f32; OUTPUTS];
