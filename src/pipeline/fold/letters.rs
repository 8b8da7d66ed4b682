//! Records that are in no window, on their way to the dead-letter topic.

use std::sync::Arc;

use super::Fold;
use crate::ingest::DeadLetter;
use crate::message::LetterReason;
use crate::pipeline::scoring::{Outcome, ScoredBatch};
use crate::publish::Thread;

impl Fold {
    /// Why a record is set aside, and what exactly is wrong with it; none where it is only counted.
    fn cause_of_death(&self, outcome: &Outcome) -> Option<(LetterReason, String)> {
        match outcome {
            Outcome::Rejected(rejection) => Some((LetterReason::Rejected(rejection.reason), rejection.detail.clone())),
            Outcome::Scored(placed, ..) if self.limits.late_letters => {
                let error = format!("its event time {} is too old for any window", placed.event_time);
                Some((LetterReason::Late, error))
            }
            _ => None,
        }
    }

    /// Sends a record that is in no window to the dead-letter topic; waits for room there, since nothing may pass it (INV-1).
    pub(super) fn bury(&mut self, scored: &ScoredBatch, place: usize) {
        let Some((reason, error)) = scored.outcomes.get(place).and_then(|outcome| self.cause_of_death(outcome)) else {
            return;
        };
        let Some(record) = scored.batch.record(place) else { return };
        let partition = &scored.batch.partition;
        tracing::debug!(%partition, offset = record.offset.0, reason = reason.as_str(), "a record in no window");
        let Some(letters) = &mut self.links.letters else { return };
        let letter = DeadLetter {
            partition: partition.clone(),
            offset: record.offset,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.map(|(key, value)| (key.to_owned(), value.map(<[u8]>::to_vec))).collect(),
            reason,
            error,
            received_at: scored.decoded,
        };
        let health = Arc::clone(&self.links.health);
        let patience = &mut self.links.patience;
        let sent = letters.send(letter, || {
            health.beat(Thread::Fold);
            !patience.is_over()
        });
        if !sent {
            // The offset is claimed but its dead letter is lost: no checkpoint may cover it. It is read again.
            self.must_not_save = true;
            tracing::error!(
                "a dead letter could not be handed over before the daemon stopped; no checkpoint is saved past it"
            );
        }
    }
}
