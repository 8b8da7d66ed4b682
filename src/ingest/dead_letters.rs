//! Records that cannot be used, written to the dead-letter topic and confirmed.
//!
//! Each dead letter has a *ticket*, counted from 1 in the order of the fold. A checkpoint whose offsets pass an
//! unusable record waits until the broker confirmed its dead letter (INV-1), so nothing is lost with a crash in between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use crate::message::{EventTime, LetterReason, Offset, PartitionId};
use crate::publish::{Health, Thread};

use super::patience::Patience;
use super::provenance;
use super::quiet_log::QuietLog;

/// Most dead letters waiting for the producer or the broker's word.
pub const OUTSTANDING_LIMIT: usize = 1_024;
/// A value that the topic will not take is cut to this and marked.
const TRUNCATED_BYTES: usize = 64 * 1024;
/// If it is still too large, it goes without its headers and with a key and a value of at most this.
const STUB_BYTES: usize = 256;
/// Most bytes that letters fill a batch to, so that many small ones seldom exceed a topic's limit together.
const BATCH_BYTES: &str = "65536";
const POLL: Duration = Duration::from_millis(10);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A record that cannot be used, with where it came from and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The partition it came from.
    pub partition: PartitionId,
    /// Its offset there.
    pub offset: Offset,
    /// Its own key.
    pub key: Option<Vec<u8>>,
    /// Its own value.
    pub value: Option<Vec<u8>>,
    /// Its own headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Why it is set aside.
    pub reason: LetterReason,
    /// What exactly is wrong; never the text.
    pub error: String,
    /// When it was read.
    pub received_at: EventTime,
}

impl DeadLetter {
    /// Bytes of key, value and headers.
    fn bytes(&self) -> usize {
        let of = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + of(value)).sum();
        of(&self.key) + of(&self.value) + headers
    }
}

/// Why the dead-letter producer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// librdkafka refused the settings.
    #[error("the dead-letter producer cannot be made: {0}; check [kafka.properties]")]
    Producer(#[from] KafkaError),
    /// No thread.
    #[error("the dead-letter thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// How far the dead letters have come.
#[derive(Debug)]
pub struct DeadLetterProgress {
    bytes_limit: usize,
    confirmed_through: AtomicU64,
    confirmed: AtomicU64,
    outstanding: AtomicUsize,
    outstanding_bytes: AtomicUsize,
}

impl DeadLetterProgress {
    fn new(bytes_limit: usize) -> Self {
        Self {
            bytes_limit,
            confirmed_through: AtomicU64::new(0),
            confirmed: AtomicU64::new(0),
            outstanding: AtomicUsize::new(0),
            outstanding_bytes: AtomicUsize::new(0),
        }
    }

    /// Most bytes that may wait for the producer or the broker's word; a larger letter waits until it is alone.
    #[must_use]
    pub fn bytes_limit(&self) -> usize {
        self.bytes_limit
    }

    /// Every ticket up to this one is confirmed.
    #[must_use]
    pub fn confirmed_through(&self) -> u64 {
        self.confirmed_through.load(Ordering::Acquire)
    }

    /// Dead letters confirmed so far.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.confirmed.load(Ordering::Relaxed)
    }

    /// Dead letters not confirmed yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Bytes of keys, values and headers not confirmed yet.
    #[must_use]
    pub fn outstanding_bytes(&self) -> usize {
        self.outstanding_bytes.load(Ordering::Relaxed)
    }

    fn enter(&self, bytes: usize) {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        self.outstanding_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn leave(&self, bytes: usize) {
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        self.outstanding_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.outstanding() == 0 || self.outstanding_bytes().saturating_add(bytes) <= self.bytes_limit
    }
}

/// The fold's end of the dead-letter thread.
#[derive(Debug)]
pub struct DeadLetters {
    sender: Sender<(u64, DeadLetter)>,
    progress: Arc<DeadLetterProgress>,
    last_ticket: u64,
}

impl DeadLetters {
    /// Starts the thread that writes to `topic`, with at most `bytes_limit` bytes of letters under way. Once `patience` is over and its owner gone, what the broker has not
    /// confirmed is given up: no checkpoint covers it, so it is read again.
    ///
    /// # Errors
    /// If the producer cannot be made or the thread not be started.
    pub fn start(
        mut client: ClientConfig,
        topic: &str,
        bytes_limit: usize,
        health: Arc<Health>,
        patience: Patience,
    ) -> Result<(Self, JoinHandle<()>), DeadLetterError> {
        // At least once is promised; what is too large is the broker's to refuse, not ours.
        client.set("acks", "all");
        client.set("message.max.bytes", "100000000");
        client.set("linger.ms", crate::sabotage::letters_linger_millis().unwrap_or("5"));
        // A broker's limit is for a whole batch.
        client.set("batch.size", BATCH_BYTES);
        let context = Context { reports: Mutex::default(), log: QuietLog::new("dead-letter producer") };
        let producer: BaseProducer<Context> = client.create_with_context(context)?;
        let (sender, receiver) = bounded(OUTSTANDING_LIMIT);
        let progress = Arc::new(DeadLetterProgress::new(bytes_limit));
        let writer = Writer {
            producer,
            topic: topic.to_owned(),
            receiver,
            progress: Arc::clone(&progress),
            health,
            patience,
            waiting: BTreeMap::new(),
            last_taken: 0,
        };
        let thread = thread::Builder::new().name("latido-dead".to_owned()).spawn(move || writer.run())?;
        Ok((Self { sender, progress, last_ticket: 0 }, thread))
    }

    /// Hands a dead letter over. Where too many are waiting, waits for room and calls `waiting` now and then; gives
    /// up once that says so.
    pub fn send(&mut self, letter: DeadLetter, mut waiting: impl FnMut() -> bool) -> bool {
        let ticket = self.last_ticket + 1;
        let bytes = letter.bytes();
        while !self.progress.has_room(bytes) {
            if !waiting() {
                return false;
            }
            thread::sleep(POLL);
        }
        self.progress.enter(bytes);
        let mut parcel = (ticket, letter);
        loop {
            match self.sender.send_timeout(parcel, POLL) {
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(back)) if waiting() => parcel = back,
                Err(_) => {
                    self.progress.leave(bytes);
                    return false;
                }
            }
        }
        self.last_ticket = ticket;
        true
    }

    /// The ticket of the last dead letter handed over; 0 before the first.
    #[must_use]
    pub fn last_ticket(&self) -> u64 {
        self.last_ticket
    }

    /// How far they have come.
    #[must_use]
    pub fn progress(&self) -> &Arc<DeadLetterProgress> {
        &self.progress
    }
}

/// Collects the broker's words; called from `poll` on the writer's own thread.
struct Context {
    reports: Mutex<Vec<(u64, Result<(), KafkaError>)>>,
    log: QuietLog,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.librdkafka(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Self::DeliveryOpaque) {
        let result = result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone());
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push((*ticket, result));
    }
}

/// Owns the producer.
struct Writer {
    producer: BaseProducer<Context>,
    topic: String,
    receiver: Receiver<(u64, DeadLetter)>,
    progress: Arc<DeadLetterProgress>,
    health: Arc<Health>,
    patience: Patience,
    /// Not confirmed yet, by ticket.
    waiting: BTreeMap<u64, Unconfirmed>,
    last_taken: u64,
}

/// A dead letter that the broker has not confirmed.
struct Unconfirmed {
    letter: DeadLetter,
    /// As it was handed over.
    bytes: usize,
    /// When to send again, where the last try failed.
    retry: Option<Instant>,
    /// The topic did not take it, and has not taken it since.
    refused: bool,
    /// It, or the batch that it was in, was too large: it goes alone, so that the broker's word is about it.
    alone: bool,
}

impl Writer {
    fn run(mut self) {
        loop {
            self.health.beat(Thread::DeadLetters);
            let is_full = self.waiting.len() >= OUTSTANDING_LIMIT || self.next_alone().is_some();
            if is_full && self.patience.is_over() {
                return self.give_up();
            }
            if !is_full {
                match self.receiver.recv_timeout(if self.waiting.is_empty() { POLL * 10 } else { POLL }) {
                    Ok((ticket, letter)) => self.take(ticket, letter),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) if self.waiting.is_empty() => return,
                    Err(RecvTimeoutError::Disconnected) if self.patience.is_over() => return self.give_up(),
                    Err(RecvTimeoutError::Disconnected) => thread::sleep(POLL),
                }
            }
            self.producer.poll(if is_full { POLL } else { Duration::ZERO });
            self.settle();
            self.send_again();
        }
    }

    /// The daemon stops and the broker does not answer.
    fn give_up(&self) {
        tracing::warn!(letters = self.waiting.len(), "dead letters are not confirmed; their records are read again");
    }

    fn take(&mut self, ticket: u64, letter: DeadLetter) {
        self.last_taken = ticket;
        let bytes = letter.bytes();
        self.waiting.insert(ticket, Unconfirmed { letter, bytes, retry: None, refused: false, alone: false });
        self.produce(ticket);
    }

    /// Gives a dead letter to the producer.
    fn produce(&mut self, ticket: u64) {
        let Some(unconfirmed) = self.waiting.get_mut(&ticket) else { return };
        unconfirmed.retry = None;
        let letter = &unconfirmed.letter;
        let mut record: BaseRecord<'_, [u8], [u8], Box<u64>> =
            BaseRecord::with_opaque_to(&self.topic, Box::new(ticket)).headers(headers(letter));
        if let Some(key) = &letter.key {
            record = record.key(key.as_slice());
        }
        if let Some(value) = &letter.value {
            record = record.payload(value.as_slice());
        }
        if let Err((error, _)) = self.producer.send(record) {
            self.retry_later(ticket, &error);
        }
    }

    /// Takes the broker's words in.
    fn settle(&mut self) {
        let reports =
            std::mem::take(&mut *self.producer.context().reports.lock().unwrap_or_else(PoisonError::into_inner));
        for (ticket, result) in reports {
            match result {
                Ok(()) => self.confirm(ticket),
                Err(error) => self.retry_later(ticket, &error),
            }
        }
        let through = confirmed_through(&self.waiting, self.last_taken);
        self.progress.confirmed_through.store(through, Ordering::Release);
        // A letter under way again is not taken yet: only the broker's word ends its trouble.
        if !self.waiting.values().any(|unconfirmed| unconfirmed.refused) {
            self.health.set_ready("dead_letters");
        }
    }

    fn confirm(&mut self, ticket: u64) {
        let Some(unconfirmed) = self.waiting.remove(&ticket) else { return };
        self.progress.confirmed.fetch_add(1, Ordering::Relaxed);
        self.progress.leave(unconfirmed.bytes);
    }

    fn retry_later(&mut self, ticket: u64, error: &KafkaError) {
        let Some(unconfirmed) = self.waiting.get_mut(&ticket) else { return };
        let too_large = error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge);
        let was_alone = unconfirmed.alone;
        unconfirmed.alone |= too_large;
        if too_large && (!was_alone || cut(&mut unconfirmed.letter)) {
            unconfirmed.retry = Some(Instant::now());
            return;
        }
        unconfirmed.retry = Some(Instant::now() + RETRY_AFTER);
        unconfirmed.refused = true;
        let message =
            format!("dead-letter topic {} does not take records: {error}; see kafka.dead_letter_topic", self.topic);
        self.producer.context().log.error(error, &message);
        self.health.set_not_ready("dead_letters", message);
    }

    /// The first letter that must go alone.
    fn next_alone(&self) -> Option<(u64, &Unconfirmed)> {
        self.waiting
            .iter()
            .find(|(_, unconfirmed)| unconfirmed.alone)
            .map(|(ticket, unconfirmed)| (*ticket, unconfirmed))
    }

    fn send_again(&mut self) {
        let now = Instant::now();
        if let Some((ticket, unconfirmed)) = self.next_alone() {
            let is_due = unconfirmed.retry.is_some_and(|at| at <= now);
            if is_due && self.producer.in_flight_count() == 0 {
                self.produce(ticket);
            }
            return;
        }
        let is_due = |unconfirmed: &Unconfirmed| unconfirmed.retry.is_some_and(|at| at <= now);
        let due = self.waiting.iter().filter(|(_, unconfirmed)| is_due(unconfirmed)).map(|(ticket, _)| *ticket);
        for ticket in due.collect::<Vec<u64>>() {
            self.produce(ticket);
        }
    }
}

/// The ticket up to which every letter is confirmed, given those that are not and the last one taken.
fn confirmed_through<Letter>(waiting: &BTreeMap<u64, Letter>, last_taken: u64) -> u64 {
    waiting.first_key_value().map_or(last_taken, |(ticket, _)| ticket - 1)
}

/// Cuts a dead letter that the topic will not take as it is, and marks the cut: its value first, then whatever else is
/// large. False where nothing is left to cut.
fn cut(letter: &mut DeadLetter) -> bool {
    let whole = letter.bytes();
    let mark = |name: &str, bytes: usize| (name.to_owned(), Some(bytes.to_string().into_bytes()));
    if let Some(value) = letter.value.as_mut().filter(|value| value.len() > TRUNCATED_BYTES) {
        letter.headers.push(mark(provenance::TRUNCATED_FROM_BYTES, value.len()));
        value.truncate(TRUNCATED_BYTES);
        return true;
    }
    if letter.headers.iter().any(|(name, _)| name == provenance::STUB_OF_BYTES) {
        return false;
    }
    letter.headers = vec![mark(provenance::STUB_OF_BYTES, whole)];
    for part in [&mut letter.key, &mut letter.value].into_iter().flatten() {
        part.truncate(STUB_BYTES);
    }
    true
}

/// The record's own headers, then where it came from and why it is here.
fn headers(letter: &DeadLetter) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(letter.headers.len() + provenance::NAMES.len());
    for (key, value) in &letter.headers {
        headers = headers.insert(Header { key, value: value.as_deref() });
    }
    let values = [
        letter.partition.topic.to_string(),
        letter.partition.partition.to_string(),
        letter.offset.0.to_string(),
        letter.reason.as_str().to_owned(),
        letter.error.clone(),
        letter.received_at.to_rfc3339(),
    ];
    for (key, value) in provenance::NAMES.iter().zip(&values) {
        headers = headers.insert(Header { key, value: Some(value.as_bytes()) });
    }
    headers
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]
mod model;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]
mod tests {
    use super::*;
    use crate::message::RejectReason;

    const BYTES_LIMIT: usize = 1_000;

    fn letter(value: usize, headers: usize) -> DeadLetter {
        DeadLetter {
            partition: PartitionId::new("in", 0),
            offset: Offset(1),
            key: Some(vec![b'k'; 10]),
            value: Some(vec![b'v'; value]),
            headers: vec![("h".to_owned(), Some(vec![b'h'; headers]))],
            reason: LetterReason::Rejected(RejectReason::NotJson),
            error: "no JSON".to_owned(),
            received_at: EventTime::from_millis(0),
        }
    }

    /// The fold's end, with nobody at the other.
    fn unread() -> (DeadLetters, Receiver<(u64, DeadLetter)>) {
        let (sender, receiver) = bounded(OUTSTANDING_LIMIT);
        (DeadLetters { sender, progress: Arc::new(DeadLetterProgress::new(BYTES_LIMIT)), last_ticket: 0 }, receiver)
    }

    #[test]
    fn a_letter_that_is_too_large_is_cut_until_nothing_is_left_to_cut() {
        let mut letter = letter(TRUNCATED_BYTES + 1, 2_000_000);
        assert!(cut(&mut letter));
        assert_eq!(letter.value.as_ref().unwrap().len(), TRUNCATED_BYTES);
        assert!(letter.headers.contains(&("truncated_from_bytes".to_owned(), Some(b"65537".to_vec()))));
        assert!(cut(&mut letter), "its headers are large too");
        assert_eq!(letter.value.as_ref().unwrap().len(), STUB_BYTES);
        assert!(letter.bytes() < 2 * STUB_BYTES, "{}", letter.bytes());
        assert!(!cut(&mut letter), "then it is the topic's trouble, which must be said");
    }

    #[test]
    fn letters_wait_for_room_in_bytes() {
        let (mut letters, receiver) = unread();
        assert!(letters.send(letter(BYTES_LIMIT * 2, 0), || false), "one alone is taken, however large");
        assert!(!letters.send(letter(1, 0), || false));
        assert_eq!(letters.last_ticket(), 1);
        let (ticket, taken) = receiver.try_recv().unwrap();
        assert_eq!(ticket, 1);
        letters.progress().leave(taken.bytes());
        assert!(letters.send(letter(1, 0), || false));
        assert_eq!((letters.progress().outstanding(), letters.progress().outstanding_bytes()), (1, 12));
    }
}
