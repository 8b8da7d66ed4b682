//! `latido check`: is the config right, what is in force, and do the brokers agree?

mod live;

use std::io::{self, Write};

use anyhow::Context as _;
use clap::Args;

use super::ConfigArgs;
use crate::config::{Loaded, Moment, MuteConfig, effective, non_defaults};
use crate::pipeline::PipelineError;
use crate::score::second::{Probe, Slow, open_slow, probe};
use crate::score::{EmbeddedScorer, open, open_rules};

const EXAMPLES: &str = "\
Examples:
  latido check --config latido.toml         what is in force, and who set it
  latido check --config latido.toml --live  try brokers, topics and rights too
  LATIDO__KAFKA__TOPICS='[\"chats\"]' latido check

Exit codes: 0 fine, 1 a live check failed, 78 wrong config.";

/// Validate the config and print what is in force
///
/// Prints the effective config as TOML, with secrets as ***, and after it, as comments, where each value that is not a
/// default came from.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try the brokers, the topics, the right to read them, where state is kept, and a write to the dead-letter topic
    ///
    /// The write is one record with the header `latido-probe`. No consumer group is joined, so a running daemon
    /// is not disturbed.
    #[arg(long)]
    live: bool,
}

/// Runs the command.
///
/// # Errors
/// A wrong config, a failed live check, or nowhere to print.
pub fn run(args: CheckArgs) -> anyhow::Result<()> {
    let loaded = args.config.load()?;
    // Loaded as the daemon would.
    let embedded = open(&loaded.config.scorer).map_err(PipelineError::from)?;
    let slow = open_slow(&loaded.config.scorer).map_err(PipelineError::from)?;
    let mut out = io::stdout().lock();
    print(&loaded, &mut out)?;
    if let Some(slow) = slow {
        let rules = open_rules(&loaded.config.signals).map_err(PipelineError::from)?;
        print_probes(&slow, &mut EmbeddedScorer::new(embedded, rules), &mut out)?;
    }
    if args.live {
        live::run(&loaded.config, &mut out)?;
    }
    Ok(())
}

/// The config in force and who set it.
fn print(loaded: &Loaded, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{}", effective(&loaded.config)?.trim_end())?;
    if !loaded.config.signals.files.is_empty() {
        let rules = open_rules(&loaded.config.signals).map_err(PipelineError::from)?;
        let switched_off = rules.switched_off();
        writeln!(out, "\n# Signals: {} rules, {switched_off} of the built-in ones switched off.", rules.len())?;
    }
    print_mutes(&loaded.config.mutes, Moment(jiff::Timestamp::now()), out)?;
    let origins = non_defaults(loaded);
    if origins.is_empty() {
        writeln!(out, "\n# Every value is the default.")?;
        return Ok(());
    }
    writeln!(out, "\n# Values that are not the default, and who set them:")?;
    for (key, origin) in origins {
        writeln!(out, "#   {key}: {origin}")?;
    }
    Ok(())
}

/// What the slow model says of sentences that leave no doubt, a line each.
fn print_probes(slow: &Slow, embedded: &mut EmbeddedScorer, out: &mut impl Write) -> anyhow::Result<()> {
    let probes = probe(&*slow.model, embedded).context("scorer.transformer: the model cannot score a sentence")?;
    if let Some(rate) = slow.texts_per_second {
        writeln!(out, "\n# Transformer: {:?}, about {rate:.0} texts a second on one core.", slow.model)?;
    }
    for probe in &probes {
        let Probe { text, score, .. } = probe;
        let label = score.sentiment.label();
        let verdict = if probe.agrees() { String::new() } else { format!("; everybody would say {}", probe.sentiment) };
        writeln!(out, "#   {label}, frustration {:.2}: {text}{verdict}", score.frustration.get())?;
    }
    let wrong = probes.iter().filter(|probe| !probe.agrees()).count();
    if wrong * 2 > probes.len() {
        writeln!(out, "# Most of these are wrong: are the labels in the right order (latido.json, id2label)?")?;
    }
    Ok(())
}

/// Whose alerts page nobody, and when, a line each.
fn print_mutes(mutes: &[MuteConfig], now: Moment, out: &mut impl Write) -> anyhow::Result<()> {
    if mutes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n# Mutes, by event time:")?;
    for (place, mute) in mutes.iter().enumerate() {
        let departments = mute.departments.join(", ");
        let kinds = if mute.kinds.is_empty() { String::new() } else { format!(" ({})", mute.kinds.join(", ")) };
        let maintenance = if mute.maintenance { ", maintenance" } else { "" };
        let reason = if mute.reason.is_empty() { String::new() } else { format!(": {}", mute.reason) };
        let standing = match (mute.from, mute.until) {
            (_, Some(until)) if until <= now => " (over: it can go)",
            (Some(from), _) if from > now => " (to come)",
            _ => "",
        };
        writeln!(out, "#   mutes[{place}]: {departments}{kinds}, {}{maintenance}{reason}{standing}", mute.when())?;
    }
    Ok(())
}
