//! What the command line can do: one module for each command.

pub mod alerts;
pub mod backtest;
pub mod check;
pub mod checkpoint;
mod daemon;
pub mod dead_letters;
pub mod demo;
pub mod eval;
pub mod logging;
mod reload;
pub mod resume;
pub mod run;
pub mod score;
mod signals;
pub mod train;
mod version;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::checkpoint::DirectoryError;
use crate::config::{self, ConfigError, Loaded};
use crate::pipeline::PipelineError;

/// Exit code of a wrong config: EX_CONFIG of BSD's `sysexits.h`. 0 is fine, 1 failed, 2 a wrong command line.
const EX_CONFIG: u8 = 78;
/// Exit code of a checkpoint that cannot be restored: EX_DATAERR. To start again does not help.
const EX_DATA: u8 = 65;

/// What to add where the daemon's own config is likely to be meant.
const NO_FILE: &str = " (no config file was named: --config FILE, or LATIDO_CONFIG)";

const EXAMPLES: &str = "\
Examples:
  latido demo                               see it work: nothing to set up
  latido check --config latido.toml         is this config right?
  latido run --config latido.toml           the daemon
  latido score 'llevo tres días esperando'  what does the scorer say of a text?
  latido backtest --counts year.csv         what would have paged last year?
  latido alerts list --config latido.toml   what is open, and what was
  latido help check                         everything about a command

Exit codes: 0 fine, 1 failed, 2 wrong command line, 65 a checkpoint that cannot
be restored, 78 wrong config.";

/// Latido reads what customers write, as they write it, and tells each department when its customers turn unhappy.
#[derive(Debug, Parser)]
#[command(name = "latido", version = version::version(), about, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Demo(demo::DemoArgs),
    Check(check::CheckArgs),
    Checkpoint(checkpoint::CheckpointArgs),
    Alerts(alerts::AlertsArgs),
    Resume(resume::ResumeArgs),
    DeadLetters(dead_letters::DeadLettersArgs),
    Score(score::ScoreArgs),
    Train(train::TrainArgs),
    Eval(eval::EvalArgs),
    Backtest(backtest::BacktestArgs),
}

/// Where the config comes from; for the commands that need one.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Config file (TOML). Without one the defaults hold, and whatever LATIDO__... variables set.
    #[arg(long, short, value_name = "FILE", env = "LATIDO_CONFIG")]
    pub config: Option<PathBuf>,
}

impl ConfigArgs {
    /// Loads the config that the command line and the environment name.
    ///
    /// # Errors
    /// As [`config::load`].
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        config::load(self.config.as_deref(), config::process_environment())
    }
}

/// Parses the command line, runs the command and says how it went. A wrong command line ends the process with 2.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::run(args),
        Command::Checkpoint(args) => checkpoint::run(args),
        Command::Alerts(args) => alerts::run(args),
        Command::Resume(args) => resume::run(args),
        Command::DeadLetters(args) => dead_letters::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Score(args) => score::run(args),
        Command::Train(args) => train::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Backtest(args) => backtest::run(args),
    };
    outcome.map_or_else(|error| report(&error), |()| ExitCode::SUCCESS)
}

/// Says on standard error what may not be as it was meant, where a command goes on all the same.
fn warn(what: &str) {
    // With standard error gone there is nobody left to tell.
    drop(io::stderr().write_all(format!("warning: {what}\n").as_bytes()));
}

/// Says why a command failed, and as which exit code.
fn report(error: &anyhow::Error) -> ExitCode {
    let pipe_closed = |cause: &&(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    // Whoever read our output, such as `head`, has seen enough.
    if error.chain().find(pipe_closed).is_some() {
        return ExitCode::SUCCESS;
    }
    // With standard error gone there is nobody left to tell.
    drop(io::stderr().write_all(told(error).as_bytes()));
    if error.chain().any(is_wrong_config) {
        return ExitCode::from(EX_CONFIG);
    }
    if error.chain().any(cannot_be_restored) {
        return ExitCode::from(EX_DATA);
    }
    ExitCode::FAILURE
}

/// Whether that is a wrong config, or a file that it names which is not what it should be.
fn is_wrong_config(cause: &(dyn std::error::Error + 'static)) -> bool {
    let named = cause.downcast_ref::<PipelineError>();
    let is_named_file =
        matches!(named, Some(PipelineError::Model(_) | PipelineError::Rules(_) | PipelineError::Baselines { .. }));
    cause.is::<ConfigError>() || is_named_file
}

/// Whether that is a checkpoint which only a person can help.
fn cannot_be_restored(cause: &(dyn std::error::Error + 'static)) -> bool {
    let directory = match cause.downcast_ref::<PipelineError>() {
        Some(PipelineError::Directory(error)) => Some(error),
        _ => cause.downcast_ref::<DirectoryError>(),
    };
    matches!(directory, Some(DirectoryError::Damaged { .. }))
}

/// The error and its causes, without those whose words the error before them says already.
fn told(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(cause.trim_end()) {
            text.push_str(&format!("  caused by: {cause}\n"));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wrong_config_is_found_under_any_context() {
        let wrong = config::load(Some("/nowhere/latido.toml".as_ref()), []).expect_err("no such file");
        let error = anyhow::Error::new(wrong).context("the daemon cannot start");
        assert_eq!(report(&error), ExitCode::from(EX_CONFIG));
        assert_eq!(report(&anyhow::anyhow!("anything else")), ExitCode::FAILURE);
    }

    #[test]
    fn a_cause_is_told_once() {
        let bare = anyhow::Error::new(io::Error::other("the disk is full"));
        assert_eq!(told(&bare.context("cannot write")), "error: cannot write\n  caused by: the disk is full\n");
        let bare = anyhow::Error::new(io::Error::other("the disk is full"));
        assert_eq!(told(&bare.context("cannot write: the disk is full")), "error: cannot write: the disk is full\n");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let error = anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot write");
        assert_eq!(report(&error), ExitCode::SUCCESS);
    }
}
