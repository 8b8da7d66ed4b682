//! One transaction, on a thread of its own.
//!
//! librdkafka's calls are told how long they may take, and do not always keep to it: where the group's coordinator died at the
//! wrong moment, one came back only when another broker did. Whoever saves must not wait for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::KafkaStoreError;
use super::book::Plan;
use super::events::Mail;
use super::transaction::{ABORT_WITHIN, COMMIT, WRITE_WITHIN, Writer};
use crate::ingest::{Member, Positions};

/// Between two looks whether to go on.
const LOOK: Duration = Duration::from_millis(200);
/// How much longer than its own limits a transaction may take before it is left to itself.
const GRACE: Duration = Duration::from_millis(500);

/// What is to be written.
pub(super) struct Work {
    pub(super) plan: Arc<Plan>,
    /// How many partitions of the topic are used.
    pub(super) places: i32,
    pub(super) offsets: Positions,
    pub(super) member: Member,
    /// Alert events to be sent with it.
    pub(super) mail: Option<Arc<Mail>>,
}

/// Writes it, and gives the writer back where it counts.
///
/// # Errors
/// As [`Writer::write`]; also if it does not come back in time, and then it may count.
pub(super) fn run(writer: Writer, work: Work, go_on: &mut dyn FnMut() -> bool) -> Result<Writer, KafkaStoreError> {
    let topic = writer.topic().to_owned();
    let failed = |step, why: String| KafkaStoreError::Write { topic: topic.clone(), step, why };
    let (answer, answered) = bounded(1);
    let is_cancelled = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_cancelled);
    let writing = thread::Builder::new().name("latido-write".to_owned());
    writing.spawn(move || write(writer, &work, &told, &answer)).map_err(|error| failed("begin", error.to_string()))?;
    let mut limit = Instant::now() + WRITE_WITHIN + ABORT_WITHIN + GRACE;
    loop {
        match answered.recv_timeout(LOOK) {
            Ok(outcome) => return outcome,
            Err(RecvTimeoutError::Disconnected) => return Err(failed(COMMIT, "its thread has died".to_owned())),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if !go_on() && !is_cancelled.swap(true, Ordering::AcqRel) {
            limit = limit.min(Instant::now() + ABORT_WITHIN + GRACE);
        }
        if Instant::now() >= limit {
            is_cancelled.store(true, Ordering::Release);
            return Err(failed(COMMIT, "librdkafka does not come back from it".to_owned()));
        }
    }
}

/// The thread. A writer that failed ends here: that may wait for brokers too.
fn write(writer: Writer, work: &Work, is_cancelled: &AtomicBool, answer: &Sender<Result<Writer, KafkaStoreError>>) {
    let mut go_on = || !is_cancelled.load(Ordering::Acquire);
    let outcome = writer.write(work, &mut go_on);
    // Nobody waits any more where this took too long.
    match outcome {
        Ok(()) => answer.send(Ok(writer)).unwrap_or_default(),
        Err(error) => {
            answer.send(Err(error)).unwrap_or_default();
            drop(writer);
        }
    }
}
