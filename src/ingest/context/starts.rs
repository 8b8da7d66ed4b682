//! Where reading starts, in partitions that are assigned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use super::{Event, IngestContext, list_of};
use crate::config::StartPosition;
use crate::message::PartitionId;
use crate::publish::Thread;

/// How long one question to the broker may take inside a rebalance.
const ASK: Duration = Duration::from_secs(5);

impl IngestContext {
    /// Finds where the partitions start that have no position yet. Where that cannot be asked the group is joined again.
    pub(in crate::ingest) fn complete_starts(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &[PartitionId],
        starts: &mut BTreeMap<PartitionId, i64>,
    ) {
        if let Err(error) = self.find_starts(consumer, partitions, starts) {
            self.log.error(&error, "where to start reading cannot be asked; joining the group again");
            self.health.set_not_ready("assignment", format!("where to start reading cannot be asked: {error}"));
            self.push(Event::NoStarts);
        }
    }

    fn find_starts(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &[PartitionId],
        starts: &mut BTreeMap<PartitionId, i64>,
    ) -> KafkaResult<()> {
        let unknown: Vec<&PartitionId> =
            partitions.iter().filter(|partition| !starts.contains_key(*partition)).collect();
        if !unknown.is_empty() {
            self.health.beat(Thread::Ingest);
            let committed = consumer.committed_offsets(list_of(&unknown, KafkaOffset::Invalid)?, ASK)?;
            let mut nowhere = Vec::new();
            let (mut read_before, mut example) = (0, None);
            for partition in unknown {
                match committed.find_partition(&partition.topic, partition.partition).map(|element| element.offset()) {
                    Some(KafkaOffset::Offset(_)) if !self.starting.start_empty => {
                        read_before += 1;
                        example = Some(partition);
                    }
                    Some(KafkaOffset::Offset(offset)) => {
                        starts.insert(partition.clone(), offset);
                    }
                    _ => nowhere.push(partition),
                }
            }
            if let Some(partition) = example {
                self.push(Event::StateMissing(self.state_missing(partition, read_before)));
                return Ok(());
            }
            starts.extend(self.begin(consumer, &nowhere)?);
        }
        match self.starting.start_from {
            Some(position) => self.replace_unreadable(consumer, position, starts),
            None => Ok(()),
        }
    }

    /// What to tell where the windows of what the group has read are gone.
    fn state_missing(&self, partition: &PartitionId, partitions: usize) -> String {
        let group = &self.group;
        let store = if self.travels { "checkpoint.topic" } else { "checkpoint.directory" };
        format!(
            "group {group} has read {partition} before ({partitions} such partitions), but {store} holds no \
             checkpoint of what was counted. Nothing is read. Put the checkpoint back, or restart with --start-empty to go \
             on at the group's offsets with empty windows"
        )
    }

    /// Where partitions begin of which nothing is known. `latest` is meant of a topic when it is first read: what it has grown by
    /// since is read from its beginning, or what was written there before anybody looked would be lost.
    fn begin(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &[&PartitionId],
    ) -> KafkaResult<Vec<(PartitionId, i64)>> {
        if self.start != StartPosition::Latest {
            return self.resolve(consumer, self.start, partitions);
        }
        let topics: BTreeSet<&Arc<str>> = partitions.iter().map(|partition| &partition.topic).collect();
        let mut read_before = BTreeSet::new();
        for topic in topics {
            if self.is_read(consumer, topic)? {
                read_before.insert(topic);
            }
        }
        let (grown, first): (Vec<&PartitionId>, Vec<&PartitionId>) =
            partitions.iter().copied().partition(|partition| read_before.contains(&partition.topic));
        for partition in &grown {
            tracing::info!(%partition, "a partition that its topic has grown by: read from its beginning");
        }
        let mut begun = self.resolve(consumer, StartPosition::Earliest, &grown)?;
        begun.extend(self.resolve(consumer, self.start, &first)?);
        Ok(begun)
    }

    /// Whether this daemon or another of the group has a position in any partition of a topic.
    fn is_read(&self, consumer: &BaseConsumer<Self>, topic: &str) -> KafkaResult<bool> {
        if self.shared.ledger().positions().any(|(partition, _)| *partition.topic == *topic) {
            return Ok(true);
        }
        self.health.beat(Thread::Ingest);
        let metadata = consumer.fetch_metadata(Some(topic), ASK)?;
        let known = metadata.topics().iter().find(|known| known.name() == topic);
        let mut all = TopicPartitionList::new();
        for partition in known.into_iter().flat_map(|known| known.partitions()) {
            all.add_partition(topic, partition.id());
        }
        if all.count() == 0 {
            return Ok(false);
        }
        self.health.beat(Thread::Ingest);
        let committed = consumer.committed_offsets(all, ASK)?;
        Ok(committed.elements().iter().any(|element| matches!(element.offset(), KafkaOffset::Offset(_))))
    }

    /// The offsets at a position of the log. Each question to the broker may take long: the heart beats in between.
    fn resolve(
        &self,
        consumer: &BaseConsumer<Self>,
        position: StartPosition,
        partitions: &[&PartitionId],
    ) -> KafkaResult<Vec<(PartitionId, i64)>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut at_moment = BTreeMap::new();
        if let StartPosition::At(moment) = position {
            self.health.beat(Thread::Ingest);
            let list = list_of(partitions, KafkaOffset::Offset(moment.as_millisecond()))?;
            for element in consumer.offsets_for_times(list, ASK)?.elements() {
                if let KafkaOffset::Offset(offset) = element.offset() {
                    at_moment.insert(PartitionId::new(element.topic(), element.partition()), offset);
                }
            }
        }
        let mut found = Vec::with_capacity(partitions.len());
        for partition in partitions.iter().copied() {
            self.health.beat(Thread::Ingest);
            let (low, high) = consumer.fetch_watermarks(&partition.topic, partition.partition, ASK)?;
            let offset = match position {
                StartPosition::Earliest => low,
                StartPosition::Latest => high,
                StartPosition::At(_) => at_moment.get(partition).copied().unwrap_or(high),
            };
            found.push((partition.clone(), offset));
        }
        Ok(found)
    }

    /// Puts saved offsets, the checkpoint's or the group's, that are not in the log at `--start-from`'s position; the others stay.
    fn replace_unreadable(
        &self,
        consumer: &BaseConsumer<Self>,
        position: StartPosition,
        starts: &mut BTreeMap<PartitionId, i64>,
    ) -> KafkaResult<()> {
        let mut unreadable = Vec::new();
        for (partition, offset) in starts.iter() {
            self.health.beat(Thread::Ingest);
            let (low, high) = consumer.fetch_watermarks(&partition.topic, partition.partition, ASK)?;
            if !(low..=high).contains(offset) {
                tracing::warn!(%partition, offset, low, high, start_from = %position, "saved offset is not in the log; starting as told");
                unreadable.push(partition.clone());
            }
        }
        let unreadable: Vec<&PartitionId> = unreadable.iter().collect();
        starts.extend(self.resolve(consumer, position, &unreadable)?);
        Ok(())
    }
}
