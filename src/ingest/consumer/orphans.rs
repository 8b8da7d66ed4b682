//! Partitions that the group has given to nobody.
//!
//! A member with a static name that comes back gets what it had, without a rebalance. Where it was the group's leader it is no
//! longer told so (the brokers tell from JoinGroup 9 on, KIP-814, which librdkafka does not speak), and then nobody watches
//! whether a topic has grown: what is written to its new partitions would never be read. A leader that joins once more makes
//! the group rebalance.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::ingest::context::IngestContext;

/// How long the question to the coordinator may take.
const ASK: Duration = Duration::from_secs(1);
/// Between two looks: a leader that still watches learns of new partitions in less.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// The state of a group that no rebalance is under way in.
const STABLE: &str = "Stable";

/// Watches for such partitions.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    looked: Option<Instant>,
    /// There were some at the last look.
    seen: bool,
}

impl Orphans {
    /// Whether some of these topics' partitions, `all` together, were nobody's at this look and at the one before. Asks the
    /// coordinator now and then; call it only while fewer than all are assigned here.
    pub(super) fn are_there(&mut self, consumer: &BaseConsumer<IngestContext>, topics: &[String], all: usize) -> bool {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return false;
        }
        self.looked = Some(Instant::now());
        let given = given(consumer, topics);
        let is_short = given.is_some_and(|given| given < all);
        let was_seen = std::mem::replace(&mut self.seen, is_short);
        is_short && was_seen
    }

    /// All are assigned here.
    pub(super) fn are_none(&mut self) {
        *self = Self::default();
    }
}

/// How many partitions of these topics the group's members have; none where that is not known or about to change.
fn given(consumer: &BaseConsumer<IngestContext>, topics: &[String]) -> Option<usize> {
    let name = &consumer.context().group;
    let groups = match consumer.fetch_group_list(Some(name), ASK) {
        Ok(groups) => groups,
        Err(error) => {
            tracing::debug!(%error, "the group's assignments cannot be asked");
            return None;
        }
    };
    let group = groups.groups().iter().find(|group| group.name() == name && group.state() == STABLE)?;
    group.members().iter().map(|member| partitions_in(member.assignment()?, topics)).sum()
}

/// How many partitions of these topics an assignment has, as members of the `consumer` protocol are told it; none if it is
/// something else.
fn partitions_in(assignment: &[u8], topics: &[String]) -> Option<usize> {
    if assignment.is_empty() {
        return Some(0);
    }
    let (_version, mut rest) = assignment.split_first_chunk::<2>()?;
    let mut count = 0;
    for _ in 0..take_count(&mut rest)? {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (topic, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = behind;
        let partitions = take_count(&mut rest)?;
        rest = rest.split_at_checked(partitions.checked_mul(4)?)?.1;
        if topics.iter().any(|wanted| wanted.as_bytes() == topic) {
            count += partitions;
        }
    }
    Some(count)
}

/// Takes a length of an array off.
fn take_count(rest: &mut &[u8]) -> Option<usize> {
    let (count, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    usize::try_from(i32::from_be_bytes(*count)).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has said what is wrong")]
mod tests {
    use super::*;

    fn assignment(topics: &[(&str, i32)]) -> Vec<u8> {
        let mut bytes = vec![0, 1];
        bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
        for (topic, partitions) in topics {
            bytes.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
            bytes.extend(topic.as_bytes());
            bytes.extend(partitions.to_be_bytes());
            (0..*partitions).for_each(|partition| bytes.extend(partition.to_be_bytes()));
        }
        bytes.extend((-1_i32).to_be_bytes());
        bytes
    }

    #[test]
    fn the_partitions_of_our_topics_are_counted() {
        let ours = ["mail".to_owned(), "chat".to_owned()];
        let bytes = assignment(&[("mail", 3), ("other", 5), ("chat", 2)]);
        assert_eq!(partitions_in(&bytes, &ours), Some(5));
        assert_eq!(partitions_in(&assignment(&[]), &ours), Some(0));
        assert_eq!(partitions_in(&[], &ours), Some(0), "a member that has just joined");
    }

    #[test]
    fn what_is_no_assignment_is_not_counted() {
        let ours = ["mail".to_owned()];
        let bytes = assignment(&[("mail", 3)]);
        let cuts = (1..bytes.len() - 4).map(|length| partitions_in(&bytes[..length], &ours));
        assert!(cuts.into_iter().all(|count| count.is_none()));
        assert_eq!(partitions_in(&[0, 1, 0xff, 0xff, 0xff, 0xff], &ours), None);
    }
}
