//! Reads a topic from its beginning to its end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use crate::cluster::client_config;
use crate::wait::seconds;

const READ_LIMIT: Duration = seconds(60);
const POLL: Duration = Duration::from_millis(200);

/// Calls `each` with every record.
///
/// # Errors
/// If `each` fails, or the end is not reached in time.
pub(crate) fn read(
    bootstrap: &str,
    topic: &str,
    partitions: i32,
    mut each: impl FnMut(&BorrowedMessage<'_>) -> Result<()>,
) -> Result<()> {
    let consumer: BaseConsumer = client_config(bootstrap).set("enable.partition.eof", "true").create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let mut ended = BTreeSet::new();
    let limit = Instant::now() + READ_LIMIT;
    while ended.len() < usize::try_from(partitions)? {
        ensure!(Instant::now() < limit, "topic {topic} cannot be read to its end");
        match consumer.poll(POLL) {
            Some(Ok(message)) => each(&message)?,
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            // A leader that still moves; the limit tells.
            Some(Err(_)) | None => {}
        }
    }
    Ok(())
}

/// A header of a record as text.
pub(crate) fn header(message: &BorrowedMessage<'_>, name: &str) -> Result<String> {
    let header = message.headers().and_then(|headers| headers.iter().find(|header| header.key == name));
    let value = header.and_then(|header| header.value);
    let place = || format!("{}[{}] {} has no {name}", message.topic(), message.partition(), message.offset());
    Ok(String::from_utf8_lossy(value.with_context(place)?).into_owned())
}
