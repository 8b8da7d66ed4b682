//! `[kafka.properties]`: what passes through to librdkafka, what does not, and secrets from files.

use std::path::Path;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::KafkaConfig;
use super::names::guess;
use super::secret::{Secret, is_secret};
use super::validate::Check;

/// A property of that ending reads the value of the property without it from a file.
pub(super) const FILE_ENDING: &str = "_file";

/// Where a key of ours takes a property's place.
const REPLACED: [(&str, &str); 7] = [
    ("bootstrap.servers", "kafka.brokers"),
    ("metadata.broker.list", "kafka.brokers"),
    ("group.id", "kafka.group"),
    ("group.instance.id", "kafka.group_instance_id"),
    ("session.timeout.ms", "kafka.session_timeout"),
    ("heartbeat.interval.ms", "kafka.session_timeout"),
    ("auto.offset.reset", "kafka.start"),
];

const COMMITS: &str = "offsets are committed only for what a checkpoint covers";
const REBALANCES: &str = "at a rebalance the daemon drains and saves whole partitions";
const BUFFERS: &str = "what is in flight is bounded by [pipeline]";
const DEAD_LETTERS: &str = "an offset is committed only after the broker confirmed the record's dead letter";

/// The properties that the daemon must own, and why.
const OWNED: [(&str, &str); 24] = [
    ("enable.auto.commit", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("offset.store.method", COMMITS),
    ("enable.partition.eof", "stream time depends on seeing the end of each partition"),
    ("partition.assignment.strategy", REBALANCES),
    ("group.protocol", REBALANCES),
    ("group.remote.assignor", REBALANCES),
    ("statistics.interval.ms", "the daemon's own metrics depend on it"),
    ("queued.min.messages", BUFFERS),
    ("queued.max.messages.kbytes", BUFFERS),
    ("fetch.max.bytes", BUFFERS),
    ("fetch.queue.backoff.ms", BUFFERS),
    ("allow.auto.create.topics", "a misspelt topic would be made instead of reported"),
    ("topic.metadata.refresh.interval.ms", "it decides how soon a topic that was missing is found"),
    ("message.max.bytes", "a dead letter must hold whatever its source could"),
    ("linger.ms", "dead letters go out at once"),
    ("batch.size", "a broker's limit is for a whole batch, and small dead letters must not be cut for it"),
    ("acks", DEAD_LETTERS),
    ("request.required.acks", DEAD_LETTERS),
    ("enable.idempotence", DEAD_LETTERS),
    ("transactional.id", DEAD_LETTERS),
    ("test.mock.num.brokers", "it would replace the brokers by ones that hold nothing"),
];

/// Properties that people set, to guess the meant one from.
const COMMON: [&str; 41] = [
    "api.version.request",
    "broker.address.family",
    "broker.address.ttl",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.codec",
    "compression.type",
    "connections.max.idle.ms",
    "debug",
    "fetch.error.backoff.ms",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.wait.max.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "metadata.max.age.ms",
    "receive.message.max.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "retry.backoff.ms",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.timeout.ms",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.keystore.password",
];

/// Checks every property, and moves secrets to where no print shows them: those written down, and those in files.
pub(super) fn resolve(kafka: &mut KafkaConfig, check: &mut Check<'_>) {
    for (name, value) in kafka.properties.clone() {
        let base = name.strip_suffix(FILE_ENDING);
        let property = base.unwrap_or(&name);
        if let Some(remedy) = refusal(property) {
            check.refuse(&path(&name), "the daemon sets this property itself", remedy);
            continue;
        }
        if base.is_some() && kafka.properties.contains_key(property) {
            check.refuse(&path(&name), format!("`{property}` is set too"), "keep one of the two");
            continue;
        }
        let text = match base {
            None => value.clone(),
            Some(_) => match read_secret(Path::new(&value)) {
                Ok(text) => text,
                Err(what) => {
                    check.refuse(&path(&name), what, "name a readable file that holds the secret and nothing else");
                    continue;
                }
            },
        };
        if let Err(refused) = accepted(property, &text) {
            match refused.known {
                true => check.refuse(&path(&name), refused.what, refused.remedy),
                // A misspelt property may be the one that holds a secret.
                false => check.refuse_unshown(&path(&name), refused.what, refused.remedy),
            }
            continue;
        }
        if base.is_some() || is_secret(&name) {
            kafka.secrets.insert(property.to_owned(), Secret::new(text));
        }
    }
    kafka.properties.retain(|name, _| !is_secret(name));
}

fn path(name: &str) -> [&str; 3] {
    ["kafka", "properties", name]
}

/// Why a property may not be set, and what to do.
fn refusal(property: &str) -> Option<String> {
    if let Some((_, key)) = REPLACED.iter().find(|(name, _)| *name == property) {
        return Some(format!("set `{key}` instead"));
    }
    let (_, reason) = OWNED.iter().find(|(name, _)| *name == property)?;
    Some(format!("remove it: {reason}"))
}

/// Why librdkafka does not take a property, and what to do.
struct Refused {
    /// Whether there is such a property at all.
    known: bool,
    what: String,
    remedy: String,
}

impl Refused {
    fn new(what: &str, remedy: &str) -> Self {
        Self { known: true, what: what.to_owned(), remedy: remedy.to_owned() }
    }
}

/// Whether librdkafka takes the property; else what is wrong and what to do.
fn accepted(property: &str, value: &str) -> Result<(), Refused> {
    let Err(error) = ClientConfig::new().set(property, value).create_native_config() else { return Ok(()) };
    match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..) => {
            let remedy = guess(property, COMMON).map_or_else(
                || "see CONFIGURATION.md of librdkafka for the names".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            Err(Refused { known: false, what: "librdkafka has no such property".to_owned(), remedy })
        }
        // A secret's own text may stand in librdkafka's words.
        _ if is_secret(property) => Err(Refused::new("librdkafka does not take this value", "check the secret")),
        KafkaError::ClientConfig(_, why, ..) => {
            let what = format!("librdkafka does not take this value ({})", why.trim());
            Err(Refused::new(&what, "see its CONFIGURATION.md"))
        }
        other => Err(Refused::new(&other.to_string(), "see CONFIGURATION.md of librdkafka")),
    }
}

/// A secret from a file, without the line end that editors add.
pub(crate) fn read_secret(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("the file cannot be read ({error})"))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err("the file is empty".to_owned());
    }
    Ok(secret.to_owned())
}
