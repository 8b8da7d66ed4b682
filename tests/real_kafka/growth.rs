//! A topic that grows: what is written to its new partitions before anybody looks is not passed over.

use crate::exactness::{assigned, scored};
use crate::support::broker::{self, RealKafka};
use crate::support::daemon::{Daemon, Home};
use crate::support::stream::{self, Line};
use crate::support::{kcat, seconds};

fn messages(daemon: &Daemon) -> Result<u64, String> {
    Ok(daemon.metrics()?.count("latido_messages_total", &[]))
}

/// Has a daemon that starts at the topic's end read those lines in its one partition, and gives it.
fn reading_from_the_end(home: &Home, kafka: &RealKafka, topic: &str, lines: &[Line]) -> Daemon {
    let mut daemon = home.start();
    daemon.wait_ready(seconds(60));
    kcat::produce_to(kafka.bootstrap(), topic, 0, lines);
    daemon.wait_scored(scored(lines), seconds(60));
    daemon
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn what_a_topic_grows_by_is_read_from_its_first_record_though_reading_starts_at_latest() {
    let kafka = broker::shared();
    kafka.create_topic("grows", 1, &[]);
    let lines = stream::day(600, 46);
    let (before, rest) = lines.split_at(200);
    let (under_way, while_down) = rest.split_at(200);
    let home = Home::new(kafka.bootstrap(), &["grows"], "grows").set("kafka.start", "latest");
    kcat::produce_to(kafka.bootstrap(), "grows", 0, before);
    let mut daemon = reading_from_the_end(&home, kafka, "grows", before);

    kafka.grow_topic("grows", 2);
    kcat::produce_to(kafka.bootstrap(), "grows", 1, under_way);
    let read = scored(before) + scored(under_way);
    daemon.wait_scored(read, seconds(90));
    daemon.stop();

    kafka.grow_topic("grows", 3);
    kcat::produce_to(kafka.bootstrap(), "grows", 2, while_down);
    let mut daemon = home.start();
    daemon.wait_scored(scored(while_down), seconds(90));
    daemon.stop();
    let ends = kafka.bounds("grows", 3).into_iter().map(|(_, end)| end);
    assert_eq!(home.checkpoint().next_offsets("grows"), (0..).zip(ends).collect());
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_daemon_that_gets_nothing_but_what_a_topic_has_grown_by_reads_it_from_its_first_record() {
    let kafka = broker::shared();
    kafka.create_topic("grows-shared", 1, &[]);
    let lines = stream::day(400, 47);
    let (before, after) = lines.split_at(200);
    let home = Home::new(kafka.bootstrap(), &["grows-shared"], "grows-shared")
        .set("kafka.start", "latest")
        .set("checkpoint.store", "kafka")
        .set("checkpoint.topic", "grows-shared-state");
    reading_from_the_end(&home, kafka, "grows-shared", before).stop();

    // One of two partitions each: whoever has the new one knows nothing of the old one.
    let mut members = [home.start(), home.start()];
    kafka.grow_topic("grows-shared", 2);
    kcat::produce_to(kafka.bootstrap(), "grows-shared", 1, after);
    for daemon in &mut members {
        daemon.wait_until("each has one partition", seconds(90), |daemon| match assigned(daemon)? {
            1 => Ok(()),
            other => Err(format!("{other} partitions")),
        });
    }
    let [first, second] = &mut members;
    first.wait_until("the new one is read", seconds(60), |first| {
        let counted = messages(first)? + messages(second)?;
        if counted == scored(after) { Ok(()) } else { Err(format!("{counted} messages")) }
    });
    members.into_iter().for_each(Daemon::stop);
}
