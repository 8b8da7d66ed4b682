//! Whether an alert is open.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::{Alert, Severity};
use super::escalation::LastTold;
use super::evidence::Finding;
use crate::message::EventTime;

/// An alert that opens so soon after the last one is more of the same incident.
const REOPEN_GUARD: Duration = Duration::from_secs(6 * 3_600);

/// An alert that opens soon after the last one has to be this much rarer.
pub(super) const REOPEN_FACTOR: f64 = 0.25;

/// Each time an incident comes back it has to be calm for twice as long, up to so many times.
const MOST_HOLDS: u32 = 4;

/// One kind of alert of a department.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Watch {
    Quiet,
    /// Rare enough since the end of that slice.
    Pending(EventTime),
    Open(Box<OpenAlert>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenAlert {
    pub(super) alert: Alert,
    /// Since when it has been as usual.
    pub(super) calm_since: Option<EventTime>,
    /// Since when a ticket has been rare enough for a page.
    pages_since: Option<EventTime>,
    told: LastTold,
}

/// Alerts of a department that overlap or follow each other closely.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Incident {
    /// When its last alert closed.
    pub(super) closed: Option<EventTime>,
    /// How often it came back.
    pub(super) returns: u32,
    /// Since when what comes is strange.
    pub(super) strange_since: EventTime,
    /// When it was last taken for the new normal.
    pub(super) accepted: Option<EventTime>,
}

impl Incident {
    pub(super) fn new(end: EventTime) -> Self {
        Self { closed: None, returns: 0, strange_since: end, accepted: None }
    }

    /// The one that an alert which opens is of: the recent one, which comes back if it was over, or another.
    pub(super) fn that_goes_on(recent: Option<Self>, end: EventTime) -> Self {
        let mut incident = recent.unwrap_or_else(|| Self::new(end));
        let returns = u32::from(incident.closed.take().is_some());
        incident.returns = incident.returns.saturating_add(returns);
        incident
    }

    pub(super) fn is_recent(&self, now: EventTime) -> bool {
        self.closed.is_none_or(|closed| now < closed.plus(REOPEN_GUARD))
    }

    /// How long alerts of an incident are held, where those that do not come back are held for `hold`.
    pub(super) fn hold_of(incident: Option<Self>, hold: Duration) -> Duration {
        let returns = incident.map_or(0, |incident| incident.returns);
        hold * 2_u32.saturating_pow(returns).min(MOST_HOLDS)
    }
}

/// What a slice did to an alert.
pub(super) enum Change {
    Opened(Alert),
    Escalated(Alert),
    Closed(Alert),
}

impl OpenAlert {
    /// One that opens.
    pub(super) fn new(alert: Alert) -> Self {
        let told = LastTold::at_opening(&alert);
        Self { alert, calm_since: None, pages_since: None, told }
    }

    /// Whether it has become clearly worse by the end of that slice.
    pub(super) fn escalate(&mut self, end: EventTime) -> Option<Change> {
        self.told.escalate(end, &mut self.alert).map(Change::Escalated)
    }

    /// A ticket becomes a page once it has been rare enough for one for a while.
    pub(super) fn become_page(&mut self, end: EventTime, pages: bool, after: Duration) -> Option<Change> {
        if self.alert.severity == Severity::Page || !pages {
            self.pages_since = None;
            return None;
        }
        if end < self.pages_since.get_or_insert(end).plus(after) {
            return None;
        }
        self.alert.severity = Severity::Page;
        Some(Change::Escalated(self.told.tell(end, &mut self.alert)))
    }

    pub(super) fn note_worst(&mut self, finding: &Finding) {
        if finding.recurrence >= self.alert.recurrence {
            return;
        }
        self.alert.recurrence = finding.recurrence;
        self.alert.messages = finding.messages;
        self.alert.observed = finding.observed;
        self.alert.expected = finding.expected;
        self.alert.window_seconds = finding.seconds;
        self.alert.p_value = finding.ln_p_value.exp();
    }

    /// The same of the company, whose departments may have become others.
    pub(super) fn note_worst_of_company(&mut self, now: &Alert) {
        for department in &now.departments {
            if !self.alert.departments.contains(department) {
                self.alert.departments.push(department.clone());
            }
        }
        if now.recurrence < self.alert.recurrence {
            self.alert.recurrence = now.recurrence;
            self.alert.p_value = now.p_value;
            self.alert.messages = now.messages;
            self.alert.observed = now.observed;
            self.alert.expected = now.expected;
        }
    }
}
