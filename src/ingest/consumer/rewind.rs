//! Going back to the positions held: what is on its way is dropped and read again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use super::Consumer;
use crate::ingest::context::{Assignment, position_list};
use crate::message::{NextOffset, PartitionId};

/// Librdkafka's own thread answers a seek at once; with a broker away it may take longer, and the next turn tries again.
const SEEK: Duration = Duration::from_millis(500);

impl Consumer {
    /// Goes back in each assigned partition to the position that the ledger holds. What was read since is stale.
    ///
    /// Reading stands still while this is tried, so that nothing comes in between.
    pub(super) fn rewind(&mut self) {
        let assigned: BTreeSet<PartitionId> = self.shared.status().partitions.keys().cloned().collect();
        if assigned != self.paused {
            // `regulate` pauses first.
            return;
        }
        if self.consumer.context().travels {
            self.find_starts(&assigned);
        }
        let positions: Vec<(PartitionId, NextOffset)> = {
            let ledger = self.shared.ledger();
            assigned.iter().filter_map(|partition| Some((partition.clone(), ledger.applied(partition)?))).collect()
        };
        if self.stateless || self.rejoin_at.is_some() || positions.len() < assigned.len() {
            // It is said elsewhere why some have none, and what then happens.
            return;
        }
        if let Err(error) = self.go_to(&positions) {
            self.consumer.context().log.error(&error, "cannot go back to where reading stopped; trying again");
            return;
        }
        let seats: Vec<(PartitionId, u32)> = {
            let mut ledger = self.shared.ledger();
            assigned.iter().map(|partition| (partition.clone(), ledger.assign(partition).epoch)).collect()
        };
        self.assembler.assign(&seats);
        self.outbox.clear();
        for status in self.shared.status().partitions.values_mut() {
            status.handed_over = None;
            status.drained = None;
        }
        // The fold must know of an epoch before the first batch of it can come.
        if self.consumer.context().to_fold.send(Assignment::Rewound).is_ok() {
            self.shared.set_rewound();
        }
    }

    /// Finds where those start whose state was not in the store.
    fn find_starts(&mut self, assigned: &BTreeSet<PartitionId>) {
        let partitions: Vec<PartitionId> = assigned.iter().cloned().collect();
        let mut starts: BTreeMap<PartitionId, i64> = {
            let ledger = self.shared.ledger();
            partitions.iter().filter_map(|partition| Some((partition.clone(), ledger.applied(partition)?.0))).collect()
        };
        self.consumer.context().complete_starts(&self.consumer, &partitions, &mut starts);
        self.react();
        let mut ledger = self.shared.ledger();
        for (partition, start) in &starts {
            ledger.start_at(partition, NextOffset(*start));
        }
    }

    fn go_to(&mut self, positions: &[(PartitionId, NextOffset)]) -> KafkaResult<()> {
        match self.seek(positions) {
            // A partition whose offset was outside the log cannot be sought: where one waited for its state at an offset that
            // retention has removed, or where its own is, which is said then. Assigned anew, it can be read again.
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::State) => {
                self.check_range = true;
                self.consumer.assign(&position_list(positions)?)
            }
            outcome => outcome,
        }
    }

    /// Those whose offset is not in the log are left where they are: nothing is read of them.
    fn seek(&self, positions: &[(PartitionId, NextOffset)]) -> KafkaResult<()> {
        let list = {
            let status = self.shared.status();
            let is_read = |partition| status.partitions.get(partition).is_none_or(|known| !known.unreadable);
            position_list(positions.iter().filter(|(partition, _)| is_read(partition)))?
        };
        if list.count() == 0 {
            return Ok(());
        }
        let sought = self.consumer.seek_partitions(list, SEEK)?;
        sought.elements().iter().try_for_each(|element| element.error())
    }
}
