//! A department in trouble: an alert of it is open as soon as the daemon has read what there is.

use std::time::SystemTime;

use crate::broker::{Broker, Written};
use crate::support::daemon::{Daemon, Home};
use crate::support::seconds;

pub(crate) const TOPIC: &str = "messages";
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const CALM: &str = "¿A qué hora abren la sucursal del centro?";
const ANGRY: &str = "Es un pésimo servicio, llevo horas esperando y nadie resuelve nada. Estoy harto.";

/// An hour of a calm message every 10 s, and one of anger each second in its last 3 minutes.
pub(crate) fn in_trouble() -> (Broker, Home) {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let begun = now() - 62 * MINUTE;
    let calm = (0..360).map(|step| (begun + step * 10_000, CALM));
    let angry = (57 * 60..60 * 60).map(|second| (begun + second * 1_000, ANGRY));
    let mut all: Vec<_> = calm.chain(angry).collect();
    all.sort_unstable();
    let records: Vec<Written> = all.into_iter().map(|(event_time, text)| message(event_time, text)).collect();
    broker.write(TOPIC, &records);
    let departments: toml::Table = r#"
        [[departments]]
        id = "billing"
        expected_negative_ratio = 0.05
        expected_frustrated_ratio = 0.05
    "#
    .parse()
    .unwrap();
    let home = Home::new(&broker.servers, &[TOPIC], "alerts").set("departments", departments["departments"].clone());
    (broker, home.set("kafka.session_timeout", "3500ms").set("windows.idle_after", "1s"))
}

fn message(event_time: i64, text: &str) -> Written {
    message_of("billing", event_time, text)
}

/// A message of whatever department is called that.
pub(crate) fn message_of(department: &str, event_time: i64, text: &str) -> Written {
    let value = serde_json::json!({ "text": text, "department": department, "timestamp": event_time });
    Written { value: Some(value.to_string().into_bytes()), kafka_timestamp: event_time, ..Written::default() }
}

/// Waits until billing pages, or no longer does.
pub(crate) fn wait_for_page(daemon: &mut Daemon, what: &str, pages: bool) {
    daemon.wait_for_metrics(what, seconds(60), |samples| {
        // Absent while the backlog is read.
        let mut shown = samples.of("latido_alert_active", &[("department", "billing")]).peekable();
        shown.peek().is_some() && shown.any(|sample| sample.value > 0.0) == pages
    });
}

/// The alerts that `/api/v1/alerts` lists.
pub(crate) fn alerts(daemon: &Daemon) -> Vec<serde_json::Value> {
    let (status, body) = daemon.get("/api/v1/alerts").unwrap();
    assert_eq!(status, 200, "{body}");
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    answer["alerts"].as_array().unwrap().clone()
}

/// The wall clock in milliseconds.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}
