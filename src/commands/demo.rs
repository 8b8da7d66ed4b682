//! `latido demo`: everything in one process, nothing to install.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use super::{logging, signals};
use crate::config::{LogConfig, Span};
use crate::demo::{self, BoardProgress, BoxError, Engine, Options, Progress};
use crate::pipeline::{self, Pipeline, PipelineError};
use crate::publish::http::HttpError;

const EXAMPLES: &str = "\
Examples:
  latido demo                           until Ctrl-C, or its terminal is closed
  latido demo --for 150s --seed 7       one incident, then a summary as JSON
  latido demo --rate 200 --listen 127.0.0.1:9500
                                        busier, elsewhere
  latido demo --brokers localhost:9092  through a Kafka of yours, own topic

A day of history comes first; then each minute shows an hour, for as long as
--for says and ten minutes at most. That is the present: from there on time
passes as it does elsewhere, with --rate messages a minute in place of a
second. From second 45 to 75 of that live part one department's customers turn
unhappy.

The broker inside takes a free port of 127.0.0.1. The start prints it, and a
command that runs a daemon of your own on it. It answers any Kafka client of
this machine, keeps 5 MiB of each partition, and is gone with the demo.";

/// Run everything in one process: a broker, a company's customers, an incident, the pipeline
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// Address of metrics and API, on the loopback
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub listen: SocketAddr,

    /// End after this much of the live part (such as 150s), with a summary as one line of JSON on standard output
    #[arg(long = "for", value_name = "DURATION", value_parser = span)]
    pub live_for: Option<Span>,

    /// Mean messages a second over all departments, while each minute shows an hour
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rate: u32,

    /// What the messages and the incident's department come from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Brokers of a real Kafka in place of the one inside the process; a topic is created there
    #[arg(long, value_name = "HOSTS")]
    pub brokers: Option<String>,
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|_| "write a span such as 150s or 5m".to_owned())
}

impl From<DemoArgs> for Options {
    fn from(args: DemoArgs) -> Self {
        Self {
            listen: args.listen,
            live_for: args.live_for.map(Span::get),
            rate: args.rate,
            seed: args.seed,
            brokers: args.brokers,
        }
    }
}

/// The real pipeline, driven by the demo.
struct Driven {
    pipeline: Pipeline,
    shown_window: usize,
}

impl Engine for Driven {
    fn progress(&self) -> Arc<dyn Progress> {
        Arc::new(BoardProgress { board: Arc::clone(self.pipeline.board()), shown_window: self.shown_window })
    }

    fn http_address(&self) -> SocketAddr {
        self.pipeline.http_address()
    }

    fn stop(self) -> Result<(), BoxError> {
        Ok(self.pipeline.stop()?)
    }
}

/// Runs the command.
///
/// # Errors
/// If the broker, the producer or the pipeline fails, or if the summary does not add up.
pub fn run(args: DemoArgs) -> anyhow::Result<()> {
    // The screen is the demo's; the log says what goes wrong.
    logging::init(&LogConfig { level: "warn".to_owned(), ..LogConfig::default() })?;
    let wants_summary = args.live_for.is_some();
    let stop = signals::listen_and_end_with_the_terminal()?;
    let summary = demo::run(&args.into(), &stop, |config| {
        let (shown_window, _) = demo::shown_window(&config);
        let pipeline = Pipeline::start(config, pipeline::Options::default()).map_err(as_given)?;
        Ok(Driven { pipeline, shown_window })
    })?;
    if wants_summary {
        writeln!(io::stdout().lock(), "{}", serde_json::to_string(&summary)?)?;
    }
    Ok(())
}

/// An address that cannot be had, by the name under which it was given here: the demo has no config file.
fn as_given(error: PipelineError) -> BoxError {
    match error {
        PipelineError::Http(HttpError::Bind { address, source, .. }) => {
            Box::new(HttpError::Bind { key: "--listen", address, source })
        }
        PipelineError::Http(HttpError::Unguarded { address }) => format!(
            "`--listen` = {address} can be reached from other machines, and a demo has no token to guard its API; listen on 127.0.0.1"
        )
        .into(),
        other => Box::new(other),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        demo: DemoArgs,
    }

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Line::try_parse_from([&["demo"], arguments].concat()).map(|line| line.demo.into())
    }

    #[test]
    fn every_example_of_the_help_parses() {
        let examples = EXAMPLES.lines().filter_map(|line| line.trim().strip_prefix("latido demo"));
        let mut seen = 0;
        for example in examples {
            let arguments: Vec<&str> = example.split("  ").next().unwrap_or_default().split_whitespace().collect();
            parse(&arguments).unwrap();
            seen += 1;
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn without_arguments_it_runs_on_loopback_until_a_signal() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.listen.to_string(), "127.0.0.1:9464");
        assert_eq!((options.live_for, options.rate, options.brokers), (None, 30, None));
    }

    #[test]
    fn a_rate_of_none_or_too_many_and_a_span_without_unit_are_refused() {
        for arguments in [["--rate", "0"], ["--rate", "1001"], ["--for", "150"], ["--listen", "here"]] {
            assert!(parse(&arguments).is_err(), "{arguments:?}");
        }
    }
}
