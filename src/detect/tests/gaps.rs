//! Panes that hold only a part of what was written.

use super::*;

const CALM: Tally = Tally { messages: 10, negative: 2, positive: 0, frustrated: 1 };
const ANGRY: Tally = Tally { messages: 10, negative: 9, positive: 0, frustrated: 1 };

#[test]
fn panes_that_hold_a_part_open_nothing_and_teach_nothing() {
    let mut feed = Feed::new(&settings(), &unknown());
    feed.panes(300, CALM);
    let expected = feed.outlook().expected_negative;
    feed.partial_panes(400, ANGRY);
    assert!(feed.detector.is_suspended());
    assert_eq!(feed.outlook().expected_negative, expected, "the baseline stands where it stood");
    assert_eq!(feed.outlook().scores, [0.0; 2], "nothing is tested");

    feed.panes(400, CALM);
    assert!(!feed.detector.is_suspended());
    assert_eq!(feed.opened, []);
    let after = feed.outlook().expected_negative.unwrap();
    assert!((after - 0.2).abs() < 1e-3, "what came afterwards taught alone: {after}");
}

#[test]
fn no_window_is_tested_that_has_a_pane_of_a_gap_in_it() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(60, CALM);
    feed.partial_pane(ANGRY);
    let gap_ended = feed.end;
    feed.panes(29, ANGRY);
    assert!(feed.opened.is_empty() && feed.detector.is_suspended(), "the window reaches back into the gap");
    feed.pane(ANGRY);
    assert!(!feed.detector.is_suspended());
    assert_eq!(feed.opened.len(), 1);
    assert_eq!(feed.opened[0].started, EventTime::from_millis((gap_ended + 300) * 1_000));
}

#[test]
fn what_led_to_a_gap_and_what_followed_it_teaches_nothing_where_the_first_test_opens_an_alert() {
    let mut feed = Feed::new(&settings(), &unknown());
    feed.panes(300, CALM);
    let expected = feed.outlook().expected_negative.unwrap();
    // The incident begins too late to open anything before the gap.
    feed.panes(1, ANGRY);
    assert!(feed.opened.is_empty());
    feed.partial_panes(3, ANGRY);
    feed.panes(60, ANGRY);
    assert_eq!(feed.opened.len(), 1);
    let after = feed.outlook().expected_negative.unwrap();
    assert!((after - expected).abs() < 1e-9, "{expected} became {after}");
}

#[test]
fn panes_that_were_open_when_a_gap_ended_teach_nothing_and_are_not_tested() {
    let mut feed = Feed::new(&settings(), &unknown());
    feed.panes(300, CALM);
    let expected = feed.outlook().expected_negative.unwrap();
    feed.partial_panes(3, CALM);
    feed.detector.resume_after(EventTime::from_millis((feed.end + 30) * 1_000));
    feed.panes(3, ANGRY);
    feed.panes(60, CALM);
    assert!(feed.opened.is_empty() && !feed.detector.is_suspended());
    let after = feed.outlook().expected_negative.unwrap();
    assert!((after - expected).abs() < 1e-3, "{expected} became {after}");
}

#[test]
fn an_alert_goes_on_after_a_short_gap_and_is_neither_closed_nor_told_anew() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(40, ANGRY);
    feed.partial_panes(60, CALM);
    feed.panes(60, ANGRY);
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 0));
    feed.panes(90, CALM);
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 1), "calm closes it as ever");
}

#[test]
fn an_alert_that_cannot_be_judged_for_half_an_hour_ends() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(40, ANGRY);
    let gap_begun = feed.end + 10;
    feed.partial_panes(400, ANGRY);
    assert_eq!(feed.closed.len(), 1);
    assert_eq!(feed.closed[0].ended, Some(EventTime::from_millis((gap_begun + 1_800) * 1_000)));
    assert_eq!(feed.outlook().active, None);
    feed.panes(60, ANGRY);
    assert_eq!(feed.opened.len(), 2, "what goes on is told anew once it can be seen again");
}

#[test]
fn calm_seen_before_a_gap_does_not_close_an_alert_after_it() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(40, ANGRY);
    // Calm for all but the last pane of the hold.
    let mut calm = 0;
    while feed.closed.is_empty() {
        let mut trial = Feed {
            detector: feed.detector.clone(),
            panes: feed.panes.clone(),
            opened: Vec::new(),
            closed: Vec::new(),
            ..feed
        };
        trial.pane(CALM);
        if !trial.closed.is_empty() {
            break;
        }
        feed.pane(CALM);
        calm += 1;
    }
    assert!(calm > 12);
    feed.partial_pane(CALM);
    feed.panes(30, CALM);
    assert!(feed.closed.is_empty(), "the first window after the gap is the first calm one");
    feed.panes(12, CALM);
    assert_eq!(feed.closed.len(), 1);
}

#[test]
fn an_alert_that_nobody_judged_for_half_an_hour_between_two_members_is_over() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(40, ANGRY);
    let judged = feed.end;
    let at = |second: i64| EventTime::from_millis(second * 1_000);
    let taken_up = |after: i64| {
        let mut detector = Detector::new(&settings(), &configured());
        detector.restore(feed.detector.snapshot());
        let ended = detector.take_up_after(at(judged), at(judged + after));
        (detector, ended.len())
    };
    assert_eq!(taken_up(1_790).1, 0, "it may go on");
    let (detector, ended) = taken_up(1_800);
    assert_eq!((ended, detector.open_alerts().count()), (1, 0));
}

#[test]
fn each_member_that_gets_a_part_goes_on_with_the_half_hour_of_the_one_before() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(40, ANGRY);
    let judged = feed.end;
    // Twice given to another member, each time with nothing but a part.
    for _ in 0..2 {
        let state = feed.detector.snapshot();
        feed.detector = Detector::new(&settings(), &configured());
        feed.detector.restore(state);
        let judged = EventTime::from_millis(judged * 1_000);
        assert!(feed.detector.take_up_after(judged, EventTime::from_millis(feed.end * 1_000)).is_empty());
        feed.partial_panes(80, ANGRY);
        assert_eq!(feed.closed.len(), 0);
    }
    feed.partial_panes(20, ANGRY);
    assert_eq!(feed.closed.len(), 1);
    assert_eq!(feed.closed[0].ended, Some(EventTime::from_millis((judged + 1_800) * 1_000)));
}
