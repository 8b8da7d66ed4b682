//! What the detector promises.
#![expect(clippy::unwrap_used, reason = "tests")]

mod alerts;
mod company;
mod gaps;
mod habits;
mod learning;
mod models;
mod mutes;
mod quiet_months;
mod restoring;
mod severe;
mod tickets;
mod volume;

use crate::config::{Config, DepartmentConfig, DetectConfig, Roster};
use crate::detect::{Alert, AlertChange, AlertKind, AlertState, DepartmentOutlook, Detector, Scope};
use crate::message::{DepartmentId, EventTime};
use crate::window::Tally;
use std::time::Duration;

const CARE: DepartmentId = DepartmentId(0);
const MINUTE: i64 = 60_000;
const HOUR: usize = 60;
const DAY: usize = 24 * HOUR;
const WEEK: usize = 7 * DAY;

/// Ratios of 20 % negative and 10 % frustrated are configured: they need not be learned.
fn configured() -> DepartmentConfig {
    DepartmentConfig {
        expected_negative_ratio: Some(0.2),
        expected_frustrated_ratio: Some(0.1),
        ..DepartmentConfig::named("care")
    }
}

/// Everything is to be learned.
fn unknown() -> DepartmentConfig {
    DepartmentConfig::named("care")
}

fn tally(messages: u32, negative: u32, frustrated: u32) -> Tally {
    Tally { messages, negative, frustrated, positive: 0 }
}

/// A department's minutes, one after the other from a Monday's midnight on, and what the detector said.
struct Feed {
    detector: Detector,
    /// End of the last pane.
    end: EventTime,
    opened: Vec<Alert>,
    escalated: Vec<Alert>,
    closed: Vec<Alert>,
}

impl Feed {
    fn new(department: DepartmentConfig) -> Self {
        Self::with(&DetectConfig::default(), department)
    }

    fn with(settings: &DetectConfig, department: DepartmentConfig) -> Self {
        let roster = Roster::new(&Config { departments: vec![department], ..Config::default() });
        Self {
            detector: Detector::new(settings, &roster),
            // 5 January 1970.
            end: EventTime::from_millis(4 * 24 * 60 * MINUTE),
            opened: Vec::new(),
            escalated: Vec::new(),
            closed: Vec::new(),
        }
    }

    /// A minute with that many messages, all in its last pane.
    fn minute(&mut self, tally: Tally) {
        self.end = EventTime::from_millis(self.end.as_millis() + MINUTE);
        let changes =
            self.detector.close(self.end, |department| if department == CARE { tally } else { Tally::default() });
        self.take(changes);
    }

    fn minutes(&mut self, count: usize, tally: Tally) {
        (0..count).for_each(|_| self.minute(tally));
    }

    /// Minutes by the dice.
    fn random(&mut self, dice: &mut Dice, minutes: usize, (mean, negative, frustrated): (f64, f64, f64)) {
        (0..minutes).for_each(|_| self.minute(dice.minute(mean, negative, frustrated)));
    }

    fn take(&mut self, changes: Vec<AlertChange>) {
        for change in changes {
            match change {
                AlertChange::Opened(Scope::Department(CARE), alert) => self.opened.push(alert),
                AlertChange::Escalated(Scope::Department(CARE), alert) => self.escalated.push(alert),
                AlertChange::Closed(Scope::Department(CARE), alert) => self.closed.push(alert),
                other => panic!("not of this department: {other:?}"),
            }
        }
    }

    fn outlook(&self) -> DepartmentOutlook {
        self.detector.outlook(CARE)
    }

    fn minutes_since(&self, moment: EventTime) -> i64 {
        (self.end.as_millis() - moment.as_millis()) / MINUTE
    }

    /// The alerts that are about how many messages there are.
    fn of_volume(&self) -> Vec<AlertKind> {
        let is_of_volume = |kind: &AlertKind| matches!(kind, AlertKind::VolumeSurge | AlertKind::Silence);
        self.kinds().into_iter().filter(is_of_volume).collect()
    }

    fn kinds(&self) -> Vec<AlertKind> {
        self.opened.iter().map(|alert| alert.kind).collect()
    }
}

/// Messages and unhappy ones by a seed: an even spread that any machine makes alike.
struct Dice(u64);

impl Dice {
    /// From 0 up to, not including, 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    fn roll(&mut self) -> f64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn hits(&mut self, of: u32, ratio: f64) -> u32 {
        (0..of).map(|_| u32::from(self.roll() < ratio)).sum()
    }

    /// A minute with a mean number of messages (Knuth's Poisson), so much of it negative and frustrated.
    fn minute(&mut self, mean: f64, negative: f64, frustrated: f64) -> Tally {
        let (limit, mut product, mut messages) = ((-mean).exp(), self.roll(), 0);
        while product > limit {
            product *= self.roll();
            messages += 1;
        }
        tally(messages, self.hits(messages, negative), self.hits(messages, frustrated))
    }
}
