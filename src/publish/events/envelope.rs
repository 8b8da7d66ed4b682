//! An event as a CloudEvent.

use serde_json::json;

use super::Happened;
use crate::detect::Alert;
use crate::message::EventTime;
use crate::publish::http::AlertItem;

/// What happened to an alert, as a structured-mode CloudEvents 1.0 envelope in JSON. Its `data` is what `/api/v1/alerts/{id}` shows.
///
/// `id` depends on the alert alone, so that the same event has the same id whenever it is told again: after a crash, by another
/// daemon of the group, or in a replay. `time` is event time.
#[must_use]
pub fn envelope(source: &str, happened: Happened, alert: &Alert) -> String {
    let (number, time) = match happened {
        Happened::Opened => (1, alert.started),
        Happened::Escalated => (alert.escalations, alert.escalated.unwrap_or(alert.started)),
        Happened::Closed => (1, alert.ended.unwrap_or(alert.started)),
    };
    let envelope = json!({
        "specversion": "1.0",
        "id": format!("{}-{}-{number}", alert.id, happened.as_str()),
        "source": source,
        "type": happened.event_type(),
        "subject": alert.department,
        "time": EventTime::to_rfc3339(time),
        "datacontenttype": "application/json",
        "data": AlertItem::from(alert),
    });
    envelope.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::config::{AlertsConfig, KafkaConfig};
    use crate::detect::{AlertKind, Handling, Severity};
    use crate::message::Signal;
    use crate::voices::{SignalFound, Summary};

    fn alert() -> Alert {
        Alert {
            id: "billing-frustration-1750000020000".to_owned(),
            department: "billing".to_owned(),
            kind: AlertKind::Frustration,
            severity: Severity::Page,
            started: EventTime::from_millis(1_750_000_020_000),
            since: EventTime::from_millis(1_749_999_800_000),
            ended: None,
            window_seconds: 900,
            messages: 40,
            observed: 0.75,
            expected: 0.25,
            p_value: 1e-9,
            recurrence: 0.0625,
            replayed: false,
            escalations: 0,
            escalated: None,
            departments: Vec::new(),
            details: Summary {
                customers: Some(23),
                signals: vec![SignalFound { signal: Signal::Outage, messages: 12, times_usual: Some(8.5) }],
                samples: vec!["m-17".to_owned(), "messages/0/4711".to_owned()],
            },
            handling: Handling { paged: true, ..Handling::default() },
        }
    }

    fn told(happened: Happened, alert: &Alert) -> Value {
        serde_json::from_str(&envelope("/latido/test", happened, alert)).unwrap()
    }

    #[test]
    fn an_event_is_a_structured_cloud_event_around_what_the_api_shows_of_the_alert() {
        let told = told(Happened::Opened, &alert());
        assert_eq!(told["data"], serde_json::to_value(AlertItem::from(&alert())).unwrap());
        let mut attributes = told;
        attributes.as_object_mut().unwrap().remove("data");
        let expected = json!({
            "specversion": "1.0",
            "id": "billing-frustration-1750000020000-opened-1",
            "source": "/latido/test",
            "type": "io.latido.alert.opened.v1",
            "subject": "billing",
            "time": "2025-06-15T15:07:00Z",
            "datacontenttype": "application/json",
        });
        assert_eq!(attributes, expected);
    }

    #[test]
    fn the_example_in_the_docs_is_what_is_sent() {
        let docs = include_str!("../../../docs/alert-events.md");
        let (_, rest) = docs.split_once("```json").unwrap();
        let example: Value = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
        let source = AlertsConfig::default().source_of(&KafkaConfig::default().group);
        let sent: Value = serde_json::from_str(&envelope(&source, Happened::Opened, &alert())).unwrap();
        assert_eq!(example, sent);
    }

    #[test]
    fn an_id_depends_on_the_alert_what_happened_and_how_often_it_had_and_on_nothing_else() {
        let worse = Alert {
            escalations: 2,
            escalated: Some(EventTime::from_millis(1_750_003_620_000)),
            recurrence: 1e-9,
            ..alert()
        };
        let closed = Alert { ended: Some(EventTime::from_millis(1_750_007_220_000)), replayed: true, ..worse.clone() };
        for (happened, alert, id, time) in [
            (Happened::Opened, &worse, "opened-1", "2025-06-15T15:07:00Z"),
            (Happened::Escalated, &worse, "escalated-2", "2025-06-15T16:07:00Z"),
            (Happened::Closed, &closed, "closed-1", "2025-06-15T17:07:00Z"),
        ] {
            let told = told(happened, alert);
            assert_eq!(told["id"], format!("billing-frustration-1750000020000-{id}"));
            assert_eq!(told["time"], time);
            assert_eq!(told["type"], happened.event_type());
        }
    }
}
