//! Alerts on a topic of a real Kafka: each is told once, though daemons are killed in the middle of it.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use serde_json::{Value, json};

use crate::support::broker::{self, RealKafka};
use crate::support::daemon::{Daemon, Home};
use crate::support::stream::Line;
use crate::support::{Progress, kcat, seconds, wait_for};

/// A moment of 2025, in seconds.
const BEGUN: i64 = 1_750_000_000;
const ANGRY: &str = "Es una vergüenza, me han cobrado dos veces y nadie me responde. Estoy harto de esperar";
const CALM: &str = "What time do you open on Sundays?";

/// The minutes of the story, and what billing's customers write each second of them.
const USUAL: (i64, i64) = (0, 30);
const INCIDENT: (i64, i64) = (30, 34);
const OVER: (i64, i64) = (34, 94);

fn minutes((from, until): (i64, i64)) -> Vec<Line> {
    let text = if (from, until) == INCIDENT { ANGRY } else { CALM };
    let line = |second: i64| {
        let key = format!("customer-{}", second % 400);
        let value = json!({ "text": text, "department": "billing", "timestamp": second, "customer_id": key });
        let (department, author, audience) = ("billing", "customer", "external");
        Line { key, value: value.to_string(), second, department, author, audience }
    };
    (BEGUN + 60 * from..BEGUN + 60 * until).map(line).collect()
}

/// What a topic of one partition holds for a reader that sees finished transactions only.
fn read(kafka: &RealKafka, topic: &str) -> Vec<Value> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("group.id", "nobody")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .create()
        .expect("a client");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, rdkafka::Offset::Beginning).expect("a valid offset");
    consumer.assign(&list).expect("the partition is assigned");
    let mut events = Vec::new();
    wait_for(&format!("{topic} is read to its end"), seconds(30), || match consumer.poll(seconds(1)) {
        Some(Ok(message)) => {
            assert_eq!(message.key(), Some(b"billing".as_slice()));
            events.push(serde_json::from_slice(message.payload().expect("a value")).expect("JSON"));
            Progress::NotYet(format!("{} events", events.len()))
        }
        Some(Err(KafkaError::PartitionEOF(_))) => Progress::Done(()),
        Some(Err(error)) => Progress::NotYet(error.to_string()),
        None => Progress::NotYet("nothing".to_owned()),
    });
    events
}

/// One of the two stores; its topics are named after the test, and the messages' has so many partitions.
fn home(kafka: &RealKafka, name: &str, partitions: i32, store: &str) -> Home {
    kafka.create_topic(name, partitions, &[]);
    let departments: toml::Table = "departments = [{ id = \"billing\", expected_negative_ratio = 0.05, \
                                    expected_frustrated_ratio = 0.05 }]"
        .parse()
        .expect("TOML");
    Home::new(kafka.bootstrap(), &[name], name)
        .set("departments", departments["departments"].clone())
        .set("detect.hold", "1m")
        .set("kafka.session_timeout", "6s")
        .set("alerts.topic", alerts_of(name))
        .set("checkpoint.store", store)
        .set("checkpoint.topic", format!("{name}-state"))
}

fn alerts_of(name: &str) -> String {
    format!("{name}-alerts")
}

fn alerts(daemon: &Daemon) -> Result<Vec<Value>, String> {
    let (_, body) = daemon.get("/api/v1/alerts")?;
    let shown: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
    Ok(shown["alerts"].as_array().cloned().unwrap_or_default())
}

fn wait_until_open(daemon: &mut Daemon) {
    daemon.wait_until("an alert is open", seconds(60), |daemon| {
        let alerts = alerts(daemon)?;
        if alerts.iter().any(|alert| alert["state"] == "active") { Ok(()) } else { Err(format!("{alerts:?}")) }
    });
}

/// Waits until the incident is over and nothing waits to be sent; the alerts there were.
fn wait_until_all_is_told(daemon: &mut Daemon) -> Vec<Value> {
    daemon.wait_until("the incident is over", seconds(90), |daemon| {
        let alerts = alerts(daemon)?;
        let is_over = !alerts.is_empty() && alerts.iter().all(|alert| alert["state"] == "closed");
        if is_over { Ok(()) } else { Err(format!("{alerts:?}")) }
    });
    daemon.wait_ready(seconds(60));
    daemon.wait_for_metrics("nothing waits", seconds(60), |samples| {
        samples.value("latido_buffer_items", &[("buffer", "alert_events")]) == Some(0.0)
    });
    alerts(daemon).expect("alerts")
}

/// Asserts that each of these alerts is told as opened and as closed, in that order, and that no id comes more often than `most`; one
/// id is one event.
fn assert_told(events: &[Value], alerts: &[Value], most: usize) {
    let mut by_id: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in events {
        by_id.entry(event["id"].as_str().expect("an id")).or_default().push(event);
    }
    for (id, same) in &by_id {
        assert!(same.len() <= most, "{id} comes {} times", same.len());
        assert!(same.iter().all(|event| *event == same[0]), "{id} is not the same each time: {same:?}");
    }
    let mut expected: Vec<String> = Vec::new();
    for alert in alerts {
        let id = alert["id"].as_str().expect("an id");
        assert_eq!(alert["replayed"], false, "{alert}");
        expected.extend([format!("{id}-opened-1"), format!("{id}-closed-1")]);
        let place = |what: &str| events.iter().position(|event| event["id"] == format!("{id}-{what}-1").as_str());
        assert!(place("opened") < place("closed"), "{events:#?}");
        let closed = &by_id[&*format!("{id}-closed-1")][0]["data"];
        assert_eq!(closed, alert, "told as the API shows it");
    }
    expected.sort_unstable();
    let told: Vec<&str> = by_id.keys().copied().filter(|id| !id.contains("-escalated-")).collect();
    assert_eq!(told, expected);
}

/// A daemon that is killed again and again while an incident begins, goes on and ends. Gives what is told, and the alerts.
fn kill_in_mid_incident(kafka: &RealKafka, name: &str, store: &str) -> (Vec<Value>, Vec<Value>) {
    let home = home(kafka, name, 1, store);
    kafka.create_topic(&alerts_of(name), 1, &[]);
    let bootstrap = kafka.bootstrap();
    kcat::produce(bootstrap, name, &minutes(USUAL));
    let mut daemon = home.start();
    daemon.wait_scored(1_800, seconds(60));
    daemon.wait_ready(seconds(60));
    kcat::produce(bootstrap, name, &minutes(INCIDENT));
    wait_until_open(&mut daemon);
    daemon.kill();
    // Now before it has read anything, now before anything is told, now when something is.
    let daemon = home.start();
    daemon.kill();
    let mut daemon = home.start();
    wait_until_open(&mut daemon);
    daemon.kill();
    let mut daemon = home.start();
    wait_until_open(&mut daemon);
    daemon.wait_ready(seconds(60));
    daemon.wait_until("the opening is told", seconds(60), |_| {
        let told = read(kafka, &alerts_of(name));
        if told.is_empty() { Err("nothing".to_owned()) } else { Ok(()) }
    });
    daemon.kill();
    let mut daemon = home.start();
    daemon.wait_ready(seconds(60));
    kcat::produce(bootstrap, name, &minutes(OVER));
    daemon.wait_until("some alert is over", seconds(60), |daemon| {
        let alerts = alerts(daemon)?;
        if alerts.iter().any(|alert| alert["state"] == "closed") { Ok(()) } else { Err(format!("{alerts:?}")) }
    });
    daemon.kill();
    let mut daemon = home.start();
    let alerts = wait_until_all_is_told(&mut daemon);
    daemon.stop();
    (read(kafka, &alerts_of(name)), alerts)
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn with_state_in_a_topic_a_daemon_killed_in_mid_incident_tells_each_event_exactly_once() {
    let (events, alerts) = kill_in_mid_incident(broker::shared(), "told-kafka", "kafka");
    assert_told(&events, &alerts, 1);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn with_state_in_a_directory_a_daemon_killed_in_mid_incident_tells_each_event_and_a_repeated_one_has_the_same_id() {
    let (events, alerts) = kill_in_mid_incident(broker::shared(), "told-directory", "directory");
    // It dies six times.
    assert_told(&events, &alerts, 7);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_daemon_that_was_thought_dead_in_mid_incident_tells_nothing_that_its_successor_tells() {
    let kafka = broker::shared();
    let name = "told-zombie";
    let home = home(kafka, name, 1, "kafka");
    kafka.create_topic(&alerts_of(name), 1, &[]);
    kcat::produce(kafka.bootstrap(), name, &minutes(USUAL));
    let mut frozen = home.start();
    frozen.wait_scored(1_800, seconds(60));
    frozen.wait_ready(seconds(60));
    kcat::produce(kafka.bootstrap(), name, &minutes(INCIDENT));
    wait_until_open(&mut frozen);
    frozen.freeze();
    let mut successor = home.start();
    wait_until_open(&mut successor);
    successor.wait_ready(seconds(60));
    kcat::produce(kafka.bootstrap(), name, &minutes(OVER));
    let alerts = wait_until_all_is_told(&mut successor);
    frozen.thaw();
    // It learns that it has lost its partition, and that nothing of what it had decided counts.
    frozen.wait_unready("", seconds(60));
    frozen.stop();
    successor.stop();
    assert_told(&read(kafka, &alerts_of(name)), &alerts, 1);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn the_end_of_an_alert_that_two_members_saw_apart_is_told_once_and_by_whoever_holds_all_again() {
    let kafka = broker::shared();
    let name = "told-apart";
    let home = home(kafka, name, 2, "kafka");
    kafka.create_topic(&alerts_of(name), 1, &[]);
    kcat::produce(kafka.bootstrap(), name, &minutes(USUAL));
    let mut first = home.start();
    first.wait_scored(1_800, seconds(60));
    first.wait_ready(seconds(60));
    kcat::produce(kafka.bootstrap(), name, &minutes(INCIDENT));
    wait_until_open(&mut first);
    first.wait_for_metrics("the opening is told", seconds(60), |samples| {
        samples.count("latido_alert_events_total", &[("event", "opened")]) > 0
    });
    let mut second = home.start();
    for member in [&mut first, &mut second] {
        member.wait_for_metrics("each has a part", seconds(60), |samples| {
            samples.value("latido_assigned_partitions", &[]) == Some(1.0)
                && samples.value("latido_paging_suspended", &[]) == Some(1.0)
        });
    }
    kcat::produce(kafka.bootstrap(), name, &minutes(OVER));
    for member in [&mut first, &mut second] {
        // Half an hour in which nobody judged it: each closes it for itself.
        member.wait_until("it is over", seconds(90), |member| {
            let alerts = alerts(member)?;
            let is_over = alerts.iter().all(|alert| alert["state"] == "closed");
            if is_over { Ok(()) } else { Err(format!("{alerts:?}")) }
        });
    }
    second.stop();
    first.wait_for_metrics("it holds all again", seconds(60), |samples| {
        samples.value("latido_assigned_partitions", &[]) == Some(2.0)
    });
    let alerts = wait_until_all_is_told(&mut first);
    first.stop();
    assert_told(&read(kafka, &alerts_of(name)), &alerts, 1);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_topic_that_is_missing_or_refuses_events_holds_up_no_state_and_gets_each_event_once_it_takes_them() {
    let kafka = broker::shared();
    for store in ["kafka", "directory"] {
        let name = format!("told-late-{store}");
        let home = home(kafka, &name, 1, store);
        kcat::produce(kafka.bootstrap(), &name, &minutes(USUAL));
        let mut daemon = home.start();
        daemon.wait_scored(1_800, seconds(60));
        daemon.wait_ready(seconds(60));
        kcat::produce(kafka.bootstrap(), &name, &minutes(INCIDENT));
        wait_until_open(&mut daemon);
        daemon.wait_unready("alert_events: ", seconds(60));
        daemon.wait_until("the state is saved", seconds(60), |_| {
            let saved = home.try_checkpoint().map_err(|output| format!("{output:?}"))?.next_offsets(&name);
            if saved[&0] >= 2_040 { Ok(()) } else { Err(format!("{saved:?}")) }
        });
        // Killed, it has the events still; and a topic that takes no event of theirs is no better than none.
        daemon.kill();
        kafka.create_topic(&alerts_of(&name), 1, &[("max.message.bytes", "100")]);
        let mut daemon = home.start();
        let told = daemon.wait_unready("alert_events: ", seconds(90));
        assert!(told.contains("alerts.topic"), "{told}");
        kafka.set_topic(&alerts_of(&name), "max.message.bytes", "1000000");
        daemon.wait_for_metrics("the openings are told", seconds(90), |samples| {
            samples.value("latido_buffer_items", &[("buffer", "alert_events")]) == Some(0.0)
        });
        daemon.wait_ready(seconds(60));
        kcat::produce(kafka.bootstrap(), &name, &minutes(OVER));
        let alerts = wait_until_all_is_told(&mut daemon);
        let samples = daemon.metrics().expect("a scrape");
        assert!(samples.count("latido_alert_event_failures_total", &[]) > 0);
        for event in ["opened", "closed"] {
            let told = samples.count("latido_alert_events_total", &[("event", event)]);
            assert_eq!(told, alerts.len() as u64, "{event}, {store}");
        }
        daemon.stop();
        assert_told(&read(kafka, &alerts_of(&name)), &alerts, 1);
    }
}
