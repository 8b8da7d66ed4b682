//! The threshold of worth: as low as the slow model's pace allows.

use std::time::Duration;

use super::Worth;

mod histogram;
mod rate;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use histogram::Histogram;
use rate::Rate;

/// The threshold while nothing, or next to nothing, was seen.
const START: u16 = 250;

/// From so many texts on their worths say where the threshold is to be.
const ENOUGH: f64 = 20.0;

/// What the slow model is taken to manage before that was measured, in texts a second: less than one core does.
const UNMEASURED: f64 = 20.0;

/// How much of what the slow model manages is made use of: what is left lets a backlog go down.
const USED: f64 = 0.7;

/// How much of the deadline may go by waiting before fewer texts are sent.
const WAIT_FROM: f64 = 0.5;

/// Moves the threshold, so that the texts of most worth are sent and no more of them than the slow model manages.
///
/// Pure: the same calls give the same thresholds. `now` is monotonic, since any start; one before the last counts as the last.
///
/// ```
/// use std::time::Duration;
/// use latido::score::cascade::{Budget, Worth};
///
/// let mut budget = Budget::new(1.0);
/// budget.capacity(Some(70.0));
/// for second in 0..60 {
///     budget.seen(Duration::from_secs(second), &[Worth::new(0.1), Worth::new(0.4)]);
/// }
/// assert_eq!(budget.threshold(Duration::from_secs(60)), Worth::NOTHING, "so few are all sent");
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    max_share: f64,
    capacity: f64,
    /// What part of the share is left by those that wait: 0 to 1.
    patience: f64,
    worths: Histogram,
    arrivals: Rate,
    now: Duration,
}

impl Budget {
    /// Sends at most that part of the texts, 0 to 1; what is beyond is clamped, and not-a-number is 0.
    #[must_use]
    pub fn new(max_share: f64) -> Self {
        let max_share = if max_share.is_nan() { 0.0 } else { max_share.clamp(0.0, 1.0) };
        Self {
            max_share,
            capacity: UNMEASURED,
            patience: 1.0,
            worths: Histogram::default(),
            arrivals: Rate::default(),
            now: Duration::ZERO,
        }
    }

    /// Takes the worths of all texts that were scored, whether they were sent or not.
    pub fn seen(&mut self, now: Duration, worths: &[Worth]) {
        self.pass(now);
        self.worths.add(worths);
        self.arrivals.add(worths.len());
    }

    /// How many texts a second the slow model manages, as measured; none while that is unknown, and then it is taken for 20.
    pub fn capacity(&mut self, texts_per_second: Option<f64>) {
        self.capacity = texts_per_second.filter(|rate| *rate >= 0.0).unwrap_or(UNMEASURED);
    }

    /// How long a text sent now would wait, and how long it may. Of the last word only; so say it as often as it changes. From half
    /// the deadline on fewer texts are sent, and none once all of it would go by waiting.
    pub fn waiting(&mut self, wait: Duration, deadline: Duration) {
        let (wait, deadline) = (wait.as_secs_f64(), deadline.as_secs_f64());
        let part = if wait >= deadline { 1.0 } else { wait / deadline };
        self.patience = ((1.0 - part) / (1.0 - WAIT_FROM)).clamp(0.0, 1.0);
    }

    /// What part of the texts can be sent, 0 to 1.
    #[must_use]
    pub fn affordable(&self) -> f64 {
        let rate = self.arrivals.per_second();
        let managed = self.capacity * USED;
        let of_all = if managed >= rate && managed > 0.0 { 1.0 } else { managed / rate.max(f64::MIN_POSITIVE) };
        self.max_share.min(of_all) * self.patience
    }

    /// Texts whose worth reaches it are sent: a whole step of [`Worth::STEPS`]. [`Worth::NOTHING`] where all can be sent,
    /// [`Worth::NEVER`] where none can, 0.25 before the first text. Of texts of about the same worth, which would be more than can be
    /// sent, it sends none.
    pub fn threshold(&mut self, now: Duration) -> Worth {
        self.pass(now);
        let affordable = self.affordable();
        if affordable <= 0.0 {
            return Worth::NEVER;
        }
        let seen = self.worths.total();
        if affordable >= 1.0 && seen > 0.0 {
            return Worth::NOTHING;
        }
        let step = if seen < ENOUGH { START } else { self.worths.step_above(affordable * seen) };
        Worth::at_step(step)
    }

    /// Lets time go by.
    fn pass(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.now);
        self.now += elapsed;
        self.worths.pass(elapsed);
        self.arrivals.pass(elapsed);
    }
}

/// What is left of 1 after a time.
fn decay(elapsed: Duration, half_life: Duration) -> f64 {
    libm::exp2(-elapsed.as_secs_f64() / half_life.as_secs_f64())
}
