//! The fold: what each message costs, and what each closed pane costs.
//!
//! `cargo bench --bench fold`

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

mod shares;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use latido::config::{Config, DepartmentConfig, DetectConfig, Roster, WindowsConfig};
use latido::detect::Detector;
use latido::message::{
    CustomerHash, DepartmentId, EventTime, Language, ModelId, PartitionId, Probability, Score, ScorerKind,
    SentimentScore, ShareCells, Signal, SignalSet,
};
use latido::voices::{Voice, Voices};
use latido::window::{PANE, PaneCounts, Panes, ShardId, ShareCounts, StreamClock, Tally};

const DEPARTMENTS: u16 = 200;
/// Messages in one go, in batches as the pipeline hands them over.
const MESSAGES: usize = 512 * 1_024;
const BATCH: usize = 512;
/// Event time between two messages: 1,000 a second over all departments.
const STEP: i64 = 1;
/// Messages come up to this much out of order.
const DISORDER: i64 = 20_000;

/// A scored message: what the fold takes of it.
#[derive(Clone, Copy)]
struct Scored {
    department: DepartmentId,
    event_time: EventTime,
    tally: Tally,
}

/// Messages of all departments, slightly out of order.
fn messages() -> Vec<Scored> {
    let scored = (0..MESSAGES).zip(0_i64..).map(|(seed, step)| {
        // A multiplicative hash spreads departments and delays evenly.
        let mixed = u32::try_from(seed).unwrap_or_default().wrapping_mul(2_654_435_761) >> 7;
        let department = DepartmentId(u16::try_from(mixed % u32::from(DEPARTMENTS)).unwrap_or_default());
        let event_time = EventTime::from_millis(step * STEP - i64::from(mixed) % DISORDER);
        let (negative, frustrated) = (u32::from(mixed.is_multiple_of(4)), u32::from(mixed.is_multiple_of(5)));
        Scored { department, event_time, tally: Tally { messages: 1, negative, positive: 0, frustrated } }
    });
    scored.collect()
}

/// Late check, pane, clock and, after each batch, stream time with the panes that it closes.
fn fold(messages: &[Scored], clock: &mut StreamClock, panes: &mut Panes, partition: &PartitionId) -> u64 {
    let (mut late, mut now) = (0, Duration::ZERO);
    for batch in messages.chunks(BATCH) {
        now += Duration::from_millis(1);
        let stream_time = clock.stream_time();
        let Some(of_partition) = clock.partition_mut(partition) else { continue };
        for message in batch {
            if of_partition.is_late(message.event_time, stream_time) {
                late += 1;
            } else {
                panes.add(message.department, message.event_time, message.tally);
            }
            of_partition.observe(message.event_time, now);
        }
        if let Some(stream_time) = clock.advance(now) {
            panes.advance(stream_time, |end, panes| {
                black_box((end, panes.sums(DepartmentId(0))));
            });
        }
    }
    late
}

fn fold_messages(criterion: &mut Criterion) {
    let (settings, partition, messages) = (WindowsConfig::default(), PartitionId::new("messages", 0), messages());
    let mut group = criterion.benchmark_group("fold");
    group.throughput(Throughput::Elements(u64::try_from(MESSAGES).unwrap_or_default())).sample_size(20);
    group.bench_function("messages of 200 departments", |bencher| {
        let fresh = || {
            let mut clock = StreamClock::new(&settings);
            clock.assign(partition.clone(), Duration::ZERO);
            (clock, Panes::new(&settings, usize::from(DEPARTMENTS)))
        };
        bencher.iter_batched_ref(
            fresh,
            |(clock, panes)| fold(&messages, clock, panes, &partition),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// A roster of so many departments.
fn roster() -> Roster {
    let departments = (0..DEPARTMENTS - 1).map(|number| DepartmentConfig::named(&format!("department-{number}")));
    Roster::new(&Config { departments: departments.collect(), ..Config::default() })
}

/// How about ten messages fall into cells, so many of them clearly negative.
fn cells(negative: u32) -> ShareCounts {
    let sentiment = [2, 2, 1, 1, 1, 1, 0, negative];
    ShareCounts { sentiment, frustration: [3, 2, 1, 1, 1, 0, 1, 1] }
}

/// Panes with a message a second in each department for a whole day, and what comes next.
fn close_panes(criterion: &mut Criterion) {
    let (settings, detect) = (WindowsConfig::default(), DetectConfig::default());
    let mut panes = Panes::new(&settings, usize::from(DEPARTMENTS));
    let mut detector = Detector::new(&detect, &roster());
    let mut end = EventTime::from_millis(0);
    let mut tick = |with_detector: bool| {
        for department in (0..DEPARTMENTS).map(DepartmentId) {
            let negative = 2 + u32::try_from(end.as_millis() / 10_000 % 3).unwrap_or_default();
            let tally = Tally { messages: 10, negative, positive: 3, frustrated: 1 };
            panes.add(department, end, PaneCounts { tally, shares: cells(negative), severe: 0 });
        }
        end = end.plus(PANE);
        panes.advance(end, |window_end, panes| {
            if with_detector {
                black_box(detector.close_by_model(window_end, |department| panes.newest_closed_by_model(department)));
            }
        });
    };
    (0..9_000).for_each(|_| tick(true));
    let mut group = criterion.benchmark_group("tick");
    group.throughput(Throughput::Elements(u64::from(DEPARTMENTS)));
    group.bench_function("close a pane of 200 departments", |bencher| bencher.iter(|| tick(false)));
    group.bench_function("close a pane of 200 departments and detect", |bencher| bencher.iter(|| tick(true)));
    let table = shares::table();
    group.bench_function("estimate the shares of the windows of 200 departments", |bencher| {
        bencher.iter(|| {
            for sums in (0..DEPARTMENTS).flat_map(|department| panes.share_sums(DepartmentId(department))) {
                black_box((table.estimate(&sums.sentiment), table.estimate(&sums.frustration)));
            }
        });
    });
    group.finish();
}

/// The same messages in the record of who wrote what.
fn note_voices(criterion: &mut Criterion) {
    let messages = messages();
    let [sure, no] = [0.75, 0.125].map(Probability::new);
    let score_of = |tally: Tally| Score {
        sentiment: SentimentScore {
            negative: if tally.negative > 0 { sure } else { no },
            neutral: if tally.negative > 0 { no } else { sure },
            positive: no,
        },
        frustration: if tally.frustrated > 0 { sure } else { no },
        language: Language::Spanish,
        scorer: ScorerKind::Embedded,
        signals: if tally.frustrated > 0 { [Signal::Waiting].into_iter().collect() } else { SignalSet::EMPTY },
        share_cells: ShareCells::default(),
        model: ModelId::UNKNOWN,
    };
    let scored: Vec<(Scored, Score)> = messages.into_iter().map(|message| (message, score_of(message.tally))).collect();
    let mut group = criterion.benchmark_group("voices");
    group.throughput(Throughput::Elements(u64::try_from(MESSAGES).unwrap_or_default())).sample_size(20);
    group.bench_function("messages of 200 departments", |bencher| {
        bencher.iter_batched_ref(
            || Voices::new(usize::from(DEPARTMENTS), 1),
            |voices| {
                for (seed, (message, score)) in (0_u32..).zip(&scored) {
                    let customer = Some(CustomerHash((seed % 50_000).wrapping_mul(2_654_435_761)));
                    let voice = Voice { event_time: message.event_time, score, is_severe: false, customer };
                    voices.note(ShardId(0), message.department, &voice, || format!("message-{seed}"));
                    if seed % 10_000 == 0 {
                        voices.close(message.event_time.minus(Duration::from_millis(DISORDER.unsigned_abs())));
                    }
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, fold_messages, note_voices, close_panes);
criterion_main!(benches);
