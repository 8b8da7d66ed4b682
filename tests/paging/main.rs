//! The whole way from customers to whoever is woken: a broker in this process, the daemon in its own, a real Prometheus with the shipped
//! rules, a real Alertmanager with the shipped routes, and a webhook in the pager's place.
//!
//! `cargo xtask prometheus` runs these; it takes some five minutes.
//! Beside it, what the dashboards show meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod alertmanager;
#[path = "../pipeline/broker.rs"]
#[allow(dead_code, reason = "the pipeline's tests use the rest of it")]
mod broker;
mod customers;
mod one_page;
mod panels;
#[path = "../support/mod.rs"]
mod support;
mod webhook;
