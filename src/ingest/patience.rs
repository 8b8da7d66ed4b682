//! How long something is waited for while the daemon stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Endless while the daemon runs; ends a while after it was told to stop. Must be asked several times a second.
#[derive(Debug)]
pub struct Patience {
    stop: Arc<AtomicBool>,
    lasts: Duration,
    stopping: Option<Instant>,
}

impl Patience {
    /// That ends so long after `stop` was set.
    #[must_use]
    pub fn new(stop: Arc<AtomicBool>, lasts: Duration) -> Self {
        Self { stop, lasts, stopping: None }
    }

    /// Whether it is over.
    pub fn is_over(&mut self) -> bool {
        self.ends().is_some_and(|ends| Instant::now() >= ends)
    }

    /// When it ends; none while the daemon runs.
    pub fn ends(&mut self) -> Option<Instant> {
        let stopping = self.stop.load(Ordering::Acquire);
        stopping.then(|| *self.stopping.get_or_insert_with(Instant::now) + self.lasts)
    }
}
