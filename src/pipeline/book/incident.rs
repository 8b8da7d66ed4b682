//! Which alerts are one incident: what people are woken for, and what a budget of false alarms counts.

use crate::detect::{Alert, Severity};
use crate::message::EventTime;

/// The places of the alerts that are of one incident with that one: those of its department that overlap, one after the other. None
/// where it is of none, since it never paged: a ticket, or one that was over before anybody was told.
pub(super) fn of(alerts: &[Alert], place: usize) -> Vec<usize> {
    let department = &alerts[place].department;
    let its = alerts.iter().enumerate().filter(|(_, alert)| alert.department == *department);
    grouped(its).into_iter().find(|incident| incident.contains(&place)).unwrap_or_default()
}

/// Every incident that is counted is so by all of its alerts, whichever of them is forgotten.
pub(super) fn share_counted(alerts: &mut [Alert]) {
    for incident in grouped(alerts.iter().enumerate()) {
        let is_counted = incident.iter().any(|place| alerts[*place].handling.stands_for_incident);
        for place in incident {
            alerts[place].handling.stands_for_incident |= is_counted;
        }
    }
}

/// The places of the alerts of each incident.
fn grouped<'a>(alerts: impl Iterator<Item = (usize, &'a Alert)>) -> Vec<Vec<usize>> {
    let mut paged: Vec<(usize, &Alert)> = alerts.filter(|(_, alert)| has_paged(alert)).collect();
    paged.sort_by(|(_, one), (_, other)| (&one.department, one.started).cmp(&(&other.department, other.started)));
    let mut incidents: Vec<Vec<usize>> = Vec::new();
    let mut last: Option<(&str, EventTime)> = None;
    for (place, alert) in paged {
        let ended = alert.ended.unwrap_or(EventTime::from_millis(i64::MAX));
        let open_until = last.filter(|(department, until)| *department == alert.department && alert.started <= *until);
        match (incidents.last_mut(), open_until) {
            (Some(incident), Some((_, until))) => {
                incident.push(place);
                last = Some((&alert.department, until.max(ended)));
            }
            _ => {
                incidents.push(vec![place]);
                last = Some((&alert.department, ended));
            }
        }
    }
    incidents
}

fn has_paged(alert: &Alert) -> bool {
    alert.severity == Severity::Page && alert.handling.paged && !alert.replayed
}
