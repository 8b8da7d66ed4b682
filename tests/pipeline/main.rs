//! The whole pipeline over a Kafka inside the process: what is promised of records, restarts, trouble and time.
//!
//! Needs no service: librdkafka's mock cluster speaks the real protocol on the loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod alert_events;
mod backlog;
mod broker;
mod counting;
mod daemon;
mod details;
mod disk;
mod garbage;
#[path = "../support/logged.rs"]
mod logged;
mod other_config;
mod reloading;
mod restarts;
mod severe;
mod sharing;
#[cfg(feature = "transformer")]
mod slow;
mod stopping;
mod stream_time;
mod trouble;
