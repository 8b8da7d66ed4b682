//! Labelled texts from files: TSV (plain, `.gz`, `.zst`), JSON lines, and word lists with valences.

mod lines;

use std::path::Path;

use serde::Deserialize;

use super::labels::{self, Target, Targets};
use super::recipe::{Recipe, SetRecipe};
use crate::message::json::{Unquoted, wrong_in_line};
use crate::message::{Language, Signal, SignalSet};

use lines::Lines;

/// A word's valence must be at least this far from 0 to say anything.
const MIN_VALENCE: f32 = 1.0;

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

/// Reads one file. Its form is seen from its name (`.jsonl`, `.json`, `.ndjson`) and its first line. With a `split`, rows
/// that say they are of another one are left out.
///
/// # Errors
/// If the file cannot be read, or at its first malformed row.
pub fn read(path: &Path, recipe: &Recipe, split: Option<&str>) -> Result<DataSet, DataError> {
    let (name, language) = name_and_language(path);
    let set_recipe = recipe.set(&name, &language);
    let shown = path.display().to_string();
    let unreadable = |source| DataError::Unreadable { path: shown.clone(), source };
    let mut lines = Lines::open(path).map_err(unreadable)?;
    let mut set = DataSet::empty(name, language, set_recipe);
    let mut form = is_json(path).then_some(Form::Json);
    let mut at = 0;
    while let Some(line) = lines.next().map_err(unreadable)? {
        at += 1;
        let malformed = |reason: String| DataError::Malformed { path: shown.clone(), line: at, reason };
        let text = std::str::from_utf8(line).map_err(|_| malformed("not UTF-8; convert the file".to_owned()))?;
        let Some(form) = &form else {
            let (found, first_is_row) = Form::of_first_line(text).map_err(malformed)?;
            if first_is_row {
                set.take(&found, text, at, split).map_err(malformed)?;
            }
            form = Some(found);
            continue;
        };
        if !text.trim().is_empty() {
            set.take(form, text, at, split).map_err(malformed)?;
        }
    }
    Ok(set)
}

impl DataSet {
    fn empty(name: String, language: String, recipe: SetRecipe) -> Self {
        Self { name, language, rows: Vec::new(), unlabelled: Vec::new(), recipe }
    }

    fn take(&mut self, form: &Form, line: &str, at: u64, split: Option<&str>) -> Result<(), String> {
        let file_language = language_of(&self.language);
        let mut row = match form {
            Form::Json => match json_row(line, &self.recipe, file_language, split)? {
                Some(row) => row,
                None => return Ok(()),
            },
            Form::Tsv(columns) => columns.row(line, &self.recipe, file_language)?,
            Form::WordList => word_row(line, file_language)?,
            Form::EmojiCounts => emoji_row(line)?,
        };
        row.line = at;
        let labelled = row.targets != Targets::default() || row.signals.is_some();
        if labelled {
            self.rows.push(row)
        } else {
            self.unlabelled.push(row)
        }
        Ok(())
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

/// A language tag's language: its first part; other languages than ours are `Other`.
pub(crate) fn language_of(tag: &str) -> Option<Language> {
    let main = tag.split(['-', '_']).next().filter(|main| !main.is_empty())?;
    Some(Language::from_name(&main.to_ascii_lowercase()).unwrap_or(Language::Other))
}

fn is_json(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
    [".jsonl", ".ndjson", ".json"].iter().any(|ending| plain.ends_with(ending))
}

enum Form {
    Json,
    Tsv(Columns),
    WordList,
    EmojiCounts,
}

impl Form {
    /// The form of a file by its first line, and whether that line is itself a row.
    fn of_first_line(line: &str) -> Result<(Self, bool), String> {
        if line.starts_with("Emoji,") {
            return Ok((Self::EmojiCounts, false));
        }
        let mut cells = line.split('\t');
        if let (Some(_), Some(Ok(_))) = (cells.next(), cells.next().map(str::parse::<f32>)) {
            return Ok((Self::WordList, true));
        }
        Columns::of(line).map(|columns| (Self::Tsv(columns), false))
    }
}

/// Where a TSV's header puts what we need.
struct Columns {
    count: usize,
    text: usize,
    label: Option<usize>,
    frustrated: Option<usize>,
    signals: Option<usize>,
    language: Option<usize>,
    author: Option<usize>,
    origin: [Option<usize>; 3],
}

impl Columns {
    fn of(header: &str) -> Result<Self, String> {
        let names: Vec<&str> = header.split('\t').map(str::trim).collect();
        let find = |wanted: &str| names.iter().position(|name| *name == wanted);
        let text = find("text").ok_or("the header line names no column `text`; expected `text<TAB>label<TAB>extra`")?;
        let (label, frustrated) = (find("label").or_else(|| find("sentiment")), find("frustrated"));
        let signals = find("signals");
        if label.is_none() && frustrated.is_none() && signals.is_none() {
            let columns = "`label`, `sentiment`, `frustrated`, `signals`";
            return Err(format!("the header line names none of the columns {columns}"));
        }
        let origin = ["channel", "region", "sector"].map(find);
        let (language, author) = (find("language"), find("author"));
        Ok(Self { count: names.len(), text, label, frustrated, signals, language, author, origin })
    }

    fn row(&self, line: &str, recipe: &SetRecipe, language: Option<Language>) -> Result<Row, String> {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != self.count {
            return Err(format!("{} columns, the header has {}", cells.len(), self.count));
        }
        let cell = |column: Option<usize>| column.map(|at| cells[at].trim()).filter(|cell| !cell.is_empty());
        let language = cell(self.language).map_or(language, language_of);
        let [channel, region, sector] = self.origin.map(|column| cell(column).map(Box::from));
        let mut row = Row::unlabelled(cells[self.text].to_owned(), language)?;
        row.origin = Origin { channel, region, sector };
        if !by_customer(cell(self.author)) {
            return Ok(row);
        }
        row.targets = cell(self.label).map(|names| named(names, recipe)).transpose()?.unwrap_or_default();
        if let Some(frustrated) = cell(self.frustrated) {
            row.targets.frustrated = Some(truth(frustrated)?);
        }
        row.signals = cell(self.signals).map(|names| signals(names.split(',').map(str::trim))).transpose()?;
        Ok(row)
    }
}

#[derive(Deserialize)]
struct JsonRow {
    text: Unquoted,
    #[serde(alias = "label")]
    sentiment: Option<Unquoted>,
    frustrated: Option<serde_json::Value>,
    signals: Option<Vec<String>>,
    language: Option<Unquoted>,
    author: Option<Unquoted>,
    split: Option<Unquoted>,
    channel: Option<Unquoted>,
    region: Option<Unquoted>,
    sector: Option<Unquoted>,
}

/// The row of a line; none where it is of another split than the one asked for.
fn json_row(
    line: &str,
    recipe: &SetRecipe,
    language: Option<Language>,
    split: Option<&str>,
) -> Result<Option<Row>, String> {
    let row: JsonRow = serde_json::from_str(line).map_err(|error| {
        let wrong = wrong_in_line(&error);
        format!("{wrong}; expected {{\"text\", \"sentiment\"?, \"frustrated\"?, \"signals\"?, \"language\"?}}")
    })?;
    if filled(row.split).zip(split).is_some_and(|(of, wanted)| *of != *wanted) {
        return Ok(None);
    }
    let mut found = Row::unlabelled(row.text.0.into(), filled(row.language).map_or(language, |tag| language_of(&tag)))?;
    let [channel, region, sector] = [row.channel, row.region, row.sector].map(filled);
    found.origin = Origin { channel, region, sector };
    if !by_customer(filled(row.author).as_deref()) {
        return Ok(Some(found));
    }
    found.targets = filled(row.sentiment).map(|names| named(&names, recipe)).transpose()?.unwrap_or_default();
    if let Some(frustrated) = row.frustrated.filter(|value| !value.is_null()) {
        found.targets.frustrated = Some(truth(&frustrated.to_string())?);
    }
    found.signals = row.signals.map(|names| signals(names.iter().map(String::as_str))).transpose()?;
    Ok(Some(found))
}

/// A field without the spaces around it; an empty one is none, as an empty cell of a TSV is.
fn filled(field: Option<Unquoted>) -> Option<Box<str>> {
    field.map(|field| field.0.trim().into()).filter(|field: &Box<str>| !field.is_empty())
}

/// Only customers' labels count: what an agent or a bot writes says nothing of a customer.
fn by_customer(author: Option<&str>) -> bool {
    !matches!(author, Some("agent" | "bot"))
}

/// A line of a word list: `word<TAB>valence`, further columns ignored.
fn word_row(line: &str, language: Option<Language>) -> Result<Row, String> {
    let mut cells = line.split('\t');
    let word = cells.next().unwrap_or_default();
    let valence: f32 = cells
        .next()
        .and_then(|cell| cell.trim().parse().ok())
        .ok_or("expected `word<TAB>valence`, the valence a number")?;
    let name = match valence {
        valence if valence <= -MIN_VALENCE => Some("negative"),
        valence if valence >= MIN_VALENCE => Some("positive"),
        _ => None,
    };
    let targets = labels::join(name.and_then(labels::meaning).as_slice());
    Ok(Row { targets, language, ..Row::bare(word.to_owned()) })
}

/// A line of the Emoji Sentiment Ranking: counts of negative, neutral, positive in columns 5 to 7.
fn emoji_row(line: &str) -> Result<Row, String> {
    let cells: Vec<&str> = line.split(',').collect();
    let count = |at: usize| cells.get(at).and_then(|cell| cell.parse::<f32>().ok());
    let (Some(emoji), Some(negative), Some(neutral), Some(positive)) = (cells.first(), count(4), count(5), count(6))
    else {
        return Err("expected the columns of the Emoji Sentiment Ranking".to_owned());
    };
    // One more of each, so that a rare emoji does not count as certain.
    let total = negative + neutral + positive + 3.0;
    let sentiment = Some([negative, neutral, positive].map(|count| (count + 1.0) / total));
    let targets = Targets { sentiment, frustrated: None };
    Ok(Row { targets, ..Row::bare((*emoji).to_owned()) })
}

impl Row {
    fn unlabelled(text: String, language: Option<Language>) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the text is empty; remove the row".to_owned());
        }
        Ok(Self { language, ..Self::bare(text) })
    }

    /// A text of which nothing is known.
    fn bare(text: String) -> Self {
        let (targets, origin) = (Targets::default(), Origin::default());
        Self { text, targets, signals: None, language: None, origin, line: 0 }
    }
}

/// Signals by name; `-` is none.
fn signals<'a>(names: impl Iterator<Item = &'a str>) -> Result<SignalSet, String> {
    names
        .filter(|name| !matches!(*name, "" | "-"))
        .map(|name| {
            let all = || Signal::ALL.iter().map(|signal| signal.as_str()).collect::<Vec<_>>().join(", ");
            Signal::from_name(name).ok_or_else(|| format!("signal `{name}` is none of {}, or - for none", all()))
        })
        .collect()
}

fn named(names: &str, recipe: &SetRecipe) -> Result<Targets, String> {
    let meanings: Result<Vec<Target>, String> = names
        .split(',')
        .map(str::trim)
        .map(|name| {
            recipe.labels.get(name).copied().or_else(|| labels::meaning(name)).ok_or_else(|| {
                format!("label `{name}` is neither a sentiment nor an emotion; say what it means in the recipe's `sets.<set>.labels`")
            })
        })
        .collect();
    Ok(labels::join(&meanings?))
}

fn truth(cell: &str) -> Result<bool, String> {
    match cell {
        "1" | "true" | "\"1\"" => Ok(true),
        "0" | "false" | "\"0\"" => Ok(false),
        other => Err(format!("frustrated is `{other}`, expected 0, 1, true or false")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
