//! What the suites on real parts share: a broker, a daemon, a foreign producer, and a stream of our own.
//!
//! Everything here fails at a limit, and at once when a process it waits on is gone: a wait that merely
//! runs out would look like a result.
#![allow(dead_code, reason = "each suite uses its own part of this module")]

pub(crate) mod broker;
pub(crate) mod daemon;
pub(crate) mod exposition;
pub(crate) mod kcat;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod shipped;
pub(crate) mod stream;

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

/// How often a probe is asked again.
const PROBE_EVERY: Duration = Duration::from_millis(50);

/// So many seconds.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A port of the loopback that nothing listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on the loopback");
    listener.local_addr().expect("the port's number").port()
}

/// Asks until the probe has an answer. `Err` from the probe fails at once, the limit fails with the last
/// thing seen.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Progress<T>) -> T {
    let started = Instant::now();
    loop {
        let seen = match probe() {
            Progress::Done(answer) => return answer,
            Progress::Broken(reason) => panic!("while waiting until {what}: {reason}"),
            Progress::NotYet(seen) => seen,
        };
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}; last seen: {seen}");
        thread::sleep(PROBE_EVERY);
    }
}

/// What a probe found.
pub(crate) enum Progress<T> {
    /// What was waited for.
    Done(T),
    /// Not there yet; what is there instead.
    NotYet(String),
    /// It can no longer come.
    Broken(String),
}
