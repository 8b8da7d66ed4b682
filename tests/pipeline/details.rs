//! What an alert tells of who wrote, through the whole daemon.

use std::fs;
use std::path::Path;

use latido::config::{Config, Span};
use latido::detect::{Alert, AlertKind};
use latido::message::Signal;
use latido::publish::View;

use crate::broker::{Broker, Written};
use crate::daemon::{ANGRY, CALM, Daemon, TOPIC, config, now, saved, saved_offsets};

const MINUTE: i64 = 60_000;
const CUSTOMERS: i64 = 40;

/// Sure of what is normal.
fn watchful(broker: &Broker, home: &Path) -> Config {
    let mut config = config(broker, home);
    config.departments[0].expected_negative_ratio = Some(0.05);
    config.departments[0].expected_frustrated_ratio = Some(0.05);
    // Stream time goes on by the clock while nobody writes: no message may be late because a restart took its time.
    config.windows.lateness = Span::from_secs(300);
    config
}

/// A message each second for some minutes, of so many customers in turn, each with an id.
fn minutes(from: i64, minutes: i64, text: &str) -> Vec<Written> {
    let seconds = (0..minutes * 60).map(|second| from + second * 1_000);
    let written = seconds.map(|at| {
        let value = serde_json::json!({
            "id": format!("m-{at}"), "customer_id": format!("customer {}", at / 1_000 % CUSTOMERS), "text": text,
            "department": "billing", "timestamp": at,
        });
        let value = Some(value.to_string().into_bytes());
        Written { partition: 0, value, kafka_timestamp: at, ..Written::default() }
    });
    written.collect()
}

fn negative(view: &View) -> Option<Alert> {
    view.stream.alerts.iter().find(|alert| alert.kind == AlertKind::NegativeSentiment).cloned()
}

/// Reads an incident of which the second half comes after a restart, if any; what its alert tells at the end.
fn incident(broker: &Broker, begun: i64, is_killed: bool) -> Alert {
    let mut home = tempfile::tempdir().unwrap();
    broker.write(TOPIC, &minutes(begun, 30, CALM));
    let mut daemon = Daemon::start(watchful(broker, home.path()));
    daemon.wait_for_records(1_800);
    daemon.wait_until_ready();
    broker.write(TOPIC, &minutes(begun + 30 * MINUTE, 10, ANGRY));
    daemon.wait_until("the incident is found", |view| negative(view).is_some());
    daemon.wait_until("all of it is saved", |_| saved_offsets(home.path()).get(&0) == Some(&2_400));
    if is_killed {
        let left = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(home.path()).unwrap() {
            let name = entry.unwrap().file_name();
            if name != "lock" {
                fs::copy(home.path().join(&name), left.path().join(&name)).unwrap_or_default();
            }
        }
        daemon.stop();
        home = left;
        daemon = Daemon::start(watchful(broker, home.path()));
        daemon.wait_until_ready();
        assert!(negative(&daemon.view()).is_some_and(|alert| alert.ended.is_none()), "it goes on");
    }
    broker.write(TOPIC, &minutes(begun + 40 * MINUTE, 5, ANGRY));
    broker.write(TOPIC, &minutes(begun + 45 * MINUTE, 60, CALM));
    let view = daemon.wait_until("it is over", |view| negative(view).is_some_and(|alert| alert.ended.is_some()));
    daemon.wait_until("its end is saved", |_| saved(home.path()).alerts.iter().any(|alert| alert.ended.is_some()));
    let bytes = saved_bytes(home.path());
    for customer in 0..CUSTOMERS {
        let id = format!("customer {customer}");
        assert!(!bytes.windows(id.len()).any(|window| window == id.as_bytes()), "who wrote is not kept");
    }
    daemon.stop();
    negative(&view).unwrap()
}

/// All that the newest checkpoint holds, unpacked.
fn saved_bytes(directory: &Path) -> Vec<u8> {
    format!("{:?}", saved(directory)).into_bytes()
}

#[test]
fn an_alert_tells_customers_signals_and_samples_and_the_same_after_a_kill_in_mid_incident() {
    let begun = (now() - 120 * MINUTE).div_euclid(5 * MINUTE) * 5 * MINUTE;
    let [undisturbed, killed] =
        [false, true].map(|is_killed| incident(&Broker::start(&[(TOPIC, 1)]), begun, is_killed));
    let details = &undisturbed.details;
    assert_eq!(details.customers, Some(CUSTOMERS.unsigned_abs()), "of 900 messages");
    assert!(details.signals.iter().any(|found| found.signal == Signal::Waiting), "{details:?}");
    assert_eq!(details.samples.len(), 3);
    for id in &details.samples {
        let at: i64 = id.strip_prefix("m-").unwrap().parse().unwrap();
        assert!((30..45).contains(&((at - begun) / MINUTE)), "of the incident: {id}");
    }
    assert_eq!(killed, undisturbed);
}
