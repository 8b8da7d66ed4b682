//! The one thing that goes wrong in the demo.

use std::time::Duration;

use super::departments::DEPARTMENTS;
use crate::message::EventTime;

/// When the incident starts, counted from the start of the live part.
pub(crate) const STARTS_AFTER: Duration = Duration::from_secs(45 * 60);

/// When it is over, counted from the start of the live part.
pub(crate) const ENDS_AFTER: Duration = Duration::from_secs(75 * 60);

/// How many times its usual volume the department has meanwhile: people in trouble write more.
const SURGE: f64 = 2.5;

/// A department's bad half-hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Place of the department in the demo's company.
    pub department: usize,
    /// Its first moment.
    pub started: EventTime,
    /// The first moment after it.
    pub ended: EventTime,
}

impl Incident {
    /// The incident of a live part that starts at `since`.
    pub(crate) fn after(since: EventTime, department: usize) -> Self {
        Self { department, started: since.plus(STARTS_AFTER), ended: since.plus(ENDS_AFTER) }
    }

    /// Id of the department.
    #[must_use]
    pub fn department_id(&self) -> &'static str {
        DEPARTMENTS[self.department].id
    }

    /// Whether it troubles that department at that moment.
    #[must_use]
    pub fn hits(&self, department: usize, at: EventTime) -> bool {
        department == self.department && self.started <= at && at < self.ended
    }

    /// By how much it multiplies that department's volume at that moment.
    pub(crate) fn surge(&self, department: usize, at: EventTime) -> f64 {
        if self.hits(department, at) { SURGE } else { 1.0 }
    }
}
