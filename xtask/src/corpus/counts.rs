//! How many rows there are of each kind, and how many there must be.

use super::problem::Problem;
use super::row::{Placed, Row};
use super::sets::{Author, Channel, Language, Sector};

/// Customers' rows by language.
const LANGUAGES: [(Language, usize); 3] = [(Language::Es, 2000), (Language::En, 1000), (Language::Pt, 400)];
/// Rows of each channel and of each sector.
const EACH_CHANNEL: usize = 300;
const EACH_SECTOR: usize = 300;
/// Turns of agents, and turns of bots.
const EACH_OTHER_AUTHOR: usize = 50;
/// Rows labelled a second time.
const SECOND: usize = 300;

/// A kind of which there are too few rows, for each.
pub(crate) fn check(rows: &[Placed<Row>], twice: usize) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut least = |kind: &str, found: usize, wanted: usize| {
        if found < wanted {
            problems.push(Problem::new(&"models/corpus", format!("{found} rows {kind}, at least {wanted} are wanted")));
        }
    };
    for (language, wanted) in LANGUAGES {
        let found = count(rows, |row| row.language == language && row.author == Author::Customer);
        least(&format!("by customers in {}", language.name()), found, wanted);
    }
    for channel in Channel::ALL {
        least(&format!("of channel {}", channel.name()), count(rows, |row| row.channel == *channel), EACH_CHANNEL);
    }
    for sector in Sector::ALL {
        least(&format!("of sector {}", sector.name()), count(rows, |row| row.sector == *sector), EACH_SECTOR);
    }
    for author in [Author::Agent, Author::Bot] {
        least(&format!("by {}s", author.name()), count(rows, |row| row.author == author), EACH_OTHER_AUTHOR);
    }
    least("labelled a second time", twice, SECOND);
    problems
}

/// The rows of a kind.
pub(crate) fn count(rows: &[Placed<Row>], kind: impl Fn(&Row) -> bool) -> usize {
    rows.iter().filter(|placed| kind(&placed.row)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::fixture::{placed, row};

    /// Enough of everything, less one of what `skip` names.
    fn shortage(skip: impl Fn(&Row) -> bool) -> Vec<String> {
        let mut rows = Vec::new();
        for channel in Channel::ALL {
            for sector in Sector::ALL {
                rows.extend((0..70).map(|at| Row {
                    channel: *channel,
                    sector: *sector,
                    language: language(at),
                    ..row("")
                }));
            }
        }
        for author in [Author::Agent, Author::Bot] {
            rows.extend((0..EACH_OTHER_AUTHOR).map(|_| Row { author, ..row("") }));
        }
        if let Some(at) = rows.iter().position(skip) {
            rows.remove(at);
        }
        check(&placed(rows), SECOND).iter().map(ToString::to_string).collect()
    }

    fn language(at: usize) -> Language {
        [Language::Es, Language::Es, Language::En, Language::Es, Language::Pt, Language::En][at % 6]
    }

    #[test]
    fn enough_of_everything_is_no_problem() {
        assert!(shortage(|_| false).is_empty());
    }

    #[test]
    fn one_bots_turn_too_few_is_told_with_both_numbers() {
        assert_eq!(
            shortage(|row| row.author == Author::Bot),
            ["models/corpus: 49 rows by bots, at least 50 are wanted"]
        );
    }

    #[test]
    fn a_corpus_without_rows_lacks_every_kind() {
        let kinds = LANGUAGES.len() + Channel::ALL.len() + Sector::ALL.len() + 2;
        assert_eq!(check(&[], SECOND).len(), kinds);
        assert_eq!(check(&[], SECOND - 1).len(), kinds + 1);
    }
}
