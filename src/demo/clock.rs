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

    /// Whether it has come up to the real present.
    fn is_at_present(&self) -> bool;

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

    /// What time it would be if it could run ahead of the present.
    fn unbounded(&self) -> EventTime {
        self.going_since.get().map_or(self.stands_at, |since| self.stands_at.plus(since.elapsed() * SPEED))
    }
}

impl Clock for DemoClock {
    fn now(&self) -> EventTime {
        self.unbounded().min(super::now())
    }

    fn is_at_present(&self) -> bool {
        self.unbounded() >= super::now()
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
        assert!(!clock.is_at_present());
        // A second ahead, so that no tick of the clock between two lines matters.
        let clock = DemoClock::at(super::super::now().plus(Duration::from_secs(1)));
        clock.go();
        assert!(clock.now() <= super::super::now() && clock.is_at_present());
    }
}
