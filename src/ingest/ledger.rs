//! The offset ledger: which record of each partition the state holds, and whose turn it is.
//!
//! Scored batches come back from the pool in any order, and a rebalance can take a partition away while its batches
//! are on their way. The ledger decides, for each batch, whether it may enter the state: only the next one in
//! sequence of the present *epoch* of its partition. A revoked partition changes its epoch, so that whatever was
//! still on its way is stale, is dropped, and is read again from the position the ledger holds.
//!
//! ```
//! use latido::ingest::{Claim, Ledger};
//! use latido::message::{NextOffset, PartitionId};
//!
//! let mut ledger = Ledger::default();
//! let partition = PartitionId::new("messages", 0);
//! let seat = ledger.assign(&partition);
//! assert_eq!(ledger.claim(&partition, seat.epoch, 0, NextOffset(10)), Claim::Apply);
//! ledger.revoke(&partition);
//! assert_eq!(ledger.claim(&partition, seat.epoch, 1, NextOffset(20)), Claim::Stale);
//! assert_eq!(ledger.assign(&partition).resume, Some(NextOffset(10)));
//! ```

use std::collections::BTreeMap;

use crate::message::{NextOffset, PartitionId};

/// What an assignment gives: the epoch for its batches and where to resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Tag of the batches read under this assignment.
    pub epoch: u32,
    /// Where to resume; none where nothing of the partition was ever taken.
    pub resume: Option<NextOffset>,
}

/// Whether a batch may enter the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is next: apply it now. The ledger already counts it as applied.
    Apply,
    /// One before it has not come yet: keep it and offer it again.
    Early,
    /// It was read under an assignment that has ended: drop it.
    Stale,
}

/// Positions of the partitions. See the module for what it is for.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<PartitionId, Entry>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    epoch: u32,
    assigned: bool,
    next_sequence: u64,
    applied: Option<NextOffset>,
}

impl Ledger {
    /// Takes a saved position over, before anything is assigned.
    pub fn restore(&mut self, partition: PartitionId, next: NextOffset) {
        self.entries.entry(partition).or_default().applied = Some(next);
    }

    /// Begins an assignment, or an assigned partition's anew: a new epoch, so that whatever is on its way is stale, sequence
    /// numbers from 0, from the position held.
    pub fn assign(&mut self, partition: &PartitionId) -> Seat {
        let entry = self.entries.entry(partition.clone()).or_default();
        entry.epoch += 1;
        entry.assigned = true;
        entry.next_sequence = 0;
        Seat { epoch: entry.epoch, resume: entry.applied }
    }

    /// Ends an assignment: its batches are stale from now on. Gives the position held.
    pub fn revoke(&mut self, partition: &PartitionId) -> Option<NextOffset> {
        let entry = self.entries.get_mut(partition)?;
        entry.epoch += 1;
        entry.assigned = false;
        entry.applied
    }

    /// Forgets the position of a partition whose state goes elsewhere.
    pub fn forget(&mut self, partition: &PartitionId) {
        if let Some(entry) = self.entries.get_mut(partition) {
            entry.applied = None;
        }
    }

    /// Sets where an assigned partition starts, where the ledger held nothing or something no longer in the log.
    pub fn start_at(&mut self, partition: &PartitionId, next: NextOffset) {
        self.entries.entry(partition.clone()).or_default().applied = Some(next);
    }

    /// What [`Self::claim`] would say of a batch.
    #[must_use]
    pub fn peek(&self, partition: &PartitionId, epoch: u32, sequence: u64) -> Claim {
        let Some(entry) = self.entries.get(partition) else { return Claim::Stale };
        if !entry.assigned || entry.epoch != epoch || sequence < entry.next_sequence {
            return Claim::Stale;
        }
        if sequence > entry.next_sequence { Claim::Early } else { Claim::Apply }
    }

    /// Claims a batch for the state. [`Claim::Apply`] binds: the caller applies it before the next checkpoint.
    pub fn claim(&mut self, partition: &PartitionId, epoch: u32, sequence: u64, next: NextOffset) -> Claim {
        let claim = self.peek(partition, epoch, sequence);
        if let Some(entry) = self.entries.get_mut(partition).filter(|_| claim == Claim::Apply) {
            entry.next_sequence += 1;
            entry.applied = Some(next);
        }
        claim
    }

    /// The position the state holds for a partition.
    #[must_use]
    pub fn applied(&self, partition: &PartitionId) -> Option<NextOffset> {
        self.entries.get(partition)?.applied
    }

    /// The epoch of a partition's present assignment; none while it is not assigned.
    #[must_use]
    pub fn epoch(&self, partition: &PartitionId) -> Option<u32> {
        self.entries.get(partition).filter(|entry| entry.assigned).map(|entry| entry.epoch)
    }

    /// Every position held, of partitions assigned now or before.
    pub fn positions(&self) -> impl Iterator<Item = (&PartitionId, NextOffset)> {
        self.entries.iter().filter_map(|(partition, entry)| Some((partition, entry.applied?)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    fn partition() -> PartitionId {
        PartitionId::new("messages", 3)
    }

    #[test]
    fn a_batch_ahead_of_its_turn_is_kept() {
        let mut ledger = Ledger::default();
        let seat = ledger.assign(&partition());
        assert_eq!(ledger.claim(&partition(), seat.epoch, 1, NextOffset(20)), Claim::Early);
        assert_eq!(ledger.claim(&partition(), seat.epoch, 0, NextOffset(10)), Claim::Apply);
        assert_eq!(ledger.claim(&partition(), seat.epoch, 1, NextOffset(20)), Claim::Apply);
        assert_eq!(ledger.applied(&partition()), Some(NextOffset(20)));
    }

    #[test]
    fn a_batch_offered_twice_is_applied_once() {
        let mut ledger = Ledger::default();
        let seat = ledger.assign(&partition());
        assert_eq!(ledger.claim(&partition(), seat.epoch, 0, NextOffset(10)), Claim::Apply);
        assert_eq!(ledger.claim(&partition(), seat.epoch, 0, NextOffset(10)), Claim::Stale);
    }

    #[test]
    fn a_batch_of_an_unknown_partition_is_stale() {
        assert_eq!(Ledger::default().claim(&partition(), 1, 0, NextOffset(1)), Claim::Stale);
    }

    #[test]
    fn a_saved_position_is_the_one_resumed_from() {
        let mut ledger = Ledger::default();
        ledger.restore(partition(), NextOffset(77));
        assert_eq!(ledger.assign(&partition()).resume, Some(NextOffset(77)));
    }

    /// What can happen to one partition while a log of records is read in batches.
    #[derive(Clone, Debug)]
    enum Event {
        Read(i64),
        Deliver(usize),
        Rebalance,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            4 => (1_i64..5).prop_map(Event::Read),
            4 => (0_usize..4).prop_map(Event::Deliver),
            1 => Just(Event::Rebalance),
        ];
        prop::collection::vec(event, 0..200)
    }

    proptest! {
        #[test]
        fn whatever_the_order_and_the_rebalances_each_record_is_applied_once_and_in_order(events in events()) {
            let mut ledger = Ledger::default();
            let mut seat = ledger.assign(&partition());
            let (mut read, mut sequence) = (0, 0);
            let mut on_their_way: VecDeque<(u32, u64, i64, i64)> = VecDeque::new();
            let mut applied: Vec<i64> = Vec::new();
            for event in events {
                match event {
                    Event::Read(count) => {
                        on_their_way.push_back((seat.epoch, sequence, read, read + count));
                        read += count;
                        sequence += 1;
                    }
                    Event::Deliver(place) if !on_their_way.is_empty() => {
                        let place = place % on_their_way.len();
                        let (epoch, number, first, next) = on_their_way[place];
                        match ledger.claim(&partition(), epoch, number, NextOffset(next)) {
                            Claim::Apply => applied.extend(first..next),
                            Claim::Early => continue,
                            Claim::Stale => {}
                        }
                        on_their_way.remove(place);
                    }
                    Event::Deliver(_) => {}
                    Event::Rebalance => {
                        ledger.revoke(&partition());
                        seat = ledger.assign(&partition());
                        read = seat.resume.map_or(0, |next| next.0);
                        sequence = 0;
                    }
                }
                let held = ledger.applied(&partition()).map_or(0, |next| next.0);
                prop_assert_eq!(&applied, &(0..held).collect::<Vec<_>>());
            }
        }
    }
}
