//! The headers that a dead letter bears beside its own: what writes them and what reads them back agree here.

/// The topic that the record came from.
pub(crate) const SOURCE_TOPIC: &str = "source_topic";
/// Its partition there.
pub(crate) const SOURCE_PARTITION: &str = "source_partition";
/// Its offset there.
pub(crate) const SOURCE_OFFSET: &str = "source_offset";
/// Why it cannot be used, as one word.
pub(crate) const REASON: &str = "reason";
/// What exactly is wrong; never the text.
pub(crate) const ERROR: &str = "error";
/// When it was read.
pub(crate) const RECEIVED_AT: &str = "received_at";

/// All of them, in the order in which they stand after the record's own headers.
pub(crate) const NAMES: [&str; 6] = [SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, REASON, ERROR, RECEIVED_AT];

/// The value was cut; says how long it was.
pub(crate) const TRUNCATED_FROM_BYTES: &str = "truncated_from_bytes";
/// Key and value were cut and the record's own headers left out; says how large the whole was.
pub(crate) const STUB_OF_BYTES: &str = "stub_of_bytes";
