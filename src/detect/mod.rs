//! Baselines, tests and alert states: pure code, in event time only.
//!
//! The panes of a minute are gathered, and at its end [`Detector::close`] looks at each department:
//!
//! 1. `baseline`: how many messages, and which ratios of unhappy ones, are normal at this hour of the week, and how much do they
//!    vary?
//! 2. `evidence`: how unlikely are the latest counts under that? Spans of 15 minutes to 12 hours, a cumulative sum, gaps.
//! 3. `evidence/recurrence`: how often a month does chance bring about evidence of that strength? All tests are on this one scale,
//!    and the budget of false alarms is given on it.
//! 4. `department`: alerts open where that is rare enough, and close once all is as usual again.
//!
//! Beside that `severe` makes tickets of single messages, without any test.

mod alert;
mod baseline;
mod by_model;
mod calibration;
mod company;
mod department;
mod detector;
mod escalation;
mod evidence;
mod handling;
mod kind;
mod mutes;
mod severe;
#[cfg(test)]
mod tests;
mod tick;
mod watch;

pub use alert::{Alert, AlertChange, AlertState, DepartmentOutlook, Scope, Severity, Usual};
pub use company::COMPANY;
pub use department::DepartmentState;
pub use detector::{Detector, DetectorState};
pub use handling::{Feedback, Handling, Verdict};
pub use kind::AlertKind;
pub use mutes::Mutes;
pub use tick::TICK;
