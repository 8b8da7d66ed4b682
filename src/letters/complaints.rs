//! What librdkafka complains about: its error codes alone do not say which address or certificate is wrong.

use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use rdkafka::types::RDKafkaErrorCode;

/// Keeps the last complaint, and why records were not taken.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    last: Mutex<Option<String>>,
    failures: Mutex<Vec<KafkaError>>,
}

impl Complaints {
    /// An error, as the last complaint explains it where the client is at a loss.
    pub(super) fn explain(&self, error: &KafkaError) -> String {
        let code = error.rdkafka_error_code();
        let last = code.is_none_or(is_local).then(|| self.last()).flatten();
        last.unwrap_or_else(|| code.map_or_else(|| error.to_string(), |code| code.to_string()))
    }

    /// The last complaint.
    pub(super) fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why records were not taken since the last call.
    pub(super) fn take_failures(&self) -> Vec<KafkaError> {
        std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a code is the client's own, such as a lost connection: librdkafka numbers those below zero.
pub(super) fn is_local(code: RDKafkaErrorCode) -> bool {
    (code as i32) < 0
}

impl ClientContext for Complaints {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // That all brokers are down says less than why the last one was.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            let plain = reason.split(" (after ").next().unwrap_or(reason);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(plain.to_owned());
        }
    }
}

impl ConsumerContext for Complaints {}

impl ProducerContext for Complaints {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(error.clone());
        }
    }
}
