//! An hour of all departments: what a checkpoint takes with it as one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::HourVoices;
use crate::message::DepartmentId;

/// Who wrote what to any department within an hour. A checkpoint shares it as a whole, so that the fold hands out a pointer for an
/// hour and not one for each department in it.
#[derive(Clone, Debug, PartialEq)]
pub struct CompanyHour {
    hour: i64,
    departments: BTreeMap<u16, Arc<HourVoices>>,
}

impl CompanyHour {
    pub(super) fn new(hour: i64) -> Self {
        Self { hour, departments: BTreeMap::new() }
    }

    /// The hours of some departments; those of another hour are passed over.
    #[must_use]
    pub fn of_departments(hour: i64, departments: impl IntoIterator<Item = (DepartmentId, Arc<HourVoices>)>) -> Self {
        let of_hour = departments.into_iter().filter(|(_, voices)| voices.hour() == hour);
        Self { hour, departments: of_hour.map(|(department, voices)| (department.0, voices)).collect() }
    }

    /// Which hour since the epoch.
    #[must_use]
    pub const fn hour(&self) -> i64 {
        self.hour
    }

    /// Those with a message, by number.
    pub fn departments(&self) -> impl ExactSizeIterator<Item = (DepartmentId, &Arc<HourVoices>)> {
        self.departments.iter().map(|(number, hour)| (DepartmentId(*number), hour))
    }

    /// A department's hour, where it has a message.
    pub(super) fn of(&self, department: DepartmentId) -> Option<&HourVoices> {
        self.departments.get(&department.0).map(Arc::as_ref)
    }

    /// A department's hour, to be changed.
    pub(super) fn of_mut(&mut self, department: DepartmentId) -> &mut HourVoices {
        let hour = self.hour;
        Arc::make_mut(self.departments.entry(department.0).or_insert_with(|| Arc::new(HourVoices::new(hour))))
    }

    /// Takes in a department's hour.
    pub(super) fn merge(&mut self, department: DepartmentId, hour: &Arc<HourVoices>) {
        match self.departments.get_mut(&department.0) {
            Some(known) => Arc::make_mut(known).merge(hour),
            None => drop(self.departments.insert(department.0, Arc::clone(hour))),
        }
    }

    /// Whether any department has stretches of 5 minutes that end at that minute or before.
    pub(super) fn has_fine_before(&self, minute: i64) -> bool {
        self.departments.values().any(|hour| hour.has_fine_before(minute))
    }

    /// Lets these join their halves of the hour.
    pub(super) fn coarsen(&mut self, minute: i64) {
        for hour in self.departments.values_mut().filter(|hour| hour.has_fine_before(minute)) {
            Arc::make_mut(hour).coarsen(minute);
        }
    }
}
