//! What is known of the messages of a department in a stretch of event time.

use serde::{Deserialize, Serialize};

use super::sample::{self, Rank, SAMPLES, Sample, Unhappy};
use super::{Customers, Voice};
use crate::message::Signal;

/// Sums, sets and the best of some messages. Any two of them can be put together, in any order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// All messages.
    pub(super) messages: u32,
    /// Those with a signal, by signal; those without any message are left out.
    pub(super) signals: Vec<(Signal, u32)>,
    /// Who wrote any, an unhappy one, a severe one.
    pub(super) everyone: Customers,
    pub(super) unhappy: Customers,
    pub(super) severe: Customers,
    /// The most telling unhappy ones.
    pub(super) samples: Vec<Sample>,
}

impl Stretch {
    /// Takes a message in; its id is asked for only where it may be one of the samples.
    pub(super) fn add(&mut self, voice: &Voice<'_>, id: impl FnOnce() -> String) {
        self.messages = self.messages.saturating_add(1);
        voice.score.signals.iter().for_each(|signal| self.count(signal, 1));
        let unhappy = Unhappy::of(voice);
        if let Some(customer) = voice.customer {
            self.everyone.insert(customer);
            if unhappy.is_any() {
                self.unhappy.insert(customer);
            }
            if unhappy.severe {
                self.severe.insert(customer);
            }
        }
        let rank = Rank::of(voice);
        if unhappy.is_any() && sample::may_be_kept(&self.samples, rank) {
            sample::keep(&mut self.samples, Sample::new(rank, unhappy, voice.customer, id()));
        }
    }

    /// Takes in all of another one.
    pub(super) fn merge(&mut self, other: &Self) {
        self.messages = self.messages.saturating_add(other.messages);
        other.signals.iter().for_each(|(signal, messages)| self.count(*signal, *messages));
        self.everyone.merge(&other.everyone);
        self.unhappy.merge(&other.unhappy);
        self.severe.merge(&other.severe);
        other.samples.iter().for_each(|found| sample::keep(&mut self.samples, found.clone()));
    }

    /// Whether it is what it should be, wherever it came from.
    pub(super) fn is_sound(&self) -> bool {
        let in_order = self.signals.is_sorted_by(|one, other| one.0 < other.0);
        let mut customers = [&self.everyone, &self.unhappy, &self.severe].into_iter();
        in_order && self.samples.len() <= SAMPLES && customers.all(Customers::is_sound)
    }

    fn count(&mut self, signal: Signal, messages: u32) {
        match self.signals.binary_search_by_key(&signal, |(known, _)| *known) {
            Ok(place) => self.signals[place].1 = self.signals[place].1.saturating_add(messages),
            Err(place) => self.signals.insert(place, (signal, messages)),
        }
    }
}
