//! What a history is made of.

use rustc_hash::FxHashMap;

use super::{HistoryError, Step};
use crate::config::{DepartmentConfig, is_department_id};
use crate::message::{DepartmentId, EventTime, ModelId};
use crate::window::Tally;

/// A department's messages of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// When the step starts.
    pub start: EventTime,
    /// Whose.
    pub department: DepartmentId,
    /// What was counted.
    pub tally: Tally,
    /// Messages that a person must read; files of counts know none.
    pub severe: u32,
}

/// Rows in order of time.
pub trait History {
    /// How long the step of a row is.
    fn step(&self) -> Step;

    /// When the last row's step starts, as far as that is known before all are read.
    fn last_start(&self) -> Option<EventTime>;

    /// The model that scored it; of counts nobody knows.
    fn model(&self) -> ModelId {
        ModelId::UNKNOWN
    }

    /// The next row; departments that are new are named. None at the end.
    ///
    /// # Errors
    /// If the history cannot be read, or something in it cannot be used.
    fn next_row(&mut self, names: &mut Names) -> Result<Option<Row>, HistoryError>;
}

/// The departments by number, in the order in which they were named.
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: Vec<String>,
    numbers: FxHashMap<Box<[u8]>, DepartmentId>,
}

/// Why a name is no department's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadName {
    /// Not as an id must be.
    NoId,
    /// One more than there may be.
    TooMany,
}

impl Names {
    /// The departments of a validated config, in its order.
    #[must_use]
    pub fn configured(departments: &[DepartmentConfig]) -> Self {
        let mut names = Self::default();
        for department in departments {
            // Validation holds ids to what is an id, and their number far below what fits.
            names.number(department.id.as_bytes()).ok();
        }
        names
    }

    /// How many there may be.
    pub const MOST: usize = u16::MAX as usize;

    /// The departments so far.
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.names
    }

    /// The number of a department, which is named where it is new.
    pub(super) fn number(&mut self, name: &[u8]) -> Result<DepartmentId, BadName> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let id = std::str::from_utf8(name).ok().filter(|id| is_department_id(id)).ok_or(BadName::NoId)?;
        let number = u16::try_from(self.names.len()).ok().filter(|number| usize::from(*number) < Self::MOST);
        let number = DepartmentId(number.ok_or(BadName::TooMany)?);
        self.names.push(id.to_owned());
        self.numbers.insert(name.into(), number);
        Ok(number)
    }

    /// The number of a department that is named already.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<DepartmentId> {
        self.numbers.get(name.as_bytes()).copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_and_must_be_an_id() {
        let mut names = Names::default();
        assert_eq!(names.number(b"billing"), Ok(DepartmentId(0)));
        assert_eq!(names.number(b"care"), Ok(DepartmentId(1)));
        assert_eq!(names.number(b"billing"), Ok(DepartmentId(0)));
        assert_eq!(names.number("facturación".as_bytes()), Err(BadName::NoId));
        assert_eq!(names.number(b"\xff"), Err(BadName::NoId));
        assert_eq!(names.find("care"), Some(DepartmentId(1)));
    }

    #[test]
    fn there_are_65535_departments_at_most() {
        let mut names = Names::default();
        for number in 0..Names::MOST {
            names.number(format!("d{number}").as_bytes()).unwrap();
        }
        assert_eq!(names.number(b"one-more"), Err(BadName::TooMany));
        assert_eq!(names.number(b"d7"), Ok(DepartmentId(7)));
    }
}
