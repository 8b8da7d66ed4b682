//! A file of rules, and what is wrong with it.

use std::path::Path;

use serde::Deserialize;

use super::phrase::Lists;

/// A file as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RuleFile {
    /// Language of the texts that the rules are for; without one, of all.
    pub(super) language: Option<String>,
    /// Names of rules to switch off.
    pub(super) off: Vec<String>,
    /// Words by name.
    pub(super) lists: Lists,
    /// Negation.
    pub(super) negation: Negation,
    /// Quotation and reported speech.
    pub(super) quotation: Quotation,
    /// The rules.
    pub(super) rules: Vec<RuleEntry>,
}

/// `[negation]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Negation {
    /// Words that negate what follows.
    pub(super) words: Vec<String>,
    /// Words that, right after one of those, take it back: not *only*.
    pub(super) lifted_by: Vec<String>,
    /// Words after which a negation is a condition: *if* not.
    pub(super) conditions: Vec<String>,
    /// Words that begin a clause of its own: but.
    pub(super) ended_by: Vec<String>,
    /// Signals that a negation cancels.
    pub(super) cancels: Vec<String>,
}

/// `[quotation]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Quotation {
    /// Phrases after which others speak.
    pub(super) reported: Vec<String>,
    /// Signals that are not the customer's own there and in quotes.
    pub(super) cancels: Vec<String>,
}

/// `[[rules]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    /// By which it is switched off or replaced.
    pub(super) name: String,
    /// What it finds.
    pub(super) signals: Vec<String>,
    /// Phrases; one of them must occur.
    pub(super) any: Vec<String>,
    /// Phrases of which one must occur in the same sentence.
    #[serde(default)]
    pub(super) also: Vec<String>,
    /// Phrases that cancel it, in the same sentence.
    #[serde(default)]
    pub(super) unless: Vec<String>,
    /// Phrases that cancel it, anywhere in the text.
    #[serde(default)]
    pub(super) unless_anywhere: Vec<String>,
    /// Whether negation cancels it, where its signals do not say.
    #[serde(default)]
    pub(super) negation: Option<Effect>,
    /// Whether quotation cancels it, where its signals do not say.
    #[serde(default)]
    pub(super) quotation: Option<Effect>,
}

/// What negation or quotation does to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    /// The rule does not hold there.
    Cancels,
    /// The rule holds all the same.
    Ignored,
}

/// What is wrong with a file of rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}{what}; {remedy}", shown(.key, .value))]
pub struct RulesError {
    /// The file.
    pub file: String,
    /// The key in it, such as `rules[2].any[0]`; empty where the file as a whole is meant.
    pub key: String,
    /// The value as it was written; empty where there is none.
    pub value: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl RulesError {
    /// Where it is and what is wrong there, without the remedy.
    #[must_use]
    pub fn place_and_what(&self) -> String {
        format!("{}: {}{}", self.file, shown(&self.key, &self.value), self.what)
    }
}

fn shown(key: &str, value: &str) -> String {
    match (key.is_empty(), value.is_empty()) {
        (true, _) => String::new(),
        (false, true) => format!("{key}: "),
        (false, false) => format!("{key} = {value:?}: "),
    }
}

impl RulesError {
    fn whole(file: &str, what: String, remedy: &str) -> Self {
        Self { file: file.to_owned(), key: String::new(), value: String::new(), what, remedy: remedy.to_owned() }
    }
}

/// Parses a file's text.
pub(super) fn parse(file: &str, text: &str) -> Result<RuleFile, RulesError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        RulesError::whole(&place, what, "docs/signals.md says how such a file is written")
    })
}

/// Reads and parses a file.
pub(super) fn read(path: &Path) -> Result<RuleFile, RulesError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        RulesError::whole(&file, format!("the file cannot be read ({error})"), "name a readable TOML file of rules")
    })?;
    parse(&file, &text)
}
