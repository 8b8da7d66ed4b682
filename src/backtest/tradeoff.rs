//! What each budget of false alarms would have meant for a department, from one run: the detector says after each slice at
//! which budget the evidence would open an alert.

use std::sync::Arc;
use std::time::Duration;

use super::Incident;
use crate::message::EventTime;

/// The budgets that are always looked at, in false alarms in 28 days.
const USUAL: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// An alert opens where evidence has been rare for so long.
const CONFIRMED_FOR: Duration = Duration::from_secs(120);

/// Episodes closer to each other than this are one.
const APART: Duration = Duration::from_secs(6 * 3_600);

/// The budgets that are looked at, in false alarms in 28 days, smallest first: the usual ones, and the one that is run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Budgets {
    all: Arc<[f64]>,
    of_run: f64,
}

impl Budgets {
    /// With that of the run.
    pub(super) fn with(run: f64) -> Self {
        let mut all = USUAL.to_vec();
        if !all.contains(&run) {
            all.push(run);
            all.sort_by(f64::total_cmp);
        }
        Self { all: all.into(), of_run: run }
    }

    pub(super) fn all(&self) -> &[f64] {
        &self.all
    }

    pub(super) fn of_run(&self) -> f64 {
        self.of_run
    }

    /// Nothing was found yet, at any.
    pub(super) fn none_found(&self) -> FoundAfter {
        vec![None; self.all.len()]
    }
}

/// After how long something was found, at each budget.
pub(super) type FoundAfter = Vec<Option<Duration>>;

/// For how many slices in a row evidence was rare enough, at each budget.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    budgets: Budgets,
    lengths: Vec<u8>,
    confirmed: u8,
}

impl Runs {
    /// None yet, in slices of that length.
    pub(super) fn new(slice: Duration, budgets: &Budgets) -> Self {
        let slices = CONFIRMED_FOR.as_millis().div_ceil(slice.as_millis().max(1));
        Self {
            lengths: vec![0; budgets.all().len()],
            budgets: budgets.clone(),
            confirmed: u8::try_from(slices).unwrap_or(u8::MAX),
        }
    }

    /// Takes the smallest budget at which the latest slice is rare enough. Gives the place in the budgets from which on an alert
    /// would be open.
    pub(super) fn push(&mut self, reached: Option<f64>) -> Option<usize> {
        let first = reached.and_then(|reached| self.budgets.all().iter().position(|budget| reached <= *budget));
        let Some(first) = first else {
            self.lengths.fill(0);
            return None;
        };
        self.lengths[..first].fill(0);
        for length in &mut self.lengths[first..] {
            *length = length.saturating_add(1).min(self.confirmed);
        }
        // What is rare enough for a budget is so for each larger one: the lengths rise.
        self.lengths.iter().position(|length| *length >= self.confirmed)
    }
}

/// A listed incident, and when it would have been found.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) incident: Incident,
    /// After how long, at each budget.
    pub(super) found: FoundAfter,
    /// A mute held all that is tested from its start to its end.
    pub(super) is_muted: bool,
}

/// A department's trade-off in the making.
#[derive(Clone, Debug)]
pub(super) struct TradeOff {
    runs: Runs,
    /// The last moment of the latest episode at each budget.
    latest: Vec<Option<EventTime>>,
    /// Episodes outside of listed incidents.
    pub(super) alarms: Vec<u32>,
    /// In order of their starts.
    pub(super) listed: Vec<Listed>,
}

impl TradeOff {
    pub(super) fn new(slice: Duration, incidents: Vec<Incident>, budgets: &Budgets) -> Self {
        let listed =
            incidents.into_iter().map(|incident| Listed { incident, found: budgets.none_found(), is_muted: false });
        let count = budgets.all().len();
        Self {
            runs: Runs::new(slice, budgets),
            latest: vec![None; count],
            alarms: vec![0; count],
            listed: listed.collect(),
        }
    }

    /// Takes a slice that was judged.
    pub(super) fn observe(&mut self, end: EventTime, reached: Option<f64>) {
        let Some(first) = self.runs.push(reached) else { return };
        let is_listed = self.note_found(end, first);
        for place in first..self.alarms.len() {
            let is_new = self.latest[place].is_none_or(|latest| end > latest.plus(APART));
            self.alarms[place] += u32::from(is_new && !is_listed);
            self.latest[place] = Some(end);
        }
    }

    /// Nothing was judged for a while.
    pub(super) fn interrupt(&mut self) {
        self.runs.push(None);
    }

    /// Whether a moment is within a listed incident or soon after.
    pub(super) fn is_listed(&self, moment: EventTime) -> bool {
        self.listed.iter().any(|listed| listed.holds(moment))
    }

    fn note_found(&mut self, end: EventTime, first: usize) -> bool {
        let mut is_listed = false;
        for listed in self.listed.iter_mut().filter(|listed| listed.holds(end)) {
            is_listed = true;
            let after = end.as_millis().saturating_sub(listed.incident.start.as_millis());
            let after = Duration::from_millis(after.unsigned_abs());
            for found in &mut listed.found[first..] {
                found.get_or_insert(after);
            }
        }
        is_listed
    }
}

impl Listed {
    fn holds(&self, moment: EventTime) -> bool {
        self.incident.start < moment && moment <= self.incident.until()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minutes: i64) -> EventTime {
        EventTime::from_millis(minutes * 60_000)
    }

    #[test]
    fn one_stray_minute_is_no_alarm_and_two_are() {
        let mut trade_off = TradeOff::new(MINUTE, Vec::new(), &Budgets::with(1.0));
        trade_off.observe(at(1), Some(0.4));
        trade_off.observe(at(2), None);
        trade_off.observe(at(3), Some(0.4));
        assert_eq!(trade_off.alarms, [0; 6]);
        trade_off.observe(at(4), Some(3.0));
        assert_eq!(trade_off.alarms, [0, 0, 0, 0, 1, 1], "both minutes were rare enough only for budgets from 4 on");
    }

    #[test]
    fn the_budget_of_the_run_is_looked_at_once_in_its_place() {
        assert_eq!(Budgets::with(2.0).all(), USUAL);
        assert_eq!(Budgets::with(3.0).all(), [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 8.0]);
        let mut trade_off = TradeOff::new(5 * MINUTE, Vec::new(), &Budgets::with(3.0));
        trade_off.observe(at(5), Some(2.5));
        assert_eq!(trade_off.alarms, [0, 0, 0, 0, 1, 1, 1], "rare enough for 3, and not for 2");
    }

    #[test]
    fn a_slice_of_five_minutes_is_enough() {
        let mut trade_off = TradeOff::new(5 * MINUTE, Vec::new(), &Budgets::with(1.0));
        trade_off.observe(at(5), Some(0.5));
        assert_eq!(trade_off.alarms, [0, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn episodes_within_six_hours_are_one() {
        let mut trade_off = TradeOff::new(5 * MINUTE, Vec::new(), &Budgets::with(1.0));
        for minutes in [5, 60, 400, 770] {
            trade_off.observe(at(minutes), Some(8.0));
        }
        assert_eq!(trade_off.alarms[5], 2, "770 is more than 6 h after 400, and 400 is within 6 h of 60");
    }

    #[test]
    fn what_falls_into_a_listed_incident_finds_it_and_is_no_alarm() {
        let incident = Incident { department: "care".to_owned(), start: at(100), end: at(200), line: 2 };
        let mut trade_off = TradeOff::new(5 * MINUTE, vec![incident], &Budgets::with(1.0));
        trade_off.observe(at(130), Some(2.0));
        trade_off.observe(at(160), Some(0.1));
        trade_off.observe(at(215), Some(0.1));
        assert_eq!(trade_off.alarms, [0; 6]);
        assert_eq!(trade_off.listed[0].found[0], Some(60 * MINUTE));
        assert_eq!(trade_off.listed[0].found[3], Some(30 * MINUTE));
        assert!(trade_off.is_listed(at(215)) && !trade_off.is_listed(at(216)));
    }
}
