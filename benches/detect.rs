//! What it costs to look at departments: a minute of event time of 200 of them.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use latido::config::{DepartmentConfig, DetectConfig};
use latido::detect::{Detector, TICK};
use latido::message::EventTime;
use latido::window::Tally;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

const DEPARTMENTS: usize = 200;
const DAY: u32 = 24 * 60;

/// Minutes of 30 messages in 5 minutes, a fifth of them negative.
fn tallies(seed: u64) -> Vec<Tally> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut tally = || {
        let messages = random.random_range(2..=10_u32);
        let negative = (0..messages).filter(|_| random.random_bool(0.2)).count();
        let negative = u32::try_from(negative).unwrap_or_default();
        Tally { messages, negative, positive: 0, frustrated: negative / 2 }
    };
    (0..5_000).map(|_| tally()).collect()
}

fn a_week_old(tallies: &[Tally]) -> (Detector, u32) {
    let mut detector = Detector::of_slices(&DetectConfig::default(), TICK);
    for number in 0..DEPARTMENTS {
        detector.watch(&DepartmentConfig::named(&format!("department-{number}")));
    }
    let minutes = 7 * DAY;
    for minute in 1..=minutes {
        close(&mut detector, minute, tallies);
    }
    (detector, minutes)
}

fn close(detector: &mut Detector, minute: u32, tallies: &[Tally]) -> usize {
    let end = EventTime::from_millis(0).plus(TICK * minute);
    let first = minute as usize;
    detector.close(end, |department| tallies[(first * 7 + department.index() * 131) % tallies.len()]).len()
}

fn tick(criterion: &mut Criterion) {
    let tallies = tallies(1);
    let (detector, minutes) = a_week_old(&tallies);
    let mut group = criterion.benchmark_group("detect");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    group.bench_function("a minute of 200 departments", |bencher| {
        let mut detector = detector.clone();
        let mut minute = minutes;
        bencher.iter(|| {
            minute += 1;
            black_box(close(&mut detector, minute, &tallies))
        });
    });
    group.bench_function("a snapshot of 200 departments", |bencher| {
        bencher.iter_batched(|| (), |()| black_box(detector.snapshot()), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, tick);
criterion_main!(benches);
