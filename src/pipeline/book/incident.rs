//! Which alerts are one incident: what people are woken for, and what a budget of false alarms counts.

use crate::detect::{Alert, Severity};
use crate::message::EventTime;

/// The places of the alerts that are of one incident with that one: those of its department that overlap, one after the other. None
/// where it is of none, since it never paged: a ticket, or one that was over before anybody was told.
pub(super) fn of(alerts: &[Alert], place: usize) -> Vec<usize> {
    let department = &alerts[place].department;
    let its = alerts.iter().enumerate().filter(|(_, alert)| alert.department == *department && has_paged(alert));
    let mut its: Vec<(usize, &Alert)> = its.collect();
    its.sort_by_key(|(_, alert)| alert.started);
    let mut incident = Vec::new();
    let mut open_until: Option<EventTime> = None;
    for (its_place, alert) in its {
        if open_until.is_some_and(|until| alert.started > until) {
            if incident.contains(&place) {
                return incident;
            }
            incident.clear();
            open_until = None;
        }
        incident.push(its_place);
        let ended = alert.ended.unwrap_or(EventTime::from_millis(i64::MAX));
        open_until = Some(open_until.map_or(ended, |until| until.max(ended)));
    }
    if incident.contains(&place) { incident } else { Vec::new() }
}

fn has_paged(alert: &Alert) -> bool {
    alert.severity == Severity::Page && alert.handling.paged && !alert.replayed
}
