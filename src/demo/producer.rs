//! When which record is written: a day of history as fast as the pipeline takes it, then at the pace of the demo's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::DemoError;
use super::clock::Clock;
use super::generator::Generator;
use super::journal::{Journal, Phase};
use super::outlet::Outlet;
use super::progress::Progress;
use crate::message::EventTime;

/// With more records than this not yet processed, nothing is produced: the mock broker keeps 5 MiB a partition and
/// then drops the oldest without a word.
pub(crate) const MAX_LAG: u64 = 20_000;

/// The lag is looked at once in so many records.
const LAG_CHECK_EVERY: u64 = 128;

/// How long the producer waits before it looks around again.
const STEP: Duration = Duration::from_millis(10);

/// A pipeline that takes nothing for so long is stuck.
pub(crate) const STALLED_AFTER: Duration = Duration::from_secs(60);

/// Writes the generator's records to an outlet.
pub(crate) struct Producer<O, C> {
    pub(crate) generator: Generator,
    pub(crate) outlet: O,
    pub(crate) clock: C,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) stop: Arc<AtomicBool>,
    /// How long the live part lasts; for good where none.
    pub(crate) live_for: Option<Duration>,
}

impl<O: Outlet, C: Clock> Producer<O, C> {
    /// Writes until the live part is over or it is told to stop, then waits for every confirmation.
    /// Returns how many records the broker confirmed.
    pub(crate) fn run(mut self) -> Result<u64, DemoError> {
        self.journal.enter(Phase::History);
        self.write_history()?;
        if !self.stopped() {
            self.go_live()?;
        }
        self.journal.settling_since(self.clock.now());
        self.outlet.finish()
    }

    /// Writes what lies before the present until the pipeline has taken it all.
    fn write_history(&mut self) -> Result<(), DemoError> {
        self.write_up_to_now()?;
        self.wait_for_lag(0)?;
        self.write_up_to_now()
    }

    fn go_live(&mut self) -> Result<(), DemoError> {
        self.clock.go();
        let since = self.clock.now();
        let incident = self.generator.begin_live(since);
        self.journal.went_live(since, incident);
        let until = self.live_for.map(|span| self.clock.elapsed() + span);
        while !self.stopped() && until.is_none_or(|until| self.clock.elapsed() < until) {
            let now = self.clock.now();
            self.write_up_to(now)?;
            self.journal.reach(now, self.clock.is_at_present());
            self.outlet.serve(STEP);
        }
        Ok(())
    }

    fn write_up_to_now(&mut self) -> Result<(), DemoError> {
        while !self.stopped() && self.generator.next_at() <= self.clock.now() {
            self.write_one()?;
        }
        Ok(())
    }

    fn write_up_to(&mut self, moment: EventTime) -> Result<(), DemoError> {
        while !self.stopped() && self.generator.next_at() <= moment {
            self.write_one()?;
        }
        Ok(())
    }

    fn write_one(&mut self) -> Result<(), DemoError> {
        if self.journal.sent().is_multiple_of(LAG_CHECK_EVERY) {
            self.outlet.serve(Duration::ZERO);
            self.wait_for_lag(MAX_LAG - LAG_CHECK_EVERY)?;
        }
        let record = self.generator.next_record();
        self.outlet.send(&record)?;
        self.journal.count(record.kind);
        Ok(())
    }

    /// Waits until at most so many records are unprocessed.
    fn wait_for_lag(&mut self, most: u64) -> Result<(), DemoError> {
        let mut processed = self.processed();
        let mut moved_at = self.clock.elapsed();
        while !self.stopped() && self.journal.sent().saturating_sub(processed) > most {
            self.journal.set_paused(true);
            self.outlet.serve(STEP);
            let now_processed = self.processed();
            if now_processed != processed {
                (processed, moved_at) = (now_processed, self.clock.elapsed());
            }
            if self.clock.elapsed() >= moved_at + STALLED_AFTER {
                return Err(DemoError::Stalled { sent: self.journal.sent(), processed });
            }
        }
        self.journal.set_paused(false);
        Ok(())
    }

    fn processed(&self) -> u64 {
        self.progress.glance().counts.processed()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
