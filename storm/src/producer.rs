//! Sends a storm's records, and finds out of each where it stands.
//!
//! Where that is, is read back from the topic. Delivery reports do not always tell: of a record that was taken, but whose
//! confirmation died with its broker, the next broker says only that it has it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use crate::cluster::client_config;
use crate::stream::{Fate, PARTITIONS, Record, Stream};
use crate::topic;
use crate::wait::seconds;

/// How long the brokers may take to confirm the last records.
const FLUSH_LIMIT: Duration = seconds(90);
/// The header that numbers a record.
const NUMBER: &str = "number";
const POLL: Duration = Duration::from_millis(2);

/// A record that the brokers have confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// What was sent. Of usable records the value is left out.
    pub(crate) record: Record,
    /// Where it stands in its partition.
    pub(crate) offset: i64,
}

/// What the brokers have confirmed so far.
#[derive(Default)]
struct Reports {
    count: AtomicU64,
    failure: Mutex<Option<String>>,
}

/// Of the producer's thread.
struct Context(Arc<Reports>);

impl ClientContext for Context {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {
        // That brokers go away is what a storm is.
    }

    fn error(&self, _error: KafkaError, _reason: &str) {}
}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): Self::DeliveryOpaque) {
        match result {
            Ok(_) => {
                self.0.count.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => {
                let mut failure = self.0.failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// Sends records at a steady rate on a thread of its own.
pub(crate) struct Producer {
    bootstrap: String,
    topic: String,
    reports: Arc<Reports>,
    stop: Arc<AtomicBool>,
    /// None once it has finished.
    thread: Option<JoinHandle<Result<Vec<Record>>>>,
}

impl Producer {
    /// Begins: so many records at once, then so many a second, until told to stop.
    pub(crate) fn start(bootstrap: &str, topic: &str, stream: Stream, backlog: usize, rate: u32) -> Result<Self> {
        let mut config = client_config(bootstrap);
        config.remove("group.id").remove("enable.auto.commit");
        config.set("enable.idempotence", "true").set("acks", "all").set("linger.ms", "5");
        let reports = Arc::new(Reports::default());
        let producer: BaseProducer<Context> = config.create_with_context(Context(Arc::clone(&reports)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let sending =
            Sending { producer, topic: topic.to_owned(), stream, sent: Vec::new(), reports: Arc::clone(&reports) };
        let told = Arc::clone(&stop);
        let thread = thread::Builder::new().name("producer".to_owned());
        let thread = thread.spawn(move || sending.run(backlog, rate, &told))?;
        Ok(Self { bootstrap: bootstrap.to_owned(), topic: topic.to_owned(), reports, stop, thread: Some(thread) })
    }

    /// How many records the brokers have confirmed.
    pub(crate) fn delivered(&self) -> u64 {
        self.reports.count.load(Ordering::Relaxed)
    }

    /// Sends no more, waits until the brokers have confirmed everything, and reads the topic; every record and where it stands.
    ///
    /// # Errors
    /// If a record was not delivered, or the topic does not hold each: then the storm has nothing to compare with. One that the
    /// brokers hold more than once, which an idempotent producer should not bring about and a broker that dies may, is as many
    /// records: each must come out.
    pub(crate) fn finish(&mut self) -> Result<Vec<Delivered>> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("the producer has finished before")?;
        let sent = thread.join().map_err(|_| anyhow!("the producer's thread panicked"))??;
        let mut places = vec![BTreeSet::new(); sent.len()];
        topic::read(&self.bootstrap, &self.topic, PARTITIONS, |message| {
            let number: usize = topic::header(message, NUMBER)?.parse()?;
            let (partition, offset) = (message.partition(), message.offset());
            let place = places.get_mut(number).with_context(|| format!("record {number} was never sent"))?;
            ensure!(partition == sent[number].partition, "record {number} stands in partition {partition}");
            // A reader that lost its leader may get a record again.
            place.insert(offset);
            Ok(())
        })?;
        let mut delivered = Vec::with_capacity(sent.len());
        for (number, (record, offsets)) in sent.into_iter().zip(places).enumerate() {
            ensure!(!offsets.is_empty(), "the brokers confirmed record {number}, and lost it");
            delivered.extend(offsets.into_iter().map(|offset| Delivered { record: record.clone(), offset }));
        }
        Ok(delivered)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The next offset of each partition.
pub(crate) fn ends(delivered: &[Delivered]) -> Vec<i64> {
    let mut ends = Vec::new();
    for Delivered { record, offset } in delivered {
        let place = usize::try_from(record.partition).unwrap_or_default();
        ends.resize(ends.len().max(place + 1), 0);
        ends[place] = ends[place].max(offset + 1);
    }
    ends
}

/// The thread's own.
struct Sending {
    producer: BaseProducer<Context>,
    topic: String,
    stream: Stream,
    sent: Vec<Record>,
    reports: Arc<Reports>,
}

impl Sending {
    fn run(mut self, backlog: usize, rate: u32, stop: &AtomicBool) -> Result<Vec<Record>> {
        let started = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let due = u64::try_from(started.elapsed().as_millis())? * u64::from(rate) / 1_000;
            while self.sent.len() < backlog + usize::try_from(due)? {
                self.send()?;
            }
            self.producer.poll(POLL);
        }
        let limit = Instant::now() + FLUSH_LIMIT;
        // Without an owner nobody asks what became of them.
        while self.producer.in_flight_count() > 0 && Arc::strong_count(&self.reports) > 2 {
            self.producer.poll(POLL);
            ensure!(Instant::now() < limit, "the brokers do not confirm the last records");
        }
        if let Some(failure) = self.reports.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bail!("a record was not delivered: {failure}");
        }
        Ok(self.sent)
    }

    fn send(&mut self) -> Result<()> {
        let Some(mut record) = self.stream.next() else { bail!("the stream of records has ended") };
        let number = self.sent.len().to_string();
        loop {
            let headers = OwnedHeaders::new().insert(Header { key: NUMBER, value: Some(&number) });
            let mut sending: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.topic).headers(headers);
            sending = sending.partition(record.partition).timestamp(record.kafka_millis);
            if let Some(key) = &record.key {
                sending = sending.key(key.as_bytes());
            }
            if let Some(value) = &record.value {
                sending = sending.payload(value);
            }
            match self.producer.send(sending) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.producer.poll(POLL);
                }
                Err((error, _)) => bail!("a record cannot be sent: {error}"),
            }
        }
        // Only what must become a dead letter is looked at again.
        if !matches!(record.fate, Fate::Unusable(_)) {
            record.value = None;
        }
        self.sent.push(record);
        Ok(())
    }
}
