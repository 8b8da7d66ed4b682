//! `latido backtest`: the detector over history.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ConfigArgs;
use super::train::{beside, write_whole};
use crate::backtest::{
    Backtest, CountsFile, History, Incidents, MessageHistory, Names, Replayed, Scoring, Setup, Source, Step,
    read_messages, read_topic, replay, report, table,
};
use crate::checkpoint::encode_learned;
use crate::config::{Config, Span, unkept_budget};

const EXAMPLES: &str = "\
Examples:
  latido backtest --counts year.csv
  latido backtest --counts year.csv --incidents known.csv --report year.html
  latido backtest --config latido.toml --input messages.jsonl.zst --budget 0.5
  latido backtest --config latido.toml --topic customer-messages --json
  latido backtest --counts year.csv --learn baselines.latido

--counts   time,department,messages,negative,frustrated
           one row for each department and step, in order of time; time is the
           start of the step, RFC 3339 with an offset or seconds since 1970. A
           department without a row at a step wrote nothing then; where none
           has one for 24 h, nothing was recorded, and that is skipped.
--input    one message a line, as the daemon reads them from Kafka
--topic    from its beginning to its end; joins no group, commits nothing
--incidents  department,start,end: what really happened. Alerts up to 15 min
           after an end are of it; others are false. Without it, all count.

Files of --counts and --input may be packed, by their ending: .gz or .zst.
--counts takes a pipe too, such as /dev/stdin.
With a config its departments have their time zones and expected ratios, and
its mutes hold.

For each budget of false alarms it says how many alarms there would have been
and how soon a shift would have been found: the odds of negative and frustrated
messages x2.5 for 3 h, put into each department's own history every 55 h.

Exit codes: 0 fine, 1 failed, 2 wrong command line, 78 wrong config.";

/// Run the detector over history: what would have paged, what was false, what a budget costs
///
/// Prints alerts, false alarms a month and, with --incidents, the share found and the delay, for each department.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group(ArgGroup::new("history").required(true).args(["input", "counts", "topic"])))]
pub struct BacktestArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Messages, one JSON object a line; .gz and .zst are unpacked.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Counts as CSV; .gz and .zst are unpacked.
    #[arg(long, value_name = "FILE")]
    counts: Option<PathBuf>,
    /// Topic of the config's brokers; may be given more than once.
    #[arg(long, value_name = "TOPIC")]
    topic: Vec<String>,
    /// How long the step of a row is, 10s to 1h. Default: found out from the first rows.
    #[arg(long, value_name = "SPAN", value_parser = step, conflicts_with_all = ["input", "topic"])]
    step: Option<Step>,
    /// What really happened, as CSV.
    #[arg(long, value_name = "FILE")]
    incidents: Option<PathBuf>,
    /// False alarms of a department in 28 days, 0.05 to 30, in place of detect.false_alarms_per_month.
    #[arg(long, value_name = "N", value_parser = budget, allow_negative_numbers = true)]
    budget: Option<f64>,
    /// One JSON object in place of the tables.
    #[arg(long)]
    json: bool,
    /// Write a page with plots there; it needs nothing else.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write what was learned of the departments there, for detect.baselines of a daemon that does not know them yet.
    #[arg(long, value_name = "FILE")]
    learn: Option<PathBuf>,
}

fn step(text: &str) -> Result<Step, String> {
    let span: Span = text.parse().map_err(|error| format!("{error}; write a span such as 5m"))?;
    let millis = u64::try_from(span.get().as_millis()).unwrap_or(u64::MAX);
    Step::of_millis(millis).map_err(|error| error.to_string())
}

fn budget(text: &str) -> Result<f64, String> {
    let budget: f64 = text.parse().map_err(|_| "expected a number from 0.05 to 30".to_owned())?;
    match unkept_budget(budget) {
        Some((what, remedy)) => Err(format!("{what}; {remedy}")),
        None => Ok(budget),
    }
}

/// Runs `latido backtest`.
///
/// # Errors
/// A wrong config, a history or a list of incidents that cannot be used, or nowhere to write.
pub fn run(args: BacktestArgs) -> anyhow::Result<()> {
    let mut config = args.config.load()?.config;
    check_places(&args)?;
    config.detect.false_alarms_per_month = args.budget.unwrap_or(config.detect.false_alarms_per_month);
    let incidents = args.incidents.as_deref().map_or_else(|| Ok(Incidents::none()), Incidents::read)?;
    let (departments, mutes) = (&*config.departments, &*config.mutes);
    let setup = Setup { detect: &config.detect, departments, mutes, incidents: &incidents };
    let (replayed, source) = history(&args, &config, setup)?;
    let run = Backtest::of(&replayed, source, config.detect.false_alarms_per_month, args.incidents.is_some());
    if let Some(path) = &args.report {
        write(path, report(&run).as_bytes())?;
    }
    if let Some(path) = &args.learn {
        write(path, &encode_learned(&replayed.learned())?)?;
    }
    let told = if args.json { format!("{}\n", serde_json::to_string(&run)?) } else { table(&run) };
    Ok(std::io::stdout().lock().write_all(told.as_bytes())?)
}

/// Runs through the history that was asked for.
fn history(args: &BacktestArgs, config: &Config, setup: Setup<'_>) -> anyhow::Result<(Replayed, Source)> {
    if let Some(path) = &args.counts {
        let bar = progress_bar(BYTES);
        let names = Names::configured(&config.departments);
        let mut counts = CountsFile::open(path, args.step, &names, &bar)?;
        let replayed = replay(&mut counts, names, setup)?;
        bar.finish_and_clear();
        return Ok((replayed, Source { name: path.display().to_string(), ..Source::default() }));
    }
    let scoring = Scoring::new(config)?;
    let (mut messages, name) = match &args.input {
        Some(path) => {
            let bar = progress_bar(BYTES);
            let messages = read_messages(path, &scoring, &bar)?;
            bar.finish_and_clear();
            (messages, path.display().to_string())
        }
        None => {
            let bar = progress_bar(RECORDS);
            let messages = read_topic(&config.kafka, &args.topic, &scoring, &bar);
            let messages = match args.config.config {
                Some(_) => messages?,
                None => messages.with_context(|| without_config(&config.kafka.brokers))?,
            };
            bar.finish_and_clear();
            (messages, args.topic.join(", "))
        }
    };
    let source = source(&messages, name);
    let names = messages.names().clone();
    let replayed = replay_with_a_bar(&mut messages, names, setup)?;
    Ok((replayed, source))
}

/// Who names no config is seldom at the brokers that then count.
fn without_config(brokers: &[String]) -> String {
    format!("no --config names the brokers, so {} was tried; name a config with --config", brokers.join(", "))
}

fn replay_with_a_bar(messages: &mut MessageHistory, names: Names, setup: Setup<'_>) -> anyhow::Result<Replayed> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_message("testing");
    bar.enable_steady_tick(Duration::from_millis(200));
    let replayed = replay(messages as &mut dyn History, names, setup)?;
    bar.finish_and_clear();
    Ok(replayed)
}

fn source(messages: &MessageHistory, name: String) -> Source {
    let counts = messages.unusable().iter().map(|(reason, (count, _))| (reason.clone(), *count));
    let firsts = messages.unusable().iter().map(|(reason, (_, first))| (reason.clone(), first.to_string()));
    Source {
        name,
        unusable: counts.collect(),
        first_unusable: firsts.collect(),
        not_by_customers: messages.not_by_customers(),
    }
}

const BYTES: &str = "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
const RECORDS: &str = "{wide_bar} {human_pos}/{human_len} records, {per_sec}, {eta} left";

/// On standard error; nothing where that is no terminal.
fn progress_bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// Whether files can be made where they were asked for, and none is lost for it. Told before the run, which takes long.
fn check_places(args: &BacktestArgs) -> anyhow::Result<()> {
    let read = [&args.input, &args.counts, &args.incidents, &args.config.config];
    let is_read = |path: &Path| {
        let mut read = read.iter().filter_map(|path| path.as_deref());
        path.canonicalize().is_ok_and(|path| read.any(|read| read.canonicalize().is_ok_and(|read| read == path)))
    };
    for (name, path) in [("--report", &args.report), ("--learn", &args.learn)] {
        let Some(path) = path else { continue };
        let shown = path.display();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        ensure!(folder.is_dir(), "{name} {shown}: there is no directory {}; make it first", folder.display());
        ensure!(!path.is_dir(), "{name} {shown} is a directory; name a file");
        let is_input = is_read(path) || is_read(&beside(path));
        ensure!(!is_input, "{name} {shown} is read too and would be lost; name another file");
    }
    let is_shared = args.report.is_some() && args.report == args.learn;
    ensure!(!is_shared, "--report and --learn name the same file; name two");
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_whole(path, bytes)
        .with_context(|| format!("cannot write {}; name a file in a directory that may be written", path.display()))
}
