//! What follows the `?`: read by name, and answered in words of our own where it cannot be used.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

use super::problem::Problem;

/// The parts of a query as they come.
pub(super) type Parts = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// A path that takes a query.
pub(super) struct Form {
    /// The parts that it knows.
    pub(super) names: &'static [&'static str],
    /// How it is asked with all of them.
    pub(super) example: &'static str,
}

/// A query of known parts, each there once at most.
#[derive(Debug)]
pub(super) struct Asked(Vec<(String, String)>);

impl Form {
    /// Takes a query that holds nothing but known parts.
    pub(super) fn read(&self, parts: Parts) -> Result<Asked, Problem> {
        let unreadable = |_| Problem::bad_request(format!("the query cannot be read; write {}", self.example));
        let Query(parts) = parts.map_err(unreadable)?;
        for (place, (name, _)) in parts.iter().enumerate() {
            if !self.names.contains(&name.as_str()) {
                return Err(Problem::bad_request(format!("`{name}` is not known here; write {}", self.example)));
            }
            if parts[..place].iter().any(|(other, _)| other == name) {
                return Err(Problem::bad_request(format!("`{name}` is there twice; write it once")));
            }
        }
        Ok(Asked(parts))
    }
}

impl Asked {
    /// A part, where it is there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}
