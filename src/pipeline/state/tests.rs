//! What the fold's state promises: a restart changes nothing, and a backlog pages nobody.

mod details;
mod hostile;
#[path = "../../../tests/support/logged.rs"]
mod logging;
mod marking;
mod muting;
mod reloading;
mod replayed_day;
mod replayed_week;
mod severe;
mod told;

use proptest::prelude::*;

use super::adjuster::tests::tables;
use super::*;
use crate::checkpoint::{Snapshot, decode, encode};
use crate::config::{DepartmentConfig, Span};
use crate::detect::Alert;
use crate::ingest::{BatchBuilder, Positions, Rejection};
use crate::message::{
    CustomerHash, Language, ModelId, NextOffset, Offset, Probability, ScorerKind, SentimentScore, ShareCells, Signal,
    SignalSet,
};
use crate::pipeline::scoring::Placed;

const BEGUN: i64 = 1_750_000_000_000;
const PARTITIONS: i32 = 2;

/// Easily alarmed about billing.
fn config(departments: &[&str]) -> Config {
    let departments = departments.iter().map(|id| DepartmentConfig::named(id)).collect();
    let mut config = Config { departments, ..Config::default() };
    for department in &mut config.departments {
        department.expected_negative_ratio = Some(0.1);
        department.expected_frustrated_ratio = Some(0.1);
    }
    config.detect.false_alarms_per_month = 30.0;
    config.detect.hold = Span::from_secs(30);
    config
}

fn state(config: &Config) -> State {
    State::new(config, Arc::new(Roster::new(config)), tables())
}

fn partition(number: i32) -> PartitionId {
    PartitionId::new("messages", number)
}

fn at(seconds: i64) -> EventTime {
    EventTime::from_millis(BEGUN + seconds * 1_000)
}

fn now(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A message of a department at a second; angry or not.
#[derive(Clone, Copy, Debug)]
struct Said {
    department: u16,
    second: i64,
    angry: bool,
}

fn scored(said: Said) -> Outcome {
    let [negative, neutral] = if said.angry { [0.9, 0.1] } else { [0.1, 0.9] }.map(Probability::new);
    let cell = if said.angry { 7 } else { 0 };
    let score = Score {
        share_cells: ShareCells { sentiment: Some(cell), frustration: Some(cell) },
        model: ModelId::UNKNOWN,
        sentiment: SentimentScore { negative, neutral, positive: Probability::new(0.0) },
        frustration: negative,
        language: Language::Spanish,
        scorer: ScorerKind::Embedded,
        signals: SignalSet::EMPTY,
    };
    Outcome::Scored(placed(said), Audience::External, score)
}

/// A severe one for each third second.
fn scored_or_severe(said: Said) -> Outcome {
    let Outcome::Scored(placed, audience, mut score) = scored(said) else { panic!("a customer's message is scored") };
    if said.second % 3 == 0 {
        score.signals.insert(Signal::Fraud);
    }
    Outcome::Scored(placed, audience, score)
}

fn placed(said: Said) -> Placed {
    let event_time = at(said.second);
    let department = DepartmentId(said.department);
    // Each third second the same customer.
    let customer = (said.second % 5 > 0).then(|| CustomerHash((said.second % 3 * 1_000) as u32));
    Placed { department, event_time, trusted: event_time, text_was_cut: false, customer }
}

fn batch(number: i32, outcomes: Vec<Outcome>) -> ScoredBatch {
    let mut building = BatchBuilder::new(partition(number), 1, 0, 0);
    for (offset, outcome) in (0..).zip(&outcomes) {
        // The same record has the same id in whatever batch it comes.
        let id = |placed: &Placed| format!("{{\"id\":\"{}-{}\"}}", placed.department.0, placed.event_time.as_millis());
        let value = match outcome {
            Outcome::Scored(placed, ..) | Outcome::Context(placed, _) => Some(id(placed)),
            Outcome::Rejected(_) => None,
        };
        building.push(Offset(offset), None, None, value.as_deref().map(str::as_bytes), std::iter::empty());
    }
    ScoredBatch { batch: building.finish(), outcomes, decoded: at(0), routes: 0 }
}

#[test]
fn each_signal_of_a_message_counts_for_its_department() {
    let config = config(&["billing"]);
    let mut state = state(&config);
    assign_all(&mut state);
    let said = Said { department: 0, second: 1, angry: true };
    let Outcome::Scored(placed, audience, mut score) = scored(said) else { panic!("a customer's message is scored") };
    score.signals = [Signal::Waiting, Signal::Outage].into_iter().collect();
    let outcome = Outcome::Scored(placed, audience, score);
    state.apply(&batch(0, vec![outcome.clone(), outcome, scored(said)]), now(1));
    let counts = state.views[0].signals;
    assert_eq!((counts[Signal::Waiting as usize], counts[Signal::Outage as usize]), (2, 2));
    assert_eq!(counts.iter().sum::<u64>(), 4);
}

#[test]
fn a_message_in_an_unknown_language_counts_as_one_and_is_counted_apart() {
    let config = config(&["billing"]);
    let mut state = state(&config);
    assign_all(&mut state);
    let known = scored(Said { department: 0, second: 1, angry: true });
    let Outcome::Scored(placed, audience, score) = known.clone() else { panic!("a customer's message is scored") };
    let unknown = Outcome::Scored(placed, audience, Score { language: Language::Other, ..score });
    state.apply(&batch(0, vec![known, unknown]), now(1));
    assert_eq!(state.views[0].unsupported_language, 1);
    assert_eq!(state.views[0].messages.iter().flatten().sum::<u64>(), 2);
}

fn fold(state: &mut State, number: i32, said: &[Said]) {
    state.apply(&batch(number, said.iter().copied().map(scored).collect()), now(1));
    state.advance(now(1));
}

fn assign_all(state: &mut State) {
    for number in 0..PARTITIONS {
        state.clock.assign(partition(number), now(0));
    }
}

fn positions() -> Positions {
    (0..PARTITIONS).map(|number| (partition(number), NextOffset(7))).collect()
}

/// As another process finds it: through the bytes of a checkpoint.
fn restarted(state: &State, config: &Config) -> State {
    let bytes = encode(&state.snapshot(&positions(), at(0))).unwrap();
    let mut again = self::state(config);
    assert_eq!(again.restore(&decode(&bytes).unwrap()), [""; 0], "all of it applies");
    assign_all(&mut again);
    again
}

fn alerts_opened(state: &State) -> u64 {
    state.views.iter().flat_map(|view| view.alerts_opened).flatten().sum()
}

/// Batches of a partition each, going on in time: where it comes from, and seconds since the one before.
fn streams() -> impl Strategy<Value = Vec<(i32, Vec<Said>)>> {
    let said = (0_u16..3, -40_i64..40, any::<bool>());
    let batches = prop::collection::vec((0..PARTITIONS, 0_i64..120, prop::collection::vec(said, 1..12)), 1..40);
    batches.prop_map(|batches| {
        let mut time = 0;
        let one = |(number, step, said): (i32, i64, Vec<(u16, i64, bool)>)| {
            time += step;
            let at = |(department, shift, angry)| Said { department, second: time + shift, angry };
            (number, said.into_iter().map(at).collect())
        };
        batches.into_iter().map(one).collect()
    })
}

proptest! {
    #[test]
    fn a_restart_between_any_two_batches_changes_neither_panes_nor_sums_nor_alerts(
        stream in streams(),
        cut in any::<prop::sample::Index>(),
    ) {
        let config = config(&["billing", "delivery"]);
        let (mut unbroken, mut restored) = (state(&config), state(&config));
        assign_all(&mut unbroken);
        assign_all(&mut restored);
        let cut = cut.index(stream.len());
        for (place, (number, said)) in stream.iter().enumerate() {
            if place == cut {
                restored = restarted(&restored, &config);
            }
            for state in [&mut unbroken, &mut restored] {
                state.apply(&batch(*number, said.iter().copied().map(scored_or_severe).collect()), now(1));
                state.advance(now(1));
            }
        }
        prop_assert_eq!(restored.snapshot(&positions(), at(0)), unbroken.snapshot(&positions(), at(0)));
        for department in 0..3 {
            let department = DepartmentId(department);
            prop_assert_eq!(restored.panes.sums(department), unbroken.panes.sums(department));
            prop_assert_eq!(restored.detector.outlook(department), unbroken.detector.outlook(department));
        }
    }
}

/// Angry for a minute, then calm for ten.
fn incident() -> Vec<Said> {
    let angry = (0..60).map(|second| Said { department: 0, second, angry: true });
    let calm = (60..660).map(|second| Said { department: 0, second, angry: false });
    angry.chain(calm).collect()
}

#[test]
fn the_streams_of_the_restart_test_do_open_alerts() {
    let mut state = state(&config(&["billing", "delivery"]));
    state.clock.assign(partition(0), now(0));
    fold(&mut state, 0, &incident());
    assert!(!state.book.alerts().is_empty());
}

#[test]
fn what_the_backlogs_last_panes_open_and_close_pages_nobody_though_it_is_read() {
    let mut state = state(&config(&["billing"]));
    assign_all(&mut state);
    // The other partition has nothing, and is not known to be idle yet: it holds stream time.
    fold(&mut state, 0, &incident());
    state.follow_backlog(true, Some(at(659)), now(1));
    assert!(state.catching_up, "there is more to read");
    state.follow_backlog(false, Some(at(659)), now(2));
    assert!(!state.catching_up, "by offsets, never by age");
    for number in 0..PARTITIONS {
        state.clock.set_at_end(&partition(number), true, now(2));
    }
    state.advance(now(32));
    state.follow_backlog(false, Some(at(659)), now(32));
    assert!(!state.is_replaying());
    assert!(!state.book.alerts().is_empty(), "the incident opened an alert");
    assert!(state.book.alerts().iter().all(|alert| alert.replayed && alert.ended.is_some()), "nobody is paged");
    assert_eq!(alerts_opened(&state), 0);
}

#[test]
fn an_alert_of_the_backlog_shows_as_active_once_it_is_still_open_at_its_end_and_not_before() {
    let mut state = state(&config(&["billing"]));
    assign_all(&mut state);
    let angry: Vec<Said> = (0..120).map(|second| Said { department: 0, second, angry: true }).collect();
    fold(&mut state, 0, &angry);
    state.follow_backlog(true, Some(at(119)), now(1));
    state.follow_backlog(false, Some(at(119)), now(2));
    for number in 0..PARTITIONS {
        state.clock.set_at_end(&partition(number), true, now(2));
    }
    state.advance(now(32));
    let active = |state: &mut State| {
        state.dirty.fill(true);
        state.changed_views().iter().any(|(_, view)| !view.outlook.active.is_empty())
    };
    assert!(state.book.alerts().iter().any(|alert| alert.ended.is_none()), "the incident goes on");
    assert!(!active(&mut state));
    state.follow_backlog(false, Some(at(119)), now(32));
    assert!(active(&mut state));
    assert_eq!(alerts_opened(&state), state.book.alerts().len() as u64);
}

#[test]
fn adjusted_shares_are_of_the_windows_published_with_them_once_the_backlog_is_read() {
    let mut state = state(&config(&["billing"]));
    state.clock.assign(partition(0), now(0));
    let billing = |state: &mut State| {
        let (_, view) = state.changed_views().into_iter().next().expect("billing changed");
        view
    };
    let counted = |state: &State| {
        let sums = state.panes.share_sums(DepartmentId(0)).iter();
        sums.map(|sums| tables().sentiment.and_then(|table| table.estimate(&sums.sentiment))).collect::<Vec<_>>()
    };
    let shown = |view: &DepartmentView| view.adjusted.iter().map(|shares| shares.negative).collect::<Vec<_>>();
    fold(&mut state, 0, &incident());
    assert!(shown(&billing(&mut state)).iter().all(Option::is_none), "nobody sees them yet");

    state.follow_backlog(false, Some(at(659)), now(1));
    let first = shown(&billing(&mut state));
    assert!(first.iter().all(Option::is_some));
    assert_eq!(first, counted(&state));

    // For a pane that is closed: it counts at once.
    fold(&mut state, 0, &[Said { department: 0, second: 600, angry: true }]);
    let second = shown(&billing(&mut state));
    assert_ne!(second, first);
    assert_eq!(second, counted(&state));
}

#[test]
fn a_partition_that_holds_stream_time_and_is_not_idle_prolongs_the_replay_by_idle_after_only() {
    let config = config(&["billing"]);
    let mut state = state(&config);
    assign_all(&mut state);
    fold(&mut state, 0, &incident());
    fold(&mut state, 1, &incident()[..5]);
    let idle_after = config.windows.idle_after.get();
    state.follow_backlog(false, Some(at(659)), now(1));
    state.follow_backlog(false, Some(at(659)), now(1) + idle_after);
    assert!(state.is_replaying(), "its end may not be known yet");
    state.follow_backlog(false, Some(at(659)), now(1) + idle_after + IDLE_KNOWN_AFTER);
    assert!(!state.is_replaying());
}

#[test]
fn a_stream_without_a_message_is_caught_up_at_once() {
    let mut state = state(&config(&["billing"]));
    assign_all(&mut state);
    state.follow_backlog(false, None, now(1));
    assert!(!state.is_replaying());
}

#[test]
fn what_is_left_out_of_another_config_is_named_and_no_alert_stays_open_for_good() {
    let mut before = state(&config(&["billing", "delivery"]));
    before.clock.assign(partition(0), now(0));
    let angry: Vec<Said> = (0..120).map(|second| Said { department: 0, second, angry: true }).collect();
    fold(&mut before, 0, &angry);
    let open: Vec<String> = before.book.alerts().iter().map(|alert| alert.id.clone()).collect();
    assert!(!open.is_empty() && before.book.alerts().iter().all(|alert| alert.ended.is_none()));
    let snapshot = before.snapshot(&positions(), at(0));

    let mut after = state(&config(&["delivery", "shop"]));
    let left_out = after.restore(&snapshot);
    let mut expected = vec!["department billing: 12 panes".to_owned(), "baseline of department billing".to_owned()];
    expected.extend(open.into_iter().map(|id| format!("open alert {id}: its department is gone")));
    assert_eq!(left_out, expected);
    assert!(after.book.alerts().is_empty());
    assert_eq!(after.clock.stream_time(), before.clock.stream_time());
}

#[test]
fn unusable_and_context_records_are_counted_and_the_unusable_ones_places_are_told() {
    let mut state = state(&config(&["billing"]));
    state.clock.assign(partition(0), now(0));
    let said = Said { department: 0, second: 0, angry: false };
    let rejection = Rejection { reason: RejectReason::NotJson, detail: "no JSON".to_owned(), department: None };
    let outcomes = vec![
        scored(said),
        Outcome::Rejected(Box::new(rejection)),
        Outcome::Context(placed(said), Author::Bot),
        scored(said),
    ];
    assert_eq!(state.apply(&batch(0, outcomes), now(1)), [1]);
    assert_eq!(state.rejected[RejectReason::NotJson as usize], 1);
    assert_eq!(state.views[0].context[Author::Bot as usize], 1);
    assert_eq!(state.views[0].messages.iter().flatten().sum::<u64>(), 2);
}

/// Minutes of calm or angry messages, one a second in each partition.
fn minutes(from: i64, minutes: i64, angry: bool) -> Vec<Said> {
    (from * 60..(from + minutes) * 60).map(|second| Said { department: 0, second, angry }).collect()
}

#[test]
fn while_partitions_are_elsewhere_nothing_opens_or_teaches_and_the_baseline_goes_on_afterwards() {
    let mut config = config(&["billing"]);
    config.departments[0].expected_negative_ratio = None;
    config.departments[0].expected_frustrated_ratio = None;
    let mut state = state(&config);
    state.clock.assign(partition(0), now(0));
    fold(&mut state, 0, &minutes(0, 300, false));
    state.follow_backlog(false, None, now(1));
    let known = state.detector.outlook(DepartmentId(0)).usual_negative;
    assert!(known.is_some_and(|usual| usual.expected < 0.2), "the first hours have taught: {known:?}");

    state.set_whole(false);
    assert!(state.is_suspended());
    fold(&mut state, 0, &minutes(300, 30, true));
    assert_eq!(state.detector.outlook(DepartmentId(0)).usual_negative, known);

    state.set_whole(true);
    fold(&mut state, 0, &minutes(330, 1, false));
    assert!(state.is_suspended(), "these panes were open when partitions came back");
    fold(&mut state, 0, &minutes(331, 30, false));
    assert!(!state.is_suspended());
    let after = state.detector.outlook(DepartmentId(0)).usual_negative;
    assert!(after.is_some_and(|usual| usual.expected < 0.2), "it goes on with what it knew: {after:?}");
    assert!(state.book.alerts().is_empty(), "{:?}", state.book.alerts());
    fold(&mut state, 0, &minutes(361, 5, true));
    assert!(alerts_opened(&state) > 0, "what is unusual is told again");
}

#[test]
fn what_a_backlog_opened_pages_after_a_gap_only_if_it_is_still_open_once_windows_are_tested_again() {
    // One alert for each ratio.
    for (then_angry, paged) in [(true, 2), (false, 0)] {
        let mut state = state(&config(&["billing"]));
        state.clock.assign(partition(0), now(0));
        fold(&mut state, 0, &minutes(0, 5, true));
        assert!(state.book.alerts().iter().any(|alert| alert.ended.is_none() && alert.replayed));
        state.set_whole(false);
        state.follow_backlog(false, None, now(1));
        fold(&mut state, 0, &minutes(5, 40, false));
        assert_eq!(alerts_opened(&state), 0, "nobody is paged for what cannot be judged");
        state.set_whole(true);
        fold(&mut state, 0, &minutes(45, 20, then_angry));
        assert_eq!(alerts_opened(&state), paged);
    }
}

/// What is logged meanwhile.
fn logged(does: impl FnOnce()) -> String {
    logging::logged(does).1
}
