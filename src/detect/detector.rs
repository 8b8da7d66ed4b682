//! From panes to alerts.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::by_model::ByModel;
use super::company::Company;
use super::department::{Department, DepartmentState};
use super::kind::{AlertKind, RATIOS};
use super::mutes::{INSTANT, Mutes, Upkeep};
use super::severe::SevereWatch;
use super::tick::{SPANS, TICK, slice_end_of};
use super::watch::Change;
use super::{Alert, AlertChange, DepartmentOutlook, Scope};
use crate::config::{DepartmentConfig, DetectConfig, Roster};
use crate::message::{DepartmentId, EventTime, ModelId};
use crate::window::Tally;

/// An alert that can no longer be judged is ended after this long: as the shipped rules let go of the page of a daemon that is
/// gone.
const NOT_JUDGED_FOR: Duration = Duration::from_secs(30 * 60);

/// Opens and closes alerts. The same panes give the same alerts: there is no clock, and what was restored goes on as if it
/// had never stopped.
#[derive(Clone, Debug)]
pub struct Detector {
    settings: DetectConfig,
    /// How often departments are looked at.
    slice: Duration,
    /// In the roster's order.
    departments: Vec<Department>,
    /// Ratios assumed of a department of which nothing is known.
    priors: [f64; RATIOS],
    /// End of the slice that is gathered now, and its counts in the roster's order.
    slice_end: Option<EventTime>,
    gathered: Vec<ByModel>,
    /// Since when nothing is tested; none while everything is.
    gap: Option<Gap>,
    company: Company,
    mutes: Arc<Mutes>,
    /// Of single messages, in the roster's order.
    severe: Vec<SevereWatch>,
    /// Up to where these were looked at.
    severe_until: Option<EventTime>,
    /// Where the state was taken up of another member: the last window that was judged before. None once one is judged here.
    taken_up: Option<EventTime>,
}

/// Panes that hold only a part of what was written: no slice with one of them is tested.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Gap {
    /// End of its first pane.
    begun: EventTime,
    /// End of its last pane.
    ended: EventTime,
}

/// All that a [`Detector`] remembers, to be saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorState {
    /// The departments of which something was seen.
    pub departments: Vec<DepartmentState>,
    /// End of the slice that is gathered.
    pub slice_end: Option<EventTime>,
    /// Since when nothing is tested.
    gap: Option<Gap>,
    /// What concerns all departments together.
    pub(super) company: Company,
    /// Severe messages by department, of those that had any, and up to where they were looked at.
    severe: (Vec<(String, SevereWatch)>, Option<EventTime>),
    /// End of the last window that was judged, where that may be another than the last one of the panes: state in a topic goes
    /// from member to member, and is judged only by one that has all of it.
    #[serde(skip)]
    pub judged_until: Option<EventTime>,
}

impl DetectorState {
    /// The first department of which something cannot be, wherever it came from.
    pub(crate) fn unsound_department(&self) -> Option<&str> {
        let unsound = self.departments.iter().find(|saved| !saved.is_sound());
        unsound.map(|saved| saved.department.as_str())
    }

    /// What it learned, without the tickets that were open.
    #[must_use]
    pub fn without_tickets(self) -> Self {
        Self { severe: Default::default(), ..self }
    }
}

impl Detector {
    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(settings: &DetectConfig, roster: &Roster) -> Self {
        let mut detector = Self::of_slices(settings, TICK);
        for (_, department) in roster.iter() {
            detector.watch(department);
        }
        detector
    }

    /// A detector without departments that looks once a slice: for history that is no finer. A slice is [`TICK`] or a multiple of it
    /// that divides an hour.
    #[must_use]
    pub fn of_slices(settings: &DetectConfig, slice: Duration) -> Self {
        Self {
            settings: settings.clone(),
            slice,
            departments: Vec::new(),
            priors: [settings.prior_negative_ratio, settings.prior_frustrated_ratio],
            slice_end: None,
            gathered: Vec::new(),
            gap: None,
            company: Company::default(),
            mutes: Arc::default(),
            severe: Vec::new(),
            severe_until: None,
            taken_up: None,
        }
    }

    /// Takes one more department, of which nothing is known.
    pub fn watch(&mut self, department: &DepartmentConfig) -> DepartmentId {
        self.departments.push(Department::new(department, self.slice));
        self.gathered.push(ByModel::default());
        self.severe.push(SevereWatch::default());
        DepartmentId(u16::try_from(self.departments.len() - 1).unwrap_or(u16::MAX))
    }

    /// From now on these mutes say what is maintenance, and who does not count for the company. They are of the same roster.
    pub fn set_mutes(&mut self, mutes: Arc<Mutes>) {
        self.mutes = mutes;
    }

    /// A detector of one department alone that goes on as this one would; its number is 0.
    ///
    /// # Panics
    /// If there is no such department.
    #[must_use]
    pub fn fork(&self, department: DepartmentId) -> Self {
        Self {
            settings: self.settings.clone(),
            departments: vec![self.departments[department.index()].clone()],
            gathered: vec![self.gathered[department.index()].clone()],
            company: Company::default(),
            mutes: Arc::default(),
            severe: vec![SevereWatch::default()],
            ..*self
        }
    }

    /// The smallest budget of false alarms a month at which the latest slice of a department is rare enough for an alert; none
    /// where there is no evidence.
    ///
    /// # Panics
    /// If there is no such department.
    #[must_use]
    pub fn budget_reached(&self, department: DepartmentId) -> Option<f64> {
        self.departments[department.index()].budget_reached()
    }

    /// Takes the panes that closed at a moment, of all departments, and looks at all departments where that ends a minute. Panes are
    /// taken in order of event time; those left out were empty. All of it was scored by one model.
    pub fn close(&mut self, pane_end: EventTime, pane: impl Fn(DepartmentId) -> Tally) -> Vec<AlertChange> {
        self.close_by_model(pane_end, |department| [(ModelId::UNKNOWN, pane(department))])
    }

    /// The same where it matters which model scored what: ratios are known for each, and a change of model is none of mood.
    pub fn close_by_model<Parts>(
        &mut self,
        pane_end: EventTime,
        pane: impl Fn(DepartmentId) -> Parts,
    ) -> Vec<AlertChange>
    where
        Parts: IntoIterator<Item = (ModelId, Tally)>,
    {
        self.taken_up = None;
        let slice_end = slice_end_of(pane_end, self.slice);
        let mut changes = self.finish_before(slice_end);
        self.slice_end = Some(slice_end);
        for (department, gathered) in (0_u16..).map(DepartmentId).zip(&mut self.gathered) {
            pane(department).into_iter().for_each(|(model, tally)| gathered.add(model, &tally));
        }
        if pane_end == slice_end {
            changes.extend(self.finish(slice_end));
        }
        changes
    }

    /// Takes note of severe messages of a department in the pane that starts at a moment: when it closes, before [`Self::close`] or
    /// [`Self::skip`], and afterwards of those that come after that.
    ///
    /// # Panics
    /// If there is no such department.
    pub fn note_severe(&mut self, department: DepartmentId, start: EventTime, messages: u32) {
        self.severe[department.index()].note(start, messages);
    }

    /// Takes the end of a closed pane that holds only a part of what was written, in place of [`Self::close`]: it teaches nothing,
    /// and no slice with it in is tested, nor follows up an alert. Alerts that are open end where that lasts. Severe messages are told
    /// all the same: each counts by itself.
    pub fn skip(&mut self, pane_end: EventTime) -> Vec<AlertChange> {
        let gap = self.doubt_until(pane_end);
        let mut changes = self.leave_alerts(pane_end, gap);
        if pane_end == slice_end_of(pane_end, self.slice) {
            changes.extend(self.follow_severe(pane_end));
        }
        changes
    }

    /// Others had the windows from that one on, up to `window_end`, and nobody judged them. Alerts that were open for all that
    /// time end as they would have here.
    pub fn take_up_after(&mut self, judged_until: EventTime, window_end: EventTime) -> Vec<AlertChange> {
        if window_end <= judged_until {
            return Vec::new();
        }
        self.taken_up = Some(judged_until);
        if let Some(gap) = &mut self.gap {
            gap.begun = gap.begun.min(judged_until);
        }
        self.leave_alerts(window_end, Gap { begun: judged_until, ended: window_end })
    }

    /// Goes on, after [`Self::restore`], in the midst of what another detector began: a moment's own that no state holds.
    pub fn go_on_after(&mut self, before: &Self) {
        self.taken_up = before.taken_up;
    }

    /// All is here again, and panes that end until then still hold only a part.
    pub fn resume_after(&mut self, end: EventTime) {
        self.doubt_until(end);
    }

    /// Whether nothing is tested, since panes hold only a part of what was written.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.gap.is_some()
    }

    /// What there is to say of a department.
    ///
    /// # Panics
    /// If the department is not of the roster.
    #[must_use]
    pub fn outlook(&self, department: DepartmentId) -> DepartmentOutlook {
        let mut outlook = self.departments[department.index()].outlook(&self.settings);
        let severe = self.severe[department.index()].open_alert();
        outlook.active.extend(severe.map(|alert| (alert.kind, alert.severity)));
        outlook
    }

    /// The open alerts with their worst windows so far: those of departments in the roster's order, then the company's.
    pub fn open_alerts(&self) -> impl Iterator<Item = (Scope, &Alert)> {
        let numbered = (0_u16..).map(DepartmentId).zip(self.departments.iter().zip(&self.severe));
        let of_departments = numbered.flat_map(|(id, (department, severe))| {
            department.open_alerts().chain(severe.open_alert()).map(move |alert| (Scope::Department(id), alert))
        });
        of_departments.chain(self.company.open_alert().map(|alert| (Scope::Company, alert)))
    }

    /// Whether an open alert is seen to go on when the windows end at that moment: not where all is as usual again, nor before a slice was
    /// looked at after maintenance. A severe message is to be read whenever it came.
    ///
    /// # Panics
    /// If the department is not of the roster.
    #[must_use]
    pub fn goes_on(&self, scope: Scope, kind: AlertKind, window_end: EventTime) -> bool {
        let begun = slice_end_of(window_end.plus(INSTANT), self.slice).minus(self.slice);
        let is_planned = |department| self.mutes.upkeep(department, begun, self.slice) == Upkeep::Ongoing;
        match scope {
            Scope::Department(_) if !kind.is_tested() => true,
            Scope::Department(id) => !self.departments[id.index()].is_recovering(kind) && !is_planned(id),
            Scope::Company => {
                let mut ids = (0_u16..).map(DepartmentId).take(self.departments.len());
                !self.company.is_recovering() && !ids.all(is_planned)
            }
        }
    }

    /// All that is remembered.
    #[must_use]
    pub fn snapshot(&self) -> DetectorState {
        let pairs = self.departments.iter().zip(&self.gathered);
        let departments = pairs.filter_map(|(department, gathered)| department.snapshot(gathered.clone()));
        let severe = self.departments.iter().zip(&self.severe).filter(|(_, watch)| !watch.is_unused());
        let severe = severe.map(|(department, watch)| (department.name().to_owned(), watch.clone()));
        DetectorState {
            departments: departments.collect(),
            slice_end: self.slice_end,
            gap: self.gap,
            company: self.company.clone(),
            severe: (severe.collect(), self.severe_until),
            judged_until: None,
        }
    }

    /// Takes up what was remembered, by the departments' names. Returns the names that the roster does not have: what was
    /// known of them, an open alert included, is left out.
    pub fn restore(&mut self, state: DetectorState) -> Vec<String> {
        let mut unknown = Vec::new();
        self.slice_end = state.slice_end;
        self.gap = state.gap;
        self.company = state.company;
        let (severe, severe_until) = state.severe;
        self.severe_until = severe_until;
        for (name, watch) in severe {
            // Where there is none its baseline is named below: a department with a severe message has one.
            if let Some(place) = self.place_of(&name) {
                self.severe[place] = watch;
            }
        }
        for saved in state.departments {
            let Some(place) = self.place_of(&saved.department) else {
                unknown.push(saved.department);
                continue;
            };
            self.gathered[place] = self.departments[place].restore(saved);
        }
        self.learn_priors();
        unknown
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        self.departments.iter().position(|known| known.name() == name)
    }

    fn doubt_until(&mut self, end: EventTime) -> Gap {
        let known = self.gap.unwrap_or(Gap { begun: self.taken_up.unwrap_or(end).min(end), ended: end });
        let gap = Gap { ended: known.ended.max(end), ..known };
        self.gap = Some(gap);
        gap
    }

    /// Finishes the slices that end before one: the one that was gathered, and empty ones.
    fn finish_before(&mut self, slice_end: EventTime) -> Vec<AlertChange> {
        let mut changes = Vec::new();
        let Some(open) = self.slice_end.filter(|open| *open < slice_end) else { return changes };
        // What is further back is in no span any more.
        let oldest = slice_end.minus(SPANS[SPANS.len() - 1]);
        let mut next = if self.is_gathering() { open } else { open.plus(self.slice) };
        while next < slice_end {
            if next > oldest || next == open {
                changes.extend(self.finish(next));
            }
            next = next.plus(self.slice).max(oldest);
        }
        changes
    }

    fn is_gathering(&self) -> bool {
        self.gathered.iter().any(|counts| !counts.is_empty())
    }

    /// Looks at all departments at the end of a slice.
    fn finish(&mut self, slice_end: EventTime) -> Vec<AlertChange> {
        self.slice_end = Some(slice_end);
        if let Some(gap) = self.gap {
            if slice_end.minus(self.slice) < gap.ended {
                self.gathered.iter_mut().for_each(ByModel::clear);
                let mut changes = self.leave_alerts(slice_end, gap);
                changes.extend(self.follow_severe(slice_end));
                return changes;
            }
            self.gap = None;
            let begun = slice_end.minus(self.slice);
            self.departments.iter_mut().for_each(|department| department.begin_anew(begun));
        }
        let mut changes = Vec::new();
        for (place, gathered) in self.gathered.iter_mut().enumerate() {
            let department = DepartmentId(u16::try_from(place).unwrap_or(u16::MAX));
            let upkeep = self.mutes.upkeep(department, slice_end, self.slice);
            let looked_at = (slice_end, upkeep);
            let of_department = self.departments[place].push(looked_at, gathered, &self.settings, self.priors);
            gathered.clear();
            changes.extend(of_department.into_iter().map(|change| change.of(Scope::Department(department))));
        }
        self.learn_priors();
        let numbered = (0_u16..).map(DepartmentId).zip(&self.departments);
        let parts =
            numbered.filter_map(|(id, department)| department.part(slice_end, self.mutes.uncounted(id, slice_end)));
        let parts: Vec<_> = parts.collect();
        let of_company = self.company.follow(slice_end, &parts, &self.settings);
        changes.extend(of_company.map(|change| change.of(Scope::Company)));
        changes.extend(self.follow_severe(slice_end));
        changes
    }

    /// Looks at severe messages at the end of a slice, once.
    fn follow_severe(&mut self, slice_end: EventTime) -> Vec<AlertChange> {
        if self.severe_until >= Some(slice_end) {
            return Vec::new();
        }
        self.severe_until = Some(slice_end);
        let of_departments = (0_u16..).map(DepartmentId).zip(self.departments.iter().zip(&mut self.severe));
        let changes = of_departments.filter_map(|(id, (department, severe))| {
            let is_muted = self.mutes.reason(Scope::Department(id), AlertKind::Severe, slice_end).is_some();
            let change = severe.follow(department.name(), slice_end, self.slice, (&self.settings, is_muted))?;
            Some(change.of(Scope::Department(id)))
        });
        changes.collect()
    }

    /// Nothing can be said of the departments at that moment.
    fn leave_alerts(&mut self, end: EventTime, gap: Gap) -> Vec<AlertChange> {
        let lasts = end >= gap.begun.plus(NOT_JUDGED_FOR);
        let numbered = (0_u16..).map(DepartmentId).zip(&mut self.departments);
        let ended = numbered.flat_map(|(id, department)| {
            department.leave(end, lasts).into_iter().map(move |change| change.of(Scope::Department(id)))
        });
        let mut ended: Vec<_> = ended.collect();
        ended.extend(self.company.leave(end, lasts).map(|change| change.of(Scope::Company)));
        ended
    }

    /// What the departments that are known have in common stands for those that are not.
    fn learn_priors(&mut self) {
        let configured = [self.settings.prior_negative_ratio, self.settings.prior_frustrated_ratio];
        let known: Vec<[f64; RATIOS]> =
            self.departments.iter().filter_map(|department| department.levels(&self.settings)).collect();
        #[expect(clippy::cast_precision_loss, reason = "a roster has at most 65,535 departments")]
        let count = known.len() as f64;
        self.priors = [0, 1].map(|ratio| {
            let sum: f64 = known.iter().map(|levels| levels[ratio]).sum();
            (configured[ratio] + sum) / (1.0 + count)
        });
    }
}

impl Change {
    fn of(self, scope: Scope) -> AlertChange {
        match self {
            Self::Opened(alert) => AlertChange::Opened(scope, alert),
            Self::Escalated(alert) => AlertChange::Escalated(scope, alert),
            Self::Closed(alert) => AlertChange::Closed(scope, alert),
        }
    }
}
