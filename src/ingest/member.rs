//! Who this daemon is in its group.

use std::fmt;
use std::sync::Arc;

use rdkafka::consumer::ConsumerGroupMetadata;

/// This daemon's membership of its group as of one assignment. The group's coordinator knows by it whether the partitions
/// have been given to others since.
#[derive(Clone)]
pub struct Member(Arc<ConsumerGroupMetadata>);

impl Member {
    pub(super) fn new(metadata: ConsumerGroupMetadata) -> Self {
        Self(Arc::new(metadata))
    }

    /// What the coordinator is told.
    pub(crate) fn metadata(&self) -> &ConsumerGroupMetadata {
        &self.0
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Member")
    }
}
