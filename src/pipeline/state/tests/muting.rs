//! What mutes do to alerts: they are found and listed as ever, and page nobody while one is in force.

use super::*;
use crate::detect::{AlertKind, Severity};

/// Billing, muted from a second of the story until another.
fn muted(from: i64, until: i64) -> Config {
    let moment = |seconds: i64| at(seconds).to_rfc3339();
    let toml = format!(
        "departments = ['billing']\nfrom = '{}'\nuntil = '{}'\nreason = 'new invoices'",
        moment(from),
        moment(until)
    );
    Config { mutes: vec![toml::from_str(&toml).unwrap()], ..config(&["billing"]) }
}

/// One whose backlog is read.
fn live(config: &Config) -> State {
    let mut state = state(config);
    state.clock.assign(partition(0), now(0));
    state.follow_backlog(false, None, now(0));
    assert!(!state.is_replaying());
    state
}

/// A message a second. Windows close half a minute later.
fn say(state: &mut State, seconds: std::ops::Range<i64>, angry: bool) {
    let said: Vec<Said> = seconds.map(|second| Said { department: 0, second, angry }).collect();
    // Second by second, as they come.
    said.iter().for_each(|one| fold(state, 0, &[*one]));
}

/// Whether billing pages, and how often it has.
fn pages(state: &mut State) -> (bool, u64) {
    state.dirty.fill(true);
    let views = state.changed_views();
    let billing = &views[0].1;
    let page = Severity::Page as usize;
    (!billing.outlook.active.is_empty(), billing.alerts_opened.iter().map(|severities| severities[page]).sum())
}

/// Why each open alert is muted.
fn reasons(state: &State) -> Vec<Option<&str>> {
    let open = state.book.alerts().iter().filter(|alert| alert.ended.is_none());
    open.map(|alert| alert.handling.muted.as_deref()).collect()
}

#[test]
fn a_muted_department_pages_nobody_and_its_alerts_are_listed_with_the_reason() {
    let mut state = live(&muted(0, 10_000));
    say(&mut state, 0..300, true);
    let open = reasons(&state);
    assert!(!open.is_empty() && open.iter().all(|reason| *reason == Some("new invoices")), "{open:?}");
    assert_eq!(pages(&mut state), (false, 0));
    assert!(state.views[0].muted.iter().all(|muted| *muted));
    say(&mut state, 300..2_000, false);
    let alerts = state.book.alerts();
    assert!(alerts.iter().all(|alert| alert.ended.is_some() && alert.handling.muted.is_some()), "{alerts:#?}");
    assert!(alerts.iter().all(|alert| !alert.handling.paged && !alert.replayed));
    assert_eq!(pages(&mut state), (false, 0));
}

#[test]
fn an_alert_that_is_open_when_its_mute_ends_pages_then_and_once() {
    let mut state = live(&muted(0, 400));
    say(&mut state, 0..420, true);
    assert_eq!(pages(&mut state), (false, 0), "the windows shown end half a minute before");
    let count = u64::try_from(state.book.alerts().len()).unwrap();
    assert!(count > 0);
    say(&mut state, 420..440, true);
    assert_eq!(pages(&mut state), (true, count));
    assert_eq!(reasons(&state), vec![None; state.book.alerts().len()]);
    say(&mut state, 440..600, true);
    assert_eq!(pages(&mut state).1, state.book.alerts().len() as u64, "each once");
}

#[test]
fn an_alert_that_is_open_when_a_mute_begins_lets_go_of_its_page_and_returns_after_it() {
    let mut state = live(&muted(400, 700));
    say(&mut state, 0..400, true);
    let (paging, count) = pages(&mut state);
    assert!(paging && count > 0);
    say(&mut state, 400..500, true);
    assert_eq!(pages(&mut state), (false, count), "it stays listed");
    assert!(reasons(&state).iter().all(Option::is_some) && !reasons(&state).is_empty());
    say(&mut state, 500..800, true);
    assert_eq!(pages(&mut state), (true, count), "it is no second page");
}

#[test]
fn only_the_kinds_that_are_muted_page_nobody() {
    let mut config = muted(0, 10_000);
    config.mutes[0].kinds = vec!["negative_sentiment".to_owned()];
    let mut state = live(&config);
    say(&mut state, 0..300, true);
    let open: Vec<(AlertKind, bool)> =
        state.book.alerts().iter().map(|alert| (alert.kind, alert.handling.muted.is_some())).collect();
    assert!(open.contains(&(AlertKind::NegativeSentiment, true)) && open.contains(&(AlertKind::Frustration, false)));
    assert_eq!(pages(&mut state), (true, 1));
}

#[test]
fn a_restart_while_an_alert_is_muted_changes_nothing() {
    for cut in [250, 380, 450] {
        let config = muted(0, 400);
        let mut state = live(&config);
        say(&mut state, 0..cut, true);
        let mut state = restarted(&state, &config);
        state.clock.revoke(&partition(1));
        state.follow_backlog(false, None, now(0));
        let before = pages(&mut state).1;
        say(&mut state, cut..600, true);
        state.follow_backlog(false, None, now(700));
        let (paging, count) = pages(&mut state);
        let expected = if cut < 430 { state.book.alerts().len() as u64 } else { 0 };
        assert_eq!(
            (paging, count, before),
            (true, expected, 0),
            "at {cut}: one that has paged pages on, and is counted once"
        );
    }
}

#[test]
fn a_mute_that_ends_in_a_backlog_pages_nobody_for_what_is_over_at_its_end_and_then_for_what_is_not() {
    for (calm_from, expected) in [(450, false), (10_000, true)] {
        let mut state = state(&muted(0, 400));
        state.clock.assign(partition(0), now(0));
        state.follow_backlog(true, None, now(0));
        say(&mut state, 0..calm_from.min(3_000), true);
        say(&mut state, calm_from.min(3_000)..3_000, false);
        assert_eq!(alerts_opened(&state), 0, "nothing pages on the way");
        state.follow_backlog(false, None, now(1));
        let (paging, count) = pages(&mut state);
        assert_eq!((paging, count > 0), (expected, expected));
    }
}

#[test]
fn mutes_that_are_changed_hold_at_once() {
    let mut state = live(&config(&["billing"]));
    say(&mut state, 0..300, true);
    let (paging, count) = pages(&mut state);
    assert!(paging && count > 0);
    let reload = |state: &mut State, config: &Config| {
        state.reload(config, Arc::new(Roster::new(config)), DetectorState::default(), &mut || {})
    };
    reload(&mut state, &muted(0, 10_000));
    assert_eq!(pages(&mut state), (false, count));
    reload(&mut state, &config(&["billing"]));
    assert_eq!(pages(&mut state), (true, count));
    assert_eq!(reasons(&state), vec![None; state.book.alerts().len()]);
}

#[test]
fn a_mute_of_all_mutes_the_company_too() {
    let mut config = config(&["billing"]);
    let mut everyone = muted(0, 400).mutes;
    everyone[0].departments = vec!["*".to_owned()];
    config.mutes = everyone;
    let mut state = live(&config);
    assert!(!state.is_company_muted(), "no window is closed yet");
    say(&mut state, 0..100, false);
    assert!(state.is_company_muted());
    say(&mut state, 100..500, false);
    assert!(!state.is_company_muted());
    assert!(!live(&muted(0, 10_000)).is_company_muted());
}

#[test]
fn an_alert_that_recovers_when_its_mute_ends_pages_only_if_it_gets_worse_again() {
    for worse in [false, true] {
        let mut config = muted(0, 1_500);
        config.detect.hold = Span::from_secs(3_600);
        let mut state = live(&config);
        say(&mut state, 0..120, true);
        say(&mut state, 120..1_540, false);
        let open = reasons(&state);
        assert!(!open.is_empty() && open.iter().all(Option::is_none), "it is open, and no longer muted: {open:?}");
        assert_eq!(pages(&mut state), (false, 0), "it would page just to end");
        say(&mut state, 1_540..1_900, worse);
        assert_eq!(pages(&mut state).1 > 0, worse);
    }
}

#[test]
fn what_came_in_maintenance_pages_nobody_after_it_and_what_goes_on_does() {
    for goes_on in [false, true] {
        let mut config = muted(0, 600);
        config.mutes[0].maintenance = true;
        let mut state = live(&config);
        say(&mut state, 0..600, true);
        assert!(!reasons(&state).is_empty());
        say(&mut state, 600..640, goes_on);
        assert_eq!(pages(&mut state), (false, 0), "nothing of what came after it was looked at yet");
        say(&mut state, 640..900, goes_on);
        assert_eq!(pages(&mut state), (goes_on, if goes_on { 2 } else { 0 }));
    }
}

#[test]
fn the_log_tells_the_beginning_of_a_mute_from_its_end() {
    let mut state = live(&muted(130, 200));
    let before = logged(|| say(&mut state, 0..120, true));
    assert!(before.contains("alert opened") && !before.contains("muted\n") && !before.contains("is muted"), "{before}");
    let begins = logged(|| say(&mut state, 120..180, true));
    assert!(begins.contains("an open alert is muted") && !begins.contains("no longer"), "{begins}");
    let ends = logged(|| say(&mut state, 180..260, true));
    assert!(ends.contains("an open alert is no longer muted") && !ends.contains("an open alert is muted"), "{ends}");
}
