//! librdkafka's settings for the consumer.

use rdkafka::ClientConfig;

use crate::config::Config;
use crate::ingest::Budget;

/// Statistics carry the ends of the partitions, which stream time and catching up need.
const STATISTICS_MILLIS: &str = "500";

/// Records in librdkafka's queue, the one of all partitions, beyond which it fetches no more. Each takes some 400 bytes there
/// besides its own.
pub const FETCH_AHEAD: usize = 20_000;

/// The settings that the daemon owns.
pub(super) fn own_settings(client: &mut ClientConfig, config: &Config, instance: Option<&str>) {
    let kafka = &config.kafka;
    let budget = Budget::of(&config.pipeline);
    let session_millis = kafka.session_timeout.get().as_millis();
    client
        .set("group.id", &kafka.group)
        .set("session.timeout.ms", session_millis.to_string())
        .set("heartbeat.interval.ms", (session_millis / 3).to_string())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // A saved offset outside the log is an error, never a silent reset.
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        .set("statistics.interval.ms", STATISTICS_MILLIS)
        .set("partition.assignment.strategy", "range,roundrobin")
        .set("queued.max.messages.kbytes", budget.queue_kibibytes().to_string())
        .set("queued.min.messages", FETCH_AHEAD.to_string())
        .set("fetch.max.bytes", budget.fetch().to_string())
        // At its default of 1000 a fast consumer stalls whenever the prefetch queue was full.
        .set("fetch.queue.backoff.ms", "5")
        .set("topic.metadata.refresh.interval.ms", "10000");
    if let Some(instance) = instance {
        client.set("group.instance.id", instance);
    }
    if client.get("fetch.wait.max.ms").is_none() {
        // A partition resumed after an alignment pause waits for the fetch that is under way for the others.
        client.set("fetch.wait.max.ms", "100");
    }
}
