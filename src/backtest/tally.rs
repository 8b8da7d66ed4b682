//! What of a run can be added up over departments.

use std::time::Duration;

use super::outcome::{DepartmentOutcome, Found, TradeOffPoint};
use super::replay::{Followed, TimeSpan};
use super::tradeoff::{Budgets, FoundAfter, Listed};
use super::verdict::{Judged, touches};
use super::{Incident, Replayed, rate};
use crate::detect::{Alert, Severity};
use crate::message::EventTime;

/// What can be added up over departments.
pub(super) struct Tallied {
    alerts: u64,
    tickets: u64,
    watched: Duration,
    spans: Vec<TimeSpan>,
    /// The same, each held against what is listed.
    judged: Vec<Judged>,
    false_alarms: u64,
    listed: Vec<TimeSpan>,
    listed_muted: u64,
    delays: Vec<Duration>,
    budgets: Budgets,
    alarms: Vec<u64>,
    listed_found: Vec<FoundAfter>,
    shifts_found: Vec<FoundAfter>,
}

impl Tallied {
    /// What of a department's run counts, with its alerts, and when mutes held some of it.
    pub(super) fn of(followed: &Followed, alerts: &[&Alert], held: &[TimeSpan], replayed: &Replayed) -> Self {
        let gaps = &replayed.gaps;
        let recorded = replayed.recorded_or_nothing();
        let watched = TimeSpan { from: followed.since, until: recorded.until };
        let (alerts, tickets): (Vec<&Alert>, Vec<&Alert>) =
            alerts.iter().partition(|alert| alert.severity == Severity::Page);
        let spans = incidents_of(&alerts, recorded.until);
        let lost: Duration = gaps.iter().filter(|gap| gap.from >= watched.from).map(|gap| gap.length()).sum();
        // Only what there are rows of could have been found.
        let holds = |span: &TimeSpan, moment: EventTime| span.from <= moment && moment < span.until;
        let is_within =
            |incident: &Incident| holds(&watched, incident.start) && !gaps.iter().any(|gap| holds(gap, incident.start));
        let recorded_ones = followed.trade_off.listed.iter().filter(|listed| is_within(&listed.incident));
        let is_held = |listed: &&Listed| was_held(listed, &spans, held);
        let (muted, listed): (Vec<&Listed>, Vec<&Listed>) = recorded_ones.partition(is_held);
        let all_listed = &followed.trade_off.listed;
        let judge = |span: &TimeSpan| Judged::of(*span, all_listed.iter().map(|listed| &listed.incident));
        let judged: Vec<Judged> = spans.iter().map(judge).collect();
        let false_alarms = judged.iter().filter(|judged| judged.is_false()).count();
        let delays = listed.iter().filter_map(|listed| delay_of(&listed.incident, &spans)).collect();
        let alarms = followed.trade_off.alarms.iter().copied().map(u64::from).collect();
        Self {
            alerts: alerts.len() as u64,
            tickets: tickets.len() as u64,
            watched: watched.length().saturating_sub(lost).saturating_sub(followed.muted),
            false_alarms: false_alarms as u64,
            listed: listed
                .iter()
                .map(|listed| TimeSpan { from: listed.incident.start, until: listed.incident.end })
                .collect(),
            listed_muted: muted.len() as u64,
            delays,
            budgets: replayed.budgets.clone(),
            alarms,
            listed_found: listed.iter().map(|listed| listed.found.clone()).collect(),
            shifts_found: followed.shifts.found.clone(),
            judged,
            spans,
        }
    }

    /// The same in the terms of those who are paged.
    pub(super) fn outcome(&self, followed: &Followed) -> DepartmentOutcome {
        DepartmentOutcome {
            department: followed.name.clone(),
            messages: followed.messages,
            days_seen: followed.days.clone(),
            spans: self.spans.clone(),
            judged: self.judged.clone(),
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
            too_short: rate::is_too_short(self.budgets.of_run(), self.watched),
            false_alarms_per_month_interval: rate::interval(self.false_alarms, self.watched),
            false_alarms_per_month: rate::a_month(self.false_alarms, self.watched),
            listed: self.listed.len() as u64,
            listed_muted: self.listed_muted,
            detected: self.delays.len() as u64,
            detected_share: share(self.delays.len(), self.listed.len()),
            median_delay_seconds: median(&mut delays),
            trade_off: self
                .budgets
                .all()
                .iter()
                .enumerate()
                .map(|(place, budget)| self.point(place, *budget))
                .collect(),
            ..DepartmentOutcome::default()
        }
    }

    fn point(&self, place: usize, budget: f64) -> TradeOffPoint {
        TradeOffPoint {
            budget,
            alarms_per_month_interval: rate::interval(self.alarms[place], self.watched),
            alarms_per_month: rate::a_month(self.alarms[place], self.watched),
            listed: Found::of(&self.listed_found, place),
            shifts: Found::of(&self.shifts_found, place),
        }
    }
}

/// All departments together.
pub(super) struct Pool(Tallied);

impl Pool {
    /// Of none yet.
    pub(super) fn new(budgets: &Budgets) -> Self {
        Self(Tallied {
            alerts: 0,
            tickets: 0,
            watched: Duration::ZERO,
            spans: Vec::new(),
            judged: Vec::new(),
            false_alarms: 0,
            listed: Vec::new(),
            listed_muted: 0,
            delays: Vec::new(),
            budgets: budgets.clone(),
            alarms: vec![0; budgets.all().len()],
            listed_found: Vec::new(),
            shifts_found: Vec::new(),
        })
    }

    /// One more department.
    pub(super) fn add(&mut self, of: Tallied) {
        let all = &mut self.0;
        all.alerts += of.alerts;
        all.tickets += of.tickets;
        all.watched += of.watched;
        all.spans.extend(of.spans);
        all.false_alarms += of.false_alarms;
        all.listed.extend(of.listed);
        all.listed_muted += of.listed_muted;
        all.delays.extend(of.delays);
        all.listed_found.extend(of.listed_found);
        all.shifts_found.extend(of.shifts_found);
        for (sum, more) in all.alarms.iter_mut().zip(of.alarms) {
            *sum += more;
        }
    }

    /// What became of them all.
    pub(super) fn outcome(self, departments: &[DepartmentOutcome]) -> DepartmentOutcome {
        let messages = departments.iter().map(|department| department.messages).sum();
        DepartmentOutcome { department: "*".to_owned(), messages, ..self.0.figures() }
    }
}

impl Found {
    fn of(found: &[FoundAfter], place: usize) -> Self {
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

/// Whether mutes kept a listed incident from anybody: they held all of it, or each alert of it.
fn was_held(listed: &Listed, spans: &[TimeSpan], held: &[TimeSpan]) -> bool {
    let incident = &listed.incident;
    listed.is_muted || (delay_of(incident, spans).is_none() && held.iter().any(|span| touches(span, incident)))
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
