//! Who waits for a second opinion, and for how long. Pure but for the lane that texts are offered to: time is an argument.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::chooser::{Wish, Wishes};
use crate::ingest::Batch;
use crate::pipeline::scoring::{Outcome, ScoredBatch};
use crate::publish::{FallbackReason, SecondStatus};
use crate::score::cascade::{Budget, Degraded, Worth};
use crate::score::lane::{Alive, Answer, AnswerCache, Failure, Job, Lane, Pace, Run, SlowModel, Ticket};

/// What part of the time left until the deadline the predicted wait may take: predictions are wrong at times.
const BELIEVED: f64 = 0.75;

/// For so many texts what was measured when the model was loaded counts, and their tokens.
const MEASURED_TEXTS: u32 = 16;
const MEASURED_TOKENS: usize = 16 * 26;

/// Whoever takes jobs and never waits.
pub(super) trait Offers {
    /// Takes a job, or gives it back.
    fn offer(&self, job: Job) -> Result<(), Job>;
}

impl Offers for Lane {
    fn offer(&self, job: Job) -> Result<(), Job> {
        Lane::offer(self, job)
    }
}

/// A scored batch, and what is wanted of the slow model for it.
#[derive(Debug)]
pub(in crate::pipeline) struct Asked {
    pub(in crate::pipeline) scored: ScoredBatch,
    pub(in crate::pipeline) wishes: Wishes,
}

/// How the desk works.
#[derive(Clone, Copy, Debug)]
pub(in crate::pipeline) struct DeskOptions {
    /// From when a batch was read until it goes on, with or without answers.
    pub(in crate::pipeline) deadline: Duration,
    /// The largest part of the texts that is sent, where worth decides; none where every text is.
    pub(in crate::pipeline) max_share: Option<f64>,
    /// Texts whose answers are remembered.
    pub(in crate::pipeline) cache_texts: usize,
    /// Threads of the lane.
    pub(in crate::pipeline) workers: usize,
    /// Texts a second that each was measured to manage, if it was.
    pub(in crate::pipeline) measured: Option<f64>,
}

/// Holds scored batches until the answers to their texts are there, their deadline is over, or their epoch has ended. It moves the
/// threshold, and says how it goes.
pub(super) struct Desk<O> {
    lane: O,
    options: DeskOptions,
    cache: AnswerCache,
    pace: Pace,
    budget: Budget,
    degraded: Degraded,
    held: HashMap<u64, Held>,
    deadlines: BTreeSet<(Duration, u64)>,
    numbers: u64,
    /// Texts that the lane has, and their tokens.
    in_flight: (usize, usize),
    /// When the lane last answered, or began after it had nothing to do.
    progress: Duration,
    released: Vec<ScoredBatch>,
    status: Arc<SecondStatus>,
}

/// A batch that waits.
struct Held {
    scored: ScoredBatch,
    deadline: Duration,
    waits_for: u32,
    alive: Alive,
}

impl<O: Offers> Desk<O> {
    pub(super) fn new(lane: O, options: DeskOptions, status: Arc<SecondStatus>) -> Self {
        let mut pace = Pace::new(options.workers);
        if let Some(seconds) = options.measured.filter(|rate| *rate > 0.0).map(|rate| f64::from(MEASURED_TEXTS) / rate)
        {
            pace.note(MEASURED_TEXTS as usize, MEASURED_TOKENS, Duration::from_secs_f64(seconds));
        }
        Self {
            lane,
            options,
            cache: AnswerCache::new(options.cache_texts),
            pace,
            budget: Budget::new(options.max_share.unwrap_or(1.0)),
            degraded: Degraded::default(),
            held: HashMap::new(),
            deadlines: BTreeSet::new(),
            numbers: 0,
            in_flight: (0, 0),
            progress: Duration::ZERO,
            released: Vec::new(),
            status,
        }
    }

    /// Takes a batch that was read at `received`.
    pub(super) fn take(&mut self, now: Duration, received: Duration, asked: Asked) {
        let Asked { mut scored, wishes: Wishes { model, texts, worths, turned_away } } = asked;
        self.budget.seen(now, &worths);
        self.fall_back(now, FallbackReason::Overload, turned_away);
        let deadline = received + self.options.deadline;
        let (number, alive) = (self.numbers, Alive::new());
        self.numbers += 1;
        let mut waits_for = 0;
        let mut too_late = 0;
        for Wish { place, tokens } in texts {
            if let Some(logits) = self.cache.get(model.id(), &tokens) {
                self.degraded.note(now, 1, 0);
                answer_outcome(&mut scored, place, &*model, &logits, self.is_cascade());
                continue;
            }
            let length = tokens.ids().len();
            let ticket = Ticket { batch: number, place: u32::try_from(place).unwrap_or(u32::MAX) };
            let job = Job { ticket, model: Arc::clone(&model), tokens, alive: alive.clone() };
            if !self.would_be_in_time(now, deadline, length) || self.lane.offer(job).is_err() {
                too_late += 1;
                continue;
            }
            waits_for += 1;
            if self.in_flight.0 == 0 {
                self.progress = now;
            }
            self.in_flight = (self.in_flight.0 + 1, self.in_flight.1 + length);
        }
        self.fall_back(now, FallbackReason::Overload, too_late);
        if waits_for == 0 {
            self.released.push(scored);
            return;
        }
        self.deadlines.insert((deadline, number));
        self.held.insert(number, Held { scored, deadline, waits_for, alive });
    }

    /// Takes what the lane has done.
    pub(super) fn answer(&mut self, now: Duration, run: Run) {
        self.progress = now;
        if run.texts > 0 {
            let tokens = run.answers.iter().map(|answer| answer.tokens.ids().len()).sum();
            // A run that took longer stood still; how long for says nothing of the runs to come.
            self.pace.note(run.answers.len(), tokens, run.took.min(self.options.deadline));
        }
        for answer in run.answers {
            let (texts, tokens) = self.in_flight;
            self.in_flight = (texts.saturating_sub(1), tokens.saturating_sub(answer.tokens.ids().len()));
            self.take_answer(now, answer);
        }
    }

    fn take_answer(&mut self, now: Duration, answer: Answer) {
        let Answer { ticket, model, tokens, result } = answer;
        // An answer that comes too late is worth remembering all the same.
        if let Ok(logits) = &result {
            self.cache.put(model.id(), &tokens, logits.clone());
        }
        let is_cascade = self.is_cascade();
        let Some(held) = self.held.get_mut(&ticket.batch) else { return };
        held.waits_for -= 1;
        let is_done = held.waits_for == 0;
        match result {
            Ok(logits) => {
                answer_outcome(&mut held.scored, ticket.place as usize, &*model, &logits, is_cascade);
                self.degraded.note(now, 1, 0);
            }
            Err(failure) => self.fall_back(now, reason_of(failure), 1),
        }
        if is_done {
            self.release(ticket.batch);
        }
    }

    /// Lets go what need not wait any longer, and says how it goes.
    pub(super) fn tick(&mut self, now: Duration, is_current: impl Fn(&Batch) -> bool) {
        while let Some((_, number)) = self.deadlines.first().copied().filter(|(deadline, _)| *deadline <= now) {
            let unanswered = self.release(number);
            self.fall_back(now, FallbackReason::Deadline, unanswered);
        }
        // Nobody folds a batch of an epoch that has ended.
        let ended: Vec<u64> =
            self.held.iter().filter(|(_, held)| !is_current(&held.scored.batch)).map(|(number, _)| *number).collect();
        for number in ended {
            self.release(number);
        }
        let wait = self.wait(now);
        self.budget.capacity(self.pace.texts_per_second());
        self.budget.waiting(wait, self.options.deadline);
        let threshold = match self.is_cascade() {
            true => self.budget.threshold(now),
            false if wait >= self.options.deadline.mul_f64(BELIEVED) => Worth::NEVER,
            false => Worth::NOTHING,
        };
        self.status.set_threshold(threshold);
        self.status.set_degraded(self.degraded.is_degraded(now) || self.is_stalled(now));
        self.status.set_lookups([self.cache.hits(), self.cache.misses()]);
        self.status.set_texts_per_second(self.pace.texts_per_second());
        self.status.set_waiting(self.in_flight.0, self.in_flight.1);
    }

    /// The batches that go on, in the order in which they were let go.
    pub(super) fn released(&mut self) -> impl Iterator<Item = ScoredBatch> {
        self.released.drain(..)
    }

    /// When the next deadline is over.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    #[cfg(test)]
    pub(super) fn lane(&self) -> &O {
        &self.lane
    }

    pub(super) fn into_lane(self) -> O {
        self.lane
    }

    fn is_cascade(&self) -> bool {
        self.options.max_share.is_some()
    }

    /// Whether the lane has something to do and has done nothing for as long as a deadline.
    fn is_stalled(&self, now: Duration) -> bool {
        self.in_flight.0 > 0 && now.saturating_sub(self.progress) >= self.options.deadline
    }

    /// How long a text sent now would wait.
    fn wait(&self, now: Duration) -> Duration {
        if self.is_stalled(now) { self.options.deadline } else { self.pace.wait_for(self.in_flight.1) }
    }

    fn would_be_in_time(&self, now: Duration, deadline: Duration, tokens: usize) -> bool {
        let left = deadline.saturating_sub(now).mul_f64(BELIEVED);
        if left.is_zero() || self.is_stalled(now) {
            return false;
        }
        // A lane with nothing to do is always asked: else one that was slow for a while would be taken for slow for good.
        self.in_flight.0 == 0 || self.pace.wait_for(self.in_flight.1 + tokens) <= left
    }

    fn fall_back(&mut self, now: Duration, reason: FallbackReason, messages: u32) {
        if messages > 0 {
            self.degraded.note(now, messages, messages);
            self.status.fall_back(reason, u64::from(messages));
        }
    }

    /// Lets a batch go; gives how many answers it still waited for.
    fn release(&mut self, number: u64) -> u32 {
        let Some(held) = self.held.remove(&number) else { return 0 };
        held.alive.end();
        self.deadlines.remove(&(held.deadline, number));
        self.released.push(held.scored);
        held.waits_for
    }
}

/// The threshold before the first text.
pub(in crate::pipeline) fn first_threshold(options: &DeskOptions) -> Worth {
    options.max_share.map_or(Worth::NOTHING, |share| Budget::new(share).threshold(Duration::ZERO))
}

fn reason_of(failure: Failure) -> FallbackReason {
    match failure {
        Failure::Panicked => FallbackReason::Panicked,
        Failure::Failed => FallbackReason::Failed,
        // Its batch was let go, and counted then; else it would not be here.
        Failure::NobodyWaits => FallbackReason::Deadline,
    }
}

/// Puts the slow model's score in place of the embedded one.
fn answer_outcome(scored: &mut ScoredBatch, place: usize, model: &dyn SlowModel, logits: &[f32], is_cascade: bool) {
    let Some(Outcome::Scored(_, _, score)) = scored.outcomes.get_mut(place) else { return };
    let of_both = score.model;
    *score = model.score(logits, score);
    if is_cascade {
        score.model = of_both;
    }
}
