//! A cumulative sum of log-likelihood ratios: the fastest test for a shift of any length.

use serde::{Deserialize, Serialize};

use crate::message::EventTime;

/// The shift that is looked for: so much larger odds (20 % become 38 %).
const ODDS: f64 = 2.5;

/// Page's cumulative sum (1954) of the evidence for the shifted ratio against the expected one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Drift {
    /// In nats, 0 or more.
    sum: f64,
    /// Where the sum last left 0: the likeliest onset.
    since: Option<EventTime>,
}

/// Unhappy messages of so many, where a ratio was expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slice {
    pub(crate) start: EventTime,
    pub(crate) unhappy: u32,
    pub(crate) messages: u32,
    pub(crate) ratio: f64,
    /// How many messages tell as much as one independent one.
    pub(crate) messages_each: f64,
}

impl Slice {
    /// Evidence for the shifted ratio against the expected one.
    pub(crate) fn nats(&self) -> f64 {
        let shifted = shifted(self.ratio);
        let unhappy = f64::from(self.unhappy) * (shifted / self.ratio).ln();
        let others = f64::from(self.messages - self.unhappy) * ((1.0 - shifted) / (1.0 - self.ratio)).ln();
        (unhappy + others) / self.messages_each
    }
}

impl Drift {
    pub(crate) fn push(&mut self, slice: Slice) {
        if slice.messages == 0 {
            return;
        }
        let sum = self.sum + slice.nats();
        if sum <= 0.0 {
            *self = Self::default();
            return;
        }
        self.sum = sum;
        self.since.get_or_insert(slice.start);
    }

    pub(crate) fn sum(self) -> f64 {
        self.sum
    }

    pub(crate) fn since(self) -> Option<EventTime> {
        self.since
    }
}

/// Nats that one message brings on average against the shift, while there is none.
pub(crate) fn nats_a_message(ratio: f64) -> f64 {
    let shifted = shifted(ratio);
    ratio * (ratio / shifted).ln() + (1.0 - ratio) * ((1.0 - ratio) / (1.0 - shifted)).ln()
}

fn shifted(ratio: f64) -> f64 {
    let odds = ratio / (1.0 - ratio) * ODDS;
    odds / (1.0 + odds)
}
