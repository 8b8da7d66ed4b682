//! Which alerts page, and what people said of them.

use super::State;
use crate::config::Roster;
use crate::detect::{Alert, AlertChange, AlertKind, COMPANY, Feedback, Mutes, Scope, Verdict};
use crate::message::EventTime;
use crate::pipeline::book::{Holding, Marked, Page};
use crate::publish::events::Happened;

/// Which kinds of alerts are muted, in the order of [`AlertKind::ALL`]; none before a window was closed.
pub(super) fn muted_kinds(mutes: &Mutes, scope: Scope, window_end: Option<EventTime>) -> [bool; AlertKind::ALL.len()] {
    window_end.map_or([false; AlertKind::ALL.len()], |at| mutes.muted(scope, at))
}

impl State {
    /// Enters a change into the book, muted or not at its own moment, and tells of it.
    pub(super) fn enter_change(&mut self, change: AlertChange, replaying: bool) {
        let (happened, id, scope) = (Happened::from(&change), change.alert().id.clone(), change.scope());
        let alert = change.alert();
        let muted = self.mutes.reason(scope, alert.kind, self.moment_of(alert));
        let paging = self.book.enter(change, replaying, muted);
        self.tell(happened, &id, replaying);
        match happened {
            Happened::Opened => self.page(paging),
            // It was told of as what it was.
            Happened::Escalated | Happened::Closed => self.count_pages(paging.iter()),
        }
    }

    /// When something happened to an alert. A severe message may have been written long before it came.
    fn moment_of(&self, alert: &Alert) -> EventTime {
        let opened = if alert.kind.is_tested() { None } else { self.panes.window_end() };
        alert.ended.or(opened).unwrap_or(alert.started)
    }

    /// Lets go of pages whose mute has begun, and pages what is still open where one has ended.
    pub(super) fn follow_mutes(&mut self) {
        let Some(at) = self.panes.window_end() else { return };
        let (replaying, is_suspended) = (self.is_replaying(), self.is_suspended());
        let Self { book, mutes, roster, detector, .. } = self;
        let paging = book.follow_mutes(replaying, |alert| {
            let scope = scope_of(roster, &alert.department)?;
            Some(match mutes.reason(scope, alert.kind, at) {
                Some(reason) => Holding::Muted(reason.to_owned()),
                None if is_suspended && alert.kind.is_tested() => Holding::Waiting,
                None if detector.goes_on(scope, alert.kind, at) => return None,
                None => Holding::Waiting,
            })
        });
        self.page(paging);
        if !replaying && !is_suspended {
            self.tell_held();
        }
    }

    /// The backlog is behind us: what is still open pages now, but for what only all partitions together can tell.
    pub(super) fn page_what_is_open(&mut self) {
        let is_suspended = self.is_suspended();
        let paging = self.book.caught_up(|kind| !is_suspended || !kind.is_tested());
        self.page(paging);
        // Mutes may have ended in it.
        self.follow_mutes();
        self.dirty.fill(true);
    }

    /// Whether an alert of the whole company pages.
    pub(in crate::pipeline) fn is_company_paging(&self) -> bool {
        let is_open = self.detector.open_alerts().any(|(scope, _)| scope == Scope::Company);
        is_open && !self.book.is_held_back(COMPANY, AlertKind::CompanyWide)
    }

    /// Whether one would be muted now.
    pub(in crate::pipeline) fn is_company_muted(&self) -> bool {
        muted_kinds(&self.mutes, Scope::Company, self.panes.window_end())[AlertKind::CompanyWide as usize]
    }

    /// Takes what people say of an alert; the alert as it is then, or none where there is no such alert. The first they say of each is
    /// counted, and so is the first they say of each incident that paged: a counter cannot take back what they think better of.
    pub(in crate::pipeline) fn mark(&mut self, id: &str, feedback: Feedback) -> Option<Alert> {
        let said = feedback.verdict;
        let Marked { alert, is_first, is_first_of_incident } = self.book.mark(id, feedback)?;
        let alerts = u64::from(is_first);
        match scope_of(&self.roster, &alert.department) {
            Some(Scope::Department(department)) => {
                let view = &mut self.views[department.index()];
                view.feedback[alert.kind as usize][said as usize] += alerts;
                self.dirty[department.index()] = true;
            }
            Some(Scope::Company) => self.company_feedback[said as usize] += alerts,
            // Its department is gone from the config: no series is its own.
            None => {}
        }
        if is_first_of_incident {
            self.count_incident(&alert.department, said);
        }
        Some(alert)
    }

    fn count_incident(&mut self, department: &str, verdict: Verdict) {
        match scope_of(&self.roster, department) {
            Some(Scope::Department(department)) => {
                self.views[department.index()].incidents_marked[verdict as usize] += 1;
                self.dirty[department.index()] = true;
            }
            Some(Scope::Company) => self.company_incidents_marked[verdict as usize] += 1,
            None => {}
        }
    }

    /// Counts and tells what pages from now on.
    fn page(&mut self, paging: impl IntoIterator<Item = Page>) {
        for page in paging {
            self.count_pages([&page]);
            self.tell_paging(&page);
        }
    }

    fn count_pages<'a>(&mut self, paging: impl IntoIterator<Item = &'a Page>) {
        for Page { department, kind, severity, said, .. } in paging {
            if let Some(verdict) = said {
                self.count_incident(department, *verdict);
            }
            match scope_of(&self.roster, department) {
                Some(Scope::Department(department)) => {
                    self.views[department.index()].alerts_opened[*kind as usize][*severity as usize] += 1;
                }
                Some(Scope::Company) => self.company_pages += 1,
                None => {}
            }
        }
    }
}

fn scope_of(roster: &Roster, department: &str) -> Option<Scope> {
    if department == COMPANY {
        return Some(Scope::Company);
    }
    roster.find(department).map(Scope::Department)
}
