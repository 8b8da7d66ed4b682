//! A department under the detector.

use anyhow::Result;
use latido::config::{DepartmentConfig, DetectConfig};
use latido::detect::{Alert, AlertChange, AlertKind, Detector, TICK};
use latido::message::{EventTime, ModelId};
use latido::window::Tally;

use crate::models::TwoModels;
use crate::world::{Effect, Minute, Stream, World};

/// A stream and the detector that watches it.
pub(crate) struct Watched {
    stream: Stream,
    detector: Detector,
    models: TwoModels,
    minute: i64,
    /// Minutes of a row, and what the one that is gathered holds.
    step: u32,
    row: [(ModelId, Tally); 2],
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
        Self::in_rows(world, seed, budget, 1)
    }

    /// The same by rows of so many minutes, as history has them.
    pub(crate) fn in_rows(world: World, seed: u64, budget: f64, minutes: u32) -> Self {
        let settings = DetectConfig { false_alarms_per_month: budget, ..DetectConfig::default() };
        let mut detector = Detector::of_slices(&settings, TICK * minutes);
        detector.watch(&DepartmentConfig::named("watched"));
        Self {
            stream: Stream::new(world, seed),
            detector,
            models: TwoModels::new(seed),
            minute: 0,
            step: minutes,
            row: Default::default(),
            open: 0,
        }
    }

    pub(crate) fn step(&mut self, effect: Effect) -> Result<Step> {
        let Minute { messages, negative, frustrated } = self.stream.next(effect)?;
        self.minute += 1;
        let end = EventTime::from_millis(0).plus(TICK * u32::try_from(self.minute)?);
        let of_both = self.models.split(Minute { messages, negative, frustrated }, effect.other_model);
        let mut step = Step { messages, ..Step::default() };
        for ((model, sum), (said_by, part)) in self.row.iter_mut().zip(of_both) {
            *model = said_by;
            *sum += part;
        }
        if self.minute % i64::from(self.step) != 0 {
            return Ok(step);
        }
        let row = std::mem::take(&mut self.row);
        for change in self.detector.close_by_model(end, |_| row) {
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

    /// Whether a channel is down, or was of late: an alert is right then.
    pub(crate) fn was_out(&self) -> bool {
        self.stream.was_out()
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
