//! State in a topic: it goes with its partition to whichever daemon of the group gets it, and no other can write over it.

use std::thread;

use crate::exactness::{assert_panes, assert_read_to_the_end, assigned, ends};
use crate::support::broker::{self, RealKafka};
use crate::support::daemon::{Daemon, Home};
use crate::support::stream::{self, Expected, Line};
use crate::support::{kcat, seconds};

const PARTITIONS: i32 = 4;
/// A topic for the state of all groups here: they may share one.
const STATE: &str = "latido-state";

fn home(kafka: &RealKafka, topic: &str) -> Home {
    Home::new(kafka.bootstrap(), &[topic], topic)
        .set("checkpoint.store", "kafka")
        .set("checkpoint.topic", STATE)
        .set("kafka.session_timeout", "6s")
}

/// Waits until what is saved covers the topic.
fn wait_covered(daemon: &mut Daemon, home: &Home, kafka: &RealKafka, topic: &str) {
    let wanted = ends(kafka, topic, PARTITIONS);
    daemon.wait_until("the checkpoints cover the topic", seconds(90), |_| {
        let saved = home.try_checkpoint().map_err(|output| format!("{output:?}"))?.next_offsets(topic);
        if saved == wanted { Ok(()) } else { Err(format!("{saved:?} of {wanted:?}")) }
    });
}

fn produce_slowly(kafka: &'static RealKafka, topic: &'static str, lines: &[Line]) -> thread::JoinHandle<()> {
    let lines = lines.to_vec();
    thread::spawn(move || kcat::produce_paced(kafka.bootstrap(), topic, &lines, 600))
}

/// What is saved at the end is exactly what was written.
fn assert_exact(home: &Home, kafka: &RealKafka, topic: &str, lines: &[Line]) {
    let checkpoint = home.checkpoint();
    assert_read_to_the_end(&checkpoint, kafka, topic, PARTITIONS);
    assert_panes(&checkpoint, &Expected::of(lines), 0);
    assert_eq!(kafka.committed(topic, topic, PARTITIONS), checkpoint.next_offsets(topic), "committed with the state");
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_killed_daemons_state_comes_back_from_the_topic() {
    let kafka = broker::shared();
    let lines = stream::day(8_000, 81);
    kafka.create_topic("state-killed", PARTITIONS, &[]);
    let producer = produce_slowly(kafka, "state-killed", &lines);
    let home = home(kafka, "state-killed");
    let mut daemon = home.start();
    for scored in [1_000, 300] {
        daemon.wait_for_metrics("the daemon is in the middle of its work", seconds(60), |samples| {
            samples.count("latido_messages_total", &[]) >= scored
        });
        daemon.kill();
        daemon = home.start();
    }
    producer.join().expect("kcat took every line");
    wait_covered(&mut daemon, &home, kafka, "state-killed");
    daemon.stop();
    assert_exact(&home, kafka, "state-killed", &lines);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn daemons_that_come_and_go_hand_each_other_the_windows_of_their_partitions() {
    let kafka = broker::shared();
    let lines = stream::day(12_000, 82);
    kafka.create_topic("state-shared", PARTITIONS, &[]);
    let producer = produce_slowly(kafka, "state-shared", &lines);
    let home = home(kafka, "state-shared");
    let mut first = home.start();
    first.wait_for_metrics("the first reads", seconds(60), |samples| {
        samples.count("latido_messages_total", &[]) > 1_000
    });
    let mut second = home.start();
    for daemon in [&mut first, &mut second] {
        daemon.wait_until("each has half", seconds(60), |daemon| match assigned(daemon)? {
            2 => Ok(()),
            other => Err(format!("{other} partitions")),
        });
    }
    second
        .wait_for_metrics("the second reads", seconds(60), |samples| samples.count("latido_messages_total", &[]) > 300);
    first.kill();
    second.wait_until("the second has all", seconds(60), |daemon| match assigned(daemon)? {
        4 => Ok(()),
        other => Err(format!("{other} partitions")),
    });
    let third = home.start();
    producer.join().expect("kcat took every line");
    wait_covered(&mut second, &home, kafka, "state-shared");
    third.stop();
    second.stop();
    assert_exact(&home, kafka, "state-shared", &lines);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_daemon_that_was_thought_dead_cannot_write_over_its_successors_state() {
    let kafka = broker::shared();
    let lines = stream::day(12_000, 83);
    kafka.create_topic("state-zombie", PARTITIONS, &[]);
    let producer = produce_slowly(kafka, "state-zombie", &lines);
    let home = home(kafka, "state-zombie");
    let mut frozen = home.start();
    frozen.wait_for_metrics("it reads", seconds(60), |samples| samples.count("latido_messages_total", &[]) > 1_000);
    frozen.freeze();
    let mut successor = home.start();
    successor.wait_for_metrics("its successor reads", seconds(90), |samples| {
        samples.count("latido_messages_total", &[]) > 1_000
    });
    frozen.thaw();
    for daemon in [&mut frozen, &mut successor] {
        daemon.wait_until("each has half", seconds(90), |daemon| match assigned(daemon)? {
            2 => Ok(()),
            other => Err(format!("{other} partitions")),
        });
    }
    producer.join().expect("kcat took every line");
    wait_covered(&mut successor, &home, kafka, "state-zombie");
    frozen.stop();
    successor.stop();
    assert_exact(&home, kafka, "state-zombie", &lines);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_daemon_without_a_partition_writes_over_nothing_and_takes_all_up_when_it_gets_one() {
    let kafka = broker::shared();
    let lines = stream::day(600, 86);
    let (read, more) = lines.split_at(300);
    kafka.create_topic("state-spare", 1, &[]);
    kcat::produce(kafka.bootstrap(), "state-spare", read);
    let home = home(kafka, "state-spare");
    let mut owner = home.start();
    owner.wait_scored(Expected::of(read).scored(), seconds(60));
    let spare = home.start();
    // The group may give the one partition to either.
    let changed_hands = owner.wait_until("one has the partition, and one has none", seconds(60), |owner| {
        let counts = (assigned(owner)?, assigned(&spare)?);
        let without = if counts.0 == 0 { owner } else { &spare };
        let told = without.get("/readyz")?.1;
        let is_settled = counts.0 + counts.1 == 1 && told.contains("more members than partitions");
        if is_settled { Ok(counts.0 == 0) } else { Err(told) }
    });
    let (mut owner, mut spare) = if changed_hands { (spare, owner) } else { (owner, spare) };
    kcat::produce(kafka.bootstrap(), "state-spare", more);
    let wanted = ends(kafka, "state-spare", 1);
    owner.wait_until("the checkpoints cover the topic", seconds(90), |_| {
        let saved = home.try_checkpoint().map_err(|output| format!("{output:?}"))?.next_offsets("state-spare");
        if saved == wanted { Ok(()) } else { Err(format!("{saved:?} of {wanted:?}")) }
    });
    owner.kill();
    spare.wait_until("the spare has it", seconds(90), |daemon| match assigned(daemon)? {
        1 => Ok(()),
        other => Err(format!("{other} partitions")),
    });
    spare.stop();
    assert_panes(&home.checkpoint(), &Expected::of(&lines), 0);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_topic_that_would_lose_state_is_refused_until_it_is_set_right() {
    let kafka = broker::shared();
    let lines = stream::day(200, 84);
    kafka.create_topic("state-unfit", PARTITIONS, &[]);
    kafka.create_topic("state-deleted", 1, &[("cleanup.policy", "compact,delete")]);
    kcat::produce(kafka.bootstrap(), "state-unfit", &lines);
    let home = home(kafka, "state-unfit").set("checkpoint.topic", "state-deleted");
    let mut daemon = home.start();
    let answer = daemon.wait_unready("cleanup.policy=compact,delete", seconds(60));
    assert!(answer.contains("state-deleted"), "{answer}");
    assert_eq!(daemon.metrics().expect("a scrape").count("latido_messages_total", &[]), 0, "nothing is read");
    kafka.set_topic("state-deleted", "cleanup.policy", "compact");
    daemon.wait_scored(Expected::of(&lines).scored(), seconds(60));
    daemon.stop();
    assert_exact(&home, kafka, "state-unfit", &lines);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_checkpoint_topic_that_has_grown_is_refused_where_state_would_be_looked_for_elsewhere() {
    let kafka = broker::shared();
    let lines = stream::day(400, 87);
    let (read, more) = lines.split_at(200);
    kafka.create_topic("state-few", PARTITIONS, &[]);
    kafka.create_topic("few-places", 2, &[("cleanup.policy", "compact")]);
    kcat::produce(kafka.bootstrap(), "state-few", read);
    let home = home(kafka, "state-few").set("checkpoint.topic", "few-places");
    let mut daemon = home.start();
    daemon.wait_scored(Expected::of(read).scored(), seconds(60));
    daemon.stop();
    kafka.grow_topic("few-places", 5);
    kcat::produce(kafka.bootstrap(), "state-few", more);
    let mut daemon = home.start();
    daemon.wait_unready("few-places has partitions=5", seconds(60));
    assert_eq!(daemon.metrics().expect("a scrape").count("latido_messages_total", &[]), 0, "nothing is read");
    daemon.stop();
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_topic_whose_oldest_records_retention_has_removed_is_read_from_its_first_and_on_from_its_state() {
    let kafka = broker::shared();
    let lines = stream::day(600, 88);
    kafka.create_topic("state-retention", 1, &[]);
    kcat::produce(kafka.bootstrap(), "state-retention", &lines[..400]);
    kafka.delete_records_before("state-retention", 0, 200);
    let home = home(kafka, "state-retention");
    let mut daemon = home.start();
    daemon.wait_scored(Expected::of(&lines[200..400]).scored(), seconds(60));
    daemon.stop();
    kcat::produce(kafka.bootstrap(), "state-retention", &lines[400..]);
    let mut daemon = home.start();
    daemon.wait_scored(Expected::of(&lines[400..]).scored(), seconds(60));
    daemon.stop();
    assert_panes(&home.checkpoint(), &Expected::of(&lines[200..]), 0);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_group_that_has_read_before_does_not_start_from_nothing_in_silence() {
    let kafka = broker::shared();
    let lines = stream::day(400, 85);
    let (read, more) = lines.split_at(200);
    kafka.create_topic("state-gone", PARTITIONS, &[]);
    kcat::produce(kafka.bootstrap(), "state-gone", read);
    let before = home(kafka, "state-gone");
    let mut daemon = before.start();
    daemon.wait_scored(Expected::of(read).scored(), seconds(60));
    daemon.stop();
    kcat::produce(kafka.bootstrap(), "state-gone", more);

    let elsewhere = home(kafka, "state-gone").set("checkpoint.topic", "state-elsewhere");
    let mut daemon = elsewhere.start();
    daemon.wait_unready("--start-empty", seconds(60));
    assert_eq!(daemon.metrics().expect("a scrape").count("latido_messages_total", &[]), 0, "nothing is read");
    daemon.stop();
    let mut daemon = elsewhere.start_with(&["--start-empty"]);
    daemon.wait_scored(Expected::of(more).scored(), seconds(60));
    daemon.stop();
}
