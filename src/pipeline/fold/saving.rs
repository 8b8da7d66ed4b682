//! Assignments and state: what is taken up, let go and saved.

use std::time::{Duration, Instant};

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError};

use super::{Fold, TICK};
use crate::ingest::{Assigned, Assignment, DeadLetters, Positions};
use crate::message::PartitionId;
use crate::pipeline::scoring::wall_clock;
use crate::pipeline::writer::{CHECKPOINT, Checkpoint, Fetched, Job, LETTERS_WAIT, Wanted};
use crate::publish::Thread;
use crate::sabotage::{self, Sabotage};

/// Least time for the last checkpoint, however long draining took.
const LAST_SAVE: Duration = Duration::from_millis(500);

impl Fold {
    pub(super) fn change(&mut self, assignment: Assignment) {
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
            Assignment::Checkpoint { answer, deadline } => self.save(Some(answer), Some(deadline)),
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
        // Whatever could not be saved is read again by whoever has them now.
        self.links.health.set_ready(CHECKPOINT);
        self.state.let_go();
    }

    /// Asks for the state of what was assigned, and takes it up once it is here.
    pub(super) fn follow_restore(&mut self) {
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
        let health = &self.links.health;
        let left_out = self.state.take_up(&wanted.partitions, &snapshot, &mut || health.beat(Thread::Fold));
        left_out.into_iter().for_each(|what| tracing::warn!("not restored from the checkpoint: {what}"));
        let mut ledger = shared.ledger();
        snapshot.partitions.iter().for_each(|saved| ledger.start_at(&saved.partition, saved.next_offset));
        drop(ledger);
        shared.set_restored(wanted.round);
    }

    /// Hands a checkpoint to the writer. Where it still has one to save, the next turn tries again.
    pub(super) fn save(&mut self, answer: Option<Sender<Positions>>, deadline: Option<Instant>) {
        // While state is on its way there is none to save, and before reading has begun no position of some partitions.
        let is_restoring = self.limits.store_is_shared && self.is_restoring();
        if self.must_not_save {
            self.links.health.set_not_ready(CHECKPOINT, LETTERS_WAIT.to_owned());
        }
        if self.must_not_save || is_restoring {
            return;
        }
        // A snapshot walks through every hour of panes: not each turn while the writer waits for dead letters or a slow disk.
        if deadline.is_none() && self.links.jobs.is_full() {
            return;
        }
        // Before the positions: what a rebalance changes in between belongs to the round before.
        let round = self.links.shared.status().round();
        let positions: Positions = {
            let ledger = self.links.shared.ledger();
            ledger.positions().map(|(partition, next)| (partition.clone(), next)).collect()
        };
        if positions.is_empty() {
            // Nothing was read yet, or may be: an empty checkpoint would stand before one that an operator puts back. A member
            // without a partition has nothing of its own, and what it knows of the detector may be old.
            return;
        }
        let is_last = answer.is_none() && deadline.is_some();
        let positions = self.positions_to_save(positions);
        let mut snapshot = self.state.snapshot(&positions, wall_clock());
        snapshot.is_whole &= !self.limits.store_is_shared || self.holds_all();
        let job = Job::Save(Box::new(Checkpoint {
            snapshot,
            member: self.member.clone(),
            round,
            positions,
            ticket: self.links.letters.as_ref().map_or(0, DeadLetters::last_ticket),
            deadline,
            answer,
        }));
        let sent = match deadline {
            None => self.links.jobs.try_send(job).map_err(|error| matches!(error, TrySendError::Full(_))),
            Some(deadline) => self.hand_over(job, deadline).map_err(|()| false),
        };
        match sent {
            Ok(()) => {
                self.handed_over += 1;
                self.state.events.note_handed_over();
                self.unsaved = false;
                self.saved = Instant::now();
            }
            Err(true) => {}
            Err(false) => {
                tracing::error!("checkpoint could not be handed to its writer");
                if is_last {
                    self.links.health.set_not_ready(CHECKPOINT, "the writer was busy with one before".to_owned());
                }
            }
        }
    }

    /// Where all is saved that there is, that is as good as a checkpoint of this moment.
    pub(super) fn note_saved(&mut self) {
        if self.links.writer.has_settled(self.handed_over) {
            self.saved = Instant::now();
            self.links.writer.note_saved();
        }
    }

    /// Waits for the writer until then.
    fn hand_over(&self, mut job: Job, deadline: Instant) -> Result<(), ()> {
        loop {
            self.links.health.beat(Thread::Fold);
            let step = deadline.min(Instant::now() + TICK);
            match self.links.jobs.send_deadline(job, step) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Timeout(unsent)) if Instant::now() < deadline => job = unsent,
                Err(_) => return Err(()),
            }
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

    /// Where state travels with partitions: whether it is still on its way.
    pub(super) fn is_restoring(&self) -> bool {
        self.member.is_none() || !self.links.shared.is_rewound()
    }

    /// Whether all partitions of the topics are known to be here.
    pub(super) fn holds_all(&self) -> bool {
        let status = self.links.shared.status();
        status.topic_partitions.is_some_and(|all| status.partitions.len() >= all)
    }

    /// The last checkpoint and the last view.
    pub(super) fn finish(&mut self) {
        self.links.health.release(Thread::Fold);
        let ends = self.links.patience.ends().unwrap_or_else(|| Instant::now() + self.limits.drain_timeout);
        self.save(None, Some(ends.max(Instant::now() + LAST_SAVE)));
        self.publish();
    }
}
