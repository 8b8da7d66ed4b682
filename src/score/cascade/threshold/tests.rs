//! The threshold over made-up time and made-up traffic.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;

const TICK: Duration = Duration::from_millis(50);
const DEADLINE: Duration = Duration::from_secs(2);

/// What one core manages, and what of it is made use of.
const CAPACITY: f64 = 70.0;
const USABLE: f64 = CAPACITY * USED;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A stream of texts whose worths are drawn.
struct Stream {
    budget: Budget,
    random: Pcg64Mcg,
    now: Duration,
    /// Part of a text that has not come yet.
    owed: f64,
}

/// What became of the texts of a while.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    scored: u32,
    sent: u32,
}

impl Outcome {
    fn share(self) -> f64 {
        f64::from(self.sent) / f64::from(self.scored.max(1))
    }
}

impl Stream {
    fn new(max_share: f64, capacity: Option<f64>) -> Self {
        let mut budget = Budget::new(max_share);
        budget.capacity(capacity);
        Self { budget, random: Pcg64Mcg::seed_from_u64(7), now: Duration::ZERO, owed: 0.0 }
    }

    fn threshold(&mut self) -> Worth {
        self.budget.threshold(self.now)
    }

    /// Texts whose worths are drawn evenly.
    fn run(&mut self, span: Duration, per_second: f64) -> Outcome {
        self.run_with(span, per_second, |random| Worth::new(random.random()))
    }

    fn run_with(&mut self, span: Duration, per_second: f64, mut draw: impl FnMut(&mut Pcg64Mcg) -> Worth) -> Outcome {
        let mut outcome = Outcome::default();
        let end = self.now + span;
        while self.now < end {
            self.now += TICK;
            self.owed += per_second * TICK.as_secs_f64();
            let threshold = self.budget.threshold(self.now);
            let mut worths = Vec::new();
            while self.owed >= 1.0 {
                self.owed -= 1.0;
                worths.push(draw(&mut self.random));
            }
            outcome.scored += u32::try_from(worths.len()).unwrap();
            outcome.sent += u32::try_from(worths.iter().filter(|worth| **worth >= threshold).count()).unwrap();
            self.budget.seen(self.now, &worths);
        }
        outcome
    }
}

#[test]
fn before_the_first_text_the_threshold_is_the_documented_one() {
    assert_eq!(Budget::new(1.0).threshold(Duration::ZERO), Worth::at_step(250));
    assert_eq!(Budget::new(0.15).threshold(secs(3_600)), Worth::at_step(250));
}

#[test]
fn traffic_below_what_the_model_manages_is_all_sent() {
    let mut stream = Stream::new(1.0, Some(CAPACITY));
    stream.run(TICK, 40.0);
    let outcome = stream.run(secs(300), 40.0);
    assert_eq!(outcome.sent, outcome.scored);
}

#[test]
fn of_ten_times_as_many_as_the_model_manages_it_gets_what_it_can_do() {
    let mut stream = Stream::new(1.0, Some(CAPACITY));
    stream.run(secs(30), 10.0 * CAPACITY);
    let sent_a_second = f64::from(stream.run(secs(300), 10.0 * CAPACITY).sent) / 300.0;
    assert!((0.8 * USABLE..=1.2 * USABLE).contains(&sent_a_second), "{sent_a_second} a second");
}

#[test]
fn a_burst_raises_the_threshold_within_a_second_to_what_the_model_manages() {
    let mut stream = Stream::new(1.0, Some(CAPACITY));
    stream.run(secs(120), 30.0);
    assert_eq!(stream.threshold(), Worth::NOTHING);
    let first = stream.run(secs(1), 10.0 * CAPACITY);
    assert!(stream.threshold() > Worth::at_step(850), "{}", stream.threshold());
    let excess = f64::from(first.sent) - USABLE;
    assert!(excess < DEADLINE.as_secs_f64() * CAPACITY, "what is too much is worked off within the deadline: {excess}");
    let next = stream.run(secs(1), 10.0 * CAPACITY);
    assert!(f64::from(next.sent) < CAPACITY, "{next:?}");
}

#[test]
fn after_a_burst_everything_is_sent_again_within_a_minute() {
    let mut stream = Stream::new(1.0, Some(CAPACITY));
    stream.run(secs(120), 30.0);
    stream.run(secs(60), 10.0 * CAPACITY);
    stream.run(secs(60), 30.0);
    assert_eq!(stream.threshold(), Worth::NOTHING);
}

#[test]
fn a_slower_model_gets_fewer_texts_at_once() {
    let mut stream = Stream::new(1.0, Some(CAPACITY));
    stream.run(secs(60), 500.0);
    let before = stream.run(secs(60), 500.0);
    stream.budget.capacity(Some(CAPACITY / 2.0));
    let after = stream.run(secs(60), 500.0);
    let part = after.share() / before.share();
    assert!((0.4..0.6).contains(&part), "{part}");
}

#[test]
fn of_a_model_that_was_not_measured_little_is_asked() {
    let mut stream = Stream::new(1.0, None);
    stream.run(secs(10), 500.0);
    let sent_a_second = f64::from(stream.run(secs(60), 500.0).sent) / 60.0;
    assert!((8.0..=20.0).contains(&sent_a_second), "{sent_a_second}");
}

#[test]
fn a_model_that_manages_nothing_is_sent_nothing_until_it_does() {
    let mut stream = Stream::new(1.0, Some(0.0));
    assert_eq!(stream.run(secs(10), 10.0).sent, 0);
    stream.budget.capacity(Some(CAPACITY));
    let outcome = stream.run(secs(10), 10.0);
    assert_eq!(outcome.sent, outcome.scored);
}

#[test]
fn a_pace_that_is_no_number_counts_as_unknown() {
    for pace in [f64::NAN, -1.0, f64::NEG_INFINITY] {
        let (mut odd, mut unknown) = (Stream::new(1.0, Some(pace)), Stream::new(1.0, None));
        odd.run(secs(5), 500.0);
        unknown.run(secs(5), 500.0);
        assert_eq!(odd.threshold(), unknown.threshold(), "{pace}");
    }
}

#[test]
fn the_longer_the_wait_the_fewer_are_sent_and_none_at_the_deadline() {
    let mut stream = Stream::new(1.0, Some(CAPACITY));
    stream.run(secs(60), 30.0);
    let mut at = |wait: u64| {
        stream.budget.waiting(Duration::from_millis(wait), DEADLINE);
        stream.threshold()
    };
    let thresholds = [0, 1_000, 1_250, 1_500, 1_750, 1_999, 2_000, 60_000].map(&mut at);
    assert_eq!(thresholds[..2], [Worth::NOTHING; 2], "half of the deadline may go by");
    assert!(thresholds[1..7].is_sorted_by(|before, after| before < after), "{thresholds:?}");
    assert_eq!(thresholds[6..], [Worth::NEVER; 2]);
    assert_eq!(at(0), Worth::NOTHING, "once nothing waits all are sent again");
}

#[test]
fn a_deadline_of_nothing_lets_nothing_be_sent() {
    let mut stream = Stream::new(1.0, Some(CAPACITY));
    stream.budget.waiting(Duration::ZERO, Duration::ZERO);
    assert_eq!(stream.run(secs(5), 10.0).sent, 0);
}

#[test]
fn the_largest_share_holds_whether_many_come_or_few() {
    for (per_second, span) in [(0.5, 3_600), (20.0, 300), (300.0, 180)] {
        let mut stream = Stream::new(0.15, Some(1e6));
        stream.run(secs(span / 3), per_second);
        let share = stream.run(secs(span), per_second).share();
        assert!((0.10..0.16).contains(&share), "{share} at {per_second} a second");
    }
}

#[test]
fn a_share_of_nothing_sends_nothing() {
    let mut stream = Stream::new(0.0, Some(CAPACITY));
    assert_eq!(stream.threshold(), Worth::NEVER);
    assert_eq!(stream.run_with(secs(60), 50.0, |_| Worth::new(1.0)).sent, 0);
}

#[test]
fn a_share_that_is_out_of_range_is_taken_into_it() {
    assert_eq!(Budget::new(f64::NAN).affordable(), 0.0);
    assert_eq!(Budget::new(-1.0).affordable(), 0.0);
    assert_eq!(Budget::new(7.0).affordable(), 1.0);
}

#[test]
fn canned_texts_of_one_worth_are_sent_all_or_none() {
    let canned = |_: &mut Pcg64Mcg| Worth::new(0.3);
    let mut stream = Stream::new(0.15, Some(CAPACITY));
    stream.run_with(secs(2), 30.0, canned);
    assert_eq!(stream.run_with(secs(60), 30.0, canned).sent, 0);
    assert_eq!(stream.threshold(), Worth::at_step(301), "the next text of more worth is sent");

    let mut stream = Stream::new(1.0, Some(CAPACITY));
    stream.run_with(TICK, 30.0, canned);
    let outcome = stream.run_with(secs(60), 30.0, canned);
    assert_eq!(outcome.sent, outcome.scored);
}

#[test]
fn canned_texts_keep_no_budget_from_those_worth_more() {
    let half_canned = |random: &mut Pcg64Mcg| {
        if random.random() { Worth::new(0.3) } else { Worth::new(random.random_range(0.0..1.0)) }
    };
    let mut stream = Stream::new(0.15, Some(1e6));
    stream.run_with(secs(60), 100.0, half_canned);
    let share = stream.run_with(secs(300), 100.0, half_canned).share();
    assert!((0.13..0.16).contains(&share), "{share}");
}

#[test]
fn what_came_long_ago_gives_way_to_what_comes_now() {
    let mut stream = Stream::new(0.2, Some(1e6));
    stream.run_with(secs(600), 100.0, |random| Worth::new(random.random_range(0.0..0.2)));
    stream.run_with(secs(600), 100.0, |random| Worth::new(random.random_range(0.5..0.7)));
    assert!((655..=665).contains(&stream.threshold().step()), "{}", stream.threshold());
}

#[test]
fn a_jump_of_time_forgets_the_traffic_but_not_what_texts_are_worth() {
    let mut stream = Stream::new(0.5, Some(CAPACITY));
    stream.run(secs(60), 1_000.0);
    assert!(stream.threshold() > Worth::at_step(900));
    stream.now += Duration::from_secs(u64::from(u32::MAX));
    assert!((450..=550).contains(&stream.threshold().step()), "{}", stream.threshold());
    stream.now = Duration::MAX;
    assert!((450..=550).contains(&stream.threshold().step()), "{}", stream.threshold());
}

#[test]
fn time_that_stands_still_or_goes_back_counts_as_none() {
    let mut budget = Budget::new(1.0);
    budget.capacity(Some(CAPACITY));
    let worths: Vec<_> = (0..1_000).map(Worth::at_step).collect();
    for now in [10, 10, 5, 0] {
        budget.seen(secs(now), &worths);
    }
    let standing = budget.threshold(secs(10));
    assert!(standing > Worth::at_step(900) && standing < Worth::NEVER, "{standing}");
    assert_eq!(budget.threshold(secs(3)), standing);
}

/// What can be told to a budget.
#[derive(Clone, Debug)]
enum Told {
    Seen(Vec<Worth>),
    Capacity(Option<f64>),
    Waiting(Duration, Duration),
}

/// Times and what is told then; times may go back or jump.
fn told() -> impl Strategy<Value = Vec<(Duration, Told)>> {
    let worth =
        prop_oneof![3 => (0.0_f32..1.0).prop_map(Worth::new), 1 => Just(Worth::new(0.3)), 1 => Just(Worth::NEVER)];
    let capacity = prop::option::of(prop_oneof![0.0..1e6, Just(f64::NAN), Just(f64::INFINITY), any::<f64>()]);
    let wait = || (0_u64..5_000).prop_map(Duration::from_millis);
    let event = prop_oneof![
        4 => prop::collection::vec(worth, 0..50).prop_map(Told::Seen),
        1 => capacity.prop_map(Told::Capacity),
        1 => (wait(), wait()).prop_map(|(wait, deadline)| Told::Waiting(wait, deadline)),
    ];
    let now = prop_oneof![
        8 => (0_u64..100_000).prop_map(Duration::from_millis),
        1 => any::<u64>().prop_map(Duration::from_secs),
    ];
    prop::collection::vec((now, event), 0..30)
}

fn thresholds(max_share: f64, told: &[(Duration, Told)]) -> Vec<Worth> {
    let mut budget = Budget::new(max_share);
    let tell = |(now, told): &(Duration, Told)| {
        match told {
            Told::Seen(worths) => budget.seen(*now, worths),
            Told::Capacity(capacity) => budget.capacity(*capacity),
            Told::Waiting(wait, deadline) => budget.waiting(*wait, *deadline),
        }
        budget.threshold(*now)
    };
    told.iter().map(tell).collect()
}

proptest! {
    #[test]
    fn whatever_it_is_told_each_threshold_is_a_step(max_share in any::<f64>(), told in told()) {
        for threshold in thresholds(max_share, &told) {
            prop_assert_eq!(threshold, Worth::at_step(threshold.step()));
        }
    }

    #[test]
    fn told_the_same_it_says_the_same(max_share in 0.0..1.0, told in told()) {
        prop_assert_eq!(thresholds(max_share, &told), thresholds(max_share, &told));
    }

    #[test]
    fn no_more_of_what_was_seen_reaches_the_threshold_than_can_be_sent(max_share in 0.0..1.0, told in told()) {
        let mut budget = Budget::new(max_share);
        budget.capacity(Some(f64::INFINITY));
        let mut all: Vec<Worth> = Vec::new();
        for (_, told) in told {
            let Told::Seen(worths) = told else { continue };
            budget.seen(Duration::ZERO, &worths);
            all.extend(worths);
        }
        prop_assume!(all.len() >= 20);
        let threshold = budget.threshold(Duration::ZERO);
        #[allow(clippy::cast_precision_loss)]
        let reach = |threshold: Worth| all.iter().filter(|worth| worth.step() >= threshold.step()).count() as f64 / all.len() as f64;
        if threshold < Worth::NEVER {
            prop_assert!(reach(threshold) <= max_share + 1e-9);
        }
        if threshold > Worth::NOTHING {
            prop_assert!(reach(Worth::at_step(threshold.step() - 1)) > max_share - 1e-9, "it is no higher than it must be");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn in_the_long_run_no_more_are_sent_than_the_largest_share(
        max_share in 0.02_f64..0.9,
        per_second in 30.0_f64..200.0,
        canned in prop::collection::vec((0.0_f32..1.0, 0.0_f64..0.4), 0..4),
    ) {
        let mut stream = Stream::new(max_share, Some(1e6));
        let draw = |random: &mut Pcg64Mcg| {
            let mut dice: f64 = random.random();
            for (worth, part) in &canned {
                dice -= part;
                if dice < 0.0 {
                    return Worth::new(*worth);
                }
            }
            Worth::new(random.random())
        };
        stream.run_with(secs(60), per_second, draw);
        let share = stream.run_with(secs(300), per_second, draw).share();
        prop_assert!(share <= max_share + 0.06, "{} of at most {}", share, max_share);
    }
}
