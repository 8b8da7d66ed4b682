//! Which letters a replay puts back, and why the others stay.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bounds, Place, Row};
use crate::message::LetterReason;

/// Why a letter stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// A replay has put it back already.
    Replayed,
    /// A letter before it is of the same record.
    Repeated,
    /// It does not hold all that its record held.
    Cut,
    /// Its topic is none of `kafka.topics`.
    Topic,
    /// It was late, and would be later still.
    Late,
}

impl Skip {
    /// Why, in a few words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replayed => "put back before",
            Self::Repeated => "of a record that another letter is of",
            Self::Cut => "cut to fit, so not whole",
            Self::Topic => "from a topic that is not in kafka.topics",
            Self::Late => "late, and would be late again (--reason late puts them back all the same)",
        }
    }
}

/// What a replay will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The letters to be put back.
    pub letters: BTreeSet<Place>,
    /// How many of them, by topic and reason.
    pub counts: BTreeMap<(String, String), u64>,
    /// How many stay, and why.
    pub skipped: BTreeMap<Skip, u64>,
    /// How many wait for another run because of the limit.
    pub left: u64,
}

impl Plan {
    /// Takes the first `limit` letters that can be put back. Late ones only where they are asked for by name.
    #[must_use]
    pub fn new(rows: &[Row], topics: &[String], limit: Option<usize>, asks_for_late: bool) -> Self {
        let mut plan = Self::default();
        for row in rows {
            if let Some(skip) = skip(row, topics, asks_for_late) {
                *plan.skipped.entry(skip).or_default() += 1;
            } else if limit.is_some_and(|limit| plan.letters.len() >= limit) {
                plan.left += 1;
            } else {
                plan.letters.insert(row.place);
                *plan.counts.entry((row.source.topic.clone(), row.reason.clone())).or_default() += 1;
            }
        }
        plan
    }

    /// The topics that letters return to.
    #[must_use]
    pub fn topics(&self) -> BTreeSet<&str> {
        self.counts.keys().map(|(topic, _)| topic.as_str()).collect()
    }

    /// From the first to the last letter of each partition.
    pub(super) fn bounds(&self) -> Vec<Bounds> {
        let mut bounds: BTreeMap<i32, Bounds> = BTreeMap::new();
        for Place { partition, offset } in self.letters.iter().copied() {
            let first = Bounds { partition, first: offset, end: offset + 1 };
            bounds.entry(partition).or_insert(first).end = offset + 1;
        }
        bounds.into_values().collect()
    }
}

fn skip(row: &Row, topics: &[String], asks_for_late: bool) -> Option<Skip> {
    if row.replayed {
        Some(Skip::Replayed)
    } else if row.repeated {
        Some(Skip::Repeated)
    } else if row.cut.is_some() {
        Some(Skip::Cut)
    } else if !topics.contains(&row.source.topic) {
        Some(Skip::Topic)
    } else if row.reason == LetterReason::Late.as_str() && !asks_for_late {
        Some(Skip::Late)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letters::letter::{Cut, Source};

    fn row(partition: i32, offset: i64, topic: &str) -> Row {
        Row {
            place: Place { partition, offset },
            source: Source { topic: topic.to_owned(), partition: 0, offset: 0 },
            reason: "not_json".to_owned(),
            error: String::new(),
            received_at: String::new(),
            received: None,
            bytes: None,
            department: None,
            cut: None,
            replayed: false,
            repeated: false,
        }
    }

    #[test]
    fn what_is_not_whole_not_ours_or_back_already_stays() {
        let rows = [
            row(0, 1, "chats"),
            Row { replayed: true, ..row(0, 2, "chats") },
            Row { repeated: true, ..row(0, 6, "chats") },
            Row { cut: Some(Cut::Truncated(70_000)), ..row(0, 3, "chats") },
            Row { cut: Some(Cut::Stub(9)), ..row(0, 4, "chats") },
            row(0, 5, "elsewhere"),
        ];
        let plan = Plan::new(&rows, &["chats".to_owned()], None, false);
        assert_eq!(plan.letters, BTreeSet::from([Place { partition: 0, offset: 1 }]));
        assert_eq!(
            plan.skipped,
            BTreeMap::from([(Skip::Replayed, 1), (Skip::Repeated, 1), (Skip::Cut, 2), (Skip::Topic, 1)])
        );
        assert_eq!(plan.topics(), BTreeSet::from(["chats"]));
    }

    #[test]
    fn late_letters_are_put_back_only_where_they_are_asked_for_by_name() {
        let rows = [Row { reason: "late".to_owned(), ..row(0, 1, "chats") }, row(0, 2, "chats")];
        let plan = |asks_for_late| Plan::new(&rows, &["chats".to_owned()], None, asks_for_late);
        assert_eq!(plan(false).skipped, BTreeMap::from([(Skip::Late, 1)]));
        assert_eq!(plan(false).letters, BTreeSet::from([Place { partition: 0, offset: 2 }]));
        assert_eq!((plan(true).skipped.len(), plan(true).letters.len()), (0, 2));
    }

    #[test]
    fn a_limit_counts_only_what_is_put_back() {
        let rows = [row(0, 1, "elsewhere"), row(1, 8, "chats"), row(1, 2, "chats"), row(0, 3, "chats")];
        let plan = Plan::new(&rows, &["chats".to_owned()], Some(2), false);
        assert_eq!((plan.letters.len(), plan.left), (2, 1));
        assert_eq!(plan.bounds(), [Bounds { partition: 1, first: 2, end: 9 }]);
    }
}
