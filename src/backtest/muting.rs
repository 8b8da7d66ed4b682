//! The config's mutes in a run: what they hold pages nobody, as in the daemon.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::replay::TimeSpan;
use crate::config::{DepartmentConfig, MuteConfig};
use crate::detect::{Alert, AlertKind, Detector, Mutes, Scope, Severity};
use crate::message::EventTime;

/// The mutes, and what they do to the alerts of a run.
pub(super) struct Muting<'a> {
    config: &'a [MuteConfig],
    mutes: Mutes,
    /// The detector does not know all departments of the mutes yet.
    is_new: bool,
    /// Open alerts that nobody was paged about, by id.
    held: BTreeMap<String, (Scope, AlertKind)>,
    /// When others that a mute held paged.
    let_go: BTreeMap<String, EventTime>,
    /// Alerts that a mute held from first to last.
    pub(super) never_paged: u64,
    /// When alerts that would have paged were held.
    pub(super) spans_held: Vec<(Scope, TimeSpan)>,
}

impl<'a> Muting<'a> {
    pub(super) fn new(config: &'a [MuteConfig]) -> Self {
        Self {
            config,
            mutes: Mutes::of_company(config),
            is_new: !config.is_empty(),
            held: BTreeMap::new(),
            let_go: BTreeMap::new(),
            never_paged: 0,
            spans_held: Vec::new(),
        }
    }

    /// One more department.
    pub(super) fn watch(&mut self, department: &DepartmentConfig) {
        if !self.config.is_empty() {
            self.mutes.watch(self.config, &department.id, &department.time_zone);
            self.is_new = true;
        }
    }

    /// What the detector does not know yet.
    pub(super) fn take_news(&mut self) -> Option<Arc<Mutes>> {
        std::mem::take(&mut self.is_new).then(|| Arc::new(self.mutes.clone()))
    }

    /// Whether any alert of a department would be held at the start of that time, or at the end of a slice in it.
    pub(super) fn holds_any_within(&self, scope: Scope, time: TimeSpan, slice: Duration) -> bool {
        if self.config.is_empty() {
            return false;
        }
        // From the end: a mute that is to come is met at once, and one that holds already soon.
        let mut ends =
            std::iter::successors(Some(time.until), |at| Some(at.minus(slice)).filter(|at| *at >= time.from));
        ends.any(|at| self.mutes.muted(scope, at).contains(&true))
    }

    /// Whether every alert of a department that comes of a test would be.
    pub(super) fn holds_all(&self, scope: Scope, at: EventTime) -> bool {
        !self.config.is_empty() && !self.mutes.muted(scope, at)[..AlertKind::TESTED.len()].contains(&false)
    }

    /// An alert opened at the end of a slice.
    pub(super) fn note_opened(&mut self, scope: Scope, alert: &Alert, end: EventTime) {
        if self.mutes.reason(scope, alert.kind, end).is_some() {
            self.held.insert(alert.id.clone(), (scope, alert.kind));
        }
    }

    /// Mutes may have ended: what they held and goes on pages now.
    pub(super) fn follow(&mut self, detector: &Detector, end: EventTime) {
        let Self { mutes, held, let_go, .. } = self;
        held.retain(|id, (scope, kind)| {
            let is_free = mutes.reason(*scope, *kind, end).is_none() && detector.goes_on(*scope, *kind, end);
            if is_free {
                let_go.insert(id.clone(), end);
            }
            !is_free
        });
    }

    /// Whether every alert of a department that comes of a test would be, at the end of each slice that ends within that time.
    pub(super) fn holds_all_through(&self, scope: Scope, time: TimeSpan, slice: Duration) -> bool {
        let millis = i64::try_from(slice.as_millis()).unwrap_or(i64::MAX);
        let first = time.from.as_millis().div_euclid(millis).saturating_add(1).saturating_mul(millis);
        let mut ends = std::iter::successors(Some(EventTime::from_millis(first)), |end| Some(end.plus(slice)))
            .take_while(|end| *end <= time.until)
            .peekable();
        ends.peek().is_some() && ends.all(|end| self.holds_all(scope, end))
    }

    /// An alert is over, or the history is, at its `end`. Gives it as whoever was paged knows it: one that a mute held begins when it
    /// paged, and one that nobody was paged about is none.
    pub(super) fn paged(&mut self, scope: Scope, alert: Alert, end: EventTime) -> Option<Alert> {
        let is_never = self.held.remove(&alert.id).is_some();
        let paged = self.let_go.remove(&alert.id);
        if (is_never || paged.is_some()) && alert.severity == Severity::Page {
            let until = paged.or(alert.ended).unwrap_or(end);
            self.spans_held.push((scope, TimeSpan { from: alert.started, until }));
        }
        if is_never {
            self.never_paged += 1;
            return None;
        }
        match paged {
            Some(paged) => Some(Alert { started: paged, ..alert }),
            None => Some(alert),
        }
    }
}
