//! The corpus beside the rows of it that the shipped model was taught with: it may have grown since, but not lost or changed those.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::measure::{CORPUS, hex};
use super::plan::Example;
use crate::shell::files_ending;

/// How the names of the corpus's sets begin, as model files name them.
const SETS: [&str; 2] = ["messages.", "elsewhere."];
/// Digits that are kept of a digest.
const DIGITS: usize = 16;

/// Rows of the split `train` that the corpus has now.
pub(super) struct Present {
    /// Their lines, by set.
    sets: BTreeMap<String, Vec<String>>,
    /// Their texts.
    texts: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    split: String,
}

impl Present {
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let (mut sets, mut texts) = (BTreeMap::new(), BTreeSet::new());
        for path in files_ending(directory, ".jsonl")? {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let rows = rows(&path, &mut texts).with_context(|| format!("cannot read {}", path.display()))?;
            sets.insert(name, rows);
        }
        Ok(Self { sets, texts })
    }

    /// Examples of the card that teach: a model's answer to what it was taught shows nothing.
    pub(super) fn examples_that_teach(&self, examples: &[Example]) -> Vec<String> {
        let teaches = |example: &&Example| self.texts.contains(&example.text);
        let problem = |example: &Example| {
            format!("models/card/card.toml: `{}` is a row that teaches; show another text", example.text)
        };
        examples.iter().filter(teaches).map(problem).collect()
    }

    /// A digest of each set's first rows, as many as were taught; none of a set that has fewer.
    pub(super) fn digests(&self, taught: &BTreeMap<String, u64>) -> BTreeMap<String, String> {
        let first = |(set, &count): (&String, &u64)| {
            let rows = self.sets.get(set)?.get(..usize::try_from(count).ok()?)?;
            let mut digest = hex(&Sha256::digest(rows.join("\n")));
            digest.truncate(DIGITS);
            Some((set.clone(), digest))
        };
        of_corpus(taught).filter_map(first).collect()
    }

    /// What was taught and is there no more, or was other when `digests` were taken.
    pub(super) fn problems(&self, taught: &BTreeMap<String, u64>, digests: &BTreeMap<String, String>) -> Vec<String> {
        let now = self.digests(taught);
        let problem = |(set, count): (&String, &u64)| {
            let present = self.sets.get(set).map_or(0, Vec::len);
            let what = match (now.get(set), digests.get(set)) {
                (None, _) => format!("has {present} rows to teach with, the shipped model was taught with {count}"),
                (Some(now), Some(then)) if now != then => {
                    format!("has not the {count} rows that the shipped model was taught with, in their order, first")
                }
                _ => return None,
            };
            Some(format!("{CORPUS}/{set}.jsonl {what}: put them back (new rows go behind them), or train a new model"))
        };
        of_corpus(taught).filter_map(problem).collect()
    }

    /// How many more rows there are now than were taught.
    pub(super) fn new_rows(&self, taught: &BTreeMap<String, u64>) -> u64 {
        let present: usize = self.sets.values().map(Vec::len).sum();
        let taught: u64 = of_corpus(taught).map(|(_, count)| count).sum();
        (present as u64).saturating_sub(taught)
    }
}

fn of_corpus(taught: &BTreeMap<String, u64>) -> impl Iterator<Item = (&String, &u64)> {
    taught.iter().filter(|(set, _)| SETS.iter().any(|begin| set.starts_with(begin)))
}

/// The lines of a file that are rows to teach with; their texts join the others.
fn rows(path: &Path, texts: &mut BTreeSet<String>) -> Result<Vec<String>> {
    let text = fs::read_to_string(path)?;
    let mut rows = Vec::new();
    for line in text.lines() {
        let Line { text, split } = serde_json::from_str(line)?;
        if split == "train" {
            rows.push(line.to_owned());
            texts.insert(text);
        }
    }
    Ok(rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn present(files: &[(&str, &[&str])]) -> Present {
        let folder = tempfile::tempdir().unwrap();
        for (name, texts) in files {
            let row = |text: &&str| {
                let (text, split) = text.split_once('|').unwrap_or((text, "train"));
                format!("{{\"text\":\"{text}\",\"split\":\"{split}\"}}\n")
            };
            fs::write(folder.path().join(format!("{name}.jsonl")), texts.iter().map(row).collect::<String>()).unwrap();
        }
        Present::read(folder.path()).unwrap()
    }

    fn taught() -> BTreeMap<String, u64> {
        [("messages.es-bank", 2), ("elsewhere.nl", 1), ("umsab.es", 9)].map(|(set, rows)| (set.to_owned(), rows)).into()
    }

    #[test]
    fn a_corpus_that_grew_is_no_problem_and_its_new_rows_are_counted() {
        let then = present(&[("messages.es-bank", &["a", "b"]), ("elsewhere.nl", &["c"])]);
        let digests = then.digests(&taught());
        assert_eq!((digests.len(), then.new_rows(&taught())), (2, 0));
        let now = present(&[
            ("messages.es-bank", &["a", "x|dev", "b", "d"]),
            ("elsewhere.nl", &["c"]),
            ("messages.de", &["e"]),
        ]);
        assert_eq!(now.problems(&taught(), &digests), [""; 0]);
        assert_eq!(now.new_rows(&taught()), 2);
    }

    #[test]
    fn an_example_that_teaches_is_told() {
        let example = |text: &str| Example {
            weakness: "-".to_owned(),
            text: text.to_owned(),
            sentiment: "neutral".to_owned(),
            frustrated: false,
        };
        let present = present(&[("messages.es-bank", &["a", "b|test"])]);
        let told = present.examples_that_teach(&["a", "b", "c"].map(example));
        assert_eq!(told, ["models/card/card.toml: `a` is a row that teaches; show another text"]);
    }

    #[test]
    fn rows_that_taught_and_are_gone_or_changed_are_told_with_their_file() {
        let digests = present(&[("messages.es-bank", &["a", "b"]), ("elsewhere.nl", &["c"])]).digests(&taught());
        let told = present(&[("messages.es-bank", &["a", "B", "d"])]).problems(&taught(), &digests);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].contains("messages.es-bank.jsonl has not the 2 rows"), "{told:?}");
        assert!(
            told[0].contains("elsewhere.nl.jsonl has 0 rows to teach with") && told[0].contains("with 1"),
            "{told:?}"
        );
    }
}
