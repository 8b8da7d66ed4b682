//! Writes changes and offsets in one transaction, which counts only while the group still has the member that wrote it.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, PurgeConfig};

use super::KafkaStoreError;
use super::attempt::Work;
use super::book::Change;
use super::chunks::MOST_BYTES;
use super::client::{STEP, StoreContext};
use super::events::Mail;
use super::key::place_of;
use crate::ingest::position_list;

/// A transaction that nobody ends is given up by the brokers after this. Whoever takes its partitions over waits until then.
const OPEN_MILLIS: &str = "10000";
/// How long a transaction may take before it is given up.
pub(super) const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// The step after which a transaction may count though it failed.
pub(super) const COMMIT: &str = "commit";
/// The step at which alert events are sent.
const EVENTS: &str = "send alert events in";
/// How long that may take: the state must not wait for another topic.
const EVENTS_WITHIN: Duration = Duration::from_secs(3);
/// How long giving it up may take, in steps.
pub(super) const ABORT_WITHIN: Duration = Duration::from_secs(1);
const ABORT_STEP: Duration = Duration::from_millis(500);
/// How long a full queue is waited for before it is looked at again.
const ROOM: Duration = Duration::from_millis(5);

/// Writes to the checkpoint topic.
pub(super) struct Writer {
    producer: BaseProducer<StoreContext>,
    topic: String,
    group: String,
}

/// Where and under which name it is written.
pub(super) struct Target<'a> {
    pub(super) topic: &'a str,
    pub(super) group: &'a str,
    /// The transactional id: this daemon's own.
    pub(super) id: &'a str,
}

impl Writer {
    /// A writer that may begin transactions. A transaction that a daemon of the same name left open is given up at once.
    ///
    /// # Errors
    /// If librdkafka does not take the settings, the brokers do not answer, or `go_on` says no.
    pub(super) fn start(
        mut client: ClientConfig,
        target: &Target<'_>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Self, KafkaStoreError> {
        let producer: BaseProducer<StoreContext> = client
            .set("transactional.id", target.id)
            .set("transaction.timeout.ms", OPEN_MILLIS)
            .set("message.timeout.ms", OPEN_MILLIS)
            .set("queue.buffering.max.kbytes", "65536")
            .set("linger.ms", "0")
            // A broker's limit is for a whole batch, and one large value is the most that the topic must take.
            .set("batch.size", MOST_BYTES.to_string())
            .set("allow.auto.create.topics", "false")
            .create_with_context(StoreContext::new())
            .map_err(|error| KafkaStoreError::Client { why: error.to_string() })?;
        let writer = Self { producer, topic: target.topic.to_owned(), group: target.group.to_owned() };
        loop {
            match writer.producer.init_transactions(STEP) {
                Ok(()) => return Ok(writer),
                Err(error) if is_retriable(&error) && go_on() => {}
                Err(error) if is_retriable(&error) => return Err(KafkaStoreError::Stopped),
                Err(error) => return Err(writer.failed("start", &error)),
            }
        }
    }

    /// Writes changes, alert events, and the offsets that they go up to, in one transaction. `go_on` is asked at least each second or
    /// two.
    ///
    /// # Errors
    /// If it does not count: the brokers do not answer, the group has given the partitions to others since, or `go_on` says no.
    pub(super) fn write(&self, work: &Work, go_on: &mut dyn FnMut() -> bool) -> Result<(), KafkaStoreError> {
        let offsets = position_list(&work.offsets).map_err(|error| self.failed("prepare", &error))?;
        self.producer.begin_transaction().map_err(|error| self.failed("begin", &error))?;
        let deadline = Instant::now() + WRITE_WITHIN;
        let goes_on = &mut || go_on() && Instant::now() < deadline;
        let sent = self.send_all(&work.plan.changes, work.places, goes_on).map_err(|error| ("write", error));
        let told = sent.and_then(|()| match &work.mail {
            Some(mail) => self.send_events(mail, goes_on).map_err(|error| (EVENTS, error)),
            None => Ok(()),
        });
        let added = told.and_then(|()| {
            let add = || self.producer.send_offsets_to_transaction(&offsets, work.member.metadata(), STEP);
            in_steps(add, goes_on).map_err(|error| ("commit offsets in", error))
        });
        let committed = added.and_then(|()| {
            in_steps(|| self.producer.commit_transaction(STEP), goes_on).map_err(|error| (COMMIT, error))
        });
        let Err((step, error)) = committed else { return Ok(()) };
        if !is_fatal(&error) {
            self.abort();
        }
        match (step, &work.mail) {
            (EVENTS, Some(mail)) if !is_about_the_member(&error) => {
                Err(KafkaStoreError::Events { topic: mail.topic.clone(), why: error.to_string() })
            }
            _ => Err(self.failed(step, &error)),
        }
    }

    /// Sends alert events, and waits until they are delivered. All else is, by then: what fails is theirs.
    fn send_events(&self, mail: &Mail, goes_on: &mut dyn FnMut() -> bool) -> Result<(), KafkaError> {
        // Of a topic that is not there a record would be kept until its time is over.
        let metadata = self.producer.client().fetch_metadata(Some(&mail.topic), STEP)?;
        let missing = metadata.topics().iter().find_map(rdkafka::metadata::MetadataTopic::error);
        if let Some(code) = missing {
            return Err(KafkaError::MessageProduction(code.into()));
        }
        drop(self.producer.context().take_undelivered());
        for event in &mail.events {
            self.producer.send(event.record(&mail.topic)).map_err(|(error, _)| error)?;
        }
        let deadline = Instant::now() + EVENTS_WITHIN;
        while self.producer.in_flight_count() > 0 {
            if !goes_on() || Instant::now() >= deadline {
                return Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut));
            }
            self.producer.poll(Duration::from_micros(500));
        }
        self.producer.context().take_undelivered().map_or(Ok(()), Err)
    }

    /// Sends everything and waits until it is delivered or has failed. What has failed fails the transaction.
    fn send_all(&self, changes: &[Change], places: i32, goes_on: &mut dyn FnMut() -> bool) -> Result<(), KafkaError> {
        for change in changes {
            self.send(change, places, goes_on)?;
        }
        while self.producer.in_flight_count() > 0 {
            if !goes_on() {
                return Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut));
            }
            self.producer.poll(Duration::from_micros(500));
        }
        Ok(())
    }

    fn send(&self, (key, value): &Change, places: i32, goes_on: &mut dyn FnMut() -> bool) -> Result<(), KafkaError> {
        let text = key.to_text(&self.group);
        let mut record: BaseRecord<'_, str, [u8]> =
            BaseRecord::to(&self.topic).partition(place_of(&key.item, &self.group, places)).key(&text);
        if let Some(value) = value {
            record = record.payload(value);
        }
        loop {
            let Err((error, unsent)) = self.producer.send(record) else { return Ok(()) };
            let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || !goes_on() {
                return Err(error);
            }
            self.producer.poll(ROOM);
            record = unsent;
        }
    }

    /// Gives up the transaction, also where nobody waits for it any more: a client that ends in the middle of one may never be
    /// done with ending. Where that fails the next writer does so, or the brokers.
    fn abort(&self) {
        let deadline = Instant::now() + ABORT_WITHIN;
        let goes_on = &mut || Instant::now() < deadline;
        // The client waits for its own reports of what is thrown away, and those come by polling.
        self.producer.purge(PurgeConfig::default().queue().inflight());
        while self.producer.in_flight_count() > 0 && goes_on() {
            self.producer.poll(ROOM);
        }
        if let Err(error) = in_steps(|| self.producer.abort_transaction(ABORT_STEP), goes_on) {
            tracing::warn!(%error, "a transaction of the checkpoint topic could not be given up; the brokers will");
        }
    }

    fn failed(&self, step: &'static str, error: &KafkaError) -> KafkaStoreError {
        let why = match error {
            KafkaError::Transaction(error) => error.string(),
            error => error.to_string(),
        };
        if is_about_the_member(error) {
            return KafkaStoreError::Fenced { group: self.group.clone(), why };
        }
        KafkaStoreError::Write { topic: self.topic.clone(), step, why }
    }

    /// The topic that it writes to.
    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Ends it on a thread of its own: librdkafka may wait for brokers that are away, and whoever saves must not.
    pub(super) fn end(self) {
        let ending = thread::Builder::new().name("latido-unsave".to_owned()).spawn(move || drop(self));
        if let Err(error) = ending {
            tracing::warn!(%error, "a client of the checkpoint topic is ended without a thread for it");
        }
    }

    /// Whether nothing can be written any more with this client.
    pub(super) fn is_dead(&self) -> bool {
        self.producer.client().fatal_error().is_some()
    }
}

/// Tries a call that goes on where it timed out, until it is done.
fn in_steps(
    mut call: impl FnMut() -> Result<(), KafkaError>,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<(), KafkaError> {
    loop {
        match call() {
            Err(error) if is_retriable(&error) && goes_on() => {}
            outcome => return outcome,
        }
    }
}

/// Whether the group no longer has the member that wrote.
fn is_about_the_member(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        FencedInstanceId, IllegalGeneration, RebalanceInProgress, StaleMemberEpoch, UnknownMemberId,
    };
    matches!(
        error.rdkafka_error_code(),
        Some(IllegalGeneration | UnknownMemberId | FencedInstanceId | RebalanceInProgress | StaleMemberEpoch)
    )
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_retriable())
}

fn is_fatal(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_fatal())
}
