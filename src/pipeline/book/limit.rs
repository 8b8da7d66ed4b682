//! How many closed alerts are kept (INV-6). Those that are open are as many as departments have kinds.

use super::AlertBook;
use crate::detect::{Alert, Feedback};
use crate::message::EventTime;
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

    fn less(self, other: Self) -> Self {
        Self { items: self.items - other.items, bytes: self.bytes - other.bytes }
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
        if !kept.is_beyond(most) {
            return;
        }
        let closed = self.alerts.iter().enumerate().filter_map(|(place, alert)| Some((alert.ended?, place)));
        let mut closed: Vec<(EventTime, usize)> = closed.collect();
        closed.sort_unstable();
        let mut is_surplus = vec![false; self.alerts.len()];
        let mut count = 0_u64;
        for (_, place) in closed {
            if !kept.is_beyond(most) {
                break;
            }
            kept = kept.less(Size::of(&self.alerts[place]));
            is_surplus[place] = true;
            count += 1;
        }
        let mut is_surplus = is_surplus.into_iter();
        self.forget(|_| is_surplus.next() == Some(true));
        self.forgotten += count;
        tracing::warn!(
            alerts = count,
            "too many closed alerts are kept: those that closed first are forgotten before their 7 days"
        );
    }
}
