use proptest::prelude::*;

use super::*;

/// Masses of a beta-binomial, each from the one before, begun at none: no shortcut shared with the code under test.
fn beta_binomial(n: u32, p: f64, rho: f64) -> Vec<f64> {
    let weight = (1.0 - rho) / rho;
    let (alpha, beta) = (p * weight, (1.0 - p) * weight);
    // P[none] is a product over the messages: each is content, given that all before it were.
    let mut mass: f64 = (0..n).map(|i| (beta + f64::from(i)) / (alpha + beta + f64::from(i))).product();
    let mut masses = vec![mass];
    for k in 0..n {
        let (k, n) = (f64::from(k), f64::from(n));
        mass *= (n - k) / (k + 1.0) * (alpha + k) / (beta + n - k - 1.0);
        masses.push(mass);
    }
    masses
}

fn negative_binomial(mean: f64, dispersion: f64, up_to: u32) -> Vec<f64> {
    let size = 1.0 / dispersion;
    let step = mean / (mean + size);
    let mut mass = (size / (size + mean)).powf(size);
    let mut masses = vec![mass];
    for k in 0..up_to {
        mass *= (f64::from(k) + size) / (f64::from(k) + 1.0) * step;
        masses.push(mass);
    }
    masses
}

proptest! {
    #[test]
    fn the_tail_of_a_beta_binomial_is_the_sum_of_its_masses(
        (n, k) in (1_u32..300).prop_flat_map(|n| (Just(n), 0..=n)),
        p in 0.01_f64..0.99,
        rho in 0.001_f64..0.3,
    ) {
        let naive: f64 = beta_binomial(n, p, rho)[k as usize..].iter().rev().sum();
        prop_assume!(naive > 1e-200);
        let exact = ln_beta_binomial_upper(k, n, p, rho).exp();
        prop_assert!((exact - naive).abs() <= 1e-6 * naive, "P[X >= {k} | {n}, {p}, {rho}] = {exact}, not {naive}");
    }

    #[test]
    fn both_tails_of_a_volume_are_the_sums_of_its_masses(mean in 0.5_f64..80.0, dispersion in 0.01_f64..2.0, k in 0_u32..200) {
        let masses = negative_binomial(mean, dispersion, 20_000);
        let usual = NegativeBinomial { mean, dispersion };
        let lower: f64 = masses[..=k as usize].iter().sum();
        let upper: f64 = masses[k as usize..].iter().rev().sum();
        prop_assert!((usual.ln_lower(k).exp() - lower).abs() <= 1e-6 * lower);
        prop_assume!(upper > 1e-200);
        prop_assert!((usual.ln_upper(k).exp() - upper).abs() <= 1e-6 * upper, "{} is not {upper}", usual.ln_upper(k).exp());
    }

    #[test]
    fn no_argument_gives_anything_but_a_probability(
        (n, k) in (1_u32..1_000_000).prop_flat_map(|n| (Just(n), 0..=n)),
        p in 0.001_f64..0.97,
        rho in 0.0_f64..0.9,
    ) {
        let tail = ln_beta_binomial_upper(k, n, p, rho);
        prop_assert!(tail <= 0.0 && !tail.is_nan(), "{tail}");
    }
}

#[test]
fn without_correlation_it_is_the_binomial() {
    // 7 or more of 10 at 1/2: (120 + 45 + 10 + 1) / 1024.
    let tail = ln_beta_binomial_upper(7, 10, 0.5, 0.0).exp();
    assert!((tail - 176.0 / 1_024.0).abs() < 1e-6, "{tail}");
}

#[test]
fn a_tail_beyond_any_float_is_still_told_apart() {
    let (far, farther) =
        (ln_beta_binomial_upper(7_000, 10_000, 0.2, 0.0), ln_beta_binomial_upper(7_100, 10_000, 0.2, 0.0));
    assert!(farther < far && far < -1_000.0, "{far} {farther}");
}
