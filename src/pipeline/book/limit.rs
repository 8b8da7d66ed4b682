//! How many closed alerts are kept (INV-6). Those that are open are as many as departments have kinds.

use std::sync::Arc;

use super::AlertBook;
use crate::detect::{Alert, Feedback};
use crate::voices::SignalFound;

/// So much of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::pipeline) struct Size {
    pub(in crate::pipeline) items: usize,
    pub(in crate::pipeline) bytes: usize,
}

/// Most that is kept of closed alerts.
pub(in crate::pipeline) const MOST_CLOSED: Size = Size { items: 5_000, bytes: 16 * 1024 * 1024 };

impl Size {
    fn of(alert: &Alert) -> Self {
        let texts = |texts: &[String]| texts.iter().map(|text| size_of::<String>() + text.len()).sum::<usize>();
        let note = alert.handling.feedback.as_ref().map_or("", |Feedback { note, .. }| note);
        let muted = alert.handling.muted.as_deref().unwrap_or_default();
        let own = [&*alert.id, &*alert.department, note, muted].map(str::len).iter().sum::<usize>();
        let signals = alert.details.signals.len() * size_of::<SignalFound>();
        let bytes = size_of::<Alert>() + own + signals + texts(&alert.departments) + texts(&alert.details.samples);
        Self { items: 1, bytes }
    }

    fn plus(self, other: Self) -> Self {
        Self { items: self.items + other.items, bytes: self.bytes + other.bytes }
    }

    fn is_beyond(self, most: Self) -> bool {
        self.items > most.items || self.bytes > most.bytes
    }
}

impl AlertBook {
    /// How much is kept of closed alerts.
    pub(in crate::pipeline) fn closed(&self) -> Size {
        let closed = self.alerts.iter().filter(|alert| alert.ended.is_some());
        closed.map(Size::of).fold(Size::default(), Size::plus)
    }

    /// Another book goes on in place of one: its count is the process's.
    pub(in crate::pipeline) fn go_on_counting_after(&mut self, before: &Self) {
        self.forgotten += before.forgotten;
    }

    /// Closed alerts that were forgotten before their time, since the start of the process.
    pub(in crate::pipeline) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Forgets those that closed first, where more are kept than may be.
    pub(super) fn keep_within_limits(&mut self) {
        self.keep_within(MOST_CLOSED);
    }

    pub(super) fn keep_within(&mut self, most: Size) {
        let mut kept = self.closed();
        while kept.is_beyond(most) {
            let closed = self.alerts.iter().enumerate().filter_map(|(place, alert)| Some((alert.ended?, place)));
            let Some((_, first)) = closed.min() else { return };
            let forgotten = Arc::make_mut(&mut self.alerts).remove(first);
            let size = Size::of(&forgotten);
            kept = Size { items: kept.items - size.items, bytes: kept.bytes - size.bytes };
            self.forgotten += 1;
            tracing::warn!(
                id = forgotten.id,
                "too many closed alerts are kept: the oldest is forgotten before its 7 days"
            );
        }
    }
}
