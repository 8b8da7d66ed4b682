//! Keys of the checkpoint topic.
//!
//! | key | value |
//! |---|---|
//! | `GROUP/TOPIC/PARTITION/manifest/CHUNK` | position, stream time and which hours there are |
//! | `GROUP/TOPIC/PARTITION/hour/HOUR/CHUNK` | the panes of one hour since 1970 |
//! | `GROUP/detector/CHUNK` | baselines and alerts, of whoever held all partitions last |

use crate::message::PartitionId;

/// What a value is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// Where a partition goes on, and which hours it has.
    Manifest(PartitionId),
    /// An hour of panes of a partition.
    Hour(PartitionId, i64),
    /// Baselines and alerts.
    Detector,
}

impl Item {
    /// The partition that it belongs to; none where it belongs to the group.
    pub(super) fn partition(&self) -> Option<&PartitionId> {
        match self {
            Self::Manifest(partition) | Self::Hour(partition, _) => Some(partition),
            Self::Detector => None,
        }
    }
}

/// One chunk of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) item: Item,
    pub(super) chunk: u16,
}

impl Key {
    /// As it stands in the topic.
    pub(super) fn to_text(&self, group: &str) -> String {
        let chunk = self.chunk;
        match &self.item {
            Item::Manifest(PartitionId { topic, partition }) => {
                format!("{group}/{topic}/{partition}/manifest/{chunk}")
            }
            Item::Hour(PartitionId { topic, partition }, hour) => {
                format!("{group}/{topic}/{partition}/hour/{hour}/{chunk}")
            }
            Item::Detector => format!("{group}/detector/{chunk}"),
        }
    }

    /// The key in that text; none where it is another group's, or nobody's.
    pub(super) fn parse(text: &str, group: &str) -> Option<Self> {
        let rest = text.strip_prefix(group)?.strip_prefix('/')?;
        let words: Vec<&str> = rest.split('/').collect();
        let (item, chunk) = match words[..] {
            ["detector", chunk] => (Item::Detector, chunk),
            [topic, partition, "manifest", chunk] => (Item::Manifest(partition_of(topic, partition)?), chunk),
            [topic, partition, "hour", hour, chunk] => {
                (Item::Hour(partition_of(topic, partition)?, hour.parse().ok()?), chunk)
            }
            _ => return None,
        };
        Some(Self { item, chunk: chunk.parse().ok()? })
    }
}

fn partition_of(topic: &str, partition: &str) -> Option<PartitionId> {
    Some(PartitionId::new(topic, partition.parse().ok()?))
}

/// Where in the checkpoint topic an item lies: all items of a partition in one place, so that their order is kept.
pub(super) fn place_of(item: &Item, group: &str, places: i32) -> i32 {
    let name = match item.partition() {
        Some(PartitionId { topic, partition }) => format!("{group}/{topic}/{partition}"),
        None => group.to_owned(),
    };
    let place = i64::from(crc32fast::hash(name.as_bytes())) % i64::from(places.max(1));
    i32::try_from(place).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let partition = PartitionId::new("mensajes.es", 7);
        let items = [Item::Manifest(partition.clone()), Item::Hour(partition, -3), Item::Detector];
        for item in items {
            let key = Key { item, chunk: 2 };
            for group in ["latido", "team/latido", "a b"] {
                assert_eq!(Key::parse(&key.to_text(group), group), Some(key.clone()));
            }
        }
    }

    #[test]
    fn groups_that_share_a_topic_do_not_see_each_other() {
        let key = Key { item: Item::Manifest(PartitionId::new("messages", 0)), chunk: 0 };
        for (writer, reader) in [("a", "b"), ("a/b", "a"), ("a", "a/b"), ("ab", "a")] {
            assert_eq!(Key::parse(&key.to_text(writer), reader), None, "{writer} {reader}");
        }
    }

    #[test]
    fn whatever_else_is_in_the_topic_is_no_key() {
        for text in ["", "g", "g/", "g/t/x/manifest/0", "g/t/0/manifest", "g/t/0/hour/1", "g/t/0/manifest/0/0", "x/y"] {
            assert_eq!(Key::parse(text, "g"), None, "{text}");
        }
    }
}
