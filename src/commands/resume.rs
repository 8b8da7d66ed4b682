//! `latido resume`: tells a running daemon to go on reading.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

use super::ConfigArgs;
use super::daemon::reachable;
use crate::publish::http::{COMMAND_HEADER, Token};

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  latido resume --config latido.toml                 try the next records now
  latido resume --config latido.toml --records 5000  let 5,000 records pass, whatever they are

Exit codes: 0 reading goes on, 1 it had not stopped or the daemon does not answer,
78 wrong config.";

/// Tell a daemon that stopped reading because of garbage to go on
///
/// If the next records are garbage too, it stops again before it takes any of them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ResumeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// How many records may pass whatever they are: what cannot be used of them is dead-lettered
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    records: u64,
}

/// Runs the command.
///
/// # Errors
/// A wrong config, no daemon at its address, or one that has not stopped reading.
pub fn run(args: ResumeArgs) -> anyhow::Result<()> {
    let config = args.config.load()?.config;
    let address = reachable(&config.http)?;
    let url = format!("http://{address}/api/v1/resume?records={}", args.records);
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into();
    let mut request = agent.post(&url).header(COMMAND_HEADER, "resume");
    if let Some(token) = Token::of(&config.http)? {
        request = request.header("authorization", token.authorization());
    }
    let mut answer = request
        .send_empty()
        .with_context(|| format!("no daemon answers at http://{address} (http.listen); run this where it runs"))?;
    let text = answer.body_mut().read_to_string().context("the daemon's answer cannot be read")?;
    if !answer.status().is_success() {
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        bail!("{}", problem["detail"].as_str().unwrap_or(&text));
    }
    let how = match args.records {
        0 => "the next records decide".to_owned(),
        records => format!("{records} records pass, whatever they are"),
    };
    writeln!(io::stdout().lock(), "reading goes on: {how}")?;
    Ok(())
}
