//! Panes that hold only a part of what was written.

use super::*;

const CALM: Tally = Tally { messages: 10, negative: 2, positive: 0, frustrated: 1 };
const ANGRY: Tally = Tally { messages: 10, negative: 9, positive: 0, frustrated: 1 };

impl Feed {
    /// Minutes of which others may have counted more.
    fn partial_minutes(&mut self, count: usize) {
        for _ in 0..count {
            self.end = EventTime::from_millis(self.end.as_millis() + MINUTE);
            let changes = self.detector.skip(self.end);
            self.take(changes);
        }
    }

    fn ended_after(&self, moment: EventTime) -> Vec<i64> {
        let minutes = |alert: &Alert| (alert.ended.unwrap().as_millis() - moment.as_millis()) / MINUTE;
        self.closed.iter().map(minutes).collect()
    }
}

#[test]
fn panes_that_hold_a_part_open_nothing_and_teach_nothing() {
    let mut feed = Feed::new(unknown());
    feed.minutes(6 * HOUR, CALM);
    let expected = feed.outlook().usual_negative;
    feed.partial_minutes(HOUR);
    assert!(feed.detector.is_suspended());
    assert_eq!(feed.outlook().usual_negative, expected, "the baseline stands where it stood");
    assert_eq!(feed.outlook().scores, [0.0; AlertKind::TESTED.len()], "nothing is tested");
    feed.minutes(6 * HOUR, CALM);
    assert!(!feed.detector.is_suspended());
    assert_eq!(feed.opened, []);
}

#[test]
fn only_what_came_after_a_gap_is_tested() {
    let mut feed = Feed::new(configured());
    feed.minutes(HOUR, CALM);
    feed.minutes(1, ANGRY);
    feed.partial_minutes(1);
    feed.minutes(1, ANGRY);
    assert!(!feed.detector.is_suspended());
    assert_eq!(feed.opened, [], "one minute is in sight");
    feed.minutes(3, ANGRY);
    assert_eq!(feed.opened.len(), 1);
}

#[test]
fn a_minute_with_one_partial_pane_in_it_is_not_tested() {
    let mut feed = Feed::new(configured());
    feed.minutes(HOUR, CALM);
    let partial = EventTime::from_millis(feed.end.as_millis() + 10_000);
    assert!(feed.detector.skip(partial).is_empty());
    feed.minutes(1, ANGRY);
    assert!(feed.detector.is_suspended());
    feed.minutes(1, CALM);
    assert!(!feed.detector.is_suspended());
    assert_eq!(feed.opened, []);
}

#[test]
fn what_led_to_a_gap_teaches_nothing() {
    let usual_after = |last_minute| {
        let mut feed = Feed::new(unknown());
        feed.minutes(6 * HOUR, CALM);
        // The incident begins too late to open anything before the gap.
        feed.minutes(1, last_minute);
        feed.partial_minutes(1);
        feed.minutes(4 * HOUR, Tally::default());
        feed.outlook().usual_negative.unwrap()
    };
    assert_eq!(usual_after(ANGRY), usual_after(CALM));
}

#[test]
fn panes_that_were_open_when_a_gap_ended_are_not_tested() {
    let mut feed = Feed::new(configured());
    feed.minutes(HOUR, CALM);
    feed.partial_minutes(1);
    feed.detector.resume_after(EventTime::from_millis(feed.end.as_millis() + 4 * MINUTE));
    feed.minutes(4, ANGRY);
    assert!(feed.opened.is_empty() && feed.detector.is_suspended());
    feed.minutes(1, CALM);
    assert!(feed.opened.is_empty() && !feed.detector.is_suspended());
}

#[test]
fn an_alert_goes_on_after_a_short_gap_and_is_neither_closed_nor_told_anew() {
    let mut feed = Feed::new(configured());
    feed.minutes(30, ANGRY);
    feed.partial_minutes(10);
    feed.minutes(10, ANGRY);
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 0));
    feed.minutes(HOUR, CALM);
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 1), "calm closes it as ever");
}

#[test]
fn an_alert_that_cannot_be_judged_for_half_an_hour_ends() {
    let mut feed = Feed::new(configured());
    feed.minutes(30, ANGRY);
    let gap_begun = EventTime::from_millis(feed.end.as_millis() + MINUTE);
    feed.partial_minutes(HOUR);
    assert_eq!(feed.ended_after(gap_begun), [30]);
    assert!(feed.outlook().active.is_empty());
    feed.minutes(10, ANGRY);
    assert_eq!(feed.opened.len(), 2, "what goes on is told anew once it can be seen again");
}

#[test]
fn calm_seen_before_a_gap_does_not_close_an_alert_after_it() {
    let mut feed = Feed::new(configured());
    feed.minutes(30, ANGRY);
    feed.minutes(HOUR, Tally { negative: 0, ..CALM });
    let calm_for = feed.closed[0].ended.map(|ended| HOUR as i64 - feed.minutes_since(ended)).unwrap();
    let mut feed = Feed::new(configured());
    feed.minutes(30, ANGRY);
    feed.minutes(usize::try_from(calm_for).unwrap() - 1, Tally { negative: 0, ..CALM });
    feed.partial_minutes(1);
    feed.minutes(2, CALM);
    assert!(feed.closed.is_empty(), "the first minute after the gap is the first calm one");
    feed.minutes(HOUR, CALM);
    assert_eq!(feed.closed.len(), 1);
}

#[test]
fn an_alert_that_nobody_judged_for_half_an_hour_between_two_members_is_over() {
    let mut feed = Feed::new(configured());
    feed.minutes(30, ANGRY);
    let taken_up = |minutes: i64| {
        let mut detector = Feed::new(configured()).detector;
        detector.restore(feed.detector.snapshot());
        let until = EventTime::from_millis(feed.end.as_millis() + minutes * MINUTE);
        let ended = detector.take_up_after(feed.end, until);
        (detector, ended.len())
    };
    assert_eq!(taken_up(29).1, 0, "it may go on");
    let (detector, ended) = taken_up(30);
    assert_eq!((ended, detector.open_alerts().count()), (1, 0));
}

#[test]
fn each_member_that_gets_a_part_goes_on_with_the_half_hour_of_the_one_before() {
    let mut feed = Feed::new(configured());
    feed.minutes(30, ANGRY);
    let judged = feed.end;
    // Twice given to another member, each time with nothing but a part.
    for _ in 0..2 {
        let state = feed.detector.snapshot();
        feed.detector = Feed::new(configured()).detector;
        feed.detector.restore(state);
        let end = feed.end;
        let changes = feed.detector.take_up_after(judged, end);
        assert!(changes.is_empty());
        feed.partial_minutes(13);
        assert_eq!(feed.closed.len(), 0);
    }
    feed.partial_minutes(5);
    assert_eq!(feed.ended_after(judged), [30]);
}

#[test]
fn panes_left_out_were_empty_and_a_jump_over_years_is_no_work() {
    let mut feed = Feed::new(configured());
    feed.minutes(30, CALM);
    feed.end = EventTime::from_millis(feed.end.as_millis() + 20 * 365 * 24 * 60 * MINUTE);
    feed.minutes(30, CALM);
    assert_eq!(feed.opened, []);
}
