//! Steps of the project, the same for a person and for CI: `cargo xtask --help` lists them.

mod demo;
mod kafka;
mod shell;
mod systemd;

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

#[derive(Clone, Copy, Debug, Subcommand)]
enum Step {
    /// Every step, in the order in which they are listed here.
    Ci,
    /// Formatting.
    Fmt,
    /// Lints, with warnings as errors.
    Clippy,
    /// The API documentation, with warnings as errors.
    Doc,
    /// The hermetic tests: what the README's `cargo test` runs.
    Test,
    /// The daemon against a real Apache Kafka (needs java, mvn, kcat).
    Kafka,
    /// The shipped Prometheus files, and the daemon under a real Prometheus (needs prometheus, promtool).
    Prometheus,
    /// The shipped systemd unit (needs systemd-analyze).
    Systemd,
    /// The demo as the README shows it, and what it must come out with (needs curl, promtool).
    Demo,
}

impl Step {
    /// The steps of CI, cheapest first, so that a slip is told early.
    const ALL: [Self; 8] =
        [Self::Fmt, Self::Clippy, Self::Doc, Self::Test, Self::Kafka, Self::Prometheus, Self::Systemd, Self::Demo];

    fn run_timed(self) -> Result<()> {
        let started = Instant::now();
        self.run()?;
        say(&format!("{self:?} passed in {} s", started.elapsed().as_secs()));
        Ok(())
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Ci => Self::ALL.into_iter().try_for_each(Self::run_timed),
            Self::Fmt => Run::cargo(["fmt", "--all", "--check"]).go(),
            Self::Clippy => Run::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).go(),
            Self::Doc => Run::cargo(["doc", "--workspace", "--no-deps"]).with("RUSTDOCFLAGS", "-D warnings").go(),
            Self::Test => Run::cargo(["test"]).go(),
            Self::Kafka => kafka::run(),
            Self::Prometheus => prometheus(),
            Self::Systemd => systemd::run(),
            Self::Demo => demo::run(),
        }
    }
}

/// Where the shipped Prometheus files are.
const PROMETHEUS_FILES: &str = "config/prometheus";

/// Checks and tests the shipped rules, checks the scrape config, then runs the daemon under a real Prometheus.
fn prometheus() -> Result<()> {
    shell::need("promtool", "prometheus")?;
    shell::need("prometheus", "prometheus")?;
    let files = shell::root().join(PROMETHEUS_FILES);
    Run::new("promtool", ["check", "rules"]).paths(shell::files_ending(&files.join("rules"), ".yml")?).go()?;
    Run::new("promtool", ["test", "rules"]).paths(shell::files_ending(&files.join("tests"), ".yml")?).go()?;
    Run::new("promtool", ["check", "config"]).path(&files.join("prometheus.yml")).go()?;
    say("the daemon under a real Prometheus");
    Run::cargo(["test", "--test", "prometheus", "--", "--ignored", "--test-threads=1"]).go()
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
