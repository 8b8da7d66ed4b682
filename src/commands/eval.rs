//! `latido eval`: a model's figures on labelled texts, or two models' side by side.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::score::{Which, open_transformer};
use super::train::{BUILTIN, of_split, open_model};
use crate::score::data::{self, DataSet};
use crate::score::eval::{
    BootstrapPlan, By, Comparison, Part, Seen, SetReport, compare, comparison_table, evaluate, groups, mean_of, table,
};
use crate::score::half::Half;
use crate::score::recipe::Recipe;
use crate::score::second::SecondScorer;
use crate::score::signals::Rules;
use crate::score::{EmbeddedModel, EmbeddedScorer, Scorer};

const EXAMPLES: &str = "\
Examples:
  latido eval --data calls.es.val.tsv.gz
  latido eval --model ours.latido --json --data calls.es.val.tsv.gz mails.tsv
  latido eval --by region --by channel --data messages.jsonl
  latido eval --scorer cascade --share 0.15 --data messages.jsonl
  latido eval --compare ours.latido --data calls.es.val.tsv.gz
  latido eval --compare last-week.latido ours.latido --data messages.jsonl

Figures are percentages in the table and 0 to 1 with --json; in brackets, 95 %
bootstrap intervals. Data files are as for `latido train`; rows without a label
are left out and counted, and so are rows whose `author` is agent or bot.
Signals are measured where a TSV has a column `signals` (names joined by
commas, `-` for none) or a JSON line an array of it.

--by gives figures for groups of the rows of all files: by their language, or
by `channel`, `region` or `sector`, columns of a TSV or keys of a JSON line. A
row where it is empty says none. The same one asked for twice is told once.

--except leaves rows out that the model has seen: case, accents, punctuation,
names and links do not count, and texts below five words are kept.

--compare redraws the rows for both models alike (a paired bootstrap) and says
in how many redraws the second, B, is ahead, and whether it is better, worse,
or cannot be told with so many rows.";

/// Measure a model on labelled texts.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct EvalArgs {
    /// Model file, or `builtin`. Default: the built-in model.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Which scorer: the embedded model, or (in a build with the feature `transformer`) a transformer for all rows or for some.
    #[arg(long, value_enum, default_value_t = Which::Embedded, conflicts_with = "compare")]
    pub scorer: Which,
    /// With `--scorer transformer` or `cascade`: the directory of its model. Default: the encoder inside the program.
    #[arg(long, value_name = "DIR")]
    pub transformer: Option<PathBuf>,
    /// With `--scorer cascade`: the part of the rows that the transformer scores again, 0 to 1; of each 256 those of most worth.
    #[arg(long, value_name = "PART", default_value_t = 0.15, value_parser = share)]
    pub share: f64,
    /// Compare two models, A and B, files or `builtin`; with one, A is the built-in model.
    #[arg(long, num_args = 1..=2, value_name = "FILE", conflicts_with = "model")]
    pub compare: Vec<PathBuf>,
    /// Labelled texts; may be given more than once, or with several files.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// Figures by language, channel, region or sector; may be given more than once.
    #[arg(long, value_name = "WHAT", value_parser = by)]
    pub by: Vec<By>,
    /// Texts that the model was trained on, in the same forms: rows with the same words are left out and counted.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub except: Vec<PathBuf>,
    /// Rules of your own for signals, beyond the built-in ones; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub signals: Vec<PathBuf>,
    /// Only rows of this split, where a row names its own (a key or column `split`).
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
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = samples, allow_negative_numbers = true)]
    pub samples: usize,
    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
}

/// Each sample keeps its figures until the end.
const MOST_SAMPLES: usize = 100_000;

fn samples(text: &str) -> Result<usize, String> {
    let fits = text.parse().ok().filter(|samples| *samples <= MOST_SAMPLES);
    fits.ok_or_else(|| format!("expected a whole number from 0 to {MOST_SAMPLES}"))
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// A half of the labelled rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HalfChoice {
    /// Rows that `latido train --calibrate` fits on.
    Fitted,
    /// Rows that it leaves alone.
    Other,
}

fn by(name: &str) -> Result<By, String> {
    By::from_name(name).ok_or_else(|| "expected language, channel, region or sector".to_owned())
}

/// Runs `latido eval`.
///
/// # Errors
/// If a model or a data file cannot be used, a data file holds no row, no row says its group, or the models to compare are the same.
pub fn run(args: EvalArgs) -> anyhow::Result<()> {
    let comparing = Comparing::of(&args)?;
    let sets = read(&args)?;
    let mut parts = parts(&sets, &args.by)?;
    leave_out_seen(&mut parts, &args)?;
    let plan = BootstrapPlan { samples: args.samples, seed: args.seed };
    match comparing {
        Some(comparing) => comparing.tell(&parts, plan, &args),
        None => measure(&parts, plan, &args),
    }
}

fn recipe(args: &EvalArgs) -> anyhow::Result<Recipe> {
    Ok(args.recipe.as_deref().map_or_else(|| Ok(Recipe::default()), Recipe::load)?)
}

fn read(args: &EvalArgs) -> anyhow::Result<Vec<DataSet>> {
    let recipe = recipe(args)?;
    let mut sets = Vec::with_capacity(args.data.len());
    for path in &args.data {
        let mut set = data::read(path, &recipe, args.split.as_deref())?;
        match args.half {
            Some(HalfChoice::Fitted) => Half::Fitted.keep(&mut set),
            Some(HalfChoice::Other) => Half::Other.keep(&mut set),
            None => {}
        }
        // Groups are made of the rows of all files: one of them may have none of the split or half.
        let usable = !set.rows.is_empty() || !args.by.is_empty();
        ensure!(
            usable,
            "{} holds no row to measure on{}; name a file with labelled texts",
            path.display(),
            asked(args)
        );
        sets.push(set);
    }
    Ok(sets)
}

/// What rows were asked for, where not all were.
fn asked(args: &EvalArgs) -> String {
    let half = match args.half {
        Some(HalfChoice::Fitted) => " of the half `fitted`",
        Some(HalfChoice::Other) => " of the half `other`",
        None => "",
    };
    format!("{half}{}", of_split(args.split.as_deref()))
}

/// Leaves out what the files of `--except` have too, and whole parts of which nothing is left.
fn leave_out_seen(parts: &mut Vec<Part<'_>>, args: &EvalArgs) -> anyhow::Result<()> {
    if args.except.is_empty() {
        return Ok(());
    }
    let mut seen = Seen::default();
    for path in &args.except {
        seen.add(&data::read_texts(path)?);
    }
    for part in parts.iter_mut() {
        part.leave_out(&mut seen);
        let left = args.by.len() + part.rows.len();
        ensure!(left > 0, "all rows of {} are in the files of --except; name a file with other texts", part.name);
    }
    parts.retain(|part| !part.rows.is_empty());
    ensure!(!parts.is_empty(), "all rows are in the files of --except; name files with other texts");
    Ok(())
}

/// The sets, or the groups that were asked for and then all rows.
fn parts<'a>(sets: &'a [DataSet], asked: &[By]) -> anyhow::Result<Vec<Part<'a>>> {
    if asked.is_empty() {
        return Ok(sets.iter().map(Part::set).collect());
    }
    let mut parts = Vec::new();
    let is_first = |(at, by): &(usize, &By)| !asked[..*at].contains(by);
    for (_, &by) in asked.iter().enumerate().filter(is_first) {
        let what = by.as_str();
        parts.extend(groups(sets, by).with_context(|| {
            format!(
                "--by {what}: no row says its {what}; give a TSV with a column `{what}`, or JSON lines with that key"
            )
        })?);
    }
    parts.push(Part::all(sets));
    Ok(parts)
}

fn open(path: Option<&Path>) -> anyhow::Result<Arc<EmbeddedModel>> {
    Ok(path.map_or_else(EmbeddedModel::builtin, open_model)?)
}

fn named(path: Option<&Path>) -> String {
    let file = path.filter(|path| *path != Path::new(BUILTIN));
    file.map_or_else(|| "the built-in model".to_owned(), |path| path.display().to_string())
}

fn measure(parts: &[Part<'_>], plan: BootstrapPlan, args: &EvalArgs) -> anyhow::Result<()> {
    let model = open(args.model.as_deref())?;
    let provenance = model.provenance().clone();
    let embedded = EmbeddedScorer::new(Arc::clone(&model), Rules::with_files(&args.signals)?);
    let mut scorer = Measured::of(embedded, args)?;
    let reports: Vec<SetReport> =
        parts.iter().map(|part| evaluate(part, scorer.scorer(), model.shares(), plan)).collect();
    scorer.check()?;
    if args.json {
        let model = json!({ "name": named(args.model.as_deref()), "provenance": provenance });
        return tell_json(&json!({ "model": model, "sets": reports }));
    }
    tell(&table(&reports))
}

/// What is measured.
enum Measured {
    Embedded(EmbeddedScorer),
    Second(SecondScorer),
}

impl Measured {
    fn of(embedded: EmbeddedScorer, args: &EvalArgs) -> anyhow::Result<Self> {
        let share = match args.scorer {
            Which::Embedded => return Ok(Self::Embedded(embedded)),
            Which::Transformer => 1.0,
            Which::Cascade => args.share,
        };
        let model = open_transformer(args.transformer.as_deref())?;
        Ok(Self::Second(SecondScorer::new(embedded, model, share)?))
    }

    fn scorer(&mut self) -> &mut dyn Scorer {
        match self {
            Self::Embedded(scorer) => scorer,
            Self::Second(scorer) => scorer,
        }
    }

    /// Figures of which a part is another scorer's are none.
    fn check(&self) -> anyhow::Result<()> {
        let Self::Second(scorer) = self else { return Ok(()) };
        scorer.failed().map_or(Ok(()), |error| bail!("the transformer failed over some rows: {error}"))
    }
}

/// Two models to compare.
struct Comparing {
    names: [String; 2],
    models: [Arc<EmbeddedModel>; 2],
}

impl Comparing {
    /// The models that `--compare` names; nothing without it.
    fn of(args: &EvalArgs) -> anyhow::Result<Option<Self>> {
        let paths = match args.compare.as_slice() {
            [] => return Ok(None),
            [b] => [None, Some(b.as_path())],
            [a, b] => [Some(a.as_path()), Some(b.as_path())],
            more => bail!("--compare names {} models; name one or two", more.len()),
        };
        ensure!(args.samples > 0, "--compare needs redraws to tell a difference from chance; leave --samples 0 out");
        let names = paths.map(named);
        let [a, b] = paths.map(open);
        let models = [a?, b?];
        ensure!(
            models[0] != models[1],
            "{} and {} are the same model; name another one to compare with",
            names[0],
            names[1]
        );
        Ok(Some(Self { names, models }))
    }

    fn tell(self, parts: &[Part<'_>], plan: BootstrapPlan, args: &EvalArgs) -> anyhow::Result<()> {
        let rules = Rules::with_files(&args.signals)?;
        let [mut a, mut b] = self.models.map(|model| EmbeddedScorer::new(model, Arc::clone(&rules)));
        let compare_at = |(at, part)| compare(part, &mut a, &mut b, plan.for_set(at));
        let mut found: Vec<Comparison> = parts.iter().enumerate().map(compare_at).collect();
        // Groups end with all rows; sets do not.
        if args.by.is_empty() {
            found.extend(mean_of(&found));
        }
        let [a, b] = &self.names;
        if args.json {
            return tell_json(&json!({ "a": a, "b": b, "samples": plan.samples, "seed": plan.seed, "sets": found }));
        }
        let (samples, seed) = (plan.samples, plan.seed);
        tell(&format!(
            "A is {a}\nB is {b}\nin brackets, the middle 95 % of {samples} paired redraws, seed {seed}; in points\n\n{}",
            comparison_table(&found)
        ))
    }
}

fn tell(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

fn tell_json(value: &Value) -> anyhow::Result<()> {
    tell(&format!("{value}\n"))
}
