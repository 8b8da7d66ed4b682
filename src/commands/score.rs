//! `latido score`: texts to scores, as JSON lines.

mod explained;
mod record;
mod second;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use explained::{Why, write_table};
use record::Record;
use second::Second;
pub(crate) use second::open_transformer;

use crate::message::{Language, Probability, Score, ScorerKind, SentimentScore, SignalSet};
use crate::score::signals::Rules;
use crate::score::{EmbeddedModel, EmbeddedScorer, Text};

/// A longer line cannot be used; its rest is skipped.
const MAX_LINE_BYTES: usize = 32 << 20;

/// The line buffer shrinks back to this after a longer line.
const KEPT_LINE_BYTES: usize = 1 << 20;

const EXAMPLES: &str = "\
Examples:
  latido score \"Llevo tres semanas esperando el reembolso\"
  latido score --lang es < messages.txt
  zcat messages.jsonl.gz | latido score --input json | head
  latido score --explain --table \"No me gusta nada\"

Each text (without any: each line of standard input) becomes a line of JSON:
  {\"text\", \"sentiment\": {\"negative\", \"neutral\", \"positive\"},
   \"frustration\", \"language\", \"scorer\", \"signals\": [..]}
and \"unsupported_language\": true where the language is none that the scorer
knows, or where there are too few words to tell.
With --input json a line is an object with `text` and, if it has them, `id`
(given back in place of the text; in a table before it) and `language` (goes
before --lang). A line that cannot be used becomes {\"error\", \"line\"}; the
others are scored, and the exit code is 1. Bytes that are no UTF-8 are replaced
in text lines and an error in JSON lines. Lines may be up to 32 MiB long; of a
text the first 64 KiB are read.

With --scorer cascade a line also has \"worth\", how much a second look at the
text is worth, 0 to 1; from --threshold on the transformer scores it again, and
\"scorer\" says so. The daemon moves that threshold with its load, and counts a
text of a small department, or of one near an alert, for more.

With --explain a line also has \"rules\", the names of the signal rules that
held (a signal without one is learned); \"words\", what each word, mark and
emoji adds to the log odds of \"negative\" (against neutral and positive) and of
\"frustration\", with its place in the text, from and to, in \"bytes\" and in
\"chars\"; and \"base\", what is there without any word. Base and words sum to
the log odds of the score: ln(p / (1 - p)). +0.69 doubles the odds, -0.69 halves
them. They say what counted in this text; without a word the others may count
differently. The words are 0 where none is known.";

/// Score texts: arguments, or lines of standard input.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ScoreArgs {
    /// Language of the texts: es, en, pt, fr, de, it or other. Default: detected in each text.
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub lang: Option<Language>,
    /// What an argument or line is.
    #[arg(long, value_enum, default_value_t = Input::Text)]
    pub input: Input,
    /// Which scorer: the embedded model, or (in a build with the feature `transformer`) a transformer for all texts or for some.
    #[arg(long, value_enum, default_value_t = Which::Embedded)]
    pub scorer: Which,
    /// Model file; with `--scorer transformer` or `cascade` the directory of a model. Default: the built-in one.
    #[arg(long, value_name = "PATH")]
    pub model: Option<PathBuf>,
    /// With `--scorer cascade`: the worth from which on the transformer scores a text again, 0 (all) to 1 (none).
    #[arg(long, value_name = "WORTH", default_value_t = 0.25, value_parser = threshold)]
    pub threshold: f32,
    /// Rules of your own for signals, beyond the built-in ones; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub signals: Vec<PathBuf>,
    /// Say why: what each word adds to the score, and which rules found the signals.
    #[arg(long)]
    pub explain: bool,
    /// Explain in a table for people, the strongest words first, in place of JSON.
    #[arg(long, requires = "explain")]
    pub table: bool,
    /// Texts to score.
    #[arg(value_name = "TEXT")]
    pub texts: Vec<String>,
}

/// Which scorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// The model inside the binary: 100,000 texts a second.
    Embedded,
    /// The encoder, or a model of your own: about 50 texts a second.
    Transformer,
    /// The transformer for those texts whose label it could change.
    Cascade,
}

/// What an argument or line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Input {
    /// The text itself.
    Text,
    /// A JSON object with `text`.
    Json,
}

fn language(name: &str) -> Result<Language, String> {
    Language::from_name(name).ok_or_else(|| "expected es, en, pt, fr, de, it or other".to_owned())
}

fn threshold(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// Runs `latido score`.
///
/// # Errors
/// If the model cannot be used, standard input cannot be read, or a line could not be used.
pub fn run(args: ScoreArgs) -> anyhow::Result<()> {
    if args.explain && args.scorer != Which::Embedded {
        bail!("--explain tells what counted for the embedded scorer; leave out --scorer, or --explain");
    }
    let model = match (&args.model, args.scorer) {
        (Some(path), Which::Embedded) => EmbeddedModel::load(path)?,
        _ => EmbeddedModel::builtin()?,
    };
    let second = match args.scorer {
        Which::Embedded => None,
        Which::Transformer => Some(Second::open(args.model.as_deref(), None)?),
        Which::Cascade => Some(Second::open(args.model.as_deref(), Some(args.threshold))?),
    };
    let rules = Rules::with_files(&args.signals)?;
    let out = io::BufWriter::new(io::stdout().lock());
    let mut lines =
        LineScorer { scorer: EmbeddedScorer::new(model, rules), second, args: &args, out, number: 0, unusable: 0 };
    let done = if args.texts.is_empty() { lines.stream(io::stdin().lock()) } else { lines.arguments() };
    match done {
        // Whoever reads our output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        other => other.context("scoring stopped")?,
    }
    if lines.unusable > 0 {
        bail!(
            "{} of {} lines could not be used; each is an \"error\" line of the output",
            lines.unusable,
            lines.number
        );
    }
    Ok(())
}

struct LineScorer<'a, W> {
    scorer: EmbeddedScorer,
    /// Scores again what the embedded scorer has scored.
    second: Option<Second>,
    args: &'a ScoreArgs,
    out: W,
    number: u64,
    unusable: u64,
}

impl<W: Write> LineScorer<'_, W> {
    fn arguments(&mut self) -> io::Result<()> {
        for text in &self.args.texts {
            self.line(text.as_bytes())?;
        }
        self.out.flush()
    }

    /// Scores each line as it comes; what was scored is written before waiting for more.
    fn stream(&mut self, input: impl Read) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(1 << 16, input);
        let mut line = Vec::new();
        loop {
            if reader.buffer().is_empty() {
                self.out.flush()?;
            }
            match read_line(&mut reader, &mut line).map_err(unreadable)? {
                LineRead::End => return self.out.flush(),
                LineRead::Whole if self.number == 0 => {
                    self.line(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line))?
                }
                LineRead::Whole => self.line(&line)?,
                LineRead::TooLong => {
                    self.number += 1;
                    self.refuse(&format!("longer than {MAX_LINE_BYTES} bytes"))?;
                }
            }
            line.shrink_to(KEPT_LINE_BYTES);
        }
    }

    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.number += 1;
        match self.args.input {
            Input::Text => self.text(&String::from_utf8_lossy(line)),
            Input::Json if line.iter().all(u8::is_ascii_whitespace) => Ok(()),
            Input::Json => match Record::parse(line) {
                Ok(record) => self.record(&record),
                Err(reason) => self.refuse(&reason),
            },
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.score(Text { text, language: self.args.lang }, None)
    }

    fn record(&mut self, record: &Record) -> io::Result<()> {
        self.score(Text { text: &record.text, language: record.language.or(self.args.lang) }, record.id.as_ref())
    }

    /// Scores a text; an id is given back in its place.
    fn score(&mut self, text: Text<'_>, id: Option<&Value>) -> io::Result<()> {
        let shown = id.is_none().then_some(text.text);
        if !self.args.explain {
            let first = self.scorer.score_one(text);
            let Some(second) = &mut self.second else { return self.write(&Scored::new(id, shown, &first)) };
            let (score, worth) = second.score(text.text, &first).map_err(io::Error::other)?;
            return self.write(&Scored { worth, ..Scored::new(id, shown, &score) });
        }
        let explanation = self.scorer.explain(text);
        if self.args.table {
            return write_table(&mut self.out, id, text.text, &explanation);
        }
        let why = Some(Why::new(text.text, &explanation));
        self.write(&Scored { why, ..Scored::new(id, shown, &explanation.score) })
    }

    fn refuse(&mut self, reason: &str) -> io::Result<()> {
        self.unusable += 1;
        if self.args.table {
            return writeln!(self.out, "line {}: {reason}\n", self.number);
        }
        self.write(&Refused { error: reason, line: self.number })
    }

    fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value).map_err(io::Error::from)?;
        self.out.write_all(b"\n")
    }
}

/// What some programs put before a file's first line.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

fn unreadable(error: io::Error) -> io::Error {
    let told = format!("standard input cannot be read ({error}); give it lines of a file, or name texts as arguments");
    io::Error::new(error.kind(), told)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineRead {
    End,
    Whole,
    TooLong,
}

/// Reads one line without its end; never holds more than [`MAX_LINE_BYTES`].
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<LineRead> {
    line.clear();
    let most = MAX_LINE_BYTES as u64 + 1;
    if reader.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(LineRead::End);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
        return Ok(LineRead::Whole);
    }
    if line.len() <= MAX_LINE_BYTES {
        return Ok(LineRead::Whole);
    }
    reader.skip_until(b'\n')?;
    Ok(LineRead::TooLong)
}

#[derive(Serialize)]
struct Scored<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    sentiment: SentimentScore,
    frustration: Probability,
    language: Language,
    scorer: ScorerKind,
    signals: SignalSet,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unsupported_language: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    worth: Option<f32>,
    #[serde(flatten)]
    why: Option<Why>,
}

impl<'a> Scored<'a> {
    fn new(id: Option<&'a Value>, text: Option<&'a str>, score: &Score) -> Self {
        Self {
            id,
            text,
            sentiment: score.sentiment,
            frustration: score.frustration,
            language: score.language,
            scorer: score.scorer,
            signals: score.signals,
            unsupported_language: score.language == Language::Other,
            worth: None,
            why: None,
        }
    }
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
    line: u64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    struct Outcome {
        lines: Vec<Value>,
        unusable: u64,
    }

    fn stream(input: &[u8], kind: Input) -> Outcome {
        let (text, unusable) = written(input, kind, false);
        Outcome { lines: text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), unusable }
    }

    /// What is written, and how many lines could not be used.
    fn written(input: &[u8], kind: Input, table: bool) -> (String, u64) {
        let args = ScoreArgs {
            lang: None,
            input: kind,
            scorer: Which::Embedded,
            model: None,
            threshold: 0.25,
            signals: Vec::new(),
            explain: table,
            table,
            texts: Vec::new(),
        };
        let scorer = EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap());
        let mut lines = LineScorer { scorer, second: None, args: &args, out: Vec::new(), number: 0, unusable: 0 };
        lines.stream(input).unwrap();
        (String::from_utf8(lines.out).unwrap(), lines.unusable)
    }

    #[test]
    fn each_line_of_text_gives_one_line_with_the_text() {
        let outcome = stream("muchas gracias\r\n\npésimo servicio".as_bytes(), Input::Text);
        let texts: Vec<_> = outcome.lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["muchas gracias", "", "pésimo servicio"]);
        assert_eq!(outcome.lines[2]["scorer"], "embedded");
        assert!(outcome.lines[2]["sentiment"]["negative"].as_f64().unwrap() > 0.5);
    }

    #[test]
    fn a_json_line_gives_back_its_id_in_place_of_the_text() {
        let outcome = stream(br#"{"id": 7, "text": "thanks", "language": "es-MX"}"#, Input::Json);
        assert_eq!(outcome.lines[0]["id"], 7);
        assert_eq!(outcome.lines[0]["language"], "es");
        assert!(outcome.lines[0].get("text").is_none());
    }

    #[test]
    fn a_table_names_the_row_by_its_id_beside_the_text() {
        let input = br#"{"id": "a\u001b7", "text": "muchas gracias"}
{"id": {"ticket": 9}, "text": "harto"}
{"text": "hola"}"#;
        let (table, _) = written(input, Input::Json, true);
        let heads: Vec<&str> = table.split("\n\n").filter_map(|part| part.lines().next()).collect();
        assert_eq!(heads, ["[\"a\\u001b7\"] muchas gracias", "[{\"ticket\":9}] harto", "hola"]);
    }

    #[test]
    fn a_byte_order_mark_costs_no_line() {
        let outcome = stream("\u{feff}{\"text\": \"hola\"}\n".as_bytes(), Input::Json);
        assert_eq!((outcome.lines[0]["text"].as_str(), outcome.unusable), (Some("hola"), 0));
        assert_eq!(stream("\u{feff}hola\n".as_bytes(), Input::Text).lines[0]["text"], "hola");
    }

    #[test]
    fn a_language_by_its_english_name_is_refused_and_three_letters_are_understood() {
        let input = b"{\"text\": \"hola\", \"language\": \"spanish\"}\n{\"text\": \"hola\", \"language\": \"spa\"}\n";
        let outcome = stream(input, Input::Json);
        let told = outcome.lines[0]["error"].as_str().unwrap();
        assert!(told.contains("`spanish`") && told.contains("write es"), "{told}");
        assert_eq!(outcome.lines[1]["language"], "es");
    }

    #[test]
    fn unusable_lines_are_named_and_the_others_scored() {
        let input = b"{\"text\": 1}\nnonsense\n[]\n{}\n\xff\n\n{\"text\": \"hi\", \"text\": \"bye\"}\n";
        let outcome = stream(input, Input::Json);
        let numbers: Vec<_> = outcome.lines.iter().filter_map(|line| line["line"].as_u64()).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        assert_eq!(outcome.unusable, 5);
        assert_eq!(outcome.lines[1]["error"], "not JSON: expected ident at column 2");
        assert_eq!(outcome.lines[5]["text"], "bye", "of duplicate keys the last wins");
    }

    #[test]
    fn half_an_emoji_costs_no_line() {
        let outcome =
            stream(br#"{"text": "p\u00e9simo servicio \ud83d", "id": {"a": [1]}, "more": 1e999}"#, Input::Json);
        assert!(outcome.lines[0]["sentiment"]["negative"].as_f64().unwrap() > 0.5, "{}", outcome.lines[0]);
        assert_eq!(outcome.lines[0]["id"]["a"][0], 1);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced_in_text() {
        let outcome = stream(b"mal\xff servicio\n", Input::Text);
        assert_eq!(outcome.lines[0]["text"], "mal\u{fffd} servicio");
    }

    #[test]
    fn a_line_of_ten_megabytes_is_scored_and_a_longer_one_than_the_limit_is_refused() {
        let mut input = "a".repeat(10 << 20).into_bytes();
        input.push(b'\n');
        input.extend(std::iter::repeat_n(b'b', MAX_LINE_BYTES + 5));
        input.extend_from_slice(b"\nhola\n");
        let outcome = stream(&input, Input::Text);
        assert_eq!(outcome.lines.len(), 3);
        assert_eq!(outcome.lines[1]["line"], 2);
        assert_eq!(outcome.lines[2]["text"], "hola");
    }
}
