//! Exact tails of over-dispersed counts, as logarithms.

use statrs::function::beta::ln_beta;
use statrs::function::gamma::ln_gamma;

/// Below this correlation a beta-binomial is a binomial: the difference is beyond a float.
const LEAST_CORRELATION: f64 = 1e-7;

/// A term this much smaller than the sum so far ends it.
const NEGLIGIBLE: f64 = 1e-10;

/// ln P[X >= `k`] for X beta-binomial: of `n` messages, each unhappy with probability `p`, any two correlated by `rho`.
///
/// `k` <= `n`, 0 < `p` < 1, 0 <= `rho` < 1. Relative error of the probability below 1e-6 for `n` up to a million. Cost: a few
/// standard deviations of additions near the mean, a few dozen far from it. `rho` is 1 / (α + β + 1) of the usual parameters (Skellam 1948).
pub(in crate::detect) fn ln_beta_binomial_upper(k: u32, n: u32, p: f64, rho: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    let rho = rho.max(LEAST_CORRELATION);
    let weight = (1.0 - rho) / rho;
    let (alpha, beta) = (p * weight, (1.0 - p) * weight);
    let (k, n) = (f64::from(k), f64::from(n));
    let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    let ln_mass = ways + ln_beta(k + alpha, n - k + beta) - ln_beta(alpha, beta);
    let (mut term, mut sum, mut j) = (1.0, 1.0, k);
    while j < n && term > sum * NEGLIGIBLE {
        term *= (n - j) * (alpha + j) / ((j + 1.0) * (beta + n - j - 1.0));
        sum += term;
        j += 1.0;
    }
    (ln_mass + f64::ln(sum)).min(0.0)
}

/// A count whose variance is `mean` + `dispersion` × `mean`²: negative binomial. Both above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NegativeBinomial {
    pub(super) mean: f64,
    pub(super) dispersion: f64,
}

impl NegativeBinomial {
    /// ln P[N >= `k`].
    pub(super) fn ln_upper(self, k: u32) -> f64 {
        if k == 0 {
            return 0.0;
        }
        let (size, step) = (self.size(), self.step());
        let (mut term, mut sum, mut j) = (1.0, 1.0, f64::from(k));
        while term > sum * NEGLIGIBLE {
            term *= (j + size) / (j + 1.0) * step;
            sum += term;
            j += 1.0;
        }
        (self.ln_mass(f64::from(k)) + f64::ln(sum)).min(0.0)
    }

    /// ln P[N <= `k`].
    pub(super) fn ln_lower(self, k: u32) -> f64 {
        let (size, step) = (self.size(), self.step());
        let (mut term, mut sum, mut j) = (1.0, 1.0, f64::from(k));
        while j > 0.0 && term > sum * NEGLIGIBLE {
            term *= j / ((j - 1.0 + size) * step);
            sum += term;
            j -= 1.0;
        }
        (self.ln_mass(f64::from(k)) + f64::ln(sum)).min(0.0)
    }

    pub(super) fn standard_deviation(self) -> f64 {
        (self.mean + self.dispersion * self.mean * self.mean).sqrt()
    }

    fn size(self) -> f64 {
        1.0 / self.dispersion
    }

    /// What the masses' ratio tends to.
    fn step(self) -> f64 {
        let spread = self.dispersion * self.mean;
        spread / (1.0 + spread)
    }

    fn ln_mass(self, k: f64) -> f64 {
        let size = self.size();
        let spread = self.dispersion * self.mean;
        // ln(size / (size + mean)) and ln(mean / (size + mean)) without the cancellation of a large size.
        ln_gamma(k + size) - ln_gamma(size) - ln_gamma(k + 1.0) - size * spread.ln_1p() + k * self.step().ln()
    }
}

#[cfg(test)]
mod tests;
