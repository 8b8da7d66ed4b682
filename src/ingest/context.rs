//! What librdkafka calls back: rebalances, statistics, errors. Everything here runs on the consumer thread, inside `poll`.

mod starts;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use crate::config::StartPosition;
use crate::message::{NextOffset, PartitionId};
use crate::publish::{Health, Thread};

use super::consumer::Starting;
use super::member::Member;
use super::quiet_log::QuietLog;
use super::shared::{PartitionStatus, Shared};
use super::stats::{self, Report};

/// How often it is looked whether what was handed over is folded.
const LOOK: Duration = Duration::from_millis(2);
/// Between two heartbeats of whoever waits longer.
const BEAT: Duration = Duration::from_millis(500);

/// A change of assignment, for the fold.
#[derive(Debug)]
pub enum Assignment {
    /// These partitions are ours, and no others.
    Assigned(Assigned),
    /// Reading begins, or begins anew, at the positions held, with new epochs.
    Rewound,
    /// These are no longer.
    Revoked(Vec<PartitionId>),
    /// Save a checkpoint now and answer with the positions it covers.
    Checkpoint {
        /// Who waits for it.
        answer: Sender<Positions>,
        /// Until when.
        deadline: Instant,
    },
}

/// Partitions that a rebalance gave.
#[derive(Debug)]
pub struct Assigned {
    /// Which.
    pub partitions: Vec<PartitionId>,
    /// Which rebalance it was: [`ConsumerStatus::round`](super::ConsumerStatus).
    pub round: u64,
    /// The membership under which they are ours; none where the client does not say.
    pub member: Option<Member>,
}

/// Next offsets by partition.
pub type Positions = Vec<(PartitionId, NextOffset)>;

/// What happened inside `poll` that the consumer thread must act on after it.
#[derive(Debug)]
pub(super) enum Event {
    /// A rebalance gave partitions, with the epoch of each.
    Assigned(Vec<(PartitionId, u32)>),
    /// A rebalance took partitions.
    Revoked(Vec<PartitionId>),
    /// The group has offsets, and no checkpoint has what was counted up to them: with what to tell.
    StateMissing(String),
    /// Where to start could not be asked: nothing may be read, and the group is joined again.
    NoStarts,
    /// The group could not be rebalanced: join again.
    Rejoin,
    /// librdkafka told how its partitions and brokers are.
    Report(Report),
}

/// The consumer's callbacks.
pub(super) struct IngestContext {
    pub(super) shared: Arc<Shared>,
    pub(super) health: Arc<Health>,
    pub(super) log: QuietLog,
    pub(super) events: Mutex<Vec<Event>>,
    pub(super) to_fold: Sender<Assignment>,
    pub(super) start: StartPosition,
    pub(super) starting: Starting,
    /// The consumer group's name, for messages.
    pub(super) group: String,
    /// Whether state comes from the store with each assignment, and goes with it.
    pub(super) travels: bool,
    pub(super) drain_timeout: Duration,
    /// Set before the consumer is dropped: the revoke fired then has nobody left to wait for.
    pub(super) closing: AtomicBool,
    /// The last assignment was lost with the session, and none has come since.
    pub(super) lost: AtomicBool,
}

impl IngestContext {
    /// The same for a client that takes the place of this one.
    pub(super) fn anew(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            health: Arc::clone(&self.health),
            log: QuietLog::new("consumer"),
            events: Mutex::default(),
            to_fold: self.to_fold.clone(),
            start: self.start,
            starting: self.starting,
            group: self.group.clone(),
            travels: self.travels,
            drain_timeout: self.drain_timeout,
            closing: AtomicBool::new(false),
            lost: AtomicBool::new(true),
        }
    }

    fn push(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    pub(super) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins an assignment. Where state travels, reading waits until that of these partitions is here; else `list` is told
    /// where each starts: the ledger's position, else the group's, else `kafka.start`.
    fn assign(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        self.lost.store(false, Ordering::Release);
        let partitions = partitions_of(list);
        let seats = if self.travels { stand_by(&partitions, list) } else { self.seat(consumer, &partitions, list) };
        let mut status = self.shared.status();
        status.assigned += 1;
        status.partitions =
            partitions.iter().map(|partition| (partition.clone(), PartitionStatus::default())).collect();
        let round = status.round();
        drop(status);
        if self.travels {
            self.shared.begin_restore(round);
        }
        tracing::info!(partitions = partitions.len(), "partitions assigned");
        let member = consumer.group_metadata().map(Member::new);
        // The fold must know of an epoch before the first batch of it can come.
        if self.to_fold.send(Assignment::Assigned(Assigned { partitions, round, member })).is_ok() {
            self.push(Event::Assigned(seats));
        }
    }

    /// Seats partitions whose positions are known here, or can be asked. Gives the epoch of each.
    fn seat(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &[PartitionId],
        list: &TopicPartitionList,
    ) -> Vec<(PartitionId, u32)> {
        let mut seats = Vec::with_capacity(partitions.len());
        let mut starts = BTreeMap::new();
        {
            let mut ledger = self.shared.ledger();
            for partition in partitions {
                let seat = ledger.assign(partition);
                seats.push((partition.clone(), seat.epoch));
                if let Some(next) = seat.resume {
                    starts.insert(partition.clone(), next.0);
                }
            }
        }
        self.complete_starts(consumer, partitions, &mut starts);
        set_offsets(list, &starts);
        let mut ledger = self.shared.ledger();
        for (partition, start) in &starts {
            ledger.start_at(partition, NextOffset(*start));
        }
        seats
    }

    /// Ends the assignment: what was handed over may be folded, what is still on its way then becomes stale, and what was folded
    /// is saved and committed.
    fn revoke(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        if self.closing.load(Ordering::Acquire) {
            return;
        }
        self.lost.store(consumer.assignment_lost(), Ordering::Release);
        let partitions = partitions_of(list);
        // All of the callback ends with the drain timeout, and the checkpoint needs its time too.
        let began = Instant::now();
        self.drain(consumer, began + self.drain_timeout / 2);
        {
            let mut ledger = self.shared.ledger();
            for partition in &partitions {
                ledger.revoke(partition);
            }
        }
        let mut status = self.shared.status();
        status.revoked += 1;
        for partition in &partitions {
            status.partitions.remove(partition);
        }
        drop(status);
        tracing::info!(partitions = partitions.len(), "partitions revoked");
        self.health.beat(Thread::Ingest);
        self.save_and_commit(consumer, &partitions, began + self.drain_timeout);
        if self.to_fold.send(Assignment::Revoked(partitions.clone())).is_ok() {
            self.push(Event::Revoked(partitions));
        }
    }

    /// Lets what was handed over be folded, so that the next owner need not read it again. Nothing is handed over meanwhile.
    fn drain(&self, consumer: &BaseConsumer<Self>, deadline: Instant) {
        while self.shared.in_flight_records() > 0
            && !self.shared.is_held()
            && !consumer.assignment_lost()
            && Instant::now() < deadline
        {
            self.health.beat(Thread::Ingest);
            std::thread::sleep(LOOK);
        }
    }

    /// Asks for a checkpoint and commits what it covers.
    fn save_and_commit(&self, consumer: &BaseConsumer<Self>, partitions: &[PartitionId], deadline: Instant) {
        let (answer, covered) = crossbeam_channel::bounded(1);
        if self.to_fold.send(Assignment::Checkpoint { answer, deadline }).is_err() {
            return;
        }
        let covered = match self.wait_for(&covered, deadline) {
            Ok(covered) => covered,
            Err(RecvTimeoutError::Disconnected) => {
                tracing::info!("no checkpoint for the partitions that go; the next owner goes on at the one before");
                return;
            }
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(
                    "no checkpoint within pipeline.drain_timeout; the next owner reads again what is not committed"
                );
                return;
            }
        };
        if self.travels {
            // The store has committed them with the state.
            return;
        }
        let ours: Positions = covered.into_iter().filter(|(partition, _)| partitions.contains(partition)).collect();
        if consumer.assignment_lost() {
            tracing::warn!(
                "the group has given the partitions away already; their offsets cannot be committed any more"
            );
            return;
        }
        // Not waited for: with the coordinator away that takes a minute (INV-3). It goes out before the group is joined
        // again, so whoever gets the partitions next finds it.
        commit(consumer, &ours);
    }

    fn wait_for(&self, covered: &Receiver<Positions>, deadline: Instant) -> Result<Positions, RecvTimeoutError> {
        loop {
            self.health.beat(Thread::Ingest);
            match covered.recv_deadline(deadline.min(Instant::now() + BEAT)) {
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {}
                outcome => return outcome,
            }
        }
    }

    fn take_statistics(&self, json: &[u8]) {
        match stats::parse(json) {
            Ok(report) => self.push(Event::Report(report)),
            Err(error) => tracing::debug!(%error, "statistics of librdkafka cannot be read"),
        }
    }
}

impl ClientContext for IngestContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.librdkafka(level, facility, message);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.take_statistics(statistics);
    }

    fn error(&self, _error: KafkaError, _reason: &str) {
        // The same error comes out of `poll`, where it is handled.
    }
}

impl ConsumerContext for IngestContext {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => self.assign(consumer, list),
            Rebalance::Revoke(list) => self.revoke(consumer, list),
            Rebalance::Error(error) => {
                self.log.error(error, "the group could not be rebalanced");
                self.push(Event::Rejoin);
            }
        }
    }
}

/// Commits positions of the group, for tools that watch its lag; what is resumed from is the checkpoint.
pub(super) fn commit(consumer: &BaseConsumer<IngestContext>, positions: &Positions) {
    if positions.is_empty() {
        return;
    }
    let result = position_list(positions).and_then(|list| consumer.commit(&list, CommitMode::Async));
    if let Err(error) = result {
        consumer.context().log.error(&error, "offsets could not be committed; the next checkpoint commits them");
    }
}

/// A fresh list of positions; see [`list_of`].
pub(crate) fn position_list<'a>(
    positions: impl IntoIterator<Item = &'a (PartitionId, NextOffset)>,
) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (partition, next) in positions {
        list.add_partition_offset(&partition.topic, partition.partition, KafkaOffset::Offset(next.0))?;
    }
    Ok(list)
}

/// The partitions of a list; librdkafka's wrapper panics on an empty one.
fn partitions_of(list: &TopicPartitionList) -> Vec<PartitionId> {
    if list.count() == 0 {
        return Vec::new();
    }
    list.elements().iter().map(|element| PartitionId::new(element.topic(), element.partition())).collect()
}

/// A fresh list of partitions, all at one offset. Lists are never kept: one that outlives its client hangs it.
pub(super) fn list_of(partitions: &[&PartitionId], offset: KafkaOffset) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(&partition.topic, partition.partition, offset)?;
    }
    Ok(list)
}

/// Has nothing read of partitions yet: their batches are stale.
fn stand_by(partitions: &[PartitionId], list: &TopicPartitionList) -> Vec<(PartitionId, u32)> {
    set_offsets(list, &BTreeMap::new());
    partitions.iter().map(|partition| (partition.clone(), 0)).collect()
}

/// Tells the client where each partition starts. Where that is not known yet it is paused before anything is read. Told no
/// offset at all, it would ask for the group's and read on from there; told the end, it would ask where that is, and where the
/// answer comes after the seek to the right place it asks again and goes there: then records are lost.
fn set_offsets(list: &TopicPartitionList, starts: &BTreeMap<PartitionId, i64>) {
    if list.count() == 0 {
        return;
    }
    for mut element in list.elements() {
        let partition = PartitionId::new(element.topic(), element.partition());
        let start = starts.get(&partition).copied().unwrap_or_default();
        if let Err(error) = element.set_offset(KafkaOffset::Offset(start)) {
            tracing::error!(%partition, start, %error, "librdkafka refuses the offset to start at");
        }
    }
}
