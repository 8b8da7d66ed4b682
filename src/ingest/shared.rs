//! What the consumer thread and the fold know of each other. Every lock is held for microseconds (INV-3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::message::{NextOffset, PartitionId};

use super::Ledger;

/// A partition as the consumer thread sees it.
#[derive(Clone, Debug, Default)]
pub struct PartitionStatus {
    /// The end of the log as last told by the broker; none while unknown.
    pub end: Option<i64>,
    /// The end of the log when it was first known after the assignment.
    pub end_at_assignment: Option<i64>,
    /// The last offset handed over + 1; none before the first.
    pub handed_over: Option<NextOffset>,
    /// When the partition was last seen read to its end, and the position then.
    pub drained: Option<(Instant, Option<NextOffset>)>,
    /// The saved offset is not in the log: nothing is read.
    pub unreadable: bool,
}

/// What the consumer thread tells everybody.
#[derive(Clone, Debug, Default)]
pub struct ConsumerStatus {
    /// The assigned partitions.
    pub partitions: BTreeMap<PartitionId, PartitionStatus>,
    /// Partitions that the topics have; none while unknown.
    pub topic_partitions: Option<usize>,
    /// Assignments so far.
    pub assigned: u64,
    /// Revocations so far.
    pub revoked: u64,
}

impl ConsumerStatus {
    /// Rebalances so far, of either kind: what was asked after an older one is no longer wanted.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.assigned + self.revoked
    }
}

/// Shared by the consumer thread, the fold and the checkpoint writer.
#[derive(Debug, Default)]
pub struct Shared {
    ledger: Mutex<Ledger>,
    status: Mutex<ConsumerStatus>,
    ahead: Mutex<BTreeSet<PartitionId>>,
    ahead_changed: AtomicBool,
    in_flight_bytes: AtomicUsize,
    in_flight_records: AtomicUsize,
    fetched_bytes: AtomicUsize,
    fetched_records: AtomicUsize,
    /// Nothing is read.
    held: AtomicBool,
    /// The rebalance whose partitions' state is waited for, and the one whose is here; 0 is none.
    awaited: AtomicU64,
    restored: AtomicU64,
    /// What is on its way must be dropped and read again.
    rewind: AtomicBool,
}

impl Shared {
    /// The offset ledger.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the consumer thread knows.
    pub fn status(&self) -> MutexGuard<'_, ConsumerStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fold tells which partitions have run too far ahead of stream time and must wait.
    pub fn set_ahead(&self, partitions: BTreeSet<PartitionId>) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if *ahead != partitions {
            *ahead = partitions;
            self.ahead_changed.store(true, Ordering::Release);
        }
    }

    /// The partitions that must wait, if that changed since the last call.
    pub(super) fn take_ahead(&self) -> Option<BTreeSet<PartitionId>> {
        if !self.ahead_changed.swap(false, Ordering::AcqRel) {
            return None;
        }
        Some(self.ahead.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// The fold stops reading: what is on its way is dropped, and read again from the positions held once reading goes on.
    pub fn hold(&self) {
        self.held.store(true, Ordering::Release);
        self.rewind.store(true, Ordering::Release);
    }

    /// The fold lets reading go on. Only after [`Self::is_rewound`].
    pub fn release(&self) {
        self.held.store(false, Ordering::Release);
    }

    /// The consumer thread waits for the state of the partitions that this rebalance gave. Then reading begins at their
    /// positions.
    pub(super) fn begin_restore(&self, round: u64) {
        self.awaited.store(round, Ordering::Release);
        self.rewind.store(true, Ordering::Release);
    }

    /// The fold has the state of the partitions that this rebalance gave, and the ledger their positions.
    pub fn set_restored(&self, round: u64) {
        self.restored.store(round, Ordering::Release);
    }

    /// Whether the state of the assigned partitions is still on its way.
    #[must_use]
    pub fn is_restoring(&self) -> bool {
        self.awaited.load(Ordering::Acquire) != self.restored.load(Ordering::Acquire)
    }

    /// Whether the consumer thread has gone back to the positions held since the last [`Self::hold`], or to those restored.
    #[must_use]
    pub fn is_rewound(&self) -> bool {
        !self.rewind.load(Ordering::Acquire)
    }

    /// Whether nothing may be read now.
    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire) || self.is_restoring() || !self.is_rewound()
    }

    /// The consumer thread has gone back.
    pub(super) fn set_rewound(&self) {
        self.rewind.store(false, Ordering::Release);
    }

    /// Counts a batch that was read.
    pub(super) fn enter(&self, records: usize, bytes: usize) {
        self.in_flight_records.fetch_add(records, Ordering::Relaxed);
        self.in_flight_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a batch that was folded or dropped.
    pub fn leave(&self, records: usize, bytes: usize) {
        self.in_flight_records.fetch_sub(records, Ordering::Relaxed);
        self.in_flight_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes in memory of records read and not folded yet: see [`Batch::footprint`](super::Batch::footprint).
    #[must_use]
    pub fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes.load(Ordering::Relaxed)
    }

    /// Records read and not folded yet.
    #[must_use]
    pub fn in_flight_records(&self) -> usize {
        self.in_flight_records.load(Ordering::Relaxed)
    }

    /// Takes what librdkafka last told of its queue.
    pub(super) fn set_fetched(&self, records: usize, bytes: usize) {
        self.fetched_records.store(records, Ordering::Relaxed);
        self.fetched_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Records that librdkafka had fetched and nobody had polled, when it last told.
    #[must_use]
    pub fn fetched_records(&self) -> usize {
        self.fetched_records.load(Ordering::Relaxed)
    }

    /// Bytes of [`Self::fetched_records`].
    #[must_use]
    pub fn fetched_bytes(&self) -> usize {
        self.fetched_bytes.load(Ordering::Relaxed)
    }

    /// The same once more, for models that go several ways from one state.
    #[cfg(test)]
    fn fork(&self) -> Self {
        let copy = |one: &AtomicUsize| AtomicUsize::new(one.load(Ordering::Relaxed));
        let round = |one: &AtomicU64| AtomicU64::new(one.load(Ordering::Relaxed));
        let is = |one: &AtomicBool| AtomicBool::new(one.load(Ordering::Relaxed));
        Self {
            ledger: Mutex::new(self.ledger().clone()),
            status: Mutex::new(self.status().clone()),
            ahead: Mutex::new(self.ahead.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            ahead_changed: is(&self.ahead_changed),
            in_flight_bytes: copy(&self.in_flight_bytes),
            in_flight_records: copy(&self.in_flight_records),
            fetched_bytes: copy(&self.fetched_bytes),
            fetched_records: copy(&self.fetched_records),
            held: is(&self.held),
            awaited: round(&self.awaited),
            restored: round(&self.restored),
            rewind: is(&self.rewind),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod model;
