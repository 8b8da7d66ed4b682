//! What a stop, a crash and a second daemon do to the counts: nothing.

use std::fs;
use std::path::Path;

use latido::checkpoint::DirectoryError;
use latido::pipeline::{Options, Pipeline, PipelineError};

use crate::broker::{Broker, Written};
use crate::daemon::{CALM, Daemon, TOPIC, accounted, config, message, now, panes_of, saved_offsets, saved_panes};

/// Messages of two departments over two partitions, and where they belong.
fn some(from: i64, count: i32) -> (Vec<Written>, Vec<(&'static str, i64)>) {
    let one = |number: i32| {
        let department = if number % 2 == 0 { "billing" } else { "delivery" };
        let event_time = from + i64::from(number) * 37;
        (message((number / 2) % 2, department, event_time, CALM), (department, event_time))
    };
    (0..count).map(one).unzip()
}

#[test]
fn a_restart_goes_on_where_the_checkpoint_ends_whatever_the_group_says_and_no_second_daemon_gets_in() {
    let broker = Broker::start(&[(TOPIC, 2)]);
    let home = tempfile::tempdir().unwrap();
    let (records, mut counted) = some(now() - 300_000, 1_000);
    broker.write(TOPIC, &records);
    let first = Daemon::start(config(&broker, home.path()));
    first.wait_for_records(1_000);

    let refused = Pipeline::start(config(&broker, home.path()), Options::default()).unwrap_err();
    assert!(matches!(refused, PipelineError::Directory(DirectoryError::Locked { .. })), "{refused}");
    assert!(refused.to_string().contains("in use by another latido"), "{refused}");
    first.stop();
    // For tools that watch the group's lag: what the checkpoint covers is committed before the daemon is gone.
    assert_eq!(broker.committed("latido-test", TOPIC, 2), [Some(500), Some(500)]);

    let (more, counted_more) = some(now() - 150_000, 600);
    broker.write(TOPIC, &more);
    counted.extend(counted_more);
    // A group that has committed nothing: by its word everything would be read again.
    let mut again = config(&broker, home.path());
    again.kafka.group = "a-group-without-offsets".to_owned();
    let second = Daemon::start(again);
    second.wait_for_records(600);
    second.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(saved_offsets(home.path()), [(0, 800), (1, 800)].into());
}

#[test]
fn a_daemon_that_dies_between_two_checkpoints_loses_none_and_repeats_none() {
    let broker = Broker::start(&[(TOPIC, 2)]);
    let (home, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (records, mut counted) = some(now() - 300_000, 2_000);
    broker.write(TOPIC, &records[..1_200]);
    let first = Daemon::start(config(&broker, home.path()));
    first.wait_for_records(1_200);
    first.wait_until("a checkpoint is saved", |_| saved_offsets(home.path()).values().sum::<i64>() == 1_200);
    // What the disk holds now is what a kill -9 a moment later would leave: the records to come are folded, not saved.
    copy(home.path(), crashed.path());
    broker.write(TOPIC, &records[1_200..]);
    first.wait_for_records(2_000);
    first.stop();

    let (more, counted_more) = some(now() - 100_000, 100);
    broker.write(TOPIC, &more);
    counted.extend(counted_more);
    // It had committed more than the older checkpoint holds: the checkpoint goes before the group here too.
    let second = Daemon::start(config(&broker, crashed.path()));
    second.wait_for_records(800 + 100);
    second.stop();
    assert_eq!(saved_panes(crashed.path()), panes_of(&counted));
}

/// Copies the checkpoints, not the lock. The daemon may be saving: what it removes meanwhile was not the newest.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        if name.to_string_lossy().ends_with(".latido") {
            fs::copy(from.join(&name), to.join(&name)).unwrap_or_default();
        }
    }
}

#[test]
fn where_the_group_has_read_and_the_checkpoint_is_gone_nothing_is_read_until_an_operator_says_so() {
    let broker = Broker::start(&[(TOPIC, 2)]);
    let (home, new_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (records, _) = some(now() - 300_000, 400);
    broker.write(TOPIC, &records);
    let first = Daemon::start(config(&broker, home.path()));
    first.wait_for_records(400);
    first.stop();
    assert_eq!(broker.committed("latido-test", TOPIC, 2), [Some(200), Some(200)]);

    let (more, counted) = some(now() - 100_000, 60);
    broker.write(TOPIC, &more);
    for _ in 0..2 {
        let stateless = Daemon::start(config(&broker, new_home.path()));
        stateless.wait_for_readiness("the missing checkpoint is told", |status, body| {
            status == 503 && body.contains("no_checkpoint: ") && body.contains("--start-empty")
        });
        // Long enough to read all of it, were it read: the consumer knows where the partitions end.
        stateless.wait_until("the ends are known", |view| view.stream.topic_partitions == Some(2));
        assert_eq!(accounted(&stateless.view()), 0);
        stateless.stop();
        assert_eq!(saved_offsets(new_home.path()), [].into(), "and the next start finds no position either");
    }

    let options = Options { start_empty: true, ..Options::default() };
    let told = Daemon { pipeline: Pipeline::start(config(&broker, new_home.path()), options).unwrap() };
    told.wait_for_records(60);
    told.stop();
    assert_eq!(saved_panes(new_home.path()), panes_of(&counted));
    Daemon::start(config(&broker, new_home.path())).stop();
}
