//! The garbage breaker: where most of a topic cannot be used, reading stops, and the backlog stays where it is.
//!
//! A wrong topic or a broken producer would otherwise be copied whole into the dead-letter topic.

use std::collections::{BTreeMap, VecDeque};
use std::ops::AddAssign;
use std::time::Duration;

use crate::config::BreakerConfig;

#[cfg(test)]
mod tests;

/// How long a trial waits for more records before those that are there decide.
const TRIAL: Duration = Duration::from_secs(3);

/// Decides batch by batch whether the stream is still worth reading. No clock of its own: `now` is monotonic.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerConfig,
    topics: BTreeMap<String, Recent>,
    state: State,
    openings: u64,
}

#[derive(Debug)]
enum State {
    /// Reading.
    Closed,
    /// Reading has stopped.
    Open { since: Duration },
    /// Reading again, on trial: nothing is folded until enough records are there to decide.
    Probing { since: Duration },
    /// An operator lets so many records pass, whatever they are.
    Accepting { left: u64 },
}

/// What is to be done with a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Fold it.
    Take,
    /// Reading has stopped already: it is read again later.
    Leave,
    /// It is on trial: keep it until [`Breaker::decide`] has decided.
    Wait,
    /// Reading has to stop, for this reason; the batch is read again later.
    Stop(String),
}

/// The latest records of a topic, by batch.
#[derive(Debug, Default)]
struct Recent {
    batches: VecDeque<Share>,
    all: Share,
}

/// How many records, and how many of them cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) records: u64,
    pub(super) unusable: u64,
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.unusable += other.unusable;
    }
}

impl Share {
    /// Part that cannot be used, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "counts of records in flight are exact in f64")]
    pub(super) fn ratio(self) -> f64 {
        self.unusable as f64 / self.records.max(1) as f64
    }
}

impl Recent {
    /// Adds a batch and forgets those beyond the latest `most` records.
    fn push(&mut self, batch: Share, most: u64) {
        self.batches.push_back(batch);
        self.all += batch;
        while let Some(oldest) = self.batches.front().filter(|oldest| self.all.records - oldest.records >= most) {
            self.all.records -= oldest.records;
            self.all.unusable -= oldest.unusable;
            self.batches.pop_front();
        }
    }
}

impl Breaker {
    pub(super) fn new(settings: BreakerConfig) -> Self {
        Self { settings, topics: BTreeMap::new(), state: State::Closed, openings: 0 }
    }

    /// What is to be done with a batch of that topic that is next in its partition.
    pub(super) fn judge(&mut self, topic: &str, batch: Share, now: Duration) -> Verdict {
        let ratio = self.settings.ratio;
        let judged = match &mut self.state {
            State::Open { .. } => return Verdict::Leave,
            State::Probing { .. } => return Verdict::Wait,
            State::Accepting { left } => {
                *left = left.saturating_sub(batch.records);
                if *left == 0 {
                    self.close();
                }
                return Verdict::Take;
            }
            State::Closed => {
                let recent = self.topics.entry(topic.to_owned()).or_default();
                recent.push(batch, u64::from(self.settings.records));
                if recent.all.records < u64::from(self.settings.min_records) || recent.all.ratio() <= ratio {
                    return Verdict::Take;
                }
                recent.all
            }
        };
        self.stop(topic, judged, now)
    }

    /// Decides on what waits on trial, of which `topic` has the most garbage, once there is enough of it or no more has come
    /// for a while: take all of it, or leave it and stop. None while it is too early, or nothing is on trial.
    pub(super) fn decide(&mut self, topic: &str, waiting: Share, now: Duration) -> Option<Verdict> {
        let State::Probing { since } = self.state else { return None };
        let is_enough = waiting.records >= u64::from(self.settings.records);
        if waiting.records == 0 || !(is_enough || now.saturating_sub(since) >= TRIAL) {
            return None;
        }
        if waiting.ratio() > self.settings.ratio {
            return Some(self.stop(topic, waiting, now));
        }
        self.close();
        Some(Verdict::Take)
    }

    fn stop(&mut self, topic: &str, judged: Share, now: Duration) -> Verdict {
        self.topics.clear();
        self.state = State::Open { since: now };
        self.openings += 1;
        Verdict::Stop(self.reason(topic, judged))
    }

    fn reason(&self, topic: &str, judged: Share) -> String {
        format!(
            "{} of the last {} records of topic {topic} cannot be used, more than breaker.ratio allows: reading has \
             stopped, and the backlog stays in the topic. Mend the producer or kafka.topics; reading is tried again \
             every {}, or at once with `latido resume`",
            judged.unusable, judged.records, self.settings.retry_after
        )
    }

    /// Whether reading has stood still for long enough that the next records are worth a try.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        matches!(self.state, State::Open { since } if now.saturating_sub(since) >= self.settings.retry_after.get())
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// How often reading has stopped, tries that only met more garbage included.
    pub(super) fn openings(&self) -> u64 {
        self.openings
    }

    /// Reading goes on: the next `records` pass, whatever they are. With 0 the next ones decide: if they are garbage too, reading
    /// stops again before any of them is taken.
    pub(super) fn resume(&mut self, records: u64, now: Duration) {
        self.state = match records {
            0 => State::Probing { since: now },
            left => State::Accepting { left },
        };
    }

    /// Whether what is read waits for a decision.
    pub(super) fn is_probing(&self) -> bool {
        matches!(self.state, State::Probing { .. })
    }

    fn close(&mut self) {
        self.topics.clear();
        self.state = State::Closed;
    }
}
