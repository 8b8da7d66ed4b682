//! `latido dead-letters` over a Kafka inside the process, with letters written by what writes them in the daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

#[path = "../pipeline/broker.rs"]
#[allow(dead_code, reason = "the pipeline's tests use the rest of it")]
mod broker;
mod desk;
mod listing;
mod reading;
mod replaying;
mod showing;
