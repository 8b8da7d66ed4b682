//! Percentile bootstrap: how much a figure moves when the set is drawn again.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

use super::BootstrapPlan;

/// The range that holds the middle 95 % of the redrawn figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 % of the redrawn figures are below.
    pub low: f64,
    /// 2.5 % of the redrawn figures are above.
    pub high: f64,
}

/// Redraws `cases` with replacement and gives the interval of `figure`; redraws without a figure are left out.
pub(super) fn interval<C: Copy>(
    cases: &[C],
    plan: BootstrapPlan,
    figure: impl Fn(&[C]) -> Option<f64>,
) -> Option<Interval> {
    if cases.is_empty() || plan.samples == 0 {
        return None;
    }
    let mut random = Pcg64Mcg::seed_from_u64(plan.seed);
    let mut sample = Vec::with_capacity(cases.len());
    let mut figures: Vec<f64> = Vec::with_capacity(plan.samples);
    for _ in 0..plan.samples {
        sample.clear();
        sample.extend((0..cases.len()).map(|_| cases[random.random_range(0..cases.len())]));
        figures.extend(figure(&sample));
    }
    Interval::of(&figures)
}

/// The difference of a figure, the second less the first, in each redraw of pairs; redraws without a figure are none.
pub(super) fn differences<C: Copy>(
    pairs: &[(C, C)],
    plan: BootstrapPlan,
    figure: impl Fn(&[C]) -> Option<f64>,
) -> Vec<Option<f64>> {
    let mut random = Pcg64Mcg::seed_from_u64(plan.seed);
    let (mut first, mut second) = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
    let mut difference = || {
        first.clear();
        second.clear();
        for _ in 0..pairs.len() {
            let (one, other) = pairs[random.random_range(0..pairs.len())];
            first.push(one);
            second.push(other);
        }
        Some(figure(&second)? - figure(&first)?)
    };
    (0..plan.samples).map(|_| difference()).collect()
}

impl Interval {
    /// The middle 95 % of these.
    pub(super) fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Some(Self { low: quantile(&sorted, 0.025)?, high: quantile(&sorted, 0.975)? })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a list"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * share).round() as usize).copied()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mean(cases: &[f64]) -> Option<f64> {
        Some(cases.iter().sum::<f64>() / cases.len() as f64)
    }

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_on_both_sides() {
        let cases: Vec<f64> = (0..400).map(|at| f64::from(at % 2)).collect();
        let found = interval(&cases, BootstrapPlan { samples: 2_000, seed: 1 }, mean).unwrap();
        assert!((found.low - 0.451).abs() < 0.01 && (found.high - 0.549).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let cases: Vec<f64> = (0..50).map(f64::from).collect();
        let plan = BootstrapPlan { samples: 100, seed: 9 };
        assert_eq!(interval(&cases, plan, mean), interval(&cases, plan, mean));
    }

    #[test]
    fn a_difference_in_pairs_moves_less_than_its_parts() {
        let pairs: Vec<(f64, f64)> = (0..200).map(|at| (f64::from(at), f64::from(at) + 1.0)).collect();
        let plan = BootstrapPlan { samples: 50, seed: 3 };
        let found = differences(&pairs, plan, mean);
        assert!(found.iter().flatten().all(|difference| (difference - 1.0).abs() < 1e-9) && found.len() == 50);
    }

    #[test]
    fn no_cases_or_no_samples_give_no_interval() {
        assert_eq!(interval(&[], BootstrapPlan { samples: 10, seed: 1 }, mean), None);
        assert_eq!(interval(&[1.0], BootstrapPlan { samples: 0, seed: 1 }, mean), None);
    }
}
