//! What librdkafka's statistics say of partitions and brokers, reduced to what the daemon acts on.

use std::collections::HashMap;

use serde::Deserialize;

use crate::message::PartitionId;

/// The part of the statistics that is read; everything else is skipped.
#[derive(Debug, Deserialize)]
struct Statistics {
    #[serde(default)]
    brokers: HashMap<String, BrokerStatistics>,
    #[serde(default)]
    topics: HashMap<String, TopicStatistics>,
}

#[derive(Debug, Deserialize)]
struct BrokerStatistics {
    nodeid: i32,
    state: String,
}

#[derive(Debug, Deserialize)]
struct TopicStatistics {
    #[serde(default)]
    partitions: HashMap<String, PartitionStatistics>,
}

#[derive(Debug, Deserialize)]
struct PartitionStatistics {
    partition: i32,
    leader: i32,
    fetchq_cnt: i64,
    fetchq_size: i64,
    fetch_state: String,
    eof_offset: i64,
    hi_offset: i64,
}

/// One partition as the broker last told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartitionReport {
    /// Which one.
    pub(super) partition: PartitionId,
    /// The offset that the next record written will have; none while unknown.
    pub(super) end: Option<i64>,
    /// The end, if everything up to it was fetched and the leader is connected.
    ///
    /// Told by the end-of-partition mark, not by comparing offsets: transaction markers take offsets and are never delivered.
    pub(super) fetched_to_end: Option<i64>,
    /// What was fetched and not polled yet: of all partitions together, since they share the consumer's queue.
    pub(super) queued: i64,
    /// Bytes of what is queued.
    pub(super) queued_bytes: i64,
}

/// The statistics of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// The partitions known.
    pub(super) partitions: Vec<PartitionReport>,
    /// Whether at least one broker is connected.
    pub(super) connected: bool,
}

/// Reads librdkafka's statistics.
///
/// # Errors
/// If they are not the JSON that librdkafka documents.
pub(super) fn parse(json: &[u8]) -> Result<Report, serde_json::Error> {
    let statistics: Statistics = serde_json::from_slice(json)?;
    let up: Vec<i32> =
        statistics.brokers.values().filter(|broker| broker.state == "UP").map(|broker| broker.nodeid).collect();
    let mut partitions = Vec::new();
    for (topic, statistics) in statistics.topics {
        let topic: std::sync::Arc<str> = topic.into();
        for partition in statistics.partitions.into_values().filter(|partition| partition.partition >= 0) {
            let fetching = partition.fetch_state == "active" && up.contains(&partition.leader);
            let at_end = partition.hi_offset >= 0 && partition.eof_offset >= partition.hi_offset;
            partitions.push(PartitionReport {
                partition: PartitionId::new(std::sync::Arc::clone(&topic), partition.partition),
                end: (partition.hi_offset >= 0).then_some(partition.hi_offset),
                fetched_to_end: (fetching && at_end).then_some(partition.eof_offset),
                queued: partition.fetchq_cnt,
                queued_bytes: partition.fetchq_size,
            });
        }
    }
    Ok(Report { partitions, connected: !up.is_empty() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn statistics(state: &str, eof: i64, high: i64, queued: i64) -> String {
        let size = queued * 100;
        format!(
            r#"{{"brokers":{{"b":{{"nodeid":1,"state":"{state}","rtt":{{}}}}}},
                "topics":{{"t":{{"age":1,"partitions":{{
                    "0":{{"partition":0,"leader":1,"fetchq_cnt":{queued},"fetchq_size":{size},"fetch_state":"active","eof_offset":{eof},"hi_offset":{high}}},
                    "-1":{{"partition":-1,"leader":-1,"fetchq_cnt":0,"fetchq_size":0,"fetch_state":"none","eof_offset":-1001,"hi_offset":-1001}}
                }}}}}}}}"#
        )
    }

    fn only(json: &str) -> PartitionReport {
        let report = parse(json.as_bytes()).expect("statistics");
        assert_eq!(report.partitions.len(), 1, "the internal partition -1 is not one");
        report.partitions[0].clone()
    }

    #[test]
    fn a_partition_is_fetched_to_its_end_at_the_end_of_partition_mark() {
        assert_eq!(only(&statistics("UP", 10, 10, 0)).fetched_to_end, Some(10));
        assert_eq!(only(&statistics("UP", 10, 10, 0)).end, Some(10));
    }

    #[test]
    fn records_behind_the_mark_are_still_to_be_fetched() {
        assert_eq!(only(&statistics("UP", 10, 12, 0)).fetched_to_end, None);
        let told = only(&statistics("UP", 10, 10, 3));
        assert_eq!((told.queued, told.queued_bytes), (3, 300));
    }

    #[test]
    fn nothing_is_known_of_a_partition_whose_leader_is_down() {
        assert_eq!(only(&statistics("DOWN", 10, 10, 0)).fetched_to_end, None);
        assert!(!parse(statistics("DOWN", 10, 10, 0).as_bytes()).expect("statistics").connected);
    }

    #[test]
    fn an_unknown_end_is_none() {
        assert_eq!(only(&statistics("UP", -1001, -1001, 0)).end, None);
        assert_eq!(only(&statistics("UP", -1001, -1001, 0)).fetched_to_end, None);
    }

    #[test]
    fn broken_statistics_are_an_error() {
        assert!(parse(b"{\"brokers\":{\"b\":{").is_err());
    }
}
