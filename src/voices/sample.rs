//! Which messages stand for the others: the ids of the most telling ones.

use serde::{Deserialize, Serialize};

use super::Voice;
use crate::message::{CustomerHash, EventTime, Sentiment};

/// So many are kept of a stretch, and told of an alert.
pub(super) const SAMPLES: usize = 3;

/// A message worth reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub(super) rank: Rank,
    pub(super) unhappy: Unhappy,
    customer: Option<CustomerHash>,
    /// The record's own id, or `topic/partition/offset`.
    pub(super) id: Box<str>,
}

/// How telling a message is: the first of two in order is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Rank {
    /// The more telling, the less.
    dullness: u16,
    event_time: EventTime,
}

/// In what way a message is unhappy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unhappy {
    pub(super) negative: bool,
    pub(super) frustrated: bool,
    pub(super) severe: bool,
}

impl Unhappy {
    pub(super) fn of(voice: &Voice<'_>) -> Self {
        Self {
            negative: voice.score.sentiment.label() == Sentiment::Negative,
            frustrated: voice.score.is_frustrated(),
            severe: voice.is_severe,
        }
    }

    pub(super) fn is_any(self) -> bool {
        self.negative || self.frustrated || self.severe
    }
}

impl Rank {
    /// Severe ones first; then those that the scorer is surest of, with a bonus for named reasons, which say why.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 12,500")]
    pub(super) fn of(voice: &Voice<'_>) -> Self {
        let sure = voice.score.sentiment.negative.get() + voice.score.frustration.get();
        let reasons = 250 * voice.score.signals.len().min(2) as u16;
        let telling = (1_000.0 * sure).round() as u16 + reasons + if voice.is_severe { 10_000 } else { 0 };
        Self { dullness: u16::MAX - telling, event_time: voice.event_time }
    }
}

impl Sample {
    pub(super) fn new(rank: Rank, unhappy: Unhappy, customer: Option<CustomerHash>, id: String) -> Self {
        Self { rank, unhappy, customer, id: id.into() }
    }

    fn is_better_than(&self, other: &Self) -> bool {
        (self.rank, &self.id) < (other.rank, &other.id)
    }

    fn is_of_same_customer(&self, other: &Self) -> bool {
        self.customer.is_some() && self.customer == other.customer
    }
}

/// Whether a message of that rank may be among the best; what `keep` would do with it is then to be seen.
pub(super) fn may_be_kept(samples: &[Sample], rank: Rank) -> bool {
    samples.len() < SAMPLES || samples.last().is_some_and(|worst| rank <= worst.rank)
}

/// Keeps the best ones in order, one of each customer: whoever writes ten times is not all that there is to read.
pub(super) fn keep(samples: &mut Vec<Sample>, sample: Sample) {
    if let Some(place) = samples.iter().position(|known| known.is_of_same_customer(&sample)) {
        if !sample.is_better_than(&samples[place]) {
            return;
        }
        samples.remove(place);
    }
    let place = samples.partition_point(|known| known.is_better_than(&sample));
    samples.insert(place, sample);
    samples.truncate(SAMPLES);
}
