//! `latido check --live`: what the brokers say to this config.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use crate::checkpoint::{self, KafkaStore};
use crate::config::{CheckpointStore, Config, KafkaConfig, client_config};
use crate::publish::events::Probe;

/// How long one question to the brokers may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// The header that tells a probe from a dead letter.
const PROBE_HEADER: &str = "latido-probe";

/// Tries everything that the daemon will need, one line each.
///
/// # Errors
/// If anything failed.
pub(super) fn run(config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out)?;
    let outcomes = Report { out, tried: 0, failed: 0 };
    let Report { tried, failed, .. } = try_all(config, outcomes)?;
    if failed > 0 {
        bail!("{failed} of {tried} live checks failed");
    }
    Ok(())
}

/// What went well and what did not.
struct Report<'a, W> {
    out: &'a mut W,
    tried: usize,
    failed: usize,
}

impl<W: Write> Report<'_, W> {
    /// Prints an outcome; `true` where it went well.
    fn note(&mut self, what: &str, outcome: Result<String, Failure>) -> anyhow::Result<bool> {
        self.tried += 1;
        match outcome {
            Ok(found) => {
                writeln!(self.out, "ok     {what}: {found}")?;
                Ok(true)
            }
            Err(Failure { why, remedy }) => {
                self.failed += 1;
                writeln!(self.out, "failed {what}: {why}; {remedy}")?;
                Ok(false)
            }
        }
    }
}

/// Why something failed and what to do.
struct Failure {
    why: String,
    remedy: String,
}

impl Failure {
    fn new(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { why: why.into(), remedy: remedy.into() }
    }
}

fn try_all<'a, W: Write>(config: &Config, mut report: Report<'a, W>) -> anyhow::Result<Report<'a, W>> {
    let kafka = &config.kafka;
    if config.checkpoint.store == CheckpointStore::Directory {
        let directory = &config.checkpoint.directory;
        let outcome = checkpoint::try_out(directory);
        let remedy = "create it for the user that runs the daemon, or correct `checkpoint.directory`";
        let outcome = outcome.map_err(|error| Failure::new(error.to_string(), remedy));
        report.note(&format!("directory `{}`", directory.display()), outcome)?;
    }
    let consumer = match consumer(kafka) {
        Ok(consumer) => consumer,
        Err(error) => {
            let failure = Failure::new(error.to_string(), "correct `kafka.properties`");
            report.note("client", Err(failure))?;
            return Ok(report);
        }
    };
    // Without a broker each further line would fail for the same reason, after waiting for it.
    if !report.note("brokers", brokers(&consumer, kafka))? {
        return Ok(report);
    }
    for topic in &kafka.topics {
        let found = report.note(&format!("topic `{topic}`"), partitions(&consumer, topic, "kafka.topics"))?;
        if found {
            report.note(&format!("reading `{topic}`"), readable(&consumer, topic))?;
        }
    }
    report.note(&format!("group `{}`", kafka.group), group(&consumer, kafka))?;
    if let Some(topic) = &kafka.dead_letter_topic {
        let found =
            report.note(&format!("topic `{topic}`"), partitions(&consumer, topic, "kafka.dead_letter_topic"))?;
        if found {
            let headers =
                OwnedHeaders::new().insert(Header { key: PROBE_HEADER, value: Some(env!("CARGO_PKG_VERSION")) });
            let probe = BaseRecord::to(topic).payload("latido check --live").headers(headers);
            report.note(&format!("writing `{topic}`"), writable(kafka, probe))?;
        }
    }
    if let Some(topic) = &config.alerts.topic {
        let found = report.note(&format!("topic `{topic}`"), partitions(&consumer, topic, "alerts.topic"))?;
        if found {
            let probe = Probe::now(&config.alerts.source_of(&kafka.group));
            report.note(&format!("writing `{topic}`"), writable(kafka, probe.record(topic)))?;
        }
    }
    if config.checkpoint.store == CheckpointStore::Kafka {
        let topic = &config.checkpoint.topic;
        let remedy =
            "correct `checkpoint.topic`, or grant its rights and that to transactional ids that begin with latido-";
        let outcome = KafkaStore::try_out(config).map_err(|error| Failure::new(error.to_string(), remedy));
        report.note(&format!("checkpoint topic `{topic}`"), outcome)?;
    }
    Ok(report)
}

/// Keeps what librdkafka complains about: its error codes alone do not say which address or certificate is wrong.
#[derive(Default)]
struct Complaints {
    last: Mutex<Option<String>>,
    delivered: Mutex<Option<KafkaResult<()>>>,
}

impl Complaints {
    /// An error as the last complaint explains it.
    fn explain(&self, error: &KafkaError) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
            .unwrap_or_else(|| error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string()))
    }
}

impl ClientContext for Complaints {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // That all brokers are down says less than why the last one was.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            let plain = reason.split(" (after ").next().unwrap_or(reason);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(plain.to_owned());
        }
    }
}

/// Why a consumer's request failed. What librdkafka complained about meanwhile waits in its queue.
fn explain(consumer: &BaseConsumer<Complaints>, error: &KafkaError) -> String {
    // A poll that served one says the same as a poll that found nothing, so all of these are needed.
    const MOST_WAITING: usize = 100;
    for _ in 0..MOST_WAITING {
        drop(consumer.poll(Duration::ZERO));
    }
    consumer.context().explain(error)
}

impl ConsumerContext for Complaints {}

impl ProducerContext for Complaints {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let outcome = result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone());
        *self.delivered.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

fn consumer(kafka: &KafkaConfig) -> KafkaResult<BaseConsumer<Complaints>> {
    client_config(kafka)
        .set("group.id", &kafka.group)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("allow.auto.create.topics", "false")
        .set_log_level(RDKafkaLogLevel::Error)
        .create_with_context(Complaints::default())
}

fn brokers(consumer: &BaseConsumer<Complaints>, kafka: &KafkaConfig) -> Result<String, Failure> {
    // Asking about one topic keeps the answer short on a cluster of thousands.
    let topic = kafka.topics.first().map(String::as_str);
    let metadata = consumer.fetch_metadata(topic, PATIENCE).map_err(|error| {
        let why = format!("{}: {}", kafka.brokers.join(","), explain(consumer, &error));
        Failure::new(why, "correct `kafka.brokers`, or the security settings in `kafka.properties`")
    })?;
    Ok(format!("{} reachable", count(metadata.brokers().len(), "broker")))
}

/// Whether a topic is there, and in how many parts.
fn partitions(consumer: &BaseConsumer<Complaints>, topic: &str, key: &str) -> Result<String, Failure> {
    let remedy = format!("create the topic, correct `{key}`, or grant the right to describe it");
    let metadata = consumer
        .fetch_metadata(Some(topic), PATIENCE)
        .map_err(|error| Failure::new(explain(consumer, &error), remedy.clone()))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    match found {
        Some(found) if found.error().is_none() && !found.partitions().is_empty() => {
            Ok(count(found.partitions().len(), "partition"))
        }
        Some(found) => {
            let why = found.error().map(|error| RDKafkaErrorCode::from(error).to_string());
            Err(Failure::new(why.unwrap_or_else(|| "no partition".to_owned()), remedy))
        }
        None => Err(Failure::new("not there", remedy)),
    }
}

/// Whether a topic may be read: its first partition is fetched at its end, which only a reader may do, until the broker
/// says that there is no more. A record that arrives meanwhile says the same.
fn readable(consumer: &BaseConsumer<Complaints>, topic: &str) -> Result<String, Failure> {
    let failed = |error: &KafkaError| {
        Failure::new(explain(consumer, error), "grant the right to read the topic to the user of `kafka.properties`")
    };
    let mut first = TopicPartitionList::new();
    first.add_partition_offset(topic, 0, Offset::End).map_err(|error| failed(&error))?;
    consumer.assign(&first).map_err(|error| failed(&error))?;
    let outcome = first_answer(consumer).map_err(|error| failed(&error));
    consumer.unassign().map_err(|error| failed(&error))?;
    if outcome? {
        Ok("allowed".to_owned())
    } else {
        Err(Failure::new("no answer in time", "check the partition's leader"))
    }
}

/// Waits for the first answer to a fetch; `false` where none came in time.
fn first_answer(consumer: &BaseConsumer<Complaints>) -> KafkaResult<bool> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match consumer.poll(deadline.saturating_duration_since(Instant::now())) {
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => return Ok(true),
            // The client tries again by itself; only what the broker refused is final.
            Some(Err(error)) if error.rdkafka_error_code().is_some_and(is_local) => {}
            Some(Err(error)) => return Err(error),
            None => {}
        }
    }
    Ok(false)
}

/// Whether a code is the client's own, such as a lost connection: librdkafka numbers those below zero.
fn is_local(code: RDKafkaErrorCode) -> bool {
    (code as i32) < 0
}

/// Whether the group's offsets may be read. The group is not joined.
fn group(consumer: &BaseConsumer<Complaints>, kafka: &KafkaConfig) -> Result<String, Failure> {
    let mut firsts = TopicPartitionList::new();
    for topic in &kafka.topics {
        firsts.add_partition(topic, 0);
    }
    consumer.committed_offsets(firsts, PATIENCE).map_err(|error| {
        let remedy = "grant the right to read the group, or choose another `kafka.group`";
        Failure::new(explain(consumer, &error), remedy)
    })?;
    Ok("may be read".to_owned())
}

/// Whether a record can be written, as the broker confirms it.
fn writable(kafka: &KafkaConfig, probe: BaseRecord<'_, str, str>) -> Result<String, Failure> {
    let remedy = "grant the right to write the topic to the user of `kafka.properties`";
    let failed = |why: String| Failure::new(why, remedy);
    let producer: BaseProducer<Complaints> = client_config(kafka)
        .set("acks", "all")
        .set("message.timeout.ms", PATIENCE.as_millis().to_string())
        .set_log_level(RDKafkaLogLevel::Error)
        .create_with_context(Complaints::default())
        .map_err(|error| failed(error.to_string()))?;
    producer.send(probe).map_err(|(error, _)| failed(producer.context().explain(&error)))?;
    // The delivery arrives, as a success or a timeout, a little after the message's own time is over at the latest.
    producer.flush(PATIENCE + Duration::from_secs(2)).map_err(|error| failed(producer.context().explain(&error)))?;
    let delivered = producer.context().delivered.lock().unwrap_or_else(PoisonError::into_inner).take();
    match delivered {
        Some(Ok(())) => Ok("confirmed (one probe record)".to_owned()),
        Some(Err(error)) => Err(failed(producer.context().explain(&error))),
        None => Err(failed("no answer in time".to_owned())),
    }
}

/// So many of something.
fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
