//! The one way in which consumers, producers and checks reach the brokers.

use rdkafka::ClientConfig;

use super::KafkaConfig;
use super::properties::FILE_ENDING;

/// A librdkafka client for the brokers of a loaded config: brokers, every property passed through (secrets included), and
/// defaults that the properties may override (`client.id`, `ssl.ca.location`). Consumers and producers add what is theirs.
#[must_use]
pub fn client_config(kafka: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("client.id", "latido");
    // TLS is linked in, so it does not know where this system keeps its certificates.
    client.set("ssl.ca.location", "probe");
    // A broker that was away for long is found again at once: by default a client waits up to 10 s.
    client.set("reconnect.backoff.max.ms", "1000");
    for (name, value) in kafka.properties.iter().filter(|(name, _)| !name.ends_with(FILE_ENDING)) {
        client.set(name, value);
    }
    for (name, secret) in &kafka.secrets {
        client.set(name, secret.expose());
    }
    client.set("bootstrap.servers", kafka.brokers.join(","));
    client
}
