//! A week after weeks that were learned, with its nights and its weekend, read at full speed: the same alerts in the same states as
//! live, and nobody is paged about what is over (INV-10).

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::replayed_day::{Arrival, DAY, HOUR, LATEST, QUIET, Replay, alerts, live_on, started};
use super::*;
use crate::window::Tally;

const WEEK: i64 = 7 * DAY;
/// Enough for the hours of the week, the volume, and the calibration of tests.
const LEARNED: i64 = 2 * WEEK;
const MINUTE: i64 = 60;
/// How far the clock of the live run goes at a time, in seconds.
const LIVE_STEP: usize = 60;
/// When the checkpoint is saved that one of the replays starts from.
const SAVED: i64 = 5 * DAY;

/// How many of a hundred messages are unhappy on a weekday, by department; at the weekend there are more.
const USUAL: [u32; 2] = [20, 12];

/// Messages an hour at a second: [`BEGUN`] is a Sunday at three in the afternoon.
fn an_hour(second: i64) -> i64 {
    let hour = (15 + second.div_euclid(HOUR)).rem_euclid(24);
    match (hour, is_weekend(second)) {
        (8..20, false) => 16,
        (8..20, true) => 6,
        _ => 2,
    }
}

fn is_weekend(second: i64) -> bool {
    let day = (second + 15 * HOUR).div_euclid(DAY).rem_euclid(7);
    day == 0 || day == 6
}

/// What arrives in those seconds; `worse` are unhappier than usual.
fn written(seed: u64, seconds: std::ops::Range<i64>, worse: &std::ops::Range<i64>) -> Vec<Arrival> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut arrivals = Vec::new();
    for minute in seconds.step_by(60) {
        for (department, usual) in (0_u16..).zip(USUAL) {
            if random.random_range(0..MINUTE) >= an_hour(minute) {
                continue;
            }
            let second = minute + random.random_range(0..MINUTE);
            let of_hundred = match (worse.contains(&second), is_weekend(second)) {
                (true, _) => 75,
                (false, true) => usual + 3,
                (false, false) => usual,
            };
            let angry = random.random_range(0..100) < of_hundred;
            let (partition, arrives) = (random.random_range(0..PARTITIONS), second + random.random_range(0..LATEST));
            arrivals.push(Arrival { partition, second: arrives, said: Said { department, second, angry } });
        }
    }
    arrivals.sort_by_key(|arrival| arrival.second);
    arrivals
}

/// A checkpoint of a daemon that has seen two weeks and nothing unusual in them.
fn learned() -> Vec<u8> {
    static LEARNED: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    LEARNED.get_or_init(learn).clone()
}

fn learn() -> Vec<u8> {
    let config = departments(1.0);
    let mut by_minute: BTreeMap<i64, Vec<Tally>> = BTreeMap::new();
    for Arrival { said, .. } in written(7, -LEARNED..-MINUTE, &(0..0)) {
        let end = (at(said.second).as_millis().div_euclid(60_000) + 1) * 60_000;
        let tallies = by_minute.entry(end).or_insert_with(|| vec![Tally::default(); USUAL.len()]);
        let tally = &mut tallies[usize::from(said.department)];
        tally.messages += 1;
        tally.negative += u32::from(said.angry);
        tally.frustrated += u32::from(said.angry);
    }
    let mut detector = Detector::new(&config.detect, &Roster::new(&config));
    for (end, tallies) in by_minute {
        detector.close(EventTime::from_millis(end), |department| {
            tallies.get(department.index()).copied().unwrap_or_default()
        });
    }
    assert_eq!(detector.open_alerts().count(), 0, "nothing was unusual");
    encode(&Snapshot { detector: detector.snapshot(), ..Snapshot::empty() }).unwrap()
}

fn departments(false_alarms: f64) -> Config {
    let departments = ["billing", "delivery"].map(DepartmentConfig::named).to_vec();
    let mut config = Config { departments, ..Config::default() };
    config.detect.false_alarms_per_month = false_alarms;
    config
}

/// Where departments and their alerts stand.
fn states(state: &State) -> Vec<crate::detect::DepartmentOutlook> {
    state.roster.iter().map(|(department, _)| state.detector.outlook(department)).collect()
}

/// Holds the week, read at once and read from a checkpoint in its middle, to the live one. Gives what the live run raised.
fn hold_to_the_live_run(config: &Config, seed: u64, worse: &std::ops::Range<i64>) -> Vec<Alert> {
    let (start, mut week) = (learned(), written(seed, 0..WEEK - MINUTE, worse));
    // Both runs end so long after the same messages.
    let last = Said { department: 0, second: WEEK, angry: false };
    week.extend((0..PARTITIONS).map(|partition| Arrival { partition, second: WEEK, said: last }));
    let (before, after) = week.split_at(week.partition_point(|arrival| arrival.second <= SAVED));
    let second = |second: i64| u64::try_from(second).unwrap();

    let mut live = started(config, &start);
    live_on(&mut live, before, 0..second(SAVED) + 1, LIVE_STEP);
    let middle = encode(&live.snapshot(&positions(), at(0))).unwrap();
    let paged_before = alerts_opened(&live);
    live_on(&mut live, after, second(SAVED) + LIVE_STEP as u64..second(WEEK) + QUIET + 1, LIVE_STEP);
    let raised = alerts(&live);
    assert_eq!(alerts_opened(&live), raised.len() as u64, "all that the live run raises pages");
    assert!(states(&live).iter().take(2).all(|outlook| outlook.usual_messages.is_some()), "the volume is known");

    for (way, from, rest, told) in
        [("all at once", start, &week[..], 0), ("from a checkpoint in its middle", middle, after, paged_before)]
    {
        let replay = Replay::from(config, from, rest).read(400, &[]);
        assert_eq!(alerts(&replay.state), raised, "{way}");
        assert_eq!(states(&replay.state), states(&live), "{way}");
        assert_eq!(replay.state.panes.window_end(), live.panes.window_end(), "{way}");
        assert!(replay.state.detector.snapshot() == live.detector.snapshot(), "all that was learned, {way}");
        let is_open = |alert: &&Alert| alert.ended.is_none_or(|ended| ended > at(WEEK));
        let first_told = usize::try_from(told).unwrap();
        let paged = raised.iter().skip(first_told).filter(is_open).count() as u64;
        assert_eq!(replay.paged, paged, "paged, {way}");
    }
    raised
}

#[test]
fn a_quiet_week_after_weeks_that_were_learned_raises_as_a_backlog_nothing_that_it_did_not_raise_live() {
    assert_eq!(hold_to_the_live_run(&departments(1.0), 1, &(0..0)), []);
}

#[test]
fn a_week_under_jumpy_settings_raises_as_a_backlog_what_it_raised_live_on_its_weekend_too() {
    let saturday = 6 * DAY - 15 * HOUR + 10 * HOUR;
    let raised = hold_to_the_live_run(&departments(30.0), 3, &(saturday..saturday + 4 * HOUR));
    let is_of_weekend = |alert: &&Alert| is_weekend((alert.started.as_millis() - BEGUN) / 1_000);
    assert!(raised.iter().any(|alert| is_of_weekend(&alert)), "{raised:#?}");
    assert!(raised.iter().any(|alert| !is_of_weekend(&alert)), "the settings are not jumpy enough: {raised:#?}");
}
