//! Small corpora for the tests.

use std::path::Path;
use std::rc::Rc;

use super::problem::Place;
use super::row::{Placed, Row};
use super::sets::{Author, Channel, Language, Region, Sector, Sentiment, Split};

/// A customer's neutral tweet to a Mexican bank.
pub(crate) fn row(text: &str) -> Row {
    Row {
        text: text.to_owned(),
        language: Language::Es,
        author: Author::Customer,
        sentiment: Some(Sentiment::Neutral),
        frustrated: Some(false),
        signals: Some(Vec::new()),
        channel: Channel::Tweet,
        sector: Sector::Bank,
        region: Region::Mx,
        split: Split::Train,
    }
}

/// Rows as read from one file.
pub(crate) fn placed(rows: impl IntoIterator<Item = Row>) -> Vec<Placed<Row>> {
    let file = Rc::from(Path::new("corpus.jsonl"));
    rows.into_iter().enumerate().map(|(at, row)| Placed { place: Place::new(&file, at + 1), row }).collect()
}

/// Such rows with these texts.
pub(crate) fn rows(texts: &[&str]) -> Vec<Placed<Row>> {
    placed(texts.iter().map(|text| row(text)))
}
