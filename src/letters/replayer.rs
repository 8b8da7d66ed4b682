//! Puts letters back where they came from, each exactly once over any number of runs.
//!
//! A transaction holds some letters and the receipts that name them, so that either all of it counts or nothing does.
//! Starting ends whatever an earlier run left open before any receipt is read, and no two runs can both go on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode;

use super::complaints::Complaints;
use super::letter::{Kind, Letter, Record};
use super::plan::Plan;
use super::receipt::{RECEIPT_HEADER, Receipt};
use super::{LettersError, Place, Reader};
use crate::config::{KafkaConfig, client_config};

/// The header by which a record says that it was put back, and from where.
pub const REPLAYED_FROM: &str = "latido_replayed_from";

/// Most letters in one transaction.
const BATCH_LETTERS: usize = 500;
/// Most bytes of values in one transaction; a larger letter has one of its own.
const BATCH_BYTES: usize = 8 << 20;
/// How often a transaction is tried whose records the client sweeps out.
const MOST_TRIES: usize = 5;
/// How long the brokers may take to name a coordinator: the first transaction of a cluster makes a topic.
const START: Duration = Duration::from_secs(60);
/// How long one step of a transaction may take.
const STEP: Duration = Duration::from_secs(20);
/// A transaction that nobody ends is given up by the brokers after this; its topics' readers wait until then.
const OPEN_MILLIS: &str = "30000";

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Letters put back.
    pub put_back: u64,
    /// Letters that their topic did not take, and why.
    pub refused: Vec<(Place, String)>,
    /// Letters that retention removed meanwhile.
    pub gone: u64,
}

/// Puts letters back.
pub struct Replayer {
    producer: BaseProducer<Complaints>,
    /// The transactional id.
    id: String,
    brokers: String,
    letters_topic: String,
}

impl Replayer {
    /// Takes the place of whatever replay of this topic runs or was left unfinished. Only receipts read after this say
    /// the truth.
    ///
    /// # Errors
    /// If librdkafka does not take the properties, or the brokers grant no transactions.
    pub fn start(kafka: &KafkaConfig, letters_topic: &str) -> Result<Self, LettersError> {
        // Of the topic, not of the group: whoever puts back its letters must know of all others who do.
        let (brokers, id) = (kafka.brokers.join(","), format!("latido-replay-{letters_topic}"));
        let producer = client_config(kafka)
            .set("transactional.id", &id)
            .set("transaction.timeout.ms", OPEN_MILLIS)
            .set("message.timeout.ms", STEP.as_millis().to_string())
            // What is too large is the broker's to refuse, not ours.
            .set("message.max.bytes", "100000000")
            .set("linger.ms", "5")
            .set("allow.auto.create.topics", "false")
            .set_log_level(RDKafkaLogLevel::Error)
            .create_with_context(Complaints::default())
            .map_err(|error| LettersError::Client { brokers: brokers.clone(), why: error.to_string() })?;
        let replayer = Self { producer, id, brokers, letters_topic: letters_topic.to_owned() };
        replayer.producer.init_transactions(START).map_err(|error| replayer.failed("start", &error))?;
        Ok(replayer)
    }

    /// Puts the letters of a plan back; tells `done` after each transaction how many are settled.
    ///
    /// # Errors
    /// If a letter cannot be read or a transaction fails. What was put back before then stays put back.
    pub fn run(&self, reader: &Reader, plan: &Plan, mut done: impl FnMut(u64)) -> Result<Outcome, LettersError> {
        let mut partitions = BTreeMap::new();
        for topic in plan.topics() {
            partitions.insert(topic.to_owned(), reader.partitions(topic, "kafka.topics")?);
        }
        let mut run = Run { replayer: self, partitions, batch: Vec::new(), bytes: 0, outcome: Outcome::default() };
        reader.read(&plan.bounds(), |place, record| {
            if plan.letters.contains(&place) {
                run.take(place, record)?;
                done(run.outcome.settled());
            }
            Ok(())
        })?;
        run.put()?;
        let Run { mut outcome, .. } = run;
        done(outcome.settled());
        outcome.gone = (plan.letters.len() as u64).saturating_sub(outcome.settled());
        Ok(outcome)
    }

    /// Sends letters and their receipts in one transaction, and gives up all of it where one of them is not taken.
    fn transact(&self, letters: &[Letter], partitions: &BTreeMap<String, i32>) -> Result<Attempt, LettersError> {
        self.producer.begin_transaction().map_err(|error| self.failed("begin", &error))?;
        let sent = self.send_all(letters, partitions);
        let flushed = self.producer.flush(STEP);
        let refused = self.producer.context().take_failures();
        let failures: Vec<KafkaError> = sent.err().into_iter().chain(refused).chain(flushed.err()).collect();
        let Some(first) = failures.first() else {
            self.producer.commit_transaction(STEP).map_err(|error| self.failed("commit", &error))?;
            return Ok(Attempt::Committed);
        };
        if let Some(fenced) = failures.iter().find(|error| is_fenced(error)) {
            return Err(self.failed("write", fenced));
        }
        self.abort()?;
        // The others of a transaction fail with the one that is refused.
        if let Some(refused) = failures.iter().find(|error| is_about_the_record(error)) {
            return Ok(Attempt::Refused(self.producer.context().explain(refused)));
        }
        if failures.iter().all(was_swept_out) { Ok(Attempt::SweptOut) } else { Err(self.failed("write", first)) }
    }

    fn send_all(&self, letters: &[Letter], partitions: &BTreeMap<String, i32>) -> KafkaResult<()> {
        let mut offsets: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
        for letter in letters {
            offsets.entry(letter.place.partition).or_default().insert(letter.place.offset);
            self.send_letter(letter, partitions)?;
        }
        offsets
            .iter()
            .try_for_each(|(partition, offsets)| self.send_receipt(&Receipt::new(*partition, offsets), *partition))
    }

    fn send_letter(&self, letter: &Letter, partitions: &BTreeMap<String, i32>) -> KafkaResult<()> {
        let source = &letter.source;
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&source.topic).headers(self.headers(letter));
        // Where it stood before: whoever wrote it may spread keys in another way than librdkafka does.
        if partitions.get(&source.topic).is_some_and(|count| (0..*count).contains(&source.partition)) {
            record = record.partition(source.partition);
        }
        if let Some(timestamp) = letter.timestamp.filter(|timestamp| *timestamp > 0) {
            record = record.timestamp(timestamp);
        }
        if let Some(key) = &letter.key {
            record = record.key(key.as_slice());
        }
        if let Some(value) = &letter.value {
            record = record.payload(value.as_slice());
        }
        self.producer.send(record).map_err(|(error, _)| error)
    }

    fn send_receipt(&self, receipt: &Receipt, partition: i32) -> KafkaResult<()> {
        let headers =
            OwnedHeaders::new().insert(Header { key: RECEIPT_HEADER, value: Some(env!("CARGO_PKG_VERSION")) });
        let body = receipt.to_json();
        let record: BaseRecord<'_, [u8], str> =
            BaseRecord::to(&self.letters_topic).partition(partition).headers(headers).payload(&body);
        self.producer.send(record).map_err(|(error, _)| error)
    }

    /// The record's own headers, and where it is put back from.
    fn headers(&self, letter: &Letter) -> OwnedHeaders {
        let Place { partition, offset } = letter.place;
        let from = format!("{}/{partition}/{offset}", self.letters_topic);
        let own = letter.headers.iter().filter(|(name, _)| name != REPLAYED_FROM);
        let own = own.fold(OwnedHeaders::new_with_capacity(letter.headers.len() + 1), |headers, (key, value)| {
            headers.insert(Header { key, value: value.as_deref() })
        });
        own.insert(Header { key: REPLAYED_FROM, value: Some(from.as_bytes()) })
    }

    fn abort(&self) -> Result<(), LettersError> {
        if self.producer.in_flight_count() > 0 {
            // What waits must not wait for its own time to be over.
            self.producer.purge(PurgeConfig::default().queue().inflight());
        }
        let aborted = self.producer.flush(STEP).and_then(|()| self.producer.abort_transaction(STEP));
        self.producer.context().take_failures();
        aborted.map_err(|error| self.failed("abort", &error))
    }

    fn failed(&self, step: &'static str, error: &KafkaError) -> LettersError {
        if is_fenced(error) {
            return LettersError::Fenced { id: self.id.clone() };
        }
        self.producer.poll(Duration::ZERO);
        let why = match error {
            KafkaError::Transaction(error) => error.string(),
            error => self.producer.context().explain(error),
        };
        LettersError::Transaction { brokers: self.brokers.clone(), id: self.id.clone(), step, why }
    }
}

/// A replay under way.
struct Run<'r> {
    replayer: &'r Replayer,
    /// How many partitions each topic has.
    partitions: BTreeMap<String, i32>,
    /// Read and not put back yet.
    batch: Vec<Letter>,
    bytes: usize,
    outcome: Outcome,
}

impl Run<'_> {
    fn take(&mut self, place: Place, record: Record) -> Result<(), LettersError> {
        let Kind::Letter(letter) = Kind::of(place, record) else { return Ok(()) };
        self.bytes += letter.value.as_ref().map_or(0, Vec::len);
        self.batch.push(letter);
        if self.batch.len() >= BATCH_LETTERS || self.bytes >= BATCH_BYTES { self.put() } else { Ok(()) }
    }

    fn put(&mut self) -> Result<(), LettersError> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        self.put_part(&batch)
    }

    /// Puts letters back; halves them where one is refused until it stands alone.
    fn put_part(&mut self, letters: &[Letter]) -> Result<(), LettersError> {
        if letters.is_empty() {
            return Ok(());
        }
        let Some(why) = self.try_part(letters)? else {
            self.outcome.put_back += letters.len() as u64;
            return Ok(());
        };
        if let [refused] = letters {
            self.outcome.refused.push((refused.place, why));
            return Ok(());
        }
        let (first, second) = letters.split_at(letters.len() / 2);
        self.put_part(first)?;
        self.put_part(second)
    }

    /// Puts letters back together; else says why one of them is refused.
    fn try_part(&self, letters: &[Letter]) -> Result<Option<String>, LettersError> {
        for _ in 0..MOST_TRIES {
            match self.replayer.transact(letters, &self.partitions)? {
                Attempt::Committed => return Ok(None),
                Attempt::Refused(why) => return Ok(Some(why)),
                Attempt::SweptOut => {}
            }
        }
        Err(self.replayer.failed("write", &KafkaError::MessageProduction(RDKafkaErrorCode::PurgeQueue)))
    }
}

/// What became of a transaction.
enum Attempt {
    /// It counts.
    Committed,
    /// A topic does not take one of its records, and why. Nothing of it counts.
    Refused(String),
    /// The client's own cleaning up after the transaction before it swept its records out. Nothing of it counts.
    SweptOut,
}

impl Outcome {
    /// Letters that were put back or refused.
    fn settled(&self) -> u64 {
        self.put_back + self.refused.len() as u64
    }
}

/// Whether a topic does not take that one record, whatever is tried again.
fn is_about_the_record(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{InvalidRecord, InvalidTimestamp, MessageBatchTooLarge, MessageSizeTooLarge};
    let code = error.rdkafka_error_code();
    matches!(code, Some(MessageSizeTooLarge | MessageBatchTooLarge | InvalidRecord | InvalidTimestamp))
}

/// Whether the client threw a record out of its queue before it was sent.
fn was_swept_out(error: &KafkaError) -> bool {
    matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight))
}

/// Whether a later replay has taken this one's place.
fn is_fenced(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
    matches!(error.rdkafka_error_code(), Some(Fenced | ProducerFenced | InvalidProducerEpoch))
}
