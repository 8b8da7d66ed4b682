//! Reads the dead-letter topic from its beginning to the end that it has now. Joins no group and commits nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::complaints::{Complaints, is_local};
use super::letter::Record;
use super::{Kind, LettersError, Place};
use crate::config::{KafkaConfig, client_config};

/// How long the brokers may send nothing before reading is given up.
pub const PATIENCE: Duration = Duration::from_secs(20);

const POLL: Duration = Duration::from_millis(100);

/// What a partition holds: from its first offset to the one after its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The partition.
    pub partition: i32,
    /// The first offset that is kept.
    pub first: i64,
    /// One past the last record of a finished transaction.
    pub end: i64,
}

/// The partitions that are not read yet, each from where it goes on.
type Open = BTreeMap<i32, Bounds>;

/// A reader of the dead-letter topic, or of another.
pub struct Reader {
    consumer: BaseConsumer<Complaints>,
    topic: String,
    /// Where the topic is named.
    key: &'static str,
    brokers: String,
    patience: Duration,
}

impl Reader {
    /// Makes a client that reads the dead-letter topic. Nothing is asked of the brokers yet.
    ///
    /// # Errors
    /// If librdkafka does not take the properties.
    pub fn new(kafka: &KafkaConfig, topic: &str, patience: Duration) -> Result<Self, LettersError> {
        Self::of_topic(kafka, topic, "kafka.dead_letter_topic", patience)
    }

    /// Makes a client that reads a topic which the operator names by `key`. Nothing is asked of the brokers yet.
    ///
    /// # Errors
    /// If librdkafka does not take the properties.
    pub fn of_topic(
        kafka: &KafkaConfig,
        topic: &str,
        key: &'static str,
        patience: Duration,
    ) -> Result<Self, LettersError> {
        let brokers = kafka.brokers.join(",");
        let consumer = client_config(kafka)
            // Not joined: librdkafka assigns nothing without a name.
            .set("group.id", &kafka.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false")
            // A receipt counts only if its transaction was finished.
            .set("isolation.level", "read_committed")
            .set_log_level(RDKafkaLogLevel::Error)
            .create_with_context(Complaints::default())
            .map_err(|error| LettersError::Client { brokers: brokers.clone(), why: error.to_string() })?;
        Ok(Self { consumer, topic: topic.to_owned(), key, brokers, patience })
    }

    /// The topic it reads.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// How many partitions a topic has, which the config names by `key`.
    ///
    /// # Errors
    /// If the brokers do not answer, or know no such topic.
    pub fn partitions(&self, topic: &str, key: &'static str) -> Result<i32, LettersError> {
        let metadata = self
            .consumer
            .fetch_metadata(Some(topic), self.patience)
            .map_err(|error| LettersError::Brokers { brokers: self.brokers.clone(), why: self.explain(&error) })?;
        let unusable = |why: String| self.unusable(topic, key, why);
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let found = found.ok_or_else(|| unusable("it is not there".to_owned()))?;
        if let Some(error) = found.error() {
            return Err(unusable(RDKafkaErrorCode::from(error).to_string()));
        }
        match i32::try_from(found.partitions().len()) {
            Ok(0) | Err(_) => Err(unusable("it has no partition".to_owned())),
            Ok(count) => Ok(count),
        }
    }

    /// What each partition holds at this moment.
    ///
    /// # Errors
    /// If the brokers do not say.
    pub fn bounds(&self) -> Result<Vec<Bounds>, LettersError> {
        let partitions = self.partitions(&self.topic, self.key)?;
        (0..partitions).map(|partition| self.bounds_of(partition)).collect()
    }

    fn bounds_of(&self, partition: i32) -> Result<Bounds, LettersError> {
        let (first, end) = self
            .consumer
            .fetch_watermarks(&self.topic, partition, self.patience)
            .map_err(|error| self.unreadable(self.explain(&error)))?;
        Ok(Bounds { partition, first, end })
    }

    /// Reads every record within bounds, each partition in its order.
    ///
    /// # Errors
    /// If the brokers refuse, or send nothing for too long; and whatever `take` fails with.
    pub fn read(
        &self,
        bounds: &[Bounds],
        mut take: impl FnMut(Place, Record) -> Result<(), LettersError>,
    ) -> Result<(), LettersError> {
        let filled = bounds.iter().filter(|bounds| bounds.first < bounds.end);
        let mut open: Open = filled.map(|bounds| (bounds.partition, *bounds)).collect();
        self.assign(&open).map_err(|error| self.unreadable(self.explain(&error)))?;
        let mut heard = Instant::now();
        while !open.is_empty() {
            let came = match self.consumer.poll(POLL) {
                Some(Ok(message)) => self.pass_on(&message, &mut open, &mut take)?,
                Some(Err(KafkaError::PartitionEOF(partition))) => self.close(&mut open, partition),
                // The client tries again by itself; only what the broker refused is final.
                Some(Err(error)) if !error.rdkafka_error_code().is_some_and(is_local) => {
                    return Err(self.unreadable(error.to_string()));
                }
                Some(Err(_)) | None => false,
            };
            if came {
                heard = Instant::now();
            } else if heard.elapsed() >= self.patience {
                return Err(self.stalled(&open));
            }
        }
        Ok(())
    }

    /// Hands a record on if it lies within bounds; `false` where it was read already.
    fn pass_on(
        &self,
        message: &BorrowedMessage<'_>,
        open: &mut Open,
        take: &mut impl FnMut(Place, Record) -> Result<(), LettersError>,
    ) -> Result<bool, LettersError> {
        let place = Place { partition: message.partition(), offset: message.offset() };
        let Some(bounds) = open.get_mut(&place.partition) else { return Ok(false) };
        // A partition that lost its end to a failing leader is read from its beginning again.
        if place.offset < bounds.first {
            return Ok(false);
        }
        bounds.first = place.offset + 1;
        let end = bounds.end;
        if place.offset < end {
            take(place, Record::copy(message))?;
        }
        if place.offset + 1 >= end {
            self.close(open, place.partition);
        }
        Ok(true)
    }

    /// The record at a place, with what it is.
    ///
    /// # Errors
    /// If it cannot be read, or there is none.
    pub fn one(&self, place: Place) -> Result<Kind, LettersError> {
        let nothing = |why: String| LettersError::Nothing { place, topic: self.topic.clone(), why };
        let bounds = self.bounds()?;
        let Some(held) = bounds.iter().find(|bounds| bounds.partition == place.partition) else {
            return Err(nothing(format!("it has {} partitions, counted from 0", bounds.len())));
        };
        if !(held.first..held.end).contains(&place.offset) {
            return Err(nothing(match held.end - held.first {
                0 => "the partition is empty".to_owned(),
                _ => format!("the partition holds offsets {} to {}", held.first, held.end - 1),
            }));
        }
        let mut found = None;
        let only = Bounds { first: place.offset, end: place.offset + 1, ..*held };
        self.read(&[only], |at, record| {
            found = (at == place).then(|| Kind::of(place, record));
            Ok(())
        })?;
        found.ok_or_else(|| {
            nothing("its offset was taken by a transaction's mark, or its record was removed".to_owned())
        })
    }

    fn assign(&self, open: &Open) -> Result<(), KafkaError> {
        let mut partitions = TopicPartitionList::new();
        for bounds in open.values() {
            partitions.add_partition_offset(&self.topic, bounds.partition, Offset::Offset(bounds.first))?;
        }
        self.consumer.assign(&partitions)
    }

    /// Reads no further in a partition; `false` where it is read already.
    fn close(&self, open: &mut Open, partition: i32) -> bool {
        let was_open = open.remove(&partition).is_some();
        let mut closed = TopicPartitionList::new();
        closed.add_partition(&self.topic, partition);
        // Where this fails records arrive that nobody looks at.
        drop(self.consumer.incremental_unassign(&closed));
        was_open
    }

    /// Why a request failed. What librdkafka complained about meanwhile waits in its queue.
    fn explain(&self, error: &KafkaError) -> String {
        // A poll that served one says the same as a poll that found nothing, so all of these are needed.
        const MOST_WAITING: usize = 100;
        for _ in 0..MOST_WAITING {
            drop(self.consumer.poll(Duration::ZERO));
        }
        self.consumer.context().explain(error)
    }

    fn unreadable(&self, why: String) -> LettersError {
        self.unusable(&self.topic, self.key, why)
    }

    fn unusable(&self, topic: &str, key: &'static str, why: String) -> LettersError {
        LettersError::Topic { brokers: self.brokers.clone(), topic: topic.to_owned(), key, why }
    }

    fn stalled(&self, open: &Open) -> LettersError {
        let missing = open.values().map(|left| format!("{}:{} to {}", left.partition, left.first, left.end - 1));
        LettersError::Stalled {
            brokers: self.brokers.clone(),
            topic: self.topic.clone(),
            missing: missing.collect::<Vec<_>>().join(", "),
            waited: self.patience,
            why: self.consumer.context().last().unwrap_or_else(|| "no complaint".to_owned()),
        }
    }
}
