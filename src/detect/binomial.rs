//! The exact upper tail of the binomial distribution, as a logarithm.

use std::f64::consts::{PI, TAU};

use statrs::function::gamma::ln_gamma;

/// ln P[X >= `k`] for X binomial with `n` trials of probability `p`: from 0 down to −∞.
///
/// The logarithm never underflows: 7,000 of 10,000 at an expected 20 % is e^−5834. Relative error of the probability below
/// 1e-9. Cost: a few times √n additions at most, near the mean; far from it a few dozen.
///
/// The mass at `k` comes from Loader's saddle-point expansion (C. Loader, "Fast and Accurate Computation of Binomial
/// Probabilities", 2000), which does not cancel for large `n`; the rest of the tail is summed by the ratio of neighbours.
pub(super) fn ln_upper_tail(k: u32, n: u32, p: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    if k > n || p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return 0.0;
    }
    if is_at_least_even(k, n, p) {
        // The tail is the greater part: take what is missing from 1.
        return (-ln_lower_tail(k - 1, n, p).exp()).ln_1p();
    }
    let odds = p / (1.0 - p);
    let (mut term, mut sum) = (1.0_f64, 1.0_f64);
    for j in k..n {
        term *= f64::from(n - j) / (f64::from(j) + 1.0) * odds;
        sum += term;
        if term < sum * f64::EPSILON * 0.01 {
            break;
        }
    }
    (ln_mass(k, n, p) + sum.ln()).min(0.0)
}

/// Whether P[X >= `k`] is at least 1/2 for certain: a median of the binomial is never below the whole part of its mean.
pub(super) fn is_at_least_even(k: u32, n: u32, p: f64) -> bool {
    f64::from(k) <= (f64::from(n) * p).floor()
}

/// ln P[X <= `k`] for `k` below the mean; 0 < p < 1.
fn ln_lower_tail(k: u32, n: u32, p: f64) -> f64 {
    let odds = (1.0 - p) / p;
    let (mut term, mut sum) = (1.0_f64, 1.0_f64);
    for j in (1..=k).rev() {
        term *= f64::from(j) / (f64::from(n - j) + 1.0) * odds;
        sum += term;
        if term < sum * f64::EPSILON * 0.01 {
            break;
        }
    }
    ln_mass(k, n, p) + sum.ln()
}

/// ln P[X = `k`]; `k` <= `n`, 0 < p < 1.
fn ln_mass(k: u32, n: u32, p: f64) -> f64 {
    let (successes, trials, failures) = (f64::from(k), f64::from(n), f64::from(n - k));
    if k == 0 {
        return trials * (-p).ln_1p();
    }
    if k == n {
        return trials * p.ln();
    }
    let correction = stirling_error(trials) - stirling_error(successes) - stirling_error(failures);
    let deviance = deviance(successes, trials * p) + deviance(failures, trials * (1.0 - p));
    correction - deviance + 0.5 * (trials / (TAU * successes * failures)).ln()
}

/// ln n! less Stirling's approximation of it; n >= 1.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * PI).ln();
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1_260.0 - (1.0 / 1_680.0) / square) / square) / square) / n
}

/// x ln(x / mean) + mean − x, without cancellation where both are near.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() - difference;
    }
    let v = difference / (x + mean);
    let mut sum = difference * v;
    let mut term = 2.0 * x * v;
    for odd in (3_u32..).step_by(2) {
        term *= v * v;
        let next = sum + term / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Adds up every mass of the tail, each from a plain product: no shortcut shared with the code under test.
    fn naive_upper_tail(k: u32, n: u32, p: f64) -> f64 {
        (k..=n).rev().map(|j| naive_mass(j, n, p)).sum()
    }

    fn naive_mass(j: u32, n: u32, p: f64) -> f64 {
        // Factors taken in turn so that the product stays within range for n up to a few hundred.
        let (mut mass, mut taken, mut left) = (1.0_f64, 0, 0);
        for i in 0..j {
            mass *= f64::from(n - i) / f64::from(j - i);
            while mass > 1.0 && taken < j {
                mass *= p;
                taken += 1;
            }
            while mass > 1.0 && left < n - j {
                mass *= 1.0 - p;
                left += 1;
            }
        }
        mass * p.powi(i32::try_from(j - taken).unwrap()) * (1.0 - p).powi(i32::try_from(n - j - left).unwrap())
    }

    proptest! {
        #[test]
        fn the_tail_equals_the_sum_of_its_masses((n, k) in (1_u32..400).prop_flat_map(|n| (Just(n), 0..=n)), p in 0.001_f64..0.999) {
            let naive = naive_upper_tail(k, n, p);
            prop_assume!(naive > 1e-250);
            let exact = ln_upper_tail(k, n, p).exp();
            prop_assert!((exact - naive).abs() <= 1e-9 * naive, "P[X >= {k} | {n}, {p}] = {exact}, not {naive}");
        }

        #[test]
        fn no_argument_gives_anything_but_a_probability(k: u32, n in 0_u32..100_000, p in -0.5_f64..1.5) {
            let tail = ln_upper_tail(k, n, p);
            prop_assert!(tail <= 0.0 && !tail.is_nan());
        }

        #[test]
        fn more_successes_are_never_likelier((n, k) in (1_u32..5_000).prop_flat_map(|n| (Just(n), 0..n)), p in 0.01_f64..0.99) {
            prop_assert!(ln_upper_tail(k + 1, n, p) <= ln_upper_tail(k, n, p) + 1e-12);
        }

        #[test]
        fn at_least_even_means_so((n, k) in (1_u32..2_000).prop_flat_map(|n| (Just(n), 0..=n)), p in 0.0_f64..=1.0) {
            prop_assume!(is_at_least_even(k, n, p));
            prop_assert!(ln_upper_tail(k, n, p).exp() >= 0.5 - 1e-12);
        }
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!(ln_upper_tail(0, 0, 0.3), 0.0);
        assert_eq!(ln_upper_tail(0, 10, 0.0), 0.0);
        assert_eq!(ln_upper_tail(1, 10, 0.0), f64::NEG_INFINITY);
        assert_eq!(ln_upper_tail(10, 10, 1.0), 0.0);
        assert_eq!(ln_upper_tail(11, 10, 0.5), f64::NEG_INFINITY);
        assert!((ln_upper_tail(10, 10, 0.5) - 10.0 * 0.5_f64.ln()).abs() < 1e-14);
        assert!((ln_upper_tail(1, 10, 1e-12).exp() / 1e-11 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_tail_too_small_for_a_float_still_has_its_logarithm() {
        let tail = ln_upper_tail(7_000, 10_000, 0.2);
        assert!(tail.exp() == 0.0 && tail.is_finite());
        // By the Chernoff bound it is below −n·KL(0.7 || 0.2), and within a few logarithms of it.
        let bound = -10_000.0 * (0.7 * (0.7_f64 / 0.2).ln() + 0.3 * (0.3_f64 / 0.8).ln());
        assert!(tail < bound && tail > bound - 10.0, "{tail} against {bound}");
    }

    #[test]
    fn a_day_of_messages_in_one_window_is_still_tested() {
        let tail = ln_upper_tail(1_200_001_000, 4_000_000_000, 0.3);
        assert!(tail.is_finite() && tail < -0.6 && tail > -1.0, "{tail}");
    }
}
