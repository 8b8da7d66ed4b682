//! What checkpoints cost the throughput: Latido drains the same backlog with checkpoints at the default interval and without
//! any, in turn, with 200 departments and a day of panes from the start.
//!
//! `cargo bench --bench checkpoint_cost -- --records 6000000 --pairs 3`
//!
//! Needs Apache Kafka's jars: `cargo xtask kafka` fetches them, or `LATIDO_KAFKA_LIBS` names their place.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench prints, and ends at any trouble"
)]

mod backlog;
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use backlog::{Backlog, Drained, PARTITIONS, drain_latido};
use latido::config::{CheckpointConfig, Config, DepartmentConfig, Span};
use support::broker::Place;
use tempfile::TempDir;

const TOPIC: &str = "backlog";
const DEPARTMENTS: usize = 200;
const HOUR_MILLIS: u64 = 3_600_000;
/// What fills a day of panes before anything is measured.
const DAY_RECORDS: u64 = 2_000_000;
/// Event time of what is measured.
const MEASURED_HOURS: u64 = 2;

fn main() {
    let records = argument("--records").unwrap_or(6_000_000);
    let pairs = argument("--pairs").unwrap_or(3);
    let kafka = Place::new().start();
    kafka.create_topic(TOPIC, PARTITIONS, &[]);
    let departments: Vec<String> = (0..DEPARTMENTS).map(|number| format!("department-{number:03}")).collect();
    let feed = |records, begun, hours| {
        let span_millis = hours * HOUR_MILLIS;
        let topic = TOPIC;
        Backlog { topic, departments: &departments, records, begun, span_millis }.feed(kafka.bootstrap(), || u64::MAX);
    };
    let now = u64::try_from(SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis()).unwrap();
    let measured_from = now - MEASURED_HOURS * HOUR_MILLIS;
    let config = |home: &Path, group: &str, interval: Span| {
        let mut config = Config::default();
        config.kafka.brokers = vec![kafka.bootstrap().to_owned()];
        config.kafka.topics = vec![TOPIC.to_owned()];
        config.kafka.group = group.to_owned();
        config.checkpoint = CheckpointConfig { directory: home.to_owned(), interval, ..CheckpointConfig::default() };
        config.http.listen = ([127, 0, 0, 1], 0).into();
        config.departments = departments.iter().map(|id| DepartmentConfig::named(id)).collect();
        config
    };
    let (every, never) = (CheckpointConfig::default().interval, Span::from_secs(3_600));

    let day = tempfile::tempdir().expect("a directory");
    feed(DAY_RECORDS, measured_from - 24 * HOUR_MILLIS, 24);
    drain_latido(config(day.path(), "day", never), DAY_RECORDS, &|_| {});
    feed(records, measured_from, MEASURED_HOURS);
    println!("{records} records of {DEPARTMENTS} departments after a day of panes; checkpoints every {every} or none");
    let measure = |group: &str, interval| {
        let home = copied(day.path());
        let drained = drain_latido(config(home.path(), group, interval), records, &|_| {});
        println!("{group:>10}: {drained}, {:.2} % of it for saving", 100.0 * drained.saving_part());
        drained
    };
    let (mut ratios, mut saving) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        let (with, without) = (format!("with-{pair}"), format!("without-{pair}"));
        // Who begins changes, so that neither always finds the broker as the other left it.
        let (with, without) = if pair % 2 == 0 {
            let without = measure(&without, never);
            (measure(&with, every), without)
        } else {
            let with = measure(&with, every);
            (with, measure(&without, never))
        };
        saving.push(with.saving_part());
        ratios.push(ratio(&with, &without));
    }
    for (rate, cpu) in &ratios {
        println!("with checkpoints: {rate:.3} of the rate, {cpu:.3} times the CPU time");
    }
    println!("median of saving: {:.2} % of the CPU time", 100.0 * median(saving.into_iter()));
    println!(
        "median: {:.3} of the rate, {:.3} times the CPU time",
        median(ratios.iter().map(|ratio| ratio.0)),
        median(ratios.iter().map(|ratio| ratio.1))
    );
}

/// Rate and CPU time of the first, as parts of those of the second.
fn ratio(with: &Drained, without: &Drained) -> (f64, f64) {
    (with.rate() / without.rate(), with.cpu_per_million() / without.cpu_per_million())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn argument(name: &str) -> Option<u64> {
    let arguments: Vec<String> = std::env::args().collect();
    let place = arguments.iter().position(|argument| argument == name)?;
    Some(arguments[place + 1].parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

/// A checkpoint directory as it was left, under another path.
fn copied(from: &Path) -> TempDir {
    let to = tempfile::tempdir().expect("a directory");
    for file in fs::read_dir(from).expect("a directory") {
        let file = file.expect("an entry");
        fs::copy(file.path(), to.path().join(file.file_name())).expect("copied");
    }
    to
}
