//! Checkpoints of 200 departments with a day of panes: what the fold waits for, what the writer does, what a restart waits for.
//!
//! `cargo bench --bench checkpoint`
//!
//! First it prints how long the fold stands still, one checkpoint after the other, the first included.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a bench prints, and ends at any trouble")]

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group};
use crossbeam_channel::bounded;
use latido::checkpoint::{Encoder, PartitionPosition, SavedHour, SavedVoices, Snapshot, decode, encode};
use latido::config::{Config, DepartmentConfig, DetectConfig, Roster, WindowsConfig};
use latido::detect::Detector;
use latido::message::{
    CustomerHash, DepartmentId, EventTime, Language, ModelId, NextOffset, PartitionId, Probability, Score, ScorerKind,
    SentimentScore, ShareCells, Signal,
};
use latido::publish::events::Outbox;
use latido::voices::{Voice, Voices};
use latido::window::{PANE, PaneCounts, Panes, ShardId, ShareCounts, Tally};

const DEPARTMENTS: u16 = 200;
/// Panes in a day, and a few more, so that the oldest hour is not whole.
const DAY_OF_PANES: u32 = 8_640 + 100;
/// Checkpoints taken one after the other, each 10 s of event time later.
const STOPS: u32 = 1_000;
/// A Monday in 2025.
const BEGUN: EventTime = EventTime::from_millis(1_740_960_000_000);

/// Who writes to a department.
const CUSTOMERS: u32 = 20_000;

/// A message's score, as the record of who wrote what takes it.
fn score(is_negative: bool, seed: u32) -> Score {
    let negative = Probability::new(if is_negative { 0.75 } else { 0.125 });
    Score {
        sentiment: SentimentScore {
            negative,
            neutral: Probability::new(1.0 - negative.get()),
            positive: Probability::new(0.0),
        },
        frustration: negative,
        language: Language::Spanish,
        scorer: ScorerKind::Embedded,
        signals: Signal::ALL.iter().copied().filter(|signal| seed % 19 == *signal as u32).collect(),
        share_cells: ShareCells::default(),
        model: ModelId::UNKNOWN,
    }
}

/// What the fold holds.
struct Held {
    names: Arc<[Arc<str>]>,
    panes: Panes,
    voices: Voices,
    detector: Detector,
    now: EventTime,
}

impl Held {
    /// A day in which each department had some ten messages in each pane.
    fn day() -> Self {
        let names = (0..DEPARTMENTS - 1).map(|number| format!("department-{number}"));
        let departments = names.map(|name| DepartmentConfig::named(&name)).collect();
        let roster = Roster::new(&Config { departments, ..Config::default() });
        let mut held = Self {
            names: roster.iter().map(|(_, department)| Arc::from(&*department.id)).collect(),
            panes: Panes::new(&WindowsConfig::default(), roster.len()),
            voices: Voices::new(roster.len(), 1),
            detector: Detector::new(&DetectConfig::default(), &roster),
            now: BEGUN,
        };
        (0..DAY_OF_PANES).for_each(|pane| held.count_a_pane(pane));
        held
    }

    /// Messages of one pane in all departments, and its close.
    fn count_a_pane(&mut self, seed: u32) {
        for department in (0..DEPARTMENTS).map(DepartmentId) {
            let mixed = (seed ^ u32::from(department.0) << 16).wrapping_mul(2_654_435_761) >> 16;
            let negative = mixed % 5;
            let tally = Tally { messages: 8 + mixed % 7, negative, positive: mixed % 3, frustrated: negative / 2 };
            let shares = ShareCounts {
                sentiment: [2, 2, mixed % 3, 1, 1, 1, 0, negative],
                frustration: [3, 2, 1, mixed % 2, 1, 0, 1, 1],
            };
            self.panes.add(department, self.now, PaneCounts { tally, shares, severe: 0 });
            for message in 0..tally.messages {
                let score = score(message < negative, mixed.wrapping_add(message));
                let customer = (mixed ^ message).wrapping_mul(0x9e37_79b1) % CUSTOMERS;
                let customer = Some(CustomerHash(customer.wrapping_mul(2_654_435_761)));
                let voice = Voice { event_time: self.now, score: &score, is_severe: false, customer };
                self.voices.note(ShardId(0), department, &voice, || format!("message-{seed}-{message}"));
            }
        }
        self.now = self.now.plus(PANE);
        let Self { panes, voices, detector, now, .. } = self;
        panes.advance(*now, |end, panes| {
            detector.close_by_model(end, |department| panes.newest_closed_by_model(department));
            voices.close(end);
        });
    }

    /// What the fold does between two batches.
    fn take(&self) -> Snapshot {
        let name = |id: DepartmentId| Arc::clone(&self.names[id.index()]);
        let mut hours = SavedHour::sort(self.panes.hours().map(|(id, hour)| (name(id), Arc::clone(hour))));
        let voices = self.voices.hours_of(ShardId(0));
        let voices = voices.map(|hour| SavedVoices::new(Arc::clone(&self.names), Arc::clone(hour)));
        SavedHour::add_voices(&mut hours, voices);
        Snapshot {
            shards: Vec::new(),
            is_whole: true,
            taken: self.now,
            stream_time: Some(self.now),
            window_end: self.panes.window_end(),
            kept_from: self.panes.kept_from(),
            partitions: vec![PartitionPosition {
                partition: PartitionId::new("messages", 0),
                next_offset: NextOffset(1),
                frontier: Some(self.now),
            }],
            hours,
            detector: self.detector.snapshot(),
            alerts: Vec::new(),
            outbox: Outbox::default(),
        }
    }
}

fn checkpoints(criterion: &mut Criterion) {
    let mut held = Held::day();
    let snapshot = held.take();
    let bytes = encode(&snapshot).unwrap_or_default();
    let mut group = criterion.benchmark_group("checkpoint of 200 departments and 24 h");
    group.sample_size(20);
    group.bench_function("taken: what the fold waits for", |bencher| bencher.iter(|| black_box(held.take())));
    group.bench_function("encoded: the first", |bencher| bencher.iter(|| black_box(encode(&snapshot))));
    let mut encoder = Encoder::default();
    let mut seed = DAY_OF_PANES;
    group.bench_function("encoded: 10 s later", |bencher| {
        bencher.iter_batched(
            || {
                seed += 1;
                held.count_a_pane(seed);
                held.take()
            },
            |snapshot| black_box(encoder.encode(&snapshot)),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("counted: a pane of hours that are not shared", |bencher| {
        bencher.iter(|| {
            seed += 1;
            held.count_a_pane(seed);
        });
    });
    group.bench_function("taken, and counted: a pane whose hours are copied first", |bencher| {
        bencher.iter(|| {
            let shared = held.take();
            seed += 1;
            held.count_a_pane(seed);
            shared
        });
    });
    group.bench_function("restored", |bencher| {
        bencher.iter(|| {
            let Ok(snapshot) = decode(&bytes) else { return None };
            let mut panes = Panes::new(&WindowsConfig::default(), usize::from(DEPARTMENTS));
            let place = |name: &str| held.names.iter().position(|known| **known == *name).unwrap_or_default();
            let departments = snapshot.hours.iter().flat_map(|hour| &hour.departments);
            let named = departments.flat_map(|(name, hour)| {
                let department = DepartmentId(u16::try_from(place(name)).unwrap_or_default());
                snapshot.kept_panes(hour).map(move |(start, counts)| (department, start, counts))
            });
            panes.restore(snapshot.window_end, named);
            let mut voices = Voices::new(usize::from(DEPARTMENTS), 1);
            for (name, hour) in snapshot.hours.iter().flat_map(|hour| hour.voices.departments()) {
                let department = DepartmentId(u16::try_from(place(name)).unwrap_or_default());
                voices.restore(ShardId(0), department, hour);
            }
            Some((panes.window_end(), voices))
        });
    });
    group.finish();
}

/// How long something took, again and again.
struct Times(Vec<Duration>);

impl Times {
    fn print(&self, what: &str) {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |part: usize| sorted[(sorted.len() - 1) * part / 100];
        println!(
            "{what}: first {:?}, median {:?}, p99 {:?}, most {:?} of {}",
            self.0[0],
            at(50),
            at(99),
            at(100),
            sorted.len()
        );
    }
}

/// What the fold waits for: the checkpoint itself, and afterwards the hours that have to be copied because the checkpoint
/// shares them. In the daemon the copying spreads over the first message of each department; here all of it comes at once.
fn stops() {
    let mut held = Held::day();
    println!("resident with a day of 200 departments: {} MB", resident_megabytes());
    let (snapshots, taken) = bounded::<Snapshot>(1);
    // As the daemon's writer does: hours stay shared while it encodes, and what it has encoded it keeps.
    let writer = thread::spawn(move || {
        let mut encoder = Encoder::default();
        let mut times = Times(Vec::new());
        for snapshot in taken {
            let begun = Instant::now();
            black_box(encoder.encode(&snapshot).expect("a checkpoint"));
            times.0.push(begun.elapsed());
        }
        times
    });
    let (mut takes, mut panes) = (Times(Vec::new()), Times(Vec::new()));
    for seed in 0..STOPS {
        let begun = Instant::now();
        let snapshot = held.take();
        takes.0.push(begun.elapsed());
        snapshots.send(snapshot).expect("the writer lives");
        let begun = Instant::now();
        held.count_a_pane(DAY_OF_PANES + seed);
        panes.0.push(begun.elapsed());
    }
    drop(snapshots);
    let encoded = writer.join().expect("the writer ends");
    takes.print("the fold stops for a checkpoint");
    panes.print("and copies shared hours while it counts a pane of all departments");
    encoded.print("meanwhile the writer encodes");
}

/// Memory of this process that is in use.
fn resident_megabytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4_096 / 1_000_000
}

criterion_group!(benches, checkpoints);

fn main() {
    stops();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
