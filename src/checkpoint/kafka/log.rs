//! Reads the checkpoint topic to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::KafkaStoreError;
use super::client::{STEP, StoreContext, reading};
use super::key::{Key, place_of};
use super::topic::places_in;
use crate::config::KafkaConfig;
use crate::ingest::is_connection_trouble;

/// The newest value of each key that has one.
pub(super) type Values = BTreeMap<Key, Vec<u8>>;

/// How long a person waits for the whole topic.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the brokers may take to tell where the topic ends before it is asked by other clients.
const FIRST_ANSWER: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// Reads what finished transactions wrote.
pub(super) struct LogReader {
    /// Sees finished transactions only.
    committed: BaseConsumer<StoreContext>,
    /// Sees also what is on its way.
    all: BaseConsumer<StoreContext>,
    topic: String,
    group: String,
}

impl LogReader {
    /// # Errors
    /// If librdkafka does not take the settings.
    pub(super) fn new(kafka: &KafkaConfig, topic: &str) -> Result<Self, KafkaStoreError> {
        let client = |isolation| {
            reading(kafka, isolation)
                .create_with_context(StoreContext::new())
                .map_err(|error: KafkaError| KafkaStoreError::Client { why: error.to_string() })
        };
        Ok(Self {
            committed: client("read_committed")?,
            all: client("read_uncommitted")?,
            topic: topic.to_owned(),
            group: kafka.group.clone(),
        })
    }

    /// The newest values in these places of the topic, of which `total` are used, of this group.
    ///
    /// Everything that stood there when this was called is taken into account: where a transaction is still open, its end is
    /// waited for. It may be of a daemon that had the partitions before and is about to finish, or of one that is gone and
    /// that the brokers will give up.
    ///
    /// A leader that was elected a moment ago may not know yet how far its log is committed. It tells no end until it does
    /// (KIP-207), but lets its log be read up to there: where a place has another leader afterwards all is read again.
    ///
    /// # Errors
    /// If the brokers do not answer, or `go_on` says no.
    pub(super) fn read(
        &self,
        (places, total): (&BTreeSet<i32>, i32),
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Values, KafkaStoreError> {
        loop {
            let leaders = self.leaders(places, go_on)?;
            let values = self.read_once((places, total), go_on)?;
            if self.leaders(places, go_on)? == leaders {
                return Ok(values);
            }
            tracing::info!(topic = self.topic, "the checkpoint topic has other leaders than before; reading it again");
        }
    }

    fn read_once(
        &self,
        (places, total): (&BTreeSet<i32>, i32),
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Values, KafkaStoreError> {
        for place in places {
            self.wait_for_open_transactions(*place, go_on)?;
        }
        let mut list = TopicPartitionList::with_capacity(places.len());
        for place in places {
            list.add_partition_offset(&self.topic, *place, Offset::Beginning).map_err(|error| self.failed(&error))?;
        }
        self.committed.assign(&list).map_err(|error| self.failed(&error))?;
        self.read_assigned(places.clone(), total, go_on)
    }

    /// The newest values in the whole topic, of this group, as they are now.
    ///
    /// # Errors
    /// If there is no such topic, or the brokers do not answer.
    pub(super) fn read_everything(&self) -> Result<Values, KafkaStoreError> {
        let metadata = self.all.fetch_metadata(Some(&self.topic), PATIENCE).map_err(|error| self.failed(&error))?;
        let Some(total) = places_in(&metadata, &self.topic) else {
            return Err(KafkaStoreError::Read { topic: self.topic.clone(), why: "there is no such topic".to_owned() });
        };
        let deadline = Instant::now() + PATIENCE;
        self.read((&(0..total).collect(), total), &mut || Instant::now() < deadline)
    }

    fn read_assigned(
        &self,
        mut open: BTreeSet<i32>,
        total: i32,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Values, KafkaStoreError> {
        let mut values = Values::new();
        while !open.is_empty() {
            if !go_on() {
                return Err(KafkaStoreError::Stopped);
            }
            let message = match self.committed.poll(POLL) {
                None => continue,
                Some(Ok(message)) => message,
                Some(Err(KafkaError::PartitionEOF(place))) => {
                    open.remove(&place);
                    continue;
                }
                // It may be of a broker that is not needed, or long past; whoever asks decides how long to wait.
                Some(Err(error)) if is_about_connections(&error) => continue,
                Some(Err(error)) => return Err(self.failed(&error)),
            };
            let key = message.key().and_then(|key| std::str::from_utf8(key).ok());
            let Some(key) = key.and_then(|key| Key::parse(key, &self.group)) else { continue };
            if place_of(&key.item, &self.group, total) != message.partition() {
                return Err(self.moved(total));
            }
            match message.payload() {
                Some(value) => values.insert(key, value.to_vec()),
                None => values.remove(&key),
            };
        }
        Ok(values)
    }

    /// Waits until no transaction is open that has written below the present end.
    fn wait_for_open_transactions(&self, place: i32, go_on: &mut dyn FnMut() -> bool) -> Result<(), KafkaStoreError> {
        let end = self.end(&self.all, place, go_on)?;
        loop {
            // Of a client that sees finished transactions only, the end is before the first open one.
            if self.end(&self.committed, place, go_on)? >= end {
                return Ok(());
            }
            if !go_on() {
                return Err(KafkaStoreError::Stopped);
            }
            thread::sleep(POLL);
        }
    }

    /// Which broker leads each place.
    fn leaders(
        &self,
        places: &BTreeSet<i32>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<BTreeMap<i32, i32>, KafkaStoreError> {
        let metadata = self.ask(go_on, || self.all.fetch_metadata(Some(&self.topic), STEP))?;
        let topic = metadata.topics().iter().find(|found| found.name() == self.topic);
        let partitions = topic.into_iter().flat_map(|topic| topic.partitions());
        let wanted = partitions.filter(|partition| places.contains(&partition.id()));
        Ok(wanted.map(|partition| (partition.id(), partition.leader())).collect())
    }

    /// Where a place ends. A client that has just been made may take a while to find its way.
    fn end(
        &self,
        client: &BaseConsumer<StoreContext>,
        place: i32,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<i64, KafkaStoreError> {
        self.ask(go_on, || client.fetch_watermarks(&self.topic, place, STEP)).map(|(_, end)| end)
    }

    /// Asks until there is an answer.
    fn ask<T>(
        &self,
        go_on: &mut dyn FnMut() -> bool,
        question: impl Fn() -> KafkaResult<T>,
    ) -> Result<T, KafkaStoreError> {
        let deadline = Instant::now() + FIRST_ANSWER;
        loop {
            match question() {
                Ok(answer) => return Ok(answer),
                Err(error) if is_about_connections(&error) && Instant::now() < deadline => {}
                Err(error) => return Err(self.failed(&error)),
            }
            if !go_on() {
                return Err(KafkaStoreError::Stopped);
            }
        }
    }

    /// Where an item lies depends on how many places there are.
    fn moved(&self, total: i32) -> KafkaStoreError {
        KafkaStoreError::Unfit {
            topic: self.topic.clone(),
            name: "partitions".to_owned(),
            value: total.to_string(),
            wanted: "as many as it had when the state was written, which only a topic of 16 or more may exceed"
                .to_owned(),
        }
    }

    fn failed(&self, error: &KafkaError) -> KafkaStoreError {
        KafkaStoreError::Read { topic: self.topic.clone(), why: error.to_string() }
    }
}

/// Trouble that passes by itself.
fn is_about_connections(error: &KafkaError) -> bool {
    error.rdkafka_error_code().is_some_and(is_connection_trouble)
}
