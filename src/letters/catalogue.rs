//! What the dead-letter topic holds, without the values.

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
    /// Whether a replay has put it back.
    pub replayed: bool,
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
        }
    }
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
        reader.read(&bounds, |place, record| {
            match Kind::of(place, record) {
                Kind::Letter(letter) if filter.takes(&letter) => {
                    rows.push(Row::new(&letter, filter.department_of(&letter)));
                }
                Kind::Receipt(receipt) => replayed.add(&receipt),
                Kind::Letter(_) | Kind::Foreign => {}
            }
            Ok(())
        })?;
        for row in &mut rows {
            row.replayed = replayed.contains(row.place);
        }
        rows.sort_by_key(|row| (row.received, row.place));
        Ok(Self { rows })
    }
}
