//! A cumulative sum of log-likelihood ratios: the fastest test for a shift of any length.

use serde::{Deserialize, Serialize};

use crate::message::EventTime;

/// The shift that is looked for: so much larger odds (20 % become 38 %).
const ODDS: f64 = 2.5;

/// So many nats for the expected ratio tell that it is back.
const BACK: f64 = 4.0;

/// What came long ago counts no more than this, so that one bad quarter of an hour after a good day is still seen.
const MOST_BACK: f64 = 2.0 * BACK;

/// Page's cumulative sum (1954) of the evidence for the shifted ratio against the expected one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Drift {
    /// In nats, 0 or more.
    sum: f64,
    /// The same the other way around, for the end of a shift; 0 to [`MOST_BACK`].
    back: f64,
    /// Since the sum last left 0.
    rise: Option<Rise>,
}

/// What came since a sum left 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rise {
    /// The likeliest onset.
    pub(crate) since: EventTime,
    pub(crate) messages: u32,
    pub(crate) unhappy: u32,
    pub(crate) expected_unhappy: f64,
}

/// Unhappy messages of so many, where a ratio was expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slice {
    pub(crate) start: EventTime,
    pub(crate) unhappy: u32,
    pub(crate) messages: u32,
    pub(crate) ratio: f64,
    /// How many messages tell as much as one independent one: of a shift, and of its end.
    pub(crate) messages_each: (f64, f64),
}

impl Slice {
    /// Evidence for the shifted ratio against the expected one, were the messages independent.
    fn nats(&self) -> f64 {
        let shifted = shifted(self.ratio);
        let unhappy = f64::from(self.unhappy) * (shifted / self.ratio).ln();
        let others = f64::from(self.messages - self.unhappy) * ((1.0 - shifted) / (1.0 - self.ratio)).ln();
        unhappy + others
    }
}

impl Drift {
    pub(crate) fn push(&mut self, slice: Slice) {
        if slice.messages == 0 {
            return;
        }
        let nats = slice.nats();
        self.back = (self.back - nats / slice.messages_each.1).clamp(0.0, MOST_BACK);
        self.sum += nats / slice.messages_each.0;
        if self.sum <= 0.0 {
            self.sum = 0.0;
            self.rise = None;
            return;
        }
        let rise = self.rise.get_or_insert(Rise { since: slice.start, messages: 0, unhappy: 0, expected_unhappy: 0.0 });
        rise.messages = rise.messages.saturating_add(slice.messages);
        rise.unhappy = rise.unhappy.saturating_add(slice.unhappy);
        rise.expected_unhappy += slice.ratio * f64::from(slice.messages);
    }

    /// Whether it is what it should be, wherever it came from.
    pub(crate) fn is_sound(self) -> bool {
        let rise = self.rise.is_none_or(|rise| rise.unhappy <= rise.messages && rise.expected_unhappy >= 0.0);
        rise && self.sum >= 0.0 && (0.0..=MOST_BACK).contains(&self.back)
    }

    pub(crate) fn sum(self) -> f64 {
        self.sum
    }

    pub(crate) fn rise(self) -> Option<Rise> {
        self.rise
    }

    /// An alert has opened: that all is as usual again is to be shown by what comes from now on.
    pub(crate) fn doubt(&mut self) {
        self.back = 0.0;
    }

    /// Whether it has been shown.
    pub(crate) fn is_back(self) -> bool {
        self.back >= BACK
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
