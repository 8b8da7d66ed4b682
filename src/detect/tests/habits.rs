//! What changes for good, and what happens time and again, stops paging.

use super::*;

/// An hour of a day at a rate of messages a minute, so much of it negative.
type Hour = fn(day: usize, hour: usize) -> (f64, f64);

const MONTH: usize = 28;

fn usual(_: usize, _: usize) -> (f64, f64) {
    (2.0, 0.2)
}

/// Lives through days, and gives how many alerts opened in each of them.
fn days(feed: &mut Feed, dice: &mut Dice, days: std::ops::Range<usize>, of: Hour) -> Vec<usize> {
    let each = days.map(|day| {
        let before = feed.opened.len();
        for hour in 0..24 {
            let (mean, negative) = of(day, hour);
            feed.random(dice, HOUR, (mean, negative, 0.1));
        }
        feed.opened.len() - before
    });
    each.collect()
}

#[test]
fn a_department_that_is_closed_at_nights_and_weekends_from_the_first_day_on_pages_nobody_for_that() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(41));
    let office: Hour = |day, hour| if day % 7 < 5 && (9..17).contains(&hour) { (3.0, 0.2) } else { (0.0, 0.2) };
    days(&mut feed, &mut dice, 0..4 * 7, office);
    assert_eq!(feed.of_volume(), []);
}

#[test]
fn weekends_that_are_closed_from_now_on_page_no_more_than_three_times() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(42));
    days(&mut feed, &mut dice, 0..MONTH, usual);
    let before = feed.of_volume().len();
    let closed: Hour = |day, _| if day % 7 < 5 { (2.0, 0.2) } else { (0.0, 0.2) };
    days(&mut feed, &mut dice, 0..3 * 7, closed);
    let after = feed.of_volume();
    assert!((before + 1..=before + 3).contains(&after.len()), "{after:?}");
    days(&mut feed, &mut dice, 0..3 * 7, closed);
    assert_eq!(feed.of_volume(), after, "by the fourth weekend it is known");
}

#[test]
fn an_evening_that_is_bad_every_day_pages_for_some_days_and_then_no_more() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(43));
    days(&mut feed, &mut dice, 0..MONTH, usual);
    let evenings: Hour = |_, hour| if hour == 18 { (2.0, 0.6) } else { (2.0, 0.2) };
    let first = days(&mut feed, &mut dice, 0..5, evenings);
    assert!(first[0] > 0, "{first:?}");
    let later = days(&mut feed, &mut dice, 0..9, evenings);
    assert!(later.iter().sum::<usize>() <= 1, "{later:?}");
    // The same at noon is news.
    let noon: Hour = |_, hour| if hour == 12 || hour == 18 { (2.0, 0.6) } else { (2.0, 0.2) };
    assert!(days(&mut feed, &mut dice, 0..1, noon)[0] > 0);
}

#[test]
fn a_batch_that_comes_every_day_becomes_a_habit_of_its_quarter_of_an_hour() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(44));
    days(&mut feed, &mut dice, 0..MONTH, usual);
    let with_batch = |feed: &mut Feed, dice: &mut Dice| {
        let before = feed.of_volume().len();
        feed.random(dice, 9 * HOUR, (2.0, 0.2, 0.1));
        feed.random(dice, 5, (40.0, 0.2, 0.1));
        feed.random(dice, 15 * HOUR - 5, (2.0, 0.2, 0.1));
        feed.of_volume().len() - before
    };
    let paged: Vec<usize> = (0..12).map(|_| with_batch(&mut feed, &mut dice)).collect();
    assert_eq!(paged[0], 1, "{paged:?}");
    assert!(paged[5..].iter().sum::<usize>() <= 1, "{paged:?}");
}

#[test]
fn a_department_that_nobody_writes_to_any_more_is_let_go_within_a_week() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(45));
    days(&mut feed, &mut dice, 0..MONTH, usual);
    feed.minutes(7 * DAY, Tally::default());
    assert!(feed.outlook().active.is_empty());
    let opened = feed.of_volume();
    assert_eq!(opened, [AlertKind::Silence]);
    feed.minutes(4 * 7 * DAY, Tally::default());
    assert_eq!(feed.of_volume(), opened, "and nobody is told again");
}

#[test]
fn a_silence_of_a_long_weekend_leaves_no_mark_on_what_is_usual() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(46));
    days(&mut feed, &mut dice, 0..MONTH, usual);
    let before = feed.outlook().usual_messages.unwrap().expected;
    feed.minutes(2 * DAY, Tally::default());
    days(&mut feed, &mut dice, 0..2, usual);
    let after = feed.outlook().usual_messages.unwrap().expected;
    assert!((after / before - 1.0).abs() < 0.1, "{before} messages an hour, then {after}");
    assert_eq!(feed.of_volume(), [AlertKind::Silence]);
}

#[test]
fn messages_that_come_in_threes_are_neither_surges_nor_silences() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(47));
    for _ in 0..8 * WEEK {
        let Tally { messages, negative, frustrated, .. } = dice.minute(0.5, 0.2, 0.1);
        feed.minute(tally(3 * messages, 3 * negative, 3 * frustrated));
    }
    assert_eq!(feed.of_volume(), []);
}

#[test]
fn a_few_people_a_day_do_not_open_and_close_an_alert_by_turns() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(48));
    days(&mut feed, &mut dice, 0..8 * 7, |_, _| (12.0 / 1440.0, 0.2));
    let before = feed.opened.len();
    days(&mut feed, &mut dice, 0..6, |_, _| (12.0 / 1440.0, 1.0));
    assert!(feed.opened.len() - before <= 4, "{:#?}", &feed.opened[before..]);
}
