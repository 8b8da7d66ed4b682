//! Simulated departments under the detector: the program `latido-simulate` beside us, optimised.

use anyhow::Result;
use clap::Args;

use crate::shell::Run;

/// What the simulation is told. It has a command line of its own, which this one hands over as it is.
#[derive(Args, Clone, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `cargo xtask simulate --help` lists them; without any, every table of `docs/alert-quality.md`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    arguments: Vec<String>,
}

/// Simulates.
pub(crate) fn run(options: &Options) -> Result<()> {
    let told = options.arguments.iter().map(String::as_str);
    Run::cargo(["run", "--quiet", "--release", "--package", "latido-simulate", "--"].into_iter().chain(told)).go()
}
