//! Running sums of windows, wide enough never to overflow.

use super::Tally;

/// A running sum of panes. A day of panes that are each full fits in 64 bits with room to spare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WideTally {
    messages: u64,
    negative: u64,
    positive: u64,
    frustrated: u64,
}

impl WideTally {
    /// A pane enters the window.
    pub(super) fn add(&mut self, pane: Tally) {
        self.messages += u64::from(pane.messages);
        self.negative += u64::from(pane.negative);
        self.positive += u64::from(pane.positive);
        self.frustrated += u64::from(pane.frustrated);
    }

    /// A pane leaves the window that it entered with the same counts.
    pub(super) fn remove(&mut self, pane: Tally) {
        self.messages -= u64::from(pane.messages);
        self.negative -= u64::from(pane.negative);
        self.positive -= u64::from(pane.positive);
        self.frustrated -= u64::from(pane.frustrated);
    }

    /// The sum as a [`Tally`]. Beyond what that holds (4,294,967,295 messages) all counts shrink alike, so that the ratios
    /// stay true.
    pub(super) fn shown(&self) -> Tally {
        let fits = |count: u64| u32::try_from(count).ok();
        if let Some(messages) = fits(self.messages) {
            let part = |count: u64| fits(count).unwrap_or(messages);
            return Tally {
                messages,
                negative: part(self.negative),
                positive: part(self.positive),
                frustrated: part(self.frustrated),
            };
        }
        let part = |count: u64| {
            let scaled = u128::from(count) * u128::from(u32::MAX) / u128::from(self.messages);
            u32::try_from(scaled).unwrap_or(u32::MAX)
        };
        Tally {
            messages: u32::MAX,
            negative: part(self.negative),
            positive: part(self.positive),
            frustrated: part(self.frustrated),
        }
    }
}
