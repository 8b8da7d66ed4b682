//! `latido dead-letters replay`: letters back to where they came from.

use std::io::{self, BufRead, IsTerminal as _, Write};

use anyhow::bail;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{FilterArgs, count, open, printable};
use crate::config::Config;
use crate::letters::{Catalogue, Filter, Outcome, Plan, Reader, Replayer};
use crate::message::LetterReason;

/// More letters that their topic refused than this are counted and not named.
const MOST_NAMED: usize = 20;

const EXAMPLES: &str = "\
Examples:
  latido dead-letters replay --reason not_json --dry-run  what would be done
  latido dead-letters replay --reason not_json --limit 1  try with one
  latido dead-letters replay --reason not_json --yes      ask nothing

Mend first what made the records unusable: such as input.timestamp, and restart
the daemon. A letter returns with its own key, value, headers and time to its
topic and partition, and with the header latido_replayed_from. It is put back
once, however often this runs and wherever it breaks off: transactions hold
letters and receipts together. Cut letters, and those from other topics than
kafka.topics, stay; late ones too, unless --reason late asks for them.
Exit codes: 0 fine, 1 failed, 78 wrong config.";

/// Put letters back on the topics they came from, each once
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let (config, reader) = open(&args.filter.config)?;
    let filter = args.filter.filter(&config)?;
    let mut out = io::stdout().lock();
    if args.dry_run {
        let plan = plan(args, &config, &reader, &filter)?;
        return Ok(tell(&plan, "would be put back", &mut out)?);
    }
    if !args.yes && !io::stdin().is_terminal() {
        bail!(
            "nobody can be asked, as standard input is no terminal: give --yes, or --dry-run to see what would be done"
        );
    }
    // Before the receipts are read: what an unfinished run did is then either done or undone.
    let replayer = Replayer::start(&config.kafka, reader.topic())?;
    let plan = plan(args, &config, &reader, &filter)?;
    tell(&plan, "to be put back", &mut out)?;
    if plan.letters.is_empty() {
        return Ok(());
    }
    if !args.yes && !confirmed(&mut io::stdin().lock(), &mut io::stderr())? {
        writeln!(out, "nothing was put back")?;
        return Ok(());
    }
    let bar = progress_bar(plan.letters.len() as u64);
    let outcome = replayer.run(&reader, &plan, |settled| bar.set_position(settled));
    bar.finish_and_clear();
    report(&outcome?, &mut out)
}

fn plan(args: &ReplayArgs, config: &Config, reader: &Reader, filter: &Filter) -> anyhow::Result<Plan> {
    let catalogue = Catalogue::read(reader, filter)?;
    let asks_for_late = args.filter.reason.contains(&LetterReason::Late);
    Ok(Plan::new(&catalogue.rows, &config.kafka.topics, args.filter.limit, asks_for_late))
}

/// What will be done, by topic and reason.
fn tell(plan: &Plan, what: &str, out: &mut impl Write) -> io::Result<()> {
    for ((topic, reason), number) in &plan.counts {
        writeln!(out, "{}: {} {what} to {}", printable(reason), count(*number, "letter"), printable(topic))?;
    }
    writeln!(out, "{} {what}", count(plan.letters.len() as u64, "letter"))?;
    for (skip, number) in &plan.skipped {
        writeln!(out, "{} skipped: {}", count(*number, "letter"), skip.as_str())?;
    }
    if plan.left > 0 {
        writeln!(out, "{} left for another run (--limit)", count(plan.left, "letter"))?;
    }
    Ok(())
}

/// Asks, and takes nothing but a plain yes for one.
fn confirmed(answers: &mut impl BufRead, out: &mut impl Write) -> io::Result<bool> {
    write!(out, "Put them back? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// A bar on standard error, if that is a terminal.
fn progress_bar(letters: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(letters), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} letters, {eta} left") {
        bar.set_style(style);
    }
    bar
}

fn report(outcome: &Outcome, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{} put back", count(outcome.put_back, "letter"))?;
    if outcome.gone > 0 {
        writeln!(out, "{} gone meanwhile: retention removed them", count(outcome.gone, "letter"))?;
    }
    for (place, why) in outcome.refused.iter().take(MOST_NAMED) {
        writeln!(out, "{place} not taken by its topic: {why}")?;
    }
    match outcome.refused.len() {
        0 => Ok(()),
        refused => bail!(
            "{} not taken: raise the limit of the topic named by their source_topic (max.message.bytes, or \
             message.timestamp.before.max.ms), and run it again",
            count(refused as u64, "letter")
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_puts_letters_back() {
        for (answer, confirms) in
            [("y\n", true), (" YES \n", true), ("\n", false), ("n\n", false), ("yes?\n", false), ("", false)]
        {
            let mut asked = Vec::new();
            assert_eq!(confirmed(&mut answer.as_bytes(), &mut asked).unwrap(), confirms, "{answer:?}");
            assert!(!asked.is_empty());
        }
    }

    #[test]
    fn letters_that_were_refused_are_named_and_fail_the_run() {
        let place = |offset| crate::letters::Place { partition: 0, offset };
        let refused = (0..25).map(|offset| (place(offset), "too large".to_owned())).collect();
        let mut said = Vec::new();
        let error = report(&Outcome { put_back: 3, refused, gone: 1 }, &mut said).unwrap_err().to_string();
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("3 letters put back\n1 letter gone meanwhile"), "{said}");
        assert_eq!(said.matches("too large").count(), MOST_NAMED, "{said}");
        assert!(error.starts_with("25 letters not taken: raise"), "{error}");
    }
}
