//! A topic of garbage is left where it is, and read again once it is worth reading.

use latido::config::{Config, Span};
use latido::publish::View;
use latido::publish::http::COMMAND_HEADER;

use crate::broker::{Broker, Written};
use crate::daemon::{
    CALM, Daemon, LETTERS, TOPIC, accounted, config, message, now, panes_of, saved_offsets, saved_panes,
};

/// Stops reading once half of the last 200 records are garbage, in batches of 50.
fn wary(broker: &Broker, home: &std::path::Path, retry_after: Span) -> Config {
    let mut config = config(broker, home);
    config.kafka.dead_letter_topic = Some(LETTERS.to_owned());
    config.breaker.records = 200;
    config.breaker.min_records = 100;
    config.breaker.retry_after = retry_after;
    config.pipeline.batch_records = 50;
    config
}

fn garbage(count: usize) -> Vec<Written> {
    let record = Written { value: Some(b"no JSON at all".to_vec()), kafka_timestamp: now(), ..Written::default() };
    vec![record; count]
}

/// Good messages, and where they belong.
fn good(from: i64, count: i64) -> (Vec<Written>, Vec<(&'static str, i64)>) {
    let one = |number: i64| (message(0, "billing", from + number * 50, CALM), ("billing", from + number * 50));
    (0..count).map(one).unzip()
}

fn refused(view: &View) -> u64 {
    view.stream.rejected.iter().sum()
}

fn wait_until_stopped(daemon: &Daemon) {
    daemon.wait_for_readiness("reading has stopped", |status, body| {
        status == 503 && body.contains("garbage: ") && body.contains("topic messages") && body.contains("latido resume")
    });
    daemon.wait_until("the metric says so", |view| view.stream.breaker_open);
}

/// What an operator's command sends.
fn resume(daemon: &Daemon, records: u64) {
    let url = format!("http://{}/api/v1/resume?records={records}", daemon.pipeline.http_address());
    let answer = ureq::post(&url).header(COMMAND_HEADER, "resume").send_empty().expect("the daemon takes the word");
    assert_eq!(answer.status(), 200);
}

#[test]
fn reading_stops_at_garbage_keeps_the_backlog_and_goes_on_with_all_of_it_at_an_operators_word() {
    let broker = Broker::start(&[(TOPIC, 1), (LETTERS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 300_000;
    let (first, mut counted) = good(begun, 150);
    let (last, more) = good(begun + 10_000, 80);
    counted.extend(more);
    broker.write(TOPIC, &first);
    broker.write(TOPIC, &garbage(1_000));
    broker.write(TOPIC, &last);

    let daemon = Daemon::start(wary(&broker, home.path(), Span::from_secs(3_600)));
    wait_until_stopped(&daemon);
    let taken = refused(&daemon.view());
    assert!((50..=150).contains(&taken), "{taken} unusable records were taken before it stopped");
    daemon.wait_until("what was taken is saved", |_| {
        saved_offsets(home.path()) == [(0, 150 + i64::try_from(taken).unwrap())].into()
    });

    // Tried again, it stops again before it takes any.
    resume(&daemon, 0);
    let stopped = daemon.wait_until("it tries and stops again", |view| view.stream.breaker_openings == 2);
    assert!(stopped.stream.breaker_open);
    wait_until_stopped(&daemon);
    assert_eq!(refused(&daemon.view()), taken);

    resume(&daemon, 1_000 - taken);
    daemon.wait_for_records(150 + 1_000 + 80);
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(broker.read(LETTERS, 1_000).len(), 1_000, "each unusable record once");
}

#[test]
fn once_the_producer_is_mended_reading_goes_on_by_itself_and_loses_nothing() {
    let broker = Broker::start(&[(TOPIC, 1), (LETTERS, 1)]);
    let home = tempfile::tempdir().unwrap();
    broker.write(TOPIC, &garbage(120));
    let daemon = Daemon::start(wary(&broker, home.path(), Span::from_secs(1)));
    wait_until_stopped(&daemon);
    let taken = refused(&daemon.view());
    assert!(taken < 120, "some of it is left");

    let (mended, counted) = good(now() - 100_000, 500);
    broker.write(TOPIC, &mended);
    daemon.wait_for_records(120 + 500);
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(broker.read(LETTERS, 120).len(), 120);
}

#[test]
fn a_daemon_that_starts_before_a_wall_of_garbage_stops_and_a_restart_does_not_pass_it_either() {
    let broker = Broker::start(&[(TOPIC, 1), (LETTERS, 1)]);
    let home = tempfile::tempdir().unwrap();
    broker.write(TOPIC, &garbage(600));
    let mut taken = 0;
    for _ in 0..2 {
        let daemon = Daemon::start(wary(&broker, home.path(), Span::from_secs(3_600)));
        wait_until_stopped(&daemon);
        let now_taken = accounted(&daemon.view());
        assert!(now_taken < 100, "{now_taken}");
        taken += now_taken;
        daemon.stop();
        assert_eq!(saved_offsets(home.path()), [(0, i64::try_from(taken).unwrap())].into());
    }
}
