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
    }
    for alert in alerts {
        writeln!(out, "{}", line(alert))?;
    }
    Ok(())
}

/// An alert on a line: when it opened, how it stands, what people said of it, its id.
fn line(alert: &Value) -> String {
    let text = |key: &str| alert[key].as_str().unwrap_or("?");
    let held_back = match (alert["muted"] == true, alert["replayed"] == true) {
        (true, _) => " muted",
        (_, true) => " replayed",
        _ => "",
    };
    let standing = format!("{}{held_back}", text("state"));
    let said = match (alert["feedback"]["verdict"].as_str(), alert["feedback"]["note"].as_str()) {
        (Some(verdict), Some(note)) => format!("  {verdict}: {note}"),
        (Some(verdict), None) => format!("  {verdict}"),
        _ => String::new(),
    };
    format!("{:<24} {standing:<15} {}{said}", text("started"), text("id"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_tells_when_how_it_stands_which_and_what_people_said() {
        let open = json!({
            "id": "billing-silence-7", "started": "2026-03-01T09:55:00Z", "state": "active", "muted": true, "replayed": false,
            "feedback": null,
        });
        assert_eq!(line(&open), "2026-03-01T09:55:00Z     active muted    billing-silence-7");
        let judged = json!({
            "id": "billing-silence-7", "started": "2026-03-01T09:55:00Z", "state": "closed", "muted": false, "replayed": true,
            "feedback": { "verdict": "false", "note": "a campaign" },
        });
        assert_eq!(line(&judged), "2026-03-01T09:55:00Z     closed replayed billing-silence-7  false: a campaign");
    }
}
