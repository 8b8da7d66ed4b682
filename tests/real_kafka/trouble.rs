//! What is not there yet is waited for; what is gone is said and never skipped in silence.

use crate::exactness::scored;
use crate::support::broker::{self, Place, RealKafka};
use crate::support::daemon::{Daemon, Home};
use crate::support::stream::{self, Line};
use crate::support::{kcat, seconds};

/// What a daemon says whose saved offset is not in the log.
const REMEDY: &str = "--start-from";

fn messages(daemon: &Daemon) -> u64 {
    daemon.metrics().expect("a scrape").count("latido_messages_total", &[])
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn without_a_broker_the_daemon_tries_on_and_consumes_once_there_is_one() {
    let place = Place::new();
    let home = Home::new(&place.bootstrap(), &["later"], "later");
    let mut daemon = home.start();
    daemon.wait_unready("broker", seconds(30));
    assert_eq!(daemon.get("/healthz").expect("it answers").0, 200, "it lives, it only waits");

    let kafka = place.start();
    let lines = stream::day(200, 41);
    kafka.create_topic("later", 2, &[]);
    kcat::produce(kafka.bootstrap(), "later", &lines);
    let samples = daemon.wait_scored(scored(&lines), seconds(90));
    assert_eq!(samples.count("latido_messages_total", &[]), scored(&lines));
    daemon.wait_ready(seconds(30));
    // Said, not shouted: librdkafka itself tries again several times a second.
    let complaints = daemon.log().lines().iter().filter(|line| line.contains("no broker")).count();
    assert!((1..=2).contains(&complaints), "{complaints} lines say that there is no broker:\n{}", daemon.log().text());
    daemon.stop();
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_missing_topic_is_named_and_read_once_it_is_created() {
    let kafka = broker::shared();
    let home = Home::new(kafka.bootstrap(), &["not-yet"], "not-yet");
    let mut daemon = home.start();
    daemon.wait_unready("not-yet", seconds(30));
    daemon.wait_says("not-yet", seconds(10));

    let lines = stream::day(200, 42);
    kafka.create_topic("not-yet", 2, &[]);
    kcat::produce(kafka.bootstrap(), "not-yet", &lines);
    daemon.wait_scored(scored(&lines), seconds(90));
    daemon.wait_ready(seconds(30));
    daemon.stop();
}

/// Has a daemon read the lines of a new topic with one partition, then drain.
fn read_and_stop(kafka: &RealKafka, topic: &str, lines: &[Line]) -> Home {
    kafka.create_topic(topic, 1, &[]);
    kcat::produce(kafka.bootstrap(), topic, lines);
    let home = Home::new(kafka.bootstrap(), &[topic], topic);
    let mut daemon = home.start();
    daemon.wait_scored(scored(lines), seconds(60));
    daemon.stop();
    home
}

/// Starts on a saved offset that is not in the log: said and not reset. Then starts as told: `left` is read.
fn assert_not_reset_in_silence(home: &Home, topic: &str, left: &[Line]) {
    let saved = home.checkpoint().next_offsets(topic);
    let mut daemon = home.start();
    let answer = daemon.wait_unready(REMEDY, seconds(60));
    assert!(answer.contains(topic), "/readyz names the topic: {answer}");
    daemon.wait_says(REMEDY, seconds(10));
    assert_eq!(daemon.metrics().expect("a scrape").value("latido_ready", &[]), Some(0.0));
    assert_eq!(messages(&daemon), 0, "nothing is read");
    daemon.stop();
    assert_eq!(home.checkpoint().next_offsets(topic), saved, "the saved offset stays");

    let mut daemon = home.start_with(&[REMEDY, "earliest"]);
    daemon.wait_scored(scored(left), seconds(60));
    assert_eq!(messages(&daemon), scored(left));
    daemon.wait_ready(seconds(30));
    daemon.stop();

    // Told once, it goes on by itself from then on.
    let mut daemon = home.start();
    daemon.wait_ready(seconds(60));
    assert_eq!(messages(&daemon), 0);
    daemon.stop();
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_saved_offset_that_retention_overtook_is_not_reset_in_silence() {
    let kafka = broker::shared();
    let lines = stream::day(600, 43);
    let (read, more) = lines.split_at(300);
    let home = read_and_stop(kafka, "overtaken", read);
    kcat::produce(kafka.bootstrap(), "overtaken", more);
    kafka.delete_records_before("overtaken", 0, 540);
    assert_not_reset_in_silence(&home, "overtaken", &lines[540..]);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_saved_offset_of_a_topic_made_anew_is_not_reset_in_silence() {
    let kafka = broker::shared();
    let lines = stream::day(400, 44);
    let (read, anew) = lines.split_at(350);
    let home = read_and_stop(kafka, "made-anew", read);
    kafka.delete_topic("made-anew");
    kafka.create_topic("made-anew", 1, &[]);
    kcat::produce(kafka.bootstrap(), "made-anew", anew);
    assert_not_reset_in_silence(&home, "made-anew", anew);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn without_a_checkpoint_the_groups_offset_outside_the_log_is_not_reset_in_silence_either() {
    let kafka = broker::shared();
    let lines = stream::day(600, 45);
    let (read, more) = lines.split_at(300);
    let lost = read_and_stop(kafka, "disk-lost", read);
    drop(lost);
    kcat::produce(kafka.bootstrap(), "disk-lost", more);
    kafka.delete_records_before("disk-lost", 0, 540);
    let home = Home::new(kafka.bootstrap(), &["disk-lost"], "disk-lost");
    let mut daemon = home.start();
    daemon.wait_unready("--start-empty", seconds(60));
    assert_eq!(messages(&daemon), 0, "nothing is read");
    daemon.stop();
    let mut daemon = home.start_with(&["--start-empty"]);
    daemon.wait_unready(REMEDY, seconds(60));
    assert_eq!(messages(&daemon), 0, "nothing is read");
    daemon.stop();

    let mut daemon = home.start_with(&[REMEDY, "earliest"]);
    daemon.wait_scored(scored(&lines[540..]), seconds(60));
    assert_eq!(messages(&daemon), scored(&lines[540..]));
    daemon.stop();
}
