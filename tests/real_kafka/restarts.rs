//! However a daemon ends, the next one goes on where it was: nothing lost, nothing twice (INV-1, INV-2).

use std::thread;
use std::time::Instant;

use crate::exactness::{assert_panes, assert_read_to_the_end, ends};
use crate::support::broker::{self, RealKafka};
use crate::support::daemon::Home;
use crate::support::stream::{self, Expected};
use crate::support::{kcat, seconds};

const PARTITIONS: i32 = 4;

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_sigterm_and_a_restart_lose_no_record_and_repeat_none() {
    let kafka = broker::shared();
    let lines = stream::day(12_000, 21);
    let (before, after) = lines.split_at(8_000);
    kafka.create_topic("sigterm", PARTITIONS, &[]);
    kcat::produce(kafka.bootstrap(), "sigterm", before);

    let home = Home::new(kafka.bootstrap(), &["sigterm"], "sigterm");
    let mut first = home.start();
    first.wait_for_metrics("the first daemon reads", seconds(60), |samples| {
        samples.count("latido_messages_total", &[]) > 0
    });
    first.stop();
    let halfway = home.checkpoint();
    let scored_first: u64 = halfway.messages_from(0).values().sum();
    assert!(scored_first > 0, "the drain saved what was scored");
    assert_eq!(kafka.committed("sigterm", "sigterm", PARTITIONS), halfway.next_offsets("sigterm"));

    kcat::produce(kafka.bootstrap(), "sigterm", after);
    let expected = Expected::of(&lines);
    let mut second = home.start();
    let samples = second.wait_scored(expected.scored() - scored_first, seconds(60));
    assert_eq!(samples.count("latido_messages_total", &[]), expected.scored() - scored_first);
    assert_eq!(samples.count("latido_late_messages_total", &[]), 0);
    second.stop();

    let checkpoint = home.checkpoint();
    assert_read_to_the_end(&checkpoint, kafka, "sigterm", PARTITIONS);
    assert_panes(&checkpoint, &expected, 0);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn after_each_kill_the_next_daemon_consumes_within_ten_seconds_and_no_window_is_off_by_one() {
    let kafka = broker::shared();
    let lines = stream::day(12_000, 22);
    let expected = Expected::of(&lines);
    kafka.create_topic("killed", PARTITIONS, &[]);
    let producer = thread::spawn({
        let lines = lines.clone();
        move || kcat::produce_paced(kafka.bootstrap(), "killed", &lines, 600)
    });

    // Whoever waited for the dead member's session to end would wait for half a minute.
    let home = Home::new(kafka.bootstrap(), &["killed"], "killed").set("kafka.session_timeout", "30s");
    let mut daemon = home.start();
    for scored in [1_500, 400, 900] {
        daemon.wait_for_metrics("the daemon is in the middle of its work", seconds(60), |samples| {
            samples.count("latido_messages_total", &[]) >= scored
        });
        let killed_at = Instant::now();
        daemon.kill();
        assert_committed_is_covered(kafka, &home, "killed");
        daemon = home.start();
        let listening = killed_at.elapsed();
        daemon.wait_for_metrics("the next daemon consumes", seconds(30), |samples| {
            samples.count("latido_messages_total", &[]) > 0
        });
        // How long an unoptimised build takes to unpack its model on a busy machine is nobody's promise.
        let joining = killed_at.elapsed() - listening;
        assert!(joining <= seconds(10), "it listened {listening:?} after the kill, and took {joining:?} to consume");
    }

    producer.join().expect("kcat took every line");
    let wanted = ends(kafka, "killed", PARTITIONS);
    daemon.wait_until("the checkpoint covers the topic", seconds(60), |_| {
        let saved = home.checkpoint().next_offsets("killed");
        if saved == wanted { Ok(()) } else { Err(format!("{saved:?} of {wanted:?}")) }
    });
    assert_committed_is_covered(kafka, &home, "killed");
    daemon.stop();
    let checkpoint = home.checkpoint();
    assert_read_to_the_end(&checkpoint, kafka, "killed", PARTITIONS);
    assert_panes(&checkpoint, &expected, 0);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn the_group_never_commits_what_no_checkpoint_covers() {
    let kafka = broker::shared();
    let lines = stream::day(6_000, 23);
    kafka.create_topic("covered", PARTITIONS, &[]);
    let producer = thread::spawn({
        let lines = lines.clone();
        move || kcat::produce_paced(kafka.bootstrap(), "covered", &lines, 1_000)
    });
    let home = Home::new(kafka.bootstrap(), &["covered"], "covered");
    let mut daemon = home.start();
    let mut seen_commits = 0_usize;
    let wanted = Expected::of(&lines).scored();
    daemon.wait_until("everything is scored and committed", seconds(60), |daemon| {
        let committed = assert_committed_is_covered(kafka, &home, "covered");
        seen_commits += usize::from(committed > 0);
        let scored = daemon.metrics()?.count("latido_messages_total", &[]);
        if scored == wanted && committed == 6_000 {
            Ok(())
        } else {
            Err(format!("{scored} scored, {committed} committed"))
        }
    });
    assert!(seen_commits > 1, "commits were seen while it worked");
    producer.join().expect("kcat took every line");
    daemon.stop();
}

/// Holds what the group has committed to what the checkpoint covers; the sum of the committed offsets.
fn assert_committed_is_covered(kafka: &RealKafka, home: &Home, topic: &str) -> i64 {
    // In this order: the checkpoint may go on in between, the commits looked at may not.
    let committed = kafka.committed(topic, topic, PARTITIONS);
    if committed.is_empty() {
        return 0;
    }
    let saved = home.checkpoint().next_offsets(topic);
    for (partition, offset) in &committed {
        let covered = saved.get(partition).copied().unwrap_or_default();
        assert!(*offset <= covered, "{topic}[{partition}]: {offset} is committed, {covered} is saved");
    }
    committed.values().sum()
}
