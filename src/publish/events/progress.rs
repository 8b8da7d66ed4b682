//! How far alert events have come.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{AlertEvent, Happened};

/// What whoever sends events tells everybody else.
#[derive(Debug, Default)]
pub struct EventProgress {
    through: AtomicU64,
    confirmed: [AtomicU64; Happened::ALL.len()],
    failures: AtomicU64,
}

impl EventProgress {
    /// Events up to this number are confirmed.
    #[must_use]
    pub fn through(&self) -> u64 {
        self.through.load(Ordering::Acquire)
    }

    /// Events confirmed since the start of the process, in the order of [`Happened::ALL`].
    #[must_use]
    pub fn confirmed(&self) -> [u64; Happened::ALL.len()] {
        self.confirmed.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Tries to send that failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// An event is confirmed; they are in their order. One that was before is not counted again.
    pub fn confirm(&self, event: &AlertEvent) {
        if event.number <= self.through() {
            return;
        }
        self.confirmed[event.happened as usize].fetch_add(1, Ordering::Relaxed);
        self.through.store(event.number, Ordering::Release);
    }

    /// A try has failed.
    pub fn fail(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}
