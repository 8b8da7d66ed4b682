//! One row: a line of JSON that keeps to the closed sets and to the rules on labels.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::{Place, Problem};
use super::sets::{Author, Channel, Language, Region, Sector, Sentiment, Signal, Split};
use crate::shell::root;

/// A line of the corpus.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) language: Language,
    pub(crate) author: Author,
    pub(crate) sentiment: Option<Sentiment>,
    pub(crate) frustrated: Option<bool>,
    pub(crate) signals: Option<Vec<Signal>>,
    pub(crate) channel: Channel,
    pub(crate) sector: Sector,
    pub(crate) region: Region,
    pub(crate) split: Split,
}

/// A line of the messages beside the corpus; only its text is looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    pub(crate) text: String,
}

/// A line of the second labelling, which finds its row by its text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecondLabels {
    pub(crate) text: String,
    sentiment: Sentiment,
    frustrated: bool,
    signals: Vec<Signal>,
}

/// What a text was found to show.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    pub(crate) sentiment: Sentiment,
    pub(crate) frustrated: bool,
    pub(crate) signals: Vec<Signal>,
}

/// A row and where it stands.
#[derive(Debug)]
pub(crate) struct Placed<T> {
    pub(crate) place: Place,
    pub(crate) row: T,
}

impl Row {
    /// A customer's labels; none for other authors, or if one is missing.
    pub(crate) fn labels(&self) -> Option<Labels> {
        let (sentiment, frustrated) = (self.sentiment?, self.frustrated?);
        Some(Labels { sentiment, frustrated, signals: self.signals.clone()? })
    }

    /// What is wrong with the row by itself, its text apart.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.text.trim().is_empty() {
            faults.push("the text is empty".to_owned());
        }
        let (region, language) = (self.region.name(), self.language.name());
        match self.region.language() {
            Some(wanted) if wanted != self.language => {
                faults.push(format!("region {region} writes in {}, not in {language}", wanted.name()));
            }
            None if Language::SUPPORTED.contains(&self.language) => {
                faults.push(format!("region {region} is not for {language}, which has regions of its own"));
            }
            _ => {}
        }
        faults.extend(self.label_faults());
        faults
    }

    fn label_faults(&self) -> Vec<String> {
        let given = [
            ("sentiment", self.sentiment.is_some()),
            ("frustrated", self.frustrated.is_some()),
            ("signals", self.signals.is_some()),
        ];
        let customer = self.author == Author::Customer;
        let wrong = given.into_iter().filter(|(_, given)| *given != customer);
        let mut faults: Vec<_> = wrong.map(|(label, _)| self.author.misplaced(label)).collect();
        faults.extend(self.labels().iter().flat_map(Labels::faults));
        faults
    }
}

impl SecondLabels {
    pub(crate) fn labels(&self) -> Labels {
        Labels { sentiment: self.sentiment, frustrated: self.frustrated, signals: self.signals.clone() }
    }
}

impl Author {
    fn misplaced(self, label: &str) -> String {
        match self {
            Self::Customer => format!("a customer's row without {label}"),
            Self::Agent | Self::Bot => {
                format!("{label} given for a row by {}: only customers' rows have labels", self.name())
            }
        }
    }
}

impl Labels {
    /// Which of these contradict each other.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.sentiment == Sentiment::Positive && self.frustrated {
            faults.push("positive and frustrated at once: one of the two is wrong".to_owned());
        }
        let mut signals = self.signals.clone();
        signals.sort_unstable();
        for pair in signals.windows(2).filter(|pair| pair[0] == pair[1]) {
            faults.push(format!("signal {} given twice", pair[0].name()));
        }
        faults
    }
}

/// The lines of a file of JSON lines that can be read; a problem for each of the others.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, problems: &mut Vec<Problem>) -> Result<Vec<Placed<T>>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = Rc::from(path.strip_prefix(root()).unwrap_or(path));
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let place = Place::new(&file, at + 1);
        match serde_json::from_str(line) {
            Ok(row) => rows.push(Placed { place, row }),
            Err(error) => problems.push(Problem::new(&place, format!("not a row: {error}"))),
        }
    }
    Ok(rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::corpus::fixture::row;

    const LINE: &str = r#"{"text": "hola", "language": "es", "author": "customer", "sentiment": "neutral", "frustrated": false,
        "signals": [], "channel": "chat", "sector": "bank", "region": "mx", "split": "train"}"#;

    /// The rows of a file with a good line and, after it, this one; and what is wrong with the file.
    fn read_after_a_good_line(line: &str) -> (usize, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("es-bank.jsonl");
        let lines = [LINE, line].map(|line| line.replace('\n', " "));
        fs::write(&file, lines.join("\n")).unwrap();
        let mut problems = Vec::new();
        let rows = read::<Row>(&file, &mut problems).unwrap();
        (rows.len(), problems.iter().map(ToString::to_string).collect())
    }

    fn is_refused(line: &str, why: &str) {
        let (rows, problems) = read_after_a_good_line(line);
        assert_eq!((rows, problems.len()), (1, 1), "{line}");
        assert!(problems[0].contains("es-bank.jsonl:2: not a row: "), "{problems:?}");
        assert!(problems[0].contains(why), "{problems:?}");
    }

    #[test]
    fn a_row_as_it_should_be_is_read_without_a_fault() {
        assert_eq!(read_after_a_good_line(LINE), (2, Vec::new()));
        assert!(row("hola").faults().is_empty());
    }

    #[test]
    fn a_line_that_is_no_row_is_told_with_its_file_and_line() {
        is_refused("hola", "expected value");
        is_refused(" ", "EOF");
        is_refused(r#"{"text": "hola"}"#, "missing field");
        is_refused(&LINE.replace("\"split\"", "\"part\""), "unknown field `part`");
    }

    #[test]
    fn a_value_outside_of_a_closed_set_is_told_with_the_set() {
        is_refused(&LINE.replace("bank", "farms"), "unknown variant `farms`, expected one of `bank`");
        is_refused(&LINE.replace("[]", r#"["rage"]"#), "unknown variant `rage`");
        is_refused(&LINE.replace("\"chat\"", "\"fax\""), "unknown variant `fax`");
    }

    #[test]
    fn a_region_must_be_one_of_its_language() {
        let lisbon = Row { region: Region::Pt, ..row("hola") };
        assert_eq!(lisbon.faults(), ["region pt writes in pt, not in es"]);
        let nowhere = Row { region: Region::Elsewhere, ..row("hola") };
        assert_eq!(nowhere.faults(), ["region elsewhere is not for es, which has regions of its own"]);
        assert!(Row { language: Language::Nl, ..nowhere }.faults().is_empty());
    }

    #[test]
    fn a_customers_row_has_every_label() {
        let bare = Row { sentiment: None, frustrated: None, signals: None, ..row("hola") };
        let wanted = ["sentiment", "frustrated", "signals"].map(|label| format!("a customer's row without {label}"));
        assert_eq!(bare.faults(), wanted);
    }

    #[test]
    fn nobody_elses_row_has_a_label() {
        let bot = Row { author: Author::Bot, sentiment: None, frustrated: None, ..row("hola") };
        assert_eq!(bot.faults(), ["signals given for a row by bot: only customers' rows have labels"]);
        assert!(Row { signals: None, ..bot }.faults().is_empty());
    }

    #[test]
    fn nobody_is_positive_and_frustrated() {
        let both = Row { sentiment: Some(Sentiment::Positive), frustrated: Some(true), ..row("hola") };
        assert_eq!(both.faults(), ["positive and frustrated at once: one of the two is wrong"]);
    }

    #[test]
    fn a_signal_is_given_once() {
        let twice = Row { signals: Some(vec![Signal::Waiting, Signal::Fraud, Signal::Waiting]), ..row("hola") };
        assert_eq!(twice.faults(), ["signal waiting given twice"]);
    }

    #[test]
    fn a_text_of_spaces_is_empty() {
        assert_eq!(row(" \t").faults(), ["the text is empty"]);
    }
}
