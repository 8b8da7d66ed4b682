//! All that a pane counts: the tally, the cells that shares are estimated from, and severe messages.

use serde::{Deserialize, Serialize};

use super::Tally;
use crate::message::{SHARE_CELLS, Score, SignalSet};

/// How many numbers a pane has.
pub(super) const NUMBERS: usize = 4 + 2 * SHARE_CELLS + 1;

/// The place of the severe ones, behind the cells.
const SEVERE: usize = NUMBERS - 1;

/// Messages by the cell of their score. A message without a cell is in none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareCounts {
    /// By [`crate::message::ShareCells::sentiment`].
    pub sentiment: [u32; SHARE_CELLS],
    /// By [`crate::message::ShareCells::frustration`].
    pub frustration: [u32; SHARE_CELLS],
}

/// What is counted of the messages in a pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaneCounts {
    /// Messages by label.
    pub tally: Tally,
    /// Messages by cell.
    pub shares: ShareCounts,
    /// Messages that a person must read, by `detect.severe_signals`.
    pub severe: u32,
}

/// What is counted of the messages in a window, to estimate its shares from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareSums {
    /// By [`crate::message::ShareCells::sentiment`].
    pub sentiment: [u64; SHARE_CELLS],
    /// By [`crate::message::ShareCells::frustration`].
    pub frustration: [u64; SHARE_CELLS],
}

impl PaneCounts {
    /// The counts of one message; with any of those signals it is severe.
    #[must_use]
    pub fn of(score: &Score, severe: SignalSet) -> Self {
        let cells = score.share_cells;
        let counts = |cell: Option<u8>| std::array::from_fn(|at| u32::from(cell.map(usize::from) == Some(at)));
        let shares = ShareCounts { sentiment: counts(cells.sentiment), frustration: counts(cells.frustration) };
        Self { tally: Tally::of(score), shares, severe: u32::from(score.signals.intersects(severe)) }
    }

    /// Both together; none where a count would not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let mut numbers = self.numbers();
        for (number, more) in numbers.iter_mut().zip(other.numbers()) {
            *number = number.checked_add(more)?;
        }
        Some(Self::from_numbers(&numbers))
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tally.is_empty()
    }

    pub(super) fn numbers(&self) -> [u32; NUMBERS] {
        let mut numbers = [0; NUMBERS];
        numbers[..4].copy_from_slice(&self.tally.numbers());
        numbers[4..4 + SHARE_CELLS].copy_from_slice(&self.shares.sentiment);
        numbers[4 + SHARE_CELLS..SEVERE].copy_from_slice(&self.shares.frustration);
        numbers[SEVERE] = self.severe;
        numbers
    }

    pub(super) fn from_numbers(numbers: &[u32; NUMBERS]) -> Self {
        let [messages, negative, positive, frustrated, ..] = *numbers;
        Self {
            tally: Tally::from_numbers([messages, negative, positive, frustrated]),
            shares: ShareCounts {
                sentiment: std::array::from_fn(|cell| numbers[4 + cell]),
                frustration: std::array::from_fn(|cell| numbers[4 + SHARE_CELLS + cell]),
            },
            severe: numbers[SEVERE],
        }
    }
}

impl From<Tally> for PaneCounts {
    fn from(tally: Tally) -> Self {
        Self { tally, ..Self::default() }
    }
}

impl ShareSums {
    /// A pane enters the window.
    pub(super) fn add(&mut self, pane: &ShareCounts) {
        self.each(pane, |sum, count| *sum += count);
    }

    /// A pane leaves the window that it entered with the same counts.
    pub(super) fn remove(&mut self, pane: &ShareCounts) {
        self.each(pane, |sum, count| *sum -= count);
    }

    fn each(&mut self, pane: &ShareCounts, change: impl Fn(&mut u64, u64)) {
        let sums = self.sentiment.iter_mut().chain(&mut self.frustration);
        for (sum, &count) in sums.zip(pane.sentiment.iter().chain(&pane.frustration)) {
            change(sum, u64::from(count));
        }
    }
}
