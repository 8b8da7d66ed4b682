//! What ratio of unhappy messages is normal for a department.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::DetectConfig;
use crate::message::EventTime;
use crate::window::{PANE, Tally};

/// How many messages the prior is worth before the first message; its weight falls to 0 at `learn_messages`. So little, because
/// departments differ: it says 30 % ± 14 %, for example.
const PRIOR_MESSAGES: f64 = 10.0;

/// The threshold stands this many standard deviations above the expected ratio: what is not known for sure widens it.
const CREDIBLE_DEVIATIONS: f64 = 3.0;

/// Below this weight the average has forgotten all it knew.
const FORGOTTEN: f64 = 1e-6;

/// A ratio that is normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    /// The expected ratio, 0 to 1.
    pub(super) mean: f64,
    /// The ratio that windows are tested against: the mean, and its uncertainty.
    pub(super) tested: f64,
}

impl Expected {
    /// A ratio known for sure.
    pub(super) fn known(ratio: f64) -> Self {
        Self { mean: ratio, tested: ratio }
    }
}

/// A slow average of a department's normal panes, in event time.
///
/// A pane teaches once it has left the tested window, and only if no alert was open in all that time: neither an alert's
/// panes nor those of the window that led to it pass for normal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Baseline {
    /// Messages of all closed panes.
    pub(super) seen: u64,
    /// Messages that taught, never forgotten.
    taught: u64,
    /// Messages that taught, older ones weighing less.
    weight: f64,
    /// Of `weight`, negative and frustrated ones: in the order of `AlertKind::ALL`.
    unhappy: [f64; 2],
    /// Start of the newest pane that taught: what the weights are as of.
    as_of: Option<EventTime>,
    /// Start and tally of the panes still in the tested window, oldest first; empty ones are left out.
    waiting: VecDeque<(EventTime, Tally)>,
    /// Panes that start earlier do not teach.
    not_before: Option<EventTime>,
}

impl Baseline {
    /// Takes a closed pane, and learns those that have left the window which ends with it.
    pub(super) fn push(&mut self, window_end: EventTime, closed_pane: Tally, settings: &DetectConfig) {
        if !closed_pane.is_empty() {
            self.seen = self.seen.saturating_add(u64::from(closed_pane.messages));
            self.waiting.push_back((window_end.minus(PANE), closed_pane));
        }
        let window_start = window_end.minus(settings.window.get());
        while let Some((start, pane)) = self.waiting.front().copied().filter(|(start, _)| *start < window_start) {
            self.waiting.pop_front();
            if self.not_before.is_none_or(|not_before| start >= not_before) {
                self.learn(start, pane, settings.half_life.get());
            }
        }
    }

    /// An alert is open: nothing that came so far, and has not taught yet, will.
    pub(super) fn distrust_until(&mut self, window_end: EventTime) {
        self.not_before = self.not_before.max(Some(window_end));
    }

    /// Whether too little was learned for the department's own average alone.
    pub(super) fn is_learning(&self, settings: &DetectConfig) -> bool {
        self.taught < u64::from(settings.learn_messages)
    }

    /// The ratio expected of a kind (its place in `AlertKind::ALL`).
    pub(super) fn expected(&self, kind: usize, prior: f64, settings: &DetectConfig) -> Expected {
        let prior_messages = self.prior_messages(settings);
        let messages = self.weight + prior_messages;
        let mean = ((self.unhappy[kind] + prior * prior_messages) / messages).clamp(0.0, 1.0);
        // The deviation of a beta posterior. A ratio of exactly 0 or 1 seen so far is no certainty: keep it half a message away.
        let edge = 0.5 / (messages + 1.0);
        let uncertain = mean.clamp(edge, 1.0 - edge);
        let variance = uncertain * (1.0 - uncertain) / (messages + 1.0);
        Expected { mean, tested: (mean + CREDIBLE_DEVIATIONS * variance.sqrt()).min(1.0) }
    }

    /// What the prior is worth now.
    #[expect(clippy::cast_precision_loss, reason = "counts below learn_messages are exact")]
    fn prior_messages(&self, settings: &DetectConfig) -> f64 {
        if self.weight < FORGOTTEN {
            return PRIOR_MESSAGES;
        }
        if !self.is_learning(settings) {
            return 0.0;
        }
        PRIOR_MESSAGES * (1.0 - self.taught as f64 / f64::from(settings.learn_messages))
    }

    fn learn(&mut self, start: EventTime, pane: Tally, half_life: Duration) {
        let kept = self.as_of.map_or(1.0, |as_of| share_kept(as_of, start, half_life));
        self.weight = self.weight * kept + f64::from(pane.messages);
        let [negative, frustrated] = self.unhappy;
        self.unhappy = [negative * kept + f64::from(pane.negative), frustrated * kept + f64::from(pane.frustrated)];
        self.taught = self.taught.saturating_add(u64::from(pane.messages));
        self.as_of = Some(start);
    }
}

/// What a weight keeps from one moment to a later one.
#[expect(clippy::cast_precision_loss, reason = "spans below 285,000 years are exact")]
fn share_kept(from: EventTime, to: EventTime, half_life: Duration) -> f64 {
    let elapsed = to.as_millis().saturating_sub(from.as_millis()).max(0) as f64 / 1_000.0;
    let half_lives = elapsed / half_life.as_secs_f64();
    if half_lives.is_nan() { 1.0 } else { (-half_lives).exp2() }
}
