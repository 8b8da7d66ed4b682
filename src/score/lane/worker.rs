//! One thread of a lane.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::plan::runs_of;
use super::queue::{Queue, Turn};
use super::{Answer, Failure, Job, Logits, Network, Run, SlowModel, Ticket, Tokens};

/// How often a worker warns at most.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Owns a network, and runs what it takes from the queue.
pub(super) struct Worker {
    queue: Arc<Queue>,
    runs: Sender<Run>,
    max_batch_tokens: usize,
    network: Option<Owned>,
    faults: Faults,
}

/// A network, and whose it is.
struct Owned {
    model: Arc<dyn SlowModel>,
    network: Box<dyn Network>,
}

/// Jobs with the same text.
struct Group {
    jobs: Vec<Job>,
    result: Option<Result<Logits, Failure>>,
}

impl Group {
    fn tokens(&self) -> &Tokens {
        &self.jobs[0].tokens
    }

    fn is_alive(&self) -> bool {
        self.jobs.iter().any(|job| job.alive.is_alive())
    }

    fn into_answers(self) -> impl Iterator<Item = Answer> {
        let result = self.result.unwrap_or(Err(Failure::Failed));
        self.jobs.into_iter().map(move |job| Answer {
            ticket: job.ticket,
            model: job.model,
            tokens: job.tokens,
            result: result.clone(),
        })
    }
}

impl Worker {
    pub(super) fn new(queue: Arc<Queue>, runs: Sender<Run>, max_batch_tokens: usize) -> Self {
        Self { queue, runs, max_batch_tokens, network: None, faults: Faults::default() }
    }

    /// Works until the lane is dropped and empty, or nobody takes what was done.
    pub(super) fn run(mut self) {
        loop {
            match self.queue.next(self.network.as_ref().map(|owned| &owned.model)) {
                Turn::Run(jobs) => {
                    if !self.run_batch(jobs) {
                        return self.queue.close();
                    }
                }
                Turn::LetGo => self.network = None,
                Turn::End => return,
            }
        }
    }

    /// Answers all jobs of a batch; false where nobody listens.
    fn run_batch(&mut self, jobs: Vec<Job>) -> bool {
        let (mut groups, unwanted) = groups_of(jobs);
        if !unwanted.is_empty() && !self.send(unwanted, 0, 0, Duration::ZERO) {
            return false;
        }
        groups.sort_by_key(|group| group.tokens().ids().len());
        let lengths: Vec<usize> = groups.iter().map(|group| group.tokens().ids().len()).collect();
        let mut groups = groups.into_iter();
        runs_of(&lengths, self.max_batch_tokens).into_iter().all(|range| {
            let together: Vec<Group> = groups.by_ref().take(range.len()).collect();
            self.run_together(together)
        })
    }

    /// Runs texts together, as far as somebody still waits for them.
    fn run_together(&mut self, groups: Vec<Group>) -> bool {
        let begun = Instant::now();
        let (mut wanted, mut unwanted): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(Group::is_alive);
        unwanted.iter_mut().for_each(|group| group.result = Some(Err(Failure::NobodyWaits)));
        if !unwanted.is_empty() && !self.send(unwanted, 0, 0, Duration::ZERO) {
            return false;
        }
        if wanted.is_empty() {
            return true;
        }
        self.answer(&mut wanted);
        let longest = wanted.iter().map(|group| group.tokens().ids().len()).max().unwrap_or(0);
        let texts = wanted.len();
        self.send(wanted, longest * texts, texts, begun.elapsed())
    }

    /// Runs these, and where that goes wrong each half of them.
    fn answer(&mut self, groups: &mut [Group]) {
        if !groups.iter().any(Group::is_alive) {
            groups.iter_mut().for_each(|group| group.result = Some(Err(Failure::NobodyWaits)));
            return;
        }
        let failure = match self.try_run(groups) {
            Ok(answers) => {
                for (group, logits) in groups.iter_mut().zip(answers) {
                    let is_number = logits.iter().all(|logit| logit.is_finite());
                    group.result = Some(if is_number { Ok(logits) } else { Err(Failure::Failed) });
                }
                return;
            }
            Err(failure) => failure,
        };
        if groups.len() == 1 || self.network_cannot_be_built(&failure) {
            groups.iter_mut().for_each(|group| group.result = Some(Err(failure.kind)));
            return;
        }
        let (left, right) = groups.split_at_mut(groups.len() / 2);
        self.answer(left);
        self.answer(right);
    }

    fn network_cannot_be_built(&self, failure: &Fault) -> bool {
        self.network.is_none() && failure.kind == Failure::Failed
    }

    /// One run. After a panic the network is not trusted any more.
    fn try_run(&mut self, groups: &[Group]) -> Result<Vec<Logits>, Fault> {
        let ticket = groups[0].jobs[0].ticket;
        let outcome = self.run_once(groups);
        if let Err(fault) = &outcome {
            self.faults.note(ticket, groups.len(), fault);
        }
        outcome
    }

    fn run_once(&mut self, groups: &[Group]) -> Result<Vec<Logits>, Fault> {
        let model = &groups[0].jobs[0].model;
        let owned = match self.network.take() {
            Some(owned) if Arc::ptr_eq(&owned.model, model) => owned,
            _ => Owned { model: Arc::clone(model), network: build(&**model)? },
        };
        let Owned { model, mut network } = owned;
        let texts: Vec<&Tokens> = groups.iter().map(Group::tokens).collect();
        // A network that panicked is dropped, so nobody sees what it left half done.
        let answers = match catch_unwind(AssertUnwindSafe(|| network.run(&texts))) {
            Ok(answers) => answers,
            Err(panic) => {
                drop_quietly(network);
                return Err(Fault::of_panic(Failure::Panicked, &*panic));
            }
        };
        self.network = Some(Owned { model, network });
        let answers = answers.map_err(|error| Fault::new(Failure::Failed, &error.to_string()))?;
        if answers.len() == texts.len() {
            return Ok(answers);
        }
        Err(Fault::new(Failure::Failed, &format!("{} answers to {} texts", answers.len(), texts.len())))
    }

    fn send(&self, groups: Vec<Group>, tokens: usize, texts: usize, took: Duration) -> bool {
        let answers = groups.into_iter().flat_map(Group::into_answers).collect();
        self.runs.send(Run { answers, tokens, texts, took }).is_ok()
    }
}

/// Jobs by text, in the order in which texts came first: those that somebody waits for, and the others.
fn groups_of(jobs: Vec<Job>) -> (Vec<Group>, Vec<Group>) {
    let mut places: HashMap<Tokens, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for job in jobs {
        match places.get(&job.tokens) {
            Some(place) => groups[*place].jobs.push(job),
            None => {
                places.insert(job.tokens.clone(), groups.len());
                groups.push(Group { jobs: vec![job], result: None });
            }
        }
    }
    let (wanted, mut unwanted): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(Group::is_alive);
    unwanted.iter_mut().for_each(|group| group.result = Some(Err(Failure::NobodyWaits)));
    (wanted, unwanted)
}

fn build(model: &dyn SlowModel) -> Result<Box<dyn Network>, Fault> {
    match catch_unwind(AssertUnwindSafe(|| model.network())) {
        Ok(network) => network.map_err(|error| Fault::new(Failure::Failed, &error.to_string())),
        Err(panic) => Err(Fault::of_panic(Failure::Failed, &*panic)),
    }
}

/// What is left behind by a panic may panic once more as it goes.
fn drop_quietly(network: Box<dyn Network>) {
    // That it panicked is told already.
    catch_unwind(AssertUnwindSafe(|| drop(network))).unwrap_or_default();
}

/// What went wrong with a run.
struct Fault {
    kind: Failure,
    /// Of what a library says: shapes and places in files, never a text, and little of it.
    what: String,
}

impl Fault {
    fn new(kind: Failure, what: &str) -> Self {
        /// In characters.
        const MOST: usize = 200;
        Self { kind, what: what.lines().next().unwrap_or_default().chars().take(MOST).collect() }
    }

    fn of_panic(kind: Failure, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let what =
            text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words");
        Self::new(kind, what)
    }
}

/// Counts faults, and tells of them now and then.
#[derive(Default)]
struct Faults {
    told: Option<Instant>,
    since: u64,
}

impl Faults {
    fn note(&mut self, ticket: Ticket, texts: usize, fault: &Fault) {
        self.since += 1;
        if self.told.is_some_and(|told| told.elapsed() < WARN_EVERY) {
            return;
        }
        let Ticket { batch, place } = ticket;
        tracing::warn!(
            kind = %fault.kind, what = %fault.what, batch, place, texts, faults = self.since,
            "a run of the slow model failed; its texts are tried again in halves, and one that fails alone keeps its first score"
        );
        self.told = Some(Instant::now());
        self.since = 0;
    }
}
