//! What came of a run, in the terms of those who are paged.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Replayed;
use super::replay::{Day, TimeSpan};
use super::tally::{Pool, Tallied};
use super::verdict::{Judged, ListedSpan, judged_at};
use crate::detect::{Alert, AlertKind, Scope, Severity};
use crate::message::EventTime;

/// Where a history came from, and what of it could not be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The file or topic.
    pub name: String,
    /// Records that could not be used, by reason.
    pub unusable: BTreeMap<String, u64>,
    /// Where the first of each reason stands: a line, or the partition and offset of a topic.
    pub first_unusable: BTreeMap<String, String>,
    /// Messages of agents and bots, which are not scored.
    pub not_by_customers: u64,
}

/// All that is told of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Backtest {
    /// Where the history came from.
    pub source: Source,
    /// When it starts, and ends.
    pub from: Moment,
    /// See [`Self::from`].
    pub until: Moment,
    /// Length of a row's step.
    pub step_seconds: u64,
    /// Rows.
    pub rows: u64,
    /// Messages.
    pub messages: u64,
    /// When nothing was recorded: skipped.
    pub not_recorded: Vec<Gap>,
    /// False alarms in 28 days that a department may have.
    pub budget: f64,
    /// Whether incidents were listed.
    pub with_incidents: bool,
    /// Listed incidents that began when nothing was recorded: they count neither as found nor as missed.
    pub listed_left_out: u64,
    /// Alerts that mutes of the config held from first to last: they are not among the others.
    pub muted: u64,
    /// All departments together: what is counted a month is of one department on average.
    pub total: DepartmentOutcome,
    /// Every alert.
    pub alerts: Vec<AlertRow>,
    /// Each department.
    pub departments: Vec<DepartmentOutcome>,
}

/// A moment, shown as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub EventTime);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A span in which nothing was recorded.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Gap {
    /// Its start.
    pub from: Moment,
    /// Its end.
    pub until: Moment,
}

/// An alert.
#[derive(Clone, Debug, Serialize)]
pub struct AlertRow {
    /// Whose.
    pub department: String,
    /// What it is about.
    pub kind: AlertKind,
    /// How urgent it is.
    pub severity: Severity,
    /// When it opened.
    pub started: Moment,
    /// The likeliest onset.
    pub since: Moment,
    /// When it closed; none where it was still open at the end.
    pub ended: Option<Moment>,
    /// Probability of its worst window under what was expected; none of a severe message.
    pub peak_p: Option<f64>,
    /// How many times in 28 days chance alone brings about as much; none of a severe message.
    pub by_chance_per_month: Option<f64>,
    /// Whether it is of a listed incident. None of a ticket, of the company's, and where no incidents are listed.
    pub true_alarm: Option<bool>,
    /// The listed incidents that it is of, with the alerts that overlap it.
    pub listed: Vec<ListedSpan>,
    /// The departments that an alert of the company is about; left out of others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<String>,
}

/// What became of a department, or of all.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DepartmentOutcome {
    /// Its id; of all departments together `*`.
    pub department: String,
    /// Messages.
    pub messages: u64,
    /// Days for which it was watched: without what was not recorded, and without the time for which a mute held all that is tested.
    pub days: f64,
    /// Alerts; tickets about severe messages are not among them.
    pub alerts: u64,
    /// Tickets about severe messages.
    pub tickets: u64,
    /// Alerts that overlap are one incident.
    pub incidents: u64,
    /// Incidents that touch no listed one; all where none is listed.
    pub false_alarms: u64,
    /// The same in 28 days.
    pub false_alarms_per_month: Option<f64>,
    /// Between which rates the true one lies, with 95 %, if each comes independently of the others.
    pub false_alarms_per_month_interval: Option<[f64; 2]>,
    /// It was watched for too short a time to tell whether the budget is kept: fewer than 3 false alarms were to be expected.
    pub too_short: bool,
    /// Listed incidents within the time recorded.
    pub listed: u64,
    /// Others within it that mutes of the config kept from everybody: they count neither as found nor as missed.
    pub listed_muted: u64,
    /// Those with an alert.
    pub detected: u64,
    /// The same as a part, 0 to 1.
    pub detected_share: Option<f64>,
    /// From the start of a listed incident until its alert.
    pub median_delay_seconds: Option<u64>,
    /// What each budget means.
    pub trade_off: Vec<TradeOffPoint>,
    #[serde(skip)]
    pub(super) days_seen: Vec<Day>,
    /// The alerts of each incident: from when until when.
    #[serde(skip)]
    pub(super) spans: Vec<TimeSpan>,
    #[serde(skip)]
    pub(super) judged: Vec<Judged>,
    #[serde(skip)]
    pub(super) listed_spans: Vec<TimeSpan>,
}

/// What a budget means.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TradeOffPoint {
    /// False alarms in 28 days that a department may have.
    pub budget: f64,
    /// Alarms in 28 days that there would have been, outside of listed incidents.
    pub alarms_per_month: Option<f64>,
    /// Between which rates the true one lies, with 95 %, if each comes independently of the others.
    pub alarms_per_month_interval: Option<[f64; 2]>,
    /// Of the listed incidents.
    pub listed: Found,
    /// Of the shifts that were put into the department's own history.
    pub shifts: Found,
}

/// How many were found, and how soon.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Found {
    /// How many there were.
    pub count: u64,
    /// The part of them that was found, 0 to 1.
    pub found_share: Option<f64>,
    /// Half of those found were found sooner.
    pub median_delay_seconds: Option<u64>,
}

impl Backtest {
    /// What came of a run.
    #[must_use]
    pub fn of(replayed: &Replayed, source: Source, budget: f64, with_incidents: bool) -> Self {
        let recorded = replayed.recorded_or_nothing();
        let mut pool = Pool::new(&replayed.budgets);
        let mut departments = Vec::new();
        // Where each is among the outcomes.
        let mut places = BTreeMap::new();
        let mut listed = 0;
        for (place, followed) in replayed.departments.iter().enumerate() {
            listed += followed.trade_off.listed.len() as u64;
            if followed.messages == 0 {
                // Named by the config, and not in the history.
                continue;
            }
            let is_its = |scope: &Scope| matches!(scope, Scope::Department(department) if department.index() == place);
            let alerts = replayed.alerts.iter().filter(|(scope, _)| is_its(scope));
            let alerts: Vec<&Alert> = alerts.map(|(_, alert)| alert).collect();
            let held = replayed.held.iter().filter(|(scope, _)| is_its(scope));
            let held: Vec<TimeSpan> = held.map(|(_, span)| *span).collect();
            let tally = Tallied::of(followed, &alerts, &held, replayed);
            places.insert(place, departments.len());
            departments.push(tally.outcome(followed));
            pool.add(tally);
        }
        let total = pool.outcome(&departments);
        let alert_row = |(scope, alert): &(Scope, Alert)| {
            let outcome = match scope {
                Scope::Department(department) if with_incidents => places.get(&department.index()),
                _ => None,
            };
            AlertRow::of(alert).judged(outcome.map(|place: &usize| &departments[*place]))
        };
        let alerts = replayed.alerts.iter().map(alert_row).collect();
        Self {
            source,
            from: Moment(recorded.from),
            until: Moment(recorded.until),
            step_seconds: replayed.step.length().as_secs(),
            rows: replayed.rows,
            messages: departments.iter().map(|department| department.messages).sum(),
            not_recorded: replayed
                .gaps
                .iter()
                .map(|gap| Gap { from: Moment(gap.from), until: Moment(gap.until) })
                .collect(),
            budget,
            with_incidents,
            listed_left_out: listed - total.listed - total.listed_muted,
            total,
            alerts,
            departments,
            muted: replayed.muted,
        }
    }
}

impl AlertRow {
    fn of(alert: &Alert) -> Self {
        Self {
            department: alert.department.clone(),
            kind: alert.kind,
            severity: alert.severity,
            started: Moment(alert.started),
            since: Moment(alert.since),
            ended: alert.ended.map(Moment),
            peak_p: alert.kind.is_tested().then_some(alert.p_value),
            by_chance_per_month: alert.kind.is_tested().then_some(alert.recurrence),
            departments: alert.departments.clone(),
            true_alarm: None,
            listed: Vec::new(),
        }
    }

    /// Held against what is listed of its department, where that can be done.
    fn judged(self, outcome: Option<&DepartmentOutcome>) -> Self {
        let judged = outcome.filter(|_| self.severity == Severity::Page);
        match judged.and_then(|outcome| judged_at(&outcome.judged, self.started.0)) {
            Some(judged) => Self { true_alarm: Some(!judged.is_false()), listed: judged.listed.clone(), ..self },
            None => self,
        }
    }
}
