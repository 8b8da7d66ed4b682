//! Alerts of a daemon in a process of its own, over a broker in this one: what its config and its operators make of them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

#[path = "../pipeline/broker.rs"]
#[allow(dead_code, reason = "the pipeline's tests use the rest of it")]
mod broker;
mod desk;
mod marks;
mod mutes;
mod reload;
#[path = "../support/mod.rs"]
mod support;
