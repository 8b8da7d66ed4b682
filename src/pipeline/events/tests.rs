//! What becomes an event, and when.

use serde_json::Value;

use super::*;
use crate::config::AlertsConfig;
use crate::detect::{AlertKind, Handling, Severity};
use crate::message::EventTime;

fn desk() -> EventDesk {
    let alerts = AlertsConfig { topic: Some("alerts".to_owned()), source: None };
    EventDesk::new(&Config { alerts, ..Config::default() })
}

/// An alert in a backlog, or live.
fn alert(replayed: bool) -> Alert {
    Alert {
        id: "billing-frustration-1".to_owned(),
        department: "billing".to_owned(),
        kind: AlertKind::Frustration,
        severity: Severity::Page,
        started: EventTime::from_millis(1),
        since: EventTime::from_millis(0),
        ended: None,
        window_seconds: 900,
        messages: 40,
        observed: 0.75,
        expected: 0.25,
        p_value: 1e-9,
        recurrence: 0.0625,
        replayed,
        escalations: 0,
        escalated: None,
        departments: Vec::new(),
        details: Default::default(),
        handling: Handling { paged: !replayed, ..Handling::default() },
    }
}

fn worse(alert: Alert) -> Alert {
    Alert { escalations: alert.escalations + 1, escalated: Some(EventTime::from_millis(2)), ..alert }
}

fn over(alert: Alert) -> Alert {
    Alert { ended: Some(EventTime::from_millis(3)), ..alert }
}

/// Ids of what waits without the alert's own, and whether the alert is shown as replayed.
fn told(desk: &EventDesk) -> Vec<(String, bool)> {
    let event = |event: &crate::publish::events::AlertEvent| {
        assert_eq!(event.department, "billing");
        let envelope: Value = serde_json::from_str(&event.envelope).unwrap();
        let id = envelope["id"].as_str().unwrap().trim_start_matches("billing-frustration-1-").to_owned();
        (id, envelope["data"]["replayed"].as_bool().unwrap())
    };
    desk.outbox().waiting().map(event).collect()
}

fn live(ids: &[&str]) -> Vec<(String, bool)> {
    ids.iter().map(|id| ((*id).to_owned(), false)).collect()
}

#[test]
fn a_live_alert_is_told_when_it_opens_each_time_it_escalates_and_when_it_closes() {
    let mut desk = desk();
    let (opened, once) = (alert(false), worse(alert(false)));
    let twice = worse(once.clone());
    desk.tell_paging(&opened);
    desk.tell(Happened::Escalated, &once, false);
    desk.tell(Happened::Escalated, &twice, false);
    desk.tell(Happened::Closed, &over(twice), false);
    assert_eq!(told(&desk), live(&["opened-1", "escalated-1", "escalated-2", "closed-1"]));
}

#[test]
fn what_opens_and_closes_in_a_backlog_is_told_once_as_closed_and_replayed_and_never_as_opened() {
    let mut desk = desk();
    desk.tell(Happened::Opened, &alert(true), true);
    desk.tell(Happened::Escalated, &worse(alert(true)), true);
    assert_eq!(told(&desk), []);
    desk.tell(Happened::Closed, &over(worse(alert(true))), true);
    assert_eq!(told(&desk), [("closed-1".to_owned(), true)]);
}

#[test]
fn what_opened_in_a_backlog_and_is_open_at_its_end_is_told_as_opened_then_and_once() {
    let mut desk = desk();
    desk.tell(Happened::Opened, &alert(true), true);
    desk.tell(Happened::Escalated, &worse(alert(true)), true);
    // The book has taken its mark away: it pages now.
    desk.tell_paging(&worse(alert(false)));
    desk.tell_held(&worse(alert(false)));
    assert_eq!(told(&desk), live(&["opened-1"]));
    desk.tell(Happened::Escalated, &worse(worse(alert(false))), false);
    assert_eq!(told(&desk), live(&["opened-1", "escalated-2"]));
}

#[test]
fn an_alert_that_was_told_and_escalates_in_a_backlog_is_told_at_its_end_unless_it_is_over_by_then() {
    for closes in [false, true] {
        let mut desk = desk();
        desk.tell_paging(&alert(false));
        desk.tell(Happened::Escalated, &worse(alert(false)), true);
        assert_eq!(told(&desk), live(&["opened-1"]));
        if closes {
            desk.tell(Happened::Closed, &over(worse(alert(false))), true);
            assert_eq!(told(&desk), live(&["opened-1", "closed-1"]));
        } else {
            desk.tell_held(&worse(alert(false)));
            desk.tell_held(&worse(alert(false)));
            assert_eq!(told(&desk), live(&["opened-1", "escalated-1"]));
        }
    }
}

#[test]
fn what_escalates_while_it_is_muted_is_told_after_the_mute() {
    let muted =
        |alert: Alert| Alert { handling: Handling { muted: Some("planned".to_owned()), ..alert.handling }, ..alert };
    let mut desk = desk();
    desk.tell_paging(&alert(false));
    desk.tell(Happened::Escalated, &muted(worse(alert(false))), false);
    assert_eq!(told(&desk), live(&["opened-1"]));
    desk.tell_held(&worse(alert(false)));
    assert_eq!(told(&desk), live(&["opened-1", "escalated-1"]));
}

#[test]
fn what_is_held_back_outlives_a_restart() {
    let mut before = desk();
    before.tell_paging(&alert(false));
    before.tell(Happened::Escalated, &worse(alert(false)), true);
    let mut desk = desk();
    assert_eq!(desk.restore(before.outbox().clone()), None);
    assert!(!desk.has_news(), "it is in a checkpoint");
    desk.tell_held(&worse(alert(false)));
    assert_eq!(told(&desk), live(&["opened-1", "escalated-1"]));
    assert!(desk.has_news());
}

#[test]
fn an_event_is_news_until_a_checkpoint_with_it_is_handed_over_and_waits_until_it_is_sent() {
    let mut desk = desk();
    assert!(!desk.has_news() && !desk.is_waiting());
    desk.tell_paging(&alert(false));
    assert!(desk.has_news() && desk.is_waiting());
    desk.note_handed_over();
    assert!(!desk.has_news() && desk.is_waiting());
    assert!(desk.settle(1));
    assert!(!desk.settle(1) && !desk.has_news() && !desk.is_waiting());
}

#[test]
fn without_a_topic_nothing_waits_and_what_did_is_named() {
    let mut nobody = EventDesk::new(&Config::default());
    nobody.tell(Happened::Opened, &alert(false), false);
    nobody.tell(Happened::Escalated, &worse(alert(false)), true);
    assert_eq!(nobody.outbox(), &Outbox::default());
    let mut before = desk();
    before.tell_paging(&alert(false));
    let left_out = nobody.restore(before.outbox().clone());
    assert_eq!(left_out.as_deref(), Some("1 alert events that were not sent: alerts.topic is not set"));
    assert!(!nobody.is_waiting());
}
