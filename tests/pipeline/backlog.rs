//! A backlog is read within limits, and its old alerts page nobody.

use latido::config::{Config, Span};
use latido::ingest::Batch;
use latido::publish::View;

use crate::broker::{Broker, Written};
use crate::daemon::{ANGRY, CALM, Daemon, TOPIC, alerts_opened, config, message, now, scored};

const MINUTE: i64 = 60_000;

#[test]
fn what_is_in_flight_stays_within_its_limit_and_all_arrives() {
    const RECORDS: i32 = 20_000;
    let broker = Broker::start(&[(TOPIC, 2)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 30 * MINUTE;
    let one = |number: i32| message(number % 2, "billing", begun + i64::from(number) * 10, CALM);
    broker.write(TOPIC, &(0..RECORDS).map(one).collect::<Vec<_>>());
    let mut config = config(&broker, home.path());
    config.pipeline.score_threads = 1;
    config.pipeline.batch_records = 64;
    config.pipeline.batch_bytes = 8 * 1024;
    config.pipeline.in_flight_bytes = 256 * 1024;
    let batch_bytes = config.pipeline.batch_bytes + config.pipeline.batch_records * Batch::RECORD_ROOM;
    let daemon = Daemon::start(config);
    let most = std::cell::Cell::new(0);
    let view = daemon.wait_until("all records are scored", |view| {
        for buffer in view.stream.buffers.iter().filter(|buffer| buffer.name == "in_flight") {
            most.set(most.get().max(buffer.bytes));
            assert!(buffer.bytes <= buffer.bytes_limit + batch_bytes, "beyond its limit: {buffer:?}");
            assert!(buffer.items <= buffer.items_limit, "beyond its limit: {buffer:?}");
        }
        scored(view) >= u64::from(RECORDS.unsigned_abs())
    });
    assert_eq!(scored(&view), u64::from(RECORDS.unsigned_abs()));
    assert!(most.get() > 32 * 1024, "there was no pressure: {} bytes at most", most.get());
    let names: Vec<&str> = view.stream.buffers.iter().map(|buffer| buffer.name).collect();
    assert_eq!(names, ["in_flight", "fetched", "closed_alerts"], "without a dead-letter topic");
    let view = daemon.wait_until("nothing is in flight", |view| view.stream.buffers[0].items == 0);
    assert_eq!(view.stream.buffers[0].bytes, 0);
    daemon.stop();
}

/// Quick to close, and sure of what is normal.
fn watchful(broker: &Broker, home: &std::path::Path) -> Config {
    let mut config = config(broker, home);
    config.detect.hold = Span::from_secs(60);
    config.departments[0].expected_negative_ratio = Some(0.05);
    config.departments[0].expected_frustrated_ratio = Some(0.05);
    config
}

/// A calm message every 10 s; in the minutes of the incident an angry one every second.
fn story(from: i64, minutes: i64, incident: std::ops::Range<i64>) -> Vec<Written> {
    let calm = (0..minutes * 6).map(|step| (from + step * 10_000, CALM));
    let angry = (incident.start * 60..incident.end * 60).map(|second| (from + second * 1_000, ANGRY));
    let mut all: Vec<_> = calm.chain(angry).collect();
    all.sort_unstable();
    all.into_iter().map(|(event_time, text)| message(0, "billing", event_time, text)).collect()
}

/// Waits until the daemon is live and its windows end where the story does.
fn wait_until_live(daemon: &Daemon, records: usize, end: i64) -> View {
    daemon.wait_for_records(records.try_into().unwrap());
    daemon.wait_until("it is live", |view| {
        !view.stream.catching_up && view.stream.window_end.is_some_and(|window| window.as_millis() >= end - MINUTE)
    })
}

/// Reads a story whose incident is over, from a topic of so many partitions.
fn read_an_old_incident(partitions: i32) -> View {
    let broker = Broker::start(&[(TOPIC, partitions)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 90 * MINUTE;
    let records = story(begun, 60, 20..25);
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(watchful(&broker, home.path()));
    let view = wait_until_live(&daemon, records.len(), begun + 60 * MINUTE);
    daemon.stop();
    view
}

fn assert_replayed(view: &View) {
    let alerts = &view.stream.alerts;
    assert!(!alerts.is_empty(), "the incident opened no alert: {view:#?}");
    assert!(alerts.iter().all(|alert| alert.replayed && alert.ended.is_some()), "{alerts:#?}");
    assert_eq!(alerts_opened(view), 0);
}

#[test]
fn an_alert_that_opened_and_closed_in_the_backlog_is_replayed_and_counts_as_none() {
    assert_replayed(&read_an_old_incident(1));
}

#[test]
fn a_partition_without_records_does_not_turn_the_backlogs_alerts_into_live_ones() {
    assert_replayed(&read_an_old_incident(2));
}

#[test]
fn an_alert_still_open_at_the_end_of_the_backlog_counts_then() {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 62 * MINUTE;
    let records = story(begun, 60, 57..60);
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(watchful(&broker, home.path()));
    let view = wait_until_live(&daemon, records.len(), begun + 60 * MINUTE);
    let alerts = &view.stream.alerts;
    assert!(!alerts.is_empty());
    assert!(alerts.iter().all(|alert| !alert.replayed && alert.ended.is_none()), "{alerts:#?}");
    assert_eq!(alerts_opened(&view), alerts.len() as u64);
    daemon.stop();
}
