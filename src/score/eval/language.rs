//! How well languages are told apart.

use serde::Serialize;

use super::figures::share;

/// From so many words on, a text says enough for its language to be told.
pub const ENOUGH_WORDS: usize = 3;

/// A text whose language is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct LanguageCase {
    pub(super) right: bool,
    pub(super) words: usize,
}

/// Figures of the language, each 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LanguageFigures {
    /// Rows whose language is known.
    pub rows: usize,
    /// Share of texts whose language was found.
    pub accuracy: f64,
    /// Rows among them with [`ENOUGH_WORDS`] words or more; names, links, hashtags and numbers are no words.
    pub rows_of_3_words: usize,
    /// Share of those whose language was found; absent where there are none.
    pub accuracy_of_3_words: Option<f64>,
}

impl LanguageFigures {
    pub(super) fn of(cases: &[LanguageCase]) -> Option<Self> {
        let long: Vec<LanguageCase> = cases.iter().filter(|case| case.words >= ENOUGH_WORDS).copied().collect();
        Some(Self {
            rows: cases.len(),
            accuracy: accuracy(cases)?,
            rows_of_3_words: long.len(),
            accuracy_of_3_words: accuracy(&long),
        })
    }
}

fn accuracy(cases: &[LanguageCase]) -> Option<f64> {
    share(cases.iter().filter(|case| case.right).count(), cases.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_count_among_all_alone() {
        let case = |right, words| LanguageCase { right, words };
        let figures = LanguageFigures::of(&[case(false, 1), case(true, 3), case(true, 8), case(false, 2)]).unwrap();
        assert_eq!((figures.rows, figures.accuracy), (4, 0.5));
        assert_eq!((figures.rows_of_3_words, figures.accuracy_of_3_words), (2, Some(1.0)));
        assert_eq!(LanguageFigures::of(&[case(true, 2)]).unwrap().accuracy_of_3_words, None);
    }
}
