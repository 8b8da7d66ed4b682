//! A broker with letters, and the program that looks at them.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use latido::config::{Config, KafkaConfig, client_config};
use latido::ingest::{DeadLetter, DeadLetters, Patience};
use latido::message::{EventTime, Offset, PartitionId, RejectReason};
use latido::publish::Health;
use tempfile::TempDir;

use crate::broker::Broker;

pub(crate) const CHATS: &str = "chats";
pub(crate) const LETTERS: &str = "letters";
/// 2026-01-31T10:00:00Z, in milliseconds.
pub(crate) const TEN: i64 = 1_769_853_600_000;
const HOUR: i64 = 3_600_000;

/// A broker with a dead-letter topic, a topic of four partitions, and a config for them.
pub(crate) struct Desk {
    pub(crate) broker: Broker,
    directory: TempDir,
}

impl Desk {
    pub(crate) fn open() -> Self {
        Self::with_partitions(1)
    }

    /// With so many partitions of the dead-letter topic.
    pub(crate) fn with_partitions(partitions: i32) -> Self {
        let broker = Broker::start(&[(CHATS, 4), ("mails", 1), (LETTERS, partitions)]);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = format!(
            "[kafka]\nbrokers = \"{}\"\ntopics = [\"{CHATS}\", \"mails\"]\ndead_letter_topic = \"{LETTERS}\"\n\n\
             [[departments]]\nid = \"billing\"\naliases = [\"Facturación\"]\n",
            broker.servers
        );
        fs::write(directory.path().join("latido.toml"), config).expect("the config is written");
        Self { broker, directory }
    }

    pub(crate) fn kafka(&self) -> KafkaConfig {
        let brokers = vec![self.broker.servers.clone()];
        KafkaConfig { brokers, dead_letter_topic: Some(LETTERS.to_owned()), ..Config::default().kafka }
    }

    /// Writes letters as the daemon does, and returns once the broker has confirmed them.
    pub(crate) fn write(&self, letters: Vec<DeadLetter>) {
        let patience = Patience::new(Arc::new(AtomicBool::new(false)), Duration::ZERO);
        let client = client_config(&self.kafka());
        let (mut writer, thread) =
            DeadLetters::start(client, LETTERS, 1 << 20, Health::new(), patience).expect("a writer");
        for letter in letters {
            assert!(writer.send(letter, || true), "there is room");
        }
        // The thread ends when nobody writes any more and all is confirmed.
        drop(writer);
        thread.join().expect("the writer ends well");
    }

    /// Runs `latido dead-letters` to its end, with nobody at the terminal.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let config = self.directory.path().join("latido.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
        command.env_clear().arg("dead-letters").args(arguments).arg("--config").arg(config);
        command.stdin(Stdio::null()).output().expect("the program runs")
    }

    /// The same, and it must go well; what it prints.
    pub(crate) fn say(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        text(&output.stdout).to_owned()
    }
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// A letter from that offset of the first partition of `chats`, received so many hours after ten.
pub(crate) fn letter(offset: i64, reason: RejectReason, hours: i64, value: &str) -> DeadLetter {
    DeadLetter {
        partition: PartitionId::new(CHATS, 0),
        offset: Offset(offset),
        key: Some(format!("customer-{offset}").into_bytes()),
        value: Some(value.as_bytes().to_vec()),
        headers: vec![("origin".to_owned(), Some(b"form".to_vec()))],
        reason: latido::message::LetterReason::Rejected(reason),
        error: format!("wrong at line {offset}"),
        received_at: EventTime::from_millis(TEN + hours * HOUR),
    }
}

/// Four letters of three reasons, an hour apart; the second and the third say that they are billing's.
pub(crate) fn four() -> Vec<DeadLetter> {
    vec![
        letter(10, RejectReason::NotJson, 0, "Llevo una hora esperando"),
        letter(11, RejectReason::MissingText, 1, r#"{"department":"FACTURACION","body":"un secreto"}"#),
        letter(12, RejectReason::BadTimestamp, 2, r#"{"department":"billing","text":"hola","timestamp":"ayer"}"#),
        letter(13, RejectReason::NotJson, 3, "{"),
    ]
}
