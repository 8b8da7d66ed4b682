//! Alerts on a topic: told in their order, whatever the broker and the daemon go through.

use std::path::Path;

use latido::config::{Config, Span};
use latido::pipeline::{Options, Pipeline};
use rdkafka::types::RDKafkaRespErr;
use serde_json::Value;

use crate::broker::{Broker, Read, Written};
use crate::daemon::{ANGRY, CALM, Daemon, TOPIC, alerts_opened, config, message, now, saved};

const ALERTS: &str = "alerts";
const MINUTE: i64 = 60_000;

/// Sure of what is normal, quick to close, and its alerts are told.
fn telling(broker: &Broker, home: &Path) -> Config {
    let mut config = config(broker, home);
    config.detect.hold = Span::from_secs(60);
    config.departments[0].expected_negative_ratio = Some(0.05);
    config.departments[0].expected_frustrated_ratio = Some(0.05);
    config.alerts.topic = Some(ALERTS.to_owned());
    config
}

/// A message of billing each second of those minutes.
fn minutes(from: i64, minutes: i64, text: &str) -> Vec<Written> {
    (0..minutes * 60).map(|second| message(0, "billing", from + second * 1_000, text)).collect()
}

/// A daemon that has read a calm half hour live; the moment after it.
fn calm(broker: &Broker, config: Config) -> (Daemon, i64) {
    let begun = now() - 180 * MINUTE;
    broker.write(TOPIC, &minutes(begun, 30, CALM));
    let daemon = Daemon::start(config);
    daemon.wait_for_records(1_800);
    daemon.wait_until_ready();
    (daemon, begun + 30 * MINUTE)
}

/// What the broker says of the alerts' topic from now on.
fn set_error(broker: &Broker, error: RDKafkaRespErr) {
    broker.order(move |cluster| cluster.topic_error(ALERTS, error).expect("a topic of the cluster"));
}

/// Waits until both signals alert: one that a next daemon opened would be of its backlog, and told otherwise.
fn wait_for_alerts(daemon: &Daemon) -> usize {
    let view = daemon.wait_until("the incident opens two alerts", |view| alerts_opened(view) == 2);
    view.stream.alerts.len()
}

fn wait_until_told(daemon: &Daemon, [opened, closed]: [usize; 2]) {
    daemon.wait_until("the events are confirmed", |view| {
        let [told_opened, _, told_closed] = view.stream.alert_events;
        told_opened >= opened as u64 && told_closed >= closed as u64
    });
}

/// Type without `io.latido.alert.` and the alert's id.
fn what(event: &Read) -> (String, String) {
    assert_eq!(event.header("content-type"), "application/cloudevents+json; charset=UTF-8");
    assert_eq!(event.key.as_deref(), Some(b"billing".as_slice()));
    let envelope = envelope(event);
    let word = envelope["type"].as_str().unwrap().trim_start_matches("io.latido.alert.").to_owned();
    assert!(envelope["id"].as_str().unwrap().starts_with(envelope["data"]["id"].as_str().unwrap()));
    (word, envelope["data"]["id"].as_str().unwrap().to_owned())
}

fn envelope(event: &Read) -> Value {
    serde_json::from_slice(event.value.as_deref().unwrap()).unwrap()
}

/// Asserts that each of so many alerts is told as opened once and closed once, in that order.
fn assert_each_told_once(events: &[Read], alerts: usize) {
    let told: Vec<(String, String)> = events.iter().map(what).collect();
    let of = |word: &str| -> Vec<&str> {
        told.iter().filter(|(what, _)| what == word).map(|(_, alert)| alert.as_str()).collect()
    };
    let (mut opened, mut closed) = (of("opened.v1"), of("closed.v1"));
    opened.sort_unstable();
    closed.sort_unstable();
    assert_eq!((opened.len(), &opened), (alerts, &closed), "{told:?}");
    opened.dedup();
    assert_eq!(opened.len(), alerts, "{told:?}");
    for alert in opened {
        let place = |word: &str| told.iter().position(|(what, of)| what == word && of == alert).unwrap();
        assert!(place("opened.v1") < place("closed.v1"), "{told:?}");
    }
}

#[test]
fn a_live_alert_is_told_on_its_topic_as_the_api_shows_it_and_again_when_it_is_over() {
    let broker = Broker::start(&[(TOPIC, 1), (ALERTS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let mut config = telling(&broker, home.path());
    // Events are not held up by it: one that waits has a checkpoint taken.
    config.checkpoint.interval = Span::from_secs(3_600);
    let (daemon, incident) = calm(&broker, config);
    broker.write(TOPIC, &minutes(incident, 8, ANGRY));
    let alerts = wait_for_alerts(&daemon);
    wait_until_told(&daemon, [alerts, 0]);
    let event = envelope(&broker.read(ALERTS, alerts)[0]);
    assert_eq!(event["source"], "/latido/latido-test");
    assert_eq!((&event["subject"], &event["time"]), (&event["data"]["department"], &event["data"]["started"]));

    broker.write(TOPIC, &minutes(incident + 8 * MINUTE, 60, CALM));
    daemon.wait_until("it is over", |view| view.stream.alerts.iter().all(|alert| alert.ended.is_some()));
    let alerts = daemon.view().stream.alerts.len();
    wait_until_told(&daemon, [alerts, alerts]);
    let events = broker.read(ALERTS, 2 * alerts);
    assert_each_told_once(&events, alerts);
    let last = envelope(events.last().unwrap());
    let url =
        format!("http://{}/api/v1/alerts/{}", daemon.pipeline.http_address(), last["data"]["id"].as_str().unwrap());
    let shown: Value = ureq::get(&url).call().unwrap().body_mut().read_json().unwrap();
    assert_eq!(last["data"], shown);
    daemon.stop();
}

#[test]
fn alerts_of_a_backlog_that_are_over_are_told_as_closed_and_replayed_and_nobody_is_paged() {
    let broker = Broker::start(&[(TOPIC, 1), (ALERTS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 180 * MINUTE;
    let story = [(0, 30, CALM), (30, 4, ANGRY), (34, 60, CALM)];
    let records = story.iter().flat_map(|(from, length, text)| minutes(begun + from * MINUTE, *length, text));
    broker.write(TOPIC, &records.collect::<Vec<_>>());
    let daemon = Daemon::start(telling(&broker, home.path()));
    daemon.wait_until_ready();
    let view = daemon.wait_until("all is known", |view| !view.stream.alerts.is_empty());
    let alerts = view.stream.alerts.len();
    wait_until_told(&daemon, [0, alerts]);
    daemon.stop();
    for event in broker.read(ALERTS, alerts) {
        assert_eq!(what(&event).0, "closed.v1");
        assert_eq!(envelope(&event)["data"]["replayed"], true);
    }
}

#[test]
fn an_alert_that_opens_while_the_topic_takes_nothing_is_told_once_it_does_and_the_pipeline_goes_on_meanwhile() {
    let broker = Broker::start(&[(TOPIC, 1), (ALERTS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let (daemon, incident) = calm(&broker, telling(&broker, home.path()));
    set_error(&broker, RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    broker.write(TOPIC, &minutes(incident, 8, ANGRY));
    let alerts = wait_for_alerts(&daemon);
    daemon.wait_for_readiness("it is told", |status, body| {
        status == 503 && body.contains("alert_events: ") && body.contains("alerts.topic")
    });
    let view = daemon.wait_until("failures are counted", |view| view.stream.alert_event_failures > 0);
    let waiting = view.stream.buffers.iter().find(|buffer| buffer.name == "alert_events").expect("a buffer");
    assert!(waiting.items >= alerts && waiting.bytes > 0, "{waiting:?}");
    // Messages are counted, and checkpoints saved.
    broker.write(TOPIC, &minutes(incident + 8 * MINUTE, 1, ANGRY));
    daemon.wait_for_records(1_800 + 540);
    daemon.wait_until("it is saved", |_| saved(home.path()).partitions[0].next_offset.0 == 2_340);

    set_error(&broker, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
    let alerts = daemon.view().stream.alerts.len();
    wait_until_told(&daemon, [alerts, 0]);
    daemon.wait_until_ready();
    daemon.stop();
    let ids: Vec<Value> = broker.read(ALERTS, alerts).iter().map(|event| envelope(event)["id"].clone()).collect();
    assert_eq!(ids.len(), alerts, "each once: {ids:?}");
}

#[test]
fn an_alert_that_opens_while_the_broker_is_down_is_told_once_when_it_is_back() {
    let broker = Broker::start(&[(TOPIC, 1), (ALERTS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let (daemon, incident) = calm(&broker, telling(&broker, home.path()));
    // The topic goes first: what is read before the broker goes too must open the alert.
    set_error(&broker, RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    broker.write(TOPIC, &minutes(incident, 8, ANGRY));
    let alerts = wait_for_alerts(&daemon);
    broker.down();
    daemon.wait_for_readiness("the broker is missed", |status, body| status == 503 && body.contains("kafka: "));
    assert_eq!(daemon.view().stream.alert_events, [0; 3]);
    set_error(&broker, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
    broker.up();
    wait_until_told(&daemon, [alerts, 0]);
    daemon.stop();
    let mut ids: Vec<String> =
        broker.read(ALERTS, alerts).iter().map(|event| envelope(event)["id"].to_string()).collect();
    ids.dedup();
    assert_eq!(ids.len(), alerts);
}

#[test]
fn a_stop_while_events_wait_ends_in_time_and_the_next_daemon_sends_them() {
    let broker = Broker::start(&[(TOPIC, 1), (ALERTS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let mut config = telling(&broker, home.path());
    config.pipeline.drain_timeout = Span::from_secs(2);
    let (daemon, incident) = calm(&broker, config.clone());
    set_error(&broker, RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    broker.write(TOPIC, &minutes(incident, 8, ANGRY));
    wait_for_alerts(&daemon);
    daemon.wait_until("the refusal is known", |view| view.stream.alert_event_failures > 0);
    daemon.stop();
    let waiting = saved(home.path()).outbox;
    assert!(waiting.waiting().len() > 0, "what was not sent is in the checkpoint");
    let opened = waiting.waiting().len();

    set_error(&broker, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
    let daemon = Daemon { pipeline: Pipeline::start(config, Options::default()).unwrap() };
    daemon.wait_until("they are sent", |view| view.stream.alert_events.iter().sum::<u64>() >= opened as u64);
    broker.write(TOPIC, &minutes(incident + 8 * MINUTE, 60, CALM));
    daemon.wait_until("it is over", |view| view.stream.alerts.iter().all(|alert| alert.ended.is_some()));
    let alerts = daemon.view().stream.alerts.len();
    daemon.wait_until("and told", |view| view.stream.alert_events[2] >= alerts as u64);
    daemon.stop();
    let escalated = |event: &&Read| what(event).0 == "escalated.v1";
    let events = broker.read(ALERTS, 2 * alerts);
    let told: Vec<Read> = events.iter().filter(|event| !escalated(event)).cloned().collect();
    assert_each_told_once(&told, alerts);
    assert_eq!(saved(home.path()).outbox.waiting().len(), 0);
}

#[test]
fn what_is_not_saved_is_not_told_and_a_daemon_that_reads_it_again_tells_it_once() {
    for is_restarted in [false, true] {
        let broker = Broker::start(&[(TOPIC, 1), (ALERTS, 1)]);
        let home = tempfile::tempdir().unwrap();
        let (mut daemon, incident) = calm(&broker, telling(&broker, home.path()));
        // Where the daemon writes its checkpoint before it has its name.
        let in_the_way = home.path().join("state.latido.tmp");
        daemon.wait_until("it is in the way", |_| std::fs::create_dir(&in_the_way).is_ok());
        broker.write(TOPIC, &minutes(incident, 8, ANGRY));
        let alerts = wait_for_alerts(&daemon);
        let before = daemon.view().stream.checkpoint_failures;
        let view = daemon.wait_until("it tries on", |view| view.stream.checkpoint_failures > before + 2);
        let waiting = view.stream.buffers.iter().find(|buffer| buffer.name == "alert_events").expect("a buffer");
        assert!(waiting.items >= alerts, "{waiting:?}");
        assert_eq!((view.stream.alert_events, broker.read(ALERTS, 0).len()), ([0; 3], 0));

        if is_restarted {
            daemon.stop_anyhow().expect_err("the last checkpoint is not saved");
            std::fs::remove_dir(&in_the_way).unwrap();
            daemon = Daemon::start(telling(&broker, home.path()));
        } else {
            std::fs::remove_dir(&in_the_way).unwrap();
        }
        wait_until_told(&daemon, [alerts, 0]);
        let opened = broker.read(ALERTS, alerts);
        assert!(opened.iter().all(|event| what(event).0 == "opened.v1"));
        broker.write(TOPIC, &minutes(incident + 8 * MINUTE, 60, CALM));
        daemon.wait_until("it is over", |view| {
            !view.stream.alerts.is_empty() && view.stream.alerts.iter().all(|alert| alert.ended.is_some())
        });
        let alerts = daemon.view().stream.alerts.len();
        daemon.wait_until("and told", |view| view.stream.alert_events[2] >= alerts as u64);
        daemon.stop();
        assert_each_told_once(&broker.read(ALERTS, 2 * alerts), alerts);
    }
}
