//! How often chance really brings about in a department what the tests take for rare.

use std::f64::consts::LN_2;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::evidence::MONTH;
use crate::message::EventTime;

/// Episodes are counted of evidence that should come up this often a month: often enough to teach within weeks, and rare enough
/// to be of the tail that pages.
const LEVEL: f64 = 16.0;

/// Episodes that are counted a month where the scale is right: those of one stir are one.
const EPISODES_A_MONTH: f64 = 11.5;

/// As if so many had been counted where the scale is right: it was fitted to many departments.
const PRIOR_EPISODES: f64 = 15.0;

/// Weight of what was counted is half after this time.
const HALF_LIFE: Duration = Duration::from_secs(12 * 7 * 24 * 3_600);

/// Evidence has to be rare for so long: one stray slice is no alert.
pub(super) const CONFIRMED_FOR: Duration = Duration::from_secs(120);

/// An episode is over when evidence has been weaker for so long.
const APART: Duration = Duration::from_secs(3 * 3_600);

/// The tests of one department together on one scale: times a month that chance alone brings about as much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibration {
    /// Counted, and in how many months; both fade.
    episodes: f64,
    months: f64,
    /// The moment before was rare.
    pending: bool,
    /// The last moment of the latest episode.
    latest: Option<EventTime>,
}

impl Calibration {
    /// Takes the strongest evidence of a slice without an incident, as a recurrence that this one has not corrected.
    pub(super) fn observe(&mut self, end: EventTime, slice: Duration, recurrence: f64) {
        let kept = 1.0 - LN_2 * slice.as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.episodes *= kept;
        self.months = self.months * kept + slice.as_secs_f64() / MONTH.as_secs_f64();
        if recurrence > LEVEL {
            self.pending = false;
            return;
        }
        // As for alerts, one moment is none, unless it is as long.
        if !self.pending && slice < CONFIRMED_FOR {
            self.pending = true;
            return;
        }
        if self.latest.is_none_or(|latest| end > latest.plus(APART)) {
            self.episodes += 1.0;
        }
        self.latest = Some(end);
    }

    /// Whether it is what it should be, wherever it came from.
    pub(super) fn is_sound(&self) -> bool {
        self.episodes >= 0.0 && self.months >= 0.0
    }

    /// How much more often than on the scale chance brings evidence about here.
    pub(super) fn factor(&self) -> f64 {
        (self.episodes + PRIOR_EPISODES) / (self.months * EPISODES_A_MONTH + PRIOR_EPISODES)
    }
}

/// Moods that last for hours make very rare evidence less rare than the tests, which know of correlation within a span, have it
/// (fitted to simulated months, between 1 in 4 months and 4 a month).
pub(super) fn heavier_tail(recurrence: f64) -> f64 {
    const SLOPE: f64 = 0.95;
    const RIGHT_AT: f64 = 2.0;
    RIGHT_AT * (recurrence / RIGHT_AT).powf(SLOPE)
}

/// How many incidents there are for each excursion of a test, all kinds together (fitted to simulated months): the same messages
/// stir several tests, the more of them the busier a department is, and an incident has to last two minutes.
pub(super) fn fewer_when_busy(messages_an_hour: f64) -> f64 {
    let an_hour = messages_an_hour.max(0.5);
    0.86 * an_hour.powf(-0.18) * (1.0 + an_hour / 150.0).powf(-0.55)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Episodes of a month in which each slice of so many, far apart, is rare, and so many after it too.
    fn episodes(slice: Duration, in_a_row: u32) -> f64 {
        let mut calibration = Calibration::default();
        let mut end = EventTime::from_millis(0);
        for _ in 0..4 {
            for rare in 0..2 * APART.as_secs() / slice.as_secs() {
                end = end.plus(slice);
                let recurrence = if rare < u64::from(in_a_row) { LEVEL / 2.0 } else { 2.0 * LEVEL };
                calibration.observe(end, slice, recurrence);
            }
        }
        calibration.episodes.round()
    }

    #[test]
    fn an_episode_is_counted_where_an_alert_would_be_confirmed_however_long_slices_are() {
        let minute = Duration::from_secs(60);
        assert_eq!([episodes(minute, 1), episodes(minute, 2), episodes(minute, 30)], [0.0, 4.0, 4.0]);
        assert_eq!([episodes(5 * minute, 1), episodes(5 * minute, 3)], [4.0, 4.0]);
    }
}
