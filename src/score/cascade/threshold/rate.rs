//! How many texts come.

use std::time::Duration;

use super::decay;

/// A burst is met within a second.
const QUICK: Duration = Duration::from_millis(500);

/// Its end is not believed at once: bursts come again.
const SLOW: Duration = Duration::from_secs(10);

/// Texts that came, those of late more: once by a short memory and once by a long one.
#[derive(Clone, Debug, Default)]
pub(super) struct Rate {
    quick: f64,
    slow: f64,
}

impl Rate {
    pub(super) fn pass(&mut self, elapsed: Duration) {
        self.quick *= decay(elapsed, QUICK);
        self.slow *= decay(elapsed, SLOW);
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of texts in memory is exact in f64")]
    pub(super) fn add(&mut self, texts: usize) {
        self.quick += texts as f64;
        self.slow += texts as f64;
    }

    /// Texts a second: the higher of both, so that it rises at once and falls slowly.
    pub(super) fn per_second(&self) -> f64 {
        let rate = |texts: f64, half_life: Duration| texts * std::f64::consts::LN_2 / half_life.as_secs_f64();
        rate(self.quick, QUICK).max(rate(self.slow, SLOW))
    }
}
