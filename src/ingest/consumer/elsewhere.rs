//! How many partitions the topics have, those included of which none is assigned here: of these librdkafka reports nothing.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::ingest::context::IngestContext;
use crate::ingest::stats::Report;

/// How long the question to the broker may take.
const ASK: Duration = Duration::from_secs(1);

/// Partitions of topics that are not in the reports.
#[derive(Debug, Default)]
pub(super) enum Elsewhere {
    /// Nothing was assigned yet.
    #[default]
    NotAsked,
    /// An assignment is there: ask with the next report, if a topic is not in it.
    Ask,
    /// So many.
    Known(usize),
}

impl Elsewhere {
    /// An assignment has come: the broker must be asked again.
    pub(super) fn ask_again(&mut self) {
        *self = Self::Ask;
    }

    /// How many partitions the topics have; none while unknown.
    pub(super) fn count(
        &mut self,
        consumer: &BaseConsumer<IngestContext>,
        topics: &[String],
        report: &Report,
    ) -> Option<usize> {
        let is_reported = |topic: &String| report.partitions.iter().any(|told| *told.partition.topic == **topic);
        if topics.iter().all(is_reported) {
            return Some(report.partitions.len());
        }
        if matches!(self, Self::Ask) && report.connected {
            // All topics, since asking for one by name may make it.
            let metadata = consumer.fetch_metadata(None, ASK).ok()?;
            let others = topics.iter().filter(|topic| !is_reported(topic));
            let others = others.filter_map(|name| metadata.topics().iter().find(|topic| topic.name() == name));
            *self = Self::Known(others.map(|topic| topic.partitions().len()).sum());
        }
        let Self::Known(elsewhere) = self else { return None };
        Some(report.partitions.len() + *elsewhere).filter(|all| *all > 0)
    }
}
