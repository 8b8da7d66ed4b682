//! What a scrape costs, and what scrapers cost the fold: 200 departments, 5 windows.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod shares;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use latido::config::{Config, DepartmentConfig, Roster, WindowsConfig};
use latido::detect::{AlertState, DepartmentOutlook, Usual};
use latido::message::{DepartmentId, EventTime, PartitionId};
use latido::publish::metrics::{Sources, registry, render};
use latido::publish::{AdjustedShares, Board, Buffer, DepartmentView, Health, PartitionView, StreamView, Timings};
use latido::score::shares::ShareTable;
use latido::window::Tally;
use prometheus::Registry;

/// The program's own allocator.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const DEPARTMENTS: u16 = 200;
/// How often two scrapers ask in the bench of the fold's cost: together 10 times as often as two scrapers a second.
const SCRAPE_EVERY: Duration = Duration::from_millis(100);

fn department(seed: u16, table: &ShareTable) -> DepartmentView {
    let base = u64::from(seed) * 1_000;
    let windows = [40, 120, 480, 2_880, 11_520];
    let tally =
        |messages: u32| Tally { messages, negative: messages / 4, positive: messages / 3, frustrated: messages / 5 };
    let parts = [30, 18, 16, 8, 10, 5, 6, 7];
    let adjusted = |messages: u32| {
        let estimate = table.estimate(&parts.map(|part| u64::from(messages) * part / 100 + 1));
        AdjustedShares { negative: estimate, frustrated: estimate }
    };
    DepartmentView {
        messages: [[base + 310, base + 415, base + 926], [5, 35, 8]],
        frustrated: [base + 97, 9],
        context: [0, base, 323],
        windows: windows.map(tally).to_vec(),
        adjusted: windows.map(adjusted).to_vec(),
        outlook: DepartmentOutlook {
            state: AlertState::Quiet,
            active: Vec::new(),
            scores: [1.25, 0.5, 0.0, 0.25],
            usual_negative: Some(Usual { expected: 0.25, low: 0.125, high: 0.375 }),
            usual_frustrated: Some(Usual { expected: 0.125, low: 0.0625, high: 0.1875 }),
            usual_messages: Some(Usual { expected: 40.0, low: 24.5, high: 55.5 }),
        },
        ..DepartmentView::default()
    }
}

fn stream() -> StreamView {
    let partition = |number| PartitionView { partition: PartitionId::new("customer-messages", number), lag: Some(7) };
    StreamView {
        watermark: Some(EventTime::from_millis(1_772_359_200_000)),
        window_end: Some(EventTime::from_millis(1_772_359_200_000)),
        partitions: (0..12).map(partition).collect(),
        topic_partitions: Some(12),
        unreadable_partitions: 0,
        buffers: vec![Buffer { name: "batches", items: 3, items_limit: 64, bytes: 4_096, bytes_limit: 33_554_432 }],
        ..StreamView::default()
    }
}

fn everybody() -> Vec<(DepartmentId, DepartmentView)> {
    let table = shares::table();
    (0..DEPARTMENTS).map(|id| (DepartmentId(id), department(id, &table))).collect()
}

fn company() -> (Arc<Board>, Registry) {
    // `other` is the last of them.
    let departments = (1..DEPARTMENTS).map(|id| DepartmentConfig::named(&format!("department-{id}"))).collect();
    let roster = Arc::new(Roster::new(&Config { departments, ..Config::default() }));
    let windows = WindowsConfig::default().lengths;
    let board = Arc::new(Board::new(roster, windows.len()));
    board.publish(stream(), everybody());
    let (timings, health) = (Timings::new().unwrap(), Health::new());
    let registry = registry(Sources { board: Arc::clone(&board), windows, timings, health, second: None }).unwrap();
    (board, registry)
}

fn scrape(registry: &Registry) -> String {
    render(registry).unwrap()
}

fn scraping(criterion: &mut Criterion) {
    let (board, registry) = company();
    let samples = scrape(&registry).lines().filter(|line| !line.starts_with('#')).count();
    criterion.bench_function(&format!("scrape of 200 departments, {samples} samples"), |bencher| {
        bencher.iter(|| scrape(&registry));
    });
    criterion.bench_function("read of the board, 200 departments", |bencher| bencher.iter(|| black_box(board.read())));
}

fn publishing(criterion: &mut Criterion) {
    let (board, registry) = company();
    let publish = |criterion: &mut Criterion, name: &str| {
        criterion.bench_function(name, |bencher| {
            let input = || (stream(), everybody());
            bencher.iter_batched(input, |(stream, changed)| board.publish(stream, changed), BatchSize::SmallInput);
        });
    };
    publish(criterion, "publish of 200 changed departments, nobody scrapes");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    black_box(scrape(&registry));
                    thread::sleep(SCRAPE_EVERY);
                }
            });
        }
        publish(criterion, "publish of 200 changed departments, two scrapers 10 times a second");
        done.store(true, Ordering::Relaxed);
    });
}

criterion_group!(benches, scraping, publishing);
criterion_main!(benches);
