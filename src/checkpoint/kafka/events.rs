//! Which alert events a transaction sends along with the state that decided on them.

use std::time::{Duration, Instant};

use super::Snapshot;
use crate::publish::events::{AlertEvent, Outbox};

/// After their topic refused events, how long transactions go without them: a try that fails may cost seconds.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Events for a transaction.
pub(super) struct Mail {
    pub(super) topic: String,
    pub(super) events: Vec<AlertEvent>,
}

/// What is known of the events that are sent.
#[derive(Debug)]
pub(super) struct Post {
    /// Where events go; none where none do.
    topic: Option<String>,
    /// Events up to this number are sent, by whoever had the state.
    done_through: u64,
    /// When a topic that refused them is tried again.
    again: Option<Instant>,
}

impl Post {
    /// Nothing is sent yet.
    pub(super) fn new(topic: Option<String>) -> Self {
        Self { topic, done_through: 0, again: None }
    }

    /// What a snapshot's transaction should send. Nothing where some partitions are elsewhere: then the detector's state is not
    /// saved either, and whoever has all of them decides anew.
    pub(super) fn due(&self, snapshot: &Snapshot) -> Option<Mail> {
        let topic = self.topic.clone().filter(|_| snapshot.is_whole)?;
        if self.again.is_some_and(|again| Instant::now() < again) {
            return None;
        }
        let events: Vec<_> =
            snapshot.outbox.waiting().filter(|event| event.number > self.done_through).cloned().collect();
        if events.is_empty() { None } else { Some(Mail { topic, events }) }
    }

    /// What of a snapshot still waits once that is sent. It may have been taken before the last transaction was over.
    pub(super) fn left(&self, snapshot: &Snapshot, mail: Option<&Mail>) -> Outbox {
        let mut outbox = snapshot.outbox.clone();
        outbox.settle(last(mail).unwrap_or(0).max(self.done_through));
        outbox
    }

    /// It is sent. Gives up to which number.
    pub(super) fn note_sent(&mut self, mail: Option<&Mail>) -> Option<u64> {
        let last = last(mail)?;
        self.done_through = last;
        self.again = None;
        Some(last)
    }

    /// Its topic does not take it.
    pub(super) fn note_refused(&mut self) {
        self.again = Some(Instant::now() + AGAIN_AFTER);
    }

    /// What the state that was fetched knows of them.
    pub(super) fn take_up(&mut self, outbox: &Outbox) {
        self.done_through = outbox.done_through();
    }
}

fn last(mail: Option<&Mail>) -> Option<u64> {
    mail?.events.last().map(|event| event.number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::publish::events::Happened;

    fn snapshot(events: u64, done_through: u64) -> Snapshot {
        let mut outbox = Outbox::default();
        (0..events).for_each(|_| assert_eq!(outbox.enter(Happened::Opened, "billing", String::new()), 0));
        outbox.settle(done_through);
        Snapshot { outbox, is_whole: true, ..Snapshot::empty() }
    }

    fn numbers(mail: Option<&Mail>) -> Vec<u64> {
        mail.map_or_else(Vec::new, |mail| mail.events.iter().map(|event| event.number).collect())
    }

    #[test]
    fn what_a_transaction_has_sent_is_not_sent_again_though_the_next_snapshot_was_taken_before() {
        let mut post = Post::new(Some("alerts".to_owned()));
        let (first, next) = (snapshot(2, 0), snapshot(3, 0));
        let mail = post.due(&first);
        assert_eq!(numbers(mail.as_ref()), [1, 2]);
        assert_eq!(
            post.left(&first, mail.as_ref()).waiting().len(),
            0,
            "none waits in the state that is saved with it"
        );
        assert_eq!(post.note_sent(mail.as_ref()), Some(2));
        let mail = post.due(&next);
        assert_eq!(numbers(mail.as_ref()), [3]);
        assert_eq!(post.left(&next, mail.as_ref()).done_through(), 3);
    }

    #[test]
    fn what_the_topic_refuses_is_saved_and_the_next_transactions_go_without_it() {
        let mut post = Post::new(Some("alerts".to_owned()));
        let snapshot = snapshot(2, 0);
        assert!(post.due(&snapshot).is_some());
        post.note_refused();
        assert!(post.due(&snapshot).is_none());
        assert_eq!(post.left(&snapshot, None).waiting().len(), 2);
    }

    #[test]
    fn a_transaction_that_nobody_knows_the_end_of_is_judged_by_the_state_that_it_would_have_saved() {
        let mut post = Post::new(Some("alerts".to_owned()));
        let snapshot = snapshot(2, 0);
        let mail = post.due(&snapshot);
        let counted = post.left(&snapshot, mail.as_ref());
        post.take_up(&counted);
        assert!(post.due(&snapshot).is_none(), "it counted");
        post.take_up(&Outbox::default());
        assert_eq!(numbers(post.due(&snapshot).as_ref()), [1, 2], "it did not");
    }

    #[test]
    fn a_daemon_that_holds_a_part_of_the_partitions_tells_nothing() {
        let post = Post::new(Some("alerts".to_owned()));
        assert!(post.due(&Snapshot { is_whole: false, ..snapshot(1, 0) }).is_none());
        assert!(post.due(&snapshot(1, 0)).is_some());
    }

    #[test]
    fn without_a_topic_nothing_is_sent() {
        assert!(Post::new(None).due(&snapshot(1, 0)).is_none());
    }
}
