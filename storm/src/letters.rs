//! The dead letters of a storm.

use anyhow::Result;
use rdkafka::message::Message as _;

use crate::topic::{self, header};

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
    let mut letters = Vec::new();
    topic::read(bootstrap, topic, partitions, |message| {
        letters.push(Letter {
            source: (header(message, "source_partition")?.parse()?, header(message, "source_offset")?.parse()?),
            reason: header(message, "reason")?,
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
        });
        Ok(())
    })?;
    Ok(letters)
}
