//! How far apart the rows of a history are.

use std::fmt;
use std::time::Duration;

use crate::config::Span;
use crate::detect::TICK;

const HOUR_MILLIS: u64 = 3_600_000;
const LEAST_MILLIS: u64 = 10_000;

/// The length of a row's step: a part of a minute from 10 s on, or whole minutes that divide an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step(u64);

/// Not the length of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a step of {} cannot be used: it must be 10s to 1h, a part of a minute or whole minutes, and divide an hour", shown(*.0))]
pub struct BadStep(pub u64);

impl Step {
    /// A minute.
    pub const MINUTE: Self = Self(60_000);

    /// A step of so many milliseconds.
    ///
    /// # Errors
    /// If the detector cannot look at slices made of such steps.
    pub fn of_millis(millis: u64) -> Result<Self, BadStep> {
        let in_range = (LEAST_MILLIS..=HOUR_MILLIS).contains(&millis);
        let minute = Self::MINUTE.0;
        let fits = in_range
            && HOUR_MILLIS.is_multiple_of(millis)
            && (minute.is_multiple_of(millis) || millis.is_multiple_of(minute));
        if fits { Ok(Self(millis)) } else { Err(BadStep(millis)) }
    }

    /// How long it is.
    #[must_use]
    pub fn length(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// How often the detector looks: once a step, but no oftener than once a minute.
    #[must_use]
    pub fn slice(self) -> Duration {
        self.length().max(TICK)
    }

    /// In milliseconds.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.cast_signed()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shown(self.0))
    }
}

fn shown(millis: u64) -> String {
    Span(Duration::from_millis(millis)).to_string()
}

/// The largest step on which both lie.
pub(super) fn common(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { common(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_part_of_a_minute_or_whole_minutes_that_divide_an_hour() {
        for seconds in [10, 12, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1_200, 1_800, 3_600] {
            assert_eq!(Step::of_millis(seconds * 1_000), Ok(Step(seconds * 1_000)), "{seconds}");
        }
        for millis in [0, 1, 5_000, 9_999, 25_000, 90_000, 420_000, 2_700_000, 7_200_000, 86_400_000] {
            assert_eq!(Step::of_millis(millis), Err(BadStep(millis)));
        }
    }

    #[test]
    fn the_detector_looks_once_a_minute_at_most() {
        assert_eq!(Step(10_000).slice(), Duration::from_secs(60));
        assert_eq!(Step(300_000).slice(), Duration::from_secs(300));
    }

    #[test]
    fn the_common_step_of_two_lengths_divides_both() {
        assert_eq!((common(0, 300), common(600, 900), common(7, 5)), (300, 300, 1));
    }
}
