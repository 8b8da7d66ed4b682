//! How a model is trained: the numbers, and what each set is worth.

use std::collections::BTreeMap;

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
    /// The table has 2 to this power rows.
    pub bits: u32,
    /// A feature found in fewer texts is left out.
    pub min_texts: u32,
    /// Share of the rows kept aside to calibrate with.
    pub holdout: f32,
    /// Factor of the log odds of negative in the frustration logit.
    pub negative_in_frustration: f32,
    /// What each set is worth, by `name.language` or `name`.
    pub sets: BTreeMap<String, SetRecipe>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 7,
            epochs: 6,
            learning_rate: 0.25,
            l2: 1e-5,
            bits: 19,
            min_texts: 2,
            holdout: 0.05,
            negative_in_frustration: 0.3,
            sets: BTreeMap::new(),
        }
    }
}

impl Recipe {
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
    /// Weight of a row for the language head.
    pub language: f32,
    /// Meaning of labels that are neither sentiments nor emotions; it goes before the built-in one.
    pub labels: BTreeMap<String, Target>,
}

impl Default for SetRecipe {
    fn default() -> Self {
        Self { sentiment: 1.0, frustration: 1.0, language: 1.0, labels: BTreeMap::new() }
    }
}
