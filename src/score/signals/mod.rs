//! Signals: named reasons found in a text by phrases.
//!
//! - [`Rules`] are read from files (`docs/signals.md` says how these are written) and compiled once.
//! - Each token of a text is looked up in a table of words for its [`Sense`], which may be remembered. Once the text's language is known,
//!   a [`Matcher`] takes the senses through an automaton that follows all phrases of that language's rules together. Time is linear in
//!   the text, and memory bounded.
//! - What words cannot tell a learned head may: [`join`] puts both together.

mod compile;
mod file;
mod graph;
mod matcher;
mod phrase;
mod pile;
mod rules;
mod sense;
mod sentences;
mod walk;
mod words;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use file::RulesError;
pub use matcher::Matcher;
pub use rules::Rules;
pub use sense::Sense;
pub(crate) use sense::is_emoticon;

use super::normalise::Normaliser;
use crate::message::{Language, MAX_TEXT_BYTES, SignalSet, head};

use std::sync::Arc;

/// The signals of a text: those that its phrases show and those that a learned head finds. Either alone is enough: a phrase
/// that was written down is meant, and a head sees what nobody thought of.
#[must_use]
pub fn join(from_phrases: SignalSet, learned: SignalSet) -> SignalSet {
    from_phrases.union(learned)
}

/// Finds signals alone, without the rest of a score. Keep one and reuse it.
#[derive(Debug)]
pub struct SignalFinder {
    normaliser: Normaliser,
    rules: Arc<Rules>,
    senses: Vec<Sense>,
    matcher: Matcher,
}

impl SignalFinder {
    /// A finder by those rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        let matcher = Matcher::new(Arc::clone(&rules));
        Self { normaliser: Normaliser::default(), rules, senses: Vec::with_capacity(MAX_TEXT_BYTES), matcher }
    }

    /// The signals of a text in that language, of its first [`MAX_TEXT_BYTES`]; `other` asks the rules of every language.
    pub fn find(&mut self, text: &str, language: Language) -> SignalSet {
        let Self { normaliser, rules, senses, matcher } = self;
        senses.clear();
        normaliser.tokens(head(text, MAX_TEXT_BYTES), |token| senses.push(rules.sense(&token)));
        matcher.find(senses, language)
    }
}
