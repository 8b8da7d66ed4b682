//! What a checkpoint that is not saved means to the daemon.

use crossbeam_channel::bounded;

use super::*;
use crate::checkpoint::{DirectoryError, PartitionPosition, SavedShard, Sent, StoreError};
use crate::message::NextOffset;

/// A store that takes nothing, as one whose brokers are away.
struct Away;

impl Store for Away {
    fn save(&mut self, _: &Snapshot, _: Option<&Member>, go_on: &mut dyn FnMut() -> bool) -> Result<Sent, StoreError> {
        while go_on() {
            thread::yield_now();
        }
        Err(StoreError::from(DirectoryError::Locked { path: "away".into() }))
    }

    fn fetch(&mut self, _: &[PartitionId], _: &mut dyn FnMut() -> bool) -> Result<Snapshot, StoreError> {
        Ok(Snapshot::empty())
    }
}

/// A writer before that store, and what it shares with the rest.
fn writer() -> (Writer, Arc<Shared>, Arc<Health>, Arc<WriterStatus>) {
    let (shared, health, status) = (Arc::new(Shared::default()), Health::new(), Arc::new(WriterStatus::default()));
    let stop = Arc::new(AtomicBool::new(false));
    let writer = Writer {
        store: Box::new(Away),
        jobs: bounded(1).1,
        fetched: bounded(1).0,
        shared: Arc::clone(&shared),
        stop: Arc::clone(&stop),
        covered: bounded(1).0,
        letters: None,
        events: None,
        patience: Patience::new(stop, Duration::ZERO),
        status: Arc::clone(&status),
        health: Arc::clone(&health),
    };
    (writer, shared, health, status)
}

/// A checkpoint of one partition, of now; its state `travels` with the partition or not.
fn checkpoint(shared: &Shared, travels: bool) -> Checkpoint {
    let partition = PartitionId::new("messages", 0);
    let position = PartitionPosition { partition: partition.clone(), next_offset: NextOffset(7), frontier: None };
    let shards = if travels { vec![SavedShard { partition, hours: Vec::new() }] } else { Vec::new() };
    Checkpoint {
        snapshot: Snapshot { partitions: vec![position], shards, ..Snapshot::empty() },
        member: None,
        round: shared.status().round(),
        positions: Positions::default(),
        ticket: 0,
        deadline: Some(Instant::now()),
        answer: None,
    }
}

fn is_missed(health: &Health, status: &WriterStatus) -> bool {
    let is_told = health.not_ready().iter().any(|(key, _)| *key == CHECKPOINT);
    assert_eq!(is_told, status.take_unsaved());
    is_told
}

#[test]
fn a_checkpoint_that_is_not_saved_is_told_and_tried_again() {
    for travels in [false, true] {
        let (mut writer, shared, health, status) = writer();
        writer.save(checkpoint(&shared, travels));
        assert!(is_missed(&health, &status));
        assert_eq!(status.failures(), 1);
    }
}

#[test]
fn a_checkpoint_of_partitions_that_have_gone_elsewhere_is_not_missed() {
    let (mut writer, shared, health, status) = writer();
    let before = checkpoint(&shared, true);
    shared.status().revoked += 1;
    // The writer comes to it only now, and its partitions are here again.
    shared.status().assigned += 1;
    writer.save(before);
    assert!(!is_missed(&health, &status));
    assert_eq!(status.failures(), 0);
}

#[test]
fn the_checkpoint_of_a_revoke_is_not_missed_where_state_travels_and_is_where_it_stays() {
    for travels in [false, true] {
        let (mut writer, shared, health, status) = writer();
        let (answer, _waits) = bounded(1);
        writer.save(Checkpoint { answer: Some(answer), ..checkpoint(&shared, travels) });
        assert_eq!(is_missed(&health, &status), !travels);
    }
}
