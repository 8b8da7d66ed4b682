//! An event as a Kafka record, and the probe that no reader takes for an alert.

use jiff::Timestamp;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use serde_json::json;

use super::AlertEvent;

/// As the Kafka protocol binding of CloudEvents wants it in structured mode.
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=UTF-8";

impl AlertEvent {
    /// The record to be sent: all events of a department have one key, so that they keep their order.
    pub(crate) fn record<'a>(&'a self, topic: &'a str) -> BaseRecord<'a, str, str> {
        record(topic, &self.department, &self.envelope)
    }
}

fn record<'a>(topic: &'a str, key: &'a str, envelope: &'a str) -> BaseRecord<'a, str, str> {
    let headers = OwnedHeaders::new_with_capacity(1).insert(Header { key: "content-type", value: Some(CONTENT_TYPE) });
    BaseRecord::to(topic).key(key).payload(envelope).headers(headers)
}

/// What `latido check --live` writes to learn whether it may: an event of a type of its own, which readers leave aside.
#[derive(Debug)]
pub(crate) struct Probe {
    envelope: String,
}

impl Probe {
    /// One of that source, now.
    pub(crate) fn now(source: &str) -> Self {
        let now = Timestamp::now();
        let envelope = json!({
            "specversion": "1.0",
            "id": format!("check-{}", now.as_millisecond()),
            "source": source,
            "type": "io.latido.check.v1",
            "time": now.to_string(),
        });
        Self { envelope: envelope.to_string() }
    }

    /// The record to be sent.
    pub(crate) fn record<'a>(&'a self, topic: &'a str) -> BaseRecord<'a, str, str> {
        record(topic, "latido-check", &self.envelope)
    }
}
