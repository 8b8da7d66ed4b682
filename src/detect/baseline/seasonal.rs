//! A rate that has a weekly rhythm, and a level that moves faster than that.

use serde::{Deserialize, Serialize};

use super::calendar::{HOURS_OF_DAY, HOURS_OF_WEEK, HourOfWeek};

/// The rhythm, from coarse to fine: hours of the day, those of working days apart from those of the weekend, hours of the week.
const GRIDS: usize = 3;
const CELLS: [usize; GRIDS] = [HOURS_OF_DAY, 2 * HOURS_OF_DAY, HOURS_OF_WEEK];

/// An hour that was seen for less than this says nothing of the level yet: what comes in it is the rhythm's.
const HOUR_SEEN: f64 = 0.9;

/// A rate (events per unit of exposure): the rhythm, times how far the level is from it of late.
///
/// Each grid's rate is drawn towards that of the next coarser one, the mean rate towards a prior, the level towards 1. (The
/// posterior mean of a gamma prior under Poisson counts; Clayton and Kaldor 1987.) What is thin stays near its parent; what has
/// plenty speaks for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seasonal {
    mean: Share,
    /// By hour, once one was seen.
    grids: [Vec<Share>; GRIDS],
    /// How long each hour of the day was seen.
    hours_seen: Vec<f64>,
    /// Events of late against those that the rhythm had expected.
    level: Share,
}

/// How a rate is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Learning {
    /// The rate before anything was seen, and how much exposure that is worth.
    pub(crate) prior: f64,
    pub(crate) prior_exposure: f64,
    /// How many events the parent's rate is worth on each grid.
    pub(crate) grid_events: [f64; GRIDS],
    /// How many events an unmoved level is worth.
    pub(crate) level_events: f64,
    /// Weeks in which the rhythm forgets by half.
    pub(crate) rhythm_weeks: f64,
}

/// What is known of a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Known {
    /// The expected rate.
    pub(crate) rate: f64,
    /// Variance of its logarithm, were the events independent.
    pub(crate) variance: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Share {
    events: f64,
    exposure: f64,
}

impl Share {
    fn add(&mut self, kept: f64, events: f64, exposure: f64) {
        self.events = self.events * kept + events;
        self.exposure = self.exposure * kept + exposure;
    }

    /// The rate, drawn towards another by so many events.
    fn rate(self, towards: f64, events: f64) -> f64 {
        (self.events + events) / (self.exposure + events / towards.max(1e-9))
    }
}

impl Seasonal {
    pub(crate) fn new() -> Self {
        Self {
            mean: Share::default(),
            grids: [const { Vec::new() }; GRIDS],
            hours_seen: Vec::new(),
            level: Share::default(),
        }
    }

    /// The rate at an hour of the week.
    pub(crate) fn at(&self, hour: HourOfWeek, learning: &Learning) -> Known {
        let of_level = 1.0 / (self.level.events + learning.level_events);
        let rhythm = self.rhythm(hour, learning);
        Known { rate: rhythm.rate * self.moved(learning), variance: rhythm.variance + of_level }
    }

    /// Learns from a slice within one hour of the week: so many events at so much exposure. `level_kept` is the part of the
    /// level's weight that stays, `hours` how long the slice is: the rhythm forgets by half in so many weeks as it has itself
    /// been seen.
    pub(crate) fn learn(
        &mut self,
        hour: HourOfWeek,
        (events, exposure): (f64, f64),
        (level_kept, hours): (f64, f64),
        learning: &Learning,
    ) {
        if self.grids[0].is_empty() {
            self.grids = CELLS.map(|cells| vec![Share::default(); cells]);
            self.hours_seen = vec![0.0; HOURS_OF_DAY];
        }
        let hours_a_week = [7.0, if hour.is_weekend() { 2.0 } else { 5.0 }, 1.0];
        let kept = |hours_a_week: f64| (-hours / (hours_a_week * learning.rhythm_weeks)).exp2();
        let cells = cells(hour);
        let expected = exposure * self.rhythm(hour, learning).rate;
        if self.hours_seen[cells[0]] >= HOUR_SEEN {
            self.level.add(level_kept, events, expected);
        }
        self.hours_seen[cells[0]] += hours;
        // A level that has moved is no rhythm: it would be learned as one hour by hour.
        let unmoved = exposure * self.moved(learning);
        self.mean.add(kept(HOURS_OF_WEEK as f64), events, unmoved);
        for (grid, hours_a_week) in hours_a_week.into_iter().enumerate() {
            self.grids[grid][cells[grid]].add(kept(hours_a_week), events, unmoved);
        }
    }

    /// What was said of the level hardly counts any more.
    pub(crate) fn forget_level(&mut self) {
        const KEPT: f64 = 0.02;
        self.level = Share { events: self.level.events * KEPT, exposure: self.level.exposure * KEPT };
    }

    /// The rate of an average hour.
    pub(crate) fn level(&self, learning: &Learning) -> f64 {
        self.mean_rate(learning) * self.moved(learning)
    }

    fn mean_rate(&self, learning: &Learning) -> f64 {
        self.mean.rate(learning.prior, learning.prior * learning.prior_exposure)
    }

    /// How far the level is from the rhythm.
    fn moved(&self, learning: &Learning) -> f64 {
        self.level.rate(1.0, learning.level_events)
    }

    fn rhythm(&self, hour: HourOfWeek, learning: &Learning) -> Known {
        let mut known = Known {
            rate: self.mean_rate(learning),
            variance: 1.0 / (self.mean.events + learning.prior * learning.prior_exposure).max(1e-9),
        };
        let cells = cells(hour);
        for ((grid, cell), parent) in self.grids.iter().zip(cells).zip(learning.grid_events) {
            let share = grid.get(cell).copied().unwrap_or_default();
            known.rate = share.rate(known.rate, parent);
            known.variance += 1.0 / (share.events + parent);
        }
        known
    }
}

fn cells(hour: HourOfWeek) -> [usize; GRIDS] {
    let of_day = hour.hour_of_day();
    [of_day, of_day + if hour.is_weekend() { HOURS_OF_DAY } else { 0 }, hour.index()]
}
