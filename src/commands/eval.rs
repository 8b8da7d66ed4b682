//! `latido eval`: a model's figures on labelled texts.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::score::data;
use crate::score::eval::{BootstrapPlan, evaluate, table};
use crate::score::half::Half;
use crate::score::recipe::Recipe;
use crate::score::signals::Rules;
use crate::score::{EmbeddedModel, EmbeddedScorer};

const EXAMPLES: &str = "\
Examples:
  latido eval --data calls.es.val.tsv.gz
  latido eval --model ours.latido --json --data calls.es.val.tsv.gz mails.tsv

Figures are percentages in the table and 0 to 1 with --json; in brackets, 95 %
bootstrap intervals. Data files are as for `latido train`; rows without a label
are left out and counted. Signals are measured where a TSV has a column
`signals` (names joined by commas, `-` for none) or a JSON line an array of it.";

/// Measure a model on labelled texts.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct EvalArgs {
    /// Model file. Default: the built-in model.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Labelled texts; may be given more than once, or with several files.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// Rules of your own for signals, beyond the built-in ones; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub signals: Vec<PathBuf>,
    /// Only rows of this split, where a row names its own (JSON lines with `split`).
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// Only one half of the rows, by a hash of their text.
    #[arg(long, value_enum)]
    pub half: Option<HalfChoice>,
    /// TOML file that says what the sets' own labels mean, as for `latido train`.
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// One JSON object in place of the table.
    #[arg(long)]
    pub json: bool,
    /// Bootstrap samples; 0 leaves the intervals out.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub samples: usize,
    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
}

/// A half of the labelled rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HalfChoice {
    /// Rows that `latido train --calibrate` fits on.
    Fitted,
    /// Rows that it leaves alone.
    Other,
}

/// Runs `latido eval`.
///
/// # Errors
/// If the model or a data file cannot be used, or a data file holds no row.
pub fn run(args: EvalArgs) -> anyhow::Result<()> {
    let model = match &args.model {
        Some(path) => EmbeddedModel::load(path)?,
        None => EmbeddedModel::builtin()?,
    };
    let mut scorer = EmbeddedScorer::new(model, Rules::with_files(&args.signals)?);
    let plan = BootstrapPlan { samples: args.samples, seed: args.seed };
    let recipe = args.recipe.as_deref().map_or_else(|| Ok(Recipe::default()), Recipe::load)?;
    let mut reports = Vec::with_capacity(args.data.len());
    for path in &args.data {
        let mut set = data::read(path, &recipe, args.split.as_deref())?;
        match args.half {
            Some(HalfChoice::Fitted) => Half::Fitted.keep(&mut set),
            Some(HalfChoice::Other) => Half::Other.keep(&mut set),
            None => {}
        }
        ensure!(!set.rows.is_empty(), "{} holds no row to measure on; name a file with labelled texts", path.display());
        reports.push(evaluate(&set, &mut scorer, plan));
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &json!({ "sets": reports }))?;
        writeln!(out)?;
    } else {
        write!(out, "{}", table(&reports))?;
    }
    Ok(())
}
