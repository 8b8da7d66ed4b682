//! The checkpoint writer: saves what the fold hands it, once the dead letters it covers are confirmed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::checkpoint::{Snapshot, Store};
use crate::ingest::{DeadLetterProgress, Member, Patience, Positions, Shared};
use crate::message::{EventTime, PartitionId};
use crate::publish::{Health, Thread};
use crate::sabotage::{self, Sabotage};

use super::events::EventsOut;
use super::scoring::wall_clock;

/// The key of the reason on `/readyz` that the last checkpoint was not saved.
pub(super) const CHECKPOINT: &str = "checkpoint";

const BEAT: Duration = Duration::from_secs(1);
const WAIT_FOR_LETTERS: Duration = Duration::from_millis(5);
/// Why the last checkpoint is not saved where dead letters are not confirmed.
pub(super) const LETTERS_WAIT: &str = "dead letters that it would cover are not confirmed: see kafka.dead_letter_topic. Their \
                                       records are read again";
const NEVER: i64 = i64::MIN;

/// Longest between two tries to fetch state.
const FETCH_AGAIN: Duration = Duration::from_secs(1);

/// What the fold wants of the store.
pub(super) enum Job {
    /// Save a checkpoint.
    Save(Box<Checkpoint>),
    /// Fetch the state of partitions.
    Fetch(Wanted),
}

/// State to be fetched.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) partitions: Vec<PartitionId>,
    /// The rebalance that gave them; after another one they are no longer wanted.
    pub(super) round: u64,
}

/// State that was fetched.
pub(super) struct Fetched {
    pub(super) wanted: Wanted,
    pub(super) snapshot: Snapshot,
}

/// A checkpoint to be saved.
pub(super) struct Checkpoint {
    pub(super) snapshot: Snapshot,
    /// The membership under which it was taken, and the rebalance.
    pub(super) member: Option<Member>,
    pub(super) round: u64,
    pub(super) positions: Positions,
    /// The last dead letter that the positions pass.
    pub(super) ticket: u64,
    /// Save by then or not at all; none: wait for the dead letters as long as it takes.
    pub(super) deadline: Option<Instant>,
    /// Who waits for it.
    pub(super) answer: Option<Sender<Positions>>,
}

impl Checkpoint {
    /// Whether its partitions have gone elsewhere since it was taken, with their state: nothing of them can be saved any more, and
    /// the next state waits behind this.
    fn is_void(&self, shared: &Shared) -> bool {
        self.travels() && shared.status().round() != self.round
    }

    /// Whether it is no loss to those partitions that are here now: its own have gone, or go once whoever asked has waited long
    /// enough. Their next owner reads again what it would have saved.
    fn is_of_the_past(&self, shared: &Shared) -> bool {
        self.is_void(shared) || (self.travels() && self.answer.is_some())
    }

    fn travels(&self) -> bool {
        !self.snapshot.shards.is_empty()
    }
}

/// How saving goes.
#[derive(Debug)]
pub(super) struct WriterStatus {
    saved: AtomicI64,
    failures: AtomicU64,
    damaged: AtomicU64,
    /// A checkpoint was not saved, and none since.
    unsaved: AtomicBool,
    /// Checkpoints that the writer is done with, saved or not.
    settled: AtomicU64,
}

impl Default for WriterStatus {
    fn default() -> Self {
        Self {
            saved: AtomicI64::new(NEVER),
            failures: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            unsaved: AtomicBool::new(false),
            settled: AtomicU64::new(0),
        }
    }
}

impl WriterStatus {
    /// Wall clock of the last checkpoint saved.
    pub(super) fn saved(&self) -> Option<EventTime> {
        Some(self.saved.load(Ordering::Relaxed)).filter(|millis| *millis != NEVER).map(EventTime::from_millis)
    }

    /// The last checkpoint saved is as good as one of this moment; nothing happens before the first.
    pub(super) fn note_saved(&self) {
        if self.saved().is_some() {
            self.saved.store(wall_clock().as_millis(), Ordering::Relaxed);
        }
    }

    /// Whether the writer is done with so many checkpoints, and the last one is saved.
    pub(super) fn has_settled(&self, handed_over: u64) -> bool {
        self.settled.load(Ordering::Acquire) >= handed_over && !self.unsaved.load(Ordering::Relaxed)
    }

    /// Checkpoints that could not be saved.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Checkpoints that were found damaged when the daemon started.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Notes checkpoints that cannot be read.
    pub(super) fn found_damaged(&self, checkpoints: usize) {
        self.damaged.fetch_add(checkpoints as u64, Ordering::Relaxed);
    }

    /// Whether a checkpoint was not saved since the last call: it must be tried again though nothing new was folded.
    pub(super) fn take_unsaved(&self) -> bool {
        self.unsaved.swap(false, Ordering::Relaxed)
    }
}

/// The writer's own.
pub(super) struct Writer {
    pub(super) store: Box<dyn Store>,
    pub(super) jobs: Receiver<Job>,
    /// Where state goes that was fetched.
    pub(super) fetched: Sender<Fetched>,
    pub(super) shared: Arc<Shared>,
    /// Set when the daemon stops: then state is no longer waited for.
    pub(super) stop: Arc<AtomicBool>,
    pub(super) covered: Sender<Positions>,
    pub(super) letters: Option<Arc<DeadLetterProgress>>,
    /// Who has alert events sent; none where nobody is told.
    pub(super) events: Option<EventsOut>,
    /// How long a checkpoint that nobody asked for goes on while the daemon stops: the last one must have its time.
    pub(super) patience: Patience,
    pub(super) status: Arc<WriterStatus>,
    pub(super) health: Arc<Health>,
}

impl Writer {
    /// Starts the thread; it ends when no job can come any more.
    pub(super) fn start(self) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("latido-save".to_owned()).spawn(move || self.run())
    }

    fn run(mut self) {
        loop {
            self.health.beat(Thread::Checkpoint);
            match self.jobs.recv_timeout(BEAT) {
                Ok(Job::Save(checkpoint)) => {
                    self.save(*checkpoint);
                    self.status.settled.fetch_add(1, Ordering::Release);
                }
                Ok(Job::Fetch(wanted)) => self.fetch(wanted),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Fetches state, and tries on until it is here, the partitions have gone elsewhere, or the daemon stops.
    fn fetch(&mut self, wanted: Wanted) {
        let began = Instant::now();
        let (health, shared, round) = (Arc::clone(&self.health), Arc::clone(&self.shared), wanted.round);
        let stop = Arc::clone(&self.stop);
        let mut is_wanted = move || {
            health.beat(Thread::Checkpoint);
            shared.status().round() == round && !stop.load(Ordering::Acquire)
        };
        let partitions = wanted.partitions.len();
        self.health.set_not_ready("restoring", format!("the state of {partitions} partitions is on its way"));
        while is_wanted() {
            match self.store.fetch(&wanted.partitions, &mut is_wanted) {
                Ok(snapshot) => {
                    let (found, took) = (snapshot.partitions.len(), began.elapsed());
                    tracing::info!(partitions, found, ?took, "state of the partitions fetched");
                    self.health.set_ready("restoring");
                    // The fold ends first only where the daemon stops.
                    self.fetched.send(Fetched { wanted, snapshot }).unwrap_or_default();
                    return;
                }
                Err(error) => {
                    if !is_wanted() {
                        break;
                    }
                    tracing::error!(%error, "the state of the partitions cannot be fetched; trying on");
                    self.health.set_not_ready("restoring", error.to_string());
                    thread::sleep(FETCH_AGAIN);
                }
            }
        }
        self.health.set_ready("restoring");
    }

    fn save(&mut self, job: Checkpoint) {
        if !self.letters_confirmed(&job) {
            tracing::warn!("checkpoint not saved: dead letters it would cover are not confirmed");
            if job.is_of_the_past(&self.shared) {
                return;
            }
            self.status.unsaved.store(true, Ordering::Relaxed);
            if self.stop.load(Ordering::Acquire) {
                // Taken back by the last one, if that one is saved.
                self.health.set_not_ready(CHECKPOINT, LETTERS_WAIT.to_owned());
            }
            return;
        }
        let (health, patience, shared) = (&self.health, &mut self.patience, &self.shared);
        let mut go_on = || {
            health.beat(Thread::Checkpoint);
            let is_over = match job.deadline {
                Some(deadline) => Instant::now() >= deadline,
                None => patience.is_over(),
            };
            !is_over && !job.is_void(shared)
        };
        match self.store.save(&job.snapshot, job.member.as_ref(), &mut go_on) {
            Err(error) if error.is_fenced() => {
                // The consumer thread learns of it by itself, and lets go of them.
                tracing::warn!(%error, "checkpoint not saved");
                self.health.set_ready(CHECKPOINT);
                return;
            }
            Err(error) if job.is_of_the_past(&self.shared) => {
                tracing::warn!(%error, "checkpoint of partitions not saved that have gone elsewhere meanwhile");
                return;
            }
            Ok(sent) => {
                self.status.saved.store(wall_clock().as_millis(), Ordering::Relaxed);
                self.health.set_ready(CHECKPOINT);
                if let Some(events) = &mut self.events {
                    events.saved(&job.snapshot.outbox, &sent);
                }
            }
            Err(error) => {
                self.status.failures.fetch_add(1, Ordering::Relaxed);
                self.status.unsaved.store(true, Ordering::Relaxed);
                tracing::error!(%error, "checkpoint not saved; the one before still stands");
                self.health.set_not_ready(CHECKPOINT, error.to_string());
                return;
            }
        }
        if let Some(answer) = job.answer {
            // Whoever asked may have stopped waiting.
            answer.try_send(job.positions.clone()).unwrap_or_default();
        }
        // The consumer thread ends last; where it is gone, nobody commits.
        self.covered.send(job.positions).unwrap_or_default();
    }

    /// Waits until every dead letter that the job covers is confirmed.
    fn letters_confirmed(&mut self, job: &Checkpoint) -> bool {
        let Some(letters) = &self.letters else { return true };
        if sabotage::is(Sabotage::DeadLetterNotAwaited) {
            return true;
        }
        while letters.confirmed_through() < job.ticket {
            let is_void = job.is_void(&self.shared);
            // The last checkpoint waits for them too.
            let is_over = match job.deadline {
                Some(deadline) => Instant::now() >= deadline,
                None => self.stop.load(Ordering::Acquire),
            };
            if is_void || is_over {
                return false;
            }
            self.health.beat(Thread::Checkpoint);
            thread::sleep(WAIT_FOR_LETTERS);
        }
        true
    }
}

#[cfg(test)]
mod tests;
