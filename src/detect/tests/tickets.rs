//! Alerts that wait for office hours.

use super::*;
use crate::detect::Severity;

const QUIET: (f64, f64, f64) = (3.0, 0.2, 0.1);

fn feed(tickets_per_month: f64, ticket_kinds: &[&str]) -> Feed {
    let ticket_kinds = ticket_kinds.iter().map(|kind| (*kind).to_owned()).collect();
    Feed::with(&DetectConfig { tickets_per_month, ticket_kinds, ..DetectConfig::default() }, configured())
}

#[test]
fn what_is_rare_but_not_rare_enough_to_page_is_a_ticket_and_pages_once_it_is() {
    let (mut feed, mut dice) = (feed(30.0, &[]), Dice(61));
    feed.random(&mut dice, 6 * HOUR, QUIET);
    let opened = (0..HOUR).find(|_| {
        feed.random(&mut dice, 1, (3.0, 0.5, 0.1));
        !feed.opened.is_empty()
    });
    assert!(opened.is_some());
    let ticket = feed.opened[0].clone();
    assert_eq!((ticket.kind, ticket.severity), (AlertKind::NegativeSentiment, Severity::Ticket));
    assert_eq!(feed.outlook().active, [(AlertKind::NegativeSentiment, Severity::Ticket)]);
    feed.random(&mut dice, HOUR, (3.0, 0.5, 0.1));
    let page = feed.escalated.iter().find(|alert| alert.id == ticket.id).unwrap();
    assert_eq!((page.severity, page.escalations), (Severity::Page, 1));
    assert_eq!(feed.outlook().active, [(AlertKind::NegativeSentiment, Severity::Page)]);
    assert!(page.recurrence < 1.0 && ticket.recurrence > 0.5, "{} then {}", ticket.recurrence, page.recurrence);
}

#[test]
fn a_kind_that_is_a_ticket_never_pages_and_stops_nothing_from_teaching() {
    let (mut feed, mut dice) = (feed(0.0, &["negative_sentiment"]), Dice(62));
    feed.random(&mut dice, 6 * HOUR, QUIET);
    feed.random(&mut dice, 2 * HOUR, (3.0, 0.7, 0.1));
    assert_eq!(feed.kinds(), [AlertKind::NegativeSentiment]);
    assert_eq!(feed.opened[0].severity, Severity::Ticket);
    assert!(feed.escalated.iter().all(|alert| alert.severity == Severity::Ticket));
    feed.random(&mut dice, 6 * HOUR, QUIET);
    assert_eq!(feed.closed.len(), 1);
}
