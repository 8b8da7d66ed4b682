//! The checkpoint topic itself: made if it is not there, refused if it would lose what is written.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use tokio::runtime::Runtime;

use super::KafkaStoreError;
use super::chunks::MOST_BYTES;

/// Places in a topic that is made: more than a group has daemons, so that one that hangs holds up few partitions.
///
/// No more are used of one that has more, so that a topic of so many may grow.
const PLACES: i32 = 16;
/// Copies of a topic that is made, where there are as many brokers.
const COPIES: usize = 3;
const STEP: Duration = Duration::from_secs(5);
/// Keys and headers beside a value.
const OVERHEAD: usize = 10_000;

/// Settings of a topic that is made.
const SETTINGS: [(&str, &str); 4] = [
    ("cleanup.policy", "compact"),
    // What was written anew is cleaned up soon, so that a daemon that takes over reads little.
    ("segment.ms", "600000"),
    ("min.cleanable.dirty.ratio", "0.1"),
    ("unclean.leader.election.enable", "false"),
];

/// Makes the topic if it is not there and looks whether it keeps what is written. Gives how many of its partitions are used. `go_on` is
/// asked between two questions to the brokers.
///
/// # Errors
/// If the brokers do not answer or refuse, or if the topic's settings would lose state.
pub(super) fn prepare(
    client: &ClientConfig,
    topic: &str,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<i32, KafkaStoreError> {
    let desk = Desk::open(client, topic)?;
    let mut metadata = desk.look()?;
    if places_in(&metadata, topic).is_none() {
        desk.make(metadata.brokers().len())?;
        if !go_on() {
            return Err(KafkaStoreError::Stopped);
        }
        metadata = desk.look()?;
    }
    let places =
        places_in(&metadata, topic).ok_or_else(|| desk.failed("it was made, and is not there yet".to_owned()))?;
    if !go_on() {
        return Err(KafkaStoreError::Stopped);
    }
    let settings = desk.settings()?;
    check(&settings, topic)?;
    warn_of_few_copies(&metadata, &settings, topic);
    Ok(places)
}

/// Looks whether the topic keeps what is written, and makes nothing. Gives how many of its partitions are used; none where it
/// is not there.
///
/// # Errors
/// As [`prepare`].
pub(super) fn inspect(client: &ClientConfig, topic: &str) -> Result<Option<i32>, KafkaStoreError> {
    let desk = Desk::open(client, topic)?;
    let Some(places) = places_in(&desk.look()?, topic) else { return Ok(None) };
    check(&desk.settings()?, topic)?;
    Ok(Some(places))
}

/// Where the brokers are asked about the topic.
struct Desk<'a> {
    runtime: Runtime,
    admin: AdminClient<DefaultClientContext>,
    topic: &'a str,
}

impl<'a> Desk<'a> {
    fn open(client: &ClientConfig, topic: &'a str) -> Result<Self, KafkaStoreError> {
        let failed = |why: String| KafkaStoreError::Topic { topic: topic.to_owned(), why };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(format!("no runtime for the admin client: {error}")))?;
        // Asking for a topic must not make it, as brokers that make topics by themselves would, with settings of their own.
        let admin = client.clone().set("allow.auto.create.topics", "false").create();
        Ok(Self { runtime, admin: admin.map_err(|error: KafkaError| failed(error.to_string()))?, topic })
    }

    fn failed(&self, why: String) -> KafkaStoreError {
        KafkaStoreError::Topic { topic: self.topic.to_owned(), why }
    }

    fn look(&self) -> Result<Metadata, KafkaStoreError> {
        let metadata = self.admin.inner().fetch_metadata(Some(self.topic), STEP);
        metadata.map_err(|error| self.failed(error.to_string()))
    }

    fn settings(&self) -> Result<ConfigResource, KafkaStoreError> {
        let options = AdminOptions::new().request_timeout(Some(STEP));
        let topic = ResourceSpecifier::Topic(self.topic);
        let described = self.admin.describe_configs([&topic], &options);
        let described = self.runtime.block_on(described).map_err(|error| self.failed(error.to_string()))?.pop();
        let described = described.ok_or_else(|| self.failed("its settings are not told".to_owned()))?;
        described.map_err(|code| self.failed(format!("its settings are not told: {code}")))
    }

    fn make(&self, brokers: usize) -> Result<(), KafkaStoreError> {
        let copies = i32::try_from(brokers.clamp(1, COPIES)).unwrap_or(1);
        let mut wanted = NewTopic::new(self.topic, PLACES, TopicReplication::Fixed(copies));
        for (name, value) in SETTINGS {
            wanted = wanted.set(name, value);
        }
        if brokers >= COPIES {
            wanted = wanted.set("min.insync.replicas", "2");
        }
        let options = AdminOptions::new().request_timeout(Some(STEP)).operation_timeout(Some(STEP));
        let made = self.runtime.block_on(self.admin.create_topics([&wanted], &options));
        for result in made.map_err(|error| self.failed(error.to_string()))? {
            match result {
                Ok(_) => tracing::info!(topic = self.topic, places = PLACES, copies, "checkpoint topic made"),
                // Another daemon was faster.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(self.failed(format!("it is not there and cannot be made: {code}"))),
            }
        }
        Ok(())
    }
}

/// Says where fewer brokers keep the state than could. Not refused: there may be reasons, and a topic that was made while a
/// broker was away has fewer for good.
fn warn_of_few_copies(metadata: &Metadata, settings: &ConfigResource, topic: &str) {
    let wanted = metadata.brokers().len().min(COPIES);
    let partitions =
        metadata.topics().iter().filter(|found| found.name() == topic).flat_map(|found| found.partitions());
    let copies = partitions.map(|partition| partition.replicas().len()).min().unwrap_or(wanted);
    if copies < wanted {
        tracing::warn!(
            topic,
            copies,
            wanted,
            "the checkpoint topic has few copies: what its brokers lose is lost; reassign it"
        );
    }
    let in_sync = settings.get("min.insync.replicas").and_then(|entry| entry.value.as_deref()?.parse().ok());
    if copies >= COPIES && in_sync == Some(1) {
        tracing::warn!(
            topic,
            "the checkpoint topic has min.insync.replicas=1: set it to 2, or a saved state may be lost with one broker"
        );
    }
}

/// How many partitions of a topic are used; none where there is no such topic.
pub(super) fn places_in(metadata: &Metadata, topic: &str) -> Option<i32> {
    let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none())?;
    i32::try_from(found.partitions().len()).ok().filter(|places| *places > 0).map(|places| places.min(PLACES))
}

/// Whether a topic with these settings keeps the newest value of each key for good.
fn check(settings: &ConfigResource, topic: &str) -> Result<(), KafkaStoreError> {
    let value = |name: &str| settings.get(name).and_then(|entry| entry.value.as_deref()).unwrap_or_default();
    let unfit = |name: &str, wanted: &str| KafkaStoreError::Unfit {
        topic: topic.to_owned(),
        name: name.to_owned(),
        value: value(name).to_owned(),
        wanted: wanted.to_owned(),
    };
    if value("cleanup.policy").trim() != "compact" {
        return Err(unfit("cleanup.policy", "compact"));
    }
    let largest = MOST_BYTES + OVERHEAD;
    if value("max.message.bytes").parse().is_ok_and(|most: usize| most < largest) {
        return Err(unfit("max.message.bytes", &format!("{largest} or more")));
    }
    if value("unclean.leader.election.enable") == "true" {
        return Err(unfit("unclean.leader.election.enable", "false"));
    }
    Ok(())
}
