//! Slices gathered to the blocks that teach.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::detect::kind::RATIOS;
use crate::detect::tick::{Counts, Expected, SPANS};
use crate::message::EventTime;

/// What teaches at once; it is the shortest of [`SPANS`].
pub(crate) const BLOCK: Duration = SPANS[0];

/// What came, and what was expected, in a stretch of event time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// Which one since the epoch, in blocks of that length.
    pub(crate) number: i64,
    /// How much of it was seen, in seconds.
    pub(crate) seconds: f64,
    pub(crate) messages: f64,
    pub(crate) unhappy: [f64; RATIOS],
    pub(crate) expected_messages: f64,
    pub(crate) expected_unhappy: [f64; RATIOS],
    /// The same had the first model scored all of them.
    pub(crate) normal_unhappy: [f64; RATIOS],
    /// Sums over slices: squared distance from the expected messages, and the square of these.
    pub(crate) square: f64,
    pub(crate) expected_square: f64,
    /// What was known when it began, and so how much is to be thought of what was expected.
    pub(crate) known: Taught,
    /// An alert was open, or nobody knows whether one should have been.
    pub(crate) is_strange: bool,
}

/// What has taught so far, never forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taught {
    pub(crate) messages: f64,
    pub(crate) hours: f64,
    /// The hour of the block was seen before.
    pub(crate) this_hour: bool,
}

impl Block {
    pub(crate) fn at(number: i64, known: Taught) -> Self {
        Self { number, known, ..Self::default() }
    }

    pub(crate) fn start(&self) -> EventTime {
        EventTime::from_millis(self.number.saturating_mul(millis(BLOCK)))
    }

    pub(crate) fn add_slice(&mut self, length: Duration, counts: Counts, expected: Expected) {
        let messages = f64::from(counts.messages);
        self.seconds += length.as_secs_f64();
        self.messages += messages;
        self.expected_messages += expected.messages;
        self.square += (messages - expected.messages).powi(2);
        self.expected_square += expected.messages.powi(2);
        for ratio in 0..RATIOS {
            self.unhappy[ratio] += f64::from(counts.unhappy[ratio]);
            self.expected_unhappy[ratio] += expected.ratios[ratio] * messages;
            self.normal_unhappy[ratio] += expected.normal[ratio] * messages;
        }
    }

    /// So many unhappy ones as the first model would have called so many.
    pub(crate) fn as_of_first_model(&self, ratio: usize, unhappy: f64) -> f64 {
        let expected = self.expected_unhappy[ratio];
        if expected <= 0.0 { unhappy } else { (unhappy * self.normal_unhappy[ratio] / expected).min(self.messages) }
    }

    /// Whether it is what it should be, wherever it came from.
    pub(crate) fn is_sound(&self) -> bool {
        let sums = [self.seconds, self.messages, self.expected_messages, self.square, self.expected_square];
        let known = [self.known.messages, self.known.hours];
        let of_ratios = [self.unhappy, self.expected_unhappy, self.normal_unhappy].into_iter().flatten();
        sums.into_iter().chain(known).chain(of_ratios).all(|sum| sum >= 0.0)
    }

    fn add(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.messages += other.messages;
        self.expected_messages += other.expected_messages;
        self.known.this_hour &= other.known.this_hour;
        for ratio in 0..RATIOS {
            self.unhappy[ratio] += other.unhappy[ratio];
            self.expected_unhappy[ratio] += other.expected_unhappy[ratio];
        }
    }
}

/// The number of the block that a moment lies in.
pub(crate) fn block_of(moment: EventTime) -> i64 {
    moment.as_millis().div_euclid(millis(BLOCK))
}

/// Blocks gathered to those of the longer spans.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gathering([Block; SPANS.len()]);

impl Gathering {
    pub(crate) fn is_sound(&self) -> bool {
        self.0.iter().all(Block::is_sound)
    }

    /// Takes a block, and gives those of every span that are whole with it: the block itself, and maybe longer ones. A longer one
    /// of which a part is missing is left out.
    pub(crate) fn push(&mut self, block: &Block) -> [Option<Block>; SPANS.len()] {
        let mut whole = [None; SPANS.len()];
        for (span, length) in SPANS.iter().enumerate() {
            let gathered = &mut self.0[span];
            let number = block.start().as_millis().div_euclid(millis(*length));
            if gathered.number != number {
                *gathered = Block::at(number, block.known);
            }
            gathered.add(block);
            if gathered.seconds >= length.as_secs_f64() - 0.5 {
                // Slices longer than the span say nothing of it.
                whole[span] = Some(*gathered).filter(|gathered| gathered.seconds <= length.as_secs_f64() + 0.5);
                *gathered = Block::default();
            }
        }
        whole
    }
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}
