//! `latido alerts`: the alerts of a running daemon; listed, and marked by those who were paged.

mod list;
mod mark;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  latido alerts list --config latido.toml      open, or closed within 7 days
  latido alerts list --state active --json | jq .
  latido alerts mark billing-silence-1772358900000 useful
  latido alerts mark ID false --note 'a campaign, announced on Monday'

Exit codes: 0 fine, 1 no such alert or no daemon answers, 78 wrong config.";

/// List the alerts of a running daemon, and say which were false and which were useful
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AlertsArgs {
    #[command(subcommand)]
    command: AlertsCommand,
}

#[derive(Debug, Subcommand)]
enum AlertsCommand {
    List(list::ListArgs),
    Mark(mark::MarkArgs),
}

/// Runs the command.
///
/// # Errors
/// A wrong config, no daemon at its address, no such alert, or nowhere to print.
pub fn run(args: AlertsArgs) -> anyhow::Result<()> {
    match args.command {
        AlertsCommand::List(args) => list::run(&args),
        AlertsCommand::Mark(args) => mark::run(&args),
    }
}
