//! The second opinion: a thread between the scoring pool and the fold, which has a slow model score what was chosen for it.
//!
//! Workers choose texts and cut them ([`Chooser`]); the thread offers them to the lane's workers, and holds their batches ([`Desk`]) until
//! all answers are there or the deadline is over. The fold puts batches into order again, as it does for the pool. Nothing is lost and
//! nothing waits longer than the deadline, whatever the model does: the embedded score is there from the start.

mod chooser;
mod desk;
mod slot;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, never, select, unbounded};

use super::scoring::ScoredBatch;
use crate::ingest::Shared;
use crate::publish::{Health, SecondStatus, Thread};
use crate::score::lane::{Lane, LaneOptions, Run};

pub(super) use chooser::{Candidate, Chooser, Wishes};
pub(super) use desk::{Asked, DeskOptions, first_threshold};
pub(super) use slot::ModelSlot;

use desk::Desk;

/// Longest wait for anything: how often the threshold moves on a silent stream, and ended epochs are found.
const TICK: Duration = Duration::from_millis(50);
/// Longest wait for the fold before the thread says that it lives.
const BEAT: Duration = Duration::from_secs(1);
/// How long the lane's workers may take to end.
const GRACE: Duration = Duration::from_millis(500);

/// Batches that may wait for the thread: it takes them as fast as they come, so that few are enough.
pub(super) const BATCHES_WAITING: usize = 8;

/// Whoever is connected to the thread.
pub(super) struct SecondLinks {
    pub(super) asked: Receiver<Asked>,
    pub(super) scored: Sender<ScoredBatch>,
    pub(super) shared: Arc<Shared>,
    pub(super) health: Arc<Health>,
    pub(super) status: Arc<SecondStatus>,
}

/// The thread's own.
struct Second {
    desk: Desk<Lane>,
    links: SecondLinks,
    runs: Receiver<Run>,
    begun: Instant,
}

/// Starts the thread `latido-second` and the lane's. It ends when no batch can come any more and all have gone on.
pub(super) fn start(lane: LaneOptions, desk: DeskOptions, links: SecondLinks) -> io::Result<JoinHandle<()>> {
    let (runs_in, runs) = unbounded();
    let (lane, workers) = Lane::start(lane, runs_in)?;
    let desk = Desk::new(lane, desk, Arc::clone(&links.status));
    let mut second = Second { desk, links, runs, begun: Instant::now() };
    thread::Builder::new().name("latido-second".to_owned()).spawn(move || {
        second.run();
        second.links.health.release(Thread::Second);
        drop(second.desk.into_lane());
        end(workers);
    })
}

/// Waits for the lane's workers a while. One that stands still in a run holds nothing that anybody waits for.
fn end(workers: Vec<JoinHandle<()>>) {
    let begun = Instant::now();
    for worker in workers {
        while !worker.is_finished() && begun.elapsed() < GRACE {
            thread::park_timeout(Duration::from_millis(5));
        }
        if worker.is_finished() && worker.join().is_err() {
            tracing::error!("a worker of the slow model died; the log above says why");
        }
    }
}

impl Second {
    fn run(&mut self) {
        let mut asked = self.links.asked.clone();
        let mut is_open = true;
        while is_open || !self.desk.is_empty() {
            self.links.health.beat(Thread::Second);
            let now = self.begun.elapsed();
            let wait = self.desk.next_deadline().map_or(TICK, |next| next.saturating_sub(now).min(TICK));
            select! {
                recv(self.runs) -> run => if let Ok(run) = run { self.answer(run) },
                recv(asked) -> batch => match batch {
                    Ok(batch) => self.take(batch),
                    Err(_) => (asked, is_open) = (never(), false),
                },
                default(wait) => {}
            }
            for run in self.runs.try_iter().collect::<Vec<_>>() {
                self.answer(run);
            }
            let shared = &self.links.shared;
            let is_current =
                |batch: &crate::ingest::Batch| shared.ledger().epoch(&batch.partition) == Some(batch.epoch);
            self.desk.tick(self.begun.elapsed(), is_current);
            if !self.pass_on() {
                return;
            }
        }
    }

    fn take(&mut self, asked: Asked) {
        let received = asked.scored.batch.received.saturating_duration_since(self.begun);
        self.desk.take(self.begun.elapsed(), received, asked);
    }

    fn answer(&mut self, run: Run) {
        self.desk.answer(self.begun.elapsed(), run);
    }

    /// Hands batches to the fold; false where that is gone.
    fn pass_on(&mut self) -> bool {
        let released: Vec<ScoredBatch> = self.desk.released().collect();
        released.into_iter().all(|scored| self.hand_over(scored))
    }

    fn hand_over(&self, mut scored: ScoredBatch) -> bool {
        loop {
            match self.links.scored.send_timeout(scored, BEAT) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) => scored = back,
                Err(SendTimeoutError::Disconnected(_)) => return false,
            }
            self.links.health.beat(Thread::Second);
        }
    }
}
