//! How many incidents are found, and how soon.

use anyhow::Result;

use crate::parallel;
use crate::watched::Watched;
use crate::world::{DAY, Effect, HOUR, MONTH, World};

/// An alert that opens this long after the end of an incident still counts as found.
pub(crate) const GRACE: i64 = 15;

/// Minutes until each incident was found; none where it was not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) delays: Vec<i64>,
    pub(crate) incidents: usize,
}

impl Found {
    pub(crate) fn sum(each: Vec<Self>) -> Self {
        let mut sum = Self::default();
        for one in each {
            sum.incidents += one.incidents;
            sum.delays.extend(one.delays);
        }
        sum
    }

    /// Part of the incidents found, 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        self.delays.len() as f64 / self.incidents.max(1) as f64
    }

    /// Median delay of all incidents in minutes; none where half of them are not found.
    pub(crate) fn median(&self) -> Option<i64> {
        let mut sorted = self.delays.clone();
        sorted.sort_unstable();
        sorted.get(self.incidents / 2).copied()
    }
}

/// An incident.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incident {
    pub(crate) effect: Effect,
    pub(crate) minutes: i64,
}

/// Lets incidents happen to departments of a world, each on a day of its own at any minute of the day, and the days between them quiet.
pub(crate) fn found(
    world: World,
    incident: Incident,
    (budget, step): (f64, u32),
    seeds: std::ops::Range<u64>,
    each: usize,
) -> Result<Found> {
    let of_departments = parallel::map(seeds, |seed| {
        let mut watched = Watched::in_rows(world, seed, budget, step);
        watched.run(MONTH)?;
        let mut found = Found { incidents: each, ..Found::default() };
        for place in 0..each {
            // 7 h 13 min on each time: every part of the day has its turn.
            watched.run(2 * DAY + (place as i64 * (7 * HOUR + 13)) % DAY)?;
            // A false alarm may be open by chance: an incident cannot be found then.
            while watched.is_alerting() {
                watched.step(Effect::NONE)?;
            }
            let mut delay = None;
            for minute in 0..incident.minutes + GRACE {
                let effect = if minute < incident.minutes { incident.effect } else { Effect::NONE };
                let step = watched.step(effect)?;
                if step.incident.is_some() {
                    delay.get_or_insert(minute + 1);
                }
            }
            found.delays.extend(delay);
        }
        Ok(found)
    })?;
    Ok(Found::sum(of_departments))
}
