//! How far event time is taken for complete, over real partitions.

use std::path::Path;

use latido::checkpoint;
use latido::config::Span;
use latido::message::{EventTime, RejectReason};

use crate::broker::{Broker, Written};
use crate::daemon::{
    CALM, Daemon, TOPIC, accounted, config, late, message, now, panes_of, rejected, saved_panes, scored,
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// `windows.lateness`.
const LATENESS: i64 = 30 * SECOND;

#[test]
fn four_partitions_of_three_days_written_one_after_the_other_give_no_late_message_and_do_not_stall() {
    const PARTITIONS: i32 = 4;
    let broker = Broker::start(&[(TOPIC, PARTITIONS)]);
    let home = tempfile::tempdir().unwrap();
    let (begun, every) = (now() - 72 * HOUR, 5 * MINUTE);
    let records: Vec<Written> = (0..PARTITIONS)
        .flat_map(|partition| {
            let steps = 0..72 * HOUR / every;
            steps.map(move |step| message(partition, "billing", begun + step * every, CALM))
        })
        .collect();
    broker.write(TOPIC, &records);
    let mut config = config(&broker, home.path());
    // Little may be on its way past a pause: a few hours of event time.
    config.pipeline.batch_records = 8;
    config.pipeline.batch_bytes = 1024;
    config.pipeline.in_flight_bytes = 4 * 1024;
    config.windows.alignment = Span::from_secs(6 * 3_600);
    let daemon = Daemon::start(config);
    let all = u64::try_from(records.len()).unwrap();
    let view = daemon.wait_until("all are accounted for", |view| {
        let apart = hours_apart(home.path());
        assert!(apart <= 18, "the partitions are {apart} hours apart: none was paused");
        accounted(view) >= all
    });
    assert_eq!((late(&view), scored(&view)), (0, all));
    let newest = begun + 72 * HOUR - every;
    daemon.wait_until("stream time reaches the newest message", |view| {
        view.stream.watermark.is_some_and(|watermark| watermark.as_millis() >= newest - LATENESS)
    });
    daemon.stop();
}

/// How far the partitions of the newest checkpoint are apart, in hours of event time.
fn hours_apart(home: &Path) -> i64 {
    let Some(saved) = checkpoint::read(home).expect("a readable checkpoint").snapshot else { return 0 };
    let newest = || saved.partitions.iter().filter_map(|position| position.frontier).map(EventTime::as_millis);
    newest().max().zip(newest().min()).map_or(0, |(most, least)| (most - least) / HOUR)
}

#[test]
fn a_record_dated_in_the_future_is_rejected_and_closes_no_window() {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 10 * MINUTE;
    let mut ahead = message(0, "billing", now() + 20 * MINUTE, CALM);
    ahead.kafka_timestamp = now();
    broker.write(TOPIC, &[message(0, "billing", begun, CALM), ahead, message(0, "billing", begun + SECOND, CALM)]);
    let daemon = Daemon::start(config(&broker, home.path()));
    let view = daemon.wait_for_records(3);
    assert_eq!(rejected(&view, RejectReason::Future), 1);
    let view = daemon.wait_until("stream time is known", |view| view.stream.watermark.is_some());
    let watermark = view.stream.watermark.unwrap().as_millis();
    assert!(watermark < begun + 5 * MINUTE, "stream time ran {} ms ahead", watermark - begun);
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&[("billing", begun), ("billing", begun + SECOND)]));
}

#[test]
fn in_a_backlog_a_record_dated_ahead_of_its_arrival_counts_and_closes_no_window_early() {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 30 * HOUR;
    // The clock has long passed what was the future when the record arrived: its Kafka timestamp alone tells.
    let ahead = |event_time| Written { kafka_timestamp: begun, ..message(0, "billing", event_time, CALM) };
    let records = [
        message(0, "billing", begun, CALM),
        ahead(begun + 4 * MINUTE),
        ahead(begun + 29 * HOUR),
        message(0, "billing", begun + SECOND, CALM),
    ];
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(config(&broker, home.path()));
    daemon.wait_for_records(4);
    let view = daemon.wait_until("stream time is known", |view| view.stream.watermark.is_some());
    let watermark = view.stream.watermark.unwrap().as_millis();
    assert!(watermark < begun + 2 * MINUTE, "stream time ran {} ms ahead", watermark - begun);
    assert_eq!((late(&view), scored(&view) + rejected(&view, RejectReason::Future)), (0, 4));
    daemon.stop();
}

#[test]
fn an_idle_partition_does_not_hold_stream_time_and_a_silent_stream_goes_on_by_elapsed_time() {
    let broker = Broker::start(&[(TOPIC, 2)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 2 * HOUR;
    let records: Vec<Written> = (0..60).map(|step| message(0, "billing", begun + step * SECOND, CALM)).collect();
    let started = now();
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(config(&broker, home.path()));
    let complete = begun + 59 * SECOND - LATENESS;
    let reaches = |moment: i64| {
        let view = daemon.wait_until("stream time goes on", |view| {
            view.stream.watermark.is_some_and(|watermark| watermark.as_millis() >= moment)
        });
        view.stream.watermark.unwrap().as_millis()
    };
    let first = reaches(complete);
    let second = reaches(first + 3 * SECOND);
    assert!(second <= complete + (now() - started), "it goes on by the time elapsed, never to the wall clock");
    daemon.stop();
}
