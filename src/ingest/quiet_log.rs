//! Client logs, at most one line a minute of each kind: a broker that is away is said, not shouted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

const QUIET_FOR: Duration = Duration::from_secs(60);
/// The kind of all trouble with connections.
const CONNECTION: &str = "connection";

/// Rate-limits the log lines of one client.
#[derive(Debug)]
pub(crate) struct QuietLog {
    client: &'static str,
    last: Mutex<HashMap<String, (Instant, u64)>>,
    /// What a connection last suffered, with its address.
    trouble: Mutex<Option<String>>,
}

impl QuietLog {
    /// For a client of that name.
    pub(crate) fn new(client: &'static str) -> Self {
        Self { client, last: Mutex::default(), trouble: Mutex::default() }
    }

    /// A line of librdkafka's own. Whatever its trouble with connections, the kind is one.
    pub(crate) fn librdkafka(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let client = self.client;
        // What connections suffer comes again as an error, which says it in our words.
        let is_connection = matches!(facility, "FAIL" | "ERROR" | "CONNECT");
        if facility == "FAIL" {
            // Behind the name of librdkafka's thread.
            let told = message.split_once("]: ").map_or(message, |(_, told)| told);
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(told.to_owned());
        }
        if is_connection || matches!(level, RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug | RDKafkaLogLevel::Notice) {
            tracing::debug!(client, facility, "{message}");
            return;
        }
        if let Some(suppressed) = self.may_say(facility) {
            tracing::warn!(client, facility, suppressed, "{message}");
        }
    }

    /// An error of the client.
    pub(crate) fn error(&self, error: &KafkaError, what: &str) {
        let client = self.client;
        let kind = match error.rdkafka_error_code() {
            Some(code) if is_connection_trouble(code) => CONNECTION.to_owned(),
            Some(code) => format!("{code:?}"),
            None => "other".to_owned(),
        };
        if let Some(suppressed) = self.may_say(&kind) {
            let cause = self.connection_trouble().filter(|_| kind == CONNECTION);
            tracing::warn!(client, %error, cause, suppressed, "{what}");
        }
    }

    /// What a connection last suffered, with its address; none if nothing.
    pub(crate) fn connection_trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a line of this kind may be said now, and how many were not since the last.
    fn may_say(&self, kind: &str) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match last.get_mut(kind) {
            Some((at, suppressed)) if now.duration_since(*at) < QUIET_FOR => {
                *suppressed += 1;
                None
            }
            Some(entry) => {
                let suppressed = entry.1;
                *entry = (now, 0);
                Some(suppressed)
            }
            None => {
                last.insert(kind.to_owned(), (now, 0));
                Some(0)
            }
        }
    }
}

/// Trouble that passes by itself once a broker is back.
pub(crate) fn is_connection_trouble(code: rdkafka::error::RDKafkaErrorCode) -> bool {
    use rdkafka::error::RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure | Code::AllBrokersDown | Code::Resolve | Code::OperationTimedOut | Code::NoError
    )
}
