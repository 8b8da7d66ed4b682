//! What is counted of the messages in a slice of event time.

use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

use crate::message::{Score, Sentiment};

/// Counts of scored messages. `messages` = `negative` + neutral + `positive`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Scored messages.
    pub messages: u32,
    /// Of these, with negative sentiment.
    pub negative: u32,
    /// Of these, with positive sentiment.
    pub positive: u32,
    /// Of these, frustrated.
    pub frustrated: u32,
}

impl Tally {
    /// The tally of one message.
    #[must_use]
    pub fn of(score: &Score) -> Self {
        let label = score.sentiment.label();
        Self {
            messages: 1,
            negative: u32::from(label == Sentiment::Negative),
            positive: u32::from(label == Sentiment::Positive),
            frustrated: u32::from(score.is_frustrated()),
        }
    }

    /// The counts in the order of the fields.
    pub(super) fn numbers(self) -> [u32; 4] {
        [self.messages, self.negative, self.positive, self.frustrated]
    }

    pub(super) fn from_numbers([messages, negative, positive, frustrated]: [u32; 4]) -> Self {
        Self { messages, negative, positive, frustrated }
    }

    /// Whether no part is larger than the whole.
    pub(crate) fn is_sound(self) -> bool {
        let labelled = u64::from(self.negative) + u64::from(self.positive);
        labelled <= u64::from(self.messages) && self.frustrated <= self.messages
    }

    /// What is left without the others; never less than nothing.
    pub(super) fn saturating_sub(self, others: Self) -> Self {
        let (mut left, others) = (self.numbers(), others.numbers());
        left.iter_mut().zip(others).for_each(|(left, others)| *left = left.saturating_sub(others));
        Self::from_numbers(left)
    }

    /// Messages neither negative nor positive.
    #[must_use]
    pub fn neutral(&self) -> u32 {
        self.messages - self.negative - self.positive
    }

    /// Part of the messages with that sentiment, 0 to 1; none where nothing was counted.
    #[must_use]
    pub fn sentiment_ratio(&self, sentiment: Sentiment) -> Option<f64> {
        let part = match sentiment {
            Sentiment::Negative => self.negative,
            Sentiment::Neutral => self.neutral(),
            Sentiment::Positive => self.positive,
        };
        self.ratio(part)
    }

    /// Part of the messages that is frustrated, 0 to 1; none where nothing was counted.
    #[must_use]
    pub fn frustration_ratio(&self) -> Option<f64> {
        self.ratio(self.frustrated)
    }

    /// A part of the messages as a ratio.
    fn ratio(&self, part: u32) -> Option<f64> {
        (!self.is_empty()).then(|| f64::from(part) / f64::from(self.messages))
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages == 0
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.negative += other.negative;
        self.positive += other.positive;
        self.frustrated += other.frustrated;
    }
}

impl SubAssign for Tally {
    fn sub_assign(&mut self, other: Self) {
        self.messages -= other.messages;
        self.negative -= other.negative;
        self.positive -= other.positive;
        self.frustrated -= other.frustrated;
    }
}
