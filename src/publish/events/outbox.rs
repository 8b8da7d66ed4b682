//! Events that wait to be sent: a part of the state, saved with what decided on them.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::Happened;

/// Most events that wait; the topic would have to be away for years of alerts.
pub const ITEMS_LIMIT: usize = 4_096;
/// Most bytes of their values that wait.
pub const BYTES_LIMIT: usize = 16 * 1024 * 1024;

/// An event as it will be sent: rendered when it was decided on, so that it is the same whenever it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertEvent {
    /// Its place in the order of sending, counted from 1.
    pub number: u64,
    /// What happened.
    pub happened: Happened,
    /// Id of the department, or of the company: the record's key.
    pub department: String,
    /// The envelope: the record's value.
    pub envelope: String,
}

/// Events that were decided on and that nobody has confirmed yet, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    /// Events up to this number are sent, or given up.
    done_through: u64,
    waiting: VecDeque<AlertEvent>,
    /// Ids of the open alerts that escalated in a backlog: they are told of at its end, if they are still open then.
    held: BTreeSet<String>,
}

impl Outbox {
    /// Enters an event; the oldest is given up where there are too many. Gives how many were.
    pub fn enter(&mut self, happened: Happened, department: &str, envelope: String) -> u64 {
        let number = self.newest().saturating_add(1);
        self.waiting.push_back(AlertEvent { number, happened, department: department.to_owned(), envelope });
        let mut given_up = 0;
        while self.waiting.len() > ITEMS_LIMIT || (self.waiting.len() > 1 && self.bytes() > BYTES_LIMIT) {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.done_through = oldest.number;
            given_up += 1;
        }
        given_up
    }

    /// Events up to that number are sent. Gives whether one of them was still waiting.
    pub fn settle(&mut self, through: u64) -> bool {
        let before = self.waiting.len();
        while self.waiting.front().is_some_and(|event| event.number <= through) {
            self.done_through = self.waiting.pop_front().map_or(self.done_through, |event| event.number);
        }
        self.waiting.len() < before
    }

    /// The number of the newest event there was; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.waiting.back().map_or(self.done_through, |event| event.number)
    }

    /// Events up to this number are sent, or given up.
    #[must_use]
    pub fn done_through(&self) -> u64 {
        self.done_through
    }

    /// Those that wait, oldest first.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = &AlertEvent> {
        self.waiting.iter()
    }

    /// Bytes of the values that wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.waiting.iter().map(|event| event.envelope.len()).sum()
    }

    /// An alert escalated in a backlog.
    pub fn hold(&mut self, id: &str) {
        self.held.insert(id.to_owned());
    }

    /// Nothing of that alert is held any more. Gives whether something was.
    pub fn release(&mut self, id: &str) -> bool {
        self.held.remove(id)
    }

    /// Leaves out what waits. Gives how much that was.
    pub fn give_up_waiting(&mut self) -> usize {
        let waiting = self.waiting.len();
        *self = Self { done_through: self.newest(), waiting: VecDeque::new(), held: BTreeSet::new() };
        waiting
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn numbers(outbox: &Outbox) -> Vec<u64> {
        outbox.waiting().map(|event| event.number).collect()
    }

    fn enter(outbox: &mut Outbox, bytes: usize) -> u64 {
        outbox.enter(Happened::Opened, "billing", "x".repeat(bytes))
    }

    #[test]
    fn events_wait_in_their_order_until_they_are_sent_and_a_number_is_given_once() {
        let mut outbox = Outbox::default();
        (0..3).for_each(|_| assert_eq!(enter(&mut outbox, 1), 0));
        assert!(outbox.settle(2));
        assert_eq!((numbers(&outbox), outbox.done_through()), (vec![3], 2));
        assert!(!outbox.settle(1), "an older word changes nothing");
        assert!(outbox.settle(3));
        enter(&mut outbox, 1);
        assert_eq!((numbers(&outbox), outbox.newest()), (vec![4], 4));
    }

    #[test]
    fn the_outbox_is_bounded_in_items_and_in_bytes_and_the_oldest_go_first_and_are_counted() {
        let mut outbox = Outbox::default();
        for _ in 0..ITEMS_LIMIT {
            assert_eq!(enter(&mut outbox, 1), 0);
        }
        assert_eq!(enter(&mut outbox, 1), 1);
        assert_eq!((outbox.waiting().len(), numbers(&outbox)[0], outbox.done_through()), (ITEMS_LIMIT, 2, 1));
        let given_up = enter(&mut outbox, BYTES_LIMIT - 1);
        assert_eq!(given_up, u64::try_from(ITEMS_LIMIT - 1).unwrap());
        assert_eq!(outbox.bytes(), BYTES_LIMIT);
        enter(&mut outbox, BYTES_LIMIT + 1);
        assert_eq!(outbox.waiting().len(), 1, "one alone is taken, however large");
    }

    #[test]
    fn what_is_held_is_released_once() {
        let mut outbox = Outbox::default();
        outbox.hold("a");
        outbox.hold("a");
        assert!(outbox.release("a"));
        assert!(!outbox.release("a"));
    }
}
