//! Single messages that a person must read.

use super::*;
use crate::detect::Severity;

const CALM: Tally = Tally { messages: 10, negative: 2, positive: 0, frustrated: 1 };
const ANGRY: Tally = Tally { messages: 10, negative: 9, positive: 0, frustrated: 1 };

impl Feed {
    /// A minute with so many severe messages among its own.
    fn severe_minute(&mut self, messages: u32, tally: Tally) {
        let last_pane = EventTime::from_millis(self.end.as_millis() + MINUTE - 10_000);
        self.detector.note_severe(CARE, last_pane, messages);
        self.minute(tally);
    }

    fn tickets(&self) -> Vec<&Alert> {
        self.opened.iter().filter(|alert| alert.kind == AlertKind::Severe).collect()
    }
}

#[test]
fn one_severe_message_is_a_ticket_in_the_first_minute_of_a_department() {
    let mut feed = Feed::new(unknown());
    feed.severe_minute(1, tally(1, 0, 0));
    let [ticket] = feed.tickets()[..] else { panic!("{:?}", feed.opened) };
    assert_eq!(ticket.id, format!("care-severe-{}", feed.end.as_millis()));
    assert_eq!((ticket.severity, ticket.started, ticket.messages), (Severity::Ticket, feed.end, 1));
    assert_eq!(ticket.since, EventTime::from_millis(feed.end.as_millis() - 10_000), "its pane");
    assert_eq!(feed.outlook().active, [(AlertKind::Severe, Severity::Ticket)]);
}

#[test]
fn more_of_them_are_the_same_ticket_which_closes_once_none_has_come_for_the_hold() {
    let mut feed = Feed::new(configured());
    feed.minutes(HOUR, CALM);
    for _ in 0..3 {
        feed.severe_minute(2, CALM);
        feed.minutes(14, CALM);
    }
    assert_eq!((feed.tickets().len(), feed.closed.len()), (1, 0));
    feed.minutes(1, CALM);
    assert_eq!(feed.closed.len(), 1);
    let (opened, closed) = (&feed.opened[0], &feed.closed[0]);
    assert_eq!((closed.messages, closed.observed), (6, 6.0));
    assert_eq!((&closed.id, closed.ended), (&opened.id, Some(feed.end)));
    assert!(feed.outlook().active.is_empty());
}

#[test]
fn whoever_gets_them_all_the_time_gets_a_ticket_an_hour_at_most() {
    let mut feed = Feed::new(configured());
    for _ in 0..24 * 60 / 16 {
        feed.severe_minute(1, CALM);
        feed.minutes(15, CALM);
    }
    assert_eq!(feed.tickets().len(), 2, "each that comes back holds the next one longer");
    let mut worst = Feed::new(configured());
    for _ in 0..24 {
        worst.severe_minute(1, CALM);
        worst.minutes(61, CALM);
    }
    assert_eq!(worst.tickets().len(), 24);
}

#[test]
fn a_storm_of_them_is_one_ticket() {
    let mut feed = Feed::new(configured());
    (0..6 * 60).for_each(|_| feed.severe_minute(500, tally(600, 0, 0)));
    assert_eq!(feed.tickets().len(), 1);
    let open: Vec<u32> = feed.detector.open_alerts().map(|(_, alert)| alert.messages).collect();
    assert_eq!(open[0].max(open[open.len() - 1]), 6 * 60 * 500);
}

#[test]
fn a_ticket_neither_stops_learning_nor_holds_or_opens_any_other_alert() {
    let run = |with_tickets: bool| {
        let mut feed = Feed::new(unknown());
        let mut dice = Dice(5);
        for minute in 0..3 * 24 * 60 {
            let is_incident = (2_000..2_120).contains(&minute);
            let counts = dice.minute(4.0, if is_incident { 0.7 } else { 0.2 }, 0.1);
            if with_tickets && minute % 10 == 0 {
                feed.severe_minute(1, counts);
            } else {
                feed.minute(counts);
            }
        }
        let others = |alerts: &[Alert]| -> Vec<Alert> {
            alerts.iter().filter(|alert| alert.kind != AlertKind::Severe).cloned().collect()
        };
        let changes = (others(&feed.opened), others(&feed.closed));
        (changes, feed.outlook(), feed.detector.snapshot().departments)
    };
    let ((changes, outlook, learned), (with_tickets, mut shown, learned_too)) = (run(false), run(true));
    assert!(!changes.0.is_empty(), "there was an incident");
    assert_eq!(with_tickets, changes);
    assert_eq!(learned_too, learned);
    assert_eq!(shown.active.pop(), Some((AlertKind::Severe, Severity::Ticket)));
    assert_eq!(shown, outlook, "a department with nothing but a ticket is as quiet as without");
}

#[test]
fn a_ticket_is_held_by_no_incident() {
    let mut feed = Feed::new(configured());
    feed.minutes(30, CALM);
    feed.severe_minute(1, ANGRY);
    feed.minutes(HOUR, ANGRY);
    let closed: Vec<AlertKind> = feed.closed.iter().map(|alert| alert.kind).collect();
    assert_eq!(closed, [AlertKind::Severe], "the incident goes on");
}

#[test]
fn a_daemon_that_holds_a_part_tells_of_the_severe_messages_in_it() {
    let mut feed = Feed::new(configured());
    feed.minutes(HOUR, CALM);
    for minute in 0..40 {
        if minute == 3 {
            feed.detector.note_severe(CARE, feed.end, 1);
        }
        feed.end = feed.end.plus(Duration::from_millis(MINUTE.unsigned_abs()));
        let changes = feed.detector.skip(feed.end);
        feed.take(changes);
        let open = usize::from((3..18).contains(&minute));
        assert_eq!(feed.outlook().active.len(), open, "minute {minute}");
    }
    feed.detector.note_severe(CARE, feed.end, 1);
    feed.minutes(5, CALM);
    assert_eq!(feed.tickets().len(), 2, "and so does one that has all again");
}

#[test]
fn one_that_comes_after_its_pane_has_closed_is_told_by_when_it_was_written() {
    let mut feed = Feed::new(configured());
    feed.minutes(3 * HOUR, CALM);
    let written = EventTime::from_millis(feed.end.as_millis() - 100 * MINUTE + 20_000);
    feed.detector.note_severe(CARE, written, 1);
    feed.minute(CALM);
    let started = EventTime::from_millis(feed.end.as_millis() - 100 * MINUTE);
    assert_eq!(feed.tickets()[0].id, format!("care-severe-{}", started.as_millis()));
    assert_eq!(feed.tickets()[0].since, written);
    feed.minutes(14, CALM);
    assert!(feed.closed.is_empty(), "it is shown for as long as any other");
    feed.minute(CALM);
    assert_eq!(feed.closed.len(), 1);
}

#[test]
fn a_ticket_goes_on_after_a_restart_as_if_there_had_been_none() {
    let (mut unbroken, mut restarted) = (Feed::new(configured()), Feed::new(configured()));
    for minute in 0..100 {
        for feed in [&mut unbroken, &mut restarted] {
            match minute {
                5 | 9 | 60 => feed.severe_minute(3, CALM),
                _ => feed.minute(CALM),
            }
        }
        let saved = restarted.detector.snapshot();
        restarted.detector = Feed::new(configured()).detector;
        restarted.detector.restore(saved);
    }
    assert_eq!((restarted.opened.len(), restarted.closed.len()), (2, 2));
    assert_eq!((&restarted.opened, &restarted.closed), (&unbroken.opened, &unbroken.closed));
}
