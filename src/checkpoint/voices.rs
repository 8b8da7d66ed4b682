//! Who wrote what in an hour, by the ids of the departments.

use std::sync::Arc;

use crate::message::DepartmentId;
use crate::voices::{CompanyHour, HourVoices};

/// An hour of all departments, shared with the fold that noted it. Ids and not numbers are what is saved: departments are given theirs
/// when it is written, by whoever writes, and not while the fold waits.
#[derive(Clone, Debug, Default)]
pub struct SavedVoices {
    /// By number.
    ids: Arc<[Arc<str>]>,
    /// None where nobody wrote.
    hour: Option<Arc<CompanyHour>>,
}

impl SavedVoices {
    /// An hour, and the ids of all departments by number.
    #[must_use]
    pub fn new(ids: Arc<[Arc<str>]>, hour: Arc<CompanyHour>) -> Self {
        Self { ids, hour: Some(hour) }
    }

    /// That hour of these departments; each is named once.
    #[must_use]
    pub fn of(hour: i64, departments: Vec<(Arc<str>, Arc<HourVoices>)>) -> Self {
        let (ids, hours): (Vec<_>, Vec<_>) = departments.into_iter().unzip();
        let numbered = (0_u16..).map(DepartmentId).zip(hours);
        Self::new(ids.into(), Arc::new(CompanyHour::of_departments(hour, numbered)))
    }

    /// Which hour since the epoch; none of nothing.
    #[must_use]
    pub fn hour(&self) -> Option<i64> {
        self.hour.as_ref().map(|hour| hour.hour())
    }

    /// Departments with a message, in the order of their ids.
    #[must_use]
    pub fn departments(&self) -> Vec<(&Arc<str>, &Arc<HourVoices>)> {
        let all = self.hour.iter().flat_map(|hour| hour.departments());
        let mut named: Vec<_> = all.filter_map(|(number, hour)| Some((self.ids.get(number.index())?, hour))).collect();
        named.sort_unstable_by_key(|(id, _)| *id);
        named
    }

    /// Whether both are the very same: nobody wrote anything in between.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let is_same_hour = match (&self.hour, &other.hour) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        is_same_hour && Arc::ptr_eq(&self.ids, &other.ids)
    }
}

impl PartialEq for SavedVoices {
    fn eq(&self, other: &Self) -> bool {
        self.departments() == other.departments()
    }
}
