//! What the daemon shows to the world: metrics, HTTP, and the files that go with them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod board;
mod exposition;
mod fixture;
mod http;
mod prometheus;
mod rule_cases;
mod runbooks;
mod serving;
mod shipped_files;
#[path = "../support/mod.rs"]
mod support;
