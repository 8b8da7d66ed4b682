use super::*;
use crate::detect::{Scope, Verdict};
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
        escalations: 0,
        escalated: None,
        departments: Vec::new(),
        details: Summary::default(),
        handling: Handling::default(),
    }
}

/// What pages of it, while nobody said anything.
fn page_of(alert: &Alert) -> Page {
    let Alert { id, department, kind, severity, .. } = alert.clone();
    Page { id, department, kind, severity, said: None }
}

fn said(verdict: Verdict, note: &str) -> Feedback {
    Feedback { verdict, note: note.to_owned(), marked: EventTime::from_millis(0) }
}

const BILLING: Scope = Scope::Department(DepartmentId(0));

#[test]
fn what_opens_and_closes_while_catching_up_is_marked_and_pages_nobody() {
    let mut book = AlertBook::default();
    assert_eq!(book.enter(AlertChange::Opened(BILLING, alert(1, None)), true, None), None);
    book.enter(AlertChange::Closed(BILLING, alert(1, Some(2))), true, None);
    assert!(book.caught_up(|_| true).is_empty());
    assert!(book.alerts()[0].replayed);
}

#[test]
fn what_is_still_open_after_catching_up_pages_then() {
    let mut book = AlertBook::default();
    book.enter(AlertChange::Opened(BILLING, alert(1, None)), true, None);
    assert_eq!(book.caught_up(|_| true), [page_of(&alert(1, None))]);
    assert!(!book.alerts()[0].replayed);
    assert!(book.caught_up(|_| true).is_empty(), "it pages once");
}

#[test]
fn a_ticket_that_becomes_a_page_pages_once_and_one_in_a_backlog_pages_nobody() {
    let escalated = || AlertChange::Escalated(BILLING, alert(1, None));
    for (in_backlog, expected) in [(false, Some(page_of(&alert(1, None)))), (true, None)] {
        let mut book = AlertBook::default();
        let ticket = Alert { severity: Severity::Ticket, ..alert(1, None) };
        book.enter(AlertChange::Opened(BILLING, ticket), in_backlog, None);
        assert_eq!(book.enter(escalated(), in_backlog, None), expected);
        assert_eq!(book.enter(escalated(), in_backlog, None), None, "it is a page already");
        assert_eq!((book.alerts().len(), book.alerts()[0].severity), (1, Severity::Page));
        assert_eq!(book.alerts()[0].replayed, in_backlog);
    }
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
    assert!(book.enter(AlertChange::Opened(BILLING, alert(1, None)), false, None).is_some());
    book.enter(AlertChange::Closed(BILLING, alert(1, Some(2_000))), false, None);
    let week = EventTime::from_millis(2_000).plus(KEPT);
    book.forget_before(week);
    assert_eq!(book.alerts().len(), 1);
    book.forget_before(week.plus(Duration::from_millis(1)));
    assert!(book.alerts().is_empty());
}

#[test]
fn what_is_muted_while_a_backlog_is_read_pages_only_once_both_are_over() {
    let mut book = AlertBook::default();
    assert_eq!(book.enter(AlertChange::Opened(BILLING, alert(1, None)), true, Some("planned")), None);
    assert!(book.follow_mutes(true, |_| None).is_empty(), "the backlog holds it back");
    book.follow_mutes(true, |_| Some(Holding::Muted("planned again".to_owned())));
    assert!(book.caught_up(|_| true).is_empty(), "the mute holds it back");
    assert!(book.is_held_back("billing", AlertKind::Frustration));
    assert!(book.follow_mutes(false, |_| Some(Holding::Waiting)).is_empty(), "nothing shows that it goes on");
    assert!(book.is_held_back("billing", AlertKind::Frustration) && book.alerts()[0].handling.muted.is_none());
    assert_eq!(book.follow_mutes(false, |_| None).len(), 1);
    assert!(!book.is_held_back("billing", AlertKind::Frustration));
    assert!(book.follow_mutes(false, |_| None).is_empty(), "it pages once");
}

#[test]
fn a_new_peak_and_the_end_of_an_alert_keep_what_became_of_it() {
    let told = || Summary { customers: Some(7), ..Summary::default() };
    let mut book = AlertBook::default();
    book.enter(AlertChange::Opened(BILLING, alert(1, None)), false, None);
    book.follow_mutes(false, |_| Some(Holding::Muted("planned".to_owned())));
    let worse = Alert { recurrence: 1e-9, ..alert(1, None) };
    book.refresh([&worse].into_iter(), |_| told());
    assert_eq!(book.alerts()[0].details, told());
    assert_eq!(book.alerts()[0].recurrence, 1e-9);
    assert_eq!(book.alerts()[0].handling.muted.as_deref(), Some("planned"));
    book.enter(AlertChange::Closed(BILLING, alert(1, Some(2))), false, Some("planned"));
    let closed = &book.alerts()[0];
    assert!(closed.ended.is_some() && closed.handling.paged && closed.handling.muted.is_some(), "{closed:?}");
}

fn closed(started: i64, ended: i64) -> AlertBook {
    let mut book = AlertBook::default();
    for number in 0..10 {
        let (from, until) = (started + number, ended - number);
        book.enter(AlertChange::Opened(BILLING, alert(from, None)), false, None);
        book.enter(AlertChange::Closed(BILLING, alert(from, Some(until))), false, None);
    }
    book.enter(AlertChange::Opened(BILLING, alert(1, None)), false, None);
    book
}

#[test]
fn of_too_many_closed_alerts_those_that_closed_first_are_forgotten_and_counted_and_open_ones_stay() {
    let size = closed(100, 1_000).closed();
    assert_eq!(size.items, 10);
    assert!(size.bytes > 10 * size_of::<Alert>(), "texts are counted too");
    for most in [limit::Size { items: 4, ..size }, limit::Size { bytes: size.bytes * 4 / 10, ..size }] {
        let mut book = closed(100, 1_000);
        book.keep_within(most);
        let kept: Vec<Option<i64>> = book.alerts().iter().map(|alert| Some(alert.ended?.as_millis())).collect();
        assert_eq!(kept, [Some(1_000), Some(999), Some(998), Some(997), None]);
        assert_eq!(book.forgotten(), 6);
    }
}

#[test]
fn the_limit_of_closed_alerts_holds_whatever_is_entered_or_restored() {
    let saved: Vec<Alert> = (0..6_000).map(|number| alert(number, Some(10_000 + number))).collect();
    let mut book = AlertBook::default();
    book.restore(saved, &[]);
    assert_eq!((book.closed().items, book.forgotten()), (MOST_CLOSED.items, 1_000));
    book.enter(AlertChange::Opened(BILLING, alert(7_000, None)), false, None);
    book.enter(AlertChange::Closed(BILLING, alert(7_000, Some(20_000))), false, None);
    assert_eq!((book.closed().items, book.forgotten()), (MOST_CLOSED.items, 1_001));
    book.begin_anew();
    assert_eq!((book.alerts().len(), book.forgotten()), (0, 1_001), "a counter is the process's");
}

#[test]
fn restoring_far_too_many_closed_alerts_keeps_the_latest() {
    let saved: Vec<Alert> = (0..60_000).map(|number| alert(number, Some(100_000 + number))).collect();
    let mut book = AlertBook::default();
    book.restore(saved, &[]);
    assert_eq!((book.closed().items, book.forgotten()), (MOST_CLOSED.items, 55_000));
    assert_eq!(book.alerts()[0].started, EventTime::from_millis(55_000), "the latest are kept, oldest first");
    assert!(book.alerts().is_sorted_by_key(|alert| alert.started));
}

#[test]
fn notes_on_closed_alerts_keep_to_the_limit_of_bytes() {
    let sample = "x".repeat(4_096);
    let details = Summary { samples: vec![sample], ..Summary::default() };
    let of = |number| Alert { details: details.clone(), ..alert(number, Some(10_000 + number)) };
    let mut book = AlertBook::default();
    book.restore((0..MOST_CLOSED.items as i64).map(of).collect(), &[]);
    let (kept, forgotten) = (book.alerts().len(), book.forgotten());
    assert!(forgotten > 0, "they are as many bytes as may be");
    let latest: Vec<String> = book.alerts()[kept - 10..].iter().map(|alert| alert.id.clone()).collect();
    let note = "\u{1f642}".repeat(Feedback::NOTE_LIMIT);
    for id in &latest {
        assert!(book.mark(id, said(Verdict::Useful, &note)).is_some());
    }
    assert!(book.closed().bytes <= MOST_CLOSED.bytes, "{:?}", book.closed());
    assert!(book.forgotten() > forgotten);
}

#[test]
fn what_was_said_of_an_alert_while_a_mute_held_it_counts_for_its_incident_once_it_pages() {
    let mut book = AlertBook::default();
    book.enter(AlertChange::Opened(BILLING, alert(1, None)), false, Some("planned"));
    let id = alert(1, None).id;
    let marked = book.mark(&id, said(Verdict::False, "")).unwrap();
    assert!(marked.is_first && !marked.is_first_of_incident, "nobody was paged");
    let paging: Vec<_> = book.follow_mutes(false, |_| None).into_iter().map(|page| page.said).collect();
    assert_eq!(paging, [Some(Verdict::False)]);
    assert!(!book.mark(&id, said(Verdict::Useful, "after all")).unwrap().is_first_of_incident, "it is counted");
}

#[test]
fn what_was_said_in_a_backlog_or_of_a_ticket_counts_for_its_incident_once_it_pages() {
    let id = alert(1, None).id;
    let mut backlog = AlertBook::default();
    backlog.enter(AlertChange::Opened(BILLING, alert(1, None)), true, None);
    backlog.mark(&id, said(Verdict::Useful, "")).unwrap();
    let paging: Vec<_> = backlog.caught_up(|_| true).into_iter().map(|page| page.said).collect();
    assert_eq!(paging, [Some(Verdict::Useful)]);

    let mut ticket = AlertBook::default();
    let shown = Alert { severity: Severity::Ticket, ..alert(1, None) };
    ticket.enter(AlertChange::Opened(BILLING, shown), false, None);
    assert!(!ticket.mark(&id, said(Verdict::False, "")).unwrap().is_first_of_incident);
    let page = ticket.enter(AlertChange::Escalated(BILLING, alert(1, None)), false, None);
    assert_eq!(page.map(|page| page.said), Some(Some(Verdict::False)));
}

#[test]
fn the_same_said_again_counts_where_the_incident_does_not_yet_and_is_no_second_mark() {
    // It paged and was marked before incidents were counted.
    let mut saved = alert(1, Some(2));
    saved.handling = Handling { paged: true, feedback: Some(said(Verdict::False, "")), ..Handling::default() };
    let mut book = AlertBook::default();
    book.restore(vec![saved.clone()], &[]);
    let again = book.mark(&saved.id, said(Verdict::False, "")).unwrap();
    assert!(!again.is_first && again.is_first_of_incident);
    assert!(!book.mark(&saved.id, said(Verdict::False, "")).unwrap().is_first_of_incident);
}

#[test]
fn an_incident_that_is_counted_stays_so_when_the_alert_that_was_marked_is_forgotten() {
    let mut book = AlertBook::default();
    for (started, ended) in [(1, 10), (5, 20), (15, 30)] {
        book.enter(AlertChange::Opened(BILLING, alert(started, None)), false, None);
        book.enter(AlertChange::Closed(BILLING, alert(started, Some(ended))), false, None);
    }
    assert!(book.mark(&alert(1, None).id, said(Verdict::False, "")).unwrap().is_first_of_incident);
    let one = book.closed();
    book.keep_within(limit::Size { items: 2, ..one });
    assert_eq!((book.alerts().len(), book.forgotten()), (2, 1));
    assert!(!book.mark(&alert(5, None).id, said(Verdict::False, "")).unwrap().is_first_of_incident);
    book.forget_before(EventTime::from_millis(25).plus(KEPT));
    assert_eq!(book.alerts().len(), 1);
    assert!(!book.mark(&alert(15, None).id, said(Verdict::False, "")).unwrap().is_first_of_incident, "by age too");
}
