//! Named reasons found in a text, and sets of them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

closed_set! {
    /// A named reason found in a customer's text. Checkpoints keep them by their places: new ones go to the end.
    Signal {
        /// Asks for a person, or cannot reach one.
        HumanRequest => "human_request",
        /// Is stuck in a bot, a menu, a recording or canned replies.
        BotLoop => "bot_loop",
        /// Has written, called or gone before about the same.
        RepeatContact => "repeat_contact",
        /// Is sent from one place to another.
        Handoff => "handoff",
        /// Waits, queues, or something is late.
        Waiting => "waiting",
        /// A known problem is still not solved.
        Unresolved => "unresolved",
        /// Will leave, cancel or switch.
        ChurnThreat => "churn_threat",
        /// Regulator, consumer office, lawyer or lawsuit.
        LegalThreat => "legal_threat",
        /// Violence or self-harm.
        HarmThreat => "harm_threat",
        /// Insults or obscenities.
        Abuse => "abuse",
        /// A wrong, double or unknown charge, or a missing refund.
        BillingDispute => "billing_dispute",
        /// Something is down, fails, does not load, or rejects.
        Outage => "outage",
        /// A scam, stolen money, a cloned card, impersonation.
        Fraud => "fraud",
        /// Praises or thanks warmly.
        Praise => "praise",
        /// It got solved.
        Resolved => "resolved",
        /// Asks how, when, where or whether.
        InformationRequest => "information_request",
    }
}

/// A set of [`Signal`]s, as small as a number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SignalSet(u32);

impl SignalSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);

    /// Whether none is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in it.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether that one is in it.
    #[must_use]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & bit(signal) != 0
    }

    /// Puts one in.
    pub const fn insert(&mut self, signal: Signal) {
        self.0 |= bit(signal);
    }

    /// Whether one is in both.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Its members, in the order of [`Signal::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::ALL.iter().copied().filter(move |signal| self.contains(*signal))
    }
}

const fn bit(signal: Signal) -> u32 {
    1 << signal as u32
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        let mut set = Self::EMPTY;
        for signal in signals {
            set.insert(signal);
        }
        set
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter().map(Signal::as_str)).finish()
    }
}

/// As a list of names.
impl Serialize for SignalSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for SignalSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Signal>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_every_signal_there_is() {
        let all: SignalSet = Signal::ALL.iter().copied().collect();
        assert_eq!(all.len(), Signal::ALL.len());
        assert!(all.iter().eq(Signal::ALL.iter().copied()));
    }

    #[test]
    fn a_set_is_written_as_names_and_read_back() {
        let set: SignalSet = [Signal::Waiting, Signal::BotLoop].into_iter().collect();
        let written = serde_json::to_string(&set).unwrap();
        assert_eq!(written, r#"["bot_loop","waiting"]"#);
        assert_eq!(serde_json::from_str::<SignalSet>(&written).unwrap(), set);
        assert!(serde_json::from_str::<SignalSet>(r#"["nonsense"]"#).is_err());
    }

    #[test]
    fn joining_two_sets_keeps_what_is_in_either() {
        let one: SignalSet = [Signal::Waiting].into_iter().collect();
        let other: SignalSet = [Signal::Waiting, Signal::Praise].into_iter().collect();
        assert_eq!(one.union(other), other);
        assert_eq!(SignalSet::EMPTY.union(one), one);
    }
}
