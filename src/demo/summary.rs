//! What the demo says at its end, as one line of JSON.

use serde::Serialize;

use super::DemoError;
use super::incident::Incident;
use super::progress::{Counts, Glance};
use crate::detect::{Alert, AlertKind, Severity};
use crate::message::EventTime;

/// The demo's result. Times are RFC 3339, in event time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Records that the broker confirmed.
    pub produced: u64,
    /// What became of them.
    #[serde(flatten)]
    pub counts: Counts,
    /// What went wrong on purpose; null where the demo ended before it started.
    pub incident: Option<Episode>,
    /// Alerts that page, oldest first.
    pub alerts: Vec<Episode>,
    /// Severe messages, oldest first.
    pub tickets: Vec<Episode>,
}

/// Trouble in a department.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Episode {
    /// Id of the department.
    pub department: String,
    /// Of an alert, what it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<AlertKind>,
    /// When it started.
    pub started: String,
    /// When it ended; null while it lasts.
    pub ended: Option<String>,
}

impl Episode {
    fn of(alert: &Alert) -> Self {
        Self {
            department: alert.department.clone(),
            kind: Some(alert.kind),
            started: alert.started.to_rfc3339(),
            ended: alert.ended.map(EventTime::to_rfc3339),
        }
    }
}

impl Summary {
    /// Sums up a demo whose pipeline has stopped; its last record was written at `end`.
    #[must_use]
    pub fn new(produced: u64, glance: &Glance, incident: Option<Incident>, end: EventTime) -> Self {
        let of = |severity| glance.alerts.iter().filter(move |alert| alert.severity == severity).map(Episode::of);
        let incident = incident.filter(|incident| incident.started <= end).map(|incident| Episode {
            department: incident.department_id().to_owned(),
            kind: None,
            started: incident.started.to_rfc3339(),
            ended: (incident.ended <= end).then(|| incident.ended.to_rfc3339()),
        });
        let (alerts, tickets) = (of(Severity::Page).collect(), of(Severity::Ticket).collect());
        Self { produced, counts: glance.counts, incident, alerts, tickets }
    }

    /// Whether each record produced is counted once.
    ///
    /// # Errors
    /// Where it is not.
    pub fn check(&self) -> Result<(), DemoError> {
        if self.produced == self.counts.processed() {
            return Ok(());
        }
        Err(DemoError::DoesNotAddUp { produced: self.produced, counts: self.counts })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::detect::Handling;

    const LIVE: EventTime = EventTime::from_millis(1_700_000_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn alert(ended: Option<EventTime>) -> Alert {
        Alert {
            id: "sales-frustration-1".to_owned(),
            department: "sales".to_owned(),
            kind: AlertKind::Frustration,
            severity: Severity::Page,
            started: LIVE.plus(60 * MINUTE),
            since: LIVE.plus(50 * MINUTE),
            ended,
            window_seconds: 900,
            messages: 100,
            observed: 0.7,
            expected: 0.2,
            p_value: 1e-9,
            recurrence: 1e-6,
            replayed: false,
            escalations: 0,
            escalated: None,
            departments: Vec::new(),
            handling: Handling::default(),
            details: Default::default(),
        }
    }

    fn glance(alerts: Vec<Alert>) -> Glance {
        let counts = Counts { scored: 70, context: 20, rejected: 3, late: 2 };
        Glance { counts, alerts: Arc::new(alerts), ..Glance::default() }
    }

    #[test]
    fn the_summary_is_one_line_of_the_promised_shape() {
        let glance = glance(vec![alert(Some(LIVE.plus(120 * MINUTE)))]);
        let summary = Summary::new(95, &glance, Some(Incident::after(LIVE, 3)), LIVE.plus(150 * MINUTE));
        summary.check().unwrap();
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            "{\"produced\":95,\"scored\":70,\"context\":20,\"rejected\":3,\"late\":2,\
             \"incident\":{\"department\":\"sales\",\"started\":\"2023-11-14T22:58:20Z\",\"ended\":\"2023-11-14T23:28:20Z\"},\
             \"alerts\":[{\"department\":\"sales\",\"kind\":\"frustration\",\"started\":\"2023-11-14T23:13:20Z\",\"ended\":\"2023-11-15T00:13:20Z\"}],\"tickets\":[]}"
        );
    }

    #[test]
    fn what_still_lasts_has_no_end() {
        let summary =
            Summary::new(95, &glance(vec![alert(None)]), Some(Incident::after(LIVE, 3)), LIVE.plus(70 * MINUTE));
        let json = serde_json::to_value(&summary).unwrap();
        assert!(json["incident"]["started"].is_string());
        assert!(json["incident"]["ended"].is_null());
        assert!(json["alerts"][0]["ended"].is_null());
    }

    #[test]
    fn an_incident_that_never_started_is_null() {
        let summary = Summary::new(95, &glance(vec![]), Some(Incident::after(LIVE, 3)), LIVE.plus(20 * MINUTE));
        let json = serde_json::to_value(&summary).unwrap();
        assert!(json["incident"].is_null());
        assert_eq!(json["alerts"], serde_json::json!([]));
    }

    #[test]
    fn a_lost_or_repeated_record_does_not_add_up() {
        for produced in [94, 96] {
            let summary = Summary::new(produced, &glance(vec![]), None, LIVE);
            let message = summary.check().unwrap_err().to_string();
            assert!(message.contains(&produced.to_string()) && message.contains("95"), "{message}");
        }
    }
}
