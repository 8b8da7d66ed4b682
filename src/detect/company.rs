//! When many departments turn unhappy at once: one alert of the company in place of forty.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::{Alert, Severity};
use super::evidence::{MONTH, ln_beta_binomial_upper};
use super::handling::Handling;
use super::kind::{AlertKind, RATIOS};
use super::watch::{Change, Incident, OpenAlert, REOPEN_FACTOR};
use crate::config::DetectConfig;
use crate::message::EventTime;
use crate::voices::Summary;

/// The name under which the company stands among the departments.
pub const COMPANY: &str = "*";

/// Part of the departments taken for unhappy that may be so by chance (Benjamini and Hochberg 1995).
const FALSE_DISCOVERIES: f64 = 0.02;

/// How many departments, and which part of those that customers write to, make a company.
const LEAST_DEPARTMENTS: usize = 3;
const LEAST_PART: f64 = 1.0 / 3.0;

/// Where so many departments have more unhappy messages than expected within a quarter of an hour that chance hardly explains it, and
/// their odds together are so many times as high, the first department that alerts is one of a company that does.
const HARDLY_CHANCE: f64 = 1e-4;
/// So many are by chance, at most: what is expected may be a bit too low for all of them.
const ABOVE_BY_CHANCE: f64 = 0.6;
const LEAST_ODDS: f64 = 1.3;

/// How long evidence lasts, once it is there: a department is as if looked at once in this time.
const LASTS: Duration = Duration::from_secs(3_600);

/// What a department adds to the picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    /// The smallest budget at which its ratios are rare enough for an alert; infinite where they are as usual.
    pub(super) budget_reached: f64,
    /// An alert about its ratios is open.
    pub(super) alerting: bool,
    /// Messages of the last hour, negative ones among them, and how many of those were expected.
    pub(super) messages: u32,
    pub(super) negative: u32,
    pub(super) expected_negative: f64,
    /// Of each ratio that counts, the last quarter of an hour.
    pub(super) lately: [Lately; RATIOS],
    /// The likeliest onset.
    pub(super) since: EventTime,
}

/// What came of late: nothing where it does not count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lately {
    pub(super) messages: f64,
    pub(super) unhappy: f64,
    pub(super) expected: f64,
}

/// The company's own alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Company {
    open: Option<Box<OpenAlert>>,
    /// Alerts that follow each other closely: as of a department, each has to be rarer and stays open for longer.
    incident: Option<Incident>,
}

/// The departments that are not unhappy by chance.
struct Spread<'a> {
    unhappy: Vec<Part<'a>>,
    /// Probability of as much by chance, all departments allowed for.
    p_value: f64,
    is_company_wide: bool,
}

impl Company {
    pub(super) fn open_alert(&self) -> Option<&Alert> {
        self.open.as_ref().map(|open| &open.alert)
    }

    pub(super) fn is_recovering(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.calm_since.is_some())
    }

    /// Looks at the departments that customers write to.
    ///
    /// It merges alerts and lowers no threshold: it opens only where one of a department does.
    pub(super) fn follow(&mut self, end: EventTime, parts: &[Part<'_>], settings: &DetectConfig) -> Option<Change> {
        let spread = Spread::of(parts);
        let recent = self.incident.filter(|incident| incident.is_recent(end));
        let Some(open) = &mut self.open else {
            let guard = if recent.is_some() { REOPEN_FACTOR } else { 1.0 };
            let is_rare = spread.is_company_wide && spread.p_value <= FALSE_DISCOVERIES * guard;
            if !is_rare || !spread.unhappy.iter().any(|part| part.alerting) {
                return None;
            }
            self.incident = Some(Incident::that_goes_on(recent, end));
            let alert = spread.alert(end);
            self.open = Some(Box::new(OpenAlert::new(alert.clone())));
            return Some(Change::Opened(alert));
        };
        if spread.is_company_wide {
            open.calm_since = None;
            open.note_worst_of_company(&spread.alert(end));
            return open.escalate(end);
        }
        let calm_since = *open.calm_since.get_or_insert(end);
        let hold = Incident::hold_of(recent, settings.hold.get());
        if end < calm_since.plus(hold) {
            return None;
        }
        self.close(end)
    }

    /// Nothing can be said at that moment: the alert stays as it is, and ends where that `lasts`.
    pub(super) fn leave(&mut self, end: EventTime, lasts: bool) -> Option<Change> {
        let open = self.open.as_mut()?;
        open.calm_since = None;
        if lasts { self.close(end) } else { None }
    }

    fn close(&mut self, end: EventTime) -> Option<Change> {
        let open = self.open.take()?;
        if let Some(incident) = &mut self.incident {
            incident.closed = Some(end);
        }
        Some(Change::Closed(Alert { ended: Some(end), ..open.alert }))
    }
}

impl<'a> Spread<'a> {
    fn of(parts: &[Part<'a>]) -> Self {
        let mut sorted = parts.to_vec();
        sorted.sort_by(|one, other| one.budget_reached.total_cmp(&other.budget_reached));
        #[expect(clippy::cast_precision_loss, reason = "a roster has at most 65,535 departments")]
        let adjusted = |place: usize, part: &Part<'_>| probability(part) * sorted.len() as f64 / (place + 1) as f64;
        let found = sorted.iter().enumerate().rposition(|(place, part)| adjusted(place, part) <= FALSE_DISCOVERIES);
        let count = found.map_or(0, |place| place + 1);
        let p_value = found.map_or(1.0, |place| adjusted(place, &sorted[place]));
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        let is_company_wide = count >= LEAST_DEPARTMENTS && count as f64 >= LEAST_PART * sorted.len() as f64;
        if let Some(brewing) = brewing(parts).filter(|_| !is_company_wide) {
            return brewing;
        }
        sorted.truncate(count);
        Self { unhappy: sorted, p_value, is_company_wide }
    }

    fn alert(&self, end: EventTime) -> Alert {
        let messages: u32 = self.unhappy.iter().map(|part| part.messages).fold(0, u32::saturating_add);
        let negative: f64 = self.unhappy.iter().map(|part| f64::from(part.negative)).sum();
        let expected: f64 = self.unhappy.iter().map(|part| part.expected_negative).sum();
        let of_messages = |count: f64| if messages == 0 { 0.0 } else { count / f64::from(messages) };
        Alert {
            id: format!("company-{}-{}", AlertKind::CompanyWide.as_str(), end.as_millis()),
            department: COMPANY.to_owned(),
            kind: AlertKind::CompanyWide,
            severity: Severity::Page,
            started: end,
            since: self.unhappy.iter().map(|part| part.since).min().unwrap_or(end),
            ended: None,
            window_seconds: 3_600,
            messages,
            observed: of_messages(negative),
            expected: of_messages(expected),
            p_value: self.p_value,
            recurrence: self.p_value * MONTH.as_secs_f64() / LASTS.as_secs_f64(),
            replayed: false,
            escalations: 0,
            escalated: None,
            departments: self.unhappy.iter().map(|part| part.name.to_owned()).collect(),
            handling: Handling::default(),
            details: Summary::default(),
        }
    }
}

/// Departments that hardly any evidence is there of by itself, but of all together: of those that do not alert themselves, so that a
/// few departments are not taken for all.
fn brewing<'a>(parts: &[Part<'a>]) -> Option<Spread<'a>> {
    (0..RATIOS).find_map(|ratio| {
        let is_written_to = |part: &&Part<'_>| !part.alerting && part.lately[ratio].expected > 0.0;
        let written: Vec<Part<'a>> = parts.iter().filter(is_written_to).copied().collect();
        let is_above = |part: &Part<'_>| part.lately[ratio].unhappy > part.lately[ratio].expected;
        let mut unhappy: Vec<Part<'a>> = written.iter().filter(|part| is_above(part)).copied().collect();
        let [above, all] = [unhappy.len(), written.len()].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        // What is beyond those that are above by chance is unhappy (after Storey 2002).
        let beyond = (f64::from(above) - ABOVE_BY_CHANCE * f64::from(all)) / (1.0 - ABOVE_BY_CHANCE);
        if unhappy.len() < LEAST_DEPARTMENTS || beyond < LEAST_PART * f64::from(all) {
            return None;
        }
        let p_value = ln_beta_binomial_upper(above, all, ABOVE_BY_CHANCE, 0.0).exp();
        let sum = |of: fn(&Lately) -> f64| written.iter().map(|part| of(&part.lately[ratio])).sum::<f64>();
        let messages = sum(|lately| lately.messages);
        let odds = |unhappy: f64| unhappy / (messages - unhappy).max(1.0);
        let times = odds(sum(|lately| lately.unhappy)) / odds(sum(|lately| lately.expected));
        unhappy.extend(parts.iter().filter(|part| part.alerting));
        (p_value <= HARDLY_CHANCE && times >= LEAST_ODDS).then_some(Spread { unhappy, p_value, is_company_wide: true })
    })
}

/// Of as much evidence in a department, at any one moment.
fn probability(part: &Part<'_>) -> f64 {
    (part.budget_reached * LASTS.as_secs_f64() / MONTH.as_secs_f64()).min(1.0)
}
