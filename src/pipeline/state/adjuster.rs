//! Adjusted shares of the windows, estimated anew only where what was counted has changed.

use crate::message::{DepartmentId, SHARE_CELLS};
use crate::publish::AdjustedShares;
use crate::score::shares::{Estimate, ShareTable, Shares};
use crate::window::{Panes, ShareSums};

/// Of ten messages of a window so many must have been counted by cell: else the estimate would not be of the window. They
/// are not where they were scored before a restart, by a model without a table or an older version.
const COUNTED_OF_TEN: u64 = 9;

/// All that a window's shares are estimated from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    messages: u32,
    cells: ShareSums,
}

/// Estimates shares and remembers of which counts. A window's counts change when a pane closes, or when a message comes for
/// one that is closed; views are published far more often.
#[derive(Debug)]
pub(super) struct Adjuster {
    shares: Shares,
    windows: usize,
    /// What the shares shown are of: by department, then window.
    known: Vec<Counted>,
}

impl Adjuster {
    /// Without a table nothing is estimated.
    pub(super) fn new(shares: Shares, departments: usize, windows: usize) -> Self {
        Self { shares, windows, known: vec![Counted::default(); departments * windows] }
    }

    /// The tables that it estimates by.
    pub(super) fn shares(&self) -> &Shares {
        &self.shares
    }

    /// Brings a department's shares, by window, up to what the panes count: the caller keeps them between two calls.
    pub(super) fn adjust(&mut self, department: DepartmentId, panes: &Panes, shown: &mut [AdjustedShares]) {
        let first = department.index() * self.windows;
        let known = self.known[first..][..self.windows].iter_mut();
        let sums = panes.sums(department).iter().zip(panes.share_sums(department));
        for ((known, shown), (tally, cells)) in known.zip(shown).zip(sums) {
            let counted = Counted { messages: tally.messages, cells: *cells };
            if *known == counted {
                continue;
            }
            *known = counted;
            *shown = counted.adjusted(&self.shares);
        }
    }
}

impl Counted {
    fn adjusted(&self, shares: &Shares) -> AdjustedShares {
        AdjustedShares {
            negative: self.estimate(shares.sentiment.as_ref(), &self.cells.sentiment),
            frustrated: self.estimate(shares.frustration.as_ref(), &self.cells.frustration),
        }
    }

    fn estimate(&self, table: Option<&ShareTable>, cells: &[u64; SHARE_CELLS]) -> Option<Estimate> {
        let counted: u64 = cells.iter().sum();
        if 10 * counted < COUNTED_OF_TEN * u64::from(self.messages) {
            return None;
        }
        table?.estimate(cells)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests;
