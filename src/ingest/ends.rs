//! Which partitions are read to their end: fetched to it, and all of that polled.
//!
//! All partitions share one queue between fetching and polling. To wait until it is empty would be to wait for the busy
//! partitions before anything is known of the silent ones. The queue keeps its order, so it is enough that as many
//! records were polled since as were queued when a partition was seen fetched to its end.

use std::collections::BTreeMap;

use crate::message::PartitionId;

use super::stats::PartitionReport;

/// What is known of the ends since the assignment.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// The end up to which everything was polled.
    read: BTreeMap<PartitionId, i64>,
    waiting: Option<Waiting>,
}

/// Ends that count once so much was polled.
#[derive(Debug)]
struct Waiting {
    left: i64,
    ends: Vec<(PartitionId, i64)>,
}

impl Ends {
    /// Takes note of a record or an error that came out of a poll. What librdkafka lets pass the queue, such as its
    /// statistics, does not count.
    pub(super) fn polled(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.left -= 1;
        }
    }

    /// Takes what librdkafka reports. Of reports that must wait, the one that waits least is kept.
    pub(super) fn take(&mut self, partitions: &[PartitionReport]) {
        self.settle();
        let queued = partitions.iter().map(|told| told.queued).max().unwrap_or_default();
        if self.waiting.as_ref().is_some_and(|waiting| waiting.left < queued) {
            return;
        }
        let ends = partitions.iter().filter_map(|told| Some((told.partition.clone(), told.fetched_to_end?)));
        self.waiting = Some(Waiting { left: queued, ends: ends.collect() });
        self.settle();
    }

    /// Whether everything up to the end that is told was polled.
    pub(super) fn is_read(&self, told: &PartitionReport) -> bool {
        told.fetched_to_end.is_some() && self.read.get(&told.partition).copied() == told.fetched_to_end
    }

    fn settle(&mut self) {
        if let Some(waiting) = self.waiting.take_if(|waiting| waiting.left <= 0) {
            self.read.extend(waiting.ends);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(partition: i32, fetched_to_end: Option<i64>, queued: i64) -> PartitionReport {
        PartitionReport {
            partition: PartitionId::new("t", partition),
            end: fetched_to_end,
            fetched_to_end,
            queued,
            queued_bytes: 0,
        }
    }

    #[test]
    fn with_nothing_queued_a_partition_fetched_to_its_end_is_read() {
        let mut ends = Ends::default();
        ends.take(&[told(0, Some(10), 0)]);
        assert!(ends.is_read(&told(0, Some(10), 0)));
        assert!(!ends.is_read(&told(0, Some(11), 0)), "what came since is not");
        assert!(!ends.is_read(&told(0, None, 0)), "nor is one that is fetched no further");
    }

    #[test]
    fn a_silent_partition_is_read_though_the_queue_of_a_busy_one_never_empties() {
        let mut ends = Ends::default();
        let reports = |queued| [told(0, None, queued), told(1, Some(10), queued)];
        ends.take(&reports(3));
        ends.polled();
        ends.polled();
        ends.take(&reports(50));
        assert!(!ends.is_read(&told(1, Some(10), 50)), "one of the three may be its own");
        ends.polled();
        ends.take(&reports(50));
        assert!(ends.is_read(&told(1, Some(10), 50)));
        ends.take(&reports(70));
        assert!(ends.is_read(&told(1, Some(10), 70)), "nothing came since");
        assert!(!ends.is_read(&told(0, None, 70)));
    }

    #[test]
    fn a_queue_that_empties_at_once_is_not_waited_for() {
        let mut ends = Ends::default();
        ends.take(&[told(0, Some(10), 1_000)]);
        assert!(!ends.is_read(&told(0, Some(10), 1_000)));
        ends.take(&[told(0, Some(12), 0)]);
        assert!(ends.is_read(&told(0, Some(12), 0)));
    }
}
