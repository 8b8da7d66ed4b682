//! `latido train`: makes a model file from labelled texts.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::warn;
use crate::score::data::{self, DataError, DataSet};
use crate::score::half::Half;
use crate::score::recipe::Recipe;
use crate::score::soft::SoftLabels;
use crate::score::taught::Taught;
use crate::score::train::{TrainError, TrainInput, train};
use crate::score::{EmbeddedModel, ModelError};

const EXAMPLES: &str = "\
Examples:
  latido train --data messages.jsonl --out ours.latido
  latido train --data calls.es.train.tsv.gz mails.en.train.tsv.gz \\
      --recipe recipe.toml --out ours.latido
  latido train --base builtin --data messages.jsonl --out ours.latido
  latido eval --model ours.latido --data calls.es.val.tsv.gz

Data files (plain, .gz or .zst), told apart by their names and first lines:
  TSV        a header with `text` and `label` (or `sentiment`, `frustrated`,
             `language`); a label is negative, neutral, positive, or emotions
             joined by commas
  .jsonl     {\"text\", \"sentiment\"?, \"frustrated\"?, \"language\"?} a line;
             frustrated is true, false, 0 or 1
  word list  `word<TAB>valence` a line, without a header
A set is named by its file: <set>.<language>.<split>.tsv.gz. The same data,
recipe and seed give the same file.";

/// Train the embedded scorer on labelled texts.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TrainArgs {
    /// Labelled texts; may be given more than once, or with several files.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// Where the model goes. An existing file is replaced once the new one is complete.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Model file to start from and stay near to, or `builtin`: learns from --data without forgetting what it knows. Its table
    /// and hidden units go before the recipe's.
    #[arg(long, value_name = "FILE")]
    pub base: Option<PathBuf>,
    /// Only rows of this split, where a row names its own (a key or column `split`).
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// Labelled texts to fit the calibration on by language: the half of their rows whose text has an even hash (`latido eval
    /// --half other` measures on the rest), and of rows that name a split only those of `dev`. Rows whose text --data has too
    /// are left out. Without it, the share of the rows of --data that the recipe keeps aside; the tables of window shares are
    /// fitted on both.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub calibrate: Vec<PathBuf>,
    /// TOML file with the numbers of the training and the weights of the sets.
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// What a larger model says of each text, made by models/encoder/make/soft_labels.py.
    #[arg(long, value_name = "FILE")]
    pub soft: Option<PathBuf>,
    /// Seed of the order of rows; goes before the recipe's.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Passes over the data; goes before the recipe's.
    #[arg(long)]
    pub epochs: Option<u32>,
}

/// Runs `latido train`.
///
/// # Errors
/// If a file cannot be read or holds a malformed row, a class has no row, or the model cannot be written.
pub fn run(args: TrainArgs) -> anyhow::Result<()> {
    let recipe = recipe(&args)?;
    check_out(&args)?;
    let sets = taught_sets(&args, &recipe)?;
    let base = args.base.as_deref().map(open_model).transpose()?;
    let soft = args.soft.as_deref().map_or_else(|| Ok(SoftLabels::default()), SoftLabels::load)?;
    let calibrate = calibration_sets(&args.calibrate, &recipe, &sets)?;
    let input = TrainInput { sets: &sets, calibrate: &calibrate, soft: &soft, base: base.as_deref(), recipe: &recipe };
    let model = train_with_a_bar(input).map_err(|error| with_its_source(error, &args))?;
    let bytes = model.to_bytes().context("cannot pack the model")?;
    // Some recipes fit no data and some data no recipe: better told now than by who loads the file.
    EmbeddedModel::from_bytes(&bytes, &args.out.display().to_string()).context(
        "the recipe and these rows make no usable model; nothing is written: lower `min_texts`, or give more rows",
    )?;
    write_whole(&args.out, &bytes).with_context(|| format!("cannot write {}", args.out.display()))?;
    let rows: usize = sets.iter().map(|set| set.rows.len()).sum();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}: {} bytes from {rows} rows of {} sets", args.out.display(), bytes.len(), sets.len())?;
    Ok(())
}

/// The sets of --data, of which at least one row teaches.
fn taught_sets(args: &TrainArgs, recipe: &Recipe) -> anyhow::Result<Vec<DataSet>> {
    let split = args.split.as_deref();
    let sets: Vec<DataSet> =
        args.data.iter().map(|path| data::read(path, recipe, split)).collect::<Result<_, DataError>>()?;
    check_names(recipe, &sets);
    let teaches = |set: &DataSet| !set.rows.is_empty() || (args.soft.is_some() && !set.unlabelled.is_empty());
    ensure!(sets.iter().any(teaches), "no row of --data has a label{}; nothing would be learned", of_split(split));
    Ok(sets)
}

fn train_with_a_bar(input: TrainInput<'_>) -> Result<EmbeddedModel, TrainError> {
    let bar = progress_bar();
    let model = train(input, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    model
}

/// A number that makes no sense, with where it was given.
fn with_its_source(error: TrainError, args: &TrainArgs) -> anyhow::Error {
    let TrainError::Recipe { field, .. } = &error else { return error.into() };
    let given = match (&args.recipe, args.epochs) {
        (_, Some(_)) if field == "epochs" => "--epochs".to_owned(),
        (Some(path), _) => path.display().to_string(),
        (None, _) => return error.into(),
    };
    anyhow::Error::new(error).context(format!("{given} cannot be used"))
}

fn calibration_sets(paths: &[PathBuf], recipe: &Recipe, data: &[DataSet]) -> anyhow::Result<Vec<DataSet>> {
    let taught = Taught::of(data);
    paths.iter().map(|path| calibration_set(path, recipe, &taught)).collect()
}

/// The half of the rows that may fit, without taught ones; rows that name a split, only those of `dev`.
fn calibration_set(path: &Path, recipe: &Recipe, taught: &Taught) -> anyhow::Result<DataSet> {
    let mut set = data::read(path, recipe, Some("dev"))?;
    Half::Fitted.keep(&mut set);
    let shown = path.display();
    ensure!(!set.rows.is_empty(), "{shown} holds no row to calibrate with; leave it out of --calibrate");
    let left_out = taught.leave_out_of(&mut set);
    let Some(first) = left_out.first() else { return Ok(set) };
    let row = format!("{shown}:{first}: --data holds this text too");
    ensure!(!set.rows.is_empty(), "{row}, and all others to calibrate with; give --calibrate a file with other texts");
    warn(&format!("{row}; rows left out of --calibrate for this: {}", left_out.len()));
    Ok(set)
}

/// The built-in model's name on the command line.
pub(super) const BUILTIN: &str = "builtin";

/// A model file, or the built-in model by its name.
pub(super) fn open_model(path: &Path) -> Result<Arc<EmbeddedModel>, ModelError> {
    if path == Path::new(BUILTIN) { EmbeddedModel::builtin() } else { EmbeddedModel::load(path) }
}

fn recipe(args: &TrainArgs) -> anyhow::Result<Recipe> {
    let mut recipe = args.recipe.as_deref().map_or_else(|| Ok(Recipe::default()), Recipe::load)?;
    recipe.seed = args.seed.unwrap_or(recipe.seed);
    recipe.epochs = args.epochs.unwrap_or(recipe.epochs);
    Ok(recipe)
}

/// The model must have a place, and not be written over what it is made of. Told before the training, which takes long.
fn check_out(args: &TrainArgs) -> anyhow::Result<()> {
    check_place(&args.out)?;
    let is_read = |path: &Path| {
        let mut inputs = args.data.iter().chain(&args.calibrate).chain(&args.recipe).chain(&args.soft);
        path.canonicalize().is_ok_and(|path| inputs.any(|input| input.canonicalize().is_ok_and(|input| input == path)))
    };
    let part = beside(&args.out);
    ensure!(!is_read(&part), "{} is read too, and is where --out is written first; name another file", part.display());
    ensure!(!args.out.is_dir(), "--out {} is a directory; name a file", args.out.display());
    ensure!(!is_read(&args.out), "--out {} is read too and would be lost; name another file", args.out.display());
    Ok(())
}

/// Whether a file can be made there.
fn check_place(out: &Path) -> anyhow::Result<()> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    ensure!(folder.is_dir(), "--out {}: there is no directory {}; make it first", out.display(), folder.display());
    // A name of its own: nobody's file is touched.
    let probe = folder.join(format!(".latido-{}", std::process::id()));
    let made = std::fs::File::create_new(&probe).and_then(|_| std::fs::remove_file(&probe));
    made.with_context(|| {
        format!("--out {}: no file can be made there; name a directory that may be written", out.display())
    })
}

/// What an error says of the split that was asked for.
pub(super) fn of_split(split: Option<&str>) -> String {
    split.map_or_else(String::new, |split| format!(" in the split `{split}`"))
}

/// A recipe that names a set which is not there is more likely a typing error than meant.
fn check_names(recipe: &Recipe, sets: &[DataSet]) {
    let is_there = |name: &str| sets.iter().any(|set| set.name == name || set.full_name() == name);
    let missing: Vec<&str> = recipe.sets.keys().map(String::as_str).filter(|name| !is_there(name)).collect();
    if !missing.is_empty() {
        warn(&format!("the recipe names sets that no file of --data holds: {}", missing.join(", ")));
    }
}

/// On standard error; nothing where that is no terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} rows, {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// Writes beside the file and renames, so that a reader never sees half of it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = beside(path);
    let written = write_synced(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() && beside.is_file() {
        // The error that matters is the first one.
        let left = |error| warn(&format!("cannot remove {}: {error}", beside.display()));
        std::fs::remove_file(&beside).unwrap_or_else(left);
    }
    written
}

/// Where a file is written before it has its name.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    PathBuf::from(beside)
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
