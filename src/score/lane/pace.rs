//! How fast a lane is.

use std::time::Duration;

/// After so many tokens a run counts half.
const HALF_LIFE: f64 = 8_192.0;

/// Tokens a second, measured by the runs, the latest more. Pure.
#[derive(Clone, Debug)]
pub struct Pace {
    workers: f64,
    texts: f64,
    tokens: f64,
    seconds: f64,
}

impl Pace {
    /// Of so many workers, of which nothing is known yet.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no machine has that many cores")]
    pub fn new(workers: usize) -> Self {
        Self { workers: workers.max(1) as f64, texts: 0.0, tokens: 0.0, seconds: 0.0 }
    }

    /// Takes a run of so many texts, of so many tokens in all, by one worker.
    #[expect(clippy::cast_precision_loss, reason = "tokens of a run are few")]
    pub fn note(&mut self, texts: usize, tokens: usize, took: Duration) {
        let tokens = tokens as f64;
        let left = (-tokens / HALF_LIFE).exp2();
        self.texts = self.texts * left + texts as f64;
        self.tokens = self.tokens * left + tokens;
        self.seconds = self.seconds * left + took.as_secs_f64();
    }

    /// Tokens a second of all workers together; none before the first run.
    #[must_use]
    pub fn tokens_per_second(&self) -> Option<f64> {
        let is_known = self.tokens > 0.0 && self.seconds > 0.0;
        is_known.then(|| self.workers * self.tokens / self.seconds)
    }

    /// Texts a second of all workers together; none before the first run.
    #[must_use]
    pub fn texts_per_second(&self) -> Option<f64> {
        self.tokens_per_second().map(|rate| rate * self.texts / self.tokens)
    }

    /// How long it takes until so many tokens have been run; no time as long as nothing is known.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "tokens that wait are few")]
    pub fn wait_for(&self, tokens: usize) -> Duration {
        let seconds = self.tokens_per_second().map_or(0.0, |rate| tokens as f64 / rate);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() <= 1e-6 * other.abs()
    }

    #[test]
    fn nothing_is_known_before_the_first_run() {
        let pace = Pace::new(4);
        assert_eq!(pace.tokens_per_second(), None);
        assert_eq!(pace.wait_for(1_000_000), Duration::ZERO);
    }

    #[test]
    fn workers_work_side_by_side() {
        let mut pace = Pace::new(4);
        pace.note(20, 500, Duration::from_secs(1));
        assert!(close(pace.tokens_per_second().unwrap(), 2_000.0));
        assert!(close(pace.texts_per_second().unwrap(), 80.0));
        assert!(close(pace.wait_for(1_000).as_secs_f64(), 0.5));
    }

    #[test]
    fn a_run_of_nothing_says_nothing() {
        let mut pace = Pace::new(1);
        pace.note(0, 0, Duration::ZERO);
        assert_eq!(pace.tokens_per_second(), None);
    }

    #[test]
    fn after_a_change_of_pace_it_is_believed_within_seconds() {
        let mut pace = Pace::new(1);
        (0..1_000).for_each(|_| pace.note(40, 1_000, Duration::from_secs(1)));
        (0..60).for_each(|_| pace.note(40, 1_000, Duration::from_secs(4)));
        assert!(pace.tokens_per_second().unwrap() < 255.0);
    }

    proptest! {
        #[test]
        fn the_pace_is_between_that_of_the_slowest_and_of_the_quickest_run(
            runs in prop::collection::vec((1_usize..2_000, 1_u64..5_000), 1..60),
        ) {
            let mut pace = Pace::new(1);
            let mut rates = Vec::new();
            for (tokens, millis) in runs {
                let took = Duration::from_millis(millis);
                pace.note(1, tokens, took);
                rates.push(tokens as f64 / took.as_secs_f64());
            }
            let rate = pace.tokens_per_second().unwrap();
            let (least, most) = rates.iter().fold((f64::MAX, 0.0_f64), |(least, most), rate| (least.min(*rate), most.max(*rate)));
            prop_assert!((least * 0.999..=most * 1.001).contains(&rate), "{least} {rate} {most}");
        }
    }
}
