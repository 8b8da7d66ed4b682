//! Texts that are not written anew: that of another row, nearly that, or a sequence of words from it.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::near::Near;
use super::problem::{Place, Problem};
use super::words::{Vocabulary, identity, runs, words};

/// So many words in a row are no accident.
const SEQUENCE: usize = 6;

/// Every text that equals one before it, nearly equals one, or has a sequence of words from one.
pub(crate) fn check(texts: &[(&Place, &str)]) -> Vec<Problem> {
    let words: Vec<Vec<String>> = texts.iter().map(|(_, text)| words(text)).collect();
    let near = Near::new(&words);
    let mut seen = Seen::default();
    let mut problems = Vec::new();
    for (at, (place, text)) in texts.iter().enumerate() {
        let repeated = seen.add(at, text, &words[at]).or_else(|| nearly(&near, at));
        problems.extend(repeated.map(|(first, how)| Problem::new(place, format!("{how} {}", texts[first].0))));
    }
    problems
}

fn nearly(near: &Near, at: usize) -> Option<(usize, String)> {
    let (first, similarity) = near.nearest_before(at)?;
    Some((first, format!("nearly the same ({similarity:.2}) as")))
}

/// What the texts so far said, and which said it first.
#[derive(Default)]
struct Seen {
    texts: FxHashMap<String, usize>,
    sequences: FxHashMap<[u32; SEQUENCE], usize>,
    vocabulary: Vocabulary,
}

impl Seen {
    /// Adds a text; gives the one before it that it repeats, and how.
    fn add(&mut self, at: usize, text: &str, words: &[String]) -> Option<(usize, String)> {
        let shared = self.add_sequences(at, words);
        match self.texts.entry(identity(text, words)) {
            Entry::Occupied(first) => Some((*first.get(), "the same text as".to_owned())),
            Entry::Vacant(free) => {
                free.insert(at);
                shared.map(|(first, sequence)| (first, format!("shares `{sequence}` with")))
            }
        }
    }

    /// Adds a text's sequences; gives the first one that another has.
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
        let rows = rows(texts);
        let texts: Vec<_> = rows.iter().map(|placed| (&placed.place, placed.row.text.as_str())).collect();
        check(&texts).iter().map(ToString::to_string).collect()
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
        let texts =
            ["llevo tres días esperando una respuesta", "tres días esperando una respuesta que nadie quiere dar"];
        assert!(problems(&texts).is_empty());
    }

    #[test]
    fn a_text_with_a_word_changed_is_told() {
        let found = problems(&["llevo tres días sin que nadie conteste", "llevo cinco dias sin que nadie conteste"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("nearly the same (0."), "{found:?}");
    }

    #[test]
    fn a_row_may_repeat_itself() {
        assert!(problems(&["no no no no no no no no no"]).is_empty());
    }
}
