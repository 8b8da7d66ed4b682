//! What the store's clients have in common.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;

use crate::config::{KafkaConfig, client_config};
use crate::ingest::QuietLog;

/// How long one question to the brokers may take; whoever asks is asked in between whether to go on.
pub(super) const STEP: Duration = Duration::from_secs(1);

/// Callbacks of the store's clients.
pub(super) struct StoreContext {
    log: QuietLog,
    undelivered: Mutex<Option<KafkaError>>,
}

impl StoreContext {
    pub(super) fn new() -> Self {
        Self { log: QuietLog::new("checkpoint"), undelivered: Mutex::default() }
    }

    /// Why a record was not delivered since the last call; none where all were.
    pub(super) fn take_undelivered(&self) -> Option<KafkaError> {
        self.undelivered.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientContext for StoreContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.librdkafka(level, facility, message);
    }

    fn error(&self, error: KafkaError, _reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
            // No trouble: it is how reading ends.
            return;
        }
        self.log.error(&error, "the checkpoint topic's client has trouble; trying on");
    }
}

impl ConsumerContext for StoreContext {}

impl ProducerContext for StoreContext {
    type DeliveryOpaque = ();

    /// What is not delivered fails its transaction, which says so, but not what it was.
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.undelivered.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
        }
    }
}

/// Settings of the clients that read the topic.
pub(super) fn reading(kafka: &KafkaConfig, isolation: &str) -> ClientConfig {
    let mut client = client_config(kafka);
    client
        // Not joined: librdkafka assigns nothing without a name.
        .set("group.id", &kafka.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.wait.max.ms", "50")
        // A copy near by may be behind, and state must not be.
        .set("client.rack", "")
        .set("isolation.level", isolation);
    client
}
