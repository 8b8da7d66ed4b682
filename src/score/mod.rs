//! Text in, [`Score`] out.

use crate::message::{Language, Score};

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
