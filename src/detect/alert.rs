//! What an alert is.

use serde::{Deserialize, Serialize};

use crate::message::{DepartmentId, EventTime};

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// More negative messages than expected.
    NegativeSentiment,
    /// More frustrated messages than expected.
    Frustration,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::NegativeSentiment, Self::Frustration];

    /// The name used in labels, JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NegativeSentiment => "negative_sentiment",
            Self::Frustration => "frustration",
        }
    }
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Wakes somebody up.
    Page,
    /// Waits for office hours.
    Ticket,
}

impl Severity {
    /// Every severity.
    pub const ALL: &'static [Self] = &[Self::Page, Self::Ticket];

    /// The name used in labels, JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// Where a department stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Too little was seen for the department's own average alone; thresholds are wider.
    #[default]
    Learning,
    /// Nothing unusual.
    Quiet,
    /// An alert is open.
    Active,
}

impl AlertState {
    /// The name used in JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Quiet => "quiet",
            Self::Active => "active",
        }
    }
}

/// An alert, open or closed. There is at most one open a department: the kind with the smaller probability at opening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// URL-safe, the same after a restart or a replay: `<department>-<kind>-<started, ms>`.
    pub id: String,
    /// Id of the department.
    pub department: String,
    /// What it is about.
    pub kind: AlertKind,
    /// How urgent it is.
    pub severity: Severity,
    /// End of the window that opened it (event time).
    pub started: EventTime,
    /// End of the window that closed it (event time); none while open.
    pub ended: Option<EventTime>,
    /// Length of the tested window in seconds.
    pub window_seconds: u64,
    /// Messages in the worst window.
    pub messages: u32,
    /// Ratio observed in the worst window, 0 to 1.
    pub observed: f64,
    /// Ratio that was expected at opening, 0 to 1.
    pub expected: f64,
    /// Probability of the worst window under the expected ratio, 0 to 1.
    pub p_value: f64,
    /// Opened and closed while catching up: it paged nobody.
    pub replayed: bool,
}

/// An alert opened or closed.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertChange {
    /// It opened.
    Opened(DepartmentId, Alert),
    /// It closed.
    Closed(DepartmentId, Alert),
}

/// What the detector says of one department, for publishing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DepartmentOutlook {
    /// Where it stands.
    pub state: AlertState,
    /// Kind and severity of the open alert, if any.
    pub active: Option<(AlertKind, Severity)>,
    /// −log10 of the probability of the last tested window, for each of [`AlertKind::ALL`]; 0 where not tested.
    pub scores: [f64; 2],
    /// Negative ratio expected, 0 to 1; none before anything was seen.
    pub expected_negative: Option<f64>,
    /// Frustrated ratio expected, 0 to 1; none before anything was seen.
    pub expected_frustrated: Option<f64>,
}
