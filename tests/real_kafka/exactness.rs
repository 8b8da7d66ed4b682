//! What "every record, once" means, in the metrics and in the checkpoint.

use std::collections::BTreeMap;

use crate::support::broker::RealKafka;
use crate::support::daemon::{Checkpoint, Daemon};
use crate::support::exposition::Samples;
use crate::support::stream::{Expected, Line};

/// The counters of a daemon that read all of it in one life are those of the lines, none late, none refused.
pub(crate) fn assert_counted(samples: &Samples, expected: &Expected) {
    let count = |name, labels: &[(&str, &str)]| samples.count(name, labels);
    for ((department, audience), messages) in &expected.messages {
        let labels = [("department", *department), ("audience", *audience)];
        assert_eq!(count("latido_messages_total", &labels), *messages, "messages of {labels:?}");
    }
    for ((department, author), messages) in &expected.context {
        let labels = [("department", *department), ("author", *author)];
        assert_eq!(count("latido_context_messages_total", &labels), *messages, "context of {labels:?}");
    }
    assert_eq!(count("latido_messages_total", &[]), expected.scored(), "all messages");
    assert_eq!(count("latido_context_messages_total", &[]), expected.context(), "all context");
    assert_eq!(count("latido_late_messages_total", &[]), 0, "late messages");
    assert_eq!(count("latido_rejected_records_total", &[]), 0, "unusable records");
}

/// From that moment (milliseconds) on, each pane holds each of its messages once.
pub(crate) fn assert_panes(checkpoint: &Checkpoint, expected: &Expected, from: i64) {
    let kept = checkpoint.messages_from(from);
    let wanted = expected.panes_from(from);
    let differing: BTreeMap<_, _> = wanted
        .keys()
        .chain(kept.keys())
        .filter(|pane| wanted.get(*pane) != kept.get(*pane))
        .map(|pane| (pane, (wanted.get(pane), kept.get(pane))))
        .collect();
    assert!(differing.is_empty(), "panes that differ (wanted, kept): {differing:?}");
    assert!(!wanted.is_empty(), "there is something to compare");
}

/// The checkpoint goes on exactly where the topic ends.
pub(crate) fn assert_read_to_the_end(checkpoint: &Checkpoint, kafka: &RealKafka, topic: &str, partitions: i32) {
    assert_eq!(checkpoint.next_offsets(topic), ends(kafka, topic, partitions), "next offsets of {topic}");
}

/// The next offset of each partition.
pub(crate) fn ends(kafka: &RealKafka, topic: &str, partitions: i32) -> BTreeMap<i32, i64> {
    (0..).zip(kafka.bounds(topic, partitions)).map(|(partition, (_, end))| (partition, end)).collect()
}

/// How many of these lines a daemon scores.
pub(crate) fn scored(lines: &[Line]) -> u64 {
    Expected::of(lines).scored()
}

/// How many partitions a daemon holds.
pub(crate) fn assigned(daemon: &Daemon) -> Result<u64, String> {
    Ok(daemon.metrics()?.count("latido_assigned_partitions", &[]))
}
