//! What a row says, in whichever form it is written, and what that means.

use std::borrow::Cow;

use super::{Origin, Row, language_of};
use crate::message::{Author, Language, Signal, SignalSet};
use crate::score::labels::{self, Target, Targets};
use crate::score::recipe::SetRecipe;

/// What is known of all rows of a file, and which of them are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) recipe: &'a SetRecipe,
    /// The language of rows that name none.
    pub(super) language: Option<Language>,
    pub(super) wanted: Wanted<'a>,
}

/// What is wanted of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Rows that name another split are left out.
    pub(super) split: Option<&'a str>,
    /// Whether labels are looked at.
    pub(super) labels: bool,
}

/// The fields of a row as they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) text: &'a str,
    pub(super) label: Option<&'a str>,
    pub(super) frustrated: Option<Cow<'a, str>>,
    pub(super) signals: Option<Vec<&'a str>>,
    pub(super) language: Option<&'a str>,
    pub(super) author: Option<&'a str>,
    pub(super) split: Option<&'a str>,
    pub(super) channel: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) sector: Option<&'a str>,
}

/// A field without the spaces around it; an empty one says nothing.
pub(super) fn filled(field: &str) -> Option<&str> {
    Some(field.trim()).filter(|field| !field.is_empty())
}

impl Fields<'_> {
    /// The row; none where it is of another split than the one asked for.
    pub(super) fn row(self, asked: &Asked<'_>) -> Result<Option<Row>, String> {
        if self.split.and_then(filled).zip(asked.wanted.split).is_some_and(|(of, wanted)| of != wanted) {
            return Ok(None);
        }
        let own = self.language.and_then(filled).filter(|_| asked.wanted.labels).map(language_of).transpose()?;
        let mut row = Row::of(self.text, own.flatten().or(asked.language))?;
        row.origin = self.origin();
        if asked.wanted.labels && self.is_by_customer() {
            row.targets = self.targets(asked.recipe)?;
            row.signals = self.signals.map(|names| signals(&names)).transpose()?;
        }
        Ok(Some(row))
    }

    fn origin(&self) -> Origin {
        let [channel, region, sector] =
            [self.channel, self.region, self.sector].map(|field| field.and_then(filled).map(Box::from));
        Origin { channel, region, sector }
    }

    /// Only customers' labels count: what an agent or a bot writes says nothing of a customer.
    fn is_by_customer(&self) -> bool {
        let is = |author: Author| {
            self.author.and_then(filled).is_some_and(|name| name.eq_ignore_ascii_case(author.as_str()))
        };
        !is(Author::Agent) && !is(Author::Bot)
    }

    fn targets(&self, recipe: &SetRecipe) -> Result<Targets, String> {
        let mut targets =
            self.label.and_then(filled).map(|names| named(names, recipe)).transpose()?.unwrap_or_default();
        if let Some(frustrated) = self.frustrated.as_deref().and_then(filled) {
            targets.frustrated = Some(truth(frustrated)?);
        }
        Ok(targets)
    }
}

/// Labels joined by commas.
fn named(names: &str, recipe: &SetRecipe) -> Result<Targets, String> {
    let meaning = |name: &str| {
        recipe.labels.get(name).copied().or_else(|| labels::meaning(name)).ok_or_else(|| {
            format!("label `{name}` is neither a sentiment nor an emotion; say what it means in the recipe's `sets.<set>.labels`")
        })
    };
    let meanings: Vec<Target> = names.split(',').map(str::trim).map(meaning).collect::<Result<_, String>>()?;
    Ok(labels::join(&meanings))
}

fn truth(written: &str) -> Result<bool, String> {
    match written {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        other => Err(format!("frustrated is `{other}`, expected 0, 1, true or false")),
    }
}

/// Signals by name; `-` is none.
fn signals(names: &[&str]) -> Result<SignalSet, String> {
    let signal = |name: &str| {
        let all = || Signal::ALL.iter().map(|signal| signal.as_str()).collect::<Vec<_>>().join(", ");
        Signal::from_name(name).ok_or_else(|| format!("signal `{name}` is none of {}, or - for none", all()))
    };
    names.iter().filter_map(|name| filled(name)).filter(|name| *name != "-").map(signal).collect()
}
