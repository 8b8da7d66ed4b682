//! From windows to alerts.

use std::f64::consts::LN_10;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, Expected};
use super::binomial::{is_at_least_even, ln_upper_tail};
use super::{Alert, AlertChange, AlertKind, AlertState, DepartmentOutlook, Severity};
use crate::config::{DetectConfig, Roster};
use crate::message::{DepartmentId, EventTime};
use crate::window::Tally;

/// An alert open for this long has become the department's new normal: from then on its panes teach, so that no page lasts
/// for good.
const NEW_NORMAL_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// An alert that can no longer be judged is ended after this long: as the shipped rules let go of the page of a daemon that is
/// gone.
const NOT_JUDGED_FOR: Duration = Duration::from_secs(30 * 60);

/// Opens and closes alerts, at most one a department. The same steps give the same alerts: there is no clock, and what was
/// restored goes on as if it had never stopped.
#[derive(Clone, Debug)]
pub struct Detector {
    settings: DetectConfig,
    ln_enter: f64,
    ln_exit: f64,
    /// In the roster's order.
    departments: Vec<Department>,
    /// Since when nothing is tested; none while everything is.
    gap: Option<Gap>,
    /// Where the state was taken up of another member: the last window that was judged before. None once one is judged here.
    taken_up: Option<EventTime>,
}

/// Panes that hold only a part of what was written: no window with one of them is tested.
#[derive(Clone, Copy, Debug)]
struct Gap {
    /// End of its first pane.
    begun: EventTime,
    /// End of its last pane.
    ended: EventTime,
}

/// What the config says of a department, and what was seen of it.
#[derive(Clone, Debug)]
struct Department {
    name: String,
    /// Configured ratios, by kind.
    configured: [Option<f64>; 2],
    baseline: Baseline,
    /// The last test of each kind; none where its window was not tested.
    tests: [Option<Test>; 2],
    open: Option<OpenAlert>,
}

/// So many unhappy messages of so many, against a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Test {
    unhappy: u32,
    messages: u32,
    ratio: f64,
}

impl Test {
    fn ln_p_value(self) -> f64 {
        ln_upper_tail(self.unhappy, self.messages, self.ratio)
    }

    /// −log10 of the probability: 0 or more.
    fn score(self) -> f64 {
        (-self.ln_p_value() / LN_10).max(0.0)
    }

    fn observed(self) -> f64 {
        f64::from(self.unhappy) / f64::from(self.messages)
    }
}

/// An open alert and what it takes to close it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OpenAlert {
    alert: Alert,
    /// ln of the worst window's probability, which may be too small for a float itself.
    ln_worst: f64,
    /// First window end since when no kind has been suspicious.
    calm_since: Option<EventTime>,
}

/// All that a [`Detector`] remembers, to be saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectorState {
    /// The departments of which something was seen.
    pub departments: Vec<DepartmentState>,
    /// End of the last window that was judged, where that may be another than the last one of the panes: state in a topic goes
    /// from member to member, and is judged only by one that has all of it.
    #[serde(skip)]
    pub judged_until: Option<EventTime>,
}

/// What a [`Detector`] remembers of a department.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DepartmentState {
    /// Id of the department: its number may change with the config.
    pub department: String,
    baseline: Baseline,
    tests: [Option<Test>; 2],
    open: Option<OpenAlert>,
}

impl Detector {
    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(settings: &DetectConfig, roster: &Roster) -> Self {
        let departments = roster.iter().map(|(_, department)| Department {
            name: department.id.clone(),
            configured: [department.expected_negative_ratio, department.expected_frustrated_ratio],
            baseline: Baseline::default(),
            tests: [None; 2],
            open: None,
        });
        Self {
            ln_enter: settings.enter_p_value.ln(),
            ln_exit: settings.exit_p_value.ln(),
            departments: departments.collect(),
            settings: settings.clone(),
            gap: None,
            taken_up: None,
        }
    }

    /// Looks at no department at the end of a closed pane that holds only a part of what was written, in place of
    /// [`Self::step`]: the pane teaches nothing, and no window with it in is tested, nor follows up an alert. Alerts that are
    /// open end where that lasts.
    pub fn skip(&mut self, window_end: EventTime) -> Vec<AlertChange> {
        let gap = self.doubt_until(window_end);
        let numbered = (0_u16..).map(DepartmentId).zip(&mut self.departments);
        let ended = numbered.filter_map(|(id, department)| {
            department.tests = [None; 2];
            // Nobody knows what those before would have led to.
            department.baseline.distrust_until(window_end);
            department.leave_alert(window_end, gap).map(|alert| AlertChange::Closed(id, alert))
        });
        ended.collect()
    }

    /// Others had the windows from that one on, up to `window_end`, and nobody judged them. Alerts that were open for all that
    /// time end as they would have here.
    pub fn take_up_after(&mut self, judged_until: EventTime, window_end: EventTime) -> Vec<AlertChange> {
        if window_end <= judged_until {
            return Vec::new();
        }
        self.taken_up = Some(judged_until);
        let away = Gap { begun: judged_until, ended: window_end };
        let numbered = (0_u16..).map(DepartmentId).zip(&mut self.departments);
        let ended = numbered
            .filter_map(|(id, department)| Some(AlertChange::Closed(id, department.leave_alert(window_end, away)?)));
        ended.collect()
    }

    /// All is here again, and panes that end until then still hold only a part.
    pub fn resume_after(&mut self, end: EventTime) {
        self.doubt_until(end);
    }

    fn doubt_until(&mut self, end: EventTime) -> Gap {
        let known = self.gap.unwrap_or(Gap { begun: self.taken_up.unwrap_or(end).min(end), ended: end });
        let gap = Gap { ended: known.ended.max(end), ..known };
        self.gap = Some(gap);
        gap
    }

    /// Whether windows are not tested, since panes in them hold only a part of what was written.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.gap.is_some()
    }

    /// Looks at one department at the end of a closed pane: once a department and window end, in the order of event time.
    /// `window` is the sum of the window of length `detect.window` that ends at `window_end`, `closed_pane` its last pane.
    ///
    /// # Panics
    /// If the department is not of the roster.
    pub fn step(
        &mut self,
        department: DepartmentId,
        window_end: EventTime,
        window: &Tally,
        closed_pane: &Tally,
    ) -> Option<AlertChange> {
        let settings = &self.settings;
        self.taken_up = None;
        let of_department = &mut self.departments[department.index()];
        of_department.baseline.push(window_end, *closed_pane, settings);
        self.gap = self.gap.filter(|gap| window_end < gap.ended.plus(settings.window.get()));
        if let Some(gap) = self.gap {
            of_department.tests = [None; 2];
            if window_end <= gap.ended {
                of_department.baseline.distrust_until(window_end);
            }
            return of_department.leave_alert(window_end, gap).map(|alert| AlertChange::Closed(department, alert));
        }
        of_department.tests = of_department.tests_of(window, settings);
        if of_department.open.is_none() {
            return of_department
                .open_alert(window_end, self.ln_enter, settings)
                .map(|alert| AlertChange::Opened(department, alert));
        }
        of_department
            .follow_alert(window_end, self.ln_exit, settings)
            .map(|alert| AlertChange::Closed(department, alert))
    }

    /// What there is to say of a department.
    ///
    /// # Panics
    /// If the department is not of the roster.
    #[must_use]
    pub fn outlook(&self, department: DepartmentId) -> DepartmentOutlook {
        let of_department = &self.departments[department.index()];
        let [expected_negative, expected_frustrated] = of_department.known_ratios(&self.settings);
        DepartmentOutlook {
            state: of_department.state(&self.settings),
            active: of_department.open.as_ref().map(|open| (open.alert.kind, open.alert.severity)),
            scores: of_department.tests.map(|test| test.map_or(0.0, Test::score)),
            expected_negative,
            expected_frustrated,
        }
    }

    /// The open alerts with their worst windows so far, in the roster's order.
    pub fn open_alerts(&self) -> impl Iterator<Item = (DepartmentId, &Alert)> {
        let numbered = (0_u16..).map(DepartmentId).zip(&self.departments);
        numbered.filter_map(|(id, department)| Some((id, &department.open.as_ref()?.alert)))
    }

    /// All that is remembered.
    #[must_use]
    pub fn snapshot(&self) -> DetectorState {
        let seen = self.departments.iter().filter(|department| department.baseline.seen > 0);
        let departments = seen.map(|department| DepartmentState {
            department: department.name.clone(),
            baseline: department.baseline.clone(),
            tests: department.tests,
            open: department.open.clone(),
        });
        DetectorState { departments: departments.collect(), judged_until: None }
    }

    /// Takes up what was remembered, by the departments' names. Returns the names that the roster does not have: what was
    /// known of them, an open alert included, is left out.
    pub fn restore(&mut self, state: DetectorState) -> Vec<String> {
        let mut unknown = Vec::new();
        for saved in state.departments {
            let Some(department) = self.departments.iter_mut().find(|known| known.name == saved.department) else {
                unknown.push(saved.department);
                continue;
            };
            department.baseline = saved.baseline;
            department.tests = saved.tests;
            department.open = saved.open;
        }
        unknown
    }
}

impl Department {
    /// The tests of a window: none of a window with too few messages, or of a kind too little known.
    fn tests_of(&self, window: &Tally, settings: &DetectConfig) -> [Option<Test>; 2] {
        if window.messages < settings.min_messages.max(1) {
            return [None; 2];
        }
        let known_enough = self.baseline.seen >= u64::from(settings.min_seen);
        let unhappy = [window.negative, window.frustrated];
        [0, 1].map(|kind| {
            let may_alert = known_enough || self.configured[kind].is_some();
            let ratio = may_alert.then(|| self.expected(kind, settings).tested)?;
            Some(Test { unhappy: unhappy[kind], messages: window.messages, ratio })
        })
    }

    fn expected(&self, kind: usize, settings: &DetectConfig) -> Expected {
        let prior = [settings.prior_negative_ratio, settings.prior_frustrated_ratio][kind];
        self.configured[kind].map_or_else(|| self.baseline.expected(kind, prior, settings), Expected::known)
    }

    /// The expected ratios, by kind; none of what was neither configured nor seen.
    fn known_ratios(&self, settings: &DetectConfig) -> [Option<f64>; 2] {
        [0, 1].map(|kind| {
            let is_known = self.baseline.seen > 0 || self.configured[kind].is_some();
            is_known.then(|| self.expected(kind, settings).mean)
        })
    }

    fn state(&self, settings: &DetectConfig) -> AlertState {
        if self.open.is_some() {
            return AlertState::Active;
        }
        let learns = self.configured.iter().any(Option::is_none);
        if learns && self.baseline.is_learning(settings) { AlertState::Learning } else { AlertState::Quiet }
    }

    /// Opens an alert of the less likely kind where one is unlikely enough.
    fn open_alert(&mut self, window_end: EventTime, ln_enter: f64, settings: &DetectConfig) -> Option<Alert> {
        let (kind, test, ln_p_value) = self.least_likely(ln_enter)?;
        let alert = Alert {
            id: format!("{}-{}-{}", self.name, AlertKind::ALL[kind].as_str(), window_end.as_millis()),
            department: self.name.clone(),
            kind: AlertKind::ALL[kind],
            severity: Severity::Page,
            started: window_end,
            ended: None,
            window_seconds: settings.window.get().as_secs(),
            messages: test.messages,
            observed: test.observed(),
            expected: self.expected(kind, settings).mean,
            p_value: ln_p_value.exp(),
            replayed: false,
        };
        self.baseline.distrust_until(window_end);
        self.open = Some(OpenAlert { alert: alert.clone(), ln_worst: ln_p_value, calm_since: None });
        Some(alert)
    }

    /// The test with the smallest probability, among those of at most `ln_limit`.
    fn least_likely(&self, ln_limit: f64) -> Option<(usize, Test, f64)> {
        let tests = self.tests.iter().enumerate().filter_map(|(kind, test)| Some((kind, (*test)?)));
        let unlikely = tests.filter_map(|(kind, test)| Some((kind, test, ln_p_value_at_most(test, ln_limit)?)));
        unlikely.min_by(|(_, _, one), (_, _, other)| one.total_cmp(other))
    }

    /// Leaves an open alert as it is while nothing can be said of it, and ends it where that lasts.
    fn leave_alert(&mut self, window_end: EventTime, gap: Gap) -> Option<Alert> {
        let open = self.open.as_mut()?;
        open.calm_since = None;
        self.baseline.distrust_until(window_end);
        if window_end < gap.begun.plus(NOT_JUDGED_FOR) {
            return None;
        }
        let closed = self.open.take()?.alert;
        Some(Alert { ended: Some(window_end), ..closed })
    }

    /// Keeps an open alert up to date, and closes it after enough calm.
    fn follow_alert(&mut self, window_end: EventTime, ln_exit: f64, settings: &DetectConfig) -> Option<Alert> {
        let is_calm = self.least_likely(ln_exit).is_none();
        let open = self.open.as_mut()?;
        if window_end < open.alert.started.plus(NEW_NORMAL_AFTER) {
            self.baseline.distrust_until(window_end);
        }
        if !is_calm {
            open.calm_since = None;
            open.note_worst(self.tests);
            return None;
        }
        let calm_since = *open.calm_since.get_or_insert(window_end);
        if window_end < calm_since.plus(settings.hold.get()) {
            return None;
        }
        let closed = self.open.take()?.alert;
        Some(Alert { ended: Some(window_end), ..closed })
    }
}

impl OpenAlert {
    /// Notes the window where it is worse than the worst so far.
    fn note_worst(&mut self, tests: [Option<Test>; 2]) {
        let same_kind =
            tests.into_iter().zip(AlertKind::ALL).find_map(|(test, kind)| test.filter(|_| *kind == self.alert.kind));
        let Some(test) = same_kind else { return };
        let ln_p_value = test.ln_p_value();
        if ln_p_value < self.ln_worst {
            self.ln_worst = ln_p_value;
            self.alert.messages = test.messages;
            self.alert.observed = test.observed();
            self.alert.p_value = ln_p_value.exp();
        }
    }
}

/// ln of a test's probability where it is at most the limit.
fn ln_p_value_at_most(test: Test, ln_limit: f64) -> Option<f64> {
    // Most windows are unremarkable: they are told without summing a tail.
    if ln_limit < -std::f64::consts::LN_2 && is_at_least_even(test.unhappy, test.messages, test.ratio) {
        return None;
    }
    Some(test.ln_p_value()).filter(|ln_p_value| *ln_p_value <= ln_limit)
}
