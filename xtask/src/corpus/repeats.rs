//! Rows that are not written anew: the text of another row, or a sequence of words from it.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::problem::Problem;
use super::row::{Placed, Row};
use super::words::{Vocabulary, identity, runs, words};

/// So many words in a row are no accident.
const SEQUENCE: usize = 6;

/// Every row that has its text, or a sequence of words, from one before it.
pub(crate) fn check(rows: &[Placed<Row>]) -> Vec<Problem> {
    let mut seen = Seen::default();
    rows.iter().enumerate().filter_map(|(at, placed)| seen.add(at, placed, rows)).collect()
}

/// What the rows so far said, and which row said it first.
#[derive(Default)]
struct Seen {
    texts: FxHashMap<String, usize>,
    sequences: FxHashMap<[u32; SEQUENCE], usize>,
    vocabulary: Vocabulary,
}

impl Seen {
    fn add(&mut self, at: usize, placed: &Placed<Row>, rows: &[Placed<Row>]) -> Option<Problem> {
        let words = words(&placed.row.text);
        let shared = self.add_sequences(at, &words);
        match self.texts.entry(identity(&placed.row.text, &words)) {
            Entry::Occupied(first) => {
                Some(Problem::new(&placed.place, format!("the same text as {}", rows[*first.get()].place)))
            }
            Entry::Vacant(free) => {
                free.insert(at);
                let (first, sequence) = shared?;
                Some(Problem::new(&placed.place, format!("shares `{sequence}` with {}", rows[first].place)))
            }
        }
    }

    /// Adds a row's sequences; gives the first one that another row has.
    fn add_sequences(&mut self, at: usize, words: &[String]) -> Option<(usize, String)> {
        let numbers = self.vocabulary.add(words);
        let mut shared = None;
        for (start, run) in runs::<SEQUENCE>(&numbers).enumerate() {
            let first = *self.sequences.entry(run).or_insert(at);
            if first != at && shared.is_none() {
                shared = Some((first, words[start..start + SEQUENCE].join(" ")));
            }
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::fixture::rows;

    fn problems(texts: &[&str]) -> Vec<String> {
        check(&rows(texts)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_text_that_differs_in_case_accents_and_punctuation_is_the_same() {
        assert_eq!(
            problems(&["¿Ya llegó?", "otra cosa", "ya llego"]),
            ["corpus.jsonl:3: the same text as corpus.jsonl:1"]
        );
    }

    #[test]
    fn rows_of_emoji_are_the_same_only_if_equal() {
        assert!(problems(&["👏🏽", "👏🏿", "👏🏽👏🏽"]).is_empty());
        assert_eq!(problems(&["🙄", "🙄 "]).len(), 1);
    }

    #[test]
    fn a_shared_sequence_of_six_words_is_told_once_with_its_words() {
        let found = problems(&[
            "Bueno, llevo tres días esperando una respuesta!",
            "yo LLEVO tres dias esperando una respuesta clara",
        ]);
        assert_eq!(found, ["corpus.jsonl:2: shares `llevo tres dias esperando una respuesta` with corpus.jsonl:1"]);
    }

    #[test]
    fn five_shared_words_pass() {
        assert!(
            problems(&["llevo tres días esperando una respuesta", "tres días esperando una respuesta larga"])
                .is_empty()
        );
    }

    #[test]
    fn a_row_may_repeat_itself() {
        assert!(problems(&["no no no no no no no no no"]).is_empty());
    }
}
