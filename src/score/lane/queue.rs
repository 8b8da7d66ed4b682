//! What waits for a lane's workers.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Job, LaneOptions, SlowModel};

/// Jobs in the order they came. Workers take those of one model together, once they are enough or the first has waited for long enough.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    max_wait: Duration,
    max_batch_tokens: usize,
    max_waiting: usize,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<(Job, Instant)>,
    /// Of all of them.
    tokens: usize,
    /// The model of the job that came last.
    latest: Option<Arc<dyn SlowModel>>,
    is_closed: bool,
}

/// What a worker is to do.
#[derive(Debug)]
pub(super) enum Turn {
    /// Run these: at least one, all of one model.
    Run(Vec<Job>),
    /// Let the network go: jobs of another model come now.
    LetGo,
    /// End.
    End,
}

impl Queue {
    pub(super) fn new(options: LaneOptions) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            max_wait: options.max_wait,
            max_batch_tokens: options.max_batch_tokens.max(1),
            max_waiting: options.max_waiting,
        }
    }

    pub(super) fn offer(&self, job: Job) -> Result<(), Job> {
        let mut state = self.lock();
        if state.is_closed || state.jobs.len() >= self.max_waiting {
            return Err(job);
        }
        let is_same = state.latest.as_ref().is_some_and(|latest| Arc::ptr_eq(latest, &job.model));
        if !is_same {
            state.latest = Some(Arc::clone(&job.model));
        }
        state.tokens += job.tokens.ids().len();
        state.jobs.push_back((job, Instant::now()));
        drop(state);
        // Of another model all are to hear, for they may have to let theirs go.
        if is_same {
            self.changed.notify_one()
        } else {
            self.changed.notify_all()
        }
        Ok(())
    }

    /// How many jobs wait, and how many tokens they have.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.lock();
        (state.jobs.len(), state.tokens)
    }

    /// Takes no more jobs; what waits is still given out.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Waits until there is something to do for a worker that has a network of that model.
    pub(super) fn next(&self, own: Option<&Arc<dyn SlowModel>>) -> Turn {
        let mut state = self.lock();
        loop {
            if let Some((_, came)) = state.jobs.front() {
                let left = self.max_wait.saturating_sub(came.elapsed());
                if left.is_zero() || state.is_closed || self.is_enough(&state) {
                    let jobs = self.take(&mut state);
                    if !state.jobs.is_empty() {
                        self.changed.notify_one();
                    }
                    return Turn::Run(jobs);
                }
                state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            if state.is_closed {
                return Turn::End;
            }
            let is_old = |own| state.latest.as_ref().is_some_and(|latest| !Arc::ptr_eq(latest, own));
            if own.is_some_and(is_old) {
                return Turn::LetGo;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether nothing is gained by waiting: the first ones make a batch, or what follows them is of another model.
    fn is_enough(&self, state: &State) -> bool {
        let (together, tokens) = self.together(state);
        together < state.jobs.len() || tokens >= self.max_batch_tokens
    }

    /// How many of the first jobs make a batch, or are all that there are of their model; and their tokens.
    fn together(&self, state: &State) -> (usize, usize) {
        let Some((first, _)) = state.jobs.front() else { return (0, 0) };
        let (mut jobs, mut tokens) = (0, 0);
        for (job, _) in &state.jobs {
            if tokens >= self.max_batch_tokens || !Arc::ptr_eq(&job.model, &first.model) {
                break;
            }
            jobs += 1;
            tokens += cost(job);
        }
        (jobs, tokens)
    }

    fn take(&self, state: &mut State) -> Vec<Job> {
        let (together, _) = self.together(state);
        let jobs: Vec<Job> = state.jobs.drain(..together).map(|(job, _)| job).collect();
        state.tokens -= jobs.iter().map(|job| job.tokens.ids().len()).sum::<usize>();
        jobs
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a job takes of a batch's tokens: one that nobody waits for is not run, but is answered.
fn cost(job: &Job) -> usize {
    if job.alive.is_alive() { job.tokens.ids().len().max(1) } else { 1 }
}
