//! Steps of the project, the same for a person and for CI: `cargo xtask --help` lists them.

mod bounds;
mod card;
mod corpus;
mod demo;
mod disk;
mod kafka;
mod libtorch;
mod prometheus;
mod shell;
mod simulate;
mod storm;
mod transformer;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, Subcommand};

use shell::{Run, say};

/// Steps of the project, the same for a person and for CI.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Clone, Debug, Subcommand)]
enum Step {
    /// Every step below, in this order, but for the simulation; libtorch is fetched where it is needed.
    Ci,
    /// Formatting.
    Fmt,
    /// The rules of the project's own corpus, and its counts.
    Corpus(corpus::Options),
    /// Lints, with warnings as errors.
    Clippy,
    /// The API documentation, with warnings as errors.
    Doc,
    /// The hermetic tests: what the README's `cargo test` runs, and the tests of these steps.
    Test,
    /// The model card: whether its figures are the shipped model's.
    Card(card::Options),
    /// libtorch, in target/libtorch, where builds with the feature `transformer` look for it: 800 MB to download (Linux on x86_64; needs
    /// pip3, gcc).
    Libtorch(libtorch::Options),
    /// What is built with the feature `transformer` alone: lints and tests (needs pip3, gcc).
    Transformer,
    /// The daemon against a real Apache Kafka (needs java, mvn, kcat).
    Kafka,
    /// Storms: brokers and daemons killed, frozen and restarted by a seed, and every record held to once (needs java, mvn).
    Storm(storm::Options),
    /// Simulated departments with and without incidents: false alarms against the budget, what is found, and how soon. Not part of CI:
    /// it takes minutes on all cores.
    Simulate(simulate::Options),
    /// The daemon on full, read-only and closed disks (Linux; as root, or where user namespaces are allowed).
    Disk,
    /// Memory and group membership behind a scorer that crawls, against a real Apache Kafka, and `/healthz` where a thread stands
    /// still (needs java, mvn, kcat).
    Bounds(bounds::Options),
    /// The shipped rules, routes, dashboards and systemd unit, and the way from customers to a page through a real Prometheus and a
    /// real Alertmanager (needs prometheus, promtool, alertmanager, amtool, python3, systemd-analyze).
    Prometheus,
    /// The demo as the README shows it, and what it must come out with (needs curl, promtool).
    Demo,
}

impl Step {
    /// The steps of CI, cheapest first, so that a slip is told early.
    const ALL: [Self; 13] = [
        Self::Fmt,
        Self::Corpus(corpus::Options::PLAIN),
        Self::Clippy,
        Self::Doc,
        Self::Test,
        Self::Card(card::Options::PLAIN),
        Self::Transformer,
        Self::Kafka,
        Self::Storm(storm::Options::PLAIN),
        Self::Disk,
        Self::Bounds(bounds::Options::PLAIN),
        Self::Prometheus,
        Self::Demo,
    ];

    fn run_timed(self) -> Result<()> {
        let started = Instant::now();
        self.run()?;
        let step = format!("{self:?}");
        let name = step.split('(').next().unwrap_or(&step);
        say(&format!("{name} passed in {} s", started.elapsed().as_secs()));
        Ok(())
    }

    fn run(&self) -> Result<()> {
        match self {
            Self::Ci => Self::ALL.into_iter().try_for_each(Self::run_timed),
            Self::Fmt => Run::cargo(["fmt", "--all", "--check"]).go(),
            Self::Corpus(options) => corpus::run(options),
            Self::Clippy => {
                Run::cargo(["clippy", "--workspace", "--all-targets", "--features", "sabotage", "--", "-D", "warnings"])
                    .go()
            }
            Self::Doc => Run::cargo(["doc", "--workspace", "--no-deps"]).with("RUSTDOCFLAGS", "-D warnings").go(),
            Self::Test => Run::cargo(["test", "--workspace"]).go(),
            Self::Card(options) => card::run(options),
            Self::Libtorch(options) => libtorch::run(options),
            Self::Transformer => transformer::run(),
            Self::Kafka => kafka::run(),
            Self::Storm(options) => storm::run(options),
            Self::Simulate(options) => simulate::run(options),
            Self::Disk => disk::run(),
            Self::Bounds(options) => bounds::run(options),
            Self::Prometheus => prometheus::run(),
            Self::Demo => demo::run(),
        }
    }
}

#[expect(clippy::print_stderr, reason = "what went wrong is told to the person at the terminal")]
fn main() -> ExitCode {
    match Arguments::parse().step.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
