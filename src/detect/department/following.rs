//! Which alerts open, go on and close, given what was found.

use std::time::Duration;

use super::{Department, KIND_SHARES};
use crate::config::DetectConfig;
use crate::detect::alert::{Alert, Severity};
use crate::detect::calibration::CONFIRMED_FOR;
use crate::detect::evidence::Finding;
use crate::detect::kind::{AlertKind, RATIOS};
use crate::detect::mutes::Upkeep;
use crate::detect::tick::SPANS;
use crate::detect::watch::{Change, Incident, OpenAlert, REOPEN_FACTOR, Watch};
use crate::message::EventTime;

/// An incident that lasts for longer than this is the new normal: what comes teaches again, so that no page lasts for good.
const NEW_NORMAL_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// The same where nobody writes at all: weekends and holidays end.
const GONE_AFTER: Duration = Duration::from_secs(72 * 3_600);

impl Department {
    pub(super) fn follow(
        &mut self,
        (end, upkeep): (EventTime, Upkeep),
        calm: [bool; AlertKind::TESTED.len()],
        settings: &DetectConfig,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let recent = self.incident.filter(|incident| incident.is_recent(end));
        let guard = if recent.is_some_and(|incident| incident.closed.is_some()) { REOPEN_FACTOR } else { 1.0 };
        let hold = Incident::hold_of(recent, settings.hold.get());
        for (kind, is_calm) in calm.into_iter().enumerate() {
            let limits = Limits::of(settings, kind, guard);
            changes.extend(match self.watches[kind] {
                Watch::Quiet | Watch::Pending(_) => self.open_if_rare(kind, end, &limits),
                Watch::Open(_) => self.follow_open((kind, is_calm), end, &limits),
            });
        }
        changes.extend(self.close_if_calm(end, hold));
        let has_opened = changes.iter().any(|change| matches!(change, Change::Opened(_)));
        self.follow_incident((end, upkeep), recent, has_opened);
        changes
    }

    fn open_if_rare(&mut self, kind: usize, end: EventTime, limits: &Limits) -> Option<Change> {
        let rare = self.findings[kind].and_then(|finding| Some((finding, limits.severity(&finding)?)));
        let Some((finding, severity)) = rare else {
            self.watches[kind] = Watch::Quiet;
            return None;
        };
        let since = match self.watches[kind] {
            Watch::Pending(since) => since,
            // Minutes without a message are more than a stray slice. (Not a night: the first customers of a day may be late.)
            _ if finding.messages == 0 && finding.seconds <= SPANS[0].as_secs() => {
                finding.since.plus(self.slice).min(end)
            }
            _ => end,
        };
        if end.plus(self.slice) < since.plus(CONFIRMED_FOR) {
            self.watches[kind] = Watch::Pending(since);
            return None;
        }
        let alert = Alert { severity, ..self.alert(kind, end, &finding) };
        self.watches[kind] = Watch::Open(Box::new(OpenAlert::new(alert.clone())));
        self.evidence.alerted(alert.kind);
        Some(Change::Opened(alert))
    }

    fn follow_open(&mut self, (kind, is_calm): (usize, bool), end: EventTime, limits: &Limits) -> Option<Change> {
        let finding = self.findings[kind];
        let Watch::Open(open) = &mut self.watches[kind] else { return None };
        if let Some(finding) = finding {
            open.note_worst(&finding);
        }
        open.calm_since = if is_calm { open.calm_since.or(Some(end)) } else { None };
        let pages = finding.is_some_and(|finding| limits.severity(&finding) == Some(Severity::Page));
        let confirmed_after = CONFIRMED_FOR.saturating_sub(self.slice);
        open.become_page(end, pages, confirmed_after).or_else(|| open.escalate(end))
    }

    /// The alerts of an incident close together, once all of them have been calm for long enough: else two kinds that take turns
    /// would page again and again.
    fn close_if_calm(&mut self, end: EventTime, hold: Duration) -> Vec<Change> {
        let is_calm = |open: &OpenAlert| open.calm_since.is_some_and(|since| end >= since.plus(hold));
        if !self.open().all(is_calm) {
            return Vec::new();
        }
        let mut changes = Vec::new();
        for watch in &mut self.watches {
            if let Watch::Open(open) = watch {
                changes.push(Change::Closed(Alert { ended: Some(end), ..open.alert.clone() }));
                *watch = Watch::Quiet;
            }
        }
        if !changes.is_empty() {
            // The messages have been judged: they do not count for the next one.
            self.evidence.clear(end);
        }
        changes
    }

    fn follow_incident(&mut self, (end, upkeep): (EventTime, Upkeep), recent: Option<Incident>, has_opened: bool) {
        if self.pages().next().is_none() {
            let Some(incident) = self.incident.as_mut().filter(|incident| incident.closed.is_none()) else { return };
            incident.closed = Some(end);
            return;
        }
        let mut incident = Incident::that_goes_on(recent, end);
        if upkeep == Upkeep::Ongoing {
            // However long a planned outage lasts, it is no new normal.
            incident.strange_since = end;
        }
        match incident.accepted {
            // What comes on top of the new normal is strange again.
            Some(accepted) if has_opened && end >= accepted.plus(NEW_NORMAL_AFTER) => {
                incident = Incident { accepted: None, strange_since: end, ..incident }
            }
            Some(_) => {}
            None if end < incident.strange_since.plus(self.normal_after()) => self.baseline.distrust(),
            None => {
                incident.accepted = Some(end);
                self.baseline.accept_from(end, self.alerting_ratios_and_volume());
            }
        }
        self.incident = Some(incident);
    }

    fn normal_after(&self) -> Duration {
        if self.evidence.is_deserted() { GONE_AFTER } else { NEW_NORMAL_AFTER }
    }

    fn alerting_ratios_and_volume(&self) -> [bool; RATIOS + 1] {
        let [negative, frustrated, surge, silence] =
            [0, 1, 2, 3].map(|kind: usize| matches!(self.watches[kind], Watch::Open(_)));
        [negative, frustrated, surge || silence]
    }
}

/// How rare evidence of a kind has to be.
struct Limits {
    page: Option<f64>,
    ticket: Option<f64>,
}

impl Limits {
    fn of(settings: &DetectConfig, kind: usize, guard: f64) -> Self {
        let share = KIND_SHARES[kind] * guard;
        let page = settings.false_alarms_per_month * share;
        let name = AlertKind::TESTED[kind].as_str();
        if settings.ticket_kinds.iter().any(|ticket| ticket == name) {
            return Self { page: None, ticket: Some(page) };
        }
        let tickets = settings.tickets_per_month * share;
        Self { page: Some(page), ticket: (tickets > 0.0).then_some(tickets) }
    }

    fn severity(&self, finding: &Finding) -> Option<Severity> {
        let is_within = |limit: Option<f64>| limit.is_some_and(|limit| finding.recurrence <= limit);
        if is_within(self.page) {
            return Some(Severity::Page);
        }
        is_within(self.ticket).then_some(Severity::Ticket)
    }
}
