#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

use std::sync::Mutex;

use super::*;
use crate::demo::generator::{Record, RecordKind, SPEED};
use crate::demo::progress::{Counts, Glance};

const HOURS: Duration = Duration::from_secs(5 * 3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
const START: EventTime = EventTime::from_millis(1_750_000_000_000);

/// Clock, outlet and pipeline in one: time passes only while the producer waits, and the pipeline takes records only
/// as time passes.
struct World {
    /// Time of ours.
    elapsed: Duration,
    /// Since when the demo's time passes.
    going_since: Option<Duration>,
    sent: Vec<Record>,
    sent_at: Vec<EventTime>,
    processed: u64,
    /// Records that the pipeline takes in a millisecond.
    speed: u64,
    /// No record is taken before this moment.
    pipeline_starts: Duration,
    highest_lag: u64,
}

impl World {
    fn new(speed: u64) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            elapsed: Duration::ZERO,
            going_since: None,
            sent: Vec::new(),
            sent_at: Vec::new(),
            processed: 0,
            speed,
            pipeline_starts: Duration::from_secs(3),
            highest_lag: 0,
        }))
    }

    fn pass(&mut self, span: Duration) {
        // A wait of nothing is still an instant of work.
        let millis = u64::try_from(span.as_millis()).unwrap().max(1);
        self.elapsed += Duration::from_millis(millis);
        if self.elapsed >= self.pipeline_starts {
            self.processed = (self.processed + self.speed * millis).min(self.sent.len() as u64);
        }
    }

    fn now(&self) -> EventTime {
        self.going_since.map_or(START, |since| START.plus((self.elapsed - since) * SPEED))
    }
}

struct FakeClock(Arc<Mutex<World>>);

impl Clock for FakeClock {
    fn now(&self) -> EventTime {
        self.0.lock().unwrap().now()
    }

    fn is_at_present(&self) -> bool {
        false
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().elapsed
    }

    fn go(&self) {
        let mut world = self.0.lock().unwrap();
        world.going_since = Some(world.elapsed);
    }
}

struct FakeOutlet(Arc<Mutex<World>>);

impl Outlet for FakeOutlet {
    fn send(&mut self, record: &Record) -> Result<(), DemoError> {
        let mut world = self.0.lock().unwrap();
        let now = world.now();
        world.sent.push(record.clone());
        world.sent_at.push(now);
        world.highest_lag = world.highest_lag.max(world.sent.len() as u64 - world.processed);
        Ok(())
    }

    fn serve(&mut self, wait: Duration) {
        self.0.lock().unwrap().pass(wait);
    }

    fn finish(&mut self) -> Result<u64, DemoError> {
        Ok(self.0.lock().unwrap().sent.len() as u64)
    }
}

struct FakeProgress(Arc<Mutex<World>>);

impl Progress for FakeProgress {
    fn glance(&self) -> Glance {
        let counts = Counts { scored: self.0.lock().unwrap().processed, ..Counts::default() };
        Glance { counts, ..Glance::default() }
    }
}

fn run(world: &Arc<Mutex<World>>, history: Duration, live_for: Duration) -> (Result<u64, DemoError>, Arc<Journal>) {
    let journal = Arc::new(Journal::default());
    let producer = Producer {
        generator: Generator::new(7, 30, START.minus(history)),
        outlet: FakeOutlet(Arc::clone(world)),
        clock: FakeClock(Arc::clone(world)),
        progress: Arc::new(FakeProgress(Arc::clone(world))),
        journal: Arc::clone(&journal),
        stop: Arc::new(AtomicBool::new(false)),
        live_for: Some(live_for),
    };
    (producer.run(), journal)
}

#[test]
fn nothing_is_produced_while_more_than_20_000_records_wait() {
    let world = World::new(25);
    let (produced, _) = run(&world, DAY, Duration::from_secs(5));
    let world = world.lock().unwrap();
    assert!(produced.unwrap() > 40_000);
    assert!(world.highest_lag <= MAX_LAG, "{}", world.highest_lag);
    assert!(world.highest_lag > MAX_LAG - 2 * LAG_CHECK_EVERY, "the limit was reached: {}", world.highest_lag);
}

#[test]
fn the_live_part_starts_when_history_was_taken_and_leaves_no_gap() {
    let world = World::new(25);
    let (_, journal) = run(&world, HOURS, Duration::from_secs(30));
    let since = journal.read().live_since.unwrap();
    let world = world.lock().unwrap();
    assert_eq!(since, START, "the demo's time stands until then");
    assert!(world.going_since.unwrap() > world.pipeline_starts);
    let widest = world.sent.windows(2).map(|pair| pair[1].at.as_millis() - pair[0].at.as_millis()).max();
    assert!(widest.unwrap() < 120_000, "{widest:?} ms between two records");
}

#[test]
fn live_records_are_written_when_they_are_dated() {
    let world = World::new(25);
    let (_, journal) = run(&world, HOURS, Duration::from_secs(30));
    let entry = journal.read();
    let since = entry.live_since.unwrap();
    let world = world.lock().unwrap();
    let live: Vec<(&Record, &EventTime)> =
        world.sent.iter().zip(&world.sent_at).filter(|(record, _)| record.at > since).collect();
    assert!((500..1_500).contains(&live.len()), "{} in 30 s at 30 a second", live.len());
    for (record, sent_at) in live {
        let behind = sent_at.as_millis() - record.at.as_millis();
        assert!((0..=2 * (STEP * SPEED).as_millis() as i64).contains(&behind), "{behind} ms behind");
    }
    let ran_for = entry.written_until.unwrap().as_millis() - since.as_millis();
    assert!((1_800_000..1_806_000).contains(&ran_for), "{ran_for} ms");
}

#[test]
fn the_journal_counts_what_was_sent() {
    let world = World::new(25);
    let (produced, journal) = run(&world, HOURS, Duration::from_secs(100));
    let entry = journal.read();
    let world = world.lock().unwrap();
    let count = |kind| world.sent.iter().filter(|record| record.kind == kind).count() as u64;
    assert_eq!(entry.sent, produced.unwrap());
    assert_eq!(entry.unusable, count(RecordKind::Unusable));
    assert_eq!(entry.late, count(RecordKind::Late));
    assert!(entry.unusable > 0 && entry.late > 0);
    assert_eq!(entry.phase, Phase::Settling);
}

#[test]
fn a_pipeline_that_takes_nothing_is_an_error_that_says_so() {
    let world = World::new(0);
    let (produced, _) = run(&world, HOURS, Duration::from_secs(30));
    let message = produced.unwrap_err().to_string();
    assert!(message.contains("no record for 60s") && message.contains("0 processed"), "{message}");
}
