//! Labelled texts from files: TSV (plain, `.gz`, `.zst`), JSON lines, and word lists with valences.

mod fields;
mod form;
mod json;
mod lines;
mod lists;
mod tsv;

use std::path::Path;

use super::labels::Targets;
use super::recipe::{Recipe, SetRecipe};
use crate::message::{Language, NotATag, SignalSet};

use fields::{Asked, Wanted};
use form::Form;
use lines::Lines;

/// A labelled text.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was written.
    pub text: String,
    /// What is known of it.
    pub targets: Targets,
    /// Its signals, where the file knows them.
    pub signals: Option<SignalSet>,
    /// Its language, where the file says so.
    pub language: Option<Language>,
    /// Where it comes from, where the file says so.
    pub origin: Origin,
    /// The line of its file, from 1.
    pub line: u64,
}

/// Where a text comes from, in the words of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// How it was sent: `tweet`, `chat`, `call`.
    pub channel: Option<Box<str>>,
    /// Whose words it is in: `mx`, `gb`.
    pub region: Option<Box<str>>,
    /// What business it is about: `bank`, `airline`.
    pub sector: Option<Box<str>>,
}

/// The labelled texts of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet {
    /// The file's name up to its first dot.
    pub name: String,
    /// The set's language as its file name has it; empty where it has none.
    pub language: String,
    /// Rows with at least one label.
    pub rows: Vec<Row>,
    /// Rows without a label.
    pub unlabelled: Vec<Row>,
    /// What the set is worth.
    pub recipe: SetRecipe,
}

impl DataSet {
    /// The set's name and its language, as figures and model files name it: `name.language`, or `name` alone.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.language.is_empty() { self.name.clone() } else { format!("{}.{}", self.name, self.language) }
    }
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; check that it exists, may be read and is whole")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row cannot be used.
    #[error("{path}:{line}: {reason}")]
    Malformed {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: u64,
        /// What is wrong and how to mend it.
        reason: String,
    },
}

/// Reads the texts of one file, whatever it says of them: no label is looked at, so that it may have labels which mean nothing here.
///
/// # Errors
/// If the file cannot be read, or at its first malformed row.
pub fn read_texts(path: &Path) -> Result<DataSet, DataError> {
    read_as(path, &Recipe::default(), Wanted { split: None, labels: false })
}

/// Reads one file. Its form is seen from its name (`.jsonl`, `.json`, `.ndjson`) and its first line. With a `split`, rows
/// that say they are of another one are left out.
///
/// # Errors
/// If the file cannot be read, or at its first malformed row.
pub fn read(path: &Path, recipe: &Recipe, split: Option<&str>) -> Result<DataSet, DataError> {
    read_as(path, recipe, Wanted { split, labels: true })
}

fn read_as(path: &Path, recipe: &Recipe, wanted: Wanted<'_>) -> Result<DataSet, DataError> {
    let mut set = DataSet::empty(path, recipe);
    let unreadable = |source| DataError::Unreadable { path: path.display().to_string(), source };
    let mut lines = Lines::open(path).map_err(unreadable)?;
    let mut form = Form::of_name(path);
    while let Some((line, bytes)) = lines.next().map_err(unreadable)? {
        let malformed = |reason| DataError::Malformed { path: path.display().to_string(), line, reason };
        if let Some(row) = set.row(&mut form, bytes, wanted).map_err(malformed)? {
            set.keep(Row { line, ..row });
        }
    }
    Ok(set)
}

impl DataSet {
    fn empty(path: &Path, recipe: &Recipe) -> Self {
        let (name, language) = name_and_language(path);
        let recipe = recipe.set(&name, &language);
        Self { name, language, rows: Vec::new(), unlabelled: Vec::new(), recipe }
    }

    /// The row of a line, where it is one and asked for. The first line tells the form where it is not known yet.
    fn row(&self, form: &mut Option<Form>, line: &[u8], wanted: Wanted<'_>) -> Result<Option<Row>, String> {
        let line = std::str::from_utf8(line).map_err(|_| "not UTF-8; convert the file")?;
        let form = match form {
            Some(form) => form,
            None => {
                let (found, is_row) = Form::of_first_line(line, wanted.labels)?;
                let form = form.insert(found);
                if !is_row {
                    return Ok(None);
                }
                form
            }
        };
        if line.trim().is_empty() {
            return Ok(None);
        }
        form.row(line, &Asked { recipe: &self.recipe, language: self.own_language()?, wanted })
    }

    /// What the file's name says; what follows the language there (`es-bank`) is the name's own.
    fn own_language(&self) -> Result<Option<Language>, String> {
        language_of(self.language.split('-').next().unwrap_or_default())
    }

    fn keep(&mut self, row: Row) {
        let is_labelled = row.targets != Targets::default() || row.signals.is_some();
        if is_labelled { self.rows.push(row) } else { self.unlabelled.push(row) }
    }
}

impl Row {
    /// A text of which no more is known.
    fn of(text: &str, language: Option<Language>) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the text is empty; remove the row".to_owned());
        }
        let (targets, origin) = (Targets::default(), Origin::default());
        Ok(Self { text: text.to_owned(), targets, signals: None, language, origin, line: 0 })
    }
}

/// `umsab.es.train.tsv.gz` is the set `umsab` in `es`.
fn name_and_language(path: &Path) -> (String, String) {
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut parts = file.split('.');
    let name = parts.next().unwrap_or_default().to_owned();
    let language = parts.next().filter(|part| is_language_tag(part)).unwrap_or_default().to_owned();
    (name, language)
}

fn is_language_tag(part: &str) -> bool {
    let mut pieces = part.split('-');
    let main = pieces.next().unwrap_or_default();
    main.len() == 2 && main.bytes().all(|byte| byte.is_ascii_lowercase()) && main != "gz"
}

/// The language of a tag, or `other` by its name; nothing where the tag says nothing.
///
/// # Errors
/// If it is no tag: a name such as `spanish` would make every row one of another language.
pub(crate) fn language_of(tag: &str) -> Result<Option<Language>, String> {
    if tag == Language::Other.as_str() {
        return Ok(Some(Language::Other));
    }
    Language::of_tag(tag)
        .map_err(|NotATag| format!("language `{tag}` is no language tag; write es, en, pt-BR or the like, or `other`"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
