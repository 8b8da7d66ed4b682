//! `latido alerts mark`.

use std::io::{self, Write as _};

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::commands::daemon::DaemonArgs;
use crate::detect::{Feedback, Verdict};

const EXAMPLES: &str = "\
Examples:
  latido alerts mark billing-silence-1772358900000 useful
  latido alerts mark billing-silence-1772358900000 false \\
      --note 'a campaign, announced on Monday'

Marking it again changes the mark. It survives a crash of the daemon from the
next checkpoint on (checkpoint.interval).";

/// Say that an alert was false or useful
///
/// It is kept with the alert for 7 days and counted in latido_alert_feedback_total; its incident, if it paged, in
/// latido_incidents_marked_total. No threshold changes by it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct MarkArgs {
    /// Id of the alert, as `latido alerts list` shows it
    #[arg(value_name = "ID")]
    id: String,
    /// Whether nothing was wrong, or it was good to know
    #[arg(value_name = "VERDICT")]
    verdict: Word,
    /// Why, in your own words: at most 500 characters on one line, and nothing that a customer wrote
    #[arg(long, value_name = "TEXT", value_parser = note)]
    note: Option<String>,
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Print the alert as JSON, as /api/v1/alerts/ID answers it
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    False,
    Useful,
}

fn note(text: &str) -> Result<String, String> {
    let characters = text.chars().count();
    if characters > Feedback::NOTE_LIMIT {
        return Err(format!("{characters} characters; write at most {}", Feedback::NOTE_LIMIT));
    }
    if text.contains(char::is_control) {
        return Err("control characters; write it on one line".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn run(args: &MarkArgs) -> anyhow::Result<()> {
    let is_of_ids = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if args.id.is_empty() || !args.id.bytes().all(is_of_ids) {
        bail!("`{}` cannot be an alert's id; `latido alerts list` shows them", args.id.escape_debug());
    }
    let verdict = match args.verdict {
        Word::False => Verdict::False,
        Word::Useful => Verdict::Useful,
    };
    let said: Value = json!({ "verdict": verdict, "note": args.note });
    let alert = args.daemon.daemon()?.post(&format!("/api/v1/alerts/{}/feedback", args.id), &said)?;
    let mut out = io::stdout().lock();
    match args.json {
        true => writeln!(out, "{alert}")?,
        false => writeln!(out, "{} is marked {verdict}", args.id)?,
    }
    Ok(())
}
