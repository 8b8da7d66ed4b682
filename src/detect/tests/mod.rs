//! What the detector promises.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod alerts;
mod gaps;
mod learning;
mod long_run;

use std::collections::VecDeque;

use crate::config::{Config, DepartmentConfig, DetectConfig, Roster, Span};
use crate::detect::{Alert, AlertChange, AlertKind, AlertState, DepartmentOutlook, Detector};
use crate::message::{DepartmentId, EventTime};
use crate::window::Tally;

const CARE: DepartmentId = DepartmentId(0);

/// Ratios of 20 % negative and 10 % frustrated are configured: nothing is to be learned.
fn configured() -> Roster {
    roster(Some(0.2), Some(0.1))
}

/// Everything is to be learned.
fn unknown() -> Roster {
    roster(None, None)
}

fn roster(negative: Option<f64>, frustrated: Option<f64>) -> Roster {
    let care = DepartmentConfig {
        expected_negative_ratio: negative,
        expected_frustrated_ratio: frustrated,
        ..DepartmentConfig::named("care")
    };
    Roster::new(&Config { departments: vec![care], ..Config::default() })
}

/// A window of 5 minutes, a hold of 2.
fn settings() -> DetectConfig {
    DetectConfig { window: Span::from_secs(300), hold: Span::from_secs(120), ..DetectConfig::default() }
}

fn tally(messages: u32, negative: u32, frustrated: u32) -> Tally {
    Tally { messages, negative, frustrated, positive: 0 }
}

/// A department's panes, one after the other from second 0, and what the detector said.
struct Feed {
    detector: Detector,
    window_panes: usize,
    panes: VecDeque<Tally>,
    window: Tally,
    /// Seconds.
    end: i64,
    opened: Vec<Alert>,
    closed: Vec<Alert>,
}

impl Feed {
    fn new(settings: &DetectConfig, roster: &Roster) -> Self {
        Self {
            detector: Detector::new(settings, roster),
            window_panes: usize::try_from(settings.window.get().as_secs() / 10).unwrap(),
            panes: VecDeque::new(),
            window: Tally::default(),
            end: 0,
            opened: Vec::new(),
            closed: Vec::new(),
        }
    }

    fn pane(&mut self, pane: Tally) {
        let end = self.close(pane);
        let change = self.detector.step(CARE, end, &self.window, &pane);
        change.into_iter().for_each(|change| self.take(change));
    }

    /// A pane of which others may have counted more.
    fn partial_pane(&mut self, pane: Tally) {
        let end = self.close(pane);
        self.detector.skip(end).into_iter().for_each(|change| self.take(change));
    }

    fn close(&mut self, pane: Tally) -> EventTime {
        self.window += pane;
        self.panes.push_back(pane);
        if self.panes.len() > self.window_panes {
            self.window -= self.panes.pop_front().unwrap();
        }
        self.end += 10;
        EventTime::from_millis(self.end * 1_000)
    }

    fn take(&mut self, change: AlertChange) {
        match change {
            AlertChange::Opened(CARE, alert) => self.opened.push(alert),
            AlertChange::Closed(CARE, alert) => self.closed.push(alert),
            other => panic!("not of this department: {other:?}"),
        }
    }

    fn panes(&mut self, count: usize, pane: Tally) {
        (0..count).for_each(|_| self.pane(pane));
    }

    fn partial_panes(&mut self, count: usize, pane: Tally) {
        (0..count).for_each(|_| self.partial_pane(pane));
    }

    fn outlook(&self) -> DepartmentOutlook {
        self.detector.outlook(CARE)
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

    /// A pane with a mean number of messages (Knuth's Poisson), so much of it negative and frustrated.
    fn pane(&mut self, mean: f64, negative: f64, frustrated: f64) -> Tally {
        let (limit, mut product, mut messages) = ((-mean).exp(), self.roll(), 0);
        while product > limit {
            product *= self.roll();
            messages += 1;
        }
        tally(messages, self.hits(messages, negative), self.hits(messages, frustrated))
    }
}
