//! `latido alerts list`.

use std::io::{self, Write as _};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::commands::daemon::DaemonArgs;
use crate::commands::warn;

const EXAMPLES: &str = "\
Examples:
  latido alerts list --config latido.toml
  latido alerts list --state active --department billing
  latido alerts list --json | jq '.alerts[] | select(.feedback == null)'";

/// List the alerts that are open, and those closed within 7 days, oldest first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ListArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Only those that are open, or only those that are closed.
    #[arg(long, value_name = "STATE")]
    state: Option<State>,
    /// Only those of this department, by its id; `*` is the company as a whole.
    #[arg(long, value_name = "DEPARTMENT")]
    department: Option<String>,
    /// Print JSON, as /api/v1/alerts answers it.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Active,
    Closed,
}

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let state = args.state.map(|state| match state {
        State::Active => "active",
        State::Closed => "closed",
    });
    let filter = [("state", state), ("department", args.department.as_deref())];
    let answer = args.daemon.daemon()?.get("/api/v1/alerts", filter)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    if answer["catching_up"] == true {
        warn("the daemon reads a backlog: alerts of it may be over by now");
    }
    let alerts = answer["alerts"].as_array().map_or(&[][..], Vec::as_slice);
    if alerts.is_empty() {
        writeln!(out, "no alerts")?;
        return Ok(());
    }
    for line in lines(alerts) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

const HEAD: [&str; 7] = ["STARTED", "STATE", "SEVERITY", "KIND", "DEPARTMENT", "HELD BACK", "ID"];

/// A head, and a line for each alert: when it opened, what and whose it is, whether it is held back, its id, what people said of it.
fn lines(alerts: &[Value]) -> Vec<String> {
    let mut rows = vec![(HEAD.map(str::to_owned), String::new())];
    rows.extend(alerts.iter().map(|alert| (cells(alert), said(alert))));
    let width = |column: usize| rows.iter().map(|(cells, _)| cells[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |(cells, said): &([String; 7], String)| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = padded.collect::<Vec<_>>().join("  ");
        format!("{}{said}", if said.is_empty() { line.trim_end() } else { &line })
    };
    rows.iter().map(line).collect()
}

fn cells(alert: &Value) -> [String; 7] {
    let text = |key: &str| alert[key].as_str().unwrap_or("?").to_owned();
    [text("started"), text("state"), text("severity"), text("kind"), text("department"), held_back(alert), text("id")]
}

/// Why it pages nobody: a mute with its reason, or that it was over when its backlog had been read.
fn held_back(alert: &Value) -> String {
    match (alert["muted"] == true, alert["mute_reason"].as_str(), alert["replayed"] == true) {
        (true, Some(reason), _) if !reason.is_empty() => format!("muted: {reason}"),
        (true, ..) => "muted".to_owned(),
        (_, _, true) => "replayed".to_owned(),
        _ => "-".to_owned(),
    }
}

fn said(alert: &Value) -> String {
    match (alert["feedback"]["verdict"].as_str(), alert["feedback"]["note"].as_str()) {
        (Some(verdict), Some(note)) => format!("  {verdict}: {note}"),
        (Some(verdict), None) => format!("  {verdict}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_tells_a_page_from_a_ticket_what_holds_it_and_what_people_said() {
        let held = json!({
            "id": "billing-silence-7", "started": "2026-03-01T09:55:00Z", "state": "active", "severity": "page", "kind": "silence",
            "department": "billing", "muted": true, "mute_reason": "the chat moves", "replayed": false, "feedback": null,
        });
        let judged = json!({
            "id": "care-severe-7", "started": "2026-03-01T09:56:00Z", "state": "closed", "severity": "ticket", "kind": "severe",
            "department": "care", "muted": false, "replayed": true, "feedback": { "verdict": "false", "note": "a campaign" },
        });
        assert_eq!(
            lines(&[held, judged]),
            [
                "STARTED               STATE   SEVERITY  KIND     DEPARTMENT  HELD BACK              ID",
                "2026-03-01T09:55:00Z  active  page      silence  billing     muted: the chat moves  billing-silence-7",
                "2026-03-01T09:56:00Z  closed  ticket    severe   care        replayed               care-severe-7      false: a campaign",
            ]
        );
    }
}
