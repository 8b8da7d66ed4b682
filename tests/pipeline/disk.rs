//! A disk that refuses: reading and scoring go on, nothing is committed that is not saved, and saving goes on by itself.
//!
//! Whoever runs these may be root, whom permissions do not stop: a directory in the way stops everybody. Full and read-only
//! file systems are in `tests/disk_faults`.

use std::fs;
use std::path::Path;

use latido::pipeline::PipelineError;

use crate::broker::{Broker, Written};
use crate::daemon::{CALM, Daemon, TOPIC, config, message, now, panes_of, saved_offsets, saved_panes};

/// Messages a second apart, and where they belong.
fn some(from: i64, count: i64) -> (Vec<Written>, Vec<(&'static str, i64)>) {
    let one = |number: i64| {
        let event_time = from + number * 1_000;
        (message(0, "billing", event_time, CALM), ("billing", event_time))
    };
    (0..count).map(one).unzip()
}

/// A directory where the daemon writes its checkpoint before it has its name.
fn put_in_the_way(home: &Path) {
    fs::create_dir(home.join("state.latido.tmp")).unwrap();
}

fn assert_nothing_unsaved_is_committed(broker: &Broker, home: &Path) {
    let committed = broker.committed("latido-test", TOPIC, 1)[0].unwrap_or_default();
    let saved = saved_offsets(home).get(&0).copied().unwrap_or_default();
    assert!(committed <= saved, "{committed} is committed, {saved} is saved");
}

#[test]
fn while_the_disk_refuses_messages_are_counted_and_nothing_is_committed_and_saving_goes_on_by_itself() {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let home = tempfile::tempdir().unwrap();
    let (records, mut counted) = some(now() - 600_000, 100);
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(config(&broker, home.path()));
    daemon.wait_for_records(100);
    daemon.wait_until("it is saved", |_| saved_offsets(home.path()).get(&0) == Some(&100));

    put_in_the_way(home.path());
    let (more, counted_more) = some(now() - 300_000, 50);
    broker.write(TOPIC, &more);
    counted.extend(counted_more);
    daemon.wait_for_records(150);
    let before = daemon.view().stream.checkpoint_failures;
    daemon.wait_until("it tries on", |view| view.stream.checkpoint_failures > before + 2);
    daemon.wait_for_readiness("the reason is told", |status, body| {
        status == 503 && body.contains("checkpoint: cannot create ") && body.contains("state.latido.tmp")
    });
    assert_eq!(saved_offsets(home.path()), [(0, 100)].into());
    assert_nothing_unsaved_is_committed(&broker, home.path());

    fs::remove_dir(home.path().join("state.latido.tmp")).unwrap();
    daemon.wait_until("it is saved again", |_| saved_offsets(home.path()).get(&0) == Some(&150));
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(broker.committed("latido-test", TOPIC, 1), [Some(150)]);
}

#[test]
fn a_stop_whose_last_checkpoint_the_disk_refuses_is_told_as_a_failure_and_the_restart_reads_again() {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let home = tempfile::tempdir().unwrap();
    let (records, mut counted) = some(now() - 600_000, 100);
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(config(&broker, home.path()));
    daemon.wait_for_records(100);
    daemon.wait_until("it is saved", |_| saved_offsets(home.path()).get(&0) == Some(&100));
    put_in_the_way(home.path());
    let (more, counted_more) = some(now() - 300_000, 50);
    broker.write(TOPIC, &more);
    counted.extend(counted_more);
    daemon.wait_for_records(150);
    let error = daemon.stop_anyhow().unwrap_err();
    assert!(matches!(&error, PipelineError::NotSaved(_)), "{error}");
    assert!(error.to_string().contains("state.latido.tmp"), "{error}");
    assert_nothing_unsaved_is_committed(&broker, home.path());

    fs::remove_dir(home.path().join("state.latido.tmp")).unwrap();
    let again = Daemon::start(config(&broker, home.path()));
    again.wait_for_records(50);
    again.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
}

#[test]
fn a_directory_that_vanishes_under_a_daemon_is_told_and_used_again_once_it_is_back() {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let outer = tempfile::tempdir().unwrap();
    let home = outer.path().join("state");
    let (records, counted) = some(now() - 600_000, 100);
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(config(&broker, &home));
    daemon.wait_until("it is saved", |_| saved_offsets(&home).get(&0) == Some(&100));

    fs::remove_dir_all(&home).unwrap();
    broker.write(TOPIC, &some(now() - 300_000, 1).0);
    daemon.wait_for_records(101);
    daemon
        .wait_for_readiness("the reason is told", |status, body| status == 503 && body.contains("checkpoint: cannot "));
    fs::create_dir(&home).unwrap();
    daemon.wait_until("all of it is saved again", |_| saved_offsets(&home).get(&0) == Some(&101));
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(&home).values().sum::<u32>(), 101);
    assert!(panes_of(&counted).iter().all(|(pane, count)| saved_panes(&home).get(pane) == Some(count)));
}
