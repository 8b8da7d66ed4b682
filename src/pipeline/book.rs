//! The alerts that are open and those closed lately.

mod incident;
mod limit;

use std::sync::Arc;
use std::time::Duration;

use crate::detect::{Alert, AlertChange, AlertKind, Feedback, Handling, Severity, Verdict};
use crate::message::EventTime;
use crate::voices::Summary;

pub(super) use self::limit::MOST_CLOSED;

/// How long a closed alert is kept (event time).
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// An alert that pages from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) id: String,
    pub(super) department: String,
    pub(super) kind: AlertKind,
    pub(super) severity: Severity,
    /// What was said of it before, where that counts for its incident from now on.
    pub(super) said: Option<Verdict>,
}

/// What keeps an open alert from paging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    /// A mute, for this reason.
    Muted(String),
    /// No mute any more, but nothing shows that it goes on: it would page just to end.
    Waiting,
}

/// What became of a mark.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Marked {
    /// The alert as it is then.
    pub(super) alert: Alert,
    /// It is the first that people say of it.
    pub(super) is_first: bool,
    /// It is the first that they say of the incident it is of, and that paged.
    pub(super) is_first_of_incident: bool,
}

/// Alerts, oldest first.
#[derive(Debug, Default)]
pub(super) struct AlertBook {
    alerts: Arc<Vec<Alert>>,
    /// Closed ones that were forgotten before their time, since the start of the process.
    forgotten: u64,
}

impl AlertBook {
    /// Takes up the alerts of a checkpoint. Gives the ids of those left out: open ones that the detector no longer follows,
    /// because their department is gone from the config. Nothing would ever close them.
    pub(super) fn restore(&mut self, mut alerts: Vec<Alert>, followed: &[&str]) -> Vec<String> {
        let is_lost = |alert: &mut Alert| alert.ended.is_none() && !followed.contains(&&*alert.id);
        let lost = alerts.extract_if(.., is_lost).map(|alert| alert.id).collect();
        self.alerts = Arc::new(alerts);
        self.keep_within_limits();
        lost
    }

    /// Holds nothing any more.
    pub(super) fn begin_anew(&mut self) {
        self.alerts = Arc::default();
    }

    /// The alerts, oldest first.
    pub(super) fn alerts(&self) -> &Arc<Vec<Alert>> {
        &self.alerts
    }

    /// Enters a change, at a moment when its kind of alert may be muted. One that opens and closes while catching up is marked: it
    /// paged nobody (INV-10).
    ///
    /// Gives what pages from now on.
    pub(super) fn enter(&mut self, change: AlertChange, catching_up: bool, muted: Option<&str>) -> Option<Page> {
        let (mut alert, opens) = match change {
            AlertChange::Opened(_, alert) => (alert, true),
            AlertChange::Closed(_, alert) => (alert, false),
            AlertChange::Escalated(_, alert) => return self.escalate(alert),
        };
        match opens {
            true => {
                let p_value = alert.kind.is_tested().then_some(alert.p_value);
                tracing::info!(id = alert.id, replayed = catching_up, muted, p_value, "alert opened")
            }
            false => tracing::info!(id = alert.id, "alert closed"),
        }
        alert.replayed = opens && catching_up;
        alert.handling.muted = muted.map(str::to_owned);
        let alerts = Arc::make_mut(&mut self.alerts);
        let known_place = alerts.iter().position(|known| known.id == alert.id);
        match known_place {
            Some(place) => {
                let known = &mut alerts[place];
                if !opens {
                    alert.replayed = known.replayed;
                }
                let known_handling = std::mem::take(&mut known.handling);
                alert.handling = Handling { muted: alert.handling.muted, ..known_handling };
                *known = alert;
            }
            None => alerts.push(alert),
        }
        let place = known_place.unwrap_or(self.alerts.len() - 1);
        let page = self.page_once(place, !opens);
        if !opens {
            self.keep_within_limits();
        }
        page
    }

    /// An open alert is clearly worse, or more urgent. A ticket that was shown and becomes a page counts again.
    fn escalate(&mut self, alert: Alert) -> Option<Page> {
        let place = self.alerts.iter().position(|known| known.id == alert.id)?;
        let known = &mut Arc::make_mut(&mut self.alerts)[place];
        tracing::info!(id = alert.id, severity = alert.severity.as_str(), "alert escalated");
        let was_ticket = known.severity == Severity::Ticket;
        let (replayed, handling) = (known.replayed, std::mem::take(&mut known.handling));
        *known = Alert { replayed, handling, ..alert };
        let pages_now = was_ticket && known.severity == Severity::Page && known.handling.paged;
        pages_now.then(|| self.page_of(place))
    }

    /// Whether the open alert of that kind of a department pages nobody now: it is muted, only replayed, or waits to page.
    pub(super) fn is_held_back(&self, department: &str, kind: AlertKind) -> bool {
        let is_meant = |alert: &Alert| alert.kind == kind && alert.department == department;
        let pages = |alert: &Alert| alert.handling.paged && !alert.replayed && alert.handling.muted.is_none();
        self.alerts.iter().any(|alert| alert.ended.is_none() && !pages(alert) && is_meant(alert))
    }

    /// Catching up is over: of what it opened, what is still open and not muted pages now, of those kinds. Gives which.
    pub(super) fn caught_up(&mut self, is_told: impl Fn(AlertKind) -> bool) -> Vec<Page> {
        let mut paging = Vec::new();
        for place in 0..self.alerts.len() {
            let known = &self.alerts[place];
            if known.ended.is_some() || !known.replayed || !is_told(known.kind) {
                continue;
            }
            Arc::make_mut(&mut self.alerts)[place].replayed = false;
            paging.extend(self.page_once(place, false));
        }
        paging
    }

    /// Mutes may have begun or ended: says of each open alert what `holds` it. Unless all is `held_back`, what nothing holds any more pages,
    /// if it has not before. Gives which.
    pub(super) fn follow_mutes(&mut self, held_back: bool, holds: impl Fn(&Alert) -> Option<Holding>) -> Vec<Page> {
        let mut paging = Vec::new();
        for place in 0..self.alerts.len() {
            let known = &self.alerts[place];
            if known.ended.is_some() {
                continue;
            }
            let (muted, waits) = match holds(known) {
                Some(Holding::Muted(reason)) => (Some(reason), true),
                Some(Holding::Waiting) => (None, true),
                None => (None, false),
            };
            let may_page = !held_back && !waits && !known.replayed && !known.handling.paged;
            if known.handling.muted == muted && !may_page {
                continue;
            }
            let known = &mut Arc::make_mut(&mut self.alerts)[place];
            if known.handling.muted != muted {
                match &muted {
                    Some(reason) => tracing::info!(id = known.id, reason, "an open alert is muted"),
                    None => tracing::info!(id = known.id, "an open alert is no longer muted"),
                }
            }
            known.handling.muted = muted;
            paging.extend(self.page_once(place, held_back || waits));
        }
        paging
    }

    /// An alert pages where it is neither muted nor only replayed, unless it has before, or is `held_back`.
    fn page_once(&mut self, place: usize, held_back: bool) -> Option<Page> {
        let alert = &self.alerts[place];
        if held_back || alert.replayed || alert.handling.muted.is_some() || alert.handling.paged {
            return None;
        }
        Arc::make_mut(&mut self.alerts)[place].handling.paged = true;
        Some(self.page_of(place))
    }

    /// The page of an alert that pages now. What people said while it was held was of no incident; now it is.
    fn page_of(&mut self, place: usize) -> Page {
        let said = self.count_incident(place);
        let Alert { id, department, kind, severity, .. } = &self.alerts[place];
        Page { id: id.clone(), department: department.clone(), kind: *kind, severity: *severity, said }
    }

    /// Takes what people say of an alert; none where there is no such alert.
    pub(super) fn mark(&mut self, id: &str, feedback: Feedback) -> Option<Marked> {
        let place = self.alerts.iter().position(|known| known.id == id)?;
        let known = &mut Arc::make_mut(&mut self.alerts)[place];
        let says_the_same = |said: &Feedback| (said.verdict, &said.note) == (feedback.verdict, &feedback.note);
        let is_first = known.handling.feedback.is_none();
        if !known.handling.feedback.as_ref().is_some_and(says_the_same) {
            known.handling.feedback = Some(feedback);
        }
        let is_first_of_incident = self.count_incident(place).is_some();
        let alert = self.alerts[place].clone();
        // A note takes room.
        self.keep_within_limits();
        Some(Marked { alert, is_first, is_first_of_incident })
    }

    /// The verdict on an alert counts for its incident, if that paged and none was counted of it. Gives it where it counts now.
    fn count_incident(&mut self, place: usize) -> Option<Verdict> {
        let verdict = self.alerts[place].handling.feedback.as_ref()?.verdict;
        let incident = incident::of(&self.alerts, place);
        let is_counted = incident.iter().any(|place| self.alerts[*place].handling.stands_for_incident);
        if incident.is_empty() || is_counted {
            return None;
        }
        Arc::make_mut(&mut self.alerts)[place].handling.stands_for_incident = true;
        Some(verdict)
    }

    /// Brings the open alerts up to their latest peak, with what there is to tell then.
    pub(super) fn refresh<'a>(&mut self, open: impl Iterator<Item = &'a Alert>, details: impl Fn(&Alert) -> Summary) {
        for latest in open {
            let Some(place) = self.alerts.iter().position(|known| known.id == latest.id) else { continue };
            let known = &self.alerts[place];
            if (known.recurrence, known.messages) == (latest.recurrence, latest.messages) {
                continue;
            }
            let (replayed, handling) = (known.replayed, known.handling.clone());
            let details = details(latest);
            Arc::make_mut(&mut self.alerts)[place] = Alert { replayed, handling, details, ..latest.clone() };
        }
    }

    /// Forgets what closed too long ago.
    pub(super) fn forget_before(&mut self, stream_time: EventTime) {
        let oldest = stream_time.minus(KEPT);
        let is_old = |alert: &Alert| alert.ended.is_some_and(|ended| ended < oldest);
        if self.alerts.iter().any(is_old) {
            self.forget(is_old);
        }
    }

    /// Forgets some. What is forgotten of an incident that is counted leaves the others to tell so.
    fn forget(&mut self, mut is_forgotten: impl FnMut(&Alert) -> bool) {
        let alerts = Arc::make_mut(&mut self.alerts);
        incident::share_counted(alerts);
        alerts.retain(|alert| !is_forgotten(alert));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
