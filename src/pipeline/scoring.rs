//! The scoring pool: each worker decodes a batch, scores its customers' texts and passes the batch on whole.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender};

use super::routing::Routes;
use super::second::{Asked, Candidate, Chooser, Wishes};
use crate::ingest::{Batch, Decoder, Rejection};
use crate::message::{Audience, Author, CustomerHash, DepartmentId, EventTime, HashKey, Message, Score};
use crate::publish::{Health, Timings};
use crate::score::{Scorer, Text};

const BEAT: Duration = Duration::from_secs(1);

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// A customer's message.
    Scored(Placed, Audience, Score),
    /// An agent's or a bot's message.
    Context(Placed, Author),
    /// Unusable.
    Rejected(Box<Rejection>),
}

/// What the budget of bytes in flight allows for.
const _: () = assert!(size_of::<Outcome>() <= Batch::OUTCOME_ROOM);

/// Where a message belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// Whose.
    pub(super) department: DepartmentId,
    /// When it was written.
    pub(super) event_time: EventTime,
    /// How far it may move stream time: its event time, but not past its own arrival in Kafka or the clock (INV-4).
    pub(super) trusted: EventTime,
    /// Whether its text was cut.
    pub(super) text_was_cut: bool,
    /// Who wrote it, where the record says so and there is a key.
    pub(super) customer: Option<CustomerHash>,
}

/// A batch with what became of its records, in their order.
#[derive(Debug)]
pub(super) struct ScoredBatch {
    /// The batch; its bytes are still needed for dead letters.
    pub(super) batch: Batch,
    /// One for each record.
    pub(super) outcomes: Vec<Outcome>,
    /// Wall clock when it was decoded.
    pub(super) decoded: EventTime,
    /// The number of the [`Routes`] that its departments are by.
    pub(super) routes: u64,
}

/// Where a scored batch goes.
pub(super) enum Next {
    /// To the fold.
    Fold(Sender<ScoredBatch>),
    /// To whoever asks the slow model, with the texts that were chosen for it.
    Second(Box<Chooser>, Sender<Asked>),
}

/// One worker of the pool.
pub(super) struct Worker {
    /// From 0.
    pub(super) number: usize,
    pub(super) decoder: Decoder,
    /// What the decoder routes by, and the number of what it does so far.
    pub(super) routes: (Arc<Routes>, u64),
    pub(super) scorer: Box<dyn Scorer>,
    /// What customers are hashed with; none where they are not kept at all.
    pub(super) key: Option<HashKey>,
    pub(super) batches: Receiver<Batch>,
    pub(super) next: Next,
    pub(super) health: Arc<Health>,
    pub(super) timings: Arc<Timings>,
}

impl Worker {
    /// Starts the worker's thread; it ends when no batch can come any more.
    pub(super) fn start(mut self) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name(format!("latido-score-{}", self.number)).spawn(move || {
            self.run();
            self.health.release_worker(self.number);
        })
    }

    fn run(&mut self) {
        let mut scores = Vec::new();
        loop {
            self.health.beat_worker(self.number);
            let batch = match self.batches.recv_timeout(BEAT) {
                Ok(batch) => batch,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.follow_routes();
            let begun = Instant::now();
            let Worked { outcomes, wishes, decoded } = self.work(&batch, &mut scores);
            self.timings.scoring.observe(begun.elapsed().as_secs_f64());
            let scored = ScoredBatch { batch, outcomes, decoded, routes: self.routes.1 };
            let is_taken = match (&self.next, wishes) {
                (Next::Fold(fold), _) => self.pass_on(fold, scored),
                (Next::Second(_, desk), Some(wishes)) => self.pass_on(desk, Asked { scored, wishes }),
                // Wishes are made wherever there is a chooser.
                (Next::Second(..), None) => false,
            };
            if !is_taken {
                return;
            }
        }
    }

    /// A reload may have changed which department a name leads to.
    fn follow_routes(&mut self) {
        let (routes, number) = &mut self.routes;
        if let Some((latest, router)) = routes.others_than(*number) {
            *number = latest;
            self.decoder.route_by(router);
        }
    }

    /// Hands a batch on; false where nobody is left to take it. A fold that waits for dead letters is no dead worker.
    fn pass_on<T>(&self, next: &Sender<T>, mut batch: T) -> bool {
        loop {
            match next.send_timeout(batch, BEAT) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) => batch = back,
                Err(SendTimeoutError::Disconnected(_)) => return false,
            }
            self.health.beat_worker(self.number);
        }
    }

    /// Decodes every record, scores the customers' texts in one call, and puts the two together again.
    fn work(&mut self, batch: &Batch, scores: &mut Vec<Score>) -> Worked {
        let now = wall_clock();
        let decoded: Vec<_> =
            batch.iter().map(|record| (record.kafka_timestamp, self.decoder.decode(&record, now))).collect();
        let texts: Vec<Text<'_>> = of_customers(&decoded)
            .map(|(_, message)| Text { text: &message.text, language: message.language })
            .collect();
        scores.clear();
        self.scorer.score(&texts, scores);
        let wishes =
            match &mut self.next {
                Next::Fold(_) => None,
                Next::Second(chooser, _) => {
                    let candidates = of_customers(&decoded).zip(&mut *scores).map(|((place, message), score)| {
                        Candidate { place, department: message.department, text: &message.text, score }
                    });
                    Some(chooser.choose(candidates))
                }
            };
        let mut scores = scores.drain(..);
        let outcomes = decoded
            .into_iter()
            .filter_map(|(arrived, message)| match message {
                Err(rejection) => Some(Outcome::Rejected(Box::new(rejection))),
                Ok(message) if message.author != Author::Customer => {
                    Some(Outcome::Context(self.place(&message, arrived, now), message.author))
                }
                // A scorer gives one score for each text: the trait's contract, which the pool's tests hold.
                Ok(message) => {
                    let placed = self.place(&message, arrived, now);
                    scores.next().map(|score| Outcome::Scored(placed, message.audience, score))
                }
            })
            .collect();
        Worked { outcomes, wishes, decoded: now }
    }

    fn place(&self, message: &Message<'_>, arrived: Option<EventTime>, now: EventTime) -> Placed {
        let customer = self.key.zip(message.customer_id.as_deref()).map(|(key, customer)| key.hash(customer));
        Placed {
            department: message.department,
            event_time: message.event_time,
            trusted: message.event_time.min(arrived.unwrap_or(now)).min(now),
            text_was_cut: message.text_was_cut,
            customer,
        }
    }
}

/// What a worker makes of a batch.
struct Worked {
    outcomes: Vec<Outcome>,
    /// Made where there is somebody to ask.
    wishes: Option<Wishes>,
    /// Wall clock when it was decoded.
    decoded: EventTime,
}

/// A record as it was decoded, and when it arrived.
type Decoded<'a> = (Option<EventTime>, Result<Message<'a>, Rejection>);

/// The customers' messages, each with its place in the batch.
fn of_customers<'d, 'a>(decoded: &'d [Decoded<'a>]) -> impl Iterator<Item = (usize, &'d Message<'a>)> {
    let messages = decoded.iter().enumerate().filter_map(|(place, (_, message))| Some((place, message.as_ref().ok()?)));
    messages.filter(|(_, message)| message.author == Author::Customer)
}

/// The wall clock.
pub(super) fn wall_clock() -> EventTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EventTime::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
