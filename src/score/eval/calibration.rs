//! How far probabilities are from what comes true.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::BootstrapPlan;
use super::bootstrap::Interval;

/// Bins of the calibration error, of one width.
const BINS: usize = 10;

/// How likely something was said to be, and whether it came true.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) said: f32,
    pub(super) came_true: bool,
}

/// What was said and what came true, added up.
#[derive(Clone, Copy, Default)]
struct Bin {
    said: f64,
    came_true: u64,
}

/// Expected calibration error: the mean distance between what was said and what came true, over bins of what was said, weighed
/// by rows. Nothing of no rows.
pub(super) fn error(outcomes: &[Outcome]) -> Option<f64> {
    error_of(outcomes.iter().copied())
}

/// Where the error lies, 95 times in 100, if what was said comes true as often as said: by chance it is never 0, and the fewer
/// rows, the larger.
pub(super) fn error_if_perfect(outcomes: &[Outcome], plan: BootstrapPlan) -> Option<Interval> {
    let mut random = Pcg64Mcg::seed_from_u64(plan.seed);
    let mut drawn = |outcome: &Outcome| Outcome { came_true: random.random::<f32>() < outcome.said, ..*outcome };
    let errors: Vec<f64> = (0..plan.samples).filter_map(|_| error_of(outcomes.iter().map(&mut drawn))).collect();
    Interval::of(&errors)
}

/// Mean of what was said.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
pub(super) fn confidence(outcomes: &[Outcome]) -> Option<f64> {
    let total: f64 = outcomes.iter().map(|outcome| f64::from(outcome.said)).sum();
    (!outcomes.is_empty()).then(|| total / outcomes.len() as f64)
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn error_of(outcomes: impl Iterator<Item = Outcome>) -> Option<f64> {
    let (mut bins, mut rows) = ([Bin::default(); BINS], 0_u64);
    for outcome in outcomes {
        let bin = &mut bins[bin_of(outcome.said)];
        bin.said += f64::from(outcome.said);
        bin.came_true += u64::from(outcome.came_true);
        rows += 1;
    }
    let distance: f64 = bins.iter().map(|bin| (bin.said - bin.came_true as f64).abs()).sum();
    (rows > 0).then(|| distance / rows as f64)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a bin's number"
)]
fn bin_of(said: f32) -> usize {
    ((said * BINS as f32) as usize).min(BINS - 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PLAN: BootstrapPlan = BootstrapPlan { samples: 200, seed: 7 };

    /// So many outcomes of one probability, of which so many came true.
    fn outcomes(said: f32, came_true: usize, of: usize) -> Vec<Outcome> {
        (0..of).map(|at| Outcome { said, came_true: at < came_true }).collect()
    }

    #[test]
    fn a_scorer_that_is_as_sure_as_it_is_right_has_no_calibration_error() {
        assert!(error(&outcomes(0.75, 3, 4)).unwrap() < 1e-9);
        assert!((error(&outcomes(1.0, 1, 2)).unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(error(&[]), None);
    }

    #[test]
    fn too_sure_in_one_place_and_too_modest_in_another_is_not_evened_out() {
        let both = [outcomes(0.9, 70, 100), outcomes(0.6, 80, 100)].concat();
        assert!((error(&both).unwrap() - 0.2).abs() < 1e-6);
        assert!((confidence(&both).unwrap() - 0.75).abs() < 1e-6);
    }

    #[test]
    fn what_chance_alone_makes_of_the_error_shrinks_with_the_rows() {
        let widest = |rows| error_if_perfect(&outcomes(0.7, 0, rows), PLAN).unwrap().high;
        assert!(widest(100) > 0.06 && widest(10_000) < 0.02, "{} {}", widest(100), widest(10_000));
    }

    #[test]
    fn the_error_of_a_perfect_scorer_is_within_what_chance_makes_and_that_of_a_boastful_one_is_not() {
        let range = error_if_perfect(&outcomes(0.7, 0, 400), PLAN).unwrap();
        assert!(error(&outcomes(0.7, 285, 400)).unwrap() < range.high);
        assert!(error(&outcomes(0.7, 240, 400)).unwrap() > range.high);
    }

    #[test]
    fn without_draws_nothing_is_said_of_chance() {
        let none = BootstrapPlan { samples: 0, ..PLAN };
        assert_eq!(error_if_perfect(&outcomes(0.7, 7, 10), none), None);
        assert_eq!(error_if_perfect(&[], PLAN), None);
    }
}
