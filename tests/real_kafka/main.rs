//! The daemon against a real Apache Kafka, fed by kcat.
//!
//! `cargo xtask kafka` fetches the broker and runs these; without it they are ignored.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

#[path = "../support/mod.rs"]
mod support;

mod alert_events;
mod exactness;
mod ground;
mod growth;
mod letters;
mod rejects;
mod replayed_day;
mod replays;
mod restarts;
mod shared_group;
mod trouble;
mod week;
