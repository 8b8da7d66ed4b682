//! Word lists and emoji rankings.

use super::Row;
use crate::message::Language;
use crate::score::labels::{self, Targets};

/// A word's valence must be at least this far from 0 to say anything.
const MIN_VALENCE: f32 = 1.0;

/// A line of a word list: `word<TAB>valence`, further columns ignored.
pub(super) fn word(line: &str, language: Option<Language>) -> Result<Row, String> {
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
    Ok(Row { targets, ..Row::of(word, language)? })
}

/// A line of the Emoji Sentiment Ranking: counts of negative, neutral, positive in columns 5 to 7.
pub(super) fn emoji(line: &str) -> Result<Row, String> {
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
    Ok(Row { targets, ..Row::of(emoji, None)? })
}
