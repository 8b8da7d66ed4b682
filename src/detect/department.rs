//! One department: what is normal for it, what is being tested, and which alerts are open.

mod following;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertState, DepartmentOutlook, Severity, Usual};
use super::baseline::{Baseline, Biased, Biases, Calendar, HOURS_OF_WEEK, HourOfWeek, KnownRatio};
use super::by_model::ByModel;
use super::calibration::{Calibration, fewer_when_busy, heavier_tail};
use super::company::{Lately, Part};
use super::evidence::{Evidence, EvidenceState, Finding, Findings, MONTH, Normal};
use super::handling::Handling;
use super::kind::{AlertKind, RATIOS};
use super::mutes::Upkeep;
use super::tick::{Expected, SPANS};
use super::watch::{Change, Incident, OpenAlert, Watch};
use crate::config::{DepartmentConfig, DetectConfig};
use crate::message::EventTime;
use crate::voices::Summary;

/// What weeks that were not seen yet may add to the spread of volumes: days differ by more than the hours of one day.
const UNKNOWN_WEEKS: f64 = 0.3;

/// How much of the budget each kind has. The volumes' margins make their alerts rarer than these say: so does silence, whose delay
/// counts, have more than would add up to 1.
const KIND_SHARES: [f64; AlertKind::TESTED.len()] = [0.6, 0.3, 0.05, 0.4];

/// The place of 1 h among the spans.
const HOUR_SPAN: usize = 1;

/// What the config says of a department, and what was seen of it.
#[derive(Clone, Debug)]
pub(super) struct Department {
    name: String,
    configured: [Option<f64>; RATIOS],
    calendar: Calendar,
    slice: Duration,
    baseline: Baseline,
    biases: Biases,
    evidence: Evidence,
    watches: [Watch; AlertKind::TESTED.len()],
    incident: Option<Incident>,
    findings: Findings,
    calibration: Calibration,
    usual: [Option<Usual>; RATIOS + 1],
}

/// What a department remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DepartmentState {
    /// Id of the department: its number may change with the config.
    pub department: String,
    /// The counts of the slice that is not finished.
    gathered: ByModel,
    baseline: Baseline,
    biases: Biases,
    evidence: EvidenceState,
    watches: [Watch; AlertKind::TESTED.len()],
    incident: Option<Incident>,
    findings: Findings,
    calibration: Calibration,
    usual: [Option<Usual>; RATIOS + 1],
}

impl DepartmentState {
    /// Whether it is what it should be, wherever it came from.
    pub(super) fn is_sound(&self) -> bool {
        let Self { gathered, baseline, biases, evidence, calibration, .. } = self;
        gathered.is_sound() && baseline.is_sound() && biases.is_sound() && evidence.is_sound() && calibration.is_sound()
    }
}

/// What is known at an hour of the week.
struct KnownAt<'a> {
    baseline: &'a Baseline,
    /// What the estimates' own uncertainty adds to the correlations and the spread.
    uncertain: [f64; RATIOS],
    uncertain_volume: f64,
    /// Messages of an hour such as this one.
    messages_now: f64,
}

impl Normal for KnownAt<'_> {
    fn correlation(&self, ratio: usize, span: usize) -> f64 {
        (self.baseline.correlation(ratio, span) + self.uncertain[ratio]).min(0.9)
    }

    fn unknown_ratio(&self, ratio: usize) -> f64 {
        self.uncertain[ratio].min(0.9 - self.baseline.correlation(ratio, 0))
    }

    fn spread(&self, span: usize) -> f64 {
        self.baseline.spread(span) + self.uncertain_volume
    }

    fn unknown_volume(&self) -> f64 {
        self.uncertain_volume
    }

    fn clumping(&self) -> f64 {
        self.baseline.clumping()
    }

    fn messages_an_hour(&self) -> f64 {
        self.baseline.messages_an_hour()
    }

    fn messages_now(&self) -> f64 {
        self.messages_now
    }
}

impl Department {
    pub(super) fn new(config: &DepartmentConfig, slice: Duration) -> Self {
        Self {
            name: config.id.clone(),
            configured: [config.expected_negative_ratio, config.expected_frustrated_ratio],
            calendar: Calendar::new(&config.time_zone),
            slice,
            baseline: Baseline::new(),
            biases: Biases::default(),
            evidence: Evidence::new(slice),
            watches: [const { Watch::Quiet }; AlertKind::TESTED.len()],
            incident: None,
            findings: Findings::default(),
            calibration: Calibration::default(),
            usual: [config.expected_negative_ratio, config.expected_frustrated_ratio, None]
                .map(|configured| configured.map(|ratio| Usual::of_ratio(ratio, 1.0, 0.0))),
        }
    }

    /// Takes the slice that ends at `end`. `priors` are the ratios assumed of a department of which nothing is known.
    pub(super) fn push(
        &mut self,
        (end, upkeep): (EventTime, Upkeep),
        by_model: &ByModel,
        settings: &DetectConfig,
        priors: [f64; RATIOS],
    ) -> Vec<Change> {
        let counts = by_model.total();
        if !self.is_seen() && counts.messages == 0 {
            return Vec::new();
        }
        let start = end.minus(self.slice);
        if upkeep == Upkeep::JustOver {
            // What came in a planned outage is no evidence for what comes after it.
            self.begin_anew(start);
        }
        let hour = self.calendar.hour_of(start);
        let known = self.ratios_at(hour, priors);
        let normal = known.map(|known| known.ratio);
        // What an incident changes is no model's doing.
        let teaches = self.pages().next().is_none();
        self.biases.push((start, self.slice), by_model, normal, teaches);
        let biased = [0, 1].map(|ratio| {
            let correlation = self.baseline.correlation(ratio, HOUR_SPAN);
            match self.configured[ratio] {
                // The operator's word is of whatever model scores.
                Some(_) => Biased { ratio: normal[ratio], deviation: 0.0 },
                None => self.biases.of_slice(by_model, ratio, normal[ratio], correlation),
            }
        });
        let means = biased.map(|biased| biased.ratio.clamp(0.001, 0.999));
        let expected = Expected { messages: 0.0, ratios: means, normal };
        let volume = self.baseline.volume(hour, self.slice);
        // Later what the estimates' errors add is part of the spread that was seen around them.
        let doubtful = (1.0 - self.baseline.taught_hours() / (2 * HOURS_OF_WEEK) as f64).max(0.0);
        let uncertain = |ratio: usize| {
            let variance = doubtful * known[ratio].deviation.powi(2) + biased[ratio].deviation.powi(2);
            variance / (means[ratio] * (1.0 - means[ratio]))
        };
        let normal = KnownAt {
            baseline: &self.baseline,
            uncertain: [0, 1].map(uncertain),
            uncertain_volume: volume.variance + doubtful * UNKNOWN_WEEKS,
            messages_now: volume.rate * 3_600.0 / self.slice.as_secs_f64(),
        };
        // A department may be closed at hours that were not seen yet: whatever comes then is as good as expected.
        let knows_volume = self.baseline.knows_volume(hour);
        let messages = if knows_volume { volume.rate } else { f64::from(counts.messages) };
        self.findings = self.evidence.push(end, counts, Expected { messages, ..expected }, &normal);
        let seen = self.baseline.seen().saturating_add(u64::from(counts.messages));
        let known_enough = seen >= u64::from(settings.min_seen);
        for (kind, finding) in self.findings.iter_mut().enumerate() {
            let may_alert = if kind < RATIOS {
                known_enough || self.configured[kind].is_some()
            } else {
                known_enough && knows_volume
            };
            let is_planned = upkeep == Upkeep::Ongoing && AlertKind::TESTED[kind] == AlertKind::Silence;
            if !may_alert || is_planned {
                *finding = None;
            }
        }
        let mut calm = [false; AlertKind::TESTED.len()];
        for ((calm, kind), watch) in calm.iter_mut().zip(AlertKind::TESTED).zip(&self.watches) {
            *calm = matches!(watch, Watch::Open(_)) && self.evidence.is_calm(kind, &normal);
        }
        self.calibrate(end, known_enough && upkeep != Upkeep::Ongoing);
        let changes = self.follow((end, upkeep), calm, settings);
        if upkeep != Upkeep::Ongoing {
            let expected = Expected { messages: volume.rate, ..expected };
            self.baseline.push((start, self.slice), counts, expected, &mut self.calendar, priors);
        }
        self.usual = self.usual_at(hour, priors);
        changes
    }

    /// Whether anybody has written to it: until then it is as if it were not there.
    fn is_seen(&self) -> bool {
        self.baseline.seen() > 0
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The ratios of an average hour, where they are known well enough to stand for other departments.
    pub(super) fn levels(&self, settings: &DetectConfig) -> Option<[f64; RATIOS]> {
        let is_known = self.baseline.taught() >= f64::from(settings.learn_messages);
        is_known.then(|| [0, 1].map(|ratio| self.baseline.level(ratio, 0.0)))
    }

    /// Nothing can be said at that moment: alerts stay as they are, and end where that `lasts`.
    pub(super) fn leave(&mut self, end: EventTime, lasts: bool) -> Vec<Change> {
        if !self.is_seen() {
            return Vec::new();
        }
        self.findings = Findings::default();
        // Nobody knows what the messages before would have led to.
        self.baseline.distrust_latest();
        let mut changes = Vec::new();
        for watch in &mut self.watches {
            match watch {
                Watch::Open(open) if lasts => {
                    changes.push(Change::Closed(Alert { ended: Some(end), ..open.alert.clone() }));
                    *watch = Watch::Quiet;
                }
                Watch::Open(open) => open.calm_since = None,
                Watch::Quiet | Watch::Pending(_) => *watch = Watch::Quiet,
            }
        }
        changes
    }

    /// Tests only what comes from now on.
    pub(super) fn begin_anew(&mut self, end: EventTime) {
        self.evidence.clear(end);
    }

    /// What it adds to the picture of the company, but for ratios that do not count; none where customers hardly write, or nothing
    /// counts.
    pub(super) fn part(&self, end: EventTime, uncounted: [bool; RATIOS]) -> Option<Part<'_>> {
        let hour = self.evidence.hour().filter(|_| uncounted.contains(&false))?;
        let counted = || (0..RATIOS).filter(|kind| !uncounted[*kind]);
        let of_ratios = || counted().filter_map(|kind| Some((self.findings[kind]?, KIND_SHARES[kind])));
        let budgets = of_ratios().map(|(finding, share)| finding.recurrence / share);
        Some(Part {
            name: &self.name,
            budget_reached: budgets.fold(f64::INFINITY, f64::min),
            alerting: counted().any(|kind| matches!(self.watches[kind], Watch::Open(_))),
            messages: hour.messages,
            negative: hour.unhappy[0],
            expected_negative: hour.ratios[0] * f64::from(hour.messages),
            lately: [0, 1].map(|ratio| if uncounted[ratio] { Lately::default() } else { self.lately(ratio) }),
            since: of_ratios().map(|(finding, _)| finding.since).min().unwrap_or(end),
        })
    }

    fn lately(&self, ratio: usize) -> Lately {
        let Some(sums) = self.evidence.lately() else { return Lately::default() };
        let messages = f64::from(sums.messages);
        Lately { messages, unhappy: f64::from(sums.unhappy[ratio]), expected: sums.ratios[ratio] * messages }
    }

    /// Whether an alert of that kind is open, and all that it is about is as usual again.
    pub(super) fn is_recovering(&self, kind: AlertKind) -> bool {
        self.open().any(|open| open.alert.kind == kind && open.calm_since.is_some())
    }

    pub(super) fn open_alerts(&self) -> impl Iterator<Item = &Alert> {
        self.open().map(|open| &open.alert)
    }

    pub(super) fn outlook(&self, settings: &DetectConfig) -> DepartmentOutlook {
        DepartmentOutlook {
            state: self.state(settings),
            active: self.open().map(|open| (open.alert.kind, open.alert.severity)).collect(),
            scores: self.findings.map(|finding| finding.map_or(0.0, |finding| score(finding.recurrence))),
            usual_negative: self.usual[0],
            usual_frustrated: self.usual[1],
            usual_messages: self.usual[RATIOS],
        }
    }

    /// The ratios expected at an hour: as configured, or as learned.
    fn ratios_at(&self, hour: HourOfWeek, priors: [f64; RATIOS]) -> [KnownRatio; RATIOS] {
        [0, 1].map(|ratio| match self.configured[ratio] {
            Some(configured) => KnownRatio { ratio: configured.clamp(0.001, 0.999), deviation: 0.0 },
            None => self.baseline.ratio(ratio, hour, priors[ratio]),
        })
    }

    /// What an hour is usually like.
    fn usual_at(&self, hour: HourOfWeek, priors: [f64; RATIOS]) -> [Option<Usual>; RATIOS + 1] {
        let known = self.ratios_at(hour, priors);
        let ratios = [0, 1].map(|ratio| match self.configured[ratio] {
            Some(_) => known[ratio].ratio,
            None => self.biases.of_late(ratio, known[ratio].ratio, 0.0).ratio,
        });
        let messages = self.baseline.volume(hour, SPANS[HOUR_SPAN]).rate;
        let of_ratio = |ratio: usize| {
            let is_known = self.configured[ratio].is_some() || self.baseline.seen() > 0;
            is_known.then(|| Usual::of_ratio(ratios[ratio], messages, self.baseline.correlation(ratio, HOUR_SPAN)))
        };
        let of_messages = || Usual::of_messages(messages, self.baseline.spread(HOUR_SPAN));
        [of_ratio(0), of_ratio(1), self.baseline.knows_volume(hour).then(of_messages)]
    }

    fn state(&self, settings: &DetectConfig) -> AlertState {
        let mut open = self.open().peekable();
        if open.peek().is_some() {
            let all_calm = open.all(|open| open.calm_since.is_some());
            return if all_calm { AlertState::Recovering } else { AlertState::Active };
        }
        if self.watches.iter().any(|watch| matches!(watch, Watch::Pending(_))) {
            return AlertState::Pending;
        }
        let learns = self.configured.iter().any(Option::is_none);
        let is_learning = learns && self.baseline.taught() < f64::from(settings.learn_messages);
        if is_learning { AlertState::Learning } else { AlertState::Quiet }
    }

    /// All that is remembered; none where nothing was seen.
    pub(super) fn snapshot(&self, gathered: ByModel) -> Option<DepartmentState> {
        let is_seen = self.is_seen() || !gathered.is_empty();
        is_seen.then(|| DepartmentState {
            department: self.name.clone(),
            gathered,
            baseline: self.baseline.clone(),
            biases: self.biases.clone(),
            evidence: self.evidence.snapshot(),
            watches: self.watches.clone(),
            incident: self.incident,
            findings: self.findings,
            calibration: self.calibration,
            usual: self.usual,
        })
    }

    /// Takes up what was remembered; gives the counts of the slice that is not finished.
    pub(super) fn restore(&mut self, saved: DepartmentState) -> ByModel {
        self.baseline = saved.baseline;
        self.biases = saved.biases;
        self.evidence.restore(saved.evidence);
        self.watches = saved.watches;
        self.incident = saved.incident;
        self.findings = saved.findings;
        self.calibration = saved.calibration;
        self.usual = saved.usual;
        saved.gathered
    }

    /// The smallest budget at which one of the findings is rare enough for an alert.
    pub(super) fn budget_reached(&self) -> Option<f64> {
        let each = self.findings.iter().zip(KIND_SHARES);
        let budgets = each.filter_map(|(finding, share)| Some((*finding)?.recurrence / share));
        budgets.min_by(f64::total_cmp)
    }

    /// Brings the findings to the scale on which a department's incidents are counted.
    fn calibrate(&mut self, end: EventTime, may_alert: bool) {
        let busy = fewer_when_busy(self.baseline.messages_an_hour());
        for finding in self.findings.iter_mut().flatten() {
            finding.recurrence *= busy;
        }
        let rarest = self.budget_reached().unwrap_or(f64::INFINITY);
        let factor = self.calibration.factor();
        if may_alert && self.pages().next().is_none() {
            self.calibration.observe(end, self.slice, rarest);
        }
        for (finding, share) in self.findings.iter_mut().zip(KIND_SHARES) {
            if let Some(finding) = finding {
                finding.recurrence = share * heavier_tail(factor * finding.recurrence / share);
            }
        }
    }

    fn open(&self) -> impl Iterator<Item = &OpenAlert> {
        self.watches.iter().filter_map(|watch| match watch {
            Watch::Open(open) => Some(&**open),
            _ => None,
        })
    }

    /// Tickets are no incidents: what comes while they are open is as good as anything else.
    fn pages(&self) -> impl Iterator<Item = &OpenAlert> {
        self.open().filter(|open| open.alert.severity == Severity::Page)
    }

    fn alert(&self, kind: usize, end: EventTime, finding: &Finding) -> Alert {
        let kind = AlertKind::TESTED[kind];
        Alert {
            id: format!("{}-{}-{}", self.name, kind.as_str(), end.as_millis()),
            department: self.name.clone(),
            kind,
            severity: Severity::Page,
            started: end,
            since: finding.since,
            ended: None,
            window_seconds: finding.seconds,
            messages: finding.messages,
            observed: finding.observed,
            expected: finding.expected,
            p_value: finding.ln_p_value.exp(),
            recurrence: finding.recurrence,
            replayed: false,
            escalations: 0,
            escalated: None,
            departments: Vec::new(),
            handling: Handling::default(),
            details: Summary::default(),
        }
    }
}

/// log10 of after how many hours chance alone brings about as much.
fn score(recurrence: f64) -> f64 {
    let hours = MONTH.as_secs_f64() / 3_600.0 / recurrence.max(f64::MIN_POSITIVE);
    hours.log10().max(0.0)
}
