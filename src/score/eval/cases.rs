//! Labelled texts as a scorer saw them.

use super::figures::{FrustrationCase, SentimentCase};
use super::language::LanguageCase;
use super::parts::Part;
use super::windows::WindowCase;
use crate::message::{Score, SignalSet};
use crate::score::data::Row;
use crate::score::normalise::{Normaliser, TokenKind};
use crate::score::{Scorer, Text};

/// Texts handed to the scorer at once.
const BATCH: usize = 256;

/// A row and what the scorer said of it; a head without a label has none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) sentiment: Option<SentimentCase>,
    pub(super) frustration: Option<FrustrationCase>,
    /// Labelled, said.
    pub(super) signals: Option<(SignalSet, SignalSet)>,
    pub(super) language: Option<LanguageCase>,
    /// As windows count it: negative, frustrated.
    pub(super) in_windows: [Option<WindowCase>; 2],
}

/// Scores a part's rows; one case for each, in order.
pub(super) fn score(part: &Part<'_>, scorer: &mut dyn Scorer) -> Vec<Case> {
    let mut cases = Vec::with_capacity(part.rows.len());
    let mut scores = Vec::with_capacity(BATCH);
    let mut normaliser = Normaliser::default();
    for rows in part.rows.chunks(BATCH) {
        scores.clear();
        let texts: Vec<Text<'_>> = rows.iter().map(|row| Text { text: &row.text, language: None }).collect();
        scorer.score(&texts, &mut scores);
        cases.extend(rows.iter().zip(&scores).map(|(row, score)| Case::of(row, score, &mut normaliser)));
    }
    cases
}

impl Case {
    fn of(row: &Row, score: &Score, normaliser: &mut Normaliser) -> Self {
        Self {
            sentiment: row.targets.sentiment_label().map(|label| SentimentCase::new(label, score)),
            frustration: row
                .targets
                .frustrated
                .map(|frustrated| FrustrationCase { frustrated, score: score.frustration.get() }),
            signals: row.signals.map(|labelled| (labelled, score.signals)),
            language: row.language.map(|language| LanguageCase {
                right: language == score.language,
                words: words(&row.text, normaliser),
            }),
            in_windows: [WindowCase::negative(row, score), WindowCase::frustrated(row, score)],
        }
    }
}

/// Words of a text; names, links, hashtags and numbers are none.
fn words(text: &str, normaliser: &mut Normaliser) -> usize {
    let mut words = 0;
    normaliser.tokens(text, |token| words += usize::from(token.kind == TokenKind::Word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_links_hashtags_and_numbers_are_no_words() {
        let count = |text| words(text, &mut Normaliser::default());
        assert_eq!(count("@banco sigo esperando 3 horas #harto https://a.example 😡!!"), 3);
        assert_eq!(count("ok"), 1);
    }
}
