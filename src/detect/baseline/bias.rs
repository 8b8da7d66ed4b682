//! How models differ in what they call unhappy: a change of model is no change of mood.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::detect::by_model::{ByModel, MODELS};
use crate::detect::kind::RATIOS;
use crate::detect::tick::SPANS;
use crate::message::{EventTime, ModelId};

/// What a model's first messages say of its bias, once there are so many of so long a time: moods and hours of the day are to even
/// out. Afterwards a change is one of the customers' mood again, and the level of the baseline follows it as ever.
const LEARNED_FROM_MESSAGES: f64 = 2_000.0;
const LEARNED_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Messages over which the share of a model is smoothed.
const SHARE_MESSAGES: f64 = 50.0;

/// The place of that span whose correlation tells how long a mood lasts.
const MOOD_SPAN: usize = 2;

/// The models that scored a department's messages, against the first of them: what is normal is known in its ratios.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Biases {
    first: Option<ModelId>,
    others: Vec<Bias>,
}

/// A model against the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Bias {
    model: ModelId,
    /// Messages and hours of it that were seen.
    messages: f64,
    hours: f64,
    /// Messages that taught, how many of them were unhappy, and how many the first model would have called so.
    taught: f64,
    unhappy: [f64; RATIOS],
    expected: [f64; RATIOS],
    /// Its part of the latest messages, 0 to 1.
    share: f64,
    latest: EventTime,
}

/// A ratio as it is with the models that scored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Biased {
    /// 0 to 1.
    pub(crate) ratio: f64,
    /// Standard deviation of what is not known of the models.
    pub(crate) deviation: f64,
}

impl Biases {
    /// Takes a slice that begins at `start`, before it is tested: as long as a model is new its own messages say what is normal of
    /// it. `normal` are the ratios that the first model would have.
    pub(crate) fn push(
        &mut self,
        (start, length): (EventTime, Duration),
        counts: &ByModel,
        normal: [f64; RATIOS],
        teaches: bool,
    ) {
        let all = f64::from(counts.total().messages);
        // Of several the same one in whatever order they came.
        let least = counts.iter().map(|(model, _)| model).min();
        self.first = self.first.or(least);
        for (model, counts) in counts.iter() {
            if Some(model) == self.first {
                continue;
            }
            let messages = f64::from(counts.messages);
            let bias = self.of(model, start);
            bias.messages += messages;
            bias.hours += length.as_secs_f64() / 3_600.0;
            bias.latest = start;
            if teaches && !bias.is_learned() {
                bias.taught += messages;
                for (ratio, normal) in normal.into_iter().enumerate() {
                    bias.unhappy[ratio] += f64::from(counts.unhappy[ratio]);
                    bias.expected[ratio] += messages * normal;
                }
            }
        }
        for bias in self.others.iter_mut().filter(|_| all > 0.0) {
            let share = f64::from(counts.of(bias.model).messages) / all;
            bias.share += (share - bias.share) * all / (all + SHARE_MESSAGES);
        }
    }

    /// A ratio of messages that these models scored, where it is known of the first one; `correlation` tells how long moods last.
    pub(crate) fn of_slice(&self, counts: &ByModel, ratio: usize, normal: f64, correlation: f64) -> Biased {
        let all = f64::from(counts.total().messages);
        if all == 0.0 {
            return self.of_late(ratio, normal, correlation);
        }
        let share = |bias: &Bias| f64::from(counts.of(bias.model).messages) / all;
        self.mixed(share, ratio, normal, correlation)
    }

    /// The same of the latest messages.
    pub(crate) fn of_late(&self, ratio: usize, normal: f64, correlation: f64) -> Biased {
        self.mixed(|bias| bias.share, ratio, normal, correlation)
    }

    fn mixed(&self, share: impl Fn(&Bias) -> f64, ratio: usize, normal: f64, correlation: f64) -> Biased {
        let mut biased = Biased { ratio: normal, deviation: 0.0 };
        for bias in &self.others {
            let share = share(bias);
            if share > 0.0 {
                let of_this = bias.ratio(ratio, normal);
                biased.ratio += share * (of_this - normal);
                // By the larger of the two: what is rare for one may not be for the other.
                biased.deviation += share * bias.deviation(normal.max(of_this), correlation);
            }
        }
        biased
    }

    /// Whether it is what it should be, wherever it came from.
    pub(crate) fn is_sound(&self) -> bool {
        self.others.len() < MODELS && self.others.iter().all(Bias::is_sound)
    }

    fn of(&mut self, model: ModelId, now: EventTime) -> &mut Bias {
        if let Some(known) = self.others.iter().position(|bias| bias.model == model) {
            return &mut self.others[known];
        }
        if self.others.len() == MODELS - 1 {
            let longest_ago = (0..self.others.len()).min_by_key(|place| self.others[*place].latest).unwrap_or_default();
            self.others.remove(longest_ago);
        }
        self.others.push(Bias::new(model, now));
        let newest = self.others.len() - 1;
        &mut self.others[newest]
    }
}

impl Bias {
    fn new(model: ModelId, now: EventTime) -> Self {
        Self {
            model,
            messages: 0.0,
            hours: 0.0,
            taught: 0.0,
            unhappy: [0.0; RATIOS],
            expected: [0.0; RATIOS],
            share: 0.0,
            latest: now,
        }
    }

    fn is_sound(&self) -> bool {
        let of_ratios = self.unhappy.iter().chain(&self.expected).all(|part| (0.0..=self.taught).contains(part));
        of_ratios && self.taught <= self.messages && self.hours >= 0.0 && (0.0..=1.0).contains(&self.share)
    }

    fn is_learned(&self) -> bool {
        self.taught >= LEARNED_FROM_MESSAGES && self.hours >= LEARNED_FOR.as_secs_f64() / 3_600.0
    }

    /// The ratio of this model where that of the first is `normal`: the odds differ by a factor.
    fn ratio(&self, ratio: usize, normal: f64) -> f64 {
        if self.taught == 0.0 {
            return normal;
        }
        let of_first = (self.expected[ratio] / self.taught).clamp(0.001, 0.999);
        let assumed = assumed_messages(of_first);
        let of_this = (self.unhappy[ratio] + assumed * of_first) / (self.taught + assumed);
        let odds = |ratio: f64| ratio / (1.0 - ratio);
        let factor = odds(of_this.clamp(0.001, 0.999)) / odds(of_first);
        let odds = factor * odds(normal.clamp(0.001, 0.999));
        odds / (1.0 + odds)
    }

    /// Standard deviation of that ratio, given how little was seen of it: while the first mood lasts, that is part of it.
    fn deviation(&self, ratio: f64, correlation: f64) -> f64 {
        let ratio = ratio.clamp(0.001, 0.999);
        let moods = (self.hours * 3_600.0 / SPANS[MOOD_SPAN].as_secs_f64()).max(1.0);
        let of_one = ratio * (1.0 - ratio);
        (of_one * (1.0 / (self.messages + assumed_messages(ratio)) + correlation / moods)).sqrt()
    }
}

/// What it is worth, in messages, that another model's odds are assumed to be those of the first, give or take a factor of e²; and
/// never more than a few, since a model that finds hardly anything says little of one that does.
fn assumed_messages(ratio: f64) -> f64 {
    const MOST: f64 = 10.0;
    (0.25 / (ratio * (1.0 - ratio))).min(MOST)
}
