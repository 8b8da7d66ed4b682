//! When an open alert has become clearly worse.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::alert::Alert;
use super::kind::AlertKind;
use crate::message::EventTime;

/// So much rarer, and so much further from what is expected, than when it was last told of: then an alert is worth telling of again.
/// Not by being rarer alone, as evidence of the same trouble gathers for as long as it lasts.
const CLEARLY_RARER: f64 = 0.01;
const CLEARLY_FURTHER: f64 = 1.5;

/// However fast it gets worse, it is told of again no sooner than this.
const APART: Duration = Duration::from_secs(15 * 60);

/// How rare an alert was when it was last told of: at its opening, or at its last escalation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LastTold {
    at: EventTime,
    recurrence: f64,
    #[serde(deserialize_with = "told_distance")]
    distance: f64,
}

/// What is never told again but by its recurrence was once kept as infinitely far.
fn told_distance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let distance = f64::deserialize(deserializer)?;
    Ok(if distance.is_finite() { distance } else { 1.0 })
}

impl LastTold {
    /// Of an alert that opens.
    pub(super) fn at_opening(alert: &Alert) -> Self {
        Self { at: alert.started, recurrence: alert.recurrence, distance: distance(alert) }
    }

    /// Looks at an open alert at the end of a slice. Gives it where it escalates.
    pub(super) fn escalate(&mut self, end: EventTime, alert: &mut Alert) -> Option<Alert> {
        let is_rarer = alert.recurrence <= self.recurrence * CLEARLY_RARER;
        let is_further = distance(alert) >= self.distance * CLEARLY_FURTHER;
        if !is_rarer || !is_further || end < self.at.plus(APART) {
            return None;
        }
        Some(self.tell(end, alert))
    }

    /// An alert is told of again, for whatever reason.
    pub(super) fn tell(&mut self, end: EventTime, alert: &mut Alert) -> Alert {
        *self = Self { at: end, recurrence: alert.recurrence, distance: distance(alert) };
        alert.escalations = alert.escalations.saturating_add(1);
        alert.escalated = Some(end);
        alert.clone()
    }
}

/// How far an alert's worst window is from what was expected. Silence cannot become deeper, and of severe messages none are expected:
/// these are always as far, and never told of again.
fn distance(alert: &Alert) -> f64 {
    match alert.kind {
        AlertKind::NegativeSentiment | AlertKind::Frustration | AlertKind::CompanyWide => {
            alert.observed - alert.expected
        }
        AlertKind::VolumeSurge => alert.observed / alert.expected.max(1.0) - 1.0,
        AlertKind::Silence | AlertKind::Severe => 1.0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::detect::{Handling, Severity};

    fn alert(recurrence: f64) -> Alert {
        let started = EventTime::from_millis(0);
        Alert {
            id: "billing-frustration-0".to_owned(),
            department: "billing".to_owned(),
            kind: AlertKind::Frustration,
            severity: Severity::Page,
            started,
            since: started,
            ended: None,
            window_seconds: 900,
            messages: 40,
            observed: 0.4,
            expected: 0.2,
            p_value: 1e-9,
            recurrence,
            replayed: false,
            escalations: 0,
            escalated: None,
            departments: Vec::new(),
            details: Default::default(),
            handling: Handling::default(),
        }
    }

    /// What the alert's escalations are, given how rare and how negative its worst window is each minute.
    fn escalations(minutes: impl IntoIterator<Item = (f64, f64)>) -> Vec<u64> {
        let mut open = alert(0.5);
        let mut told = LastTold::at_opening(&open);
        let mut at = Vec::new();
        for (minute, (recurrence, observed)) in (1_u64..).zip(minutes) {
            let end = open.started.plus(Duration::from_secs(60 * minute));
            (open.recurrence, open.observed) = (recurrence, observed);
            if let Some(escalated) = told.escalate(end, &mut open) {
                at.push(minute);
                assert_eq!((escalated.escalations as usize, escalated.escalated), (at.len(), Some(end)));
            }
        }
        at
    }

    #[test]
    fn an_alert_escalates_once_it_is_rarer_and_further_from_the_expected_than_when_it_was_last_told_of() {
        assert_eq!(escalations([(0.5, 0.4); 29].into_iter().chain([(0.005, 0.55); 60])), [30]);
        let twice = [(0.5, 0.4); 29].into_iter().chain([(0.005, 0.55); 20]).chain([(4e-5, 0.75); 20]);
        assert_eq!(escalations(twice), [30, 50]);
        assert_eq!(escalations([(0.01, 0.9); 60]), [0; 0], "not rarer by enough");
    }

    #[test]
    fn the_same_trouble_that_goes_on_is_told_once() {
        let ever_rarer = (1..=600).map(|minute| (0.5 * 0.9_f64.powi(minute), 0.45));
        assert_eq!(escalations(ever_rarer), [0; 0]);
    }

    #[test]
    fn however_fast_it_gets_worse_a_quarter_of_an_hour_lies_between_two_words_about_it() {
        let ever_worse = (1..=60).map(|minute| (0.5 * 0.001_f64.powi(minute), 0.3 + 0.02 * f64::from(minute)));
        assert!(escalations(ever_worse).windows(2).all(|pair| pair[1] - pair[0] >= 15));
    }

    #[test]
    fn a_distance_that_was_kept_as_infinite_is_read() {
        let mut told = LastTold::at_opening(&alert(1.0));
        told.distance = f64::INFINITY;
        let read: LastTold = postcard::from_bytes(&postcard::to_stdvec(&told).unwrap()).unwrap();
        assert_eq!(read, LastTold { distance: 1.0, ..told });
    }
}
