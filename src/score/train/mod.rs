//! Training: hashed features, a small feed-forward part, AdaGrad, calibration, 8 bits. The same seed gives the same bytes.

mod calibrate;
mod check;
mod corpus;
mod errors;
mod fit;
mod pack;
mod shares;
mod warm;

use std::collections::BTreeMap;

use super::data::DataSet;
use super::model::{EmbeddedModel, Provenance, Training};
use super::recipe::Recipe;
use super::soft::SoftLabels;

use calibrate::Aside;
use corpus::Corpus;
use fit::Fit;

/// Why no model can be trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A class has no row.
    #[error("no training row is labelled {missing}; add data that holds such rows, or start from a model with --base")]
    MissingClass {
        /// Which class.
        missing: &'static str,
    },
    /// A number of the recipe makes no sense.
    #[error("recipe: {field} is {value}, expected {expected}")]
    Recipe {
        /// Which field.
        field: String,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: String,
    },
}

/// What a model is made of.
#[derive(Clone, Copy, Debug)]
pub struct TrainInput<'a> {
    /// Texts to learn from, labelled or with soft labels.
    pub sets: &'a [DataSet],
    /// Labelled texts to fit the calibration on; without any, the share of the rows of `sets` that the recipe keeps aside.
    /// The tables of window shares are fitted on both.
    pub calibrate: &'a [DataSet],
    /// What a larger model says of texts of `sets`.
    pub soft: &'a SoftLabels,
    /// A model to start from and to stay near to; its table and hidden units go before the recipe's.
    pub base: Option<&'a EmbeddedModel>,
    /// The numbers of the training.
    pub recipe: &'a Recipe,
}

/// Trains a model. `progress` is told the rows done and the rows to do in all.
///
/// # Errors
/// If, without a base, a sentiment or either side of frustration has no row, or the recipe makes no sense.
pub fn train(input: TrainInput<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<EmbeddedModel, TrainError> {
    let TrainInput { sets, soft, base, .. } = input;
    check::recipe(input.recipe)?;
    let recipe = &Recipe { bits: base.map_or(input.recipe.bits, |base| base.header.bits), ..input.recipe.clone() };
    let (corpus, mut fit);
    if let Some(base) = base {
        corpus = Corpus::for_base(sets, soft, recipe, recipe.holdout);
        fit = Fit::from_base(base, &corpus, recipe);
    } else {
        corpus = Corpus::of(sets, soft, recipe, recipe.holdout);
        corpus.check_classes()?;
        fit = Fit::new(&corpus, recipe);
    }
    fit.run(&corpus, recipe, progress);
    let mut model = pack::pack(&fit, provenance(input), recipe);
    let kept = Aside { corpus: &corpus, examples: &corpus.held_out };
    calibrate_on(&mut model, kept, TrainInput { recipe, ..input });
    Ok(model)
}

/// Fits the calibration and the tables of window shares on rows that taught nothing: those that were given for it, or else those `kept`.
fn calibrate_on(model: &mut EmbeddedModel, kept: Aside<'_>, input: TrainInput<'_>) {
    let TrainInput { calibrate: sets, base, recipe, .. } = input;
    let calibration = base.map(|base| &base.header.calibration);
    if !sets.is_empty() {
        let corpus = Corpus::of(sets, &SoftLabels::default(), recipe, 0.0);
        let given = Aside { corpus: &corpus, examples: &corpus.examples };
        calibrate::calibrate(model, given, calibration);
        calibrate::shares(model, &[given, kept]);
        return;
    }
    calibrate::calibrate(model, kept, calibration);
    // Beside a base, the rows kept are few and of one kind, and it may know them: no ground to judge all windows by.
    if base.is_none() {
        calibrate::shares(model, &[kept]);
    }
}

/// The base's, where there is one, and this training.
fn provenance(input: TrainInput<'_>) -> Provenance {
    let TrainInput { sets, calibrate, base, recipe, .. } = input;
    let training = Training {
        seed: recipe.seed,
        epochs: recipe.epochs,
        sets: count_rows(sets),
        calibrated_on: count_rows(calibrate),
    };
    let Some(base) = base else { return Provenance { first: training, adapted: Vec::new() } };
    let mut provenance = base.header.provenance.clone();
    provenance.adapted.push(training);
    provenance
}

/// Rows of each set, by `name.language`.
fn count_rows(sets: &[DataSet]) -> BTreeMap<String, usize> {
    let mut rows = BTreeMap::new();
    for set in sets {
        *rows.entry(set.full_name()).or_default() += set.rows.len() + set.unlabelled.len();
    }
    rows
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
