//! Drives the detector through a history, step by step.

use std::sync::Arc;
use std::time::Duration;

use super::muting::Muting;
use super::shift::{self, Shifts};
use super::tradeoff::{Budgets, TradeOff};
use super::{History, HistoryError, Incidents, Names, Row, Step};
use crate::config::{DepartmentConfig, DetectConfig, MuteConfig};
use crate::detect::{Alert, AlertChange, AlertKind, Detector, DetectorState, Scope, Usual};
use crate::message::{DepartmentId, EventTime, ModelId};
use crate::window::Tally;

/// Where no department has a row for so long, nothing was recorded.
const NOT_RECORDED_AFTER: Duration = DAY;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How long nothing may be judged before the detector ends its alerts, and a bit more.
const LETS_GO_AFTER: Duration = Duration::from_secs(45 * 60);

/// With what a history is run.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// The detector's settings.
    pub detect: &'a DetectConfig,
    /// What the config says of departments: they are watched from the beginning, others from their first row on.
    pub departments: &'a [DepartmentConfig],
    /// Whose alerts page nobody, and when; what comes in maintenance is not learned.
    pub mutes: &'a [MuteConfig],
    /// What really happened.
    pub incidents: &'a Incidents,
}

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeSpan {
    /// Its start.
    pub(super) from: EventTime,
    /// Its end.
    pub(super) until: EventTime,
}

impl TimeSpan {
    pub(super) fn length(self) -> Duration {
        Duration::from_millis(self.until.as_millis().abs_diff(self.from.as_millis()))
    }
}

/// A department's messages of a day in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    /// Days since 1970.
    pub(super) number: i64,
    pub(super) messages: u64,
    pub(super) negative: u64,
}

/// What is followed of a department.
pub(super) struct Followed {
    pub(super) name: String,
    /// Since when it is watched.
    pub(super) since: EventTime,
    /// For how long of it, without what was not recorded, a mute held all that is tested.
    pub(super) muted: Duration,
    pub(super) messages: u64,
    pub(super) days: Vec<Day>,
    pub(super) trade_off: TradeOff,
    pub(super) shifts: Shifts,
    /// Alerts open now.
    open: u32,
}

/// A history that was run through.
pub struct Replayed {
    pub(super) detector: Detector,
    pub(super) step: Step,
    /// The one that scored it.
    model: ModelId,
    /// None where there is no row.
    pub(super) recorded: Option<TimeSpan>,
    pub(super) rows: u64,
    /// When nothing was recorded.
    pub(super) gaps: Vec<TimeSpan>,
    pub(super) departments: Vec<Followed>,
    /// Closed ones, and those open at the end.
    pub(super) alerts: Vec<(Scope, Alert)>,
    /// Alerts that a mute held from first to last.
    pub(super) muted: u64,
    /// When mutes held alerts that would have paged.
    pub(super) held: Vec<(Scope, TimeSpan)>,
    /// At which the trade-off looked.
    pub(super) budgets: Budgets,
}

/// Runs a history through the detector. `names` are those that the history was opened with.
///
/// # Errors
/// If the history cannot be read, something in it cannot be used, or an incident's department is not in it.
pub fn replay(history: &mut dyn History, mut names: Names, setup: Setup<'_>) -> Result<Replayed, HistoryError> {
    let mut replay = Replay::new(history, setup);
    while let Some(row) = history.next_row(&mut names)? {
        replay.take(row, &names);
    }
    setup.incidents.check_departments(&names)?;
    Ok(replay.finish())
}

struct Replay<'a> {
    setup: Setup<'a>,
    detector: Detector,
    step: Step,
    slice: Duration,
    model: ModelId,
    last_start: Option<EventTime>,
    /// When the first step started.
    from: Option<EventTime>,
    /// Start of the step that is gathered, and its counts by department.
    now: EventTime,
    tallies: Vec<Tally>,
    rows: u64,
    gaps: Vec<TimeSpan>,
    departments: Vec<Followed>,
    alerts: Vec<(Scope, Alert)>,
    muting: Muting<'a>,
    budgets: Budgets,
}

impl<'a> Replay<'a> {
    fn new(history: &dyn History, setup: Setup<'a>) -> Self {
        let (step, last_start) = (history.step(), history.last_start());
        Self {
            model: history.model(),
            muting: Muting::new(setup.mutes),
            budgets: Budgets::with(setup.detect.false_alarms_per_month),
            setup,
            detector: Detector::of_slices(setup.detect, step.slice()),
            step,
            slice: step.slice(),
            last_start,
            from: None,
            now: EventTime::from_millis(0),
            tallies: Vec::new(),
            rows: 0,
            gaps: Vec::new(),
            departments: Vec::new(),
            alerts: Vec::new(),
        }
    }

    fn take(&mut self, row: Row, names: &Names) {
        if self.from.is_none() {
            self.begin(row.start, names);
        }
        if row.start != self.now {
            self.advance_to(row.start);
        }
        while self.departments.len() <= row.department.index() {
            self.watch(&names.all()[self.departments.len()]);
        }
        self.tallies[row.department.index()] = row.tally;
        if row.severe > 0 {
            self.detector.note_severe(row.department, row.start, row.severe);
        }
        self.departments[row.department.index()].note(row);
        self.rows += 1;
    }

    fn begin(&mut self, start: EventTime, names: &Names) {
        self.from = Some(start);
        self.now = start;
        let last_configured = self.setup.departments.iter().filter_map(|department| names.find(&department.id)).max();
        for name in names.all().iter().take(last_configured.map_or(0, |last| last.index() + 1)) {
            self.watch(name);
        }
    }

    fn watch(&mut self, name: &str) {
        let configured = self.setup.departments.iter().find(|department| department.id == name);
        let config = configured.cloned().unwrap_or_else(|| DepartmentConfig::named(name));
        let department = self.detector.watch(&config);
        self.muting.watch(&config);
        let incidents = self.setup.incidents.of(name);
        self.tallies.push(Tally::default());
        self.departments.push(Followed {
            name: name.to_owned(),
            since: self.now,
            muted: Duration::ZERO,
            messages: 0,
            days: Vec::new(),
            trade_off: TradeOff::new(self.slice, incidents, &self.budgets),
            shifts: Shifts::new(department, shift::first(self.now, self.last_start), &self.budgets),
            open: 0,
        });
    }

    /// Closes the step that is gathered, and those without rows up to one.
    fn advance_to(&mut self, start: EventTime) {
        self.close_step();
        let next = self.now.plus(self.step.length());
        if start >= next.plus(NOT_RECORDED_AFTER) {
            self.skip(TimeSpan { from: next, until: start });
        } else {
            self.now = next;
            while self.now < start {
                self.close_step();
                self.now = self.now.plus(self.step.length());
            }
        }
        self.now = start;
    }

    fn close_step(&mut self) {
        let (start, end) = (self.now, self.now.plus(self.step.length()));
        let slice_millis = i64::try_from(self.slice.as_millis()).unwrap_or(i64::MAX);
        let is_slice_end = end.as_millis() % slice_millis == 0;
        if let Some(mutes) = self.muting.take_news() {
            self.detector.set_mutes(mutes);
        }
        self.begin_shifts(start);
        let Self { detector, tallies, departments, model, muting, .. } = self;
        let changes = detector.close_by_model(end, |department| [(*model, tallies[department.index()])]);
        for ((place, followed), tally) in (0_u16..).zip(departments.iter_mut()).zip(tallies.iter_mut()) {
            let is_held = muting.holds_all(Scope::Department(DepartmentId(place)), end);
            if is_held {
                followed.muted += self.step.length();
            }
            if is_slice_end {
                let reached = detector.budget_reached(DepartmentId(place)).filter(|_| !is_held);
                followed.trade_off.observe(end, reached);
            }
            followed.shifts.feed(end, (*model, *tally), is_slice_end);
            *tally = Tally::default();
        }
        self.enter(changes, end);
        self.muting.follow(&self.detector, end);
    }

    fn begin_shifts(&mut self, start: EventTime) {
        let slice_millis = i64::try_from(self.slice.as_millis()).unwrap_or(i64::MAX);
        if start.as_millis() % slice_millis != 0 {
            return;
        }
        for (place, followed) in (0_u16..).zip(&mut self.departments) {
            // A shift within an incident would be found for the incident's sake, and what is muted pages nobody who could find it.
            let scope = Scope::Department(DepartmentId(place));
            let lasts = TimeSpan { from: start, until: start.plus(shift::LASTS) };
            let is_muted = || self.muting.holds_any_within(scope, lasts, self.slice);
            let is_disturbed = || followed.open > 0 || followed.trade_off.is_listed(start) || is_muted();
            if followed.shifts.is_due(start) && !is_disturbed() {
                followed.shifts.begin(&self.detector, DepartmentId(place), start, self.slice);
            }
        }
    }

    fn skip(&mut self, gap: TimeSpan) {
        self.gaps.push(gap);
        let changes = leave(&mut self.detector, gap, self.step.length());
        self.enter(changes, gap.until);
        for followed in &mut self.departments {
            followed.trade_off.interrupt();
            followed.shifts.abandon();
        }
    }

    fn enter(&mut self, changes: Vec<AlertChange>, end: EventTime) {
        for change in changes {
            match change {
                AlertChange::Opened(scope, alert) => {
                    self.count_open(scope, alert.kind, |open| open + 1);
                    self.muting.note_opened(scope, &alert, end);
                }
                AlertChange::Escalated(..) => {}
                AlertChange::Closed(scope, alert) => {
                    self.count_open(scope, alert.kind, |open| open.saturating_sub(1));
                    self.alerts.extend(self.muting.paged(scope, alert, end).map(|alert| (scope, alert)));
                }
            }
        }
    }

    /// A ticket disturbs no test.
    fn count_open(&mut self, scope: Scope, kind: AlertKind, count: impl Fn(u32) -> u32) {
        if let Scope::Department(department) = scope
            && kind.is_tested()
        {
            let open = &mut self.departments[department.index()].open;
            *open = count(*open);
        }
    }

    fn judge_muted_incidents(&mut self) {
        for (place, followed) in (0_u16..).zip(&mut self.departments) {
            let scope = Scope::Department(DepartmentId(place));
            for listed in &mut followed.trade_off.listed {
                let lasted = TimeSpan { from: listed.incident.start, until: listed.incident.end };
                listed.is_muted = self.muting.holds_all_through(scope, lasted, self.slice);
            }
        }
    }

    fn finish(mut self) -> Replayed {
        let recorded = self.from.map(|from| {
            self.close_step();
            TimeSpan { from, until: self.now.plus(self.step.length()) }
        });
        self.judge_muted_incidents();
        let end = self.now.plus(self.step.length());
        let Self { detector, step, model, rows, gaps, departments, mut alerts, mut muting, budgets, .. } = self;
        let open =
            detector.open_alerts().filter_map(|(scope, alert)| Some((scope, muting.paged(scope, alert.clone(), end)?)));
        alerts.extend(open);
        alerts.sort_by(|(_, one), (_, other)| {
            (one.started, &one.department, one.kind).cmp(&(other.started, &other.department, other.kind))
        });
        let Muting { never_paged: muted, spans_held: held, .. } = muting;
        Replayed { detector, step, model, recorded, rows, gaps, departments, alerts, muted, held, budgets }
    }
}

impl Followed {
    fn note(&mut self, row: Row) {
        let (messages, negative) = (u64::from(row.tally.messages), u64::from(row.tally.negative));
        self.messages += messages;
        let number = row.start.as_millis().div_euclid(86_400_000);
        match self.days.last_mut().filter(|day| day.number == number) {
            Some(day) => {
                day.messages += messages;
                day.negative += negative;
            }
            None => self.days.push(Day { number, messages, negative }),
        }
    }
}

impl Replayed {
    /// When it was recorded: at no time where there is no row.
    pub(super) fn recorded_or_nothing(&self) -> TimeSpan {
        let never = EventTime::from_millis(0);
        self.recorded.unwrap_or(TimeSpan { from: never, until: never })
    }

    /// What was learned of the departments, without what was going on at the end: it is taken up at another time.
    #[must_use]
    pub fn learned(mut self) -> DetectorState {
        let Some(recorded) = self.recorded else { return DetectorState::default() };
        // What follows is no time of the history, and none of its maintenance.
        self.detector.set_mutes(Arc::default());
        let gap = TimeSpan { from: recorded.until, until: recorded.until.plus(LETS_GO_AFTER) };
        leave(&mut self.detector, gap, self.step.slice());
        // The first whole slice after a gap begins all tests anew. It is one as usual: an empty one would be silence.
        let millis = i64::try_from(self.step.slice().as_millis()).unwrap_or(1);
        let ended = gap.until.as_millis().saturating_add(millis - 1).div_euclid(millis);
        let first = ended.saturating_add(1).saturating_mul(millis);
        let usual: Vec<Tally> =
            (0_u16..).zip(&self.departments).map(|(place, _)| self.usual(DepartmentId(place))).collect();
        let end = EventTime::from_millis(first);
        drop(self.detector.close_by_model(end, |department| [(self.model, usual[department.index()])]));
        let mut learned = self.detector.snapshot().without_tickets();
        learned.slice_end = None;
        learned
    }

    /// A slice of a department in which all is as usual.
    fn usual(&self, department: DepartmentId) -> Tally {
        let outlook = self.detector.outlook(department);
        let part_of_hour = self.step.slice().as_secs_f64() / 3_600.0;
        let messages = outlook.usual_messages.map_or(0.0, |usual| usual.expected * part_of_hour).round();
        let unhappy = |usual: Option<Usual>| usual.map_or(0.0, |usual| (usual.expected * messages).round());
        let [messages, negative, frustrated] =
            [messages, unhappy(outlook.usual_negative), unhappy(outlook.usual_frustrated)].map(count_of);
        Tally { messages, negative, frustrated, positive: 0 }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates: nobody has 4e9 messages a slice"
)]
fn count_of(expected: f64) -> u32 {
    expected as u32
}

/// Tells a detector that nothing was recorded: at its start, when it ends its alerts, and at its end.
fn leave(detector: &mut Detector, gap: TimeSpan, step: Duration) -> Vec<AlertChange> {
    let first = gap.from.plus(step);
    let mut changes = detector.skip(first);
    changes.extend(detector.skip(first.plus(LETS_GO_AFTER).min(gap.until.max(first))));
    changes.extend(detector.skip(gap.until.max(first)));
    changes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
