//! The departments by number, so that hot paths index arrays instead of comparing names.

use super::{Config, DepartmentConfig};
use crate::message::{DepartmentId, SignalSet};

/// Name of the department that takes the messages of unknown ones.
pub const OTHER: &str = "other";

/// Every department of the config in its order, and `other`, which is added at the end where the config does not name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    departments: Vec<DepartmentConfig>,
    by_name: Vec<DepartmentId>,
    other: DepartmentId,
    company_team: String,
    /// What makes a message severe, by department.
    severe: Vec<SignalSet>,
}

impl Roster {
    /// Numbers the departments of a validated config (at most 65,535 of them).
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut departments = config.departments.clone();
        if !departments.iter().any(|department| department.id == OTHER) {
            departments.push(DepartmentConfig::named(OTHER));
        }
        let position = departments.iter().position(|department| department.id == OTHER).unwrap_or_default();
        let mut by_name: Vec<DepartmentId> = (0..departments.len()).map(id_at).collect();
        by_name.sort_unstable_by(|one, other| departments[one.index()].id.cmp(&departments[other.index()].id));
        let severe = departments.iter().map(|department| config.detect.severe_of(department)).collect();
        let company_team = config.detect.company_team.clone();
        Self { other: id_at(position), departments, by_name, company_team, severe }
    }

    /// How many departments there are, `other` included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a roster always holds `other`")]
    pub fn len(&self) -> usize {
        self.departments.len()
    }

    /// The department that takes the messages of unknown ones.
    #[must_use]
    pub fn other(&self) -> DepartmentId {
        self.other
    }

    /// The config of a department.
    ///
    /// # Panics
    /// If the number is not of this roster.
    #[must_use]
    pub fn get(&self, id: DepartmentId) -> &DepartmentConfig {
        &self.departments[id.index()]
    }

    /// The signals that make a message of a department severe.
    ///
    /// # Panics
    /// If the number is not of this roster.
    #[must_use]
    pub fn severe(&self, id: DepartmentId) -> SignalSet {
        self.severe[id.index()]
    }

    /// The team that is paged for the company as a whole.
    #[must_use]
    pub fn company_team(&self) -> &str {
        &self.company_team
    }

    /// The number of the department of exactly that id.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<DepartmentId> {
        self.departments.iter().position(|department| department.id == name).map(id_at)
    }

    /// The departments in the order of their ids.
    #[must_use]
    pub fn by_name(&self) -> &[DepartmentId] {
        &self.by_name
    }

    /// Whether every name leads to the department of the same number in both.
    #[must_use]
    pub fn routes_as(&self, other: &Self) -> bool {
        let names = |department: &DepartmentConfig| (department.id.clone(), department.aliases.clone());
        self.departments.iter().map(names).eq(other.departments.iter().map(names))
    }

    /// Every department with its number, in order.
    pub fn iter(&self) -> impl Iterator<Item = (DepartmentId, &DepartmentConfig)> {
        self.departments.iter().enumerate().map(|(position, department)| (id_at(position), department))
    }
}

/// The number of a place; validation keeps rosters below 65,536.
fn id_at(position: usize) -> DepartmentId {
    DepartmentId(u16::try_from(position).unwrap_or(u16::MAX))
}
