//! Storms against real brokers: the program `latido-storm` beside us, with a broker fetched for it.

use anyhow::Result;
use clap::Args;

use crate::kafka;
use crate::shell::{self, Run};

/// What CI storms, and whoever says nothing else.
const SHORT: [&str; 6] = ["--seed", "1", "--store", "directory", "--store", "kafka"];

/// What the storm is told. It has a command line of its own, which this one hands over as it is.
#[derive(Args, Clone, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// `cargo xtask storm --help` lists them; without any, two short storms.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    arguments: Vec<String>,
}

impl Options {
    /// Two short storms.
    pub(crate) const PLAIN: Self = Self { arguments: Vec::new() };
}

/// Fetches the broker unless it is there, then storms.
pub(crate) fn run(options: &Options) -> Result<()> {
    shell::need("java", "openjdk-17-jre-headless")?;
    kafka::fetch()?;
    let told = options.arguments.iter().map(String::as_str);
    let arguments: Vec<&str> = if options.arguments.is_empty() { SHORT.to_vec() } else { told.collect() };
    Run::cargo(["run", "--quiet", "--package", "latido-storm", "--"].into_iter().chain(arguments)).go()
}
