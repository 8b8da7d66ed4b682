//! What the dead-letter topic holds, without the values.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::message::{DepartmentId, EventTime};

use super::letter::{Cut, Kind, Letter, Source};
use super::receipt::Replayed;
use super::{Filter, LettersError, Place, Reader};

/// What is known of a letter without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub place: Place,
    /// Where its record stood.
    pub source: Source,
    /// Why it cannot be used.
    pub reason: String,
    /// What exactly is wrong.
    pub error: String,
    /// When it was read, as it was written.
    pub received_at: String,
    /// The same as a moment; none where it is none.
    pub received: Option<EventTime>,
    /// How long its value is; none where it has none.
    pub bytes: Option<usize>,
    /// Whose message it would have been, where its JSON can be read.
    pub department: Option<DepartmentId>,
    /// What it lacks.
    pub cut: Option<Cut>,
    /// Whether a replay has put its record back, by this letter or by another one of it.
    pub replayed: bool,
    /// Whether a letter before it is of the same record: a daemon that dies writes those since its last checkpoint once more.
    pub repeated: bool,
}

impl Row {
    fn new(letter: &Letter, department: Option<DepartmentId>) -> Self {
        Self {
            place: letter.place,
            source: letter.source.clone(),
            reason: letter.reason.clone(),
            error: letter.error.clone(),
            received_at: letter.received_at.clone(),
            received: letter.received(),
            bytes: letter.value.as_ref().map(Vec::len),
            department,
            cut: letter.cut,
            replayed: false,
            repeated: false,
        }
    }
}

/// What tells the records of letters apart: where they stood, and a digest, since a topic made anew has the same places again.
type Identity = (Source, u64);

fn identity(letter: &Letter) -> Identity {
    let mut digest = DefaultHasher::new();
    (&letter.key, &letter.value).hash(&mut digest);
    (letter.source.clone(), digest.finish())
}

/// The letters that a filter takes.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The letters, the oldest first.
    pub rows: Vec<Row>,
}

impl Catalogue {
    /// Reads the whole topic.
    ///
    /// # Errors
    /// If the topic cannot be read.
    pub fn read(reader: &Reader, filter: &Filter) -> Result<Self, LettersError> {
        let bounds = reader.bounds()?;
        let (mut rows, mut replayed) = (Vec::new(), Replayed::default());
        let mut copies: HashMap<Identity, Vec<Place>> = HashMap::new();
        reader.read(&bounds, |place, record| {
            match Kind::of(place, record) {
                Kind::Letter(letter) => {
                    let identity = identity(&letter);
                    copies.entry(identity.clone()).or_default().push(place);
                    if filter.takes(&letter) {
                        rows.push((identity, Row::new(&letter, filter.department_of(&letter))));
                    }
                }
                Kind::Receipt(receipt) => replayed.add(&receipt),
                Kind::Foreign => {}
            }
            Ok(())
        })?;
        rows.sort_by_key(|(_, row)| (row.received, row.place));
        let mut seen = HashSet::new();
        for (identity, row) in &mut rows {
            row.replayed = copies.get(identity).into_iter().flatten().any(|copy| replayed.contains(*copy));
            row.repeated = !seen.insert(identity.clone());
        }
        Ok(Self { rows: rows.into_iter().map(|(_, row)| row).collect() })
    }
}
