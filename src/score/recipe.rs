//! How a model is trained: the numbers, and what each set is worth.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::labels::Target;

/// A training recipe; every field has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Seed of the order of rows.
    pub seed: u64,
    /// Passes over the data.
    pub epochs: u32,
    /// Step of AdaGrad at the start; it falls to a tenth by the end.
    pub learning_rate: f32,
    /// Pull of the weights towards 0.
    pub l2: f32,
    /// Pull of the weights towards those of a base, in place of `l2`.
    pub anchor: f32,
    /// The table has 2 to this power rows.
    pub bits: u32,
    /// A feature found in fewer texts is left out.
    pub min_texts: u32,
    /// Share of the rows kept aside to calibrate with.
    pub holdout: f32,
    /// Hidden units of the feed-forward part.
    pub hidden: usize,
    /// Step of the hidden units against that of the features.
    pub dense_rate: f32,
    /// Share of the soft labels in a text's teaching, where it has them; the gold ones keep the rest.
    pub soft: f32,
    /// Share of a sentiment label that is spread evenly over the classes.
    pub smoothing: f32,
    /// Weights are rounded to this many steps on either side of 0.
    pub levels: u8,
    /// What each set is worth, by `name.language` or `name`.
    pub sets: BTreeMap<String, SetRecipe>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 7,
            epochs: 5,
            learning_rate: 0.09,
            l2: 2e-4,
            anchor: 1e-3,
            bits: 18,
            min_texts: 2,
            holdout: 0.05,
            hidden: 64,
            dense_rate: 0.3,
            soft: 0.7,
            smoothing: 0.05,
            levels: 63,
            sets: BTreeMap::new(),
        }
    }
}

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("cannot read recipe {path}: {source}; check that it exists and may be read")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no recipe.
    #[error("recipe {path} cannot be used: {source}")]
    Content {
        /// Which file.
        path: String,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
}

impl Recipe {
    /// The recipe in a TOML file; what it leaves out has its default.
    ///
    /// # Errors
    /// If the file cannot be read, or it holds an unknown key or a value of another type.
    pub fn load(path: &Path) -> Result<Self, RecipeError> {
        let shown = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(source) => return Err(RecipeError::Unreadable { path: shown, source }),
        };
        toml::from_str(&text).map_err(|source| RecipeError::Content { path: shown, source: Box::new(source) })
    }

    /// What a set is worth: by `name.language`, else by `name`, else the default.
    #[must_use]
    pub fn set(&self, name: &str, language: &str) -> SetRecipe {
        let precise = format!("{name}.{language}");
        self.sets.get(&precise).or_else(|| self.sets.get(name)).cloned().unwrap_or_default()
    }
}

/// What one set is worth to each head, and what its labels mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SetRecipe {
    /// Weight of a row for the sentiment head.
    pub sentiment: f32,
    /// Weight of a row for the frustration head.
    pub frustration: f32,
    /// What "frustrated" means in the set.
    pub frustration_head: FrustrationHead,
    /// Weight of a row for the signals.
    pub signals: f32,
    /// Weight of a row's soft labels.
    pub soft: f32,
    /// Weight of a row for the language head.
    pub language: f32,
    /// Weight of a row where the probabilities of the sentiments are calibrated. Less than 1 fits texts that a model is right on
    /// more often than on what it will meet: those of the writer that taught it, say.
    pub sentiment_calibration: f32,
    /// The set's mix of labels is the model's own: it gets no leaning of its own to unlearn.
    pub reference: bool,
    /// Meaning of labels that are neither sentiments nor emotions; it goes before the built-in one.
    pub labels: BTreeMap<String, Target>,
}

impl Default for SetRecipe {
    fn default() -> Self {
        Self {
            sentiment: 1.0,
            frustration: 1.0,
            frustration_head: FrustrationHead::Obstacle,
            signals: 1.0,
            soft: 1.0,
            language: 0.3,
            sentiment_calibration: 1.0,
            reference: false,
            labels: BTreeMap::new(),
        }
    }
}

/// What it means that a text is frustrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrustrationHead {
    /// An obstacle stands between a customer and what they need.
    Obstacle,
    /// Somebody is angry, annoyed, disappointed or disgusted, about whatever.
    Anger,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn loaded(toml: &str) -> Result<Recipe, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("recipe.toml");
        std::fs::write(&path, toml).unwrap();
        Recipe::load(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_set_is_found_by_its_language_first() {
        let recipe = loaded("[sets.xed]\nsentiment = 0.5\n[sets.\"xed.es\"]\nsentiment = 2.0\n").unwrap();
        let weights = ["es", "it"].map(|language| recipe.set("xed", language).sentiment);
        assert_eq!(weights, [2.0, 0.5]);
        assert_eq!(recipe.set("other", "es"), SetRecipe::default());
    }

    #[test]
    fn the_shipped_recipe_is_accepted() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/recipe.toml");
        assert!(Recipe::load(&path).unwrap().sets.contains_key("customer-messages"));
    }

    #[test]
    fn unknown_keys_and_unreadable_files_are_named_with_the_cause() {
        assert!(loaded("epoch = 3\n").unwrap_err().contains("epoch"));
        let told = |path: &Path| Recipe::load(path).unwrap_err().to_string();
        let missing = told(Path::new("/nowhere/recipe.toml"));
        assert!(missing.contains("/nowhere/recipe.toml: No such file"), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        assert!(told(folder.path()).contains("directory"), "{}", told(folder.path()));
    }
}
