//! The daemon on disks that are full, read-only or closed to it: real file systems, mounted by the tests themselves.
//!
//! Mounting needs root, or a user namespace: `cargo xtask disk` gives the tests a mount namespace of their own, so that nothing
//! is left behind. Without it they are ignored.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

#[path = "../pipeline/broker.rs"]
#[allow(dead_code, reason = "the other suite uses all of it")]
mod broker;
#[path = "../support/mod.rs"]
mod support;

mod disk;
mod faults;
mod starts;
