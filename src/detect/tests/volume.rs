//! Too many messages, and too few.

use super::*;

/// A working day: 8 messages a minute by day and 1 by night.
fn day(feed: &mut Feed, dice: &mut Dice, factor: f64) {
    for hour in 0..24 {
        let mean = if (8..20).contains(&hour) { 8.0 } else { 1.0 };
        feed.random(dice, HOUR, (mean * factor, 0.2, 0.1));
    }
}

fn weeks(feed: &mut Feed, dice: &mut Dice, count: usize) {
    (0..7 * count).for_each(|_| day(feed, dice, 1.0));
}

#[test]
fn nights_are_no_silence_and_mornings_no_surge() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(11));
    weeks(&mut feed, &mut dice, 4);
    assert_eq!(feed.of_volume(), []);
}

#[test]
fn customers_who_stop_writing_are_noticed_by_day_within_minutes() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(12));
    weeks(&mut feed, &mut dice, 3);
    feed.random(&mut dice, 8 * HOUR, (1.0, 0.2, 0.1));
    feed.random(&mut dice, 4 * HOUR, (8.0, 0.2, 0.1));
    feed.minutes(30, Tally::default());
    assert_eq!(feed.of_volume(), [AlertKind::Silence]);
    let alert = feed.opened.last().unwrap().clone();
    assert_eq!((alert.messages, alert.observed), (0, 0.0));
    assert!(alert.expected > 4.0, "{alert:#?}");
    feed.random(&mut dice, HOUR, (8.0, 0.2, 0.1));
    assert!(feed.closed.iter().any(|closed| closed.id == alert.id), "they write again");
}

#[test]
fn a_silence_of_four_times_the_longest_usual_gap_is_noticed() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(13));
    // A message every 5 minutes: the longest gap of a month is three quarters of an hour.
    feed.random(&mut dice, 4 * WEEK, (0.2, 0.2, 0.1));
    assert_eq!(feed.of_volume(), []);
    feed.minutes(4 * 45, Tally::default());
    assert_eq!(feed.of_volume(), [AlertKind::Silence]);
}

#[test]
fn a_surge_is_noticed_and_a_campaign_is_not() {
    for (factor, expected) in [(1.6, vec![]), (4.0, vec![AlertKind::VolumeSurge])] {
        let (mut feed, mut dice) = (Feed::new(configured()), Dice(14));
        weeks(&mut feed, &mut dice, 3);
        day(&mut feed, &mut dice, factor);
        assert_eq!(feed.of_volume(), expected, "{factor} times the usual volume");
    }
}

#[test]
fn a_holiday_is_no_silence() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(15));
    weeks(&mut feed, &mut dice, 3);
    day(&mut feed, &mut dice, 0.55);
    assert_eq!(feed.of_volume(), []);
}

#[test]
fn a_volume_that_stays_becomes_normal() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(16));
    weeks(&mut feed, &mut dice, 2);
    (0..14).for_each(|_| day(&mut feed, &mut dice, 4.0));
    assert_eq!(feed.of_volume(), [AlertKind::VolumeSurge]);
    assert!(feed.outlook().active.is_empty());
}

#[test]
fn nothing_is_said_of_volumes_before_a_day_was_seen() {
    let mut feed = Feed::new(configured());
    feed.minutes(10 * HOUR, tally(10, 2, 1));
    feed.minutes(10 * HOUR, Tally::default());
    assert_eq!(feed.of_volume(), []);
}

#[test]
fn a_surge_of_a_department_that_hardly_anybody_wrote_to_is_one_alert() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(17));
    feed.random(&mut dice, 4 * DAY, (0.01, 0.2, 0.1));
    feed.random(&mut dice, 20 * HOUR, (3.0, 0.2, 0.1));
    assert_eq!(feed.of_volume(), [AlertKind::VolumeSurge]);
    assert_eq!(feed.closed, [], "it goes on");
}

#[test]
fn days_that_differ_are_no_surge_in_the_first_week() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(18));
    for factor in [1.0, 1.5, 0.7, 1.8, 1.0, 2.0, 0.6] {
        day(&mut feed, &mut dice, factor);
    }
    assert_eq!(feed.of_volume(), []);
}

#[test]
fn three_messages_of_one_night_are_no_surge() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(19));
    for hour in 0..28 * 24 {
        feed.random(&mut dice, HOUR, (if (8..20).contains(&(hour % 24)) { 0.3 } else { 0.0005 }, 0.2, 0.1));
    }
    feed.minutes(3 * HOUR, Tally::default());
    feed.minutes(3, tally(1, 0, 0));
    feed.minutes(5, Tally::default());
    assert_eq!(feed.of_volume(), []);
}

#[test]
fn a_silence_that_begins_with_a_gap_is_noticed() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(20));
    feed.random(&mut dice, 4 * WEEK, (0.2, 0.2, 0.1));
    let partial = EventTime::from_millis(feed.end.as_millis() + 10_000);
    feed.detector.skip(partial);
    feed.minutes(6 * HOUR, Tally::default());
    assert_eq!(feed.of_volume(), [AlertKind::Silence]);
}
