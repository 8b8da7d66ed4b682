//! The consumer thread: it polls, copies records into batches and hands them over. It blocks on the poll, and where an assignment or
//! an offset needs it on a short question to the brokers.

mod elsewhere;
mod leave;
mod orphans;
mod reopen;
mod rewind;
mod settings;

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendTimeoutError, Sender};
use rdkafka::ClientConfig;
use rdkafka::Offset as KafkaOffset;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::config::{CheckpointStore, Config, StartPosition};
use crate::message::PartitionId;
use crate::publish::{Health, Thread};

use super::assembler::Assembler;
use super::context::{Assignment, Event, IngestContext, Positions, commit, list_of};
use super::ends::Ends;
use super::quiet_log::{QuietLog, is_connection_trouble};
use super::shared::Shared;
use super::stats::{PartitionReport, Report};
use super::{Batch, Budget};
use elsewhere::Elsewhere;
use leave::leave;
use orphans::Orphans;
pub use settings::FETCH_AHEAD;
use settings::own_settings;

/// Longest wait for a record when nothing is being assembled.
const IDLE_POLL: Duration = Duration::from_millis(50);
/// Longest a record waits for its batch to fill.
const LINGER: Duration = Duration::from_millis(10);
/// Most records taken before everything else has its turn.
const RECORDS_A_TURN: usize = 1_000;
/// One wait for room in the hand-over; then the poll has its turn again.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(5);
/// Without room for this long, partitions are paused. Pausing drops what librdkafka has fetched, so not at once.
const PAUSE_AFTER: Duration = Duration::from_millis(500);
/// How long before the group is joined again where something went wrong.
const REJOIN_AFTER: Duration = Duration::from_secs(5);

/// The key of the reason on `/readyz` that the consumer cannot go on.
pub const CONSUMER: &str = "consumer";

/// Why the consumer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// librdkafka refused the settings.
    #[error("the consumer cannot be made: {0}; check [kafka] and [kafka.properties]")]
    Client(#[source] KafkaError),
    /// librdkafka refused the topics.
    #[error("cannot subscribe to {topics}: {source}; check kafka.topics")]
    Subscribe {
        /// The topics.
        topics: String,
        /// What librdkafka said.
        source: KafkaError,
    },
}

/// What an operator may decide about where reading starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Starting {
    /// Where to go on in partitions whose saved offset is not in the log.
    pub start_from: Option<StartPosition>,
    /// Go on at the group's offsets though no checkpoint has the windows up to there.
    pub start_empty: bool,
}

/// What the consumer thread is connected to.
#[derive(Debug)]
pub struct Links {
    /// Batches for the scoring pool.
    pub batches: Sender<Batch>,
    /// Changes of assignment for the fold.
    pub assignments: Sender<Assignment>,
    /// What checkpoints cover, to be committed.
    pub covered: Receiver<Positions>,
    /// Positions and limits shared with the fold.
    pub shared: Arc<Shared>,
    /// Heartbeats and readiness.
    pub health: Arc<Health>,
    /// Stop reading: hand over what is assembled.
    pub stop: Arc<AtomicBool>,
}

/// The consumer thread's own.
pub struct Consumer {
    consumer: BaseConsumer<IngestContext>,
    /// Its settings, should another one be needed.
    client: ClientConfig,
    topics: Vec<String>,
    assembler: Assembler,
    outbox: VecDeque<Batch>,
    batches: Option<Sender<Batch>>,
    covered: Receiver<Positions>,
    shared: Arc<Shared>,
    health: Arc<Health>,
    stop: Arc<AtomicBool>,
    in_flight_limit: usize,
    congested_since: Option<Instant>,
    ahead: BTreeSet<PartitionId>,
    paused: BTreeSet<PartitionId>,
    ends: Ends,
    check_range: bool,
    /// The group has read before, and the windows up to there are gone: nothing is read until an operator decides.
    stateless: bool,
    /// A topic was missing when last heard of; and whether that must be asked again.
    topic_missing: bool,
    check_topics: bool,
    /// Partitions of topics of which none is assigned here.
    elsewhere: Elsewhere,
    /// Partitions that the group has given to nobody.
    orphans: Orphans,
    /// librdkafka cannot go on: only a restart helps.
    failed: bool,
    /// Whether any broker was connected at the last report.
    connected: bool,
    /// Saved positions without a partition were looked for.
    named_what_is_gone: bool,
    rejoin_at: Option<Instant>,
    /// The assignment has partitions of which nobody knows where they start: nothing is read until the next one.
    startless: bool,
    /// When a new client takes the place of this one.
    reopen_at: Option<Instant>,
}

impl Consumer {
    /// Makes the consumer and subscribes. Brokers need not be there yet.
    ///
    /// # Errors
    /// If librdkafka refuses the settings or the topics.
    pub fn new(
        config: &Config,
        mut client: ClientConfig,
        instance: Option<&str>,
        starting: Starting,
        links: Links,
    ) -> Result<Self, ConsumerError> {
        own_settings(&mut client, config, instance);
        let context = IngestContext {
            shared: Arc::clone(&links.shared),
            health: Arc::clone(&links.health),
            log: QuietLog::new("consumer"),
            events: Mutex::default(),
            to_fold: links.assignments,
            start: config.kafka.start,
            starting,
            group: config.kafka.group.clone(),
            travels: config.checkpoint.store == CheckpointStore::Kafka,
            drain_timeout: config.pipeline.drain_timeout.get(),
            closing: AtomicBool::new(false),
            lost: AtomicBool::new(false),
        };
        let consumer: BaseConsumer<IngestContext> =
            client.create_with_context(context).map_err(ConsumerError::Client)?;
        let this = Self {
            consumer,
            client,
            topics: config.kafka.topics.clone(),
            assembler: Assembler::new(&config.pipeline),
            outbox: VecDeque::new(),
            batches: Some(links.batches),
            covered: links.covered,
            shared: links.shared,
            health: links.health,
            stop: links.stop,
            in_flight_limit: Budget::of(&config.pipeline).batches,
            congested_since: None,
            ahead: BTreeSet::new(),
            paused: BTreeSet::new(),
            ends: Ends::default(),
            check_range: false,
            stateless: false,
            topic_missing: false,
            check_topics: false,
            elsewhere: Elsewhere::default(),
            orphans: Orphans::default(),
            failed: false,
            connected: false,
            named_what_is_gone: false,
            rejoin_at: None,
            startless: false,
            reopen_at: None,
        };
        this.subscribe()?;
        this.health.set_not_ready("assignment", "waiting for the group to assign partitions".to_owned());
        Ok(this)
    }

    fn subscribe(&self) -> Result<(), ConsumerError> {
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        self.consumer
            .subscribe(&topics)
            .map_err(|source| ConsumerError::Subscribe { topics: self.topics.join(", "), source })
    }

    /// Reads until told to stop, or until librdkafka cannot go on. Then hands over the rest, waits for the last checkpoint
    /// to be committed and leaves.
    pub fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) && !self.failed {
            self.health.beat(Thread::Ingest);
            self.turn();
        }
        self.finish();
    }

    /// One turn: hand over, pause or resume, commit, poll, assemble.
    fn turn(&mut self) {
        self.hand_over();
        self.regulate();
        self.commit_covered();
        self.rejoin_if_due();
        self.reopen_if_due();
        if self.check_range {
            self.find_unreadable();
        }
        if !self.shared.is_rewound() && !self.shared.is_restoring() && !self.stateless && self.rejoin_at.is_none() {
            self.rewind();
        }
        self.poll();
        self.assembler.flush_older_than(LINGER, &mut self.outbox);
        self.react();
    }

    /// Takes records until there are none, something else happened, or a batch is full. Without room: one record.
    fn poll(&mut self) {
        let in_flight = self.shared.in_flight_bytes();
        let has_room = self.outbox.is_empty() && in_flight <= self.in_flight_limit;
        let most = if has_room { RECORDS_A_TURN } else { 1 };
        for _ in 0..most {
            let wait = if self.assembler.is_empty() && self.outbox.is_empty() { IDLE_POLL } else { Duration::ZERO };
            let polled = self.consumer.poll(wait);
            if polled.is_some() {
                self.ends.polled();
            }
            let error = match polled {
                Some(Ok(message)) => {
                    self.assembler.push(&message, &mut self.outbox);
                    if !self.outbox.is_empty() {
                        return;
                    }
                    // Large records of many partitions: each in a batch of its own, and none of them full.
                    if in_flight + self.assembler.bytes() > self.in_flight_limit {
                        return self.assembler.flush(&mut self.outbox);
                    }
                    continue;
                }
                Some(Err(error)) => error,
                None => return self.assembler.flush(&mut self.outbox),
            };
            return self.note(&error);
        }
    }

    /// Acts on what happened inside the poll.
    fn react(&mut self) {
        for event in self.consumer.context().take_events() {
            match event {
                Event::Assigned(seats) => {
                    // What is paused stays so in librdkafka, and what is ahead of the others stays so: neither is cleared.
                    self.assembler.assign(&seats);
                    self.ends = Ends::default();
                    self.check_range = false;
                    // Whatever offset is still outside the log says so again.
                    self.health.set_ready("offset_out_of_range");
                    if seats.is_empty() {
                        let message = "the group has more members than partitions: none is ours".to_owned();
                        self.health.set_not_ready("assignment", message);
                    } else if self.rejoin_at.is_none() {
                        self.health.set_ready("assignment");
                    }
                    self.check_topics = self.topic_missing;
                    self.elsewhere.ask_again();
                    if self.consumer.context().travels {
                        // Whose state is missing is asked anew of those that are ours now.
                        self.stateless = false;
                        self.health.set_ready("no_checkpoint");
                    }
                }
                Event::Revoked(partitions) => {
                    self.assembler.revoke(&partitions);
                    self.outbox.retain(|batch| !partitions.contains(&batch.partition));
                    self.startless = false;
                    self.health.set_not_ready("assignment", "waiting for the group to assign partitions".to_owned());
                }
                Event::Report(report) => self.take_report(report),
                Event::StateMissing(message) => {
                    self.stateless = true;
                    tracing::error!("{message}");
                    self.health.set_not_ready("no_checkpoint", message);
                }
                Event::NoStarts => {
                    self.startless = true;
                    self.rejoin_later();
                }
                Event::Rejoin => self.rejoin_later(),
            }
        }
    }

    /// Learns where the partitions end. Only what was also handed over counts as read to its end.
    fn take_report(&mut self, report: Report) {
        self.connected = report.connected;
        if report.connected {
            self.health.set_ready("kafka");
            self.look_for_topics();
        } else {
            let cause =
                self.consumer.context().log.connection_trouble().map_or_else(String::new, |why| format!(": {why}"));
            let message = format!("no broker of kafka.brokers is connected{cause}; `latido check --live` tries them");
            self.health.set_not_ready("kafka", message);
        }
        self.name_what_is_gone(&report);
        self.assembler.flush(&mut self.outbox);
        self.hand_over();
        let all_handed_over = self.outbox.is_empty();
        self.ends.take(&report.partitions);
        self.note_queue(&report);
        let topic_partitions = self.elsewhere.count(&self.consumer, &self.topics, &report);
        self.look_for_orphans(topic_partitions);
        let now = Instant::now();
        let mut status = self.shared.status();
        status.topic_partitions = topic_partitions.or(status.topic_partitions);
        for told in report.partitions {
            let drained = self.ends.is_read(&told) && all_handed_over && !self.paused.contains(&told.partition);
            let Some(partition) = status.partitions.get_mut(&told.partition) else { continue };
            partition.end = told.end;
            partition.end_at_assignment = partition.end_at_assignment.or(told.end);
            partition.drained = drained.then_some((now, partition.handed_over));
        }
    }

    /// Joins the group again where partitions are nobody's: that has it give out what it has.
    fn look_for_orphans(&mut self, topic_partitions: Option<usize>) {
        let Some(all) = topic_partitions else { return };
        let held = self.shared.status().partitions.len();
        if held >= all {
            return self.orphans.are_none();
        }
        if held > 0 && self.rejoin_at.is_none() && self.orphans.are_there(&self.consumer, &self.topics, all) {
            tracing::warn!(held, all, "the group has given some partitions to nobody; joining it again");
            self.rejoin_at = Some(Instant::now());
        }
    }

    /// Notes how full librdkafka's queue is: one for all partitions, of which each partition tells.
    fn note_queue(&self, report: &Report) {
        let most = |of: fn(&PartitionReport) -> i64| report.partitions.iter().map(of).max().unwrap_or_default();
        let whole = |count: i64| usize::try_from(count).unwrap_or_default();
        self.shared.set_fetched(whole(most(|told| told.queued)), whole(most(|told| told.queued_bytes)));
    }

    /// Names, once, the saved positions of partitions that their topic no longer has: they are kept, and of no use.
    fn name_what_is_gone(&mut self, report: &Report) {
        if self.named_what_is_gone || self.shared.status().partitions.is_empty() {
            return;
        }
        self.named_what_is_gone = true;
        let has_topic = |topic: &str| report.partitions.iter().any(|told| &*told.partition.topic == topic);
        let has = |partition: &PartitionId| report.partitions.iter().any(|told| told.partition == *partition);
        for (partition, next) in self.shared.ledger().positions() {
            if has_topic(&partition.topic) && !has(partition) {
                let offset = next.0;
                tracing::warn!(%partition, offset, "not restored from the checkpoint: the topic has no such partition");
            }
        }
    }

    /// Moves batches from the outbox to the pool while the budget of bytes lasts; waits a moment for room, never longer.
    fn hand_over(&mut self) {
        let Some(batches) = &self.batches else { return };
        // At most one batch goes beyond the budget (INV-6), so that a record larger than all of it gets through.
        while self.shared.in_flight_bytes() < self.in_flight_limit {
            let Some(batch) = self.outbox.pop_front() else { return };
            let (partition, next) = (batch.partition.clone(), batch.next);
            let (records, bytes) = (batch.len(), batch.footprint());
            self.shared.enter(records, bytes);
            if let Some(status) = self.shared.status().partitions.get_mut(&partition) {
                status.handed_over = Some(next);
            }
            match batches.send_timeout(batch, WAIT_FOR_ROOM) {
                Ok(()) => {}
                Err(SendTimeoutError::Timeout(batch) | SendTimeoutError::Disconnected(batch)) => {
                    self.shared.leave(records, bytes);
                    self.outbox.push_front(batch);
                    return;
                }
            }
        }
    }

    /// Pauses and resumes: everything while there is no room, else whatever ran ahead of stream time.
    fn regulate(&mut self) {
        if let Some(ahead) = self.shared.take_ahead() {
            self.ahead = ahead;
        }
        let in_flight = self.shared.in_flight_bytes();
        let full = !self.outbox.is_empty();
        // Resumed only at half, so that a slow pool does not make it flutter.
        let room = self.outbox.is_empty() && in_flight <= self.in_flight_limit / 2;
        match self.congested_since {
            None if full => self.congested_since = Some(Instant::now()),
            Some(_) if room => self.congested_since = None,
            _ => {}
        }
        if full && in_flight >= self.in_flight_limit {
            // The poll that follows may bring one record a turn: a bounded trickle until the pause takes hold.
            std::thread::sleep(WAIT_FOR_ROOM);
        }
        // Large records overshoot the budget fast: at twice the budget there is no more waiting.
        let overfull = in_flight / 2 > self.in_flight_limit;
        let stuck = overfull || self.congested_since.is_some_and(|since| since.elapsed() > PAUSE_AFTER);
        let stands_still = stuck || self.stateless || self.startless || self.shared.is_held();
        let wanted: BTreeSet<PartitionId> = {
            let status = self.shared.status();
            let assigned = status.partitions.keys();
            assigned.filter(|partition| stands_still || self.ahead.contains(*partition)).cloned().collect()
        };
        if wanted != self.paused {
            self.pause_exactly(wanted);
        }
    }

    fn pause_exactly(&mut self, wanted: BTreeSet<PartitionId>) {
        let pause: Vec<&PartitionId> = wanted.difference(&self.paused).collect();
        let resume: Vec<&PartitionId> = self.paused.difference(&wanted).collect();
        let paused = list_of(&pause, KafkaOffset::Invalid).and_then(|list| self.consumer.pause(&list));
        let resumed = list_of(&resume, KafkaOffset::Invalid).and_then(|list| self.consumer.resume(&list));
        if let Err(error) = paused.and(resumed) {
            self.consumer.context().log.error(&error, "partitions could not be paused or resumed; trying again");
            return;
        }
        self.paused = wanted;
    }

    fn commit_covered(&self) {
        if let Some(covered) = self.covered.try_iter().last() {
            self.commit_ours(covered);
        }
    }

    /// Commits what is covered of the assigned partitions; one revoked partition would sink the whole commit.
    fn commit_ours(&self, mut covered: Positions) {
        if self.consumer.context().travels {
            // The store has committed them with the state.
            return;
        }
        let status = self.shared.status();
        covered.retain(|(partition, _)| status.partitions.contains_key(partition));
        drop(status);
        commit(&self.consumer, &covered);
    }

    fn rejoin_later(&mut self) {
        self.rejoin_at = Some(Instant::now() + REJOIN_AFTER);
    }

    fn rejoin_if_due(&mut self) {
        if self.rejoin_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        self.rejoin_at = None;
        self.consumer.unsubscribe();
        if let Err(error) = self.subscribe() {
            tracing::error!(%error, "cannot join the group again");
            self.rejoin_later();
        }
    }

    fn note(&mut self, error: &KafkaError) {
        let Some(code) = error.rdkafka_error_code() else {
            if !matches!(error, KafkaError::PartitionEOF(_)) {
                self.consumer.context().log.error(error, "consumer error");
            }
            return;
        };
        match code {
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => self.fail(error),
            RDKafkaErrorCode::Fatal => self.fail(error),
            RDKafkaErrorCode::PartitionEOF => {}
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                let message =
                    format!("a topic of kafka.topics ({}) does not exist; waiting for it", self.topics.join(", "));
                self.consumer.context().log.error(error, &message);
                self.health.set_not_ready("topic", message);
                self.topic_missing = true;
            }
            RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => self.check_range = true,
            // One of several is said only while others answer; of all there is an error of its own.
            RDKafkaErrorCode::BrokerTransportFailure if !self.connected => {}
            RDKafkaErrorCode::BrokerTransportFailure => {
                self.consumer.context().log.error(error, "a broker cannot be reached; trying on");
            }
            code if is_connection_trouble(code) => {
                self.consumer.context().log.error(error, "no broker of kafka.brokers answers; trying on");
            }
            _ => self.consumer.context().log.error(error, "consumer error"),
        }
    }

    /// After an assignment: is a topic still missing? That of several there are some assigned does not tell, and librdkafka
    /// says it of each but once.
    fn look_for_topics(&mut self) {
        if !self.check_topics {
            return;
        }
        // All topics, since asking for one by name may make it.
        let Ok(metadata) = self.consumer.fetch_metadata(None, Duration::from_secs(1)) else { return };
        self.check_topics = false;
        let is_there = |name: &String| metadata.topics().iter().any(|topic| topic.name() == name);
        if self.topics.iter().all(is_there) {
            self.topic_missing = false;
            self.health.set_ready("topic");
        }
    }

    /// Nothing comes any more after a fatal error, so the thread ends, and with it the daemon: better down than deaf.
    fn fail(&mut self, error: &KafkaError) {
        let (code, reason) = self.consumer.client().fatal_error().unzip();
        if code == Some(RDKafkaErrorCode::FencedInstanceId) && self.is_shut_out_by_itself() {
            return self.plan_to_reopen();
        }
        self.failed = true;
        let reason = reason.unwrap_or_else(|| error.to_string());
        let mut told = format!("the consumer cannot go on: {reason}");
        if code == Some(RDKafkaErrorCode::FencedInstanceId) {
            let instance = self.client.get("group.instance.id").unwrap_or_default();
            let group = &self.consumer.context().group;
            told = format!(
                "another member of group {group} has the name {instance} of this one: give each daemon a \
                 kafka.group_instance_id and a checkpoint.directory of its own, or stop the other"
            );
        }
        tracing::error!(reason, "{told}");
        self.health.set_not_ready(CONSUMER, told);
    }

    /// Finds the partitions whose saved offset is not in the log. They are not read until an operator decides.
    fn find_unreadable(&mut self) {
        self.check_range = false;
        let partitions: Vec<PartitionId> = self.shared.status().partitions.keys().cloned().collect();
        let mut told = Vec::new();
        for partition in partitions {
            let Some(next) = self.shared.ledger().applied(&partition) else { continue };
            self.health.beat(Thread::Ingest);
            let Ok((low, high)) =
                self.consumer.fetch_watermarks(&partition.topic, partition.partition, Duration::from_secs(1))
            else {
                // Whoever asks on while the broker is away does not poll: the next turn asks again.
                self.check_range = true;
                break;
            };
            if (low..=high).contains(&next.0) {
                continue;
            }
            if let Some(status) = self.shared.status().partitions.get_mut(&partition) {
                status.unreadable = true;
            }
            told.push(format!("{partition}: saved offset {} is not in the log, which holds {low} to {high}", next.0));
        }
        if told.is_empty() {
            return;
        }
        let message = format!(
            "{}. Nothing of it is read. Restart with --start-from earliest, latest or a time to go on there",
            told.join("; ")
        );
        tracing::error!("{message}");
        self.health.set_not_ready("offset_out_of_range", message);
    }

    /// Hands over what is assembled, then keeps the group's session until the last checkpoint is committed.
    fn finish(mut self) {
        let deadline = Instant::now() + self.consumer.context().drain_timeout;
        self.assembler.flush(&mut self.outbox);
        while !self.outbox.is_empty() && Instant::now() < deadline {
            self.health.beat(Thread::Ingest);
            self.hand_over();
            if !self.outbox.is_empty() {
                std::thread::sleep(WAIT_FOR_ROOM);
            }
        }
        // The pool ends when nobody can send to it any more, then the fold, then the checkpoint writer.
        self.batches = None;
        while Instant::now() < deadline {
            self.health.beat(Thread::Ingest);
            match self.covered.recv_timeout(IDLE_POLL) {
                // Not waited for here: without a broker that takes the whole session timeout. Leaving waits for it.
                Ok(covered) => self.commit_ours(covered),
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
                Err(crossbeam_channel::RecvTimeoutError::Disconnected) => break,
            }
        }
        leave(self.consumer, deadline);
    }
}

#[cfg(test)]
mod tests;
