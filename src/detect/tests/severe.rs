//! Single messages that a person must read.

use super::*;
use crate::config::Span;
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
fn each_that_comes_back_holds_the_next_one_longer() {
    let mut feed = Feed::new(configured());
    for _ in 0..12 {
        feed.severe_minute(1, CALM);
        feed.minutes(15, CALM);
    }
    assert_eq!(feed.tickets().len(), 2);
    let mut worst = limited(4);
    for _ in 0..22 {
        worst.severe_minute(1, CALM);
        worst.minutes(61, CALM);
    }
    assert_eq!(
        worst.tickets().len(),
        6,
        "15, 30 and three times 60 minutes, and 15 more: then the day's 4 hours are over"
    );
}

#[test]
fn a_department_whose_daily_bread_they_are_gets_a_ticket_a_day_that_tells_of_all_and_says_so() {
    let mut feed = limited(4);
    let days = 5;
    for _ in 0..days * 24 * 60 {
        feed.severe_minute(2, CALM);
    }
    let tickets = feed.tickets();
    assert_eq!(tickets.len(), days);
    assert!(tickets[0].expected.abs() < f64::EPSILON, "nothing is known of the day before");
    let a_day = 2 * 24 * 60;
    for (ticket, closed) in tickets[1..].iter().zip(&feed.closed[1..]) {
        assert!((ticket.expected - f64::from(a_day)).abs() < 20.0, "{ticket:?}");
        assert_eq!(ticket.messages, a_day - 2 * (4 * 60 + 1) + 2, "what had waited, and the minute in which it opens");
        assert_eq!(closed.messages - ticket.messages, 2 * 4 * 60);
    }
    let told: u32 = feed.closed.iter().map(|alert| alert.messages).sum();
    let open: u32 = feed.detector.open_alerts().map(|(_, alert)| alert.messages).sum();
    assert_eq!((told + open) / a_day, u32::try_from(days).unwrap() - 1, "of all but those that wait now");
    let length = |alert: &Alert| alert.ended.unwrap().as_millis() - alert.started.as_millis();
    assert_eq!(length(&feed.closed[0]), 4 * 60 * MINUTE);
}

#[test]
fn a_wave_of_them_delays_none_of_the_day_after_and_is_not_taken_for_daily_bread() {
    let mut feed = limited(4);
    (0..10 * 60).for_each(|_| feed.severe_minute(5, CALM));
    assert_eq!((feed.tickets().len(), feed.closed.len()), (1, 1));
    feed.minutes(14 * HOUR, CALM);
    feed.minutes(2, CALM);
    assert_eq!(feed.tickets().len(), 2, "the rest of the wave is told when the day is over");
    feed.minutes(8 * HOUR, CALM);
    feed.severe_minute(1, CALM);
    assert_eq!(feed.tickets().len(), 3, "at once");
    feed.minutes(40 * HOUR, CALM);
    feed.severe_minute(1, CALM);
    let tickets = feed.tickets();
    assert_eq!(tickets.len(), 4);
    assert!(tickets[3].expected.abs() < f64::EPSILON, "{:?}", tickets[3]);
}

/// Of whose days tickets may be open for so long.
fn limited(hours: u64) -> Feed {
    let severe_open_per_day = Span::from_secs(hours * 3_600);
    Feed::with(&DetectConfig { severe_open_per_day, ..DetectConfig::default() }, configured())
}

#[test]
fn a_limit_that_is_lowered_below_what_was_used_closes_the_ticket_and_the_next_day_tells_of_the_rest() {
    let mut feed = Feed::new(configured());
    (0..180).for_each(|_| feed.severe_minute(1, CALM));
    let mut lowered = limited(1);
    assert!(lowered.detector.restore(feed.detector.snapshot()).is_empty());
    lowered.end = feed.end;
    lowered.severe_minute(1, CALM);
    assert_eq!(lowered.closed.len(), 1);
    (0..22 * 60).for_each(|_| lowered.severe_minute(1, CALM));
    assert_eq!(lowered.tickets().len(), 1);
}

#[test]
fn by_default_no_severe_message_waits() {
    let mut feed = Feed::new(configured());
    (0..50 * 60).for_each(|_| feed.severe_minute(1, CALM));
    assert_eq!((feed.tickets().len(), feed.closed.len()), (1, 0));
}

#[test]
fn a_storm_of_them_is_one_ticket() {
    let mut feed = Feed::new(configured());
    (0..3 * 60).for_each(|_| feed.severe_minute(500, tally(600, 0, 0)));
    assert_eq!(feed.tickets().len(), 1);
    let open: Vec<u32> = feed.detector.open_alerts().map(|(_, alert)| alert.messages).collect();
    assert_eq!(open[0].max(open[open.len() - 1]), 3 * 60 * 500);
}

#[test]
fn a_ticket_neither_stops_learning_nor_holds_or_opens_any_other_alert() {
    let settings = DetectConfig { severe_open_per_day: Span::from_secs(24 * 3_600), ..DetectConfig::default() };
    let run = |with_tickets: bool| {
        let mut feed = Feed::with(&settings, unknown());
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

#[test]
fn the_day_of_a_ticket_goes_on_after_a_restart() {
    let (mut unbroken, mut restarted) = (limited(4), Feed::new(configured()));
    for minute in 0..30 * 60 {
        [&mut unbroken, &mut restarted].into_iter().for_each(|feed| feed.severe_minute(1, CALM));
        if minute % 50 == 0 {
            let saved = restarted.detector.snapshot();
            restarted.detector = limited(4).detector;
            restarted.detector.restore(saved);
        }
    }
    assert_eq!((restarted.opened.len(), restarted.closed.len()), (2, 2));
    assert_eq!((&restarted.opened, &restarted.closed), (&unbroken.opened, &unbroken.closed));
}

#[test]
fn a_day_that_began_with_a_late_message_ends_at_the_same_minute_in_a_replay() {
    let ids_where = |is_late: bool| {
        let mut feed = limited(4);
        feed.minutes(3 * HOUR, CALM);
        let written = EventTime::from_millis(feed.end.as_millis() + 20_000);
        if !is_late {
            feed.detector.note_severe(CARE, written, 1);
        }
        feed.minutes(100, CALM);
        if is_late {
            feed.detector.note_severe(CARE, written, 1);
        }
        (0..26 * 60).for_each(|_| feed.severe_minute(1, CALM));
        let held: Vec<String> =
            feed.tickets().iter().filter(|ticket| ticket.expected > 0.0).map(|ticket| ticket.id.clone()).collect();
        let day_later = written.as_millis() - 20_000 + MINUTE + 24 * 3_600_000;
        (held, format!("care-severe-{day_later}"))
    };
    let ((live, expected), (replayed, _)) = (ids_where(true), ids_where(false));
    assert_eq!(live, [expected]);
    assert_eq!(replayed, live);
}
