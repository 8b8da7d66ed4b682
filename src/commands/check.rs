//! `latido check`: is the config right, what is in force, and do the brokers agree?

mod live;

use std::io::{self, Write};

use clap::Args;

use super::ConfigArgs;
use crate::config::{Loaded, Moment, MuteConfig, effective, non_defaults};
use crate::pipeline::PipelineError;
use crate::score::{open, open_rules};

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
    open(&loaded.config.scorer).map_err(PipelineError::from)?;
    let mut out = io::stdout().lock();
    print(&loaded, &mut out)?;
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
