//! Stream time.

use proptest::prelude::*;

use super::{at, partition, secs, settings, settings_with};
use crate::config::{Span, WindowsConfig};
use crate::message::EventTime;
use crate::window::StreamClock;

/// A clock with so many partitions, assigned at second 0.
fn clock(partitions: i32) -> StreamClock {
    let mut clock = StreamClock::new(&settings());
    (0..partitions).for_each(|number| clock.assign(partition(number), secs(0)));
    clock
}

fn observe(clock: &mut StreamClock, number: i32, trusted: EventTime, now_seconds: u64) {
    clock.partition_mut(&partition(number)).unwrap().observe(trusted, secs(now_seconds));
}

fn set_at_end(clock: &mut StreamClock, numbers: impl IntoIterator<Item = i32>, now_seconds: u64) {
    numbers.into_iter().for_each(|number| clock.set_at_end(&partition(number), true, secs(now_seconds)));
}

#[test]
fn stream_time_is_the_slowest_partition_less_the_lateness() {
    let mut clock = clock(2);
    observe(&mut clock, 0, at(1_000), 1);
    observe(&mut clock, 1, at(5_000), 1);
    assert_eq!(clock.advance(secs(1)), Some(at(970)));
    observe(&mut clock, 0, at(900), 2);
    assert_eq!(clock.advance(secs(2)), Some(at(970)), "an older record changes nothing");
    observe(&mut clock, 0, at(9_000), 3);
    assert_eq!(clock.advance(secs(3)), Some(at(4_970)));
}

#[test]
fn nothing_is_known_before_a_partition_is_assigned() {
    let mut clock = clock(0);
    assert_eq!(clock.advance(secs(1_000)), None);
    assert!(clock.partition_mut(&partition(0)).is_none());
    assert!(!clock.is_ahead(&partition(0)));
}

#[test]
fn a_partition_that_has_not_delivered_yet_holds_stream_time() {
    let mut clock = clock(2);
    observe(&mut clock, 0, at(1_000), 1);
    assert_eq!(clock.advance(secs(100_000)), None, "the other may have records of any age");
    set_at_end(&mut clock, [0], 2);
    assert_eq!(clock.advance(secs(100_000)), None, "however long it takes");
}

#[test]
fn only_a_partition_at_its_end_and_quiet_for_long_is_left_out() {
    let mut clock = clock(2);
    observe(&mut clock, 0, at(1_000), 1);
    set_at_end(&mut clock, [1], 10);
    assert_eq!(clock.advance(secs(39)), None, "quiet for 29 s");
    assert_eq!(clock.advance(secs(40)), Some(at(970)), "quiet for 30 s");
    clock.set_at_end(&partition(1), false, secs(41));
    observe(&mut clock, 0, at(2_000), 41);
    assert_eq!(clock.advance(secs(41)), Some(at(970)), "records came in: it holds again");
    observe(&mut clock, 1, at(1_990), 42);
    assert_eq!(clock.advance(secs(42)), Some(at(1_960)));
}

#[test]
fn an_end_that_is_seen_late_is_not_taken_for_a_long_silence() {
    let mut clock = clock(2);
    observe(&mut clock, 0, at(1_000), 1);
    set_at_end(&mut clock, [1], 500);
    assert_eq!(clock.advance(secs(500)), None);
    set_at_end(&mut clock, [1], 520);
    assert_eq!(clock.advance(secs(530)), Some(at(970)), "saying it again does not start the wait anew");
}

#[test]
fn a_stream_at_its_end_goes_on_by_elapsed_time_never_to_the_wall_clock() {
    let mut clock = clock(2);
    observe(&mut clock, 0, at(1_000), 10);
    observe(&mut clock, 1, at(1_004), 12);
    assert_eq!(clock.advance(secs(20)), Some(at(970)), "not at the end: no time passes");
    set_at_end(&mut clock, [0, 1], 20);
    assert_eq!(clock.advance(secs(32)), Some(at(990)), "20 s after the last record of any partition");
    assert_eq!(clock.advance(secs(62)), Some(at(1_024)), "idle: from the newest record on, 50 s later");
    assert_eq!(clock.advance(secs(100_012)), Some(at(100_974)), "as far from the wall clock as the records were");
}

#[test]
fn stream_time_goes_on_only_while_every_partition_is_at_its_end() {
    let mut clock = clock(2);
    observe(&mut clock, 0, at(1_000), 1);
    observe(&mut clock, 1, at(1_000), 1);
    set_at_end(&mut clock, [0, 1], 1);
    assert_eq!(clock.advance(secs(11)), Some(at(980)));
    clock.set_at_end(&partition(1), false, secs(11));
    assert_eq!(clock.advance(secs(500)), Some(at(980)), "an unread record holds it");
}

#[test]
fn stream_time_never_goes_back() {
    let mut clock = clock(1);
    observe(&mut clock, 0, at(5_000), 1);
    assert_eq!(clock.advance(secs(1)), Some(at(4_970)));
    clock.assign(partition(1), secs(2));
    observe(&mut clock, 1, at(100), 2);
    assert_eq!(clock.advance(secs(2)), Some(at(4_970)), "a slower partition came");
    clock.revoke(&partition(0));
    clock.revoke(&partition(1));
    assert_eq!(clock.advance(secs(3)), Some(at(4_970)), "all partitions went");
    clock.restore(Some(at(3)), []);
    assert_eq!(clock.stream_time(), Some(at(4_970)), "an older checkpoint came");
}

#[test]
fn a_partition_that_comes_back_or_is_restored_keeps_its_frontier() {
    let mut clock = clock(1);
    observe(&mut clock, 0, at(5_000), 1);
    clock.revoke(&partition(0));
    clock.restore(Some(at(4_000)), [(partition(1), at(7_000)), (partition(0), at(10))]);
    let known: Vec<_> = clock.frontiers().map(|(id, frontier)| (id.partition, frontier)).collect();
    assert_eq!(known, [(0, at(5_000)), (1, at(7_000))], "to be saved though not assigned");
    clock.assign(partition(0), secs(2));
    clock.assign(partition(1), secs(2));
    assert_eq!(clock.advance(secs(2)), Some(at(4_970)));
    clock.restore(None, [(partition(0), at(6_000))]);
    assert_eq!(clock.advance(secs(2)), Some(at(5_970)), "restored while assigned");
}

#[test]
fn a_restored_stream_at_its_end_goes_on_from_its_assignment() {
    let mut clock = StreamClock::new(&settings());
    clock.restore(Some(at(970)), [(partition(0), at(1_000))]);
    clock.assign(partition(0), secs(100));
    set_at_end(&mut clock, [0], 105);
    assert_eq!(clock.advance(secs(110)), Some(at(980)));
}

#[test]
fn an_empty_partition_that_joins_does_not_stop_the_time_that_elapses() {
    let mut clock = clock(1);
    observe(&mut clock, 0, at(1_000), 0);
    set_at_end(&mut clock, [0], 0);
    assert_eq!(clock.advance(secs(600)), Some(at(1_570)));
    clock.assign(partition(1), secs(600));
    set_at_end(&mut clock, [1], 600);
    assert_eq!(clock.advance(secs(629)), Some(at(1_570)), "it may still deliver");
    assert_eq!(clock.advance(secs(630)), Some(at(1_600)));
}

#[test]
fn a_partition_too_far_ahead_is_told_from_the_others() {
    let mut clock = clock(2);
    observe(&mut clock, 0, at(0), 1);
    observe(&mut clock, 0, at(3_600), 1);
    assert!(!clock.is_ahead(&partition(0)), "no stream time yet: an hour from its own first record");
    observe(&mut clock, 0, at(3_601), 1);
    assert!(clock.is_ahead(&partition(0)));
    observe(&mut clock, 1, at(31), 1);
    clock.advance(secs(1));
    assert_eq!(clock.stream_time(), Some(at(1)));
    assert!(!clock.is_ahead(&partition(0)));
    observe(&mut clock, 0, at(3_602), 1);
    assert!(clock.is_ahead(&partition(0)));
    assert!(!clock.is_ahead(&partition(1)));
}

#[test]
fn the_slowest_partition_is_never_too_far_ahead() {
    let alignment = Span::from_secs(1);
    let mut clock = StreamClock::new(&WindowsConfig { alignment, ..settings_with(&[60], 600) });
    clock.assign(partition(0), secs(0));
    observe(&mut clock, 0, at(1_000), 1);
    clock.advance(secs(1));
    assert!(!clock.is_ahead(&partition(0)), "pausing it would stop the stream for good");
}

#[test]
fn late_is_older_than_the_oldest_pane_kept() {
    let mut clock = clock(1);
    let day = 24 * 3_600;
    assert!(!clock.partition_mut(&partition(0)).unwrap().is_late(at(-9_000_000_000), None), "nothing is known yet");
    observe(&mut clock, 0, at(day + 65), 1);
    let of_partition = clock.partition_mut(&partition(0)).unwrap();
    // Frontier less lateness (30 s) less retention (24 h 30 s): 5 s, in the pane that starts at 0.
    assert_eq!(of_partition.late_before(None), Some(at(0)));
    assert!(!of_partition.is_late(at(0), None));
    assert!(of_partition.is_late(at(-1), None));
    assert!(of_partition.is_late(at(9), Some(at(day + 40))), "stream time further on than the partition");
}

#[test]
fn times_at_the_ends_of_the_calendar_and_beyond_do_no_harm() {
    for extreme in [i64::MIN, -62_135_596_800_000, -1, 0, 253_402_300_799_000, i64::MAX] {
        let mut clock = clock(1);
        let of_partition = clock.partition_mut(&partition(0)).unwrap();
        of_partition.observe(EventTime::from_millis(extreme), secs(1));
        assert!(!of_partition.is_late(EventTime::from_millis(extreme), None));
        set_at_end(&mut clock, [0], 1);
        assert!(clock.advance(secs(1)) <= clock.advance(secs(u64::MAX / 4)));
        assert!(!clock.is_ahead(&partition(0)));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Assign(i32),
    Revoke(i32),
    Record(i32, i64),
    AtEnd(i32, bool),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..3).prop_map(Step::Assign),
        1 => (0..3).prop_map(Step::Revoke),
        6 => (0..3, 0..100_000_i64).prop_map(|(number, second)| Step::Record(number, second)),
        2 => (0..3, any::<bool>()).prop_map(|(number, at_end)| Step::AtEnd(number, at_end)),
        2 => (0..100_u64).prop_map(Step::Wait),
    ]
}

/// All that ever happened to a partition since it was last assigned, and its newest record of all time.
#[derive(Clone, Debug, Default)]
struct History {
    assigned: Option<u64>,
    newest: Option<i64>,
    last_record: Option<u64>,
    reached_end: Option<u64>,
}

/// The rules as they are written, from the histories.
fn allowed(histories: &[History; 3], now: u64) -> Option<i64> {
    let assigned: Vec<_> = histories.iter().filter(|history| history.assigned.is_some()).collect();
    let is_idle = |history: &History| {
        let since = [history.assigned, history.last_record, history.reached_end].into_iter().flatten().max();
        history.reached_end.is_some() && now - since.unwrap_or(0) >= 30
    };
    let holders: Vec<_> = assigned.iter().filter(|history| !is_idle(history)).collect();
    let frontier = if holders.is_empty() {
        assigned.iter().filter_map(|history| history.newest).max()?
    } else {
        holders.iter().map(|history| history.newest).min()??
    };
    let elapsed = if assigned.iter().all(|history| history.reached_end.is_some()) {
        now - assigned.iter().filter_map(|history| history.last_record).max()?
    } else {
        0
    };
    Some(frontier - 30 + i64::try_from(elapsed).unwrap())
}

proptest! {
    #[test]
    fn stream_time_is_what_the_rules_allow_and_never_goes_back(steps in prop::collection::vec(step(), 1..120)) {
        let mut clock = clock(0);
        let mut histories: [History; 3] = Default::default();
        let (mut now, mut expected) = (0, None);
        for step in steps {
            match step {
                Step::Wait(seconds) => now += seconds,
                Step::Assign(number) => {
                    clock.assign(partition(number), secs(now));
                    let history = &mut histories[usize::try_from(number).unwrap()];
                    if history.assigned.is_none() {
                        *history = History { assigned: Some(now), reached_end: None, ..history.clone() };
                    }
                }
                Step::Revoke(number) => {
                    clock.revoke(&partition(number));
                    let history = &mut histories[usize::try_from(number).unwrap()];
                    *history = History { assigned: None, reached_end: None, ..history.clone() };
                }
                Step::Record(number, second) => {
                    let history = &mut histories[usize::try_from(number).unwrap()];
                    if let Some(of_partition) = clock.partition_mut(&partition(number)) {
                        of_partition.observe(at(second), secs(now));
                        history.newest = history.newest.max(Some(second));
                        history.last_record = Some(now);
                    }
                }
                Step::AtEnd(number, at_end) => {
                    clock.set_at_end(&partition(number), at_end, secs(now));
                    let history = &mut histories[usize::try_from(number).unwrap()];
                    if history.assigned.is_some() {
                        history.reached_end = at_end.then(|| history.reached_end.unwrap_or(now));
                    }
                }
            }
            expected = expected.max(allowed(&histories, now));
            prop_assert_eq!(clock.advance(secs(now)), expected.map(at));
        }
    }
}
