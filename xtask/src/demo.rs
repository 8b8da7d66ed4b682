//! The demo as the README shows it: it must end by itself with a summary that adds up, with alerts in the
//! incident's department and in no other, all ended; and its metrics must satisfy promtool while it runs.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::shell::{self, Run, check, say};

/// What the demo prints, on standard error, once it serves.
const LISTENING: &str = "listening on http://";
const LISTEN_LIMIT: Duration = Duration::from_secs(60);
const INTO_THE_INCIDENT: Duration = Duration::from_secs(65);

/// The one line on standard output.
#[derive(Debug, Deserialize)]
struct Summary {
    produced: u64,
    scored: u64,
    context: u64,
    rejected: u64,
    late: u64,
    incident: Span,
    alerts: Vec<Span>,
}

/// Something that went on in a department.
#[derive(Debug, Deserialize)]
struct Span {
    department: String,
    started: Value,
    ended: Option<Value>,
}

/// Builds the program as released, runs the demo, checks what it says.
pub(crate) fn run() -> Result<()> {
    shell::need("curl", "curl")?;
    shell::need("promtool", "prometheus")?;
    Run::cargo(["build", "--release", "--bin", "latido"]).go()?;
    let program = shell::target().join("release/latido");
    let arguments = ["demo", "--listen", "127.0.0.1:0", "--for", "150s", "--seed", "7"];
    let mut command = Run::new(&program, arguments).command();
    let mut demo = Running(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
    let address = follow(&mut demo.0)?;
    // Twice: when it has just begun, and when the incident runs and every family has samples.
    check_metrics(&address)?;
    thread::sleep(INTO_THE_INCIDENT);
    check_metrics(&address)?;
    let output = demo.output()?;
    say(output.trim_end());
    check_summary(&output)
}

/// A demo that does not outlive us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already is as good as killed now.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Running {
    /// Waits for its end by itself; its standard output.
    fn output(&mut self) -> Result<String> {
        let stdout = self.0.stdout.take().context("standard output is read once")?;
        let text = std::io::read_to_string(stdout)?;
        check("latido demo", self.0.wait()?)?;
        Ok(text)
    }
}

/// Passes its standard error on; returns where it listens.
#[expect(clippy::print_stderr, reason = "the demo's words belong on the terminal")]
fn follow(demo: &mut Child) -> Result<String> {
    let stderr = demo.stderr.take().context("standard error is a pipe")?;
    let (found, address) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("{line}");
            if let Some((_, rest)) = line.split_once(LISTENING) {
                let end = rest.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter));
                // Nobody waits for a second address.
                drop(found.send(rest[..end.unwrap_or(rest.len())].to_owned()));
            }
        }
    });
    address.recv_timeout(LISTEN_LIMIT).context("the demo does not say where it listens")
}

/// `curl /metrics | promtool check metrics`.
fn check_metrics(address: &str) -> Result<()> {
    let url = format!("http://{address}/metrics");
    say(&format!("curl {url} | promtool check metrics"));
    let mut curl = Command::new("curl").args(["-fsS", "--max-time", "10", &url]).stdout(Stdio::piped()).spawn()?;
    let scrape = curl.stdout.take().context("curl's output is a pipe")?;
    let promtool = Command::new("promtool").args(["check", "metrics"]).stdin(scrape).status();
    check("curl", curl.wait()?)?;
    check("promtool check metrics", promtool?)
}

fn check_summary(output: &str) -> Result<()> {
    let lines: Vec<_> = output.lines().collect();
    ensure!(lines.len() == 1, "standard output holds {} lines, not one", lines.len());
    let summary: Summary = serde_json::from_str(lines[0]).context("the summary is not as promised")?;
    let Summary { produced, scored, context, rejected, late, incident, alerts } = &summary;
    ensure!(*produced > 0, "nothing was produced");
    ensure!(*produced == scored + context + rejected + late, "the summary does not add up: {summary:?}");
    ensure!(!alerts.is_empty(), "no alert: {summary:?}");
    for alert in alerts {
        ensure!(alert.department == incident.department, "an alert is in {}: {summary:?}", alert.department);
        ensure!(!alert.started.is_null() && alert.ended.is_some(), "an alert has not ended: {alert:?}");
    }
    Ok(())
}
