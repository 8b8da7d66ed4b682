//! A rate that has a weekly rhythm, and a level that moves faster than that.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::calendar::{HOURS_OF_DAY, HOURS_OF_WEEK, HourOfWeek};
use super::recurring::{Habit, Period};

/// The rhythm, from coarse to fine: hours of the day, those of working days apart from those of the weekend, hours of the week.
const GRIDS: usize = 3;
const QUARTERS: usize = 4 * HOURS_OF_DAY;
const HOURS_OF_DAY_A_WEEK: f64 = 7.0;
const CELLS: [usize; GRIDS] = [HOURS_OF_DAY, 2 * HOURS_OF_DAY, HOURS_OF_WEEK];

/// The places of the last two.
const OF_KIND: usize = 1;
const OF_WEEK: usize = 2;

/// What is left of a parent's worth for an hour that has proved to be unlike it.
const PARENT_OF_HABIT: f64 = 0.03;

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
    /// By quarter of an hour of the day, against what its hour has on average; only where quarters are told apart.
    quarters: Vec<Share>,
    /// How long each hour was seen, those of working days apart from those of the weekend.
    hours_seen: Vec<f64>,
    /// Events of late against those that the rhythm had expected.
    level: Share,
    /// Cells that are unlike their parents, by grid.
    habits: BTreeSet<(usize, usize)>,
    /// It has moved for good once: an unmoved level is no longer worth so much.
    has_moved: bool,
}

/// How a rate is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Learning {
    /// The rate before anything was seen, and how much exposure that is worth.
    pub(crate) prior: f64,
    pub(crate) prior_exposure: f64,
    /// How many events the parent's rate is worth on each grid.
    pub(crate) grid_events: [f64; GRIDS],
    /// How many events it is worth that the quarters of an hour are alike; none where they are not told apart.
    pub(crate) quarter_events: Option<f64>,
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

    /// Leaves it no more weight than so much exposure has.
    fn cut_down_to(&mut self, exposure: f64) {
        let kept = (exposure / self.exposure.max(1e-9)).min(1.0);
        *self = Self { events: self.events * kept, exposure: self.exposure * kept };
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
            quarters: Vec::new(),
            hours_seen: Vec::new(),
            level: Share::default(),
            habits: BTreeSet::new(),
            has_moved: false,
        }
    }

    /// Whether it is what it should be, wherever it came from.
    pub(crate) fn is_sound(&self) -> bool {
        let lengths = || self.grids.iter().map(Vec::len);
        let is_new = lengths().all(|length| length == 0) && self.hours_seen.is_empty() && self.quarters.is_empty();
        let is_known = lengths().eq(CELLS)
            && self.hours_seen.len() == CELLS[OF_KIND]
            && [0, QUARTERS].contains(&self.quarters.len());
        let shares = self.grids.iter().flatten().chain(&self.quarters).chain([&self.mean, &self.level]);
        let numbers = shares.flat_map(|share| [share.events, share.exposure]).chain(self.hours_seen.iter().copied());
        (is_new || is_known) && numbers.into_iter().all(|number| number >= 0.0)
    }

    /// The rate at an hour of the week.
    pub(crate) fn at(&self, hour: HourOfWeek, learning: &Learning) -> Known {
        let of_level = 1.0 / (self.level.events + self.level_events(learning));
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
            self.hours_seen = vec![0.0; CELLS[OF_KIND]];
            self.quarters = vec![Share::default(); if learning.quarter_events.is_some() { QUARTERS } else { 0 }];
        }
        let hours_a_week = [HOURS_OF_DAY_A_WEEK, if hour.is_weekend() { 2.0 } else { 5.0 }, 1.0];
        let kept = |hours_a_week: f64| (-hours / (hours_a_week * learning.rhythm_weeks)).exp2();
        let cells = cells(hour);
        let expected = exposure * self.rhythm(hour, learning).rate;
        let is_known = self.has_seen(hour);
        if is_known {
            self.level.add(level_kept, events, expected);
        }
        self.hours_seen[cells[OF_KIND]] += hours;
        // A level that has moved is no rhythm: it would be learned as one hour by hour.
        let unmoved = exposure * self.moved(learning);
        let of_hour = unmoved * self.of_hour(hour, learning).rate;
        if is_known && let Some(quarter) = self.quarters.get_mut(hour.quarter_of_day()) {
            quarter.add(kept(HOURS_OF_DAY_A_WEEK), events, of_hour);
        }
        self.mean.add(kept(HOURS_OF_WEEK as f64), events, unmoved);
        for (grid, hours_a_week) in hours_a_week.into_iter().enumerate() {
            self.grids[grid][cells[grid]].add(kept(hours_a_week), events, unmoved);
        }
    }

    /// Learns from an hour that is strange time and again: the rhythm alone, and more than from another one. What was known of a
    /// new habit's hour (of the day or of the week) is forgotten, and other hours no longer stand for it.
    pub(crate) fn learn_habit(
        &mut self,
        hour: HourOfWeek,
        (events, exposure): (f64, f64),
        habit: Habit,
        learning: &Learning,
    ) {
        const WORTH: f64 = 4.0;
        if self.grids[0].is_empty() {
            return;
        }
        let cells = cells(hour);
        let unmoved = exposure * self.moved(learning);
        let is_daily = habit.period == Period::Daily;
        let coarsest = if is_daily { 0 } else { OF_WEEK };
        // On the first day the hour's own average is not known yet.
        if is_daily && !habit.is_new {
            let of_hour = unmoved * self.of_hour(hour, learning).rate;
            if let Some(quarter) = self.quarters.get_mut(hour.quarter_of_day()) {
                quarter.add(1.0, WORTH * events, WORTH * of_hour);
            }
        }
        if habit.is_new && habit.is_first_slice {
            self.habits.insert((coarsest, cells[coarsest]));
            if is_daily {
                self.forget_hour_of_day(hour);
            } else {
                self.grids[OF_WEEK][cells[OF_WEEK]] = Share::default();
            }
        }
        for (grid, cell) in cells.into_iter().enumerate().skip(coarsest) {
            self.grids[grid][cell].add(1.0, WORTH * events, WORTH * unmoved);
        }
    }

    fn forget_hour_of_day(&mut self, hour: HourOfWeek) {
        for grid in &mut self.grids {
            grid.iter_mut().skip(hour.hour_of_day()).step_by(HOURS_OF_DAY).for_each(|share| *share = Share::default());
        }
        self.quarters.iter_mut().skip(4 * hour.hour_of_day()).take(4).for_each(|share| *share = Share::default());
    }

    /// Whether that hour was seen before, on a day of its kind.
    pub(crate) fn has_seen(&self, hour: HourOfWeek) -> bool {
        self.hours_seen.get(cells(hour)[OF_KIND]).is_some_and(|seen| *seen >= HOUR_SEEN)
    }

    /// What was said of the level counts no more than so many events.
    pub(crate) fn forget_level(&mut self) {
        const WORTH: f64 = 5.0;
        self.level.cut_down_to(WORTH);
        self.has_moved = true;
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
        self.level.rate(1.0, self.level_events(learning))
    }

    fn level_events(&self, learning: &Learning) -> f64 {
        const WORTH_ONCE_MOVED: f64 = 0.1;
        learning.level_events * if self.has_moved { WORTH_ONCE_MOVED } else { 1.0 }
    }

    fn rhythm(&self, hour: HourOfWeek, learning: &Learning) -> Known {
        let of_hour = self.of_hour(hour, learning);
        let Some((quarter, alike)) = self.quarters.get(hour.quarter_of_day()).zip(learning.quarter_events) else {
            return of_hour;
        };
        Known {
            rate: of_hour.rate * quarter.rate(1.0, alike),
            variance: of_hour.variance + 1.0 / (quarter.events + alike),
        }
    }

    fn of_hour(&self, hour: HourOfWeek, learning: &Learning) -> Known {
        let mut known = Known {
            rate: self.mean_rate(learning),
            variance: 1.0 / (self.mean.events + learning.prior * learning.prior_exposure).max(1e-9),
        };
        let cells = cells(hour);
        for (place, (grid, cell)) in self.grids.iter().zip(cells).enumerate() {
            let share = grid.get(cell).copied().unwrap_or_default();
            let is_habit = self.habits.contains(&(place, cell));
            let parent = learning.grid_events[place] * if is_habit { PARENT_OF_HABIT } else { 1.0 };
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
