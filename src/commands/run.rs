//! `latido run`: the daemon.

use std::io::{self, Write as _};

use clap::Args;

use super::reload::Reload;
use super::{ConfigArgs, logging, signals};
use crate::config::{Config, StartPosition};
use crate::pipeline::{Options, Pipeline, Woken};

const EXAMPLES: &str = "\
Examples:
  latido run --config /etc/latido/latido.toml
  LATIDO__CHECKPOINT__DIRECTORY=state latido run --config latido.toml
  latido run --config latido.toml --start-from earliest
      a topic was made anew: go on at its beginning
  latido run --config latido.toml --start-empty
      the checkpoint is lost for good: go on without it

Exit codes: 0 stopped by SIGTERM or SIGINT and drained, 1 failed,
65 a checkpoint that cannot be restored, 78 wrong config.";

/// Run the daemon: read messages, score them, keep windows, serve metrics and alerts
///
/// SIGTERM and SIGINT stop it: it reads no more, folds what is in flight, saves a checkpoint and exits 0. SIGHUP reads the config
/// anew and takes its departments, thresholds and mutes; everything else takes a restart. A terminal that is closed sends SIGHUP too,
/// so a daemon in the foreground outlives it: stop it with Ctrl-C before, or with SIGTERM after.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Where to go on in partitions whose saved offset is no longer in the log: earliest, latest or an RFC 3339 time
    ///
    /// Other partitions go on where they were. Without it such a partition is not read, and /readyz says so.
    #[arg(long, value_name = "POSITION")]
    start_from: Option<StartPosition>,
    /// Start with empty windows though the group has read before and the checkpoint is gone
    ///
    /// Reading goes on at the group's offsets. Without it nothing is read in that case, and /readyz says so.
    #[arg(long)]
    start_empty: bool,
}

/// Runs the command.
///
/// # Errors
/// A wrong config, a port in use, a checkpoint that cannot be read, or a thread that died.
pub fn run(args: RunArgs) -> anyhow::Result<()> {
    let config = args.config.load()?.config;
    logging::init(&config.log)?;
    crate::sabotage::permit().map_err(anyhow::Error::msg)?;
    let (stop, hangups) = (signals::listen()?, signals::hangups()?);
    let consuming = consuming(&config);
    let options = Options { start_from: args.start_from, start_empty: args.start_empty };
    let mut reload = Reload::new(args.config, config.clone());
    let pipeline = Pipeline::start(config, options)?;
    if let Err(error) = announce(&pipeline, &consuming) {
        // A daemon does not live by its standard output.
        tracing::warn!(%error, "cannot print where it listens");
    }
    while pipeline.wait(&stop, &hangups)? == Woken::Reload {
        reload.run(&pipeline);
    }
    tracing::info!("stopping");
    pipeline.stop()?;
    tracing::info!("drained and saved");
    Ok(())
}

/// Prints where it listens and what it consumes.
fn announce(pipeline: &Pipeline, consuming: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{}", pipeline.http_address())?;
    if let Some(address) = pipeline.metrics_address() {
        writeln!(out, "metrics on http://{address}/metrics")?;
    }
    writeln!(out, "{consuming}")?;
    out.flush()
}

/// What is read from where, in a line.
fn consuming(config: &Config) -> String {
    let kafka = &config.kafka;
    let dead = kafka.dead_letter_topic.as_deref().map(|topic| format!(", dead letters to {topic}")).unwrap_or_default();
    format!("consuming {} from {} as group {}{dead}", kafka.topics.join(", "), kafka.brokers.join(","), kafka.group)
}
