//! One struct for each room, and how it is loaded, checked and shown.
//!
//! The doc comments of the fields are also the text of `docs/configuration.md`, so they are written for those who run the
//! daemon.

mod alerts;
mod defaults;
mod effective;
mod environment;
mod file;
mod kafka;
mod layers;
mod load;
mod mutes;
mod names;
mod problem;
mod properties;
mod roster;
mod schema;
mod scorer;
mod secret;
mod shape;
mod span;
mod start;
mod text;
mod validate;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

pub use effective::{effective, non_defaults};
pub use environment::{PREFIX, process_environment};
pub use kafka::client_config;
pub use load::{Loaded, Origins, load};
pub use mutes::{ClockTime, Day, EVERY_DEPARTMENT, Moment, MuteConfig};
pub use names::fold_name;
pub use problem::{ConfigError, Origin, Problem};
pub(crate) use properties::read_secret;
pub use roster::{OTHER, Roster};
pub use schema::{Field, Shape, fields};
pub use scorer::{CascadeConfig, PrecisionChoice, ScorerChoice, ScorerConfig, TransformerConfig};
pub use secret::{REDACTED, Secret, is_secret};
pub use span::Span;
pub use start::StartPosition;
pub(crate) use validate::{is_department_id, unkept_budget};

use crate::message::{Signal, SignalSet};
use defaults::utc;

/// A bearer token of fewer characters can be guessed.
pub const LEAST_TOKEN_CHARACTERS: usize = 16;

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where messages come from.
    pub kafka: KafkaConfig,
    /// How a record becomes a message: where in its JSON each part is, as a JSON pointer (RFC 6901), and limits.
    pub input: InputConfig,
    /// What scores a text.
    pub scorer: ScorerConfig,
    /// Which reasons are found in a text, and by which words.
    pub signals: SignalsConfig,
    /// What is kept of customers.
    pub privacy: PrivacyConfig,
    /// Panes, windows and stream time.
    pub windows: WindowsConfig,
    /// When a department's customers count as unhappy. Reloaded on SIGHUP.
    pub detect: DetectConfig,
    /// To whom alerts are told.
    pub alerts: AlertsConfig,
    /// Where state is kept.
    pub checkpoint: CheckpointConfig,
    /// Where metrics and the API are served.
    pub http: HttpConfig,
    /// Limits of what is in flight.
    pub pipeline: PipelineConfig,
    /// When reading stops because a topic is mostly garbage.
    pub breaker: BreakerConfig,
    /// Logging.
    pub log: LogConfig,
    /// The departments, at most 10,000. A department `other` always exists: messages of unknown departments go there. Reloaded on SIGHUP:
    /// what is known of a department goes by its `id`, and is gone where that is.
    pub departments: Vec<DepartmentConfig>,
    /// Alerts that page nobody, for a time or at times, at most 1,000 entries: planned work, known outages, departments that are closed.
    /// Reloaded on SIGHUP.
    pub mutes: Vec<MuteConfig>,
}

/// `[kafka]`: where messages come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaConfig {
    /// Brokers to start from, `host:port` each: a list, or one text with commas. The other brokers are found through them.
    #[serde(deserialize_with = "text::list")]
    pub brokers: Vec<String>,
    /// Topics to read, by name: a list, or one text with commas. A topic that does not exist yet is waited for.
    #[serde(deserialize_with = "text::list")]
    pub topics: Vec<String>,
    /// Consumer group: daemons of one group share the partitions among them.
    pub group: String,
    /// This daemon's own name in the group, by which a restarted daemon gets its partitions back without a rebalance. Must
    /// differ between daemons. Unset: a name is made once and kept in the checkpoint directory; where `checkpoint.store` is
    /// `kafka`, the daemon joins without one, and a restart is a rebalance.
    pub group_instance_id: Option<String>,
    /// How long the group waits for a daemon that died before its partitions go to others. Above `3s`, at most `30m`, and
    /// at most librdkafka's `max.poll.interval.ms` (5 minutes unless `properties` raise it).
    pub session_timeout: Span,
    /// Where reading starts when neither a checkpoint nor the group has an offset: `earliest`, `latest`, or a time (RFC 3339)
    /// such as `2026-01-31T00:00:00Z`.
    pub start: StartPosition,
    /// Topic for records that cannot be used; they go there as they are, with headers that say where they came from and
    /// why. Unset: such records are counted only. See [dead letters](dead-letters.md).
    pub dead_letter_topic: Option<String>,
    /// Whether customers' messages too old for any window go to that topic too, with the reason `late`. They count as late
    /// either way.
    pub dead_letter_late: bool,
    /// Any other property of librdkafka, by its own name, such as `security.protocol`. Numbers and flags may be written as
    /// such. With `_file` after its name a property's value is read from a file, so that no secret stands in the config:
    /// `sasl.password_file`, `ssl.key.password_file`. Properties that the daemon must set itself are refused.
    #[serde(deserialize_with = "text::map")]
    pub properties: BTreeMap<String, String>,
    /// The properties whose values are secrets, from `properties` and from files. Filled by [`load`].
    #[serde(skip)]
    pub secrets: BTreeMap<String, Secret>,
}

/// `[input]`: how a record's JSON becomes a message. Each path is a JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InputConfig {
    /// The text. A record without it cannot be used.
    pub text: String,
    /// The department's id or alias; case and accents do not matter. Unknown or absent: `other`.
    pub department: String,
    /// When it was written: RFC 3339, or seconds or milliseconds since 1970 as a number or as digits. Absent: the record's
    /// Kafka timestamp.
    pub timestamp: String,
    /// The message's id.
    pub id: String,
    /// Who the customer is.
    pub customer_id: String,
    /// Which conversation it belongs to.
    pub conversation_id: String,
    /// Who wrote: `customer` (default), `agent` or `bot`.
    pub author: String,
    /// Whose voice: `external` (default) or `internal`.
    pub audience: String,
    /// How it came: `chat`, `email`, ...
    pub channel: String,
    /// Where in the customer's journey it was written.
    pub touchpoint: String,
    /// Language of the text (`es`, `en`, ...). Absent: detected.
    pub language: String,
    /// Longer texts are cut to at most so many bytes, then scored, and counted. At least 1, at most 65536.
    pub max_text_bytes: usize,
    /// A timestamp further ahead than this of both the record's Kafka timestamp and the clock makes the record unusable
    /// (`future`). At most `24h`.
    pub future_skew: Span,
}

/// `[signals]`: which reasons are found in a text, and by which words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignalsConfig {
    /// Files of rules of your own, a list of paths: more phrases for the signals there are, or built-in rules switched off.
    /// A rule replaces an earlier one of the same name. See [signals](signals.md).
    pub files: Vec<PathBuf>,
}

/// `[privacy]`: what is kept of customers. An alert tells how many there are behind it; their ids are kept as keyed hashes, for 13 hours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacyConfig {
    /// File that holds a secret of at least 16 characters, the same in all daemons of a group: customers' ids are hashed with it. Unset: with
    /// `checkpoint.store = "directory"` a key is made at random and kept there, as `hash-key`; with `"kafka"` customers are not counted.
    pub key_file: Option<PathBuf>,
}

/// `[windows]`: panes, windows and stream time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WindowsConfig {
    /// Lengths of the windows: multiples of `10s`, up to `24h`, at most 32 of them.
    pub lengths: Vec<Span>,
    /// How long after its event time a message may come and still be in time for its window. Windows end this much later.
    /// At most `1h`.
    pub lateness: Span,
    /// A partition further ahead of the others than this (in event time) is paused until they have come up. At least `10s`.
    pub alignment: Span,
    /// A partition that is read to its end and quiet for this long no longer holds the windows open. Above `0s`.
    pub idle_after: Span,
}

/// `[detect]`: when a department's customers count as unhappy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DetectConfig {
    /// How many incidents a department may page for in 28 days though nothing is wrong, all kinds of alerts together; alerts that
    /// overlap are one incident. Smaller: fewer false alarms, and real ones are found later; `latido backtest` shows how much. From
    /// 0.05 to 30.
    pub false_alarms_per_month: f64,
    /// How many times in 28 days chance alone may bring about a ticket (`severity="ticket"`): an alert opens as one where it is not
    /// rare enough to page, and becomes a page once it is. 0: none. Else from `false_alarms_per_month` to 100.
    pub tickets_per_month: f64,
    /// Kinds of alerts that are tickets whatever they say: `negative_sentiment`, `frustration`, `volume_surge`, `silence`.
    pub ticket_kinds: Vec<String>,
    /// An alert closes once all has been as usual for this long (in event time). At most `24h`.
    pub hold: Span,
    /// Messages of a department after which it is known. Until then it is `learning`: what is not known yet makes alerts
    /// rarer. At least 1.
    pub learn_messages: u32,
    /// Messages that must have been seen of a department before it may alert at all. At least 1.
    pub min_seen: u32,
    /// Ratio of negative messages expected of a department that is not known yet, 0 to 1. Once other departments are known, theirs
    /// count as well.
    pub prior_negative_ratio: f64,
    /// Ratio of frustrated messages expected of a department that is not known yet, 0 to 1.
    pub prior_frustrated_ratio: f64,
    /// File of baselines, made by `latido backtest --learn`: departments of which the saved state knows nothing start with what was
    /// learned of them. Unset: they learn from what comes.
    pub baselines: Option<PathBuf>,
    /// Signals that make a message severe: a single one opens a ticket of its department, whatever else comes, and it closes once none
    /// has come for `detect.hold` (up to four times that where they come again and again). Any of the [signals](signals.md); none: no
    /// such tickets. It counts for messages that are read from then on.
    #[schemars(schema_with = "list_of_signals")]
    pub severe_signals: Vec<Signal>,
    /// For so long within a day (24 h from a ticket on, in event time) tickets of a department about severe messages may be open. For those
    /// with whom such messages are everyday business, such as a bank's fraud: with `4h` they get a ticket a day that closes after that
    /// time; what comes afterwards **waits**, and the next day's ticket tells of it and says how many there were. From `1h` to
    /// `24h`, which is no limit: then no message waits.
    pub severe_open_per_day: Span,
    /// The team that is paged when many departments turn unhappy at once (`company_wide`).
    pub company_team: String,
}

impl DetectConfig {
    /// The signals that make a message severe where a department has none of its own.
    #[must_use]
    pub fn severe(&self) -> SignalSet {
        self.severe_signals.iter().copied().collect()
    }

    /// The signals that make a message of that department severe.
    #[must_use]
    pub fn severe_of(&self, department: &DepartmentConfig) -> SignalSet {
        department.severe_signals.as_ref().map_or_else(|| self.severe(), |signals| signals.iter().copied().collect())
    }
}

/// The names that there are, for the docs and the remedies.
fn list_of_signals(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Signal::ALL.iter().map(|signal| signal.as_str()).collect();
    json_schema!({"type": "array", "items": {"enum": names}})
}

fn list_of_signals_or_none(generator: &mut SchemaGenerator) -> Schema {
    let mut list = list_of_signals(generator);
    list.insert("type".to_owned(), ["array", "null"].as_slice().into());
    list
}

/// `[alerts]`: to whom alerts are told, beside Prometheus.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsConfig {
    /// Topic that is told when an alert opens, escalates or closes, as CloudEvents; it is not made by the daemon. Unset: none is.
    /// See [alert events](alert-events.md).
    pub topic: Option<String>,
    /// The `source` of those events, a URI reference by which readers tell this daemon's group from others. Unset: `/latido/` and
    /// `kafka.group`.
    pub source: Option<String>,
}

/// Which store keeps the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckpointStore {
    /// A directory, for one daemon a group.
    #[default]
    Directory,
    /// A compacted topic: the state of a partition goes with it to whichever daemon of the group gets it.
    Kafka,
}

/// `[checkpoint]`: where state is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// `directory`, for one daemon a group; or `kafka`, for several daemons that share one.
    pub store: CheckpointStore,
    /// Directory for state and offsets where `store` is `directory`. Each daemon needs its own.
    pub directory: PathBuf,
    /// Compacted topic for the state where `store` is `kafka`. Made if it is not there; groups may share one.
    pub topic: String,
    /// How often state is saved; it also is at a shutdown. Above `0s`, at most `1h`.
    pub interval: Span,
}

/// `[http]`: where metrics and the API are served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port of metrics, health and API. Beyond loopback `token_file` is required. Port 0: any free one.
    #[schemars(with = "String", extend("format" = "address"))]
    pub listen: SocketAddr,
    /// A second address and port that serve only `/metrics`, `/healthz` and `/readyz`, without a token.
    #[schemars(with = "Option<String>", extend("format" = "address"))]
    pub metrics_listen: Option<SocketAddr>,
    /// File that holds the bearer token that guards `/api`: one word of at least 16 visible ASCII characters.
    pub token_file: Option<PathBuf>,
}

/// `[pipeline]`: limits of what is in flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineConfig {
    /// Threads that decode and score, at most 1024. 0: one for each core but one, and at least one.
    pub score_threads: usize,
    /// Most records in one batch. At least 1.
    pub batch_records: usize,
    /// Most bytes in one batch; a single larger record makes a batch of its own. At least 1.
    pub batch_bytes: usize,
    /// Budget of bytes for everything in flight; beyond it reading pauses. Three eighths are for what librdkafka has fetched, three for
    /// batches that are not yet in their windows, two for dead letters that are not confirmed. At least four times `batch_bytes`.
    pub in_flight_bytes: usize,
    /// How long a rebalance or a shutdown may wait for what is in flight. At most `5m`.
    pub drain_timeout: Span,
}

/// `[breaker]`: when reading stops because most of a topic cannot be used. The backlog then stays in the topic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// Most of a topic's latest records that may be unusable, as a part of them, 0 to 1; beyond it reading stops. 1: it never stops.
    pub ratio: f64,
    /// How many of a topic's latest records are looked at. At least `min_records`.
    pub records: u32,
    /// Fewer records than that stop nothing. At least 1.
    pub min_records: u32,
    /// How long reading stands still before the next records are tried. Above `0s`.
    pub retry_after: Span,
}

/// `[log]`: logging, to standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `text` for people, `json` for one object a line. The log is standard error. Not of it, and plain text in either format: the two or three
    /// lines of standard output that say where the daemon listens and what it reads, and the last words of one that fails (`error: ...`).
    pub format: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, `off`, or directives such as
    /// `info,librdkafka=warn`.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[[departments]]`: who owns a moment of truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepartmentConfig {
    /// Its name in labels, URLs and alerts: 1 to 64 of `a` to `z`, digits, `_` and `-`. Required.
    pub id: String,
    /// Other names under which records mention it; case and accents do not matter. Each name leads to one department only.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The team that is paged.
    #[serde(default)]
    pub team: String,
    /// Its time zone by IANA name, such as `America/Mexico_City`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Ratio of negative messages to expect, 0 to 1, in place of a learned one. An alert stays open for as long as it is missed.
    #[serde(default)]
    pub expected_negative_ratio: Option<f64>,
    /// Ratio of frustrated messages to expect, 0 to 1, in place of a learned one.
    #[serde(default)]
    pub expected_frustrated_ratio: Option<f64>,
    /// Signals that make a message of this department severe, in place of `detect.severe_signals`: a fraud desk would leave out `fraud`.
    /// None (`[]`): no such tickets. Unset: those.
    #[serde(default)]
    #[schemars(schema_with = "list_of_signals_or_none")]
    pub severe_signals: Option<Vec<Signal>>,
}
