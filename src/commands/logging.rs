//! Logs: to standard error, so that standard output stays for what a command was asked for.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Sets up logging for this process. Must come before the first Kafka client, which asks only once what is logged.
///
/// # Errors
/// If the level cannot be read, or logging is set up already.
pub fn init(log: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(&log.level).context("log.level")?;
    // Told of a line that cannot be written, it would say so where nothing can be written, and panic: a daemon outlives its terminal.
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    let outcome = match log.format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    outcome.map_err(|error| anyhow::anyhow!("logging cannot be set up: {error}"))
}
