//! What came of a run, in the terms of those who are paged.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::replay::{Day, Followed, TimeSpan};
use super::tradeoff::{BUDGETS, Listed};
use super::{Incident, Replayed};
use crate::detect::{Alert, AlertKind, Scope, Severity};
use crate::message::EventTime;

/// What a budget of false alarms is for.
const MONTH: Duration = Duration::from_secs(28 * 24 * 3_600);

/// Where a history came from, and what of it could not be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The file or topic.
    pub name: String,
    /// Records that could not be used, by reason.
    pub unusable: BTreeMap<String, u64>,
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
    /// Listed incidents within the time recorded.
    pub listed: u64,
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
    pub(super) listed_spans: Vec<TimeSpan>,
}

/// What a budget means.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TradeOffPoint {
    /// False alarms in 28 days that a department may have.
    pub budget: f64,
    /// Alarms in 28 days that there would have been, outside of listed incidents.
    pub alarms_per_month: Option<f64>,
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
        let nothing = TimeSpan { from: EventTime::from_millis(0), until: EventTime::from_millis(0) };
        let recorded = replayed.recorded.unwrap_or(nothing);
        let mut pool = Pool::default();
        let mut departments = Vec::new();
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
            let tally = Tallied::of(followed, &alerts, recorded, &replayed.gaps);
            departments.push(tally.outcome(followed));
            pool.add(tally);
        }
        let total = pool.outcome(&departments);
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
            listed_left_out: listed - total.listed,
            total,
            alerts: replayed.alerts.iter().map(|(_, alert)| AlertRow::of(alert)).collect(),
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
        }
    }
}

/// What can be added up over departments.
#[derive(Default)]
struct Tallied {
    alerts: u64,
    tickets: u64,
    watched: Duration,
    spans: Vec<TimeSpan>,
    false_alarms: u64,
    listed: Vec<TimeSpan>,
    delays: Vec<Duration>,
    alarms: [u64; BUDGETS.len()],
    listed_found: Vec<[Option<Duration>; BUDGETS.len()]>,
    shifts_found: Vec<[Option<Duration>; BUDGETS.len()]>,
}

impl Tallied {
    fn of(followed: &Followed, alerts: &[&Alert], recorded: TimeSpan, gaps: &[TimeSpan]) -> Self {
        let watched = TimeSpan { from: followed.since, until: recorded.until };
        let (alerts, tickets): (Vec<&Alert>, Vec<&Alert>) =
            alerts.iter().partition(|alert| alert.severity == Severity::Page);
        let spans = incidents_of(&alerts, recorded.until);
        let lost: Duration = gaps.iter().filter(|gap| gap.from >= watched.from).map(|gap| gap.length()).sum();
        // Only what there are rows of could have been found.
        let holds = |span: &TimeSpan, moment: EventTime| span.from <= moment && moment < span.until;
        let is_within =
            |incident: &Incident| holds(&watched, incident.start) && !gaps.iter().any(|gap| holds(gap, incident.start));
        let listed: Vec<&Listed> =
            followed.trade_off.listed.iter().filter(|listed| is_within(&listed.incident)).collect();
        let all_listed = &followed.trade_off.listed;
        let is_false = |span: &&TimeSpan| !all_listed.iter().any(|listed| touches(span, &listed.incident));
        let false_alarms = spans.iter().filter(is_false).count();
        let delays = listed.iter().filter_map(|listed| delay_of(&listed.incident, &spans)).collect();
        let alarms = followed.trade_off.alarms.map(u64::from);
        Self {
            alerts: alerts.len() as u64,
            tickets: tickets.len() as u64,
            watched: watched.length().saturating_sub(lost).saturating_sub(followed.muted),
            false_alarms: false_alarms as u64,
            listed: listed
                .iter()
                .map(|listed| TimeSpan { from: listed.incident.start, until: listed.incident.end })
                .collect(),
            delays,
            alarms,
            listed_found: listed.iter().map(|listed| listed.found).collect(),
            shifts_found: followed.shifts.found.clone(),
            spans,
        }
    }

    fn outcome(&self, followed: &Followed) -> DepartmentOutcome {
        DepartmentOutcome {
            department: followed.name.clone(),
            messages: followed.messages,
            days_seen: followed.days.clone(),
            spans: self.spans.clone(),
            listed_spans: self.listed.clone(),
            ..self.figures()
        }
    }

    fn figures(&self) -> DepartmentOutcome {
        let mut delays = self.delays.clone();
        DepartmentOutcome {
            days: self.watched.as_secs_f64() / 86_400.0,
            alerts: self.alerts,
            tickets: self.tickets,
            incidents: self.spans.len() as u64,
            false_alarms: self.false_alarms,
            false_alarms_per_month: self.a_month(self.false_alarms),
            listed: self.listed.len() as u64,
            detected: self.delays.len() as u64,
            detected_share: share(self.delays.len(), self.listed.len()),
            median_delay_seconds: median(&mut delays),
            trade_off: BUDGETS.iter().enumerate().map(|(place, budget)| self.point(place, *budget)).collect(),
            ..DepartmentOutcome::default()
        }
    }

    fn point(&self, place: usize, budget: f64) -> TradeOffPoint {
        TradeOffPoint {
            budget,
            alarms_per_month: self.a_month(self.alarms[place]),
            listed: Found::of(&self.listed_found, place),
            shifts: Found::of(&self.shifts_found, place),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody has 9e15 alarms")]
    fn a_month(&self, count: u64) -> Option<f64> {
        let months = self.watched.as_secs_f64() / MONTH.as_secs_f64();
        (months > 0.0).then(|| count as f64 / months)
    }
}

/// All departments together.
#[derive(Default)]
struct Pool(Tallied);

impl Pool {
    fn add(&mut self, of: Tallied) {
        let all = &mut self.0;
        all.alerts += of.alerts;
        all.tickets += of.tickets;
        all.watched += of.watched;
        all.spans.extend(of.spans);
        all.false_alarms += of.false_alarms;
        all.listed.extend(of.listed);
        all.delays.extend(of.delays);
        all.listed_found.extend(of.listed_found);
        all.shifts_found.extend(of.shifts_found);
        for (sum, more) in all.alarms.iter_mut().zip(of.alarms) {
            *sum += more;
        }
    }

    fn outcome(self, departments: &[DepartmentOutcome]) -> DepartmentOutcome {
        let messages = departments.iter().map(|department| department.messages).sum();
        DepartmentOutcome { department: "*".to_owned(), messages, ..self.0.figures() }
    }
}

impl Found {
    fn of(found: &[[Option<Duration>; BUDGETS.len()]], place: usize) -> Self {
        let mut delays: Vec<Duration> = found.iter().filter_map(|found| found[place]).collect();
        Self {
            count: found.len() as u64,
            found_share: share(delays.len(), found.len()),
            median_delay_seconds: median(&mut delays),
        }
    }
}

/// From when until when a department's alerts overlap: its incidents, oldest first. The alerts are in order of their starts.
fn incidents_of(alerts: &[&Alert], end: EventTime) -> Vec<TimeSpan> {
    let mut incidents: Vec<TimeSpan> = Vec::new();
    for alert in alerts {
        let span = TimeSpan { from: alert.started, until: alert.ended.unwrap_or(end) };
        match incidents.last_mut().filter(|last| span.from <= last.until) {
            Some(last) => last.until = last.until.max(span.until),
            None => incidents.push(span),
        }
    }
    incidents
}

/// Whether alerts were open during a listed incident, or soon after.
fn touches(span: &TimeSpan, incident: &Incident) -> bool {
    span.from <= incident.until() && span.until >= incident.start
}

/// From the start of a listed incident until somebody was paged; none where nobody was.
fn delay_of(incident: &Incident, spans: &[TimeSpan]) -> Option<Duration> {
    let first = spans.iter().find(|span| touches(span, incident))?;
    let delay = first.from.as_millis().saturating_sub(incident.start.as_millis());
    Some(Duration::from_millis(u64::try_from(delay).unwrap_or_default()))
}

#[expect(clippy::cast_precision_loss, reason = "counts of what people list")]
fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn median(delays: &mut [Duration]) -> Option<u64> {
    delays.sort_unstable();
    let upper = delays.get(delays.len() / 2)?;
    let lower = delays[(delays.len() - 1) / 2];
    Some(((lower + *upper) / 2).as_secs())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
