//! Consumer thread, scoring pool and fold around the real [`Shared`] and its ledger, in every order that they can run in:
//! reading, rebalances, and the fold that stops reading, has it go back, and lets it go on.
//!
//! One partition of a few records, one record a batch. A step is what a thread does under one lock or with one message.

use std::collections::{BTreeMap, VecDeque};

use super::Shared;
use crate::ingest::interleavings::{World, walk};
use crate::ingest::{Claim, Seat};
use crate::message::{NextOffset, PartitionId};

/// Records in the log.
const RECORDS: i64 = 3;

fn partition() -> PartitionId {
    PartitionId::new("messages", 0)
}

/// A way to break the protocol, which the walk must find.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Broken {
    #[default]
    Nothing,
    /// The fold learns of an assignment whenever it happens to, not before the first batch of it can come.
    AnnouncedLate,
    /// Going back begins no new epoch.
    SameEpoch,
    /// The fold lets reading go on before what was on its way is stale.
    ReleasedEarly,
    /// The fold takes what is on its way while reading goes back.
    TakenWhileHeld,
    /// The consumer goes back though it may still read.
    NotPaused,
}

/// A record on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Batch {
    epoch: u32,
    sequence: u64,
    offset: i64,
}

/// What the consumer thread tells the fold.
#[derive(Clone, Copy, Debug)]
enum Note {
    Assigned,
    Revoked,
}

/// Where the consumer thread is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Consumer {
    Reading,
    /// It has looked up where to go back to.
    GoesBack(i64),
    /// It has sought there.
    Sought,
    /// It has begun a new epoch.
    BegunAnew,
    /// The fold has been told.
    ToldOfIt,
    /// The partition is revoked in the ledger.
    Revoked,
    /// The fold has been told of that.
    ToldOfRevoke,
    /// The partition is assigned in the ledger.
    Assigned,
}

#[derive(Debug)]
struct Threads {
    broken: Broken,
    shared: Shared,
    /// How many more rebalances and stops may come.
    rebalances: u8,
    stops: u8,
    consumer: Consumer,
    seat: Seat,
    sequence: u64,
    next: i64,
    paused: bool,
    notes: VecDeque<Note>,
    /// An announcement that comes late.
    owed: bool,
    /// Batches that a worker may finish next, in any order.
    pool: Vec<Batch>,
    /// The fold: whether its clock has the partition, what came early, the batch it has looked at, whether it has stopped.
    known: bool,
    early: BTreeMap<(u32, u64), Batch>,
    looked_at: Option<Batch>,
    stopped: bool,
    applied: Vec<i64>,
}

/// One step of one thread.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The consumer pauses or resumes.
    Regulate,
    Read,
    GoBack,
    Rebalance,
    /// The consumer goes on with what it has begun.
    GoOn,
    AnnounceLate,
    /// The fold takes the batch at that place of the pool.
    Deliver(usize),
    /// The fold takes that batch and finds it to be garbage: it stops reading.
    Stop(usize),
    /// The fold claims the batch it has looked at.
    Claim,
    TakeNote,
    Release,
}

impl Threads {
    fn new(broken: Broken, rebalances: u8, stops: u8) -> Self {
        let shared = Shared::default();
        let seat = shared.ledger().assign(&partition());
        Self {
            broken,
            shared,
            rebalances,
            stops,
            consumer: Consumer::Reading,
            seat,
            sequence: 0,
            next: 0,
            paused: false,
            notes: VecDeque::from([Note::Assigned]),
            owed: false,
            pool: Vec::new(),
            known: false,
            early: BTreeMap::new(),
            looked_at: None,
            stopped: false,
            applied: Vec::new(),
        }
    }

    fn position(&self) -> i64 {
        self.shared.ledger().applied(&partition()).map_or(0, |next| next.0)
    }

    fn peek(&self, batch: Batch) -> Claim {
        self.shared.ledger().peek(&partition(), batch.epoch, batch.sequence)
    }

    fn begin(&mut self, seat: Seat) {
        self.seat = seat;
        self.sequence = 0;
    }

    fn announce(&mut self) {
        if self.broken == Broken::AnnouncedLate {
            self.owed = true;
        } else {
            self.notes.push_back(Note::Assigned);
        }
    }

    fn read(&mut self) {
        self.pool.push(Batch { epoch: self.seat.epoch, sequence: self.sequence, offset: self.next });
        self.shared.enter(1, 1);
        self.sequence += 1;
        self.next += 1;
    }

    /// As `Consumer::rewind`, `IngestContext::revoke` and `IngestContext::assign` go on, step by step.
    fn go_on(&mut self) {
        self.consumer = match self.consumer {
            Consumer::Reading => return,
            Consumer::GoesBack(position) => {
                self.next = position;
                Consumer::Sought
            }
            Consumer::Sought => {
                if self.broken == Broken::SameEpoch {
                    self.sequence = 0;
                } else {
                    let seat = self.shared.ledger().assign(&partition());
                    self.begin(seat);
                }
                Consumer::BegunAnew
            }
            Consumer::BegunAnew => {
                self.announce();
                Consumer::ToldOfIt
            }
            Consumer::ToldOfIt => {
                self.shared.set_rewound();
                Consumer::Reading
            }
            Consumer::Revoked => {
                self.notes.push_back(Note::Revoked);
                Consumer::ToldOfRevoke
            }
            Consumer::ToldOfRevoke => {
                let seat = self.shared.ledger().assign(&partition());
                self.next = seat.resume.map_or(0, |next| next.0);
                self.begin(seat);
                Consumer::Assigned
            }
            Consumer::Assigned => {
                self.announce();
                Consumer::Reading
            }
        };
    }

    /// As `Fold::take`: announcements first, then the batch.
    fn deliver(&mut self, place: usize) -> Batch {
        while let Some(note) = self.notes.pop_front() {
            self.follow(note);
        }
        self.pool.remove(place)
    }

    fn follow(&mut self, note: Note) {
        self.known = matches!(note, Note::Assigned);
        let epoch = self.shared.ledger().epoch(&partition());
        let stale: Vec<(u32, u64)> = self.early.keys().filter(|(of, _)| Some(*of) != epoch).copied().collect();
        for key in stale {
            self.early.remove(&key);
            self.shared.leave(1, 1);
        }
    }

    /// As `Fold::offer`, up to the claim: a fold that has stopped leaves what would be next.
    fn look_at(&mut self, batch: Batch) {
        let may_take = !self.stopped || self.broken == Broken::TakenWhileHeld;
        if self.peek(batch) == Claim::Apply && !may_take {
            self.shared.leave(1, 1);
            return self.look_at_early();
        }
        self.looked_at = Some(batch);
    }

    fn look_at_early(&mut self) {
        if let Some((_, batch)) = self.early.pop_first() {
            self.look_at(batch);
        }
    }

    fn claim(&mut self) {
        let Some(batch) = self.looked_at.take() else { return };
        let next = NextOffset(batch.offset + 1);
        let claim = self.shared.ledger().claim(&partition(), batch.epoch, batch.sequence, next);
        if claim == Claim::Early {
            self.early.insert((batch.epoch, batch.sequence), batch);
            return;
        }
        // A clock that does not have the partition counts nothing.
        if claim == Claim::Apply && self.known {
            self.applied.push(batch.offset);
        }
        self.shared.leave(1, 1);
        self.look_at_early();
    }
}

impl World for Threads {
    type Step = Step;

    fn fork(&self) -> Self {
        Self {
            shared: self.shared.fork(),
            notes: self.notes.clone(),
            pool: self.pool.clone(),
            early: self.early.clone(),
            applied: self.applied.clone(),
            ..*self
        }
    }

    fn steps(&self) -> Vec<Step> {
        let is_reading = self.consumer == Consumer::Reading;
        let is_idle = self.looked_at.is_none();
        let stands_still = self.paused || self.broken == Broken::NotPaused;
        let may_release = self.shared.is_rewound() || self.broken == Broken::ReleasedEarly;
        let may_stop = is_idle && !self.stopped && self.stops > 0;
        // Only a batch whose turn it is is judged.
        let next = |place: usize| self.peek(self.pool[place]) == Claim::Apply;
        let mut steps = Vec::new();
        let mut offer = |possible: bool, step: Step| steps.extend(possible.then_some(step));
        offer(is_reading && self.paused != self.shared.is_held(), Step::Regulate);
        offer(is_reading && !self.paused && self.next < RECORDS, Step::Read);
        offer(is_reading && !self.shared.is_rewound() && stands_still, Step::GoBack);
        offer(is_reading && self.rebalances > 0, Step::Rebalance);
        offer(!is_reading, Step::GoOn);
        offer(self.owed, Step::AnnounceLate);
        (0..self.pool.len()).for_each(|place| {
            offer(is_idle, Step::Deliver(place));
            offer(may_stop && next(place), Step::Stop(place));
        });
        offer(!is_idle, Step::Claim);
        offer(is_idle && !self.notes.is_empty(), Step::TakeNote);
        offer(is_idle && self.stopped && may_release, Step::Release);
        steps
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Regulate => self.paused = self.shared.is_held(),
            Step::Read => self.read(),
            Step::GoBack => self.consumer = Consumer::GoesBack(self.position()),
            Step::Rebalance => {
                self.rebalances -= 1;
                self.shared.ledger().revoke(&partition());
                self.consumer = Consumer::Revoked;
            }
            Step::GoOn => self.go_on(),
            Step::AnnounceLate => {
                self.owed = false;
                self.notes.push_back(Note::Assigned);
            }
            Step::Deliver(place) => {
                let batch = self.deliver(place);
                self.look_at(batch);
            }
            Step::Stop(place) => {
                self.deliver(place);
                self.shared.leave(1, 1);
                self.stops -= 1;
                self.stopped = true;
                self.shared.hold();
            }
            Step::Claim => self.claim(),
            Step::TakeNote => {
                if let Some(note) = self.notes.pop_front() {
                    self.follow(note);
                }
            }
            Step::Release => {
                self.stopped = false;
                self.shared.release();
            }
        }
    }

    fn holds(&self) -> Result<(), String> {
        if self.applied.iter().copied().ne(0..self.position()) {
            return Err(format!("records {:?} are counted, the ledger says {}", self.applied, self.position()));
        }
        let on_their_way = self.pool.len() + self.early.len() + usize::from(self.looked_at.is_some());
        if self.shared.in_flight_records() != on_their_way {
            return Err(format!("{} records are in flight, not {on_their_way}", self.shared.in_flight_records()));
        }
        Ok(())
    }

    fn holds_at_rest(&self) -> Result<(), String> {
        if self.position() != RECORDS {
            return Err(format!("it rests after {} of {RECORDS} records", self.position()));
        }
        Ok(())
    }
}

#[test]
fn in_every_order_of_reading_rebalances_and_stops_each_record_counts_once_and_nothing_hangs() {
    for (rebalances, stops) in [(2, 0), (0, 2), (1, 1)] {
        let states = walk(Threads::new(Broken::Nothing, rebalances, stops)).unwrap();
        assert!(states > 1_000, "{states} states are not all of them");
    }
}

#[test]
fn the_walk_finds_each_way_to_break_the_protocol() {
    for broken in
        [Broken::AnnouncedLate, Broken::SameEpoch, Broken::ReleasedEarly, Broken::TakenWhileHeld, Broken::NotPaused]
    {
        let found = walk(Threads::new(broken, 1, 1));
        assert!(found.is_err(), "{broken:?} went unseen in {found:?} states");
    }
}
