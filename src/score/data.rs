//! Labelled texts from files: TSV (plain, `.gz`, `.zst`), JSON lines, and word lists with valences.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use super::labels::{self, Target, Targets};
use super::recipe::{Recipe, SetRecipe};
use crate::message::{Language, Signal, SignalSet};

/// A line longer than this is refused.
const MAX_LINE_BYTES: usize = 64 << 20;

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
                set.take(&found, text, split).map_err(malformed)?;
            }
            form = Some(found);
            continue;
        };
        if !text.trim().is_empty() {
            set.take(form, text, split).map_err(malformed)?;
        }
    }
    Ok(set)
}

impl DataSet {
    fn empty(name: String, language: String, recipe: SetRecipe) -> Self {
        Self { name, language, rows: Vec::new(), unlabelled: Vec::new(), recipe }
    }

    fn take(&mut self, form: &Form, line: &str, split: Option<&str>) -> Result<(), String> {
        let file_language = language_of(&self.language);
        let row = match form {
            Form::Json => match json_row(line, &self.recipe, file_language, split)? {
                Some(row) => row,
                None => return Ok(()),
            },
            Form::Tsv(columns) => columns.row(line, &self.recipe, file_language)?,
            Form::WordList => word_row(line, file_language)?,
            Form::EmojiCounts => emoji_row(line)?,
        };
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
fn language_of(tag: &str) -> Option<Language> {
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
        Ok(Self { count: names.len(), text, label, frustrated, signals, language: find("language") })
    }

    fn row(&self, line: &str, recipe: &SetRecipe, language: Option<Language>) -> Result<Row, String> {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != self.count {
            return Err(format!("{} columns, the header has {}", cells.len(), self.count));
        }
        let cell = |column: Option<usize>| column.map(|at| cells[at].trim()).filter(|cell| !cell.is_empty());
        let mut targets = cell(self.label).map(|names| named(names, recipe)).transpose()?.unwrap_or_default();
        if let Some(frustrated) = cell(self.frustrated) {
            targets.frustrated = Some(truth(frustrated)?);
        }
        let signals = cell(self.signals).map(|names| signals(names.split(',').map(str::trim))).transpose()?;
        let language = cell(self.language).map_or(language, language_of);
        labelled(cells[self.text].to_owned(), targets, signals, language)
    }
}

#[derive(Deserialize)]
struct JsonRow {
    text: String,
    #[serde(alias = "label")]
    sentiment: Option<String>,
    frustrated: Option<serde_json::Value>,
    signals: Option<Vec<String>>,
    language: Option<String>,
    split: Option<String>,
}

/// The row of a line; none where it is of another split than the one asked for.
fn json_row(
    line: &str,
    recipe: &SetRecipe,
    language: Option<Language>,
    split: Option<&str>,
) -> Result<Option<Row>, String> {
    let row: JsonRow = serde_json::from_str(line).map_err(|error| {
        format!("{error}; expected {{\"text\", \"sentiment\"?, \"frustrated\"?, \"signals\"?, \"language\"?}}")
    })?;
    if row.split.as_deref().zip(split).is_some_and(|(of, wanted)| of != wanted) {
        return Ok(None);
    }
    let mut targets = row.sentiment.map(|names| named(&names, recipe)).transpose()?.unwrap_or_default();
    if let Some(frustrated) = row.frustrated.filter(|value| !value.is_null()) {
        targets.frustrated = Some(truth(&frustrated.to_string())?);
    }
    let signals = row.signals.map(|names| signals(names.iter().map(String::as_str))).transpose()?;
    labelled(row.text, targets, signals, row.language.map_or(language, |tag| language_of(&tag))).map(Some)
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
    Ok(Row { text: word.to_owned(), targets, signals: None, language })
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
    Ok(Row { text: (*emoji).to_owned(), targets, signals: None, language: None })
}

fn labelled(
    text: String,
    targets: Targets,
    signals: Option<SignalSet>,
    language: Option<Language>,
) -> Result<Row, String> {
    if text.trim().is_empty() {
        return Err("the text is empty; remove the row".to_owned());
    }
    Ok(Row { text, targets, signals, language })
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

/// Lines of a file, unpacked by its ending, each held in one reused buffer.
struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let reader: Box<dyn BufRead> = match ending.as_deref() {
            Some("gz") => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(file)))),
            Some("zst") => Box::new(BufReader::new(zstd::Decoder::new(file)?)),
            _ => Box::new(BufReader::new(file)),
        };
        Ok(Self { reader, line: Vec::new(), number: 0 })
    }

    fn next(&mut self) -> std::io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(MAX_LINE_BYTES as u64);
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.len() >= MAX_LINE_BYTES {
            return Err(std::io::Error::other(format!("line {} is longer than {MAX_LINE_BYTES} bytes", self.number)));
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;
    use std::path::PathBuf;

    use super::*;
    use crate::message::Sentiment;

    fn file(directory: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn read_text(name: &str, content: &str) -> Result<DataSet, String> {
        let directory = tempfile::tempdir().unwrap();
        read(&file(&directory, name, content.as_bytes()), &Recipe::default(), None).map_err(|error| error.to_string())
    }

    const TSV: &str = "text\tlabel\textra\nbuen día\tpositive\t\nno sirve\tanger,sadness\tx\n";

    #[test]
    fn a_tsv_is_read_with_its_language_from_the_name() {
        let set = read_text("made.es.train.tsv", TSV).unwrap();
        assert_eq!((set.name.as_str(), set.language.as_str(), set.rows.len()), ("made", "es", 2));
        assert_eq!(set.rows[0].targets.sentiment_label(), Some(Sentiment::Positive));
        assert_eq!(set.rows[1].targets.frustrated, Some(true));
        assert_eq!(set.rows[1].language, Some(Language::Spanish));
    }

    #[test]
    fn packed_files_read_like_plain_ones() {
        let directory = tempfile::tempdir().unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(TSV.as_bytes()).unwrap();
        let gz = file(&directory, "made.es.tsv.gz", &gz.finish().unwrap());
        let zst = file(&directory, "made.es.tsv.zst", &zstd::encode_all(TSV.as_bytes(), 1).unwrap());
        let plain = file(&directory, "made.es.tsv", TSV.as_bytes());
        let rows = |path: &Path| read(path, &Recipe::default(), None).unwrap().rows;
        assert_eq!(rows(&gz), rows(&plain));
        assert_eq!(rows(&zst), rows(&plain));
    }

    #[test]
    fn json_lines_carry_their_own_language_and_frustration() {
        let lines =
            "{\"text\":\"oi\",\"sentiment\":\"neutral\",\"frustrated\":1,\"language\":\"pt-BR\"}\n\n{\"text\":\"x\"}\n";
        let set = read_text("own.jsonl", lines).unwrap();
        assert_eq!(set.rows[0].language, Some(Language::Portuguese));
        assert_eq!(set.rows[0].targets.frustrated, Some(true));
        assert_eq!((set.rows.len(), set.unlabelled.len()), (1, 1));
    }

    #[test]
    fn signals_are_read_from_a_column_or_an_array() {
        let tsv = read_text("made.es.tsv", "text\tsignals\nhola\t-\nsigo esperando\twaiting, unresolved\n").unwrap();
        assert_eq!(tsv.rows[0].signals, Some(SignalSet::EMPTY));
        assert_eq!(tsv.rows[1].signals, Some([Signal::Waiting, Signal::Unresolved].into_iter().collect()));
        let json = read_text("made.jsonl", "{\"text\":\"hola\",\"signals\":[\"praise\"]}\n").unwrap();
        assert_eq!(json.rows[0].signals, Some([Signal::Praise].into_iter().collect()));
        let error = read_text("made.es.tsv", "text\tsignals\nhola\tpraises\n").unwrap_err();
        assert!(error.contains(":2: signal `praises` is none of human_request, "), "{error}");
    }

    #[test]
    fn rows_of_another_split_are_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let lines =
            "{\"text\":\"a\",\"label\":\"neutral\",\"split\":\"dev\"}\n{\"text\":\"b\",\"label\":\"neutral\"}\n";
        let path = file(&directory, "made.jsonl", lines.as_bytes());
        let texts = |split| {
            let rows = read(&path, &Recipe::default(), split).unwrap().rows;
            rows.into_iter().map(|row| row.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(Some("train")), ["b"]);
        assert_eq!(texts(Some("dev")), ["a", "b"]);
        assert_eq!(texts(None), ["a", "b"]);
    }

    #[test]
    fn word_lists_and_emoji_counts_are_known_by_their_first_line() {
        let words = read_text("words.es.txt", "harto\t-3\ntal vez\t0.2\nfeliz\t3\n").unwrap();
        assert_eq!((words.rows.len(), words.unlabelled.len()), (2, 1));
        let emoji = read_text(
            "emoji.csv",
            "Emoji,Unicode codepoint,Occurrences,Position,Negative,Neutral,Positive\n😂,0x1,10,0.8,2,3,5\n",
        )
        .unwrap();
        assert!((emoji.rows[0].targets.sentiment.unwrap().iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn malformed_rows_are_refused_with_line_and_reason() {
        for (name, content, line, reason) in [
            ("a.tsv", "text\tlabel\nhola\tjoyful\n", 2, "joyful"),
            ("a.tsv", "text\tlabel\nhola\n", 2, "1 columns, the header has 2"),
            ("a.tsv", "text\tlabel\n \tpositive\n", 2, "empty"),
            ("a.tsv", "hola\tpositive\n", 1, "column `text`"),
            ("a.tsv", "text\tfrustrated\nhola\tmaybe\n", 2, "maybe"),
            ("a.jsonl", "{\"text\":\"a\",\"sentiment\":\"neutral\"}\n{\"text\":1}\n", 2, "string"),
            ("a.txt", "bien\t2\nmal\n", 2, "valence"),
        ] {
            let error = read_text(name, content).unwrap_err();
            assert!(error.contains(&format!("{name}:{line}: ")) && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_and_missing_files_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(&directory, "a.tsv", b"text\tlabel\n\xff\tpositive\n");
        assert!(read(&path, &Recipe::default(), None).unwrap_err().to_string().contains("a.tsv:2: not UTF-8"));
        let missing = read(Path::new("/nowhere/a.tsv"), &Recipe::default(), None).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/a.tsv"), "{missing}");
    }

    #[test]
    fn a_recipe_gives_meaning_to_labels_of_a_set() {
        let mut recipe = Recipe::default();
        let calm = Target { sentiment: Some(Sentiment::Neutral), frustrated: Some(false) };
        let set = SetRecipe { labels: [("ask_hours".to_owned(), calm)].into(), ..SetRecipe::default() };
        recipe.sets.insert("intents.es".to_owned(), set);
        let directory = tempfile::tempdir().unwrap();
        let path = file(&directory, "intents.es.tsv", b"text\tlabel\nhola\task_hours\n");
        assert_eq!(read(&path, &recipe, None).unwrap().rows[0].targets, Targets::from(calm));
    }
}
