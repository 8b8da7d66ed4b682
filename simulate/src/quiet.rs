//! False alarms in months without an incident.

use anyhow::Result;
use latido::detect::AlertKind;

use crate::parallel;
use crate::watched::Watched;
use crate::world::{Effect, MONTH, WEEK, World};

/// Incidents that opened in so many department-months.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FalseAlarms {
    pub(crate) incidents: u32,
    pub(crate) kinds: [u32; AlertKind::ALL.len()],
    pub(crate) months: u32,
}

impl FalseAlarms {
    pub(crate) fn a_month(self) -> f64 {
        f64::from(self.incidents) / f64::from(self.months.max(1))
    }

    fn add(&mut self, other: Self) {
        self.incidents += other.incidents;
        self.months += other.months;
        for (sum, more) in self.kinds.iter_mut().zip(other.kinds) {
            *sum += more;
        }
    }
}

/// Watches departments of a world for some months each, after one month of learning.
pub(crate) fn false_alarms(
    world: World,
    (budget, step): (f64, u32),
    seeds: std::ops::Range<u64>,
    months: u32,
) -> Result<FalseAlarms> {
    let each = parallel::map(seeds, |seed| {
        let mut watched = Watched::in_rows(world, seed, budget, step);
        watched.run(MONTH)?;
        let mut alarms = FalseAlarms { months, ..FalseAlarms::default() };
        for _ in 0..i64::from(months) * MONTH {
            let step = watched.step(Effect::NONE)?;
            if watched.was_out() {
                continue;
            }
            alarms.incidents += u32::from(step.incident.is_some());
            for alert in step.opened {
                alarms.kinds[alert.kind as usize] += 1;
            }
        }
        Ok(alarms)
    })?;
    let mut sum = FalseAlarms::default();
    each.into_iter().for_each(|alarms| sum.add(alarms));
    Ok(sum)
}

/// Incidents of one department in each of the first four weeks of which nothing was known before, on average.
pub(crate) fn first_weeks(world: World, seeds: std::ops::Range<u64>) -> Result<[f64; 4]> {
    let departments = (seeds.end - seeds.start) as f64;
    let each = parallel::map(seeds, |seed| {
        let mut watched = Watched::new(world, seed, 1.0);
        let mut weeks = [0.0; 4];
        for week in &mut weeks {
            for _ in 0..WEEK {
                *week += f64::from(u8::from(watched.step(Effect::NONE)?.incident.is_some()));
            }
        }
        Ok(weeks)
    })?;
    let mean = |week: usize| each.iter().map(|weeks| weeks[week]).sum::<f64>() / departments;
    Ok([0, 1, 2, 3].map(mean))
}
