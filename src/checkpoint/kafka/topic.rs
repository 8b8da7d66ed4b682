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

/// Makes the topic if it is not there and looks whether it keeps what is written. Gives how many partitions it has. `go_on` is
/// asked between two questions to the brokers.
///
/// # Errors
/// If the brokers do not answer or refuse, or if the topic's settings would lose state.
pub(super) fn prepare(
    client: &ClientConfig,
    topic: &str,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<i32, KafkaStoreError> {
    let failed = |why: String| KafkaStoreError::Topic { topic: topic.to_owned(), why };
    let explain = |error: KafkaError| failed(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(format!("no runtime for the admin client: {error}")))?;
    // Asking for a topic must not make it, as brokers that make topics by themselves would, with settings of their own.
    let admin: AdminClient<DefaultClientContext> =
        client.clone().set("allow.auto.create.topics", "false").create().map_err(explain)?;
    let mut metadata = look(&admin, topic).map_err(explain)?;
    if places_in(&metadata, topic).is_none() {
        make(&runtime, &admin, topic, metadata.brokers().len()).map_err(failed)?;
        if !go_on() {
            return Err(KafkaStoreError::Stopped);
        }
        metadata = look(&admin, topic).map_err(explain)?;
    }
    let places = places_in(&metadata, topic).ok_or_else(|| failed("it was made, and is not there yet".to_owned()))?;
    if !go_on() {
        return Err(KafkaStoreError::Stopped);
    }
    let options = AdminOptions::new().request_timeout(Some(STEP));
    let described = runtime.block_on(admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options));
    let described = described.map_err(explain)?.pop().ok_or_else(|| failed("its settings are not told".to_owned()))?;
    let settings = described.map_err(|code| failed(format!("its settings are not told: {code}")))?;
    check(&settings, topic)?;
    warn_of_few_copies(&metadata, &settings, topic);
    Ok(places)
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

fn look(admin: &AdminClient<DefaultClientContext>, topic: &str) -> Result<Metadata, KafkaError> {
    admin.inner().fetch_metadata(Some(topic), STEP)
}

/// How many partitions a topic has; none where there is no such topic.
fn places_in(metadata: &Metadata, topic: &str) -> Option<i32> {
    let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none())?;
    i32::try_from(found.partitions().len()).ok().filter(|places| *places > 0)
}

fn make(
    runtime: &Runtime,
    admin: &AdminClient<DefaultClientContext>,
    topic: &str,
    brokers: usize,
) -> Result<(), String> {
    let copies = i32::try_from(brokers.clamp(1, COPIES)).unwrap_or(1);
    let mut wanted = NewTopic::new(topic, PLACES, TopicReplication::Fixed(copies));
    for (name, value) in SETTINGS {
        wanted = wanted.set(name, value);
    }
    if brokers >= COPIES {
        wanted = wanted.set("min.insync.replicas", "2");
    }
    let options = AdminOptions::new().request_timeout(Some(STEP)).operation_timeout(Some(STEP));
    let made = runtime.block_on(admin.create_topics([&wanted], &options)).map_err(|error| error.to_string())?;
    for result in made {
        match result {
            Ok(_) => tracing::info!(topic, places = PLACES, copies, "checkpoint topic made"),
            // Another daemon was faster.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(format!("it is not there and cannot be made: {code}")),
        }
    }
    Ok(())
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
