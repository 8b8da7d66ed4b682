//! What is tested at once: the counts of a slice of event time, and sums of the latest slices.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::kind::RATIOS;
use crate::message::EventTime;
use crate::window::Tally;

/// How often departments are tested, in event time: a false-alarm rate depends on the number of looks.
pub const TICK: Duration = Duration::from_secs(60);

/// Lengths of the spans that are tested, shortest first.
pub(super) const SPANS: [Duration; 4] = [
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(3 * 60 * 60),
    // For departments that do not get enough messages in 3 h.
    Duration::from_secs(12 * 60 * 60),
];

/// The end of the slice that a pane with that end belongs to.
pub(super) fn slice_end_of(pane_end: EventTime, slice: Duration) -> EventTime {
    let length = i64::try_from(slice.as_millis()).unwrap_or(1);
    let number = pane_end.as_millis().saturating_sub(1).div_euclid(length);
    EventTime::from_millis(number.saturating_add(1).saturating_mul(length))
}

/// Messages of a department in a slice of event time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// All of them.
    pub messages: u32,
    /// Negative and frustrated ones.
    pub unhappy: [u32; RATIOS],
}

impl Counts {
    /// Adds the counts of a pane; what does not fit is left out.
    pub(super) fn add(&mut self, pane: &Tally) {
        self.join(&Self { messages: pane.messages, unhappy: [pane.negative, pane.frustrated] });
    }

    /// Whether no part is larger than the whole.
    pub(super) fn is_sound(&self) -> bool {
        self.unhappy.iter().all(|unhappy| *unhappy <= self.messages)
    }

    /// Adds other counts; what does not fit is left out.
    pub(super) fn join(&mut self, other: &Self) {
        self.messages = self.messages.saturating_add(other.messages);
        for (sum, more) in self.unhappy.iter_mut().zip(other.unhappy) {
            *sum = sum.saturating_add(more);
        }
    }
}

/// What was expected of a slice before it came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Expected {
    /// Messages.
    pub(super) messages: f64,
    /// Ratios of unhappy ones, 0 to 1.
    pub(super) ratios: [f64; RATIOS],
    /// The same had the first model scored all of them.
    pub(super) normal: [f64; RATIOS],
}

/// Sums over a span.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    /// Messages that came.
    pub(super) messages: u32,
    /// Unhappy ones among them.
    pub(super) unhappy: [u32; RATIOS],
    /// Messages that were expected.
    pub(super) expected_messages: f64,
    /// Ratios expected of the messages that came; 0 where none came.
    pub(super) ratios: [f64; RATIOS],
}

/// The latest slices of a department, as far back as the longest span.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    slice: Duration,
    slices: VecDeque<Slice>,
    /// Slices of each span.
    lengths: [usize; SPANS.len()],
    totals: [Total; SPANS.len()],
}

/// What came in a slice, and what was expected of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Slice {
    counts: Counts,
    expected_messages: f32,
    expected_ratios: [f32; RATIOS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Total {
    messages: u64,
    unhappy: [u64; RATIOS],
    expected_messages: Fixed,
    expected_unhappy: [Fixed; RATIOS],
}

/// A sum in millionths: adding and taking away again leaves nothing behind, which floats do not promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fixed(i64);

impl Fixed {
    /// Nobody expects 10^10 messages of a slice; a day of more would not fit.
    const MOST: f64 = 1e16;

    #[expect(clippy::cast_possible_truncation, reason = "within its limits")]
    fn of(value: f32, times: u32) -> Self {
        Self((f64::from(value) * f64::from(times) * 1e6).round().clamp(-Self::MOST, Self::MOST) as i64)
    }

    #[expect(clippy::cast_precision_loss, reason = "exact below 9e9 messages")]
    fn get(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Recent {
    /// Nothing yet, in slices of that length.
    pub(super) fn new(slice: Duration) -> Self {
        let slices_in = |span: Duration| {
            let slices = span.as_millis() / slice.as_millis().max(1);
            usize::try_from(slices).unwrap_or(usize::MAX)
        };
        Self { slice, slices: VecDeque::new(), lengths: SPANS.map(slices_in), totals: Default::default() }
    }

    /// Takes the next slice.
    #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough for what is expected")]
    pub(super) fn push(&mut self, counts: Counts, expected: Expected) {
        self.push_slice(Slice {
            counts,
            expected_messages: expected.messages as f32,
            expected_ratios: expected.ratios.map(|ratio| ratio as f32),
        });
    }

    /// The slices, oldest first, to be saved.
    pub(super) fn slices(&self) -> Vec<Slice> {
        self.slices.iter().copied().collect()
    }

    /// Takes up saved slices: afterwards all is as it was.
    pub(super) fn restore(&mut self, slices: &[Slice]) {
        self.clear();
        slices.iter().for_each(|slice| self.push_slice(*slice));
    }

    fn push_slice(&mut self, slice: Slice) {
        self.slices.push_back(slice);
        for (total, length) in self.totals.iter_mut().zip(self.lengths) {
            total.add(&slice);
            if let Some(leaving) = self.slices.len().checked_sub(length + 1) {
                total.remove(&self.slices[leaving]);
            }
        }
        let longest = self.lengths[SPANS.len() - 1];
        if self.slices.len() > longest {
            self.slices.pop_front();
        }
    }

    /// Forgets all slices.
    pub(super) fn clear(&mut self) {
        self.slices.clear();
        self.totals = Default::default();
    }

    /// How much of the span of that place in [`SPANS`] is there.
    pub(super) fn length(&self, span: usize) -> Duration {
        let slices = self.slices.len().min(self.lengths[span]);
        self.slice * u32::try_from(slices).unwrap_or(u32::MAX)
    }

    /// The sums of the span of that place in [`SPANS`]; none where it is shorter than a slice.
    pub(super) fn sums(&self, span: usize) -> Option<Sums> {
        (self.lengths[span] > 0).then(|| self.totals[span].sums())
    }
}

impl Slice {
    /// Whether it is what it should be, wherever it came from.
    pub(super) fn is_sound(&self) -> bool {
        let are_ratios = self.expected_ratios.iter().all(|ratio| (0.0..=1.0).contains(ratio));
        self.counts.is_sound() && self.expected_messages >= 0.0 && are_ratios
    }

    fn expected_messages(&self) -> Fixed {
        Fixed::of(self.expected_messages, 1)
    }

    fn expected_unhappy(&self, ratio: usize) -> Fixed {
        Fixed::of(self.expected_ratios[ratio], self.counts.messages)
    }
}

impl Total {
    fn add(&mut self, slice: &Slice) {
        self.messages += u64::from(slice.counts.messages);
        self.expected_messages.0 += slice.expected_messages().0;
        for ratio in 0..RATIOS {
            self.unhappy[ratio] += u64::from(slice.counts.unhappy[ratio]);
            self.expected_unhappy[ratio].0 += slice.expected_unhappy(ratio).0;
        }
    }

    fn remove(&mut self, slice: &Slice) {
        self.messages -= u64::from(slice.counts.messages);
        self.expected_messages.0 -= slice.expected_messages().0;
        for ratio in 0..RATIOS {
            self.unhappy[ratio] -= u64::from(slice.counts.unhappy[ratio]);
            self.expected_unhappy[ratio].0 -= slice.expected_unhappy(ratio).0;
        }
    }

    fn sums(&self) -> Sums {
        let clamp = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let messages = clamp(self.messages);
        let ratio = |expected: Fixed| {
            if messages == 0 { 0.0 } else { (expected.get() / f64::from(messages)).clamp(0.0, 1.0) }
        };
        Sums {
            messages,
            unhappy: self.unhappy.map(clamp),
            expected_messages: self.expected_messages.get(),
            ratios: self.expected_unhappy.map(ratio),
        }
    }
}
