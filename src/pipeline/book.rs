//! The alerts that are open and those closed lately.

use std::sync::Arc;
use std::time::Duration;

use crate::detect::{Alert, AlertChange, AlertKind, Scope};
use crate::message::EventTime;
use crate::voices::Summary;

/// How long a closed alert is kept (event time).
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Alerts, oldest first.
#[derive(Debug, Default)]
pub(super) struct AlertBook {
    alerts: Arc<Vec<Alert>>,
}

impl AlertBook {
    /// Takes up the alerts of a checkpoint. Gives the ids of those left out: open ones that the detector no longer follows,
    /// because their department is gone from the config. Nothing would ever close them.
    pub(super) fn restore(&mut self, mut alerts: Vec<Alert>, followed: &[&str]) -> Vec<String> {
        let is_lost = |alert: &mut Alert| alert.ended.is_none() && !followed.contains(&&*alert.id);
        let lost = alerts.extract_if(.., is_lost).map(|alert| alert.id).collect();
        self.alerts = Arc::new(alerts);
        lost
    }

    /// The alerts, oldest first.
    pub(super) fn alerts(&self) -> &Arc<Vec<Alert>> {
        &self.alerts
    }

    /// Enters a change. One that opens and closes while catching up is marked: it paged nobody (INV-10).
    ///
    /// Gives whose alert is told from now on, and its kind.
    pub(super) fn enter(&mut self, change: AlertChange, catching_up: bool) -> Option<(Scope, AlertKind)> {
        let alerts = Arc::make_mut(&mut self.alerts);
        match change {
            AlertChange::Opened(scope, mut alert) => {
                alert.replayed = catching_up;
                let kind = alert.kind;
                tracing::info!(id = alert.id, replayed = catching_up, p_value = alert.p_value, "alert opened");
                match alerts.iter_mut().find(|known| known.id == alert.id) {
                    Some(known) => *known = alert,
                    None => alerts.push(alert),
                }
                (!catching_up).then_some((scope, kind))
            }
            AlertChange::Closed(_, mut alert) => {
                tracing::info!(id = alert.id, "alert closed");
                match alerts.iter_mut().find(|known| known.id == alert.id) {
                    Some(known) => {
                        alert.replayed = known.replayed;
                        *known = alert;
                    }
                    None => alerts.push(alert),
                }
                None
            }
        }
    }

    /// Whether of the open alert of that kind of a department nobody was told yet.
    pub(super) fn is_only_replayed(&self, department: &str, kind: AlertKind) -> bool {
        let is_meant = |alert: &Alert| alert.kind == kind && alert.department == department;
        self.alerts.iter().any(|alert| alert.ended.is_none() && alert.replayed && is_meant(alert))
    }

    /// Catching up is over: what is still open is told now, of those kinds. Gives the ids of departments with their kinds.
    pub(super) fn caught_up(&mut self, is_told: impl Fn(AlertKind) -> bool) -> Vec<(String, AlertKind)> {
        let mut paging = Vec::new();
        for alert in Arc::make_mut(&mut self.alerts) {
            if alert.ended.is_none() && alert.replayed && is_told(alert.kind) {
                alert.replayed = false;
                paging.push((alert.department.clone(), alert.kind));
            }
        }
        paging
    }

    /// Brings the open alerts up to their latest peak, with what there is to tell then.
    pub(super) fn refresh<'a>(&mut self, open: impl Iterator<Item = &'a Alert>, details: impl Fn(&Alert) -> Summary) {
        for latest in open {
            let Some(place) = self.alerts.iter().position(|known| known.id == latest.id) else { continue };
            let known = &self.alerts[place];
            if (known.recurrence, known.messages) == (latest.recurrence, latest.messages) {
                continue;
            }
            let replayed = known.replayed;
            let details = details(latest);
            Arc::make_mut(&mut self.alerts)[place] = Alert { replayed, details, ..latest.clone() };
        }
    }

    /// Forgets what closed too long ago.
    pub(super) fn forget_before(&mut self, stream_time: EventTime) {
        let oldest = stream_time.minus(KEPT);
        let is_old = |alert: &Alert| alert.ended.is_some_and(|ended| ended < oldest);
        if self.alerts.iter().any(is_old) {
            Arc::make_mut(&mut self.alerts).retain(|alert| !is_old(alert));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Severity;
    use crate::message::DepartmentId;

    fn alert(started: i64, ended: Option<i64>) -> Alert {
        Alert {
            id: format!("billing-frustration-{started}"),
            department: "billing".to_owned(),
            kind: AlertKind::Frustration,
            severity: Severity::Page,
            started: EventTime::from_millis(started),
            since: EventTime::from_millis(started),
            ended: ended.map(EventTime::from_millis),
            window_seconds: 900,
            messages: 40,
            observed: 0.8,
            expected: 0.2,
            p_value: 1e-9,
            recurrence: 1e-4,
            replayed: false,
            departments: Vec::new(),
            details: Summary::default(),
        }
    }

    const BILLING: Scope = Scope::Department(DepartmentId(0));

    #[test]
    fn what_opens_and_closes_while_catching_up_is_marked_and_pages_nobody() {
        let mut book = AlertBook::default();
        assert_eq!(book.enter(AlertChange::Opened(BILLING, alert(1, None)), true), None);
        book.enter(AlertChange::Closed(BILLING, alert(1, Some(2))), true);
        assert!(book.caught_up(|_| true).is_empty());
        assert!(book.alerts()[0].replayed);
    }

    #[test]
    fn what_is_still_open_after_catching_up_pages_then() {
        let mut book = AlertBook::default();
        book.enter(AlertChange::Opened(BILLING, alert(1, None)), true);
        assert_eq!(book.caught_up(|_| true), [("billing".to_owned(), AlertKind::Frustration)]);
        assert!(!book.alerts()[0].replayed);
        assert!(book.caught_up(|_| true).is_empty(), "it pages once");
    }

    #[test]
    fn an_open_alert_that_nobody_follows_any_more_is_not_taken_up() {
        let mut book = AlertBook::default();
        let saved = vec![alert(1, Some(2)), alert(3, None), alert(5, None)];
        assert_eq!(book.restore(saved, &["billing-frustration-5"]), ["billing-frustration-3"]);
        let kept: Vec<&str> = book.alerts().iter().map(|alert| &*alert.id).collect();
        assert_eq!(kept, ["billing-frustration-1", "billing-frustration-5"]);
    }

    #[test]
    fn a_live_alert_pages_at_once_and_stays_seven_days_after_it_closed() {
        let mut book = AlertBook::default();
        assert!(book.enter(AlertChange::Opened(BILLING, alert(1, None)), false).is_some());
        book.enter(AlertChange::Closed(BILLING, alert(1, Some(2_000))), false);
        let week = EventTime::from_millis(2_000).plus(KEPT);
        book.forget_before(week);
        assert_eq!(book.alerts().len(), 1);
        book.forget_before(week.plus(Duration::from_millis(1)));
        assert!(book.alerts().is_empty());
    }
}
