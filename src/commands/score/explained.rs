//! `latido score --explain`: why a text has its score, as JSON and as a table for people.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::message::{Score, Signal};
use crate::score::embedded::{Explanation, LogOdds, WordShare};

/// Most words that a table names.
const STRONGEST: usize = 8;
/// Most characters of a text, and of a word, that a table shows.
const SHOWN: [usize; 2] = [120, 24];

/// An explanation as JSON, beside the score.
#[derive(Serialize)]
pub(super) struct Why {
    rules: Vec<String>,
    base: Parts,
    words: Vec<Word>,
}

/// What something adds to the log odds.
#[derive(Serialize)]
struct Parts {
    negative: f32,
    frustration: f32,
}

#[derive(Serialize)]
struct Word {
    word: String,
    /// From and to, in bytes of the text's UTF-8.
    bytes: [usize; 2],
    /// From and to, in characters (Unicode code points).
    chars: [usize; 2],
    #[serde(flatten)]
    parts: Parts,
}

impl Why {
    pub(super) fn new(text: &str, explanation: &Explanation) -> Self {
        let mut at = (0, 0);
        // Words come in their order: each character is counted once.
        let mut chars_before = |byte: usize| {
            at = (byte, at.1 + text[at.0..byte].chars().count());
            at.1
        };
        let words = explanation.words.iter().map(|share| {
            let (start, end) = (share.range.start, share.range.end);
            Word {
                word: text[share.range.clone()].to_owned(),
                bytes: [start, end],
                chars: [chars_before(start), chars_before(end)],
                parts: Parts::of(share.log_odds),
            }
        });
        let words = words.collect();
        Self { rules: explanation.rules.clone(), base: Parts::of(explanation.base), words }
    }
}

impl Parts {
    #[expect(clippy::cast_possible_truncation, reason = "what is printed needs no more digits than f32 has")]
    fn of(log_odds: LogOdds) -> Self {
        Self { negative: log_odds.negative as f32, frustration: log_odds.frustration as f32 }
    }
}

/// Writes an explanation for people: the strongest words first. An id stands before its text, as JSON.
pub(super) fn write_table(
    out: &mut impl Write,
    id: Option<&Value>,
    text: &str,
    explanation: &Explanation,
) -> io::Result<()> {
    let id = id.map_or_else(String::new, |id| format!("[{}] ", printable(&id.to_string(), SHOWN[0])));
    writeln!(out, "{id}{}", printable(text, SHOWN[0]))?;
    writeln!(out, "  {}", summary(&explanation.score))?;
    let mut words: Vec<&WordShare> = explanation.words.iter().collect();
    words.sort_by(|one, other| strength(other).total_cmp(&strength(one)));
    let (shown, others) = words.split_at(words.len().min(STRONGEST));
    writeln!(out, "  {:<24} {:>9} {:>12}", "log odds by word", "negative", "frustration")?;
    for share in shown {
        row(out, &printable(&text[share.range.clone()], SHOWN[1]), share.log_odds)?;
    }
    if !others.is_empty() {
        row(out, &format!("({} others)", others.len()), others.iter().map(|share| share.log_odds).sum())?;
    }
    row(out, "(without any word)", explanation.base)?;
    row(out, "(all)", explanation.log_odds())?;
    if !explanation.rules.is_empty() {
        writeln!(out, "  rules: {}", explanation.rules.join(", "))?;
    }
    writeln!(out)
}

fn row(out: &mut impl Write, name: &str, parts: LogOdds) -> io::Result<()> {
    writeln!(out, "  {name:<24} {:>+9.2} {:>+12.2}", parts.negative, parts.frustration)
}

fn strength(share: &WordShare) -> f64 {
    share.log_odds.negative.abs().max(share.log_odds.frustration.abs())
}

fn summary(score: &Score) -> String {
    let sentiment = score.sentiment;
    let [negative, neutral, positive] =
        [sentiment.negative, sentiment.neutral, sentiment.positive].map(|part| part.get());
    let signals: Vec<&str> = score.signals.iter().map(Signal::as_str).collect();
    let named = if signals.is_empty() { String::new() } else { format!("; signals: {}", signals.join(", ")) };
    format!(
        "negative {negative:.2}, neutral {neutral:.2}, positive {positive:.2}; frustration {:.2}; language {}{named}",
        score.frustration.get(),
        score.language
    )
}

/// The beginning of a text without what could move or hide a terminal's output.
fn printable(text: &str, most: usize) -> String {
    let hides = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut letters = text.chars();
    let mut kept: String =
        letters.by_ref().take(most).map(|letter| if hides(letter) { '\u{fffd}' } else { letter }).collect();
    if letters.next().is_some() {
        kept.push('\u{2026}');
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::score::signals::Rules;
    use crate::score::{EmbeddedModel, EmbeddedScorer, Text};

    fn explain(text: &str) -> Explanation {
        let mut scorer = EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap());
        scorer.explain(Text { text, language: None })
    }

    fn table(text: &str) -> String {
        let mut out = Vec::new();
        write_table(&mut out, None, text, &explain(text)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn places_are_given_in_bytes_and_in_characters() {
        let text = "¡qué pésimo! 👍🏽 ok";
        let why = Why::new(text, &explain(text));
        for word in &why.words {
            let [start, end] = word.chars;
            assert_eq!(text[word.bytes[0]..word.bytes[1]], word.word);
            assert_eq!(text.chars().skip(start).take(end - start).collect::<String>(), word.word);
        }
        assert_eq!(why.words.last().unwrap().chars, [16, 18]);
    }

    #[test]
    fn a_table_begins_with_the_strongest_word_and_ends_with_the_sum() {
        let table = table("fue un servicio pésimo el de ayer por la tarde en su tienda");
        let names: Vec<&str> = table.lines().skip(3).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names[0], "pésimo", "{table}");
        assert!(table.contains("(5 others)") && table.contains("(all)"), "{table}");
    }

    #[test]
    fn a_text_cannot_take_over_the_terminal() {
        let table = table("hola\u{1b}[2J\u{202e}\u{7}\nadiós");
        assert!(!table.chars().any(|letter| letter != '\n' && letter.is_control()), "{table:?}");
        assert!(table.starts_with("hola\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}adiós\n"), "{table:?}");
    }

    #[test]
    fn a_long_text_is_shown_by_its_beginning() {
        let table = table(&"no funciona ".repeat(5_000));
        assert!(table.len() < 2_000 && table.contains('\u{2026}'), "{table}");
    }
}
