//! What figures are given for: each set, or groups of the rows of all sets.

use std::collections::BTreeMap;

use super::seen::Seen;
use crate::score::data::{DataSet, Row};

/// What rows are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The labelled language.
    Language,
    /// How it was sent.
    Channel,
    /// Whose words it is in.
    Region,
    /// What business it is about.
    Sector,
}

/// The group of rows that do not say.
const NOT_SAID: &str = "not said";

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Language, Self::Channel, Self::Region, Self::Sector];

    /// Its name on the command line and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Language => "language",
            Self::Channel => "channel",
            Self::Region => "region",
            Self::Sector => "sector",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }

    fn of(self, row: &Row) -> Option<&str> {
        match self {
            Self::Language => row.language.map(|language| language.as_str()),
            Self::Channel => row.origin.channel.as_deref(),
            Self::Region => row.origin.region.as_deref(),
            Self::Sector => row.origin.sector.as_deref(),
        }
    }
}

/// Rows that get figures of their own.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What the rows were grouped by; nothing where the part is a set, or all rows.
    pub by: Option<By>,
    /// The set's name and language, or the group's.
    pub name: String,
    /// Labelled rows.
    pub rows: Vec<&'a Row>,
    /// Rows left out because they have no label.
    pub unlabelled: usize,
    /// Rows left out because training saw their texts.
    pub seen: usize,
}

impl<'a> Part<'a> {
    /// A whole set.
    #[must_use]
    pub fn set(set: &'a DataSet) -> Self {
        Self {
            by: None,
            name: set.full_name(),
            rows: set.rows.iter().collect(),
            unlabelled: set.unlabelled.len(),
            seen: 0,
        }
    }

    /// The rows of all sets.
    #[must_use]
    pub fn all(sets: &'a [DataSet]) -> Self {
        Self {
            by: None,
            name: "all".to_owned(),
            rows: sets.iter().flat_map(|set| &set.rows).collect(),
            unlabelled: sets.iter().map(|set| set.unlabelled.len()).sum(),
            seen: 0,
        }
    }
}

impl Part<'_> {
    /// Leaves out the rows whose texts were seen in training.
    pub fn leave_out(&mut self, seen: &mut Seen) {
        let before = self.rows.len();
        self.rows.retain(|row| !seen.has(row));
        self.seen = before - self.rows.len();
    }
}

/// A part's name with what it was grouped by, for people.
pub(super) fn title(by: Option<&str>, name: &str) -> String {
    by.map_or_else(|| name.to_owned(), |by| format!("{by} {name}"))
}

/// The rows of all sets in groups, the largest first. Nothing where no row says its group.
#[must_use]
pub fn groups(sets: &[DataSet], by: By) -> Option<Vec<Part<'_>>> {
    let mut groups: BTreeMap<&str, Part<'_>> = BTreeMap::new();
    for set in sets {
        for row in &set.rows {
            group(&mut groups, by, row).rows.push(row);
        }
        for row in &set.unlabelled {
            group(&mut groups, by, row).unlabelled += 1;
        }
    }
    let mut groups: Vec<_> = groups.into_values().filter(|part| !part.rows.is_empty()).collect();
    groups.sort_by_key(|part| std::cmp::Reverse(part.rows.len()));
    groups.iter().any(|part| part.name != NOT_SAID).then_some(groups)
}

/// The group that a row belongs to.
fn group<'g, 'a>(groups: &'g mut BTreeMap<&'a str, Part<'a>>, by: By, row: &'a Row) -> &'g mut Part<'a> {
    let name = by.of(row).unwrap_or(NOT_SAID);
    let empty = || Part { by: Some(by), name: name.to_owned(), rows: Vec::new(), unlabelled: 0, seen: 0 };
    groups.entry(name).or_insert_with(empty)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::score::data;
    use crate::score::recipe::Recipe;

    fn set(lines: &str) -> DataSet {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made.jsonl");
        std::fs::write(&path, lines).unwrap();
        data::read(&path, &Recipe::default(), None).unwrap()
    }

    #[test]
    fn groups_join_the_rows_of_all_sets_the_largest_first() {
        let sets = [
            set(
                "{\"text\":\"a\",\"label\":\"neutral\",\"region\":\"es\"}\n{\"text\":\"b\",\"label\":\"neutral\",\"region\":\"mx\"}\n",
            ),
            set(
                "{\"text\":\"c\",\"label\":\"neutral\",\"region\":\"mx\"}\n{\"text\":\"d\",\"label\":\"neutral\"}\n{\"text\":\"e\",\"region\":\"mx\"}\n",
            ),
        ];
        let groups = groups(&sets, By::Region).unwrap();
        let told: Vec<_> = groups
            .iter()
            .map(|part| (title(part.by.map(By::as_str), &part.name), part.rows.len(), part.unlabelled))
            .collect();
        let wanted = [("region mx", 2, 1), ("region es", 1, 0), ("region not said", 1, 0)];
        assert_eq!(told, wanted.map(|(title, rows, unlabelled)| (title.to_owned(), rows, unlabelled)));
        assert_eq!(Part::all(&sets).rows.len(), 4);
    }

    #[test]
    fn rows_that_say_no_group_give_none() {
        let sets = [set("{\"text\":\"a\",\"label\":\"neutral\"}\n")];
        assert!(groups(&sets, By::Channel).is_none() && groups(&sets, By::Language).is_none());
    }
}
