//! `latido backtest` as it is used.
//!
//! Needs no service: topics are those of librdkafka's mock cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

#[path = "../pipeline/broker.rs"]
#[allow(dead_code, reason = "the pipeline's tests use the rest of it")]
mod broker;
mod counts;
mod desk;
mod learned;
mod messages;
mod told;
