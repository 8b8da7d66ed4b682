//! `latido dead-letters`: the records that could not be used; listed, shown, put back.

mod list;
mod replay;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ConfigArgs;
use crate::config::{Config, ConfigError, Origin, Problem};
use crate::letters::{Filter, PATIENCE, Reader, Wanted};
use crate::message::{EventTime, LetterReason};

const EXAMPLES: &str = "\
Examples:
  latido dead-letters list --config latido.toml  what could not be used, and why
  latido dead-letters show 0:1284                one letter, without its text
  latido dead-letters show 0:1284 --raw | jq .   its value, as it is
  latido dead-letters replay --reason bad_timestamp --dry-run
  latido dead-letters replay --reason bad_timestamp

Needs kafka.dead_letter_topic. May be used while a daemon runs; no consumer
group is joined. Exit codes: 0 fine, 1 failed, 78 wrong config.";

/// Look at records that could not be used, and put them back.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DeadLettersArgs {
    #[command(subcommand)]
    command: DeadLettersCommand,
}

#[derive(Debug, Subcommand)]
enum DeadLettersCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Replay(replay::ReplayArgs),
}

/// Which letters are meant.
#[derive(Debug, Args)]
struct FilterArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Only letters of this reason, such as not_json; may be given more than once.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Vec<LetterReason>,
    /// Only letters received at this time (RFC 3339, such as 2026-01-31T00:00:00Z) or later.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<EventTime>,
    /// Only letters received before this time (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<EventTime>,
    /// Only letters of this department, by id or alias, where their JSON can be read and says so.
    #[arg(long, value_name = "DEPARTMENT")]
    department: Option<String>,
    /// At most so many letters, the oldest first.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl FilterArgs {
    fn filter(&self, config: &Config) -> anyhow::Result<Filter> {
        let wanted = Wanted {
            reasons: self.reason.clone(),
            since: self.since,
            until: self.until,
            department: self.department.clone(),
        };
        Ok(Filter::new(&wanted, config)?)
    }
}

/// Runs the command.
///
/// # Errors
/// A wrong config, no dead-letter topic, brokers that do not answer, or nowhere to print.
pub fn run(args: DeadLettersArgs) -> anyhow::Result<()> {
    match args.command {
        DeadLettersCommand::List(args) => list::run(&args),
        DeadLettersCommand::Show(args) => show::run(&args),
        DeadLettersCommand::Replay(args) => replay::run(&args),
    }
}

/// The config, and a reader of the topic that it names.
fn open(args: &ConfigArgs) -> anyhow::Result<(Config, Reader)> {
    let config = args.load()?.config;
    let Some(topic) = &config.kafka.dead_letter_topic else { return Err(no_topic(args.config.clone()).into()) };
    let reader = Reader::new(&config.kafka, topic, PATIENCE)?;
    Ok((config, reader))
}

fn no_topic(file: Option<PathBuf>) -> ConfigError {
    let hint = if file.is_none() { super::NO_FILE } else { "" };
    let origin = file.map_or(Origin::Default, |path| Origin::File { path, line: None });
    ConfigError::from(Box::new(Problem {
        origin,
        key: "kafka.dead_letter_topic".to_owned(),
        value: None,
        what: "no topic is set, so there are no dead letters".to_owned(),
        remedy: format!("name the topic that the daemon writes them to{hint}"),
    }))
}

fn reason(text: &str) -> Result<LetterReason, String> {
    LetterReason::from_name(text).ok_or_else(|| {
        let known: Vec<&str> = LetterReason::names().collect();
        format!("no such reason; there are: {}", known.join(", "))
    })
}

fn time(text: &str) -> Result<EventTime, String> {
    let moment: jiff::Timestamp = text
        .parse()
        .map_err(|_| "no time in RFC 3339, such as 2026-01-31T00:00:00Z or 2026-01-31T09:30:00+01:00".to_owned())?;
    Ok(EventTime::from_millis(moment.as_millisecond()))
}

/// So many of something.
fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// A text from the topic, without what would move a terminal's cursor.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    shown
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::message::RejectReason;

    #[test]
    fn an_unknown_reason_is_answered_with_those_there_are() {
        assert_eq!(reason("not_json"), Ok(LetterReason::Rejected(RejectReason::NotJson)));
        assert_eq!(reason("late"), Ok(LetterReason::Late));
        let error = reason("notjson").unwrap_err();
        assert!(LetterReason::names().all(|name| error.contains(name)), "{error}");
    }

    #[test]
    fn a_time_has_a_zone() {
        assert_eq!(time("1970-01-01T01:00:01+01:00"), Ok(EventTime::from_millis(1_000)));
        for text in ["yesterday", "2026-01-31", "2026-01-31T00:00:00", ""] {
            assert!(time(text).unwrap_err().contains("2026-01-31T00:00:00Z"), "{text}");
        }
    }

    #[test]
    fn what_would_move_the_cursor_is_written_out() {
        assert_eq!(printable("señal\u{1b}[2J\n"), "señal\\u{1b}[2J\\n");
    }
}
