//! When an open alert has become clearly worse.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use crate::message::EventTime;

/// So much rarer than when it was last told of, an alert is worth telling of again.
const CLEARLY_WORSE: f64 = 0.01;

/// Evidence of the same trouble gathers for a while: an alert is told of again no sooner than this.
const APART: Duration = Duration::from_secs(15 * 60);

/// How rare an alert was when it was last told of: at its opening, or at its last escalation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LastTold {
    at: EventTime,
    recurrence: f64,
}

impl LastTold {
    /// Of an alert that opens.
    pub(super) fn at_opening(alert: &Alert) -> Self {
        Self { at: alert.started, recurrence: alert.recurrence }
    }

    /// Looks at an open alert at the end of a slice. Gives it where it escalates.
    pub(super) fn escalate(&mut self, end: EventTime, alert: &mut Alert) -> Option<Alert> {
        let is_worse = alert.recurrence <= self.recurrence * CLEARLY_WORSE;
        if !is_worse || end < self.at.plus(APART) {
            return None;
        }
        *self = Self { at: end, recurrence: alert.recurrence };
        alert.escalations += 1;
        alert.escalated = Some(end);
        Some(alert.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{AlertKind, Severity};

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
            observed: 0.8,
            expected: 0.2,
            p_value: 1e-9,
            recurrence,
            replayed: false,
            escalations: 0,
            escalated: None,
            departments: Vec::new(),
        }
    }

    /// What the alert's escalations are, given how rare it is each minute.
    fn escalations(minutes: impl IntoIterator<Item = f64>) -> Vec<u64> {
        let mut open = alert(0.5);
        let mut told = LastTold::at_opening(&open);
        let mut at = Vec::new();
        for (minute, recurrence) in (1_u64..).zip(minutes) {
            let end = open.started.plus(Duration::from_secs(60 * minute));
            open.recurrence = recurrence;
            if let Some(escalated) = told.escalate(end, &mut open) {
                at.push(minute);
                assert_eq!((escalated.escalations as usize, escalated.escalated), (at.len(), Some(end)));
            }
        }
        at
    }

    #[test]
    fn an_alert_escalates_once_it_is_a_hundred_times_rarer_than_when_it_was_last_told_of() {
        assert_eq!(escalations([0.01; 60]), [0; 0]);
        assert_eq!(escalations([0.5; 29].into_iter().chain([0.005; 60])), [30]);
        assert_eq!(escalations([0.5; 29].into_iter().chain([0.005; 20]).chain([4e-5; 20])), [30, 50]);
    }

    #[test]
    fn however_fast_it_gets_worse_a_quarter_of_an_hour_lies_between_two_words_about_it() {
        let ever_worse = (1..=60).map(|minute| 0.5 * 0.001_f64.powi(minute));
        assert_eq!(escalations(ever_worse), [15, 30, 45, 60]);
    }
}
