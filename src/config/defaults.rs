//! Every default in one place; each is the value that `config/latido.toml` shows.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::{
    BreakerConfig, CheckpointConfig, CheckpointStore, DepartmentConfig, DetectConfig, HttpConfig, InputConfig,
    KafkaConfig, LogConfig, LogFormat, PipelineConfig, Span, StartPosition, WindowsConfig,
};

use crate::message::Signal;

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: vec!["localhost:9092".to_owned()],
            topics: vec!["customer-messages".to_owned()],
            group: "latido".to_owned(),
            group_instance_id: None,
            session_timeout: Span::from_secs(6),
            start: StartPosition::Earliest,
            dead_letter_topic: None,
            dead_letter_late: false,
            properties: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }
}

impl Default for InputConfig {
    fn default() -> Self {
        Self {
            text: "/text".to_owned(),
            department: "/department".to_owned(),
            timestamp: "/timestamp".to_owned(),
            id: "/id".to_owned(),
            customer_id: "/customer_id".to_owned(),
            conversation_id: "/conversation_id".to_owned(),
            author: "/author".to_owned(),
            audience: "/audience".to_owned(),
            channel: "/channel".to_owned(),
            touchpoint: "/touchpoint".to_owned(),
            language: "/language".to_owned(),
            max_text_bytes: 16 * 1024,
            future_skew: Span::from_secs(5 * 60),
        }
    }
}

impl Default for WindowsConfig {
    fn default() -> Self {
        Self {
            lengths: [5 * 60, 15 * 60, 3_600, 6 * 3_600, 24 * 3_600].map(Span::from_secs).to_vec(),
            lateness: Span::from_secs(30),
            alignment: Span::from_secs(3_600),
            idle_after: Span::from_secs(30),
        }
    }
}

impl Default for DetectConfig {
    fn default() -> Self {
        Self {
            false_alarms_per_month: 1.0,
            tickets_per_month: 0.0,
            ticket_kinds: Vec::new(),
            hold: Span::from_secs(15 * 60),
            learn_messages: 1_000,
            min_seen: 200,
            prior_negative_ratio: 0.3,
            prior_frustrated_ratio: 0.3,
            baselines: None,
            severe_signals: vec![Signal::HarmThreat, Signal::LegalThreat, Signal::Fraud],
            severe_open_per_day: Span::from_secs(24 * 3_600),
            company_team: String::new(),
        }
    }
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self {
            store: CheckpointStore::default(),
            directory: PathBuf::from("/var/lib/latido"),
            topic: "latido-checkpoints".to_owned(),
            interval: Span::from_secs(10),
        }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9_464)), metrics_listen: None, token_file: None }
    }
}

impl Default for PipelineConfig {
    fn default() -> Self {
        Self {
            score_threads: 0,
            batch_records: 512,
            batch_bytes: 256 * 1024,
            in_flight_bytes: 64 * 1024 * 1024,
            drain_timeout: Span::from_secs(5),
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { ratio: 0.5, records: 1_000, min_records: 200, retry_after: Span::from_secs(60) }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl DepartmentConfig {
    /// A department of that id and nothing else set.
    #[must_use]
    pub fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            aliases: Vec::new(),
            team: String::new(),
            time_zone: utc(),
            expected_negative_ratio: None,
            expected_frustrated_ratio: None,
            severe_signals: None,
        }
    }
}

/// The default time zone of a department.
pub(super) fn utc() -> String {
    "UTC".to_owned()
}
