//! What is in flight stays within one budget (INV-6), held to a real Kafka with a large backlog and a scorer that crawls.
//!
//! `cargo xtask bounds` runs the short proof, `cargo xtask bounds --long` that of ten minutes and 2 million records.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]
#![allow(clippy::print_stdout, reason = "the figures are what one runs it for")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::broker::Place;
use support::daemon::{Daemon, Home};
use support::exposition::Samples;
use support::{kcat, seconds, stream};

const TOPIC: &str = "slow";
const PARTITIONS: i32 = 4;
/// What `slow-scorer` makes of the scorer.
const SCORES_A_SECOND: u64 = 100;
const MEBIBYTE: u64 = 1024 * 1024;
/// Half of the default, so that the bytes run out before the places for batches do.
const BUDGET: u64 = 32 * MEBIBYTE;
/// What the process may take besides its budget: its model, its threads, its state, its libraries.
const BESIDES: u64 = 150_000_000;
/// Records written at once, again and again.
const CHUNK: usize = 20_000;
const BUFFERS: [&str; 3] = ["in_flight", "fetched", "dead_letters"];

#[test]
#[ignore = "needs Apache Kafka: cargo xtask bounds"]
fn behind_a_slow_scorer_memory_stays_within_the_budget_and_the_group_is_kept_for_a_minute() {
    prove(200_000, seconds(60));
}

#[test]
#[ignore = "needs Apache Kafka and ten minutes: cargo xtask bounds --long"]
fn behind_a_slow_scorer_memory_stays_within_the_budget_and_the_group_is_kept_for_ten_minutes() {
    prove(2_000_000, seconds(600));
}

fn prove(records: usize, watched: Duration) {
    let kafka = Place::new().start();
    kafka.create_topic(TOPIC, PARTITIONS, &[]);
    kafka.create_topic("letters", 1, &[]);
    let lines = stream::day(CHUNK, 61);
    for _ in 0..records / CHUNK {
        kcat::produce(kafka.bootstrap(), TOPIC, &lines);
    }

    let home = Home::new(kafka.bootstrap(), &[TOPIC], TOPIC)
        .set("kafka.dead_letter_topic", "letters")
        .set("pipeline.score_threads", 1)
        .set("pipeline.in_flight_bytes", i64::try_from(BUDGET).unwrap());
    let mut run = home.command(&["run"], &[]);
    run.env("LATIDO_SABOTAGE", "slow-scorer");
    let mut daemon = Daemon::start(&mut run);
    println!("at rest: {}", Memory::of(daemon.pid()));
    daemon.wait_for_metrics("the batches fill their part of the budget", seconds(120), |samples| {
        let [used, limit] = ["latido_buffer_bytes", "latido_buffer_bytes_limit"]
            .map(|name| samples.sum(name, &[("buffer", "in_flight")]));
        limit > 0.0 && used >= limit
    });

    let begun = Instant::now();
    let scored_before = daemon.metrics().expect("a scrape").count("latido_messages_total", &[]);
    let mut watch = Watch::default();
    while begun.elapsed() < watched {
        watch.look(&mut daemon);
        std::thread::sleep(seconds(1));
    }
    let scored = daemon.metrics().expect("a scrape").count("latido_messages_total", &[]) - scored_before;
    let memory = Memory::of(daemon.pid());
    println!("after {} s, {scored} messages scored: {memory}", begun.elapsed().as_secs());
    for (buffer, most) in BUFFERS.iter().zip(watch.most) {
        println!("most in {buffer}: {most:.2} of its limit in bytes");
    }
    let most = watched.as_secs() * SCORES_A_SECOND * 2;
    assert!(
        (1..=most).contains(&scored),
        "{scored} messages in {watched:?}: the scorer was to crawl, not to stand or run"
    );
    let members = kafka.members(TOPIC);
    assert_eq!(members, 1, "the broker lists {members} members of the group");
    assert!(memory.most <= BUDGET + BESIDES, "{memory}, and {} are allowed", BUDGET + BESIDES);
    assert!(watch.most[0] >= 1.0, "there was no pressure");
    daemon.kill();
}

/// What was seen in the meantime.
#[derive(Default)]
struct Watch {
    /// How full each of [`BUFFERS`] was at most, as a part of its limit in bytes.
    most: [f64; BUFFERS.len()],
}

impl Watch {
    /// The daemon lives, and has its partitions since its one rebalance.
    fn look(&mut self, daemon: &mut Daemon) {
        assert!(daemon.ended().is_none(), "it ended:\n{}", daemon.log().text());
        let (status, body) = daemon.get("/healthz").expect("it answers");
        assert_eq!(status, 200, "{body}");
        let samples = daemon.metrics().expect("a scrape");
        assert_eq!(samples.count("latido_assigned_partitions", &[]), 4, "it lost its partitions");
        let rebalances = ["assigned", "revoked"].map(|event| rebalances(&samples, event));
        assert_eq!(rebalances, [1, 0], "assigned, revoked");
        for (most, buffer) in self.most.iter_mut().zip(BUFFERS) {
            let of = |name| samples.sum(name, &[("buffer", buffer)]);
            *most = most.max(of("latido_buffer_bytes") / of("latido_buffer_bytes_limit"));
        }
    }
}

fn rebalances(samples: &Samples, event: &str) -> u64 {
    samples.count("latido_rebalances_total", &[("event", event)])
}

/// Resident memory of a process, in bytes.
struct Memory {
    now: u64,
    most: u64,
}

impl Memory {
    fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux, and a process that lives");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field of the status");
            let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
            kibibytes * 1024
        };
        Self { now: field("VmRSS:"), most: field("VmHWM:") }
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} MB resident, {} MB at most", self.now / 1_000_000, self.most / 1_000_000)
    }
}
