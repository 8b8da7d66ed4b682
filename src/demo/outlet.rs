//! Where records go: Kafka, or a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};

use super::DemoError;
use super::generator::Record;

/// How long confirmations may take at the end.
const FLUSH_WITHIN: Duration = Duration::from_secs(30);

/// Takes records.
pub(crate) trait Outlet {
    /// Takes one record; it is confirmed later.
    fn send(&mut self, record: &Record) -> Result<(), DemoError>;

    /// Does what is due, for at most that long.
    fn serve(&mut self, wait: Duration);

    /// Waits for every confirmation and tells how many there were.
    fn finish(&mut self) -> Result<u64, DemoError>;
}

/// Counts what the broker says of each record.
#[derive(Debug, Default)]
struct Receipts {
    confirmed: AtomicU64,
    failed: AtomicU64,
    first_failure: Mutex<Option<String>>,
}

#[derive(Clone)]
struct ReceiptContext(Arc<Receipts>);

impl ClientContext for ReceiptContext {}

impl ProducerContext for ReceiptContext {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _opaque: ()) {
        let Err((error, _record)) = result else {
            self.0.confirmed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        self.0.failed.fetch_add(1, Ordering::Relaxed);
        let mut first = self.0.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| error.to_string());
    }
}

/// A Kafka topic.
pub(crate) struct KafkaOutlet {
    producer: BaseProducer<ReceiptContext>,
    receipts: Arc<Receipts>,
    topic: String,
}

impl KafkaOutlet {
    /// Writes to a topic of a broker. Records are idempotent, so that a retry repeats none.
    pub(crate) fn new(brokers: &str, topic: &str) -> Result<Self, DemoError> {
        let receipts = Arc::new(Receipts::default());
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("client.id", "latido-demo")
            .set("compression.type", "zstd")
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("message.timeout.ms", "30000")
            .create_with_context(ReceiptContext(Arc::clone(&receipts)))
            .map_err(DemoError::Producer)?;
        Ok(Self { producer, receipts, topic: topic.to_owned() })
    }
}

impl Outlet for KafkaOutlet {
    fn send(&mut self, record: &Record) -> Result<(), DemoError> {
        let mut kafka_record = BaseRecord::to(&self.topic).key(&record.key).payload(&record.value);
        loop {
            match self.producer.send(kafka_record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                    self.producer.poll(Duration::from_millis(10));
                    kafka_record = unsent;
                }
                Err((error, _unsent)) => return Err(DemoError::Producer(error)),
            }
        }
    }

    fn serve(&mut self, wait: Duration) {
        self.producer.poll(wait);
    }

    fn finish(&mut self) -> Result<u64, DemoError> {
        let deadline = Instant::now() + FLUSH_WITHIN;
        // `flush` takes at least 100 ms with records in flight.
        while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
            self.producer.poll(Duration::from_micros(500));
        }
        let unconfirmed = u64::try_from(self.producer.in_flight_count()).unwrap_or_default();
        let failed = self.receipts.failed.load(Ordering::Relaxed);
        if failed + unconfirmed == 0 {
            return Ok(self.receipts.confirmed.load(Ordering::Relaxed));
        }
        let first = self.receipts.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = first.clone().unwrap_or_else(|| format!("no confirmation within {}s", FLUSH_WITHIN.as_secs()));
        Err(DemoError::Unconfirmed { records: failed + unconfirmed, reason })
    }
}
