//! The end of the consumer.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::super::context::IngestContext;

/// Least time for leaving the group, however long draining took.
const LEAVE_WITHIN: Duration = Duration::from_millis(500);

/// Leaves the group, once commits on their way are answered. Where no broker answers that may take the session timeout, and
/// then goes on by itself: it holds nothing that anybody needs.
pub(super) fn leave(consumer: BaseConsumer<IngestContext>, deadline: Instant) {
    consumer.context().closing.store(true, Ordering::Release);
    let (left, done) = crossbeam_channel::bounded::<()>(1);
    let leaving = std::thread::Builder::new().name("latido-leave".to_owned()).spawn(move || {
        drop(consumer);
        drop(left);
    });
    if let Err(error) = leaving {
        tracing::warn!(%error, "the group is left without a word: no thread for it");
        return;
    }
    let wait = deadline.saturating_duration_since(Instant::now()).max(LEAVE_WITHIN);
    if done.recv_timeout(wait).is_err_and(|error| error.is_timeout()) {
        tracing::warn!("the group could not be left in time; it learns of it by the session timeout");
    }
}
