//! The company of the demo: six departments, how busy they are and how content their customers.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::config::DepartmentConfig;
use crate::message::EventTime;

/// How many departments there are.
pub(crate) const COUNT: usize = 6;

/// A day of the demo's company.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How far the volume of a department swings around its mean within a day.
const SWING: f64 = 0.4;

/// A department of the demo.
pub(crate) struct Department {
    /// Its id.
    pub(crate) id: &'static str,
    /// Names under which records mention it besides the id.
    pub(crate) aliases: &'static [&'static str],
    /// Who is paged.
    pub(crate) team: &'static str,
    /// Its share of all messages, averaged over a day.
    pub(crate) share: f64,
    /// The part of the day at which its volume passes its mean upwards, 0 to 1.
    phase: f64,
    /// Of 50 customer messages so many are negative.
    pub(crate) negative_of_50: u32,
    /// Of 50 customer messages so many are positive.
    pub(crate) positive_of_50: u32,
}

/// The departments.
pub(crate) const DEPARTMENTS: [Department; COUNT] = [
    Department {
        id: "billing",
        aliases: &["Facturación", "Cobranza"],
        team: "finance-care",
        share: 0.18,
        phase: 0.20,
        negative_of_50: 11,
        positive_of_50: 9,
    },
    Department {
        id: "support",
        aliases: &["Soporte técnico", "Technical support"],
        team: "technical-care",
        share: 0.20,
        phase: 0.30,
        negative_of_50: 12,
        positive_of_50: 10,
    },
    Department {
        id: "shipping",
        aliases: &["Envíos", "Logística"],
        team: "logistics",
        share: 0.18,
        phase: 0.45,
        negative_of_50: 10,
        positive_of_50: 10,
    },
    Department {
        id: "sales",
        aliases: &["Ventas"],
        team: "sales",
        share: 0.15,
        phase: 0.35,
        negative_of_50: 7,
        positive_of_50: 13,
    },
    Department {
        id: "branches",
        aliases: &["Sucursales", "Tiendas"],
        team: "retail",
        share: 0.14,
        phase: 0.40,
        negative_of_50: 8,
        positive_of_50: 13,
    },
    Department {
        id: "digital",
        aliases: &["App", "Canales digitales"],
        team: "digital-channels",
        share: 0.15,
        phase: 0.70,
        negative_of_50: 10,
        positive_of_50: 11,
    },
];

impl Department {
    /// Its volume at a moment, as a share of the mean volume of all departments.
    pub(crate) fn volume(&self, at: EventTime) -> f64 {
        self.share * (1.0 + SWING * (TAU * (part_of_day(at) - self.phase)).sin())
    }

    /// It as the pipeline's config names it.
    pub(crate) fn config(&self) -> DepartmentConfig {
        DepartmentConfig {
            aliases: self.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            team: self.team.to_owned(),
            ..DepartmentConfig::named(self.id)
        }
    }
}

/// How much of the demo's day has passed, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "the rest of a division by a day's milliseconds is small")]
pub(crate) fn part_of_day(at: EventTime) -> f64 {
    let day_millis = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
    at.as_millis().rem_euclid(day_millis) as f64 / day_millis as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_the_whole_and_a_day_averages_to_them() {
        let whole: f64 = DEPARTMENTS.iter().map(|department| department.share).sum();
        assert!((whole - 1.0).abs() < 1e-9);
        for department in &DEPARTMENTS {
            let seconds = i64::try_from(DAY.as_secs()).unwrap();
            let sum: f64 = (0..seconds).map(|second| department.volume(EventTime::from_millis(second * 1_000))).sum();
            assert!((sum / DAY.as_secs_f64() - department.share).abs() < 1e-6, "{}", department.id);
        }
    }

    #[test]
    fn the_mix_of_departments_moves_within_a_day() {
        let ratio = |at: EventTime| DEPARTMENTS[5].volume(at) / DEPARTMENTS[0].volume(at);
        let ratios: Vec<f64> = (0..72).map(|step| ratio(EventTime::from_millis(step * 1_200_000))).collect();
        let highest = ratios.iter().copied().fold(f64::MIN, f64::max);
        let lowest = ratios.iter().copied().fold(f64::MAX, f64::min);
        assert!(highest > 1.5 * lowest, "between {lowest} and {highest}");
    }
}
