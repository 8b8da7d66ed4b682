//! The fold's thread: the one writer of all window state. Everything reaches it through channels, in order.

mod following;
mod garbage;
mod letters;
mod marks;
mod reloading;
mod saving;
mod telling;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, select};

use crate::ingest::{Assignment, Budget, Claim, DeadLetters, Member, Patience, Shared};
use crate::message::PartitionId;
use crate::publish::events::EventProgress;
use crate::publish::{Board, Health, Mark, PanesQuestion, Resume, SecondStatus, Thread, Timings};

use super::breaker::{Breaker, Verdict};
use super::reload::Reload;
use super::routing::Routing;
use super::scoring::ScoredBatch;
use super::state::State;
use super::writer::{Fetched, Job, Wanted, WriterStatus};

/// Longest wait for a batch; also how often stream time moves on a silent stream.
const TICK: Duration = Duration::from_millis(50);
/// How often views are published while batches come without a pause.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// Most batches folded before everything else has its turn.
const BATCHES_A_TURN: usize = 64;

/// Whoever is connected to the fold.
pub(super) struct Links {
    pub(super) scored: Receiver<ScoredBatch>,
    pub(super) assignments: Receiver<Assignment>,
    pub(super) panes_asked: Receiver<PanesQuestion>,
    pub(super) resumes: Receiver<Resume>,
    pub(super) marks: Receiver<Mark>,
    pub(super) reloads: Receiver<Reload>,
    pub(super) jobs: Sender<Job>,
    pub(super) fetched: Receiver<Fetched>,
    pub(super) letters: Option<DeadLetters>,
    /// How the slow model goes; none where there is none.
    pub(super) second: Option<Arc<SecondStatus>>,
    /// How far alert events have come; none where nobody is told.
    pub(super) events: Option<Arc<EventProgress>>,
    pub(super) shared: Arc<Shared>,
    pub(super) board: Arc<Board>,
    pub(super) health: Arc<Health>,
    pub(super) timings: Arc<Timings>,
    pub(super) writer: Arc<WriterStatus>,
    /// How long anything is waited for once the daemon stops: the drain timeout.
    pub(super) patience: Patience,
}

/// Limits and intervals.
pub(super) struct Limits {
    pub(super) checkpoint_every: Duration,
    pub(super) drain_timeout: Duration,
    pub(super) budget: Budget,
    /// Late records are dead letters too.
    pub(super) late_letters: bool,
    /// Panes travel with their partitions, so that several members of a group may share the work.
    pub(super) store_is_shared: bool,
}

/// The fold's own.
pub(super) struct Fold {
    state: State,
    links: Links,
    limits: Limits,
    begun: Instant,
    /// Batches that came before their turn, by partition and then epoch and sequence.
    early: HashMap<PartitionId, BTreeMap<(u32, u64), ScoredBatch>>,
    /// Partitions that have come to the end that they had at their assignment, by the epoch of that assignment.
    caught_up: BTreeMap<PartitionId, u32>,
    published: Instant,
    saved: Instant,
    /// Something was folded since the last checkpoint.
    unsaved: bool,
    /// Checkpoints handed to the writer.
    handed_over: u64,
    /// A record was claimed whose dead letter is lost: no checkpoint may pass it.
    must_not_save: bool,
    /// The membership under which the partitions are ours.
    member: Option<Member>,
    /// State that the store must be asked for.
    wanted: Option<Wanted>,
    breaker: Breaker,
    routing: Routing,
    /// An operator's word that has not been followed yet: how many records may pass.
    accept: Option<u64>,
}

impl Fold {
    /// Starts the thread; it ends when no batch can come any more and the last checkpoint is on its way.
    pub(super) fn start(
        state: State,
        (breaker, routing): (Breaker, Routing),
        links: Links,
        limits: Limits,
    ) -> io::Result<JoinHandle<()>> {
        let now = Instant::now();
        let fold = Self {
            state,
            links,
            limits,
            begun: now,
            early: HashMap::new(),
            caught_up: BTreeMap::new(),
            published: now,
            saved: now,
            unsaved: false,
            handed_over: 0,
            must_not_save: false,
            member: None,
            wanted: None,
            breaker,
            routing,
            accept: None,
        };
        thread::Builder::new().name("latido-fold".to_owned()).spawn(move || fold.run())
    }

    fn run(mut self) {
        self.publish();
        while self.turn() {}
        self.finish();
    }

    /// One turn; false when no batch can come any more.
    fn turn(&mut self) -> bool {
        self.links.health.beat(Thread::Fold);
        // Notes when the stop began.
        self.links.patience.ends();
        let (scored, assignments) = (self.links.scored.clone(), self.links.assignments.clone());
        let mut open = true;
        select! {
            recv(assignments) -> assignment => {
                if let Ok(assignment) = assignment { self.change(assignment) }
            }
            recv(scored) -> batch => match batch {
                Ok(batch) => self.take_all(batch),
                Err(_) => open = false,
            },
            default(TICK) => {}
        }
        self.answer_questions();
        self.follow_marks();
        self.follow_reload();
        self.follow_restore();
        self.follow_breaker();
        let caught_up = self.follow_partitions();
        if self.follow_holding() {
            self.state.advance(self.begun.elapsed());
        }
        // After the panes of the backlog are closed, not before: its alerts page nobody (INV-10).
        self.follow_backlog(caught_up);
        self.tell_ahead();
        if self.published.elapsed() >= PUBLISH_EVERY {
            self.publish();
        }
        self.unsaved |= self.links.writer.take_unsaved();
        self.follow_events();
        if self.saved.elapsed() >= self.limits.checkpoint_every {
            match self.unsaved {
                true => self.save(None, None),
                false => self.note_saved(),
            }
        }
        open
    }

    /// Answers who asks for panes. A question waits for a tick at most; answering copies nothing.
    fn answer_questions(&self) {
        for PanesQuestion { department, answer } in self.links.panes_asked.try_iter() {
            // Whoever asked may have stopped waiting.
            if let Some(now) = self.state.panes_of(&department) {
                answer.send(now).unwrap_or_default();
            }
        }
    }

    /// Folds a batch and those behind it.
    fn take_all(&mut self, first: ScoredBatch) {
        self.take(first);
        for _ in 1..BATCHES_A_TURN {
            let Ok(next) = self.links.scored.try_recv() else { return };
            self.take(next);
        }
    }

    /// Folds a batch if it is its turn, and then the early ones whose turn has come.
    fn take(&mut self, scored: ScoredBatch) {
        // An epoch is announced before its first batch is read, so it is known once the announcements are taken.
        while let Ok(assignment) = self.links.assignments.try_recv() {
            self.change(assignment);
        }
        let partition = scored.batch.partition.clone();
        if self.offer(scored) {
            self.take_early(&partition);
        }
    }

    /// Folds what came early of a partition, as far as its turn has come.
    fn take_early(&mut self, partition: &PartitionId) {
        while let Some(waiting) = self.early.get_mut(partition) {
            let Some(entry) = waiting.first_entry() else {
                self.early.remove(partition);
                return;
            };
            let scored = entry.remove();
            if !self.offer(scored) {
                return;
            }
        }
    }

    /// Applies a batch, keeps it or drops it, as the ledger says. False if it was kept.
    fn offer(&mut self, mut scored: ScoredBatch) -> bool {
        let batch = &scored.batch;
        let peeked = self.links.shared.ledger().peek(&batch.partition, batch.epoch, batch.sequence);
        if peeked == Claim::Apply {
            match self.judge(&scored) {
                Verdict::Take => {}
                Verdict::Wait => {
                    self.keep(scored);
                    return false;
                }
                Verdict::Leave | Verdict::Stop(_) => {
                    self.links.shared.leave(scored.batch.len(), scored.batch.footprint());
                    return true;
                }
            }
        }
        // Nobody else takes batches, but a rebalance may have ended the epoch since.
        let claim = self.links.shared.ledger().claim(&batch.partition, batch.epoch, batch.sequence, batch.next);
        match claim {
            Claim::Early => {
                self.keep(scored);
                return false;
            }
            Claim::Stale => {}
            Claim::Apply => {
                self.routing.put_right(&mut scored);
                self.apply(&scored);
            }
        }
        self.links.shared.leave(scored.batch.len(), scored.batch.footprint());
        true
    }

    /// Keeps a batch until its turn comes.
    fn keep(&mut self, scored: ScoredBatch) {
        let batch = &scored.batch;
        let waiting = self.early.entry(batch.partition.clone()).or_default();
        waiting.insert((batch.epoch, batch.sequence), scored);
    }

    fn apply(&mut self, scored: &ScoredBatch) {
        self.unsaved = true;
        let in_no_window = self.state.apply(scored, self.begun.elapsed());
        self.links.timings.consumption_to_fold.observe(scored.batch.received.elapsed().as_secs_f64());
        for place in in_no_window {
            self.bury(scored, place);
        }
    }

    /// Drops what came early under an assignment that has ended.
    fn drop_stale(&mut self) {
        let ledger = self.links.shared.ledger();
        let shared = &self.links.shared;
        for (partition, waiting) in &mut self.early {
            let epoch = ledger.epoch(partition);
            waiting.retain(|(of, _), scored| {
                let keep = Some(*of) == epoch;
                if !keep {
                    shared.leave(scored.batch.len(), scored.batch.footprint());
                }
                keep
            });
        }
        drop(ledger);
        self.early.retain(|_, waiting| !waiting.is_empty());
    }
}
