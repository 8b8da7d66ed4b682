//! `/healthz` follows each thread: one that stands still makes it fail, however lively the others are.
//!
//! `cargo xtask bounds` runs it: a daemon whose threads stand still is built with the feature `sabotage`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod support;

use std::process::Command;

use support::daemon::{Daemon, Home};
use support::{free_port, seconds};

const THREADS: [&str; 5] = ["ingest", "score", "fold", "checkpoint", "dead_letters"];

/// Starts a daemon without a broker, which no thread needs to live.
fn start(sabotage: &str) -> (Home, Daemon) {
    let home = Home::new(&format!("127.0.0.1:{}", free_port()), &["messages"], "stalled")
        .set("kafka.dead_letter_topic", "letters")
        .set("pipeline.score_threads", 2);
    let mut run: Command = home.command(&["run"], &[]);
    let daemon = Daemon::start(run.env("LATIDO_SABOTAGE", sabotage));
    (home, daemon)
}

#[test]
fn a_thread_that_stands_still_is_named_by_healthz_and_no_other_is() {
    let (_home, mut lively) = start("slow-scorer");
    let mut stalled = THREADS.map(|thread| (thread, start(&format!("stall-{thread}"))));
    for (thread, (_, daemon)) in &mut stalled {
        let body = daemon.wait_until(&format!("/healthz fails for {thread}"), seconds(90), |daemon| {
            match daemon.get("/healthz")? {
                (503, body) => Ok(body),
                (status, body) => Err(format!("{status} {body}")),
            }
        });
        let lines: Vec<&str> = body.lines().collect();
        assert_eq!(lines.len(), 1, "{thread} alone stands still: {body}");
        assert!(lines[0].starts_with(&format!("stalled: {thread} has not moved for ")), "{body}");
    }
    let lives = lively.wait_until("the one whose threads move is well", seconds(10), |daemon| daemon.get("/healthz"));
    assert_eq!(lives.0, 200, "{}", lives.1);
}
