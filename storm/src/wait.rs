//! Waiting on a condition, with a limit.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a probe is asked again.
const PROBE_EVERY: Duration = Duration::from_millis(100);

/// So many seconds.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// What a probe found.
pub(crate) enum Progress<T> {
    /// What was waited for.
    Done(T),
    /// Not there yet; what is there instead.
    NotYet(String),
}

/// Asks until the probe has an answer.
///
/// # Errors
/// At once where the probe fails, and at the limit, with the last thing seen.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<Progress<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        let seen = match probe()? {
            Progress::Done(answer) => return Ok(answer),
            Progress::NotYet(seen) => seen,
        };
        if started.elapsed() >= limit {
            bail!("{what}: not within {} s; last seen: {seen}", limit.as_secs());
        }
        thread::sleep(PROBE_EVERY);
    }
}
