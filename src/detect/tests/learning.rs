//! What is normal, and how little may be known of it.

use super::*;

/// The negative ratio expected in an average hour, in hundredths.
fn expected(feed: &Feed) -> f64 {
    (feed.outlook().usual_negative.unwrap().expected * 100.0).round()
}

#[test]
fn a_department_learns_its_own_ratio() {
    let mut feed = Feed::new(unknown());
    assert_eq!(feed.outlook(), DepartmentOutlook::default());
    feed.minutes(HOUR, tally(10, 5, 0));
    assert_eq!(
        (expected(&feed), feed.outlook().state),
        (30.0, AlertState::Learning),
        "nothing is trusted yet: the prior"
    );
    feed.minutes(9 * HOUR, tally(10, 5, 0));
    assert_eq!((expected(&feed), feed.outlook().state), (50.0, AlertState::Quiet));
    assert_eq!(feed.opened, []);
}

#[test]
fn a_configured_ratio_alerts_within_the_first_minutes() {
    let mut feed = Feed::new(configured());
    assert_eq!(
        (feed.outlook().state, feed.outlook().usual_negative.map(|usual| usual.expected)),
        (AlertState::Quiet, Some(0.2))
    );
    feed.minutes(3, tally(12, 11, 0));
    assert_eq!(feed.opened.len(), 1);
}

#[test]
fn an_unknown_department_may_alert_from_200_messages_on() {
    let mut feed = Feed::new(unknown());
    feed.minutes(19, tally(10, 10, 10));
    assert_eq!(feed.opened, [], "190 messages, all of them unhappy");
    feed.minutes(2, tally(10, 10, 10));
    assert!(!feed.opened.is_empty());
}

#[test]
fn a_department_that_is_learning_alerts_but_needs_more() {
    let minutes_until = |department| {
        let (mut feed, mut dice) = (Feed::new(department), Dice(21));
        feed.random(&mut dice, 5 * HOUR, (2.0, 0.2, 0.1));
        (0..600).find(|_| {
            feed.random(&mut dice, 1, (2.0, 0.5, 0.1));
            !feed.opened.is_empty()
        })
    };
    let (learning, known) = (minutes_until(unknown()).unwrap(), minutes_until(configured()).unwrap());
    assert!(learning > known, "found after {learning} minutes, {known} where the ratio is known");
}

#[test]
fn an_hour_of_the_week_has_a_ratio_of_its_own() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(22));
    // Nights are twice as unhappy: whom a day's support has left waiting.
    let week = |feed: &mut Feed, dice: &mut Dice| {
        (0..7 * 24).for_each(|hour| {
            let ratio = if hour % 24 < 6 { 0.4 } else { 0.2 };
            feed.random(dice, HOUR, (3.0, ratio, 0.1));
        });
    };
    (0..3).for_each(|_| week(&mut feed, &mut dice));
    let before = feed.opened.len();
    (0..4).for_each(|_| week(&mut feed, &mut dice));
    assert_eq!(feed.opened.len(), before, "{:#?}", feed.opened);
    // The same ratio at noon is an incident.
    feed.random(&mut dice, 12 * HOUR, (3.0, 0.2, 0.1));
    feed.random(&mut dice, 2 * HOUR, (3.0, 0.42, 0.1));
    assert_eq!(feed.opened.len(), before + 1);
}

#[test]
fn an_hour_of_the_week_is_that_of_the_departments_time_zone() {
    // Each day between eight and nine customers are unhappy, by the clocks of New York, which were put forward on 26 April 1970.
    let expected_after_the_change = |zone: &str| {
        let department = DepartmentConfig { time_zone: zone.to_owned(), ..unknown() };
        let (mut feed, mut dice) = (Feed::new(department), Dice(23));
        for day in 0..=112 {
            let eight = if day < 111 { 13 } else { 12 };
            feed.random(&mut dice, eight * HOUR, (1.0, 0.2, 0.1));
            if day == 112 {
                break;
            }
            feed.random(&mut dice, HOUR, (1.0, 0.35, 0.1));
            feed.random(&mut dice, (23 - eight) * HOUR, (1.0, 0.2, 0.1));
        }
        feed.random(&mut dice, 1, (1.0, 0.35, 0.1));
        feed.outlook().usual_negative.unwrap().expected
    };
    let (there, elsewhere) = (expected_after_the_change("America/New_York"), expected_after_the_change("UTC"));
    assert!(there > 0.28 && elsewhere < 0.24, "{there} there, {elsewhere} by UTC");
}

#[test]
fn an_incident_does_not_teach_itself() {
    let mut feed = Feed::new(unknown());
    feed.minutes(10 * DAY, tally(5, 1, 0));
    assert_eq!(expected(&feed), 20.0);
    feed.minutes(6 * HOUR, tally(5, 4, 0));
    assert_eq!(feed.kinds(), [AlertKind::NegativeSentiment]);
    feed.minutes(8 * HOUR, tally(5, 1, 0));
    assert!(feed.outlook().active.is_empty());
    assert_eq!(expected(&feed), 20.0);
}

#[test]
fn a_ratio_that_lasts_for_days_becomes_normal_so_that_no_page_lasts_for_good() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(25));
    feed.random(&mut dice, WEEK, (5.0, 0.2, 0.1));
    let opened = feed.opened.len();
    feed.random(&mut dice, DAY, (5.0, 0.6, 0.1));
    assert_eq!(feed.opened.len(), opened + 1);
    assert_eq!(feed.outlook().state, AlertState::Active, "a day of it is an alert still");
    feed.random(&mut dice, DAY, (5.0, 0.6, 0.1));
    assert!(feed.outlook().active.is_empty());
    assert_eq!(feed.opened.len(), opened + 1);
    assert!(expected(&feed) > 50.0);
}

#[test]
fn what_others_are_like_stands_for_a_department_of_which_nothing_is_known() {
    let departments = vec![DepartmentConfig::named("care"), DepartmentConfig::named("new")];
    let roster = Roster::new(&Config { departments, ..Config::default() });
    let mut detector = Detector::new(&DetectConfig::default(), &roster);
    let new = DepartmentId(1);
    for minute in 1..10 * 60 {
        let end = EventTime::from_millis(minute * MINUTE);
        detector.close(end, |department| if department == CARE { tally(10, 1, 1) } else { Tally::default() });
    }
    detector.close(EventTime::from_millis(600 * MINUTE), |department| tally(u32::from(department == new), 0, 0));
    let ratio = detector.outlook(new).usual_negative.unwrap().expected;
    assert!((ratio - 0.2).abs() < 0.01, "half of the configured 0.3, half of care's 0.1: {ratio}");
}

#[test]
fn a_department_whose_customers_are_nearly_all_unhappy_is_not_alarmed_by_that() {
    let (mut feed, mut dice) = (Feed::new(unknown()), Dice(26));
    feed.random(&mut dice, 3 * WEEK, (1.0, 0.98, 0.1));
    assert!(feed.opened.len() <= 2, "{:?}", feed.kinds());
}
