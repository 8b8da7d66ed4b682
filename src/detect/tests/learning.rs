//! What is normal, and how little may be known of it.

use super::*;

/// The negative ratio expected, in thousandths.
fn expected(feed: &Feed) -> i32 {
    let ratio = feed.outlook().expected_negative.unwrap();
    (0..=1_000).find(|thousandths| (f64::from(*thousandths) / 1_000.0 - ratio).abs() < 1e-9).unwrap()
}

#[test]
fn a_department_learns_its_own_ratio() {
    let mut feed = Feed::new(&settings(), &unknown());
    assert_eq!(feed.outlook(), DepartmentOutlook::default());
    feed.panes(10, tally(10, 5, 0));
    assert_eq!(feed.outlook().expected_negative, Some(0.3), "nothing has left the window: the prior");
    assert_eq!(feed.outlook().state, AlertState::Learning);
    feed.panes(30 + 90, tally(10, 5, 0));
    assert_eq!(feed.outlook().state, AlertState::Quiet, "a thousand messages have taught");
    assert_eq!((expected(&feed), feed.outlook().expected_frustrated), (500, Some(0.0)));
    assert_eq!(feed.opened, []);
}

#[test]
fn the_prior_gives_way_to_what_was_learned() {
    let mut feed = Feed::new(&settings(), &unknown());
    let mut previous = 0.3;
    feed.panes(30, tally(10, 6, 0));
    for _ in 0..99 {
        feed.pane(tally(10, 6, 0));
        let expected = feed.outlook().expected_negative.unwrap();
        assert!(expected > previous && expected < 0.6, "{expected} after {previous}");
        previous = expected;
    }
    feed.pane(tally(10, 6, 0));
    assert_eq!(expected(&feed), 600);
}

#[test]
fn a_configured_ratio_alerts_from_the_first_full_window() {
    let mut feed = Feed::new(&settings(), &configured());
    assert_eq!(feed.outlook().state, AlertState::Quiet);
    assert_eq!(feed.outlook().expected_negative, Some(0.2));
    feed.panes(1, tally(12, 11, 0));
    assert_eq!(feed.opened.len(), 1);
}

#[test]
fn an_unknown_department_may_alert_from_200_messages_on() {
    let mut feed = Feed::new(&settings(), &unknown());
    feed.panes(19, tally(10, 10, 10));
    assert_eq!(feed.opened, [], "190 messages, all of them unhappy");
    feed.panes(1, tally(10, 10, 10));
    assert_eq!(feed.opened.len(), 1);
}

#[test]
fn a_department_that_is_learning_alerts_but_needs_more() {
    // Calm for longer than the window: 240 messages were seen, 120 of them have taught.
    let unhappy_panes = |roster: &Roster, negative: u32| {
        let mut feed = Feed::new(&settings(), roster);
        feed.panes(60, tally(4, 1, 0));
        let calm = feed.end;
        feed.panes(60, tally(4, negative, 0));
        feed.opened.first().map(|alert| (alert.started.as_millis() / 1_000 - calm) / 10)
    };
    let (learning, known) =
        (unhappy_panes(&unknown(), 4).unwrap(), unhappy_panes(&roster(Some(0.25), Some(0.1)), 4).unwrap());
    assert!(learning > known && learning < 25, "opened after {learning} panes, {known} where the ratio is known");
}

#[test]
fn an_alert_and_the_window_that_led_to_it_teach_nothing() {
    let mut feed = Feed::new(&settings(), &unknown());
    feed.panes(1_000, tally(10, 2, 1));
    assert_eq!(expected(&feed), 200);
    let before = feed.outlook().expected_negative.unwrap();
    feed.panes(360, tally(10, 8, 1));
    assert_eq!(feed.opened.len(), 1);
    feed.panes(60, tally(10, 2, 1));
    assert_eq!(feed.closed.len(), 1);
    let after = feed.outlook().expected_negative.unwrap();
    assert!((after - before).abs() < 1e-12, "{after}");
}

#[test]
fn the_very_pane_that_opens_an_alert_teaches_nothing() {
    let settings = DetectConfig { window: Span::from_secs(10), ..settings() };
    let mut feed = Feed::new(&settings, &unknown());
    feed.panes(200, tally(50, 10, 5));
    feed.panes(1, tally(50, 50, 5));
    feed.panes(60, tally(50, 10, 5));
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 1));
    assert_eq!(expected(&feed), 200);
}

#[test]
fn a_ratio_that_lasts_for_days_becomes_normal_so_that_no_page_lasts_for_good() {
    let mut feed = Feed::new(&settings(), &unknown());
    feed.panes(1_000, tally(5, 1, 0));
    feed.panes(8_640, tally(5, 3, 0));
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 0), "a day of it is an alert still");
    feed.panes(14 * 8_640, tally(5, 3, 0));
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 1));
    assert!(feed.outlook().expected_negative.unwrap() > 0.5);
}

#[test]
fn the_average_forgets_by_half_in_a_half_life() {
    let settings = DetectConfig { half_life: Span::from_secs(86_400), learn_messages: 1, ..settings() };
    let mut feed = Feed::new(&settings, &unknown());
    feed.panes(1, tally(1_000, 400, 0));
    feed.panes(8_639, Tally::default());
    // Twice the weight would be as much as the older messages' whole: half of it is a third of both.
    feed.panes(1, tally(1_000, 100, 0));
    feed.panes(31, Tally::default());
    let expected = feed.outlook().expected_negative.unwrap();
    assert!((expected - (0.5 * 400.0 + 100.0) / 1_500.0).abs() < 1e-12, "{expected}");
}

#[test]
fn after_years_of_silence_a_department_is_learned_anew() {
    let mut feed = Feed::new(&settings(), &unknown());
    feed.panes(200, tally(10, 1, 1));
    feed.panes(31, Tally::default());
    feed.end += 20 * 365 * 86_400;
    feed.panes(1, tally(10, 2, 1));
    assert_eq!(expected(&feed), 100, "nothing else is known yet");
    feed.panes(100, tally(10, 2, 1));
    assert_eq!(expected(&feed), 200);
    assert_eq!(feed.opened, []);
}
