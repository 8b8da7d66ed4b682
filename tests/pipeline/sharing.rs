//! A daemon that holds fewer than all partitions sees a part of each department: it says so, and pages nobody.

use std::path::Path;
use std::time::Duration;

use latido::config::{Config, Span};
use latido::pipeline::{Options, Pipeline};

use crate::broker::{Broker, Written};
use crate::daemon::{ANGRY, CALM, Daemon, TOPIC, alerts_opened, config, message, now};

const MINUTE: i64 = 60_000;
const LATENESS: i64 = 30_000;
const PARTITIONS: i32 = 2;

/// Sure of what is normal.
fn watchful(broker: &Broker, home: &Path) -> Config {
    let mut config = config(broker, home);
    config.windows.lateness = Span(Duration::from_millis(LATENESS.unsigned_abs()));
    config.departments[0].expected_negative_ratio = Some(0.05);
    config.departments[0].expected_frustrated_ratio = Some(0.05);
    config
}

/// A message each second in each partition; the last ones wait for what is late.
fn minutes(from: i64, minutes: i64, text: &str) -> Vec<Written> {
    let seconds = (0..minutes * 60).map(|second| from + second * 1_000);
    seconds
        .flat_map(|at| (0..PARTITIONS).map(move |partition| (partition, at)))
        .map(|(partition, at)| message(partition, "billing", at, text))
        .collect()
}

fn wait_for_windows(daemon: &Daemon, end: i64) {
    daemon.wait_until("the windows have come that far", |view| {
        view.stream.window_end.is_some_and(|window| window.as_millis() >= end - LATENESS - 20_000)
    });
}

#[test]
fn a_member_that_leaves_a_daemon_a_part_suspends_its_paging_until_it_holds_all_again_and_readyz_names_the_remedy() {
    let broker = Broker::start(&[(TOPIC, PARTITIONS)]);
    let (home, other_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let begun = now() - 120 * MINUTE;
    broker.write(TOPIC, &minutes(begun, 5, CALM));
    let daemon = Daemon::start(watchful(&broker, home.path()));
    daemon.wait_for_records(600);
    daemon.wait_until_ready();
    assert!(!daemon.view().stream.paging_suspended);

    let options = Options { start_empty: true, ..Options::default() };
    let other = Daemon { pipeline: Pipeline::start(watchful(&broker, other_home.path()), options).unwrap() };
    for member in [&daemon, &other] {
        member.wait_until("it holds one of two partitions", |view| {
            view.stream.partitions.len() == 1 && view.stream.topic_partitions == Some(2) && view.stream.paging_suspended
        });
        member.wait_for_readiness("the remedy is named", |status, body| {
            status == 503
                && body.contains("partitions: 1 of 2 partitions are assigned here")
                && body.contains("checkpoint.store = \"kafka\"")
                && body.contains("paging: suspended: ")
        });
    }
    // All that is written now is an incident, and each sees half of it.
    let incident = begun + 5 * MINUTE;
    broker.write(TOPIC, &minutes(incident, 5, ANGRY));
    for (member, records) in [(&daemon, 900), (&other, 300)] {
        member.wait_for_records(records);
        wait_for_windows(member, incident + 5 * MINUTE);
        assert_eq!(member.view().stream.alerts.len(), 0);
    }

    other.stop();
    daemon.wait_until("it holds all partitions again", |view| view.stream.partitions.len() == 2);
    daemon.wait_for_readiness("the part is told no more", |_, body| !body.contains("partitions: "));
    let calm_again = incident + 5 * MINUTE;
    broker.write(TOPIC, &minutes(calm_again, 8, CALM));
    daemon.wait_until("windows are tested again", |view| !view.stream.paging_suspended && !view.stream.catching_up);
    daemon.wait_until_ready();
    assert_eq!(daemon.view().stream.alerts.len(), 0, "what went on meanwhile is over");
    let again = calm_again + 8 * MINUTE;
    broker.write(TOPIC, &minutes(again, 3, ANGRY));
    daemon.wait_until("an incident pages again", |view| alerts_opened(view) > 0);
    daemon.stop();
}

#[test]
fn partitions_of_a_topic_of_which_none_is_assigned_count_too() {
    const OTHER: &str = "chat";
    let broker = Broker::start(&[(TOPIC, PARTITIONS), (OTHER, 1)]);
    let (home, other_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let of_two_topics = |home: &Path| {
        let mut config = watchful(&broker, home);
        config.kafka.topics.push(OTHER.to_owned());
        config
    };
    let daemon = Daemon::start(of_two_topics(home.path()));
    daemon.wait_until("it holds both topics", |view| {
        view.stream.partitions.len() == 3 && view.stream.topic_partitions == Some(3) && !view.stream.paging_suspended
    });
    let other = Daemon::start(of_two_topics(other_home.path()));
    daemon.wait_until("one partition has gone", |view| view.stream.partitions.len() < 3);
    for member in [&daemon, &other] {
        member.wait_until("it knows of all three", |view| {
            (1..3).contains(&view.stream.partitions.len())
                && view.stream.topic_partitions == Some(3)
                && view.stream.paging_suspended
        });
    }
    let held = |member: &Daemon| member.view().stream.partitions.len();
    assert_eq!(held(&daemon) + held(&other), 3, "one of them holds none of the other topic");
    other.stop();
    daemon.stop();
}
