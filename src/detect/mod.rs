//! Baselines, tests and alert states: pure code, in event time only.
//!
//! At the end of each closed pane, [`Detector::step`] tests one window of each department: how likely are so many negative
//! (or frustrated) messages, or more, under the ratio that is expected of it? The probability is the exact upper tail of the
//! binomial distribution. An alert opens where it is at most `enter_p_value`, and closes once the probabilities of both kinds
//! have stayed above `exit_p_value` for `hold`.

mod alert;
mod baseline;
mod binomial;
mod detector;
#[cfg(test)]
mod tests;

pub use alert::{Alert, AlertChange, AlertKind, AlertState, DepartmentOutlook, Severity};
pub use detector::{DepartmentState, Detector, DetectorState};
