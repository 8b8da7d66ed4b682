//! A day's backlog, however it is cut into batches and however often its reader dies, raises the alerts that the live run
//! raised and no other, and pages nobody about what is over (INV-10).

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::detect::Handling;

const DEPARTMENTS: [&str; 4] = ["billing", "delivery", "shop", "support"];
/// How many of a hundred messages are unhappy on a usual day, by department.
const USUAL: [u32; 4] = [25, 15, 10, 30];
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;
/// How much later than it was written a message may arrive: within `windows.lateness`.
pub(super) const LATEST: i64 = 20;
/// What comes after the day until its last windows are closed.
pub(super) const QUIET: u64 = 1_200;
/// How many checkpoints are saved while the day is read.
const SAVED: usize = 10;

/// A message and where and when it arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) partition: i32,
    pub(super) second: i64,
    pub(super) said: Said,
}

/// A department in trouble: of a hundred messages so many are unhappy in those seconds.
struct Trouble {
    department: u16,
    seconds: std::ops::Range<i64>,
    of_hundred: u32,
}

/// A day of four departments, busy by day and quiet by night, in the order of arrival.
fn day(seed: u64, trouble: Option<&Trouble>) -> Vec<Arrival> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut arrivals = Vec::new();
    for second in 0..DAY {
        // Messages an hour and department: 20 at four in the morning, 200 at four in the afternoon.
        let hour = second / HOUR;
        let an_hour = 20 + 15 * (12 - (hour - 16).abs()).max(0);
        for (department, usual) in (0_u16..).zip(USUAL) {
            if random.random_range(0..HOUR) >= an_hour {
                continue;
            }
            let troubled = trouble.filter(|one| one.department == department && one.seconds.contains(&second));
            let angry = random.random_range(0..100) < troubled.map_or(usual, |one| one.of_hundred);
            let arrives = second + random.random_range(0..LATEST);
            let partition = random.random_range(0..PARTITIONS);
            arrivals.push(Arrival { partition, second: arrives, said: Said { department, second, angry } });
        }
    }
    arrivals.sort_by_key(|arrival| arrival.second);
    arrivals
}

/// The day as it went on.
fn live(config: &Config, day: &[Arrival]) -> State {
    let mut state = state(config);
    assign_all(&mut state);
    live_on(&mut state, day, 0..u64::try_from(DAY).unwrap() + QUIET, 5);
    state
}

/// Time goes on: each so many seconds what arrived in them, every partition always at its end.
pub(super) fn live_on(state: &mut State, arrivals: &[Arrival], seconds: std::ops::Range<u64>, step: usize) {
    let mut rest = arrivals;
    for second in seconds.step_by(step) {
        let arrived = rest.partition_point(|arrival| arrival.second <= i64::try_from(second).unwrap());
        let (these, later) = rest.split_at(arrived);
        rest = later;
        for number in 0..PARTITIONS {
            let of_it = these.iter().filter(|arrival| arrival.partition == number);
            let outcomes: Vec<Outcome> = of_it.map(|arrival| scored(arrival.said)).collect();
            if !outcomes.is_empty() {
                state.apply(&batch(number, outcomes), now(second));
            }
        }
        come_to_the_end(state, second);
    }
}

/// A turn of the fold while there is nothing more to read.
fn come_to_the_end(state: &mut State, second: u64) {
    for number in 0..PARTITIONS {
        state.clock.set_at_end(&partition(number), true, now(second));
    }
    state.advance(now(second));
    let newest = state.clock.frontiers().map(|(_, frontier)| frontier).max();
    state.follow_backlog(false, newest, now(second));
}

/// A reader of the day's backlog.
pub(super) struct Replay<'a> {
    config: &'a Config,
    /// By partition.
    log: Vec<Vec<Said>>,
    pub(super) state: State,
    /// Next offset by partition.
    next: Vec<usize>,
    /// The last checkpoint, and the offsets it goes on at.
    saved: (Vec<u8>, Vec<usize>),
    /// Alerts that paged in lives before this one.
    pub(super) paged: u64,
}

impl<'a> Replay<'a> {
    fn new(config: &'a Config, day: &[Arrival]) -> Self {
        let start = encode(&Snapshot::empty()).unwrap();
        Self::from(config, start, day)
    }

    /// One that starts from a checkpoint, and reads what comes after it.
    pub(super) fn from(config: &'a Config, start: Vec<u8>, rest: &[Arrival]) -> Self {
        let of = |number| rest.iter().filter(move |arrival| arrival.partition == number).map(|arrival| arrival.said);
        let state = started(config, &start);
        let log: Vec<Vec<Said>> = (0..PARTITIONS).map(|number| of(number).collect()).collect();
        let next = vec![0; log.len()];
        Self { config, log, state, saved: (start, next.clone()), next, paged: 0 }
    }

    /// Reads it all at full speed in batches of so many records; dies after each of these counts of batches.
    pub(super) fn read(mut self, batch_records: usize, deaths: &[usize]) -> Self {
        let saved_each = 1 + self.log.iter().map(Vec::len).sum::<usize>() / batch_records / SAVED;
        let mut batches = 0;
        while self.is_behind() {
            for number in 0..PARTITIONS {
                self.read_batch(number, batch_records);
                batches += 1;
                if batches % saved_each == 0 {
                    self.saved = (encode(&self.state.snapshot(&positions(), at(0))).unwrap(), self.next.clone());
                }
                if deaths.contains(&batches) {
                    self.die();
                }
            }
        }
        for second in 2..2 + QUIET {
            come_to_the_end(&mut self.state, second);
        }
        self.paged += alerts_opened(&self.state);
        self
    }

    fn is_behind(&self) -> bool {
        self.next.iter().zip(&self.log).any(|(next, log)| *next < log.len())
    }

    fn read_batch(&mut self, number: i32, records: usize) {
        if self.state.clock.is_ahead(&partition(number)) {
            return;
        }
        let place = usize::try_from(number).unwrap();
        let (next, log) = (&mut self.next[place], &self.log[place]);
        let end = log.len().min(*next + records);
        let outcomes: Vec<Outcome> = log[*next..end].iter().copied().map(scored).collect();
        *next = end;
        if !outcomes.is_empty() {
            self.state.apply(&batch(number, outcomes), now(1));
        }
        // A partition that is read to its end waits for the others: it is known to be idle only by the clock.
        self.state.advance(now(1));
        let newest = self.state.clock.frontiers().map(|(_, frontier)| frontier).max();
        self.state.follow_backlog(self.is_behind(), newest, now(1));
    }

    /// Killed: what was read since the last checkpoint is read again.
    fn die(&mut self) {
        self.paged += alerts_opened(&self.state);
        self.state = started(self.config, &self.saved.0);
        self.next = self.saved.1.clone();
    }
}

/// From a checkpoint on.
pub(super) fn started(config: &Config, checkpoint: &[u8]) -> State {
    let mut state = state(config);
    assert_eq!(state.restore(&decode(checkpoint).unwrap()), [""; 0]);
    assign_all(&mut state);
    state
}

/// The alerts, but for whether they are replayed.
pub(super) fn alerts(state: &State) -> Vec<Alert> {
    let found = |alert: &Alert| Alert { replayed: false, handling: Handling::default(), ..alert.clone() };
    state.book.alerts().iter().map(found).collect()
}

/// Ways to read it: records in a batch, and after how many batches its reader dies.
const WAYS: [(usize, &[usize]); 3] = [(512, &[]), (3, &[700, 701, 3_000]), (2_000, &[1, 2, 5])];

/// Holds each way of reading the day to the live run: the same alerts, and pages about those alone that are open at its end.
/// Gives what the live run raised.
fn hold_to_the_live_run(config: &Config, day: &[Arrival]) -> Vec<Alert> {
    let live = live(config, day);
    assert!(!live.catching_up);
    let raised = alerts(&live);
    assert_eq!(alerts_opened(&live), raised.len() as u64, "all that the live run raises pages");
    let goes_on = |alert: &&Alert| alert.ended.is_none_or(|ended| ended > at(DAY));
    let paged = raised.iter().filter(goes_on).count() as u64;
    for (batch_records, deaths) in WAYS {
        let replay = Replay::new(config, day).read(batch_records, deaths);
        let way = format!("{batch_records} records a batch, {} deaths", deaths.len());
        assert_eq!(alerts(&replay.state), raised, "{way}");
        assert_eq!(replay.paged, paged, "paged, {way}");
        let is_over = |alert: &&Alert| !goes_on(alert);
        assert!(replay.state.book.alerts().iter().filter(is_over).all(|alert| alert.replayed), "{way}");
        let snapshots = [&replay.state, &live].map(|state| state.snapshot(&positions(), at(0)));
        assert_eq!(snapshots[0].hours, snapshots[1].hours, "the windows, {way}");
    }
    raised
}

/// As shipped, but for the departments.
fn shipped() -> Config {
    Config { departments: DEPARTMENTS.map(DepartmentConfig::named).to_vec(), ..Config::default() }
}

/// As shipped, and what is usual need not be learned: a day is short.
fn known() -> Config {
    let mut config = shipped();
    for (department, usual) in config.departments.iter_mut().zip(USUAL) {
        department.expected_negative_ratio = Some(f64::from(usual) / 100.0);
        department.expected_frustrated_ratio = department.expected_negative_ratio;
    }
    config
}

/// So easily alarmed that a usual day alarms.
fn jumpy() -> Config {
    let mut config = known();
    config.detect.false_alarms_per_month = 30.0;
    config
}

#[test]
fn a_quiet_day_read_as_a_backlog_raises_no_alert() {
    assert_eq!(hold_to_the_live_run(&shipped(), &day(1, None)), []);
}

#[test]
fn a_quiet_day_under_jumpy_settings_raises_as_a_backlog_what_it_raised_live_and_pages_about_what_is_open_still() {
    let raised = hold_to_the_live_run(&jumpy(), &day(2, None));
    assert!(raised.iter().any(|alert| alert.ended.is_some()), "the settings are not jumpy enough to hold anything");
}

#[test]
fn a_day_with_an_incident_read_as_a_backlog_raises_that_one_and_pages_nobody_about_it() {
    let trouble = Trouble { department: 0, seconds: 14 * HOUR..15 * HOUR, of_hundred: 90 };
    let raised = hold_to_the_live_run(&shipped(), &day(3, Some(&trouble)));
    assert!(!raised.is_empty());
    let is_billings = |alert: &Alert| alert.department == "billing" && alert.ended.is_some();
    assert!(raised.iter().all(is_billings), "{raised:#?}");
}

#[test]
fn an_incident_that_still_goes_on_where_the_backlog_ends_pages_then_and_once() {
    let trouble = Trouble { department: 3, seconds: DAY - 1_800..DAY, of_hundred: 85 };
    let mut config = known();
    // Calm is not called before the silence after the day is over.
    config.detect.hold = Span::from_secs(2 * 3_600);
    let raised = hold_to_the_live_run(&config, &day(4, Some(&trouble)));
    assert!(!raised.is_empty());
    assert!(raised.iter().all(|alert| alert.department == "support" && alert.ended.is_none()), "{raised:#?}");
}
