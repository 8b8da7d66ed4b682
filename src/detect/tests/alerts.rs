//! Opening and closing.

use super::*;

#[test]
fn a_shift_from_20_to_60_percent_opens_one_alert_that_closes_once() {
    let mut feed = Feed::new(&settings(), &configured());
    let mut dice = Dice(1);
    for _ in 0..720 {
        feed.pane(dice.pane(4.0, 0.2, 0.1));
    }
    assert_eq!(feed.opened, []);
    let shift = feed.end;
    for _ in 0..180 {
        feed.pane(dice.pane(4.0, 0.6, 0.1));
    }
    let recovery = feed.end;
    for _ in 0..720 {
        feed.pane(dice.pane(4.0, 0.2, 0.1));
    }
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 1));
    let (opened, closed) = (&feed.opened[0], &feed.closed[0]);
    let delay = opened.started.as_millis() / 1_000 - shift;
    assert!((10..=240).contains(&delay), "opened after {delay} s");
    let recovered = closed.ended.unwrap().as_millis() / 1_000 - recovery;
    assert!((120..=300 + 120 + 60).contains(&recovered), "closed after {recovered} s");
    assert_eq!(opened.kind, AlertKind::NegativeSentiment);
    assert_eq!(opened.id, format!("care-negative_sentiment-{}", opened.started.as_millis()));
    assert_eq!((opened.department.as_str(), opened.window_seconds, opened.ended), ("care", 300, None));
    assert!(opened.p_value <= 1e-6 && opened.expected == 0.2 && !opened.replayed);
    assert_eq!((&closed.id, closed.started), (&opened.id, opened.started));
    assert!(closed.p_value < opened.p_value && closed.observed > 0.5, "the worst window is told: {closed:?}");
}

#[test]
fn the_less_likely_kind_names_the_alert_and_either_kind_keeps_it_open() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(30, tally(10, 2, 1));
    feed.panes(30, tally(10, 5, 9));
    feed.panes(60, tally(10, 5, 1));
    assert_eq!(feed.opened.len(), 1, "one alert a department");
    assert_eq!(feed.opened[0].kind, AlertKind::Frustration);
    assert_eq!(feed.closed, [], "negative messages are still far too many");
    assert_eq!(feed.outlook().active.unwrap().0, AlertKind::Frustration);
    feed.panes(60, tally(10, 2, 1));
    assert_eq!(feed.closed.len(), 1);
    assert_eq!((feed.closed[0].messages, feed.closed[0].observed), (300, 0.9), "the worst window of its kind");
    assert_eq!(feed.outlook().active, None);
}

#[test]
fn of_two_kinds_that_open_at_once_the_less_likely_names_the_alert() {
    for (pane, kind) in [(tally(50, 45, 40), AlertKind::Frustration), (tally(50, 49, 30), AlertKind::NegativeSentiment)]
    {
        let mut feed = Feed::new(&settings(), &configured());
        feed.pane(pane);
        assert!(feed.outlook().scores.iter().all(|score| *score > 6.0), "both are unlikely enough");
        assert_eq!(feed.opened[0].kind, kind);
    }
}

#[test]
fn a_window_with_few_messages_is_not_tested() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(1, tally(9, 9, 9));
    assert_eq!(feed.outlook().scores, [0.0; 2]);
    assert_eq!(feed.opened, []);
    feed.panes(1, tally(1, 1, 1));
    assert_eq!(feed.opened.len(), 1);
    assert!((feed.outlook().scores[1] - 10.0).abs() < 1e-9, "ten of ten at 10 %: one in 10^10");
}

#[test]
fn an_alert_closes_after_the_hold_when_the_customers_have_vanished() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(10, tally(10, 9, 1));
    assert_eq!(feed.opened.len(), 1);
    let last_message = feed.end;
    feed.panes(100, Tally::default());
    assert_eq!(feed.closed.len(), 1);
    let ended = feed.closed[0].ended.unwrap().as_millis() / 1_000;
    assert!(ended <= last_message + 300 + 120, "the window empties, then the hold passes");
    assert_eq!(feed.opened.len(), 1);
}

#[test]
fn a_relapse_within_the_hold_starts_it_anew() {
    let settings = DetectConfig { window: Span::from_secs(10), ..settings() };
    let mut feed = Feed::new(&settings, &configured());
    feed.panes(1, tally(20, 18, 2));
    for _ in 0..5 {
        feed.panes(12, tally(20, 4, 2));
        feed.panes(1, tally(20, 18, 2));
    }
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 0));
    feed.panes(12, tally(20, 4, 2));
    assert_eq!(feed.closed.len(), 0, "calm for 110 s");
    feed.panes(1, tally(20, 4, 2));
    assert_eq!(feed.closed.len(), 1, "calm for 120 s");
}

#[test]
fn a_ratio_between_entry_and_exit_neither_opens_nor_closes() {
    let between = tally(20, 9, 2); // 9 of 20 at 20 %: p = 0.0100, just under the exit's
    let settings = DetectConfig { window: Span::from_secs(10), ..settings() };
    let mut feed = Feed::new(&settings, &configured());
    feed.panes(100, between);
    assert_eq!(feed.opened, []);
    feed.panes(1, tally(20, 18, 2));
    feed.panes(100, between);
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 0));
}

#[test]
fn window_ends_that_were_passed_over_close_the_alert_at_the_next_one() {
    let mut feed = Feed::new(&settings(), &configured());
    feed.panes(10, tally(10, 9, 1));
    feed.panes(31, Tally::default());
    feed.end += 100_000;
    feed.pane(tally(1, 0, 0));
    assert_eq!(feed.closed.len(), 1);
}

#[test]
fn a_quick_demonstration_opens_and_closes_in_its_time() {
    // Five messages a second, a window of 30 s, a hold of 20 s; 30 s of trouble.
    let settings = DetectConfig { window: Span::from_secs(30), hold: Span::from_secs(20), ..settings() };
    for seed in 0..50 {
        let mut feed = Feed::new(&settings, &unknown());
        let mut dice = Dice(seed);
        (0..360).for_each(|_| feed.pane(dice.pane(50.0, 0.25, 0.2)));
        let begin = feed.end;
        (0..3).for_each(|_| feed.pane(dice.pane(50.0, 0.75, 0.7)));
        (0..60).for_each(|_| feed.pane(dice.pane(50.0, 0.25, 0.2)));
        assert_eq!((feed.opened.len(), feed.closed.len()), (1, 1), "seed {seed}");
        let opened = feed.opened[0].started.as_millis() / 1_000 - begin;
        let closed = feed.closed[0].ended.unwrap().as_millis() / 1_000 - begin;
        assert!(opened <= 20, "seed {seed}: opened after {opened} s");
        assert!((50..=95).contains(&closed), "seed {seed}: closed after {closed} s");
    }
}

#[test]
fn what_is_restored_midway_goes_on_as_if_it_had_never_stopped() {
    let restarted = |stop: Option<usize>| {
        let (mut feed, mut dice) = (Feed::new(&settings(), &unknown()), Dice(3));
        for pane in 0..2_000 {
            if stop == Some(pane) {
                let saved = postcard::to_stdvec(&feed.detector.snapshot()).expect("state has a binary form");
                feed.detector = Detector::new(&settings(), &unknown());
                let unknown = feed.detector.restore(postcard::from_bytes(&saved).expect("and is read back"));
                assert_eq!(unknown, Vec::<String>::new());
            }
            let negative = if (800..950).contains(&pane) { 0.7 } else { 0.2 };
            feed.pane(dice.pane(3.0, negative, 0.1));
        }
        (feed.detector.snapshot(), feed.outlook(), feed.opened, feed.closed)
    };
    let whole = restarted(None);
    assert_eq!((whole.2.len(), whole.3.len()), (1, 1));
    for stop in [1, 100, 800, 830, 900, 950, 980, 1_999] {
        assert_eq!(restarted(Some(stop)), whole, "restored at pane {stop}");
    }
}

#[test]
fn a_department_gone_from_the_config_is_named_and_the_others_are_restored() {
    let mut before = Feed::new(&settings(), &configured());
    before.panes(10, tally(10, 9, 1));
    let state = before.detector.snapshot();
    let other_order =
        Config { departments: ["other", "care"].map(DepartmentConfig::named).to_vec(), ..Config::default() };
    let mut renumbered = Detector::new(&settings(), &Roster::new(&other_order));
    assert_eq!(renumbered.restore(state.clone()), Vec::<String>::new());
    let open: Vec<_> = renumbered.open_alerts().map(|(id, alert)| (id, alert.department.clone())).collect();
    assert_eq!(open, [(DepartmentId(1), "care".to_owned())]);
    let mut without = Detector::new(&settings(), &Roster::new(&Config::default()));
    assert_eq!(without.restore(state), ["care"]);
    assert_eq!(without.open_alerts().count(), 0);
}
