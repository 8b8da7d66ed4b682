//! A new client in place of one that was shut out by its own past.
//!
//! A client whose session is over forgets its member id, and with its static name asks on: a coordinator that has just come back,
//! and knows that name under the id before, takes it for another member's and fences it. librdkafka can then do nothing any
//! more; a new client of the same name is simply let in.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;

use super::leave::leave;
use super::{Consumer, ConsumerError};
use crate::ingest::ends::Ends;

/// How long before a new client tries.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

impl Consumer {
    /// Whether the fence is of our own making: the partitions were lost with the session, and none is assigned since. A member
    /// that another one has taken the name of still has its session when it learns of it.
    pub(super) fn is_shut_out_by_itself(&self) -> bool {
        self.consumer.context().lost.load(Ordering::Acquire)
    }

    /// Has the next turns make a new client.
    pub(super) fn plan_to_reopen(&mut self) {
        tracing::warn!(
            "no coordinator answered for kafka.session_timeout, and the next one takes this daemon for another of its \
             name; joining the group anew"
        );
        let message = "joining the group anew: its coordinator was away for longer than kafka.session_timeout";
        self.health.set_not_ready("assignment", message.to_owned());
        self.reopen_at = Some(Instant::now() + REOPEN_AFTER);
    }

    pub(super) fn reopen_if_due(&mut self) {
        if self.reopen_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        self.reopen_at = None;
        if let Err(error) = self.reopen() {
            tracing::error!(%error, "the group cannot be joined anew; trying on");
            self.reopen_at = Some(Instant::now() + REOPEN_AFTER);
        }
    }

    /// Puts a new client in place of the one before. Nothing is assigned, so nothing is on its way.
    fn reopen(&mut self) -> Result<(), ConsumerError> {
        let context = self.consumer.context().anew();
        let consumer = self.client.create_with_context(context).map_err(ConsumerError::Client)?;
        let before = std::mem::replace(&mut self.consumer, consumer);
        leave(before, Instant::now());
        self.paused.clear();
        self.ends = Ends::default();
        self.check_range = false;
        self.connected = false;
        self.rejoin_at = None;
        self.startless = false;
        self.subscribe()
    }
}
