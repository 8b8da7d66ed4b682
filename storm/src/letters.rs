//! Reads a dead-letter topic to its end.

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

/// Where a record stands: partition and offset.
pub(crate) type Place = (i32, i64);

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Where its record stands in the input topic.
    pub(crate) source: Place,
    /// Why its record cannot be used.
    pub(crate) reason: String,
    /// Its record's key.
    pub(crate) key: Option<Vec<u8>>,
    /// Its record's value.
    pub(crate) value: Option<Vec<u8>>,
}

/// Every letter in the topic, in no order.
pub(crate) fn read(bootstrap: &str, topic: &str, partitions: i32) -> Result<Vec<Letter>> {
    let consumer: BaseConsumer = client_config(bootstrap).set("enable.partition.eof", "true").create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let (mut letters, mut ended) = (Vec::new(), BTreeSet::new());
    let limit = Instant::now() + READ_LIMIT;
    while ended.len() < usize::try_from(partitions)? {
        ensure!(Instant::now() < limit, "topic {topic} cannot be read to its end");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => letters.push(letter(&message)?),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            // A broker that is not back yet; the limit tells.
            Some(Err(_)) | None => {}
        }
    }
    Ok(letters)
}

fn letter(message: &BorrowedMessage<'_>) -> Result<Letter> {
    let headers = message.headers().context("a dead letter has no headers")?;
    let text = |name: &str| -> Result<String> {
        let header = headers.iter().find(|header| header.key == name);
        let value = header.and_then(|header| header.value).with_context(|| format!("a dead letter has no {name}"))?;
        Ok(String::from_utf8_lossy(value).into_owned())
    };
    Ok(Letter {
        source: (text("source_partition")?.parse()?, text("source_offset")?.parse()?),
        reason: text("reason")?,
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
    })
}
