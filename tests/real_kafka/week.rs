//! A backlog of seven days, however it lies in the partitions.

use crate::exactness::{assert_counted, assert_panes, assert_read_to_the_end};
use crate::support::broker::{self, RealKafka};
use crate::support::daemon::{Checkpoint, Home};
use crate::support::stream::{self, Expected, Line};
use crate::support::{kcat, seconds};

const RECORDS: usize = 12_000;
const PARTITIONS: i32 = 4;
/// What is compared of the panes: a little less than the 24 h that are kept, counted back from the newest message.
const COMPARED_MILLIS: i64 = 23 * 3_600 * 1_000;

/// Reads the topic from its start to its end in one life, holds the counters to the lines, drains, holds the panes to them.
fn drain(kafka: &RealKafka, topic: &str, lines: &[Line]) -> Checkpoint {
    let expected = Expected::of(lines);
    let home = Home::new(kafka.bootstrap(), &[topic], &format!("{topic}-group"));
    let mut daemon = home.start();
    let samples = daemon.wait_scored(expected.scored(), seconds(120));
    assert_counted(&samples, &expected);
    assert_eq!(samples.count("latido_assigned_partitions", &[]), 4);
    assert_eq!(samples.count("latido_topic_partitions", &[]), 4);
    daemon.wait_ready(seconds(30));
    daemon.stop();

    let checkpoint = home.checkpoint();
    assert_read_to_the_end(&checkpoint, kafka, topic, PARTITIONS);
    assert_panes(&checkpoint, &expected, compared_from(lines));
    checkpoint
}

fn compared_from(lines: &[Line]) -> i64 {
    lines.last().expect("there are lines").second * 1_000 - COMPARED_MILLIS
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn seven_days_are_read_whole_and_alike_keyed_by_customer_or_one_partition_after_the_other() {
    let kafka = broker::shared();
    let lines = stream::week(RECORDS, 7);

    kafka.create_topic("week-keyed", PARTITIONS, &[]);
    kcat::produce(kafka.bootstrap(), "week-keyed", &lines);
    let keyed = drain(kafka, "week-keyed", &lines);

    kafka.create_topic("week-in-turn", PARTITIONS, &[]);
    for partition in 0..PARTITIONS {
        let part = lines.iter().skip(usize::try_from(partition).unwrap()).step_by(4).cloned().collect::<Vec<_>>();
        kcat::produce_to(kafka.bootstrap(), "week-in-turn", partition, &part);
    }
    let in_turn = drain(kafka, "week-in-turn", &lines);

    // INV-5: the same records give the same windows, whatever way they came.
    let from = compared_from(&lines);
    assert_eq!(keyed.moods_from(from), in_turn.moods_from(from));
    let unhappy: u64 = keyed.moods_from(from).values().map(|(negative, _)| negative).sum();
    assert!(unhappy > 0, "some of the messages are unhappy");
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn two_topics_are_read_as_one_stream() {
    let kafka = broker::shared();
    let lines = stream::day(3_000, 11);
    let (chats, mails) = lines.split_at(1_200);
    kafka.create_topic("chats", 2, &[]);
    kafka.create_topic("mails", 3, &[]);
    kcat::produce(kafka.bootstrap(), "chats", chats);
    kcat::produce(kafka.bootstrap(), "mails", mails);

    let expected = Expected::of(&lines);
    let home = Home::new(kafka.bootstrap(), &["chats", "mails"], "two-topics");
    let mut daemon = home.start();
    let samples = daemon.wait_scored(expected.scored(), seconds(60));
    assert_counted(&samples, &expected);
    assert_eq!(samples.of("latido_consumer_lag_records", &[("topic", "chats")]).count(), 2);
    assert_eq!(samples.of("latido_consumer_lag_records", &[("topic", "mails")]).count(), 3);
    daemon.stop();

    let checkpoint = home.checkpoint();
    assert_read_to_the_end(&checkpoint, kafka, "chats", 2);
    assert_read_to_the_end(&checkpoint, kafka, "mails", 3);
    assert_panes(&checkpoint, &expected, 0);
}
