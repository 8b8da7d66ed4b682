//! Breaks the daemon's promises on purpose, so that the storm can show that it sees them broken; or makes it crawl, or stand still.
//!
//! Test-only: without the feature `sabotage`, which no release has, every question here is answered `false` at compile time.
//! With it the daemon refuses to start unless `LATIDO_SABOTAGE` names what to break, and says so loudly.

#[cfg(feature = "sabotage")]
mod slow;

use crate::publish::Thread;
use crate::score::Scorer;

/// The variable of the environment that names what to break.
#[cfg(feature = "sabotage")]
const VARIABLE: &str = "LATIDO_SABOTAGE";

/// What can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// A checkpoint's offsets pass records that were read and are not in its panes yet. Each batch takes a while, so that there are
    /// some.
    CommitBeforeApply,
    /// A checkpoint's panes and offsets do not belong together. Of a directory the panes are restored, and reading goes on at
    /// the offsets that the group committed; into a topic panes are written without the offsets that go with them.
    CheckpointWithoutOffsets,
    /// A checkpoint passes unusable records though the broker has not confirmed their dead letters. These are sent late, so that
    /// there are some.
    DeadLetterNotAwaited,
    /// No promise: each scoring thread scores 100 texts a second.
    #[cfg(feature = "sabotage")]
    SlowScorer,
    /// No promise: that thread, or one of the scoring threads, stands still from its first heartbeat on.
    #[cfg(feature = "sabotage")]
    Stall(Thread),
}

/// Whether that is broken.
#[cfg(not(feature = "sabotage"))]
pub(crate) const fn is(_what: Sabotage) -> bool {
    false
}

/// Whether that is broken.
#[cfg(feature = "sabotage")]
pub(crate) fn is(what: Sabotage) -> bool {
    named() == Some(what)
}

/// What the environment names.
#[cfg(feature = "sabotage")]
fn named() -> Option<Sabotage> {
    static NAMED: std::sync::LazyLock<Option<Sabotage>> =
        std::sync::LazyLock::new(|| match std::env::var(VARIABLE).ok()?.as_str() {
            "commit-before-apply" => Some(Sabotage::CommitBeforeApply),
            "checkpoint-without-offsets" => Some(Sabotage::CheckpointWithoutOffsets),
            "dead-letter-not-awaited" => Some(Sabotage::DeadLetterNotAwaited),
            "slow-scorer" => Some(Sabotage::SlowScorer),
            other => stalled(other).map(Sabotage::Stall),
        });
    *NAMED
}

/// Lets a daemon start: an ordinary build always, a broken one only by the environment's word.
///
/// # Errors
/// If this build can break promises, and the environment does not say which.
pub(crate) fn permit() -> Result<(), &'static str> {
    #[cfg(feature = "sabotage")]
    match named() {
        Some(what) => {
            tracing::error!("SABOTAGE: this build breaks a promise on purpose: {what:?}. It is for tests only")
        }
        None => {
            return Err("this build was made with the test-only feature `sabotage` and must not be run: build latido \
                        without it, or name what to break in LATIDO_SABOTAGE");
        }
    }
    Ok(())
}

/// The thread that `stall-` and its name ask for.
#[cfg(feature = "sabotage")]
fn stalled(name: &str) -> Option<Thread> {
    let name = name.strip_prefix("stall-")?;
    Thread::ALL.iter().copied().find(|thread| thread.as_str() == name)
}

/// Nothing.
#[cfg(not(feature = "sabotage"))]
pub(crate) const fn stall(_thread: Thread) {}

/// Never comes back where that thread is to stand still.
#[cfg(feature = "sabotage")]
pub(crate) fn stall(thread: Thread) {
    while is(Sabotage::Stall(thread)) {
        std::thread::park();
    }
}

/// How long dead letters wait for company before they are sent: nothing is said of that.
#[cfg(not(feature = "sabotage"))]
pub(crate) const fn letters_linger_millis() -> Option<&'static str> {
    None
}

/// Where dead letters are not awaited they are on their way for a while, so that at any moment some are.
#[cfg(feature = "sabotage")]
pub(crate) fn letters_linger_millis() -> Option<&'static str> {
    is(Sabotage::DeadLetterNotAwaited).then_some("3000")
}

/// The scorer as it is.
#[cfg(not(feature = "sabotage"))]
pub(crate) fn scorer(scorer: Box<dyn Scorer>) -> Box<dyn Scorer> {
    scorer
}

/// The scorer, slow where that is asked for, or where what is in flight must not be gone in a moment.
#[cfg(feature = "sabotage")]
pub(crate) fn scorer(scorer: Box<dyn Scorer>) -> Box<dyn Scorer> {
    match named() {
        Some(Sabotage::SlowScorer) => Box::new(slow::Slow::crawling(scorer)),
        Some(Sabotage::CommitBeforeApply) => Box::new(slow::Slow::lingering(scorer)),
        _ => scorer,
    }
}
