//! Panes and windows.

use proptest::prelude::*;

use super::model::{Model, crowd, panes_of};
use super::{at, secs, settings, settings_with};
use std::collections::BTreeMap;

use crate::message::{DepartmentId, EventTime, ModelId};
use crate::window::{PaneCounts, Panes, ShardId, ShareCounts, ShareSums, Tally, pane_start};

const SALES: DepartmentId = DepartmentId(0);
const CARE: DepartmentId = DepartmentId(1);

fn messages(messages: u32) -> Tally {
    Tally { messages, ..Tally::default() }
}

fn sums(counts: &ShareCounts) -> ShareSums {
    ShareSums { sentiment: counts.sentiment.map(u64::from), frustration: counts.frustration.map(u64::from) }
}

/// Mostly single messages, and some crowds.
fn some(seed: u32) -> PaneCounts {
    crowd(seed, if seed.is_multiple_of(17) { 200 + seed % 100_000 } else { 1 })
}

/// Some of it by one model and the rest by another.
fn by_model(seed: u32) -> [(ModelId, Tally); 2] {
    let all = some(seed).tally;
    let part = |count: u32| count / (1 + seed % 3);
    let of_one = Tally {
        messages: part(all.messages),
        negative: part(all.negative),
        positive: part(all.positive),
        frustrated: part(all.frustrated),
    };
    [(ModelId(1 + seed % 2), of_one), (ModelId(3), all.saturating_sub(of_one))]
}

/// What each model said, by department and pane.
fn said(panes: &Panes) -> BTreeMap<(DepartmentId, EventTime, ModelId), Tally> {
    let mut said = BTreeMap::new();
    let kept = panes.kept_from();
    for (department, hour) in panes.hours() {
        for (start, counts, parts) in hour.panes_by_model().filter(|(start, ..)| Some(*start) >= kept) {
            let mut left = counts.tally;
            for (model, tally) in parts {
                *said.entry((department, start, model)).or_insert_with(Tally::default) += tally;
                left -= tally;
            }
            assert!(left.is_empty(), "the models' parts are all there is");
        }
    }
    said
}

/// Advances and returns the window ends that were called, in seconds.
fn advance(panes: &mut Panes, seconds: i64) -> Vec<i64> {
    let mut ends = Vec::new();
    panes.advance(at(seconds), |end, _| ends.push(end.as_millis() / 1_000));
    ends
}

#[test]
fn a_window_is_the_sum_of_the_panes_before_its_end() {
    let mut panes = Panes::new(&settings_with(&[20, 60], 30), 2);
    for second in [100, 109, 110, 125, 130] {
        assert!(panes.add(SALES, at(second), messages(1)));
    }
    assert_eq!(panes.window_end(), None);
    assert_eq!(advance(&mut panes, 129), [110, 120]);
    assert_eq!(panes.window_end(), Some(at(120)));
    assert_eq!(panes.sums(SALES), [messages(3), messages(3)], "the pane of 120 is not closed");
    assert_eq!(advance(&mut panes, 130), [130]);
    assert_eq!(panes.sums(SALES), [messages(2), messages(4)], "the pane of 100 has left the short window");
    assert_eq!(panes.sums(CARE), [Tally::default(); 2]);
    assert_eq!(panes.newest_closed_pane(SALES), messages(1));
    assert_eq!(panes.pane(SALES, at(100)), messages(2).into());
    assert_eq!(panes.pane(SALES, at(130)), messages(1).into());
}

#[test]
fn the_callback_sees_the_windows_as_of_each_end() {
    let mut panes = Panes::new(&settings_with(&[10], 30), 1);
    (0..5).for_each(|pane| assert!(panes.add(SALES, at(pane * 10), messages(u32::try_from(pane).unwrap() + 1))));
    let mut seen = Vec::new();
    panes.advance(at(50), |end, panes| {
        assert_eq!(panes.window_end(), Some(end));
        assert_eq!(panes.sums(SALES)[0], panes.newest_closed_pane(SALES));
        seen.push(panes.sums(SALES)[0].messages);
    });
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

#[test]
fn a_message_for_a_closed_pane_enters_every_window_that_still_covers_it() {
    let mut panes = Panes::new(&settings_with(&[20, 60], 30), 1);
    assert!(panes.add(SALES, at(100), messages(1)));
    advance(&mut panes, 150);
    assert!(panes.add(SALES, at(115), messages(1)));
    assert!(panes.add(SALES, at(135), messages(1)));
    assert_eq!(panes.sums(SALES), [messages(1), messages(3)]);
    advance(&mut panes, 200);
    assert_eq!(panes.sums(SALES), [messages(0), messages(0)], "it leaves like any other");
}

#[test]
fn what_is_no_longer_kept_is_refused_and_what_is_kept_is_counted() {
    let mut panes = Panes::new(&settings(), 1);
    assert!(panes.add(SALES, at(0), messages(1)));
    let day = 24 * 3_600;
    advance(&mut panes, day);
    assert_eq!(panes.sums(SALES)[4], messages(1), "the window of 24 h covers it to the last");
    assert!(panes.add(SALES, at(0), messages(1)));
    assert_eq!(panes.sums(SALES)[4], messages(2));
    advance(&mut panes, day + 100);
    assert_eq!(panes.iter_panes().count(), 0);
    assert!(!panes.add(SALES, at(0), messages(1)));
    assert_eq!(panes.iter_panes().count(), 0);
}

#[test]
fn a_jump_over_years_costs_a_day_of_window_ends_and_loses_nothing() {
    let mut panes = Panes::new(&settings(), 1);
    let years = 50 * 365 * 24 * 3_600;
    assert!(panes.add(SALES, at(0), messages(1)));
    assert!(panes.add(SALES, at(years), messages(1)));
    let ends = advance(&mut panes, years + 10);
    assert_eq!(ends.first(), Some(&10));
    assert_eq!(ends.last(), Some(&(years + 10)));
    let of_first = ends.iter().filter(|end| **end < years).count();
    assert!((8_640..8_660).contains(&of_first), "{of_first} ends until nothing of the first was kept");
    assert_eq!(panes.sums(SALES)[0], messages(1));
    assert_eq!(panes.iter_panes().count(), 1);
}

#[test]
fn times_at_the_ends_of_the_calendar_and_beyond_cost_neither_time_nor_memory() {
    let mut panes = Panes::new(&settings(), 1);
    let extremes = [i64::MIN, -62_135_596_800_000, -1, 253_402_300_799_000, i64::MAX - 20_000];
    for extreme in extremes {
        assert!(panes.add(SALES, EventTime::from_millis(extreme), messages(1)));
    }
    let (mut ends, mut counted) = (0, 0);
    panes.advance(EventTime::from_millis(i64::MAX), |_, panes| {
        ends += 1;
        counted += panes.newest_closed_pane(SALES).messages;
    });
    assert_eq!(counted, 5);
    assert!(ends < 5 * 8_660, "{ends}");
    assert!(panes.iter_panes().count() <= 2);
}

#[test]
fn a_partition_days_ahead_loses_nothing() {
    let mut panes = Panes::new(&settings_with(&[60], 30), 2);
    advance(&mut panes, 0);
    for hour in 0..7 * 24 {
        assert!(panes.add(CARE, at(hour * 3_600), messages(2)));
        assert!(panes.add(CARE, at(hour * 3_600 + 5), messages(3)));
    }
    assert_eq!(panes.iter_panes().map(|(_, _, counts)| counts.tally.messages).sum::<u32>(), 7 * 24 * 5);
    let mut counted = 0;
    panes.advance(at(7 * 24 * 3_600), |_, panes| counted += panes.newest_closed_pane(CARE).messages);
    assert_eq!(counted, 7 * 24 * 5);
}

#[test]
fn a_full_pane_and_a_full_window_overflow_nothing() {
    let mut panes = Panes::new(&settings_with(&[60], 30), 1);
    let many = Tally { messages: u32::MAX, negative: u32::MAX / 4, positive: u32::MAX / 2, frustrated: u32::MAX };
    for second in [0, 10, 20] {
        assert!(panes.add(SALES, at(second), many));
        assert!(panes.add(SALES, at(second), messages(1)), "kept, though the pane is full");
    }
    advance(&mut panes, 30);
    assert_eq!(panes.sums(SALES), [many], "three times as many, in the same ratios");
    advance(&mut panes, 90);
    assert_eq!(panes.sums(SALES), [Tally::default()], "and back to nothing");
}

#[test]
fn memory_is_taken_by_the_hours_with_messages_and_given_back() {
    let mut panes = Panes::new(&settings(), 100);
    for minute in 0..3 * 24 * 60 {
        assert!(panes.add(SALES, at(minute * 60), messages(1)));
        advance(&mut panes, minute * 60);
        assert!(panes.hours_in_use() <= 24 + 3, "{} hours at minute {minute}", panes.hours_in_use());
    }
    advance(&mut panes, 10 * 24 * 3_600);
    assert_eq!(panes.hours_in_use(), 0);
}

#[test]
fn a_pane_takes_as_few_bytes_as_its_hour_needs_and_no_count_is_lost() {
    let mut panes = Panes::new(&settings_with(&[86_400], 30), 1);
    let many = |messages: u32| {
        let mut counts = PaneCounts::from(Tally { messages, ..Tally::default() });
        counts.shares.sentiment[7] = messages;
        counts
    };
    for (hour, messages) in (0..).zip([255, 256, 65_536]) {
        assert!(panes.add(SALES, at(hour * 3_600), many(messages - 1)));
        assert!(panes.add(SALES, at(hour * 3_600), many(1)));
    }
    advance(&mut panes, 4 * 3_600);
    assert_eq!(panes.bytes_of_a_pane(), [21, 42, 84]);
    assert_eq!(panes.sums(SALES)[0].messages, 255 + 256 + 65_536);
    assert_eq!(panes.share_sums(SALES)[0].sentiment, [0, 0, 0, 0, 0, 0, 0, 255 + 256 + 65_536]);
}

#[test]
fn lateness_and_lengths_beyond_their_limits_are_held_to_them() {
    let lengths = [secs(0), secs(u64::MAX)].map(crate::config::Span);
    let mut panes = Panes::new(
        &crate::config::WindowsConfig {
            lengths: lengths.to_vec(),
            lateness: crate::config::Span(secs(u64::MAX)),
            ..settings()
        },
        1,
    );
    assert!(panes.add(SALES, at(0), messages(1)));
    advance(&mut panes, 20);
    assert_eq!(panes.sums(SALES), [messages(0), messages(1)]);
}

#[derive(Clone, Debug)]
enum Step {
    Add { department: u16, millis: i64, seed: u32 },
    Advance { millis: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let near = -100_000..400_000_i64;
    let far = -200_000_000..900_000_000_i64;
    let millis = || prop_oneof![6 => near.clone(), 1 => far.clone()];
    prop_oneof![
        8 => (0..3_u16, millis(), any::<u32>()).prop_map(|(department, millis, seed)| Step::Add { department, millis, seed }),
        2 => millis().prop_map(|millis| Step::Advance { millis }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn panes_and_sums_equal_a_model_that_keeps_every_message(steps in prop::collection::vec(step(), 1..150)) {
        let settings = settings_with(&[10, 50, 300, 86_400], 30);
        let mut panes = Panes::new(&settings, 3);
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Add { department, millis, seed } => {
                    let event_time = EventTime::from_millis(millis);
                    if panes.add(DepartmentId(department), event_time, some(seed)) {
                        model.add(department, event_time, some(seed));
                    }
                }
                Step::Advance { millis } => panes.advance(EventTime::from_millis(millis), |_, _| {}),
            }
            let Some(end) = panes.window_end().map(EventTime::as_millis) else {
                prop_assert_eq!(panes_of(&panes), model.panes(i64::MIN));
                continue;
            };
            let oldest_needed = end - 86_430_000;
            let kept = panes_of(&panes).into_iter().filter(|((_, start), _)| *start >= oldest_needed).collect();
            prop_assert_eq!(model.panes(oldest_needed), kept);
            for department in 0..3 {
                let expected = [10, 50, 300, 86_400].map(|length| model.sum(department, end - length * 1_000, end));
                prop_assert_eq!(panes.sums(DepartmentId(department)), expected.map(|counts| counts.tally));
                prop_assert_eq!(panes.share_sums(DepartmentId(department)), expected.map(|counts| sums(&counts.shares)));
            }
        }
    }

    #[test]
    fn restored_panes_are_equal_and_go_on_alike(
        before in prop::collection::vec(step(), 1..100),
        after in prop::collection::vec(step(), 1..50),
    ) {
        let settings = settings_with(&[10, 300, 86_400], 30);
        let mut panes = Panes::new(&settings, 3);
        let run = |panes: &mut Panes, steps: &[Step]| {
            let mut closed = Vec::new();
            for step in steps {
                match step {
                    Step::Add { department, millis, seed } => {
                        panes.add(DepartmentId(*department), EventTime::from_millis(*millis), some(*seed));
                    }
                    Step::Advance { millis } => panes.advance(EventTime::from_millis(*millis), |end, panes| {
                        let sums = |id| (panes.sums(DepartmentId(id)).to_vec(), panes.share_sums(DepartmentId(id)).to_vec());
                        closed.push((end, (0..3).map(sums).collect::<Vec<_>>()));
                    }),
                }
            }
            closed
        };
        run(&mut panes, &before);
        let mut restored = Panes::new(&settings, 3);
        restored.restore(panes.window_end(), panes.iter_panes().collect::<Vec<_>>());
        prop_assert_eq!(panes_of(&restored), panes_of(&panes));
        prop_assert_eq!(restored.window_end(), panes.window_end());
        prop_assert_eq!(run(&mut restored, &after), run(&mut panes, &after));
        prop_assert_eq!(panes_of(&restored), panes_of(&panes));
    }

    #[test]
    fn shards_together_are_the_panes_of_one_and_each_can_be_handed_on(
        steps in prop::collection::vec(step(), 1..100),
        first in 0_usize..3,
    ) {
        let settings = settings_with(&[10, 300, 86_400], 30);
        let (mut whole, mut cut) = (Panes::new(&settings, 3), Panes::with_shards(&settings, 3, 3));
        let mut counted: BTreeMap<(DepartmentId, EventTime, ModelId), Tally> = BTreeMap::new();
        let seen = |panes: &Panes| {
            let of = |id| (panes.sums(DepartmentId(id)).to_vec(), panes.share_sums(DepartmentId(id)).to_vec());
            (panes.window_end(), (0..3).map(of).collect::<Vec<_>>())
        };
        for step in &steps {
            match step {
                Step::Add { department, millis, seed } => {
                    let (department, at) = (DepartmentId(*department), EventTime::from_millis(*millis));
                    let shard = ShardId(usize::try_from(*seed).unwrap() % 3);
                    let taken = whole.add(department, at, some(*seed));
                    prop_assert_eq!(cut.add_to((shard, department), at, some(*seed), by_model(*seed)), taken);
                    for (model, tally) in by_model(*seed).into_iter().filter(|(_, tally)| taken && !tally.is_empty()) {
                        *counted.entry((department, pane_start(at), model)).or_default() += tally;
                    }
                    prop_assert_eq!(cut.pane(department, at), whole.pane(department, at));
                }
                Step::Advance { millis } => {
                    let (mut of_whole, mut of_cut) = (Vec::new(), Vec::new());
                    whole.advance(EventTime::from_millis(*millis), |_, panes| of_whole.push(seen(panes)));
                    cut.advance(EventTime::from_millis(*millis), |_, panes| of_cut.push(seen(panes)));
                    prop_assert_eq!(of_cut, of_whole);
                }
            }
        }
        let mut taken_up = Panes::with_shards(&settings, 3, 3);
        taken_up.restore(cut.window_end(), []);
        for shard in (0..3).map(|place| ShardId((place + first) % 3)) {
            for (department, hour) in cut.hours_of(shard) {
                for (start, counts, by_model) in hour.panes_by_model() {
                    taken_up.add_to((shard, department), start, counts, by_model);
                }
            }
        }
        counted.retain(|(_, start, _), _| Some(*start) >= cut.kept_from());
        prop_assert_eq!(said(&cut), counted);
        prop_assert_eq!(said(&taken_up), said(&cut));
        prop_assert_eq!(seen(&taken_up), seen(&whole), "handed on in whatever order, the windows are the same");
    }
}
