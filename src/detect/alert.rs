//! What an alert is.

use serde::{Deserialize, Serialize};

use super::handling::Handling;
use super::kind::AlertKind;
use crate::message::{DepartmentId, EventTime};
use crate::voices::Summary;

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

/// Where a department stands. A ticket about a severe message changes nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Too little was seen for the department's own average alone; thresholds are wider.
    #[default]
    Learning,
    /// Nothing unusual.
    Quiet,
    /// What is seen is rare enough for an alert, and has to be so for another minute.
    Pending,
    /// An alert is open.
    Active,
    /// An alert is open, and all is as usual again; it closes if that lasts.
    Recovering,
}

impl AlertState {
    /// The name used in JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Learning => "learning",
            Self::Quiet => "quiet",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Recovering => "recovering",
        }
    }
}

/// An alert, open or closed. Each kind has its own; those of a department that overlap are one incident, but for tickets about severe
/// messages, which are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// URL-safe, the same after a restart or a replay: `<department>-<kind>-<started, ms>`, and `-2`, `-3` of
    /// further tickets of the same minute.
    pub id: String,
    /// Id of the department.
    pub department: String,
    /// What it is about.
    pub kind: AlertKind,
    /// How urgent it is.
    pub severity: Severity,
    /// End of the window that opened it (event time); of a severe message, of the minute in which it was written.
    pub started: EventTime,
    /// The likeliest onset of what it is about (event time); the first severe message, to 10 s.
    pub since: EventTime,
    /// End of the window that closed it (event time); none while open.
    pub ended: Option<EventTime>,
    /// Length of the worst window in seconds; since the first severe message.
    pub window_seconds: u64,
    /// Messages in the worst window; all severe ones.
    pub messages: u32,
    /// Ratio observed in the worst window, 0 to 1; messages where it is about volume or severe ones.
    pub observed: f64,
    /// Ratio that was expected in it, 0 to 1; messages where it is about volume. Of severe ones, how many came the day
    /// before, where that is everyday business ([`DetectConfig::severe_open_per_day`](crate::config::DetectConfig)), and else 0.
    pub expected: f64,
    /// Probability of the worst window under the expected ratio, 0 to 1; 1 where nothing is tested
    /// ([`AlertKind::is_tested`]).
    pub p_value: f64,
    /// How many times in 28 days chance alone brings about as much, by the worst window; 0 where nothing is tested.
    pub recurrence: f64,
    /// Opened and closed while catching up: it paged nobody.
    pub replayed: bool,
    /// How often it became clearly worse while it was open.
    pub escalations: u32,
    /// End of the window at which it last did (event time); none where it never has.
    pub escalated: Option<EventTime>,
    /// The departments that an alert of the company is about; empty for others.
    pub departments: Vec<String>,
    /// Who wrote what, since `since` and within 12 hours. The detector knows nothing of it: whoever enters the alert fills it in.
    pub details: Summary,
    /// What config and people have made of it.
    pub handling: Handling,
}

/// An alert opened, became clearly worse, or closed.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertChange {
    /// It opened.
    Opened(Scope, Alert),
    /// It is open and clearly worse than when it was last told of, or more urgent.
    Escalated(Scope, Alert),
    /// It closed.
    Closed(Scope, Alert),
}

impl AlertChange {
    /// The alert as it is now.
    #[must_use]
    pub fn alert(&self) -> &Alert {
        let (Self::Opened(_, alert) | Self::Escalated(_, alert) | Self::Closed(_, alert)) = self;
        alert
    }

    /// Whose it is.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        let (Self::Opened(scope, _) | Self::Escalated(scope, _) | Self::Closed(scope, _)) = self;
        *scope
    }

    /// The same with what there is to tell of its alert.
    #[must_use]
    pub fn with(mut self, details: impl FnOnce(&Alert) -> Summary) -> Self {
        let (Self::Opened(_, alert) | Self::Escalated(_, alert) | Self::Closed(_, alert)) = &mut self;
        alert.details = details(alert);
        self
    }
}

/// Whose alert it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Of a department.
    Department(DepartmentId),
    /// Of all departments together.
    Company,
}

/// What the detector says of one department, for publishing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DepartmentOutlook {
    /// Where it stands.
    pub state: AlertState,
    /// Kind and severity of the open alerts, tickets too.
    pub active: Vec<(AlertKind, Severity)>,
    /// How rare the latest evidence is, for each of [`AlertKind::TESTED`]: log10 of the hours after which chance alone brings
    /// about as much; 0 where there is none.
    pub scores: [f64; AlertKind::TESTED.len()],
    /// Negative ratio of an hour, 0 to 1; none before anything was seen.
    pub usual_negative: Option<Usual>,
    /// Frustrated ratio of an hour, 0 to 1; none before anything was seen.
    pub usual_frustrated: Option<Usual>,
    /// Messages of an hour; none before a day was seen.
    pub usual_messages: Option<Usual>,
}

/// What is usual at this hour of the week.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    /// What is expected.
    pub expected: f64,
    /// 95 % of ordinary hours lie between the two.
    pub low: f64,
    /// See [`Self::low`].
    pub high: f64,
}

impl Usual {
    /// 95 % of a normal distribution lie within so many standard deviations.
    const DEVIATIONS: f64 = 1.96;

    /// A ratio of so many messages, any two of which are correlated.
    pub(super) fn of_ratio(ratio: f64, messages: f64, correlation: f64) -> Self {
        let messages = messages.max(1.0);
        let variance = ratio * (1.0 - ratio) * (1.0 + (messages - 1.0) * correlation) / messages;
        let away = Self::DEVIATIONS * variance.sqrt();
        Self { expected: ratio, low: (ratio - away).max(0.0), high: (ratio + away).min(1.0) }
    }

    /// A number of messages with that squared coefficient of variation beyond chance.
    pub(super) fn of_messages(messages: f64, spread: f64) -> Self {
        let away = Self::DEVIATIONS * (messages + spread * messages * messages).sqrt();
        Self { expected: messages, low: (messages - away).max(0.0), high: messages + away }
    }
}
