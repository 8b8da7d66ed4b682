//! When alerts open and close.

use super::*;

/// Six messages a minute, as expected.
const CALM: (f64, f64, f64) = (6.0, 0.2, 0.1);
/// The same number, far more of them negative.
const ANGRY: (f64, f64, f64) = (6.0, 0.6, 0.1);

#[test]
fn a_ratio_far_above_what_is_normal_opens_one_alert_and_calm_closes_it() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(1));
    feed.random(&mut dice, 6 * HOUR, CALM);
    assert_eq!(feed.opened, []);
    let onset = feed.end;
    feed.random(&mut dice, 30, ANGRY);
    assert_eq!(feed.kinds(), [AlertKind::NegativeSentiment]);
    assert_eq!(feed.outlook().state, AlertState::Active);
    let alert = feed.opened[0].clone();
    let took = (alert.started.as_millis() - onset.as_millis()) / MINUTE;
    assert!((2..=12).contains(&took), "{took} minutes: {alert:#?}");
    feed.random(&mut dice, 2 * HOUR, CALM);
    assert_eq!(feed.closed.len(), 1);
    assert_eq!(feed.closed[0].id, alert.id);
    assert!(feed.closed[0].ended.is_some_and(|ended| feed.minutes_since(ended) >= 60), "{:#?}", feed.closed);
    assert_eq!(feed.opened.len(), 1, "what was judged is not judged again");
}

#[test]
fn an_alert_names_its_likeliest_onset() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(2));
    feed.random(&mut dice, 6 * HOUR, CALM);
    let onset = feed.end;
    feed.random(&mut dice, 30, ANGRY);
    let off = (feed.opened[0].since.as_millis() - onset.as_millis()) / MINUTE;
    assert!((-10..=5).contains(&off), "{off} minutes off");
}

#[test]
fn what_is_rare_for_a_minute_only_is_pending_and_opens_nothing() {
    let mut feed = Feed::new(configured());
    feed.minutes(HOUR, tally(5, 1, 0));
    feed.minute(tally(30, 30, 0));
    assert_eq!((feed.outlook().state, feed.opened.len()), (AlertState::Pending, 0));
    feed.minutes(5, tally(40, 0, 0));
    assert_eq!((feed.outlook().state, feed.opened.len()), (AlertState::Quiet, 0));
}

#[test]
fn an_alert_that_recovers_goes_on_where_it_gets_worse_again() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(3));
    feed.random(&mut dice, 6 * HOUR, CALM);
    feed.random(&mut dice, 30, ANGRY);
    let calm_after = (0..30).find(|_| {
        feed.random(&mut dice, 1, (6.0, 0.1, 0.05));
        feed.outlook().state == AlertState::Recovering
    });
    assert!(calm_after.is_some(), "{:?}", feed.outlook());
    feed.random(&mut dice, 5, (6.0, 0.1, 0.05));
    feed.random(&mut dice, 30, ANGRY);
    assert_eq!(feed.outlook().state, AlertState::Active);
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 0));
}

#[test]
fn the_worst_moment_of_an_alert_is_told() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(4));
    feed.random(&mut dice, 6 * HOUR, CALM);
    feed.random(&mut dice, 60, ANGRY);
    let open: Vec<Alert> = feed.detector.open_alerts().map(|(_, alert)| alert.clone()).collect();
    assert!(open[0].recurrence < feed.opened[0].recurrence / 1e6, "{open:#?}");
    assert!(open[0].p_value < feed.opened[0].p_value);
    assert_eq!(open[0].started, feed.opened[0].started);
}

#[test]
fn both_kinds_may_be_open_and_each_is_told_once() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(5));
    feed.random(&mut dice, 6 * HOUR, CALM);
    feed.random(&mut dice, 40, (6.0, 0.7, 0.6));
    let mut kinds = feed.kinds();
    kinds.sort();
    assert_eq!(kinds, [AlertKind::NegativeSentiment, AlertKind::Frustration]);
    assert_eq!(feed.outlook().active.len(), 2);
}

#[test]
fn a_smaller_budget_needs_more() {
    let minutes_until = |budget| {
        let settings = DetectConfig { false_alarms_per_month: budget, ..DetectConfig::default() };
        let (mut feed, mut dice) = (Feed::with(&settings, configured()), Dice(6));
        feed.random(&mut dice, 6 * HOUR, (1.0, 0.2, 0.1));
        (0..300).find(|_| {
            feed.random(&mut dice, 1, (1.0, 0.45, 0.1));
            !feed.opened.is_empty()
        })
    };
    let [rare, usual, often] = [0.05, 1.0, 20.0].map(minutes_until);
    assert!(often.unwrap() <= usual.unwrap() && usual.unwrap() <= rare.unwrap(), "{often:?} {usual:?} {rare:?}");
    assert!(often.unwrap() < rare.unwrap());
}

#[test]
fn a_few_messages_never_open_an_alert_whatever_they_say() {
    let mut feed = Feed::new(configured());
    for _ in 0..20 {
        feed.minutes(6 * HOUR, Tally::default());
        feed.minutes(2, tally(1, 1, 1));
    }
    assert_eq!(feed.opened, []);
}

#[test]
fn a_department_of_five_messages_an_hour_is_found_within_the_day() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(7));
    feed.random(&mut dice, 4 * DAY, (5.0 / 60.0, 0.2, 0.1));
    feed.random(&mut dice, DAY, (5.0 / 60.0, 0.7, 0.1));
    assert_eq!(feed.kinds(), [AlertKind::NegativeSentiment]);
}

#[test]
fn two_kinds_that_take_turns_in_an_incident_page_once_each() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(8));
    feed.random(&mut dice, 6 * HOUR, CALM);
    for _ in 0..8 {
        feed.random(&mut dice, 25, (6.0, 0.6, 0.1));
        feed.random(&mut dice, 25, (6.0, 0.2, 0.5));
    }
    let mut kinds = feed.kinds();
    kinds.sort();
    assert_eq!(kinds, [AlertKind::NegativeSentiment, AlertKind::Frustration]);
    assert_eq!(feed.closed, []);
    feed.random(&mut dice, HOUR, CALM);
    let ended: Vec<_> = feed.closed.iter().map(|closed| closed.ended).collect();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0], ended[1], "they close together");
}

#[test]
fn an_incident_that_comes_back_has_to_be_calm_for_longer_each_time() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(9));
    feed.random(&mut dice, 6 * HOUR, CALM);
    for _ in 0..6 {
        feed.random(&mut dice, 40, ANGRY);
        feed.random(&mut dice, 35, CALM);
    }
    assert!((2..=3).contains(&feed.opened.len()), "{:#?}", feed.opened);
}

#[test]
fn an_alert_that_gets_clearly_worse_escalates_and_one_that_goes_on_as_it_began_does_not() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(6));
    feed.random(&mut dice, 6 * HOUR, CALM);
    feed.random(&mut dice, 25, (6.0, 0.45, 0.1));
    assert_eq!((feed.opened.len(), feed.escalated.len()), (1, 0));
    feed.random(&mut dice, 30, (12.0, 0.9, 0.1));
    let opened = feed.opened[0].clone();
    let told: Vec<_> = feed.escalated.iter().filter(|alert| alert.id == opened.id).collect();
    assert!(!told.is_empty());
    assert!(told[0].recurrence <= opened.recurrence / 100.0);
    assert_eq!(
        told.iter().map(|alert| alert.escalations).collect::<Vec<_>>(),
        (1..).take(told.len()).collect::<Vec<_>>()
    );
    feed.random(&mut dice, 4 * HOUR, CALM);
    let count = feed.escalated.iter().filter(|alert| alert.id == opened.id).count();
    let closed = feed.closed.iter().find(|alert| alert.id == opened.id);
    assert_eq!(closed.map(|alert| alert.escalations as usize), Some(count), "calm closes it");
}
