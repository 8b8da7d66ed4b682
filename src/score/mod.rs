//! Text in, [`Score`] out.

pub mod cascade;
pub mod data;
pub mod embedded;
pub mod eval;
pub mod features;
pub mod half;
mod hash;
pub mod labels;
pub mod lane;
mod maths;
pub mod model;
pub mod normalise;
pub mod recipe;
pub mod second;
pub mod shares;
pub mod signals;
pub mod soft;
pub mod taught;
pub mod train;
#[cfg(feature = "transformer")]
pub mod transformer;

use std::sync::Arc;

use crate::config::{ScorerConfig, SignalsConfig};
use crate::message::{Language, Score};

pub use embedded::EmbeddedScorer;
pub use model::{EmbeddedModel, ModelError};
pub use signals::{Rules, RulesError};

/// The version of all that makes scores of a text and a model: normalisation, features, the language guess, calibration, cells. It is
/// part of [`ModelId`](crate::message::ModelId), so that a release which scores otherwise with the same file is as another model.
/// `tests/scoring_version.rs` says when it is to be raised.
pub const SCORING_VERSION: u32 = 1;

/// The embedded model that a config asks for: the named file, else the built-in one.
///
/// # Errors
/// If the file cannot be read, is none of ours, of another version, cut off, or damaged.
pub fn open(config: &ScorerConfig) -> Result<Arc<EmbeddedModel>, ModelError> {
    match &config.model {
        Some(path) => EmbeddedModel::load(path),
        None => EmbeddedModel::builtin(),
    }
}

/// The rules that a config asks for: the built-in ones and those of its files.
///
/// # Errors
/// If a file cannot be read, or something in it cannot be used.
pub fn open_rules(config: &SignalsConfig) -> Result<Arc<Rules>, RulesError> {
    Rules::with_files(&config.files)
}

/// A text to score and what is already known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// What was written.
    pub text: &'a str,
    /// The language, where the record names it; else the scorer detects it.
    pub language: Option<Language>,
}

/// Scores texts: one batch in, one batch out, in the same order.
///
/// `&mut self` and no lock: each worker owns a scorer with scratch space of its own.
pub trait Scorer: Send {
    /// Appends one score for each text to `scores`, in order.
    fn score(&mut self, texts: &[Text<'_>], scores: &mut Vec<Score>);
}
