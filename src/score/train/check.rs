//! Numbers of a recipe that would make no model, found before the training and not after it.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::TrainError;
use crate::score::model::MAX_HIDDEN;
use crate::score::recipe::{Recipe, SetRecipe};

/// A set counts at most so many times its rows.
const MAX_WEIGHT: f32 = 1_000.0;

pub(super) fn recipe(recipe: &Recipe) -> Result<(), TrainError> {
    within("bits", recipe.bits, 10..=22)?;
    within("epochs", recipe.epochs, 1..=1_000)?;
    within("levels", recipe.levels, 1..=127)?;
    within("hidden", recipe.hidden, 0..=MAX_HIDDEN)?;
    within("learning_rate", recipe.learning_rate, 1e-6..=10.0)?;
    within("dense_rate", recipe.dense_rate, 0.0..=10.0)?;
    within("holdout", recipe.holdout, 0.0..=0.5)?;
    for (field, share) in
        [("soft", recipe.soft), ("smoothing", recipe.smoothing), ("l2", recipe.l2), ("anchor", recipe.anchor)]
    {
        within(field, share, 0.0..=1.0)?;
    }
    recipe.sets.iter().try_for_each(|(name, set)| weights(name, set))
}

fn weights(name: &str, set: &SetRecipe) -> Result<(), TrainError> {
    let SetRecipe { sentiment, frustration, signals, soft, language, sentiment_calibration, .. } = *set;
    let weights = [
        ("sentiment", sentiment),
        ("frustration", frustration),
        ("signals", signals),
        ("soft", soft),
        ("language", language),
        ("sentiment_calibration", sentiment_calibration),
    ];
    weights
        .into_iter()
        .try_for_each(|(field, weight)| within(&format!("sets.{name}.{field}"), weight, 0.0..=MAX_WEIGHT))
}

/// Not-a-number is within no range.
fn within<N: Display + PartialOrd>(field: &str, value: N, range: RangeInclusive<N>) -> Result<(), TrainError> {
    if range.contains(&value) {
        return Ok(());
    }
    let expected = format!("{} to {}", range.start(), range.end());
    Err(TrainError::Recipe { field: field.to_owned(), value: value.to_string(), expected })
}
