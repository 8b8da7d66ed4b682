//! What the card shows: `models/card/card.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// What is measured, and what is said beside the figures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) sets: Vec<Set>,
    pub(crate) sources: Vec<Source>,
    pub(crate) examples: Vec<Example>,
}

/// A public set that the model is measured on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Set {
    pub(crate) file: String,
    pub(crate) name: String,
    /// Calibration was fitted on one half of it: what depends on that is measured on the other.
    #[serde(default)]
    pub(crate) calibrated_on: bool,
    /// Its labels are sentiments of whole messages, given for their own sake: it counts in the calibration error of its language.
    #[serde(default)]
    pub(crate) in_calibration: bool,
    /// One of the sets whose mean is told.
    #[serde(default)]
    pub(crate) in_mean: bool,
    /// What others reach in sentiment.
    pub(crate) sentiment_reference: Option<String>,
    /// What others reach in frustration.
    pub(crate) frustration_reference: Option<String>,
}

/// What the model learned from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) name: String,
    /// Its sets as the model file names them: `umsab` stands for `umsab.es` and the like too.
    pub(crate) sets: Vec<String>,
    /// Files of a public set's texts.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    /// Who made it; nothing for what is the project's own.
    pub(crate) by: Option<String>,
    /// Where it is published.
    pub(crate) at: Option<String>,
    pub(crate) languages: String,
    pub(crate) licence: String,
    #[serde(rename = "for")]
    pub(crate) purpose: String,
}

/// A text of our own that shows a weakness.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    pub(crate) weakness: String,
    pub(crate) text: String,
    /// What a person would say.
    pub(crate) sentiment: String,
    pub(crate) frustrated: bool,
}

/// Files of public sets.
#[derive(Debug, PartialEq)]
pub(crate) struct Files {
    /// To measure on.
    pub(crate) sets: Vec<PathBuf>,
    /// Those of them of which one half fitted the calibration.
    pub(crate) halves: Vec<PathBuf>,
    /// Those of them whose rows are put together by language.
    pub(crate) pooled: Vec<PathBuf>,
    /// To leave out.
    pub(crate) trained_on: Vec<PathBuf>,
}

impl Plan {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} cannot be used", path.display()))
    }

    /// The files that the figures on public sets need, below a directory.
    pub(crate) fn find(&self, directory: &Path) -> Result<Files> {
        let mut there = BTreeMap::new();
        walk(directory, &mut there)?;
        let mut missing = Vec::new();
        let mut take = |file: &String| {
            there.get(file).cloned().or_else(|| {
                missing.push(file.clone());
                None
            })
        };
        let sets = self.sets.iter().filter_map(|set| take(&set.file)).collect();
        let those = |kind: fn(&&Set) -> bool| {
            self.sets.iter().filter(kind).filter_map(|set| there.get(&set.file).cloned()).collect()
        };
        let [halves, pooled] = [those(|set| set.calibrated_on), those(|set| set.in_calibration)];
        let trained_on = self.sources.iter().flat_map(|source| &source.files).filter_map(take).collect();
        ensure!(
            missing.is_empty(),
            "{} and the directories below lack {}; name a directory that has them, or take them out of models/card/card.toml",
            directory.display(),
            missing.join(", ")
        );
        Ok(Files { sets, halves, pooled, trained_on })
    }

    /// The source that a set of the model file belongs to.
    pub(crate) fn source_of(&self, set: &str) -> Option<usize> {
        let is_of =
            |name: &String| set == name || set.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
        self.sources.iter().position(|source| source.sets.iter().any(is_of))
    }
}

fn walk(directory: &Path, found: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if let Some(name) = path.file_name() {
            found.insert(name.to_string_lossy().into_owned(), path);
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        toml::from_str(
            "examples = []\n[[sets]]\nfile = \"a.es.tsv\"\nname = \"A\"\nin_calibration = true\n\
             [[sources]]\nname = \"XED\"\nsets = [\"xed\"]\nfiles = [\"x.es.tsv\"]\nlanguages = \"es\"\nlicence = \"-\"\nfor = \"-\"\n",
        )
        .unwrap()
    }

    #[test]
    fn sets_are_found_by_their_names_below_the_directory_or_named_as_missing() {
        let folder = tempfile::tempdir().unwrap();
        let error = plan().find(folder.path()).unwrap_err().to_string();
        assert!(error.contains("lack a.es.tsv, x.es.tsv; name a directory"), "{error}");
        fs::create_dir(folder.path().join("dev")).unwrap();
        let paths = ["dev/a.es.tsv", "x.es.tsv"].map(|name| folder.path().join(name));
        paths.iter().for_each(|path| fs::write(path, "").unwrap());
        let [set, trained_on] = paths;
        assert_eq!(
            plan().find(folder.path()).unwrap(),
            Files { sets: vec![set.clone()], halves: Vec::new(), pooled: vec![set], trained_on: vec![trained_on] }
        );
    }

    #[test]
    fn a_source_stands_for_its_sets_in_all_languages_and_no_others() {
        assert_eq!(["xed", "xed.es", "xed2.es"].map(|set| plan().source_of(set)), [Some(0), Some(0), None]);
    }
}
