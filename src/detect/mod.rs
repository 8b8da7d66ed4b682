//! Baselines, tests and alert states: pure code, in event time only.

mod alert;

pub use alert::{Alert, AlertChange, AlertKind, AlertState, DepartmentOutlook, Severity};
