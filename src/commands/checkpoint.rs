//! `latido checkpoint show`: what the last checkpoint holds.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{ConfigArgs, warn};
use crate::checkpoint::{self, KafkaStore, Snapshot};
use crate::config::{CheckpointStore, Config};

const EXAMPLES: &str = "\
Examples:
  latido checkpoint show --config latido.toml         positions and totals
  latido checkpoint show --json --config latido.toml  every position and pane

It may be used while a daemon runs. Exit codes: 0 fine, 1 no checkpoint, 65 one
that cannot be restored, 78 wrong config.";

/// Look at the saved state
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckpointArgs {
    #[command(subcommand)]
    command: CheckpointCommand,
}

#[derive(Debug, Subcommand)]
enum CheckpointCommand {
    /// Show positions and panes of the newest checkpoint
    #[command(after_help = EXAMPLES)]
    Show {
        #[command(flatten)]
        config: ConfigArgs,
        /// Print JSON: partitions with next_offset and watermark, panes with start (ms) and counts
        #[arg(long)]
        json: bool,
    },
}

/// Where a partition goes on, as JSON.
#[derive(Debug, Serialize)]
struct PartitionRow<'a> {
    topic: &'a str,
    partition: i32,
    next_offset: i64,
    /// Event time, ms: what the partition has delivered less `windows.lateness`; null before its first message.
    watermark: Option<i64>,
}

/// One pane, as JSON.
#[derive(Debug, Serialize)]
struct PaneRow<'a> {
    department: &'a str,
    start: i64,
    messages: u32,
    negative: u32,
    frustrated: u32,
}

#[derive(Debug, Serialize)]
struct Rows<'a> {
    partitions: Vec<PartitionRow<'a>>,
    panes: Vec<PaneRow<'a>>,
}

/// Runs the command.
///
/// # Errors
/// A wrong config, no checkpoint, one that cannot be read, or nowhere to print.
pub fn run(args: CheckpointArgs) -> anyhow::Result<()> {
    let CheckpointCommand::Show { config, json } = args.command;
    let hint = if config.config.is_none() { super::NO_FILE } else { "" };
    let config = config.load()?.config;
    let snapshot = match config.checkpoint.store {
        CheckpointStore::Directory => in_directory(&config.checkpoint.directory, hint)?,
        CheckpointStore::Kafka => in_topic(&config)?,
    };
    let lateness = config.windows.lateness.get();
    let mut out = io::stdout().lock();
    if !json {
        return show(&snapshot, &mut out);
    }
    let partitions = snapshot.partitions.iter().map(|saved| PartitionRow {
        topic: &saved.partition.topic,
        partition: saved.partition.partition,
        next_offset: saved.next_offset.0,
        watermark: saved.frontier.map(|frontier| frontier.minus(lateness).as_millis()),
    });
    let panes = snapshot.panes().map(|(department, start, counts)| PaneRow {
        department,
        start: start.as_millis(),
        messages: counts.tally.messages,
        negative: counts.tally.negative,
        frustrated: counts.tally.frustrated,
    });
    serde_json::to_writer(&mut out, &Rows { partitions: partitions.collect(), panes: panes.collect() })?;
    writeln!(out)?;
    Ok(())
}

fn in_directory(directory: &Path, hint: &str) -> anyhow::Result<Snapshot> {
    let loaded = checkpoint::read(directory)?;
    for damage in &loaded.damaged {
        warn(&format!("{} is damaged ({}); this is the one before it", damage.path.display(), damage.source));
    }
    loaded
        .snapshot
        .with_context(|| format!("no checkpoint in {}; check checkpoint.directory{hint}", directory.display()))
}

fn in_topic(config: &Config) -> anyhow::Result<Snapshot> {
    let snapshot = KafkaStore::read_all(config)?;
    let (topic, group) = (&config.checkpoint.topic, &config.kafka.group);
    anyhow::ensure!(
        !snapshot.partitions.is_empty(),
        "no checkpoint of group {group} in topic {topic}; check checkpoint.topic and kafka.group"
    );
    Ok(snapshot.joined())
}

/// Positions and totals, for people.
fn show(snapshot: &Snapshot, out: &mut impl io::Write) -> anyhow::Result<()> {
    writeln!(out, "taken {}", snapshot.taken)?;
    if let Some(stream_time) = snapshot.stream_time {
        writeln!(out, "stream time {stream_time}")?;
    }
    for saved in &snapshot.partitions {
        writeln!(out, "{} goes on at offset {}", saved.partition, saved.next_offset.0)?;
    }
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (department, _, counts) in snapshot.panes() {
        *totals.entry(department).or_default() += u64::from(counts.tally.messages);
    }
    for (department, messages) in totals {
        writeln!(out, "{department}: {messages} messages kept")?;
    }
    Ok(())
}
