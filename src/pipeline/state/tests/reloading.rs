//! A reload is a restart with the new config from a checkpoint of that moment, for all that a checkpoint holds; the process's own counters
//! go on.

use super::*;
use crate::config::{AlertsConfig, MuteConfig};

/// Who writes, by the numbers of [`Said`]; the last is of no department.
const WRITERS: [&str; 3] = ["billing", "delivery", "nobody"];

fn told_config(departments: &[&str]) -> Config {
    Config { alerts: AlertsConfig { topic: Some("alerts".to_owned()), source: None }, ..config(departments) }
}

fn before() -> Config {
    told_config(&["billing", "delivery"])
}

fn mute(toml: &str) -> Vec<MuteConfig> {
    vec![toml::from_str(toml).unwrap()]
}

/// What an operator may write in place of it.
fn changes() -> Vec<(&'static str, Config)> {
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = before();
        change(&mut config);
        config
    };
    vec![
        ("nothing changes", before()),
        ("another order", told_config(&["delivery", "billing"])),
        ("one more", told_config(&["shop", "billing", "delivery"])),
        ("one more, for whom there is no department yet", told_config(&["billing", "nobody", "delivery"])),
        ("one fewer", told_config(&["billing"])),
        ("one fewer, the first", told_config(&["delivery"])),
        ("none", told_config(&[])),
        ("other in the front", told_config(&["other", "billing", "delivery"])),
        (
            "a budget and a hold",
            with(&|config| {
                (config.detect.false_alarms_per_month, config.detect.hold) = (0.05, Span::from_secs(300));
            }),
        ),
        (
            "tickets and severe signals",
            with(&|config| {
                config.detect.ticket_kinds = vec!["frustration".to_owned()];
                config.detect.severe_signals = Vec::new();
            }),
        ),
        ("a limit of severe tickets", with(&|config| config.detect.severe_open_per_day = Span::from_secs(3_600))),
        (
            "what it takes to be known",
            with(&|config| {
                (config.detect.learn_messages, config.detect.min_seen) = (5, 5);
                config.detect.prior_negative_ratio = 0.01;
            }),
        ),
        (
            "a department's own",
            with(&|config| {
                config.departments[0].expected_negative_ratio = None;
                config.departments[0].time_zone = "America/Mexico_City".to_owned();
                config.departments[0].team = "payments".to_owned();
            }),
        ),
        ("a mute", with(&|config| config.mutes = mute("departments = ['billing']"))),
        ("maintenance", with(&|config| config.mutes = mute("departments = ['*']\nmaintenance = true"))),
    ]
}

/// Panes in one shard, or by partition.
fn begun(config: &Config, is_cut: bool) -> State {
    let mut state = state(config);
    assign_all(&mut state);
    if is_cut {
        state.take_up(&partitions(), &Snapshot::empty(), &mut || {});
    }
    state
}

fn partitions() -> [PartitionId; 2] {
    [partition(0), partition(1)]
}

fn reload(state: &mut State, config: &Config) -> Vec<String> {
    state.reload(config, Arc::new(Roster::new(config)), DetectorState::default(), &mut || {})
}

/// Another process with that config, from a checkpoint of this moment. Live processing goes on where it was live.
fn restarted_with(state: &State, config: &Config, is_cut: bool) -> (State, Vec<String>) {
    let mut snapshot = state.snapshot(&positions(), at(0));
    let mut again = self::state(config);
    let left_out = if is_cut {
        snapshot.detector.judged_until = snapshot.window_end;
        assign_all(&mut again);
        again.take_up(&partitions(), &snapshot, &mut || {})
    } else {
        let left_out = again.restore(&decode(&encode(&snapshot).unwrap()).unwrap());
        assign_all(&mut again);
        left_out
    };
    // A restart looks for mutes with the first pane that closes; a reload at once.
    again.follow_mutes();
    if !state.catching_up {
        again.follow_backlog(false, None, now(1));
    }
    (again, left_out)
}

/// As the router of that config has it.
fn routed(said: &[Said], roster: &Roster) -> Vec<Outcome> {
    let department = |said: &Said| roster.find(WRITERS[usize::from(said.department)]).unwrap_or(roster.other()).0;
    said.iter().map(|one| scored_or_severe(Said { department: department(one), ..*one })).collect()
}

fn feed(state: &mut State, number: i32, said: &[Said]) {
    let outcomes = routed(said, state.roster());
    state.apply(&batch(number, outcomes), now(1));
    state.advance(now(1));
}

/// All that anybody sees of it but for counters, which are of the process.
fn shown(state: &mut State) -> Vec<(String, DepartmentView)> {
    state.dirty.fill(true);
    let roster = Arc::clone(&state.roster);
    let of_now = |view: DepartmentView| DepartmentView {
        windows: view.windows,
        adjusted: view.adjusted,
        outlook: view.outlook,
        muted: view.muted,
        ..DepartmentView::default()
    };
    let views = state.changed_views();
    views.into_iter().map(|(id, view)| (roster.get(id).id.clone(), of_now(view))).collect()
}

proptest! {
    #[test]
    fn a_reload_between_any_two_batches_is_a_restart_with_the_new_config_from_a_checkpoint_of_that_moment(
        stream in streams(),
        cut in any::<prop::sample::Index>(),
        change in 0..changes().len(),
        is_cut in any::<bool>(),
        is_live in any::<bool>(),
    ) {
        let (what, config) = changes().swap_remove(change);
        let cut = cut.index(stream.len());
        let mut reloaded = begun(&before(), is_cut);
        if is_live {
            reloaded.follow_backlog(false, None, now(1));
        }
        stream[..cut].iter().for_each(|(number, said)| feed(&mut reloaded, *number, said));
        let (mut restarted, left_out) = restarted_with(&reloaded, &config, is_cut);
        prop_assert_eq!(reload(&mut reloaded, &config), left_out, "{}", what);
        for (number, said) in &stream[cut..] {
            feed(&mut reloaded, *number, said);
            feed(&mut restarted, *number, said);
        }
        prop_assert_eq!(
            reloaded.snapshot(&positions(), at(0)), restarted.snapshot(&positions(), at(0)), "{}", what
        );
        prop_assert_eq!(shown(&mut reloaded), shown(&mut restarted), "{}", what);
        prop_assert_eq!(reloaded.is_replaying(), restarted.is_replaying(), "{}", what);
    }

    #[test]
    fn a_reload_of_what_is_in_force_changes_nothing(
        stream in streams(),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
        whole_until in any::<prop::sample::Index>(),
    ) {
        let (mut reloaded, mut unbroken) = (begun(&before(), is_cut), begun(&before(), is_cut));
        let (cut, whole_until) = (cut.index(stream.len()), whole_until.index(stream.len()));
        // Of departments to which nobody has written nothing is remembered.
        for (number, second) in [(0, -400), (1, -400), (0, -100), (1, -100)] {
            let said = [0, 1, 2].map(|department| Said { department, second, angry: false });
            [&mut reloaded, &mut unbroken].into_iter().for_each(|state| feed(state, number, &said));
        }
        for (place, (number, said)) in stream.iter().enumerate() {
            if place == cut {
                prop_assert_eq!(reload(&mut reloaded, &before()), [""; 0]);
            }
            for state in [&mut reloaded, &mut unbroken] {
                // In the midst partitions go elsewhere, and come back a few batches later.
                state.set_whole(!(whole_until..whole_until + 4).contains(&place));
                feed(state, *number, said);
            }
        }
        prop_assert_eq!(reloaded.snapshot(&positions(), at(0)), unbroken.snapshot(&positions(), at(0)));
        prop_assert_eq!(shown(&mut reloaded), shown(&mut unbroken));
        let counted = |state: &State| (state.views.clone(), state.rejected, state.company_pages, state.delays.clone());
        prop_assert_eq!(counted(&reloaded), counted(&unbroken));
    }
}

/// One in which billing pages since a minute, live.
fn in_trouble() -> State {
    let mut state = begun(&before(), false);
    state.clock.set_at_end(&partition(1), true, now(0));
    state.follow_backlog(false, None, now(1));
    let angry = |second| Said { department: 0, second, angry: true };
    for second in 0..180 {
        state.apply(&batch(0, vec![scored(angry(second))]), now(100));
        state.advance(now(100));
    }
    assert!(alerts_opened(&state) > 0, "{:?}", state.book.alerts());
    state
}

fn open_ids(state: &State) -> Vec<String> {
    let open = state.book.alerts().iter().filter(|alert| alert.ended.is_none());
    open.map(|alert| alert.id.clone()).collect()
}

#[test]
fn counters_go_on_by_the_departments_name_and_those_of_one_that_is_gone_go_with_it() {
    let mut state = in_trouble();
    let (counted, opened) = (state.views[0].messages, state.views[0].alerts_opened);
    reload(&mut state, &told_config(&["shop", "billing"]));
    assert_eq!((state.views[1].messages, state.views[1].alerts_opened), (counted, opened));
    assert_eq!(state.views[0].messages, DepartmentView::default().messages);
    assert_eq!(state.views.len(), 3, "shop, billing and other");
    reload(&mut state, &told_config(&[]));
    reload(&mut state, &told_config(&["billing"]));
    assert_eq!(state.views[0].messages, DepartmentView::default().messages, "it begins anew, as its windows do");
    assert_eq!(state.panes.sums(DepartmentId(0)).iter().map(|sum| sum.messages).max(), Some(0));
}

#[test]
fn an_open_alert_keeps_its_id_and_its_page_and_is_told_once() {
    let mut state = in_trouble();
    let (open, told) = (open_ids(&state), state.events.outbox().clone());
    assert!(!open.is_empty() && told.waiting().len() > 0);
    let opened = alerts_opened(&state);
    for config in [told_config(&["delivery", "billing"]), before(), told_config(&["billing"])] {
        assert_eq!(reload(&mut state, &config).iter().filter(|what| what.contains("billing")).count(), 0);
        assert_eq!((open_ids(&state), alerts_opened(&state)), (open.clone(), opened));
        assert_eq!(*state.events.outbox(), told);
        assert!(state.events.has_news(), "no checkpoint holds it yet");
    }
}

#[test]
fn an_open_alert_of_a_department_that_is_gone_is_told_as_closed_and_shown_no_more() {
    let mut state = in_trouble();
    state.events.settle(u64::MAX);
    let open = open_ids(&state);
    let left_out = reload(&mut state, &told_config(&["delivery"]));
    for id in &open {
        assert!(left_out.contains(&format!("open alert {id}: its department is gone")), "{left_out:?}");
    }
    assert_eq!(open_ids(&state), [""; 0]);
    assert_eq!(state.events.outbox().waiting().filter(|event| event.envelope.contains("closed")).count(), open.len());
    assert!(shown(&mut state).iter().all(|(_, view)| view.outlook.active.is_empty()));
}

#[test]
fn a_budget_that_is_changed_holds_for_the_next_minute() {
    for (budget, opens) in [(30.0, true), (0.05, false)] {
        let mut config = before();
        (config.detect.false_alarms_per_month, config.detect.tickets_per_month) = (0.05, 0.0);
        let mut state = begun(&config, false);
        state.clock.set_at_end(&partition(1), true, now(0));
        state.follow_backlog(false, None, now(1));
        config.detect.false_alarms_per_month = budget;
        reload(&mut state, &config);
        // Two of ten, where one is expected: strange, but not very.
        for second in 0..240 {
            let said = Said { department: 0, second, angry: second % 10 < 2 };
            state.apply(&batch(0, (0..1).map(|_| scored(said)).collect()), now(100));
            state.advance(now(100));
        }
        assert_eq!(
            !open_ids(&state).is_empty(),
            opens,
            "{budget}: {:?}",
            state.detector.budget_reached(DepartmentId(0))
        );
    }
}

#[test]
fn a_department_that_is_new_starts_with_what_was_learned_of_it_from_history() {
    let mut known = config(&["shop"]);
    known.departments[0].expected_negative_ratio = None;
    let mut teacher = state(&known);
    teacher.clock.assign(partition(0), now(0));
    fold(&mut teacher, 0, &minutes(0, 300, false));
    let learned = teacher.detector.snapshot();
    let mut config = told_config(&["billing", "delivery", "shop"]);
    config.departments[2].expected_negative_ratio = None;
    let mut state = in_trouble();
    let again = learned.clone();
    let told = logged(|| drop(state.reload(&config, Arc::new(Roster::new(&config)), learned, &mut || {})));
    assert!(told.contains("baselines learned from history are taken: shop"), "{told}");
    let told = logged(|| drop(state.reload(&config, Arc::new(Roster::new(&config)), again, &mut || {})));
    assert!(!told.contains("are taken"), "it is known by now: {told}");
    let shop = DepartmentId(2);
    assert_eq!(state.detector.outlook(shop).usual_negative, teacher.detector.outlook(DepartmentId(0)).usual_negative);
    assert!(state.detector.outlook(shop).usual_negative.is_some());
    assert!(!open_ids(&state).is_empty(), "and billing is in trouble still");
}

#[test]
fn what_nobody_judged_before_a_reload_counts_towards_the_half_hour_after_it() {
    let begun_with = |with_reload: bool| {
        let owner = in_trouble();
        let mut snapshot = owner.snapshot(&positions(), at(0));
        // Others had the partitions for 20 minutes, and judged nothing.
        snapshot.detector.judged_until = snapshot.window_end;
        snapshot.window_end = snapshot.window_end.map(|end| end.plus(Duration::from_secs(20 * 60)));
        let mut state = state(&before());
        assign_all(&mut state);
        state.take_up(&partitions(), &snapshot, &mut || {});
        state.set_whole(false);
        if with_reload {
            reload(&mut state, &before());
        }
        // Ten minutes more are half an hour.
        for second in (1_500..2_100).step_by(10) {
            for number in 0..PARTITIONS {
                fold(&mut state, number, &[Said { department: 0, second, angry: false }]);
            }
        }
        open_ids(&state)
    };
    assert_eq!(begun_with(false), [""; 0], "they end");
    assert_eq!(begun_with(true), [""; 0]);
}
