//! Gathers records into batches, one open batch a partition.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rdkafka::Message as _;
use rdkafka::message::{BorrowedMessage, Headers as _};

use crate::config::PipelineConfig;
use crate::message::{Offset, PartitionId};

use super::{Batch, BatchBuilder, timestamp};

/// The open batches of the assigned partitions.
pub(super) struct Assembler {
    seats: Vec<Seat>,
    batch_records: usize,
    batch_bytes: usize,
    open: usize,
    /// Bytes of the open batches.
    bytes: usize,
    /// When the oldest open batch may have begun.
    opened: Option<Instant>,
    /// The seat of the last record: runs of one partition come together.
    last: usize,
}

/// One assigned partition.
struct Seat {
    partition: PartitionId,
    epoch: u32,
    sequence: u64,
    open: Option<BatchBuilder>,
}

impl Assembler {
    pub(super) fn new(config: &PipelineConfig) -> Self {
        Self {
            seats: Vec::new(),
            batch_records: config.batch_records,
            batch_bytes: config.batch_bytes,
            open: 0,
            bytes: 0,
            opened: None,
            last: 0,
        }
    }

    /// Whether no record waits.
    pub(super) fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// Bytes of the records that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Begins with these partitions and no others.
    pub(super) fn assign(&mut self, seats: &[(PartitionId, u32)]) {
        self.seats = seats
            .iter()
            .map(|(partition, epoch)| Seat { partition: partition.clone(), epoch: *epoch, sequence: 0, open: None })
            .collect();
        self.open = 0;
        self.bytes = 0;
        self.opened = None;
        self.last = 0;
    }

    /// Drops what was assembled of these partitions: it is read again by whoever gets them.
    pub(super) fn revoke(&mut self, partitions: &[PartitionId]) {
        self.seats.retain(|seat| !partitions.contains(&seat.partition));
        let open = || self.seats.iter().filter_map(|seat| seat.open.as_ref());
        (self.open, self.bytes) = (open().count(), open().map(BatchBuilder::bytes).sum());
        self.last = 0;
    }

    /// Copies a record into its partition's batch; a full batch goes to the outbox.
    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>, outbox: &mut VecDeque<Batch>) {
        // A record of a partition that is no longer ours is the next owner's to read.
        let Some(place) = self.seat_of(message.topic(), message.partition()) else { return };
        let value = message.payload();
        let size = value.map_or(0, <[u8]>::len) + message.key().map_or(0, <[u8]>::len);
        let has_room = |batch: &BatchBuilder| batch.bytes() + size <= self.batch_bytes;
        if self.seats[place].open.as_ref().is_some_and(|batch| !has_room(batch)) {
            self.close(place, outbox);
        }
        let seat = &mut self.seats[place];
        if seat.open.is_none() {
            self.open += 1;
            self.opened.get_or_insert_with(Instant::now);
        }
        let batch = seat.open.get_or_insert_with(|| {
            BatchBuilder::new(seat.partition.clone(), seat.epoch, seat.sequence, self.batch_bytes.min(64 * 1024))
        });
        let kafka_timestamp = message.timestamp().to_millis().and_then(timestamp::from_kafka);
        let headers = message.headers();
        let headers = headers.into_iter().flat_map(|headers| headers.iter().map(|header| (header.key, header.value)));
        let before = batch.bytes();
        batch.push(Offset(message.offset()), kafka_timestamp, message.key(), value, headers);
        self.bytes += batch.bytes() - before;
        if batch.records() >= self.batch_records || batch.bytes() >= self.batch_bytes {
            self.close(place, outbox);
        }
    }

    /// Hands over every open batch.
    pub(super) fn flush(&mut self, outbox: &mut VecDeque<Batch>) {
        if self.open == 0 {
            return;
        }
        for place in 0..self.seats.len() {
            self.close(place, outbox);
        }
        self.opened = None;
    }

    /// Hands over every open batch if the oldest is older than this.
    pub(super) fn flush_older_than(&mut self, age: Duration, outbox: &mut VecDeque<Batch>) {
        if self.opened.is_some_and(|opened| opened.elapsed() >= age) {
            self.flush(outbox);
        }
    }

    fn close(&mut self, place: usize, outbox: &mut VecDeque<Batch>) {
        let seat = &mut self.seats[place];
        let Some(batch) = seat.open.take() else { return };
        seat.sequence += 1;
        self.open -= 1;
        self.bytes -= batch.bytes();
        outbox.push_back(batch.finish());
    }

    fn seat_of(&mut self, topic: &str, partition: i32) -> Option<usize> {
        let is_it = |seat: &Seat| seat.partition.partition == partition && &*seat.partition.topic == topic;
        if self.seats.get(self.last).is_some_and(is_it) {
            return Some(self.last);
        }
        self.last = self.seats.iter().position(is_it)?;
        Some(self.last)
    }
}
