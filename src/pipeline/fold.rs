//! The fold's thread: the one writer of all window state. Everything reaches it through channels, in order.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, select};

use crate::ingest::{
    Assigned, Assignment, Batch, Budget, Claim, DeadLetter, DeadLetters, FETCH_AHEAD, Member, OUTSTANDING_LIMIT,
    Patience, Positions, Shared,
};
use crate::message::{LetterReason, PartitionId};
use crate::publish::{Board, Buffer, Health, PanesQuestion, PartitionView, Resume, StreamView, Thread, Timings};
use crate::sabotage::{self, Sabotage};

use super::breaker::{Breaker, Share, Verdict};
use super::scoring::{Outcome, ScoredBatch, wall_clock};
use super::state::State;
use super::writer::{Checkpoint, Fetched, Job, Wanted, WriterStatus};

/// Longest wait for a batch; also how often stream time moves on a silent stream.
const TICK: Duration = Duration::from_millis(50);
/// How often views are published while batches come without a pause.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// An end of a partition seen longer ago than this says nothing any more.
const END_KNOWN_FOR: Duration = Duration::from_secs(3);
/// The key of the note on `/readyz` that windows are not tested.
const PAGING: &str = "paging";
/// Most batches folded before everything else has its turn.
const BATCHES_A_TURN: usize = 64;

/// Whoever is connected to the fold.
pub(super) struct Links {
    pub(super) scored: Receiver<ScoredBatch>,
    pub(super) assignments: Receiver<Assignment>,
    pub(super) panes_asked: Receiver<PanesQuestion>,
    pub(super) resumes: Receiver<Resume>,
    pub(super) jobs: Sender<Job>,
    pub(super) fetched: Receiver<Fetched>,
    pub(super) letters: Option<DeadLetters>,
    pub(super) shared: Arc<Shared>,
    pub(super) board: Arc<Board>,
    pub(super) health: Arc<Health>,
    pub(super) timings: Arc<Timings>,
    pub(super) writer: Arc<WriterStatus>,
    /// Set when the daemon stops: then nothing is waited for beyond the drain timeout.
    pub(super) stop: Arc<AtomicBool>,
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
    /// A record was claimed whose dead letter is lost: no checkpoint may pass it.
    must_not_save: bool,
    /// The membership under which the partitions are ours.
    member: Option<Member>,
    /// State that the store must be asked for.
    wanted: Option<Wanted>,
    breaker: Breaker,
    /// An operator's word that has not been followed yet: how many records may pass.
    accept: Option<u64>,
}

impl Fold {
    /// Starts the thread; it ends when no batch can come any more and the last checkpoint is on its way.
    pub(super) fn start(state: State, breaker: Breaker, links: Links, limits: Limits) -> io::Result<JoinHandle<()>> {
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
            must_not_save: false,
            member: None,
            wanted: None,
            breaker,
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
        if self.unsaved && self.saved.elapsed() >= self.limits.checkpoint_every {
            self.save(None, None);
        }
        open
    }

    /// Answers who asks for panes. A question waits for a tick at most; answering copies nothing.
    fn answer_questions(&self) {
        for PanesQuestion { department, answer } in self.links.panes_asked.try_iter() {
            // Whoever asked may have stopped waiting.
            answer.send(self.state.panes_now(department)).unwrap_or_default();
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
    fn offer(&mut self, scored: ScoredBatch) -> bool {
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
            Claim::Apply => self.apply(&scored),
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

    /// Asks the breaker; where it says so, stops reading. Then nothing of the batch is taken.
    fn judge(&mut self, scored: &ScoredBatch) -> Verdict {
        let topic = Arc::clone(&scored.batch.partition.topic);
        let verdict = self.breaker.judge(&topic, share_of(scored), self.begun.elapsed());
        self.follow_verdict(&verdict);
        verdict
    }

    fn follow_verdict(&self, verdict: &Verdict) {
        let Verdict::Stop(reason) = verdict else { return };
        tracing::error!("{reason}");
        self.links.health.set_not_ready("garbage", reason.clone());
        self.links.shared.hold();
    }

    /// Decides on what is read on trial, and folds it if it is good enough.
    fn decide_trial(&mut self) {
        let mut topics: BTreeMap<Arc<str>, Share> = BTreeMap::new();
        for (partition, waiting) in &self.early {
            let share = topics.entry(Arc::clone(&partition.topic)).or_default();
            waiting.values().for_each(|scored| *share += share_of(scored));
        }
        let worst = topics.into_iter().max_by(|(_, one), (_, other)| one.ratio().total_cmp(&other.ratio()));
        let Some((topic, share)) = worst else { return };
        let Some(verdict) = self.breaker.decide(&topic, share, self.begun.elapsed()) else { return };
        self.follow_verdict(&verdict);
        if verdict == Verdict::Take {
            let partitions: Vec<PartitionId> = self.early.keys().cloned().collect();
            partitions.iter().for_each(|partition| self.take_early(partition));
        }
    }

    /// Lets reading go on, on trial or by an operator's word, once what was on its way is dropped.
    fn follow_breaker(&mut self) {
        if let Some(Resume { records }) = self.links.resumes.try_iter().last() {
            tracing::info!(records, "an operator resumes reading");
            self.accept = Some(records);
        }
        if self.breaker.is_probing() {
            self.decide_trial();
        }
        if !self.breaker.is_open() {
            // Said of a stream that is read: there is nothing to resume.
            self.accept = None;
            if self.breaker.is_closed() {
                self.links.health.set_ready("garbage");
            }
            return;
        }
        let due = self.breaker.is_due(self.begun.elapsed());
        if !self.links.shared.is_rewound() || !(due || self.accept.is_some()) {
            return;
        }
        self.breaker.resume(self.accept.take().unwrap_or(0), self.begun.elapsed());
        self.links.shared.release();
    }

    fn apply(&mut self, scored: &ScoredBatch) {
        self.unsaved = true;
        let in_no_window = self.state.apply(scored, self.begun.elapsed());
        for place in in_no_window {
            self.bury(scored, place);
        }
    }

    /// Why a record is set aside, and what exactly is wrong with it; none where it is only counted.
    fn cause_of_death(&self, outcome: &Outcome) -> Option<(LetterReason, String)> {
        match outcome {
            Outcome::Rejected(rejection) => Some((LetterReason::Rejected(rejection.reason), rejection.detail.clone())),
            Outcome::Scored(placed, ..) if self.limits.late_letters => {
                let error = format!("its event time {} is too old for any window", placed.event_time);
                Some((LetterReason::Late, error))
            }
            _ => None,
        }
    }

    /// Sends a record that is in no window to the dead-letter topic; waits for room there, since nothing may pass it (INV-1).
    fn bury(&mut self, scored: &ScoredBatch, place: usize) {
        let Some((reason, error)) = scored.outcomes.get(place).and_then(|outcome| self.cause_of_death(outcome)) else {
            return;
        };
        let Some(record) = scored.batch.record(place) else { return };
        let partition = &scored.batch.partition;
        tracing::debug!(%partition, offset = record.offset.0, reason = reason.as_str(), "a record in no window");
        let Some(letters) = &mut self.links.letters else { return };
        let letter = DeadLetter {
            partition: partition.clone(),
            offset: record.offset,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.map(|(key, value)| (key.to_owned(), value.map(<[u8]>::to_vec))).collect(),
            reason,
            error,
            received_at: scored.decoded,
        };
        let health = Arc::clone(&self.links.health);
        let mut patience = Patience::new(Arc::clone(&self.links.stop), self.limits.drain_timeout);
        let sent = letters.send(letter, || {
            health.beat(Thread::Fold);
            !patience.is_over()
        });
        if !sent {
            // The offset is claimed but its dead letter is lost: no checkpoint may cover it. It is read again.
            self.must_not_save = true;
            tracing::error!(
                "a dead letter could not be handed over before the daemon stopped; no checkpoint is saved past it"
            );
        }
    }

    fn change(&mut self, assignment: Assignment) {
        let now = self.begun.elapsed();
        match assignment {
            Assignment::Assigned(Assigned { partitions, round, member }) => {
                self.drop_stale();
                for partition in &partitions {
                    self.state.clock.assign(partition.clone(), now);
                }
                self.member = member;
                if self.limits.store_is_shared {
                    self.wanted = Some(Wanted { partitions, round });
                    return;
                }
                // Where reading starts is saved before the first record: `latest` means that of the first start.
                self.unsaved = true;
            }
            Assignment::Rewound => {
                self.drop_stale();
                self.unsaved = true;
            }
            Assignment::Revoked(partitions) => {
                self.let_go(&partitions);
                self.drop_stale();
            }
            Assignment::Checkpoint(answer) => self.save(Some(answer), Some(Instant::now() + self.limits.drain_timeout)),
        }
    }

    /// Partitions are no longer ours. Where their state travels it is with the next owner.
    fn let_go(&mut self, partitions: &[PartitionId]) {
        for partition in partitions {
            self.state.clock.revoke(partition);
        }
        if !self.limits.store_is_shared {
            return;
        }
        let mut ledger = self.links.shared.ledger();
        partitions.iter().for_each(|partition| ledger.forget(partition));
        drop(ledger);
        (self.member, self.wanted, self.unsaved) = (None, None, false);
        self.state.let_go();
    }

    /// Asks for the state of what was assigned, and takes it up once it is here.
    fn follow_restore(&mut self) {
        if let Some(wanted) = self.wanted.take()
            && let Err(TrySendError::Full(Job::Fetch(wanted))) = self.links.jobs.try_send(Job::Fetch(wanted))
        {
            self.wanted = Some(wanted);
        }
        let Some(Fetched { wanted, snapshot }) = self.links.fetched.try_iter().last() else { return };
        let shared = &self.links.shared;
        if shared.status().round() != wanted.round {
            return;
        }
        let left_out = self.state.take_up(&wanted.partitions, &snapshot);
        left_out.into_iter().for_each(|what| tracing::warn!("not restored from the checkpoint: {what}"));
        let mut ledger = shared.ledger();
        snapshot.partitions.iter().for_each(|saved| ledger.start_at(&saved.partition, saved.next_offset));
        drop(ledger);
        shared.set_restored(wanted.round);
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

    /// Learns from the consumer thread which partitions are read to their end. Gives how many have come to where their log
    /// ended at the assignment, of how many.
    fn follow_partitions(&mut self) -> (usize, usize) {
        let now = self.begun.elapsed();
        let status = self.links.shared.status();
        let ledger = self.links.shared.ledger();
        // A new assignment shows here before it is announced: only what was reached under its epoch counts.
        self.caught_up.retain(|partition, epoch| ledger.epoch(partition) == Some(*epoch));
        for (partition, known) in &status.partitions {
            let applied = ledger.applied(partition);
            let at_end = known.drained.is_some_and(|(at, position)| {
                at.elapsed() < END_KNOWN_FOR
                    && position.is_none_or(|position| applied.is_some_and(|next| next >= position))
            });
            self.state.clock.set_at_end(partition, at_end, now);
            let reached = known.end_at_assignment.zip(applied).is_some_and(|(end, next)| next.0 >= end);
            if at_end || reached {
                self.caught_up.extend(ledger.epoch(partition).map(|epoch| (partition.clone(), epoch)));
            }
        }
        (self.caught_up.len(), status.partitions.len())
    }

    /// Learns whether all partitions are here. Gives whether that is known: no pane closes before.
    fn follow_holding(&mut self) -> bool {
        let status = self.links.shared.status();
        let (held, all) = (status.partitions.len(), status.topic_partitions);
        drop(status);
        let Some(all) = all else { return false };
        // With none assigned nothing is read, so nothing is read in part: it is so at every rebalance.
        if held > 0 {
            self.state.set_whole(held >= all);
        }
        let health = &self.links.health;
        if (1..all).contains(&held) && !self.limits.store_is_shared {
            health.set_not_ready("partitions", holds_a_part(held, all));
        } else {
            health.set_ready("partitions");
        }
        match self.state.is_suspended() {
            true => health.note(PAGING, format!("suspended: {}", why_suspended(held, all))),
            false => health.take_note(PAGING),
        }
        true
    }

    /// Says whether a backlog is being read, to the state and on `/readyz`.
    fn follow_backlog(&mut self, (caught_up, all): (usize, usize)) {
        let is_behind = caught_up < all;
        let assigned = &self.links.shared.status().partitions;
        let newest = self.state.clock.frontiers().filter(|(partition, _)| assigned.contains_key(*partition));
        let newest = newest.map(|(_, frontier)| frontier).max();
        self.state.follow_backlog(is_behind || all == 0, newest, self.begun.elapsed());
        let health = &self.links.health;
        // Nothing assigned has a reason of its own.
        if is_behind {
            health.set_not_ready("catching_up", format!("catching up: {caught_up} of {all} partitions are"));
        } else {
            health.set_ready("catching_up");
        }
    }

    /// Tells the consumer thread which partitions must wait for the others.
    fn tell_ahead(&self) {
        let status = self.links.shared.status();
        let ahead =
            status.partitions.keys().filter(|partition| self.state.clock.is_ahead(partition)).cloned().collect();
        drop(status);
        self.links.shared.set_ahead(ahead);
    }

    fn publish(&mut self) {
        self.published = Instant::now();
        let now = wall_clock();
        let stream = self.stream_view();
        let changed = self.state.changed_views();
        self.links.board.publish(stream, changed);
        for event_time in self.state.delays.drain(..) {
            let millis = now.as_millis().saturating_sub(event_time.as_millis()).max(0);
            self.links.timings.event_to_metric.observe(Duration::from_millis(millis.unsigned_abs()).as_secs_f64());
        }
    }

    fn stream_view(&self) -> StreamView {
        let status = self.links.shared.status();
        let ledger = self.links.shared.ledger();
        let partitions = status.partitions.iter().map(|(partition, known)| {
            let behind =
                known.end.zip(ledger.applied(partition)).map(|(end, next)| (end - next.0).max(0).unsigned_abs());
            let drained =
                known.drained.is_some() && known.handed_over.is_none_or(|next| ledger.applied(partition) >= Some(next));
            PartitionView { partition: partition.clone(), lag: if drained { Some(0) } else { behind } }
        });
        let partitions = partitions.collect();
        drop(ledger);
        StreamView {
            catching_up: self.state.catching_up,
            paging_suspended: self.state.is_suspended()
                || (status.partitions.is_empty() && status.topic_partitions.is_some()),
            breaker_open: self.breaker.is_open(),
            watermark: self.state.clock.stream_time(),
            window_end: self.state.panes.window_end(),
            rejected: self.state.rejected,
            partitions,
            topic_partitions: status.topic_partitions,
            unreadable_partitions: status.partitions.values().filter(|known| known.unreadable).count(),
            rebalances_assigned: status.assigned,
            rebalances_revoked: status.revoked,
            checkpoint_saved: self.links.writer.saved(),
            checkpoint_failures: self.links.writer.failures(),
            checkpoint_damaged: self.links.writer.damaged(),
            dead_letters: self.links.letters.as_ref().map_or(0, |letters| letters.progress().confirmed()),
            alerts: Arc::clone(self.state.book.alerts()),
            buffers: self.buffers(),
        }
    }

    fn buffers(&self) -> Vec<Buffer> {
        let (shared, budget) = (&self.links.shared, &self.limits.budget);
        let mut buffers = vec![
            Buffer {
                name: "in_flight",
                items: shared.in_flight_records(),
                items_limit: budget.batches / Batch::RECORD_ROOM,
                bytes: shared.in_flight_bytes(),
                bytes_limit: budget.batches,
            },
            Buffer {
                name: "fetched",
                items: shared.fetched_records(),
                items_limit: FETCH_AHEAD,
                bytes: shared.fetched_bytes(),
                bytes_limit: budget.fetched,
            },
        ];
        if let Some(letters) = &self.links.letters {
            buffers.push(Buffer {
                name: "dead_letters",
                items: letters.progress().outstanding(),
                items_limit: 2 * OUTSTANDING_LIMIT,
                bytes: letters.progress().outstanding_bytes(),
                bytes_limit: letters.progress().bytes_limit(),
            });
        }
        buffers
    }

    /// Hands a checkpoint to the writer. Where it still has one to save, the next turn tries again.
    fn save(&mut self, answer: Option<Sender<Positions>>, deadline: Option<Instant>) {
        // While state is on its way there is none to save, and before reading has begun no position of some partitions.
        let is_restoring = self.limits.store_is_shared && (self.member.is_none() || !self.links.shared.is_rewound());
        if self.must_not_save || is_restoring {
            return;
        }
        // A snapshot walks through every hour of panes: not each turn while the writer waits for dead letters or a slow disk.
        if deadline.is_none() && self.links.jobs.is_full() {
            return;
        }
        let positions: Positions = {
            let ledger = self.links.shared.ledger();
            ledger.positions().map(|(partition, next)| (partition.clone(), next)).collect()
        };
        if self.limits.store_is_shared && positions.is_empty() {
            // A member without a partition has nothing of its own, and what it knows of the detector may be old.
            return;
        }
        let positions = self.positions_to_save(positions);
        let mut snapshot = self.state.snapshot(&positions, wall_clock());
        snapshot.is_whole &= !self.limits.store_is_shared || self.holds_all();
        let job = Job::Save(Box::new(Checkpoint {
            snapshot,
            member: self.member.clone(),
            positions,
            ticket: self.links.letters.as_ref().map_or(0, DeadLetters::last_ticket),
            deadline,
            answer,
        }));
        let sent = match deadline {
            None => self.links.jobs.try_send(job).map_err(|error| matches!(error, TrySendError::Full(_))),
            Some(deadline) => self.links.jobs.send_deadline(job, deadline).map_err(|_| false),
        };
        match sent {
            Ok(()) => {
                self.unsaved = false;
                self.saved = Instant::now();
            }
            Err(true) => {}
            Err(false) => tracing::error!("checkpoint could not be handed to its writer"),
        }
    }

    /// The positions held; in a build broken so, those read instead.
    fn positions_to_save(&self, mut positions: Positions) -> Positions {
        if sabotage::is(Sabotage::CommitBeforeApply) {
            let status = self.links.shared.status();
            for (partition, next) in &mut positions {
                let read = status.partitions.get(partition).and_then(|known| known.handed_over);
                *next = read.map_or(*next, |read| read.max(*next));
            }
        }
        positions
    }

    /// Whether all partitions of the topics are known to be here.
    fn holds_all(&self) -> bool {
        let status = self.links.shared.status();
        status.topic_partitions.is_some_and(|all| status.partitions.len() >= all)
    }

    /// The last checkpoint and the last view.
    fn finish(&mut self) {
        self.links.health.release(Thread::Fold);
        self.save(None, Some(Instant::now() + self.limits.drain_timeout));
        self.publish();
    }
}

/// What a daemon without a shared store says that holds a part of the partitions.
fn holds_a_part(held: usize, all: usize) -> String {
    format!(
        "{held} of {all} partitions are assigned here, and other members of the group hold the rest: windows hold a part of \
         the messages, and nothing pages. A checkpoint in a directory is for one daemon a group: stop the others, or set \
         checkpoint.store = \"kafka\" in all of them"
    )
}

/// Why nothing is tested.
fn why_suspended(held: usize, all: usize) -> String {
    if held < all {
        return format!(
            "{held} of {all} partitions are assigned here, so windows hold a part of the messages; they are not tested, \
             and no alert opens"
        );
    }
    "all partitions are assigned here again; windows are tested once all of their panes closed since then".to_owned()
}

/// How much of a batch cannot be used.
fn share_of(scored: &ScoredBatch) -> Share {
    let unusable = scored.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Rejected(_))).count();
    Share { records: scored.outcomes.len() as u64, unusable: unusable as u64 }
}
