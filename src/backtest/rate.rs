//! How much a count tells of the rate behind it.

use std::time::Duration;

use statrs::distribution::{ContinuousCDF as _, Gamma};

/// What a budget of false alarms is for.
pub(super) const MONTH: Duration = Duration::from_secs(28 * 24 * 3_600);

/// With fewer false alarms to be expected, none at all is what chance brings about more than once in 20 times: exp(-3) is 5 %. So even
/// that would not show that the budget is kept.
const FEWEST_EXPECTED: f64 = 3.0;

/// Months of 28 days in that time.
pub(super) fn months(watched: Duration) -> f64 {
    watched.as_secs_f64() / MONTH.as_secs_f64()
}

/// So many in that time, as a rate in 28 days; none where there was no time.
#[expect(clippy::cast_precision_loss, reason = "nobody has 9e15 alarms")]
pub(super) fn a_month(count: u64, watched: Duration) -> Option<f64> {
    let months = months(watched);
    (months > 0.0).then(|| count as f64 / months)
}

/// Between which rates in 28 days the true one lies with 95 %, where so many came in that time and each came independently of the
/// others: the exact interval of a Poisson rate. None where there was no time.
#[expect(clippy::cast_precision_loss, reason = "nobody has 9e15 alarms")]
pub(super) fn interval(count: u64, watched: Duration) -> Option<[f64; 2]> {
    let months = months(watched);
    let at = |shape: f64, below: f64| Gamma::new(shape, 1.0).ok().map(|gamma| gamma.inverse_cdf(below));
    if months <= 0.0 {
        return None;
    }
    let least = if count == 0 { 0.0 } else { at(count as f64, 0.025)? };
    let most = at(count as f64 + 1.0, 0.975)?;
    Some([least / months, most / months])
}

/// Whether a department, or several together, were watched for too short a time to see whether a budget is kept.
pub(super) fn is_too_short(budget: f64, watched: Duration) -> bool {
    budget * months(watched) < FEWEST_EXPECTED
}

/// The days from which on it is long enough.
pub(super) fn days_needed(budget: f64) -> f64 {
    (FEWEST_EXPECTED / budget * 28.0).ceil()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_tables() {
        for (count, least, most) in [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (100, 81.36, 121.63)] {
            let [low, high] = interval(count, MONTH).unwrap();
            assert!((low - least).abs() < 0.01 && (high - most).abs() < 0.01, "{count}: {low} to {high}");
        }
        let half = interval(5, MONTH / 2).unwrap();
        assert!((half[0] - 3.247).abs() < 0.01 && (half[1] - 23.337).abs() < 0.01, "{half:?}");
        assert_eq!((interval(0, Duration::ZERO), a_month(0, Duration::ZERO)), (None, None));
    }

    #[test]
    fn three_false_alarms_must_be_expected_before_a_rate_is_told() {
        assert!(is_too_short(1.0, MONTH * 3 - Duration::from_secs(60)) && !is_too_short(1.0, MONTH * 3));
        assert!(is_too_short(0.25, MONTH * 11) && !is_too_short(30.0, MONTH / 10));
        assert_eq!([1.0, 0.25, 2.0].map(days_needed), [84.0, 336.0, 42.0]);
    }
}
