//! One struct for each room. The doc comments below are also the text of `docs/configuration.md`.

mod defaults;
mod effective;
mod environment;
mod file;
mod kafka;
mod layers;
mod load;
mod names;
mod problem;
mod properties;
mod roster;
mod schema;
mod secret;
mod shape;
mod span;
mod start;
mod text;
mod validate;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use effective::{effective, non_defaults};
pub use environment::{PREFIX, process_environment};
pub use kafka::client_config;
pub use load::{Loaded, Origins, load};
pub use names::fold_name;
pub use problem::{ConfigError, Origin, Problem};
pub use roster::{OTHER, Roster};
pub use schema::{Field, Shape, fields};
pub use secret::{REDACTED, Secret, is_secret};
pub use span::Span;
pub use start::StartPosition;

use defaults::utc;

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where messages come from.
    pub kafka: KafkaConfig,
    /// How a record becomes a message.
    pub input: InputConfig,
    /// What scores a text.
    pub scorer: ScorerConfig,
    /// Panes, windows and stream time.
    pub windows: WindowsConfig,
    /// When a department's customers count as unhappy.
    pub detect: DetectConfig,
    /// Where state is kept.
    pub checkpoint: CheckpointConfig,
    /// Where metrics and the API are served.
    pub http: HttpConfig,
    /// Limits of what is in flight.
    pub pipeline: PipelineConfig,
    /// Logging.
    pub log: LogConfig,
    /// The departments. A department `other` always exists: messages of unknown departments go there.
    pub departments: Vec<DepartmentConfig>,
}

/// `[kafka]`: where messages come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaConfig {
    /// Bootstrap brokers, `host:port` each: a list, or one string with commas.
    #[serde(deserialize_with = "text::list")]
    pub brokers: Vec<String>,
    /// Topics to read: a list, or one name.
    #[serde(deserialize_with = "text::list")]
    pub topics: Vec<String>,
    /// Consumer group.
    pub group: String,
    /// Static member name, so that a restarted daemon gets its partitions back without a rebalance.
    /// Unset: a name is made once and kept in the checkpoint directory.
    pub group_instance_id: Option<String>,
    /// How long the group waits for a daemon that died before its partitions go to others.
    pub session_timeout: Span,
    /// Where reading starts when neither a checkpoint nor the group has an offset: `earliest`, `latest` or an RFC 3339 time.
    pub start: StartPosition,
    /// Topic for records that cannot be used. Unset: they are counted and logged only.
    pub dead_letter_topic: Option<String>,
    /// Any other librdkafka property, passed through as it is. `sasl.password_file` and
    /// `ssl.key.password_file` read the value from a file.
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
    /// The text. Required in each record.
    pub text: String,
    /// The department's id or alias.
    pub department: String,
    /// When it was written: RFC 3339, or seconds or milliseconds since the epoch. Absent: the record's Kafka timestamp.
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
    /// Longer texts are cut to this many bytes (on a character boundary), scored and counted.
    pub max_text_bytes: usize,
    /// A timestamp further ahead of both the record's Kafka timestamp and the clock than this is rejected as `future`.
    pub future_skew: Span,
}

/// `[scorer]`: what scores a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScorerConfig {
    /// `embedded`: the linear model inside the binary.
    pub kind: ScorerChoice,
    /// Model file to use in place of the built-in one.
    pub model: Option<PathBuf>,
}

/// Which scorer runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScorerChoice {
    /// The linear model inside the binary.
    #[default]
    Embedded,
}

/// `[windows]`: panes, windows and stream time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WindowsConfig {
    /// Lengths of the windows, each a whole number of 10 s panes, at most 24h.
    pub lengths: Vec<Span>,
    /// How long after its event time a message may come and still be in time for its window.
    pub lateness: Span,
    /// A partition further ahead of stream time than this is paused until the others have come up.
    pub alignment: Span,
    /// A partition read to its end and quiet for this long no longer holds stream time.
    pub idle_after: Span,
}

/// `[detect]`: when a department's customers count as unhappy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DetectConfig {
    /// Length of the window that is tested; one of `windows.lengths`.
    pub window: Span,
    /// A window with fewer messages is not tested.
    pub min_messages: u32,
    /// An alert opens when so many negative (or frustrated) messages have at most this probability under the expected ratio.
    pub enter_p_value: f64,
    /// An alert may close when the probability is back above this.
    pub exit_p_value: f64,
    /// An alert closes after the probability has stayed above `exit_p_value` for this long (event time).
    pub hold: Span,
    /// Messages of a department after which its own average alone is the expected ratio. Until then the department is
    /// `learning`: the expected ratio is pulled towards `prior_*_ratio` and its uncertainty widens the threshold.
    pub learn_messages: u32,
    /// Messages a department must have been seen with before it may alert at all.
    pub min_seen: u32,
    /// Negative ratio expected of a department that is not known yet, 0 to 1.
    pub prior_negative_ratio: f64,
    /// Frustrated ratio expected of a department that is not known yet, 0 to 1.
    pub prior_frustrated_ratio: f64,
    /// How slowly the learned ratio forgets: messages weigh half after this time (event time).
    pub half_life: Span,
}

/// `[checkpoint]`: where state is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Directory for state and offsets. One daemon a directory.
    pub directory: PathBuf,
    /// How often state is saved; also at drain.
    pub interval: Span,
}

/// `[http]`: where metrics and the API are served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address of metrics, health and API. Beyond loopback a token is required.
    #[schemars(with = "String", extend("format" = "address"))]
    pub listen: SocketAddr,
    /// A second address that serves only `/metrics`, `/healthz` and `/readyz`, without a token.
    #[schemars(with = "Option<String>", extend("format" = "address"))]
    pub metrics_listen: Option<SocketAddr>,
    /// File with the bearer token that guards `/api`.
    pub token_file: Option<PathBuf>,
    /// The token. Filled by [`load`].
    #[serde(skip)]
    pub token: Option<Secret>,
}

/// `[pipeline]`: limits of what is in flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineConfig {
    /// Threads that decode and score. 0: one for each core but one, at least one.
    pub score_threads: usize,
    /// Most records in one batch.
    pub batch_records: usize,
    /// Most bytes in one batch (a single larger record makes a batch of its own).
    pub batch_bytes: usize,
    /// Most bytes of records read but not yet folded; beyond it partitions are paused.
    pub in_flight_bytes: usize,
    /// How long a rebalance or a shutdown may wait for what is in flight.
    pub drain_timeout: Span,
}

/// `[log]`: logging, to standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `text` or `json`.
    pub format: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,rdkafka=warn`.
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
    /// Its name in labels, URLs and alerts: lower-case letters, digits, `_` and `-`.
    pub id: String,
    /// Other names under which records mention it; case and accents do not matter.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The team that is paged.
    #[serde(default)]
    pub team: String,
    /// IANA time zone, such as `America/Mexico_City`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Negative ratio to expect, 0 to 1, in place of a learned one.
    #[serde(default)]
    pub expected_negative_ratio: Option<f64>,
    /// Frustrated ratio to expect, 0 to 1, in place of a learned one.
    #[serde(default)]
    pub expected_frustrated_ratio: Option<f64>,
}
