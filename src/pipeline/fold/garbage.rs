//! A stream of garbage: stops reading, and lets it go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Fold;
use crate::message::PartitionId;
use crate::pipeline::breaker::{Share, Verdict};
use crate::pipeline::scoring::{Outcome, ScoredBatch};
use crate::publish::Resume;

impl Fold {
    /// Asks the breaker; where it says so, stops reading. Then nothing of the batch is taken.
    pub(super) fn judge(&mut self, scored: &ScoredBatch) -> Verdict {
        let topic = Arc::clone(&scored.batch.partition.topic);
        let verdict = self.breaker.judge(&topic, share_of(scored), self.begun.elapsed());
        self.follow_verdict(&verdict);
        verdict
    }

    fn follow_verdict(&self, verdict: &Verdict) {
        let Verdict::Stop(reason) = verdict else { return };
        tracing::error!("{reason}");
        self.links.health.set_not_ready("garbage", reason.clone());
        self.links.shared.hold();
    }

    /// Decides on what is read on trial, and folds it if it is good enough.
    fn decide_trial(&mut self) {
        let mut topics: BTreeMap<Arc<str>, Share> = BTreeMap::new();
        for (partition, waiting) in &self.early {
            let share = topics.entry(Arc::clone(&partition.topic)).or_default();
            waiting.values().for_each(|scored| *share += share_of(scored));
        }
        let worst = topics.into_iter().max_by(|(_, one), (_, other)| one.ratio().total_cmp(&other.ratio()));
        let Some((topic, share)) = worst else { return };
        let Some(verdict) = self.breaker.decide(&topic, share, self.begun.elapsed()) else { return };
        self.follow_verdict(&verdict);
        if verdict == Verdict::Take {
            let partitions: Vec<PartitionId> = self.early.keys().cloned().collect();
            partitions.iter().for_each(|partition| self.take_early(partition));
        }
    }

    /// Lets reading go on, on trial or by an operator's word, once what was on its way is dropped.
    pub(super) fn follow_breaker(&mut self) {
        if let Some(Resume { records }) = self.links.resumes.try_iter().last() {
            tracing::info!(records, "an operator resumes reading");
            self.accept = Some(records);
        }
        if self.breaker.is_probing() {
            self.decide_trial();
        }
        if !self.breaker.is_open() {
            // Said of a stream that is read: there is nothing to resume.
            self.accept = None;
            if !self.breaker.is_probing() && self.links.health.set_ready("garbage") {
                tracing::info!("reading goes on");
            }
            return;
        }
        let due = self.breaker.is_due(self.begun.elapsed());
        if !self.links.shared.is_rewound() || !(due || self.accept.is_some()) {
            return;
        }
        self.breaker.resume(self.accept.take().unwrap_or(0), self.begun.elapsed());
        self.links.shared.release();
    }
}

/// How much of a batch cannot be used.
fn share_of(scored: &ScoredBatch) -> Share {
    let unusable = scored.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Rejected(_))).count();
    Share { records: scored.outcomes.len() as u64, unusable: unusable as u64 }
}
