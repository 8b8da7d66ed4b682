//! Whether an alert of a run was true: of which listed incidents it is.

use serde::Serialize;

use super::Incident;
use super::outcome::Moment;
use super::replay::TimeSpan;
use crate::message::EventTime;

/// A listed incident that alerts are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ListedSpan {
    /// Its start, as listed.
    pub start: Moment,
    /// Its end, as listed.
    pub end: Moment,
}

impl From<&Incident> for ListedSpan {
    fn from(incident: &Incident) -> Self {
        Self { start: Moment(incident.start), end: Moment(incident.end) }
    }
}

/// A department's alerts that overlap, and the listed incidents that they are of: none where they are false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) span: TimeSpan,
    pub(super) listed: Vec<ListedSpan>,
}

impl Judged {
    /// Holds alerts that overlap against what is listed of their department.
    pub(super) fn of<'a>(span: TimeSpan, listed: impl Iterator<Item = &'a Incident>) -> Self {
        Self { span, listed: listed.filter(|incident| touches(&span, incident)).map(ListedSpan::from).collect() }
    }

    pub(super) fn is_false(&self) -> bool {
        self.listed.is_empty()
    }
}

/// Those among which an alert that opened then is. They are in order of time and do not overlap.
pub(super) fn judged_at(all: &[Judged], opened: EventTime) -> Option<&Judged> {
    let after = all.partition_point(|judged| judged.span.from <= opened);
    all[..after].last().filter(|judged| opened <= judged.span.until)
}

/// Whether alerts were open during a listed incident, or soon after.
pub(super) fn touches(span: &TimeSpan, incident: &Incident) -> bool {
    span.from <= incident.until() && span.until >= incident.start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> EventTime {
        EventTime::from_millis(minutes * 60_000)
    }

    fn span(from: i64, until: i64) -> TimeSpan {
        TimeSpan { from: at(from), until: at(until) }
    }

    fn incident(start: i64, end: i64) -> Incident {
        Incident { department: "care".to_owned(), start: at(start), end: at(end), line: 2 }
    }

    #[test]
    fn an_alert_within_15_minutes_of_the_end_is_of_the_incident() {
        assert!(touches(&span(115, 130), &incident(0, 100)));
        assert!(!touches(&span(116, 130), &incident(0, 100)));
    }

    #[test]
    fn alerts_that_overlap_are_of_every_incident_that_one_of_them_is_of() {
        let listed = [incident(0, 10), incident(60, 70), incident(300, 400)];
        let judged = [Judged::of(span(20, 80), listed.iter()), Judged::of(span(200, 210), listed.iter())];
        assert_eq!(judged[0].listed, [ListedSpan::from(&listed[0]), ListedSpan::from(&listed[1])]);
        assert!(judged[1].is_false());
        assert_eq!(judged_at(&judged, at(50)), Some(&judged[0]));
        assert_eq!(judged_at(&judged, at(200)), Some(&judged[1]));
        assert_eq!(judged_at(&judged, at(10)), None);
        assert_eq!(judged_at(&judged, at(100)), None, "between two incidents nothing was open");
    }
}
