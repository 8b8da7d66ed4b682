//! A department under the detector.

use anyhow::Result;
use latido::config::{Config, DepartmentConfig, DetectConfig, OTHER, Roster};
use latido::detect::{Alert, AlertChange, AlertKind, Detector, TICK};
use latido::message::EventTime;

use crate::models::TwoModels;
use crate::world::{Effect, Minute, Stream, World};

/// A stream and the detector that watches it.
pub(crate) struct Watched {
    stream: Stream,
    detector: Detector,
    models: TwoModels,
    minute: i64,
    open: usize,
}

/// What a minute did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub(crate) messages: u32,
    /// Alerts that opened while no other was open: incidents.
    pub(crate) incident: Option<AlertKind>,
    pub(crate) opened: Vec<Alert>,
    pub(crate) closed: Vec<Alert>,
}

impl Watched {
    pub(crate) fn new(world: World, seed: u64, budget: f64) -> Self {
        let config = Config {
            // The roster adds this one: it is the only one then.
            departments: vec![DepartmentConfig::named(OTHER)],
            detect: DetectConfig { false_alarms_per_month: budget, ..DetectConfig::default() },
            ..Config::default()
        };
        let detector = Detector::new(&config.detect, &Roster::new(&config));
        Self { stream: Stream::new(world, seed), detector, models: TwoModels::new(seed), minute: 0, open: 0 }
    }

    pub(crate) fn step(&mut self, effect: Effect) -> Result<Step> {
        let Minute { messages, negative, frustrated } = self.stream.next(effect)?;
        self.minute += 1;
        let end = EventTime::from_millis(0).plus(TICK * u32::try_from(self.minute)?);
        let of_both = self.models.split(Minute { messages, negative, frustrated }, effect.other_model);
        let mut step = Step { messages, ..Step::default() };
        for change in self.detector.close_by_model(end, |_| of_both) {
            match change {
                AlertChange::Opened(_, alert) => {
                    if self.open == 0 {
                        step.incident.get_or_insert(alert.kind);
                    }
                    self.open += 1;
                    step.opened.push(alert);
                }
                AlertChange::Escalated(..) => {}
                AlertChange::Closed(_, alert) => {
                    self.open -= 1;
                    step.closed.push(alert);
                }
            }
        }
        Ok(step)
    }

    pub(crate) fn is_alerting(&self) -> bool {
        self.open > 0
    }

    /// Runs, and gives the longest time without a message in minutes.
    pub(crate) fn longest_gap(&mut self, minutes: i64) -> Result<i64> {
        let (mut longest, mut gap) = (0, 0);
        for _ in 0..minutes {
            gap = if self.step(Effect::NONE)?.messages == 0 { gap + 1 } else { 0 };
            longest = longest.max(gap);
        }
        Ok(longest)
    }

    pub(crate) fn run(&mut self, minutes: i64) -> Result<()> {
        for _ in 0..minutes {
            self.step(Effect::NONE)?;
        }
        Ok(())
    }
}
