//! The demo's time.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::generator::SPEED;
use crate::message::EventTime;

/// What time it is in the demo, and how much of ours has passed.
pub(crate) trait Clock {
    /// The demo's present.
    fn now(&self) -> EventTime;

    /// Time of ours since some moment.
    fn elapsed(&self) -> Duration;

    /// From now on the demo's time passes.
    fn go(&self);
}

/// Stands still before the live part, then passes faster than ours until it has come up to the present.
#[derive(Debug)]
pub(crate) struct DemoClock {
    made: Instant,
    stands_at: EventTime,
    going_since: OnceLock<Instant>,
}

impl DemoClock {
    /// A clock that stands at that moment.
    pub(crate) fn at(moment: EventTime) -> Self {
        Self { made: Instant::now(), stands_at: moment, going_since: OnceLock::new() }
    }
}

impl Clock for DemoClock {
    fn now(&self) -> EventTime {
        let Some(since) = self.going_since.get() else { return self.stands_at };
        self.stands_at.plus(since.elapsed() * SPEED).min(super::now())
    }

    fn elapsed(&self) -> Duration {
        self.made.elapsed()
    }

    fn go(&self) {
        self.going_since.get_or_init(Instant::now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_until_it_is_let_go_and_never_runs_ahead_of_the_present() {
        let hour_ago = super::super::now().minus(Duration::from_secs(3_600));
        let clock = DemoClock::at(hour_ago);
        assert_eq!(clock.now(), hour_ago);
        clock.go();
        assert!(clock.now() >= hour_ago && clock.now() <= super::super::now());
        let clock = DemoClock::at(super::super::now());
        clock.go();
        assert!(clock.now() <= super::super::now());
    }
}
