//! Models too slow for every text: what they are, and the threads that run them.
//!
//! A [`Lane`] takes [`Job`]s, texts as tokens, and never makes anybody wait: it refuses what is too much. Its workers gather jobs by a
//! budget of tokens and a longest wait, run texts of like length together, and answer each job once, whatever a network does: one that
//! panics or fails over a text is run again on halves of its batch until that text is alone. What is done with an answer that
//! comes late, or not at all, is for the owner to decide: the fast model's score is there already.

mod cache;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod kit;
mod model;
mod pace;
mod plan;
mod queue;
mod worker;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::Sender;

pub use cache::AnswerCache;
pub use model::{Logits, Network, NetworkError, SlowModel, Tokens};
pub use pace::Pace;
pub use plan::runs_of;

use crate::message::closed_set;
use queue::Queue;
use worker::Worker;

/// Which text of whose batch: chosen by the owner, and given back with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The batch.
    pub batch: u64,
    /// The text's place in it.
    pub place: u32,
}

/// Whether anybody still waits for the jobs of a batch. Clones are one flag.
#[derive(Clone, Debug)]
pub struct Alive(Arc<AtomicBool>);

impl Alive {
    /// Somebody waits.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a flag is made for a batch, never filled in")]
    pub fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// Whether somebody waits.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Nobody waits any more: what has not been run is not run.
    pub fn end(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// A text to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// Given back with the answer.
    pub ticket: Ticket,
    /// By which model.
    pub model: Arc<dyn SlowModel>,
    /// The text, as that model cut it.
    pub tokens: Tokens,
    /// Whether somebody still waits for it.
    pub alive: Alive,
}

closed_set! {
    /// Why a text has no answer.
    Failure {
        /// The network panicked over this text alone.
        Panicked => "panicked",
        /// The network failed over this text alone, or could not be built.
        Failed => "failed",
        /// Nobody waited for it any more when its turn came.
        NobodyWaits => "nobody_waits",
    }
}

/// What became of a job.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The job's.
    pub ticket: Ticket,
    /// The job's.
    pub model: Arc<dyn SlowModel>,
    /// The job's.
    pub tokens: Tokens,
    /// What the network said of it.
    pub result: Result<Logits, Failure>,
}

/// What came of texts that were run together.
#[derive(Clone, Debug)]
pub struct Run {
    /// One for each job.
    pub answers: Vec<Answer>,
    /// How many tokens were run: the longest text's, times the texts. 0 where nobody waited.
    pub tokens: usize,
    /// How many different texts were run.
    pub texts: usize,
    /// How long that took.
    pub took: Duration,
}

/// How a lane works.
#[derive(Clone, Copy, Debug)]
pub struct LaneOptions {
    /// Threads, each with a network of its own; at least one is started.
    pub workers: usize,
    /// How long a text may wait for others to be run with.
    pub max_wait: Duration,
    /// How many tokens make a batch: no more are run together, unless one text alone has more.
    pub max_batch_tokens: usize,
    /// How many jobs may wait.
    pub max_waiting: usize,
}

/// The owner's end. Once it is dropped, what waits is answered and the threads end.
#[derive(Debug)]
pub struct Lane {
    queue: Arc<Queue>,
}

impl Lane {
    /// Starts the workers, `latido-slow-N`. What they have done is sent to `runs`.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(options: LaneOptions, runs: Sender<Run>) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let lane = Self { queue: Arc::new(Queue::new(options)) };
        let start = |number: usize| {
            let (queue, runs) = (Arc::clone(&lane.queue), runs.clone());
            // A network stays on its thread, so the worker begins there.
            let work = move || Worker::new(queue, runs, options.max_batch_tokens).run();
            thread::Builder::new().name(format!("latido-slow-{number}")).spawn(work)
        };
        let threads = (0..options.workers.max(1)).map(start).collect::<io::Result<_>>()?;
        Ok((lane, threads))
    }

    /// Takes a job, and never waits.
    ///
    /// # Errors
    /// The job, if as many wait as may, or no worker is left.
    pub fn offer(&self, job: Job) -> Result<(), Job> {
        self.queue.offer(job)
    }

    /// How many jobs wait; those being run do not.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting().0
    }

    /// How many tokens the waiting jobs have.
    #[must_use]
    pub fn tokens_waiting(&self) -> usize {
        self.queue.waiting().1
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.queue.close();
    }
}
