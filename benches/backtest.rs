//! What it costs to run history through the detector: a row of counts, and with LATIDO_BENCH_YEAR=FILE a whole year.
//!
//! `LATIDO_BENCH_YEAR=/tmp/year.csv cargo bench --bench backtest` writes a year of 200 departments in rows of 5 minutes (21
//! million, about 1 GB) there, runs it once and says how long that took. The file stays.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group};
use indicatif::ProgressBar;
use latido::backtest::{
    Backtest, CountsFile, History, HistoryError, Incidents, Names, Row, Setup, Source, Step, replay,
};
use latido::config::DetectConfig;
use latido::message::EventTime;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

const DEPARTMENTS: u64 = 200;
const STEP_SECONDS: u64 = 300;
const STEPS_A_DAY: u64 = 86_400 / STEP_SECONDS;
/// 1 January 2025.
const START_SECONDS: u64 = 1_735_689_600;

/// Counts of departments from 2 to 100 messages in 5 minutes, with nights, a fifth of them negative.
fn write_counts(path: &Path, days: u64) -> std::io::Result<u64> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut random = Pcg64Mcg::seed_from_u64(1);
    // A normal deviate, near enough.
    let mut around = |mean: f64, variance: f64| {
        let sum: f64 = (0..4).map(|_| random.random::<f64>()).sum();
        (mean + (sum - 2.0) * (3.0 * variance).sqrt()).round().max(0.0)
    };
    writeln!(out, "time,department,messages,negative,frustrated")?;
    for step in 0..days * STEPS_A_DAY {
        let seconds = START_SECONDS + step * STEP_SECONDS;
        let time = jiff::Timestamp::from_second(seconds.cast_signed()).unwrap_or_default();
        let hour = (step % STEPS_A_DAY) as f64 / STEPS_A_DAY as f64;
        let rhythm = 1.0 - 0.7 * (std::f64::consts::TAU * hour).cos();
        for department in 0..DEPARTMENTS {
            let mean = rhythm * (2.0 + department as f64 / 2.0);
            let messages = around(mean, mean);
            let negative = around(0.2 * messages, 0.17 * messages).min(messages);
            let frustrated = around(0.6 * negative, 0.2 * negative).min(messages);
            writeln!(out, "{time},department-{department},{messages},{negative},{frustrated}")?;
        }
    }
    out.flush()?;
    Ok(days * STEPS_A_DAY * DEPARTMENTS)
}

/// A history of which nobody knows how long it is: then no shift is put into its first 28 days.
struct OfUnknownEnd(CountsFile);

impl History for OfUnknownEnd {
    fn step(&self) -> Step {
        self.0.step()
    }

    fn last_start(&self) -> Option<EventTime> {
        None
    }

    fn next_row(&mut self, names: &mut Names) -> Result<Option<Row>, HistoryError> {
        self.0.next_row(names)
    }
}

fn open(path: &Path) -> CountsFile {
    let counts = CountsFile::open(path, None, &Names::default(), &ProgressBar::hidden());
    counts.unwrap_or_else(|error| panic!("{error}"))
}

fn run(history: &mut dyn History) -> Backtest {
    let (detect, incidents) = (DetectConfig::default(), Incidents::none());
    let setup = Setup { detect: &detect, departments: &[], mutes: &[], incidents: &incidents };
    let replayed = replay(history, Names::default(), setup).unwrap_or_else(|error| panic!("{error}"));
    Backtest::of(&replayed, Source::default(), detect.false_alarms_per_month, false)
}

fn rows(criterion: &mut Criterion) {
    let path = std::env::temp_dir().join(format!("latido-bench-{}.csv", std::process::id()));
    let rows = write_counts(&path, 10).unwrap_or_else(|error| panic!("{error}"));
    let mut group = criterion.benchmark_group("backtest");
    group.sample_size(10).measurement_time(Duration::from_secs(10)).throughput(Throughput::Elements(rows));
    group.bench_function("10 days of 200 departments", |bencher| bencher.iter(|| run(&mut open(&path))));
    // Half of the days above have them.
    group.bench_function("without shifts", |bencher| bencher.iter(|| run(&mut OfUnknownEnd(open(&path)))));
    group.finish();
    std::fs::remove_file(&path).unwrap_or_default();
}

/// A whole year, once.
fn year(path: &Path) {
    let rows = write_counts(path, 365).unwrap_or_else(|error| panic!("{error}"));
    let begun = Instant::now();
    let alerts = run(&mut open(path)).alerts.len();
    let seconds = begun.elapsed().as_secs_f64();
    let per_second = rows as f64 / seconds;
    let told = format!("{rows} rows in {seconds:.1} s, {per_second:.0} a second; {alerts} alerts\n");
    std::io::stdout().write_all(told.as_bytes()).unwrap_or_default();
}

criterion_group!(benches, rows);

fn main() {
    if let Some(path) = std::env::var_os("LATIDO_BENCH_YEAR") {
        return year(Path::new(&path));
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
