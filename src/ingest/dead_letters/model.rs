//! Fold, dead-letter thread and checkpoint writer in every order that they can run in: no checkpoint passes an unusable record
//! whose letter the broker has not confirmed (INV-1).
//!
//! The tickets' progress is the real one; the broker confirms in any order.

use std::collections::{BTreeMap, VecDeque};

use super::{DeadLetterProgress, confirmed_through};
use crate::ingest::interleavings::{World, walk};

/// Records in the log; each is unusable.
const RECORDS: u64 = 3;

/// A way to break the protocol, which the walk must find.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Broken {
    Nothing,
    /// The checkpoint's positions are taken before its ticket, and a record may come in between.
    TicketTakenLater,
    /// What was taken counts as confirmed.
    TakenIsConfirmed,
    /// The writer saves without waiting.
    NotAwaited,
}

/// A checkpoint on its way to the writer.
#[derive(Clone, Copy, Debug)]
struct Job {
    position: u64,
    ticket: u64,
}

#[derive(Debug)]
struct Threads {
    broken: Broken,
    progress: DeadLetterProgress,
    /// The fold: records claimed, the last ticket given, the positions of a checkpoint in the making.
    claimed: u64,
    last_ticket: u64,
    making: Option<u64>,
    /// Letters handed over, those the dead-letter thread waits for, and those the topic holds.
    channel: VecDeque<u64>,
    waiting: BTreeMap<u64, ()>,
    last_taken: u64,
    topic: Vec<u64>,
    /// The broker's words that the dead-letter thread has not heard.
    reports: Vec<u64>,
    jobs: VecDeque<Job>,
    saved: u64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The fold claims a record and hands its letter over.
    Fold,
    /// The fold begins a checkpoint, and hands it to the writer.
    BeginCheckpoint,
    HandOver,
    /// The dead-letter thread takes a letter and produces it.
    Take,
    /// The broker writes that letter.
    Write(u64),
    /// The dead-letter thread hears of it.
    Settle,
    Save,
}

impl World for Threads {
    type Step = Step;

    fn fork(&self) -> Self {
        let progress = DeadLetterProgress::new(self.progress.bytes_limit());
        let through = self.progress.confirmed_through();
        progress.confirmed_through.store(through, std::sync::atomic::Ordering::Release);
        Self {
            progress,
            channel: self.channel.clone(),
            waiting: self.waiting.clone(),
            topic: self.topic.clone(),
            reports: self.reports.clone(),
            jobs: self.jobs.clone(),
            ..*self
        }
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut offer = |possible: bool, step: Step| steps.extend(possible.then_some(step));
        let between = self.making.is_none() || self.broken == Broken::TicketTakenLater;
        offer(self.claimed < RECORDS && between, Step::Fold);
        let has_news = self.jobs.is_empty() && self.saved < self.claimed;
        offer(self.making.is_none() && has_news, Step::BeginCheckpoint);
        offer(self.making.is_some(), Step::HandOver);
        offer(!self.channel.is_empty(), Step::Take);
        let under_way = self.waiting.keys().filter(|ticket| !self.topic.contains(ticket));
        under_way.for_each(|ticket| offer(true, Step::Write(*ticket)));
        offer(!self.reports.is_empty(), Step::Settle);
        let confirmed = self.progress.confirmed_through();
        let may_save = |job: &Job| confirmed >= job.ticket || self.broken == Broken::NotAwaited;
        offer(self.jobs.front().is_some_and(may_save), Step::Save);
        steps
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Fold => {
                self.claimed += 1;
                self.last_ticket += 1;
                self.channel.push_back(self.last_ticket);
            }
            Step::BeginCheckpoint => self.making = Some(self.claimed),
            Step::HandOver => {
                let Some(position) = self.making.take() else { return };
                // Broken: the position is looked up only now, the ticket was before.
                let (position, ticket) = match self.broken {
                    Broken::TicketTakenLater => (self.claimed, position),
                    _ => (position, self.last_ticket),
                };
                self.jobs.push_back(Job { position, ticket });
            }
            Step::Take => {
                let Some(ticket) = self.channel.pop_front() else { return };
                self.last_taken = ticket;
                self.waiting.insert(ticket, ());
                self.settle();
            }
            Step::Write(ticket) => {
                self.topic.push(ticket);
                self.reports.push(ticket);
            }
            Step::Settle => {
                self.reports.drain(..).for_each(|ticket| {
                    self.waiting.remove(&ticket);
                });
                self.settle();
            }
            Step::Save => {
                if let Some(job) = self.jobs.pop_front() {
                    self.saved = job.position;
                }
            }
        }
    }

    fn holds(&self) -> Result<(), String> {
        // The ticket of a record is its number here.
        match (1..=self.saved).find(|ticket| !self.topic.contains(ticket)) {
            Some(lost) => Err(format!("the checkpoint passes {} records, and no letter tells of {lost}", self.saved)),
            None => Ok(()),
        }
    }

    fn holds_at_rest(&self) -> Result<(), String> {
        if self.saved < RECORDS {
            return Err(format!("it rests with {} of {RECORDS} records saved", self.saved));
        }
        Ok(())
    }
}

impl Threads {
    fn new(broken: Broken) -> Self {
        Self {
            broken,
            progress: DeadLetterProgress::new(1),
            claimed: 0,
            last_ticket: 0,
            making: None,
            channel: VecDeque::new(),
            waiting: BTreeMap::new(),
            last_taken: 0,
            topic: Vec::new(),
            reports: Vec::new(),
            jobs: VecDeque::new(),
            saved: 0,
        }
    }

    fn settle(&mut self) {
        let nothing = BTreeMap::<u64, ()>::new();
        let waiting = if self.broken == Broken::TakenIsConfirmed { &nothing } else { &self.waiting };
        let through = confirmed_through(waiting, self.last_taken);
        self.progress.confirmed_through.store(through, std::sync::atomic::Ordering::Release);
    }
}

#[test]
fn in_every_order_no_checkpoint_passes_a_record_whose_letter_is_not_confirmed_and_all_is_saved_in_the_end() {
    let states = walk(Threads::new(Broken::Nothing)).unwrap();
    assert!(states > 200, "{states} states are not all of them");
}

#[test]
fn the_walk_finds_each_way_to_break_it() {
    for broken in [Broken::TicketTakenLater, Broken::TakenIsConfirmed, Broken::NotAwaited] {
        let found = walk(Threads::new(broken));
        assert!(found.is_err(), "{broken:?} went unseen in {found:?} states");
    }
}
