//! The one budget of bytes in flight, and who gets how much of it (INV-6).

use crate::config::PipelineConfig;

/// The smallest fetch that librdkafka can be held to: it raises `fetch.max.bytes` to its `message.max.bytes`.
const LEAST_FETCH: usize = 1_000_000;
/// Librdkafka's own default for a fetch; a larger one gains nothing.
const LARGEST_FETCH: usize = 50 * 1024 * 1024;

/// How `pipeline.in_flight_bytes` is shared out, in bytes. Reading pauses before a part is full; what comes beyond is at most
/// one record or batch, and one fetch for each further broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Batches, from the consumer thread to the fold: three eighths.
    pub batches: usize,
    /// What librdkafka has fetched and nobody polled: three eighths.
    pub fetched: usize,
    /// Dead letters that the broker has not confirmed: an eighth. The producer holds each a second time, in another eighth.
    pub dead_letters: usize,
}

impl Budget {
    /// The shares of that config's budget.
    #[must_use]
    pub fn of(config: &PipelineConfig) -> Self {
        let eighth = config.in_flight_bytes / 8;
        Self { batches: 3 * eighth, fetched: 3 * eighth, dead_letters: eighth }
    }

    /// Bytes that one fetch may bring: half of what may be fetched, since a fetch is sent while the queue is not full yet.
    pub(super) fn fetch(self) -> usize {
        (self.fetched / 2).clamp(LEAST_FETCH, LARGEST_FETCH)
    }

    /// Kibibytes in librdkafka's queue beyond which it fetches no more.
    pub(super) fn queue_kibibytes(self) -> usize {
        (self.fetched / 2).max(LEAST_FETCH) / 1_024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(in_flight_bytes: usize) -> Budget {
        Budget::of(&PipelineConfig { in_flight_bytes, ..PipelineConfig::default() })
    }

    #[test]
    fn the_shares_and_the_producers_copies_are_the_budget_and_no_more() {
        for in_flight_bytes in [800, 1_000_003, PipelineConfig::default().in_flight_bytes, 1 << 40] {
            let Budget { batches, fetched, dead_letters } = budget(in_flight_bytes);
            let all = batches + fetched + 2 * dead_letters;
            assert!(all <= in_flight_bytes && in_flight_bytes - all < 8, "{all} of {in_flight_bytes}");
        }
    }

    #[test]
    fn a_full_queue_and_the_fetch_on_its_way_stay_within_their_share() {
        for in_flight_bytes in [8 << 20, PipelineConfig::default().in_flight_bytes, 1 << 30] {
            let budget = budget(in_flight_bytes);
            assert!(1_024 * budget.queue_kibibytes() + budget.fetch() <= budget.fetched, "{budget:?}");
        }
    }
}
