//! Customers who stop writing.

use anyhow::Result;
use latido::detect::AlertKind;

use crate::parallel;
use crate::shifts::Found;
use crate::watched::Watched;
use crate::world::{DAY, Effect, HOUR, MONTH, World};

/// Nobody writes.
const SILENT: Effect = Effect { volume: 0.0, ..Effect::NONE };

/// Lets departments fall silent after a month, each at several moments, for four times the longest gap of that month: how many of
/// these silences are noticed, and after how many minutes.
pub(crate) fn noticed(world: World, budget: f64, seeds: std::ops::Range<u64>, each: usize) -> Result<(Found, i64)> {
    let of_departments = parallel::map(seeds, |seed| {
        let mut watched = Watched::new(world, seed, budget);
        let longest = watched.longest_gap(MONTH)?;
        let mut found = Found { incidents: each, ..Found::default() };
        for place in 0..each {
            watched.run(2 * DAY + (place as i64 * (7 * HOUR + 13)) % DAY)?;
            while watched.is_alerting() {
                watched.step(Effect::NONE)?;
            }
            let mut delay = None;
            for minute in 0..4 * longest {
                let step = watched.step(SILENT)?;
                if step.opened.iter().any(|alert| alert.kind == AlertKind::Silence) {
                    delay.get_or_insert(minute + 1);
                }
            }
            found.delays.extend(delay);
        }
        Ok((found, longest))
    })?;
    let longest = of_departments.iter().map(|(_, longest)| *longest).max().unwrap_or_default();
    Ok((Found::sum(of_departments.into_iter().map(|(found, _)| found).collect()), longest))
}
