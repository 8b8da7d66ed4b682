//! What people say of alerts is kept with them, and changes nothing else.

use super::*;
use crate::detect::{Feedback, Verdict};

fn said(verdict: Verdict, second: i64) -> Feedback {
    Feedback { verdict, note: "as we know".to_owned(), marked: at(second) }
}

/// One with an incident, open or over.
fn with_incident(config: &Config) -> State {
    let mut state = state(config);
    state.clock.assign(partition(0), now(0));
    fold(&mut state, 0, &incident());
    assert!(!state.book.alerts().is_empty());
    state
}

fn counted(state: &State) -> [u64; 2] {
    let views = state.views.iter().flat_map(|view| view.feedback);
    views.fold([0; 2], |sums, counts| [sums[0] + counts[0], sums[1] + counts[1]])
}

#[test]
fn a_mark_is_kept_changed_and_counted_once() {
    let mut state = with_incident(&config(&["billing"]));
    let id = state.book.alerts()[0].id.clone();
    assert_eq!(state.mark("no-such-alert", said(Verdict::False, 1)), None);
    let first = state.mark(&id, said(Verdict::Useful, 1)).unwrap();
    assert_eq!(first.handling.feedback, Some(said(Verdict::Useful, 1)));
    let same = state.mark(&id, said(Verdict::Useful, 2)).unwrap();
    assert_eq!(same.handling.feedback, Some(said(Verdict::Useful, 1)), "it was said then");
    let changed = state.mark(&id, said(Verdict::False, 3)).unwrap();
    assert_eq!(changed.handling.feedback, Some(said(Verdict::False, 3)));
    assert_eq!(counted(&state), [0, 1]);
}

#[test]
fn a_mark_is_restored_and_no_alert_opens_otherwise_for_it() {
    let config = config(&["billing"]);
    let (mut marked, mut other) = (with_incident(&config), with_incident(&config));
    let id = marked.book.alerts()[0].id.clone();
    marked.mark(&id, said(Verdict::False, 1)).unwrap();
    let restored = restarted(&marked, &config);
    assert_eq!(restored.book.alerts()[0].handling.feedback, Some(said(Verdict::False, 1)));
    assert_eq!(counted(&restored), [0, 0], "counters are the process's");
    for state in [&mut marked, &mut other] {
        let later = incident().into_iter().map(|one| Said { second: one.second + 30_000, ..one });
        fold(state, 0, &later.collect::<Vec<_>>());
    }
    let ids = |state: &State| state.book.alerts().iter().map(|alert| alert.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&marked), ids(&other));
    assert_eq!(marked.detector.snapshot(), other.detector.snapshot());
    assert!(marked.book.alerts()[0].handling.feedback.is_some(), "later alerts leave it as it is");
}

#[test]
fn a_mark_of_an_alert_whose_department_is_gone_is_kept_and_counted_for_nobody() {
    let state = with_incident(&config(&["billing"]));
    let fewer = config(&["delivery"]);
    let mut again = self::state(&fewer);
    again.restore(&state.snapshot(&positions(), at(0)));
    let Some(closed) = again.book.alerts().iter().find(|alert| alert.ended.is_some()) else { panic!("one is over") };
    let id = closed.id.clone();
    assert!(again.mark(&id, said(Verdict::Useful, 1)).is_some());
    assert_eq!((counted(&again), again.company_feedback), ([0, 0], [0, 0]));
}

fn incidents_counted(state: &State) -> [u64; 2] {
    let views = state.views.iter().map(|view| view.incidents_marked);
    views.fold([0; 2], |sums, counts| [sums[0] + counts[0], sums[1] + counts[1]])
}

fn ids(state: &State) -> Vec<String> {
    state.book.alerts().iter().map(|alert| alert.id.clone()).collect()
}

/// The same with live processing, so that all of it paged.
fn with_incidents_that_paged(config: &Config) -> State {
    let mut state = state(config);
    state.clock.assign(partition(0), now(0));
    state.follow_backlog(false, None, now(1));
    for later in [0, 100_000] {
        let said = incident().into_iter().map(|one| Said { second: one.second + later, ..one });
        fold(&mut state, 0, &said.collect::<Vec<_>>());
    }
    state
}

#[test]
fn an_incident_counts_once_however_many_kinds_of_alerts_it_had_and_by_its_first_verdict() {
    let mut state = with_incidents_that_paged(&config(&["billing"]));
    let alerts = state.book.alerts();
    let begin_later = |alert: &&Alert| alert.started >= at(100_000);
    let (first, second): (Vec<&Alert>, Vec<&Alert>) = alerts.iter().partition(|alert| !begin_later(alert));
    assert!(first.len() >= 2 && !second.is_empty(), "{alerts:#?}");
    for (place, id) in ids(&state).iter().enumerate() {
        let verdict = if place == 0 { Verdict::False } else { Verdict::Useful };
        state.mark(id, said(verdict, 1)).unwrap();
        state.mark(id, said(Verdict::False, 2)).unwrap();
    }
    let marked: u64 = counted(&state).iter().sum();
    assert_eq!(marked as usize, ids(&state).len(), "each alert counts");
    assert_eq!(incidents_counted(&state), [1, 1], "the first was false, the second useful");
}

#[test]
fn what_paged_nobody_is_no_incident_and_one_that_is_counted_is_not_again_after_a_restart() {
    let config = config(&["billing"]);
    let mut replayed = with_incident(&config);
    replayed.follow_backlog(false, Some(at(0)), now(2));
    for id in ids(&replayed) {
        assert!(
            replayed.mark(&id, said(Verdict::False, 1)).is_some_and(|alert| alert.replayed || alert.ended.is_none())
        );
    }
    let open = replayed.book.alerts().iter().filter(|alert| alert.ended.is_none()).count();
    assert_eq!((open, incidents_counted(&replayed)), (0, [0, 0]));

    let mut paged = with_incidents_that_paged(&config);
    let of_first = ids(&paged);
    paged.mark(&of_first[0], said(Verdict::False, 1)).unwrap();
    assert_eq!(incidents_counted(&paged), [1, 0]);
    let mut restored = restarted(&paged, &config);
    restored.mark(&of_first[1], said(Verdict::False, 1)).unwrap();
    assert_eq!((counted(&restored), incidents_counted(&restored)), ([1, 0], [0, 0]));
}

#[test]
fn an_incident_marked_while_its_alerts_were_held_back_counts_once_they_page() {
    let mut state = state(&config(&["billing"]));
    state.clock.assign(partition(0), now(0));
    let angry: Vec<Said> = (0..120).map(|second| Said { department: 0, second, angry: true }).collect();
    fold(&mut state, 0, &angry);
    let open = ids(&state);
    assert!(!open.is_empty());
    for id in &open {
        state.mark(id, said(Verdict::False, 1)).unwrap();
    }
    assert_eq!(incidents_counted(&state), [0, 0], "nobody was paged");
    state.follow_backlog(false, None, now(1));
    assert!(state.book.alerts().iter().any(|alert| alert.handling.paged), "{:#?}", state.book.alerts());
    assert_eq!(incidents_counted(&state).iter().sum::<u64>(), 1, "several alerts are one incident");
    assert_eq!(incidents_counted(&state)[Verdict::False as usize], 1);
    state.mark(&open[0], said(Verdict::Useful, 2)).unwrap();
    assert_eq!(incidents_counted(&state).iter().sum::<u64>(), 1);
}
