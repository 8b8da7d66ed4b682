use super::*;
use crate::detect::{AlertKind, Handling};

const MINUTE: i64 = 60_000;

fn at(minutes: i64) -> EventTime {
    EventTime::from_millis(minutes * MINUTE)
}

fn alert(started: i64, ended: Option<i64>) -> Alert {
    Alert {
        id: String::new(),
        department: "care".to_owned(),
        kind: AlertKind::Frustration,
        severity: Severity::Page,
        started: at(started),
        since: at(started),
        ended: ended.map(at),
        window_seconds: 900,
        messages: 40,
        observed: 0.8,
        expected: 0.2,
        p_value: 1e-9,
        recurrence: 1e-4,
        replayed: false,
        escalations: 0,
        escalated: None,
        departments: Vec::new(),
        handling: Handling::default(),
        details: Default::default(),
    }
}

fn span(from: i64, until: i64) -> TimeSpan {
    TimeSpan { from: at(from), until: at(until) }
}

fn incident(start: i64, end: i64) -> Incident {
    Incident { department: "care".to_owned(), start: at(start), end: at(end), line: 2 }
}

#[test]
fn alerts_that_overlap_are_one_incident() {
    let alerts = [alert(0, Some(50)), alert(10, Some(20)), alert(50, Some(60)), alert(61, None)];
    let incidents = incidents_of(&alerts.iter().collect::<Vec<_>>(), at(100));
    assert_eq!(incidents, [span(0, 60), span(61, 100)]);
}

#[test]
fn an_alert_more_than_15_minutes_after_the_end_finds_nothing() {
    assert_eq!(delay_of(&incident(0, 100), &[span(116, 130)]), None);
}

#[test]
fn the_delay_is_counted_from_the_start_and_is_0_where_an_alert_was_open() {
    assert_eq!(delay_of(&incident(10, 100), &[span(0, 5), span(25, 130)]), Some(Duration::from_secs(900)));
    assert_eq!(delay_of(&incident(10, 100), &[span(5, 30)]), Some(Duration::ZERO));
}

#[test]
fn the_median_of_an_even_number_lies_between_the_middle_two() {
    let seconds = |list: &[u64]| list.iter().map(|second| Duration::from_secs(*second)).collect::<Vec<_>>();
    assert_eq!(median(&mut seconds(&[30, 10])), Some(20));
    assert_eq!(median(&mut seconds(&[30, 10, 50])), Some(30));
    assert_eq!(median(&mut []), None);
}
