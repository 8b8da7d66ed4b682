//! Whether the daemon lives and whether it is ready, as its threads say themselves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::sabotage;

/// The threads whose heartbeats are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thread {
    /// Polls the consumer.
    Ingest,
    /// Decodes and scores; it moves while each of its workers does.
    Score,
    /// Asks the slow model, where one is configured.
    Second,
    /// Owns the windows.
    Fold,
    /// Saves checkpoints.
    Checkpoint,
    /// Sends dead letters.
    DeadLetters,
    /// Sends alert events.
    AlertEvents,
}

impl Thread {
    /// Every thread.
    pub const ALL: &'static [Self] =
        &[Self::Ingest, Self::Score, Self::Second, Self::Fold, Self::Checkpoint, Self::DeadLetters, Self::AlertEvents];

    /// The name used in logs and on `/healthz`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Score => "score",
            Self::Second => "second",
            Self::Fold => "fold",
            Self::Checkpoint => "checkpoint",
            Self::DeadLetters => "dead_letters",
            Self::AlertEvents => "alert_events",
        }
    }

    /// The place in [`Health::beats`].
    const fn place(self) -> usize {
        self as usize
    }
}

/// Stands for "not watched" among the heartbeats.
const NOT_WATCHED: u64 = u64::MAX;

/// Heartbeats of the threads, and the reasons why the daemon is not ready.
///
/// A heartbeat is one atomic store; the reasons are behind a lock that is taken only when one of them changes or is read.
#[derive(Debug)]
pub struct Health {
    started: Instant,
    /// Milliseconds since `started` of each thread's last heartbeat, in the order of [`Thread::ALL`].
    beats: [AtomicU64; Thread::ALL.len()],
    /// The same of each scoring worker; they count in place of [`Thread::Score`]'s own.
    workers: OnceLock<Vec<AtomicU64>>,
    not_ready: Mutex<BTreeMap<&'static str, String>>,
    notes: Mutex<BTreeMap<&'static str, String>>,
}

impl Health {
    /// The key of the reason that [`Self::new`] begins with.
    pub const STARTING: &'static str = "starting";

    /// No thread is watched yet; not ready, because of [`Self::STARTING`].
    #[must_use]
    pub fn new() -> Arc<Self> {
        let starting = (Self::STARTING, "the daemon is starting".to_owned());
        Arc::new(Self {
            started: Instant::now(),
            beats: [const { AtomicU64::new(NOT_WATCHED) }; Thread::ALL.len()],
            workers: OnceLock::new(),
            not_ready: Mutex::new(BTreeMap::from([starting])),
            notes: Mutex::default(),
        })
    }

    /// Watches a thread from now on: it counts as beating at this moment.
    pub fn expect(&self, thread: Thread) {
        self.beats[thread.place()].store(self.now(), Ordering::Relaxed);
    }

    /// Watches so many scoring workers from now on, each by itself: one that stands still shows, however busy the others are.
    /// Only the first call counts.
    pub fn expect_workers(&self, count: usize) {
        let now = self.now();
        self.workers.get_or_init(|| (0..count).map(|_| AtomicU64::new(now)).collect());
    }

    /// A thread says that it moves. Nothing happens where it is not watched.
    pub fn beat(&self, thread: Thread) {
        sabotage::stall(thread);
        self.store(&self.beats[thread.place()]);
    }

    /// The scoring worker of that number, from 0, says that it moves. Nothing happens where it is not watched.
    pub fn beat_worker(&self, number: usize) {
        if number == 0 {
            sabotage::stall(Thread::Score);
        }
        if let Some(beat) = self.worker(number) {
            self.store(beat);
        }
    }

    /// Watches a scoring worker no longer: it ended as it should.
    pub fn release_worker(&self, number: usize) {
        if let Some(beat) = self.worker(number) {
            beat.store(NOT_WATCHED, Ordering::Relaxed);
        }
    }

    fn worker(&self, number: usize) -> Option<&AtomicU64> {
        self.workers.get()?.get(number)
    }

    fn store(&self, beat: &AtomicU64) {
        // A thread that beats once more while its watch ends must not be watched again: then it would look stalled for good.
        if beat.load(Ordering::Relaxed) != NOT_WATCHED {
            beat.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Watches a thread no longer: it ended as it should.
    pub fn release(&self, thread: Thread) {
        self.beats[thread.place()].store(NOT_WATCHED, Ordering::Relaxed);
    }

    /// The watched threads whose last heartbeat is older than `max_age`, and how old it is.
    #[must_use]
    pub fn stalled(&self, max_age: Duration) -> Vec<(Thread, Duration)> {
        let now = self.now();
        let ages = Thread::ALL.iter().filter_map(|thread| {
            let beat = self.last_beat(*thread);
            (beat != NOT_WATCHED).then(|| (*thread, Duration::from_millis(now.saturating_sub(beat))))
        });
        ages.filter(|(_, age)| *age > max_age).collect()
    }

    /// The last heartbeat of a thread; of the scoring workers the oldest.
    fn last_beat(&self, thread: Thread) -> u64 {
        match self.workers.get().filter(|_| thread == Thread::Score) {
            Some(workers) => workers.iter().map(|beat| beat.load(Ordering::Relaxed)).min().unwrap_or(NOT_WATCHED),
            None => self.beats[thread.place()].load(Ordering::Relaxed),
        }
    }

    /// Adds a reason why the daemon is not ready, or says it anew.
    pub fn set_not_ready(&self, key: &'static str, message: String) {
        self.reasons().insert(key, message);
    }

    /// Takes a reason away; says whether it was there.
    pub fn set_ready(&self, key: &'static str) -> bool {
        self.reasons().remove(key).is_some()
    }

    /// Why the daemon is not ready, by key; empty when it is ready.
    #[must_use]
    pub fn not_ready(&self) -> Vec<(&'static str, String)> {
        self.reasons().iter().map(|(key, message)| (*key, message.clone())).collect()
    }

    /// Notes something that `/readyz` tells, and that does not make the daemon unready.
    pub fn note(&self, key: &'static str, message: String) {
        self.noted().insert(key, message);
    }

    /// Takes a note away; nothing happens where it is not there.
    pub fn take_note(&self, key: &'static str) {
        self.noted().remove(key);
    }

    /// The notes, by key.
    #[must_use]
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        self.noted().iter().map(|(key, message)| (*key, message.clone())).collect()
    }

    fn noted(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reasons(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.not_ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the start; never [`NOT_WATCHED`].
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NOT_WATCHED).min(NOT_WATCHED - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any age at all is too old, once the clock has moved.
    fn stalled_now(health: &Health) -> Vec<Thread> {
        let start = health.now();
        while health.now() == start {
            std::hint::spin_loop();
        }
        health.stalled(Duration::ZERO).into_iter().map(|(thread, _)| thread).collect()
    }

    #[test]
    fn a_thread_nobody_expects_is_not_stalled() {
        let health = Health::new();
        health.beat(Thread::Ingest);
        assert_eq!(stalled_now(&health), []);
    }

    #[test]
    fn a_thread_that_stops_beating_is_named_with_the_age_of_its_last_beat() {
        let health = Health::new();
        health.expect(Thread::Fold);
        health.expect(Thread::Score);
        assert_eq!(stalled_now(&health), [Thread::Score, Thread::Fold]);
        health.beat(Thread::Score);
        assert_eq!(health.stalled(Duration::from_secs(3_600)), []);
        let ages = health.stalled(Duration::ZERO);
        assert!(
            ages.iter().any(|(thread, age)| *thread == Thread::Fold && *age >= Duration::from_millis(1)),
            "{ages:?}"
        );
    }

    #[test]
    fn a_released_thread_stays_released_though_it_beats_once_more() {
        let health = Health::new();
        health.expect(Thread::Fold);
        health.release(Thread::Fold);
        health.beat(Thread::Fold);
        assert_eq!(stalled_now(&health), []);
    }

    #[test]
    fn a_scoring_worker_that_stands_still_shows_though_the_others_move() {
        let health = Health::new();
        health.expect_workers(2);
        let start = health.now();
        while health.now() < start + 2 {
            health.beat_worker(1);
        }
        let since_start = Duration::from_millis(1);
        assert_eq!(health.stalled(since_start).iter().map(|(thread, _)| *thread).collect::<Vec<_>>(), [Thread::Score]);
        health.beat_worker(0);
        assert_eq!(health.stalled(Duration::from_secs(3_600)), []);
        health.release_worker(0);
        health.release_worker(1);
        assert_eq!(stalled_now(&health), [], "what ended is not stalled");
    }

    #[test]
    fn the_daemon_is_ready_once_every_reason_is_gone() {
        let health = Health::new();
        health.set_not_ready("assignment", "no partitions yet".to_owned());
        health.set_not_ready("assignment", "no partitions after 3 s".to_owned());
        health.set_ready(Health::STARTING);
        assert_eq!(health.not_ready(), [("assignment", "no partitions after 3 s".to_owned())]);
        health.set_ready("assignment");
        health.set_ready("never said");
        assert_eq!(health.not_ready(), []);
    }
}
