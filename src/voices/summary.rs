//! What an alert tells of who wrote.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sample::{self, Sample, Unhappy};
use super::{Customers, Stretch};
use crate::message::{Signal, SignalSet};

/// So many signals are told.
const SIGNALS: usize = 5;

/// Of fewer messages before nothing can be said of what is usual.
const ENOUGH_BEFORE: u64 = 100;

/// Whose voices are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voiced {
    /// Who wrote anything.
    Everyone,
    /// Who was unhappy; of those messages the negative ones are samples.
    Negative,
    /// The same with frustrated ones.
    Frustrated,
    /// Who was unhappy in either way.
    Unhappy,
    /// Who wrote a message with one of these signals.
    Severe(SignalSet),
}

/// What there is to tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Different customers, of records that say who wrote them; none where none of those behind it does.
    pub customers: Option<u64>,
    /// The signals that stand out most, at most 5.
    pub signals: Vec<SignalFound>,
    /// Ids of the most telling messages, at most 3.
    pub samples: Vec<String>,
}

/// Messages with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalFound {
    /// Which.
    pub signal: Signal,
    /// How many.
    pub messages: u64,
    /// How many times the part of the messages that had it in the hours before; none where there were too few.
    pub times_usual: Option<f64>,
}

/// Signals that tell of no trouble.
const HAPPY: [Signal; 2] = [Signal::Praise, Signal::Resolved];

impl Voiced {
    fn customers(self, stretch: &Stretch) -> &Customers {
        match self {
            Self::Everyone => &stretch.everyone,
            Self::Negative | Self::Frustrated | Self::Unhappy => &stretch.unhappy,
            Self::Severe(_) => &stretch.severe,
        }
    }

    fn is_sample(self, unhappy: Unhappy) -> bool {
        match self {
            Self::Everyone | Self::Unhappy => unhappy.is_any(),
            Self::Negative => unhappy.negative,
            Self::Frustrated => unhappy.frustrated,
            Self::Severe(_) => unhappy.severe,
        }
    }

    fn is_told(self, signal: Signal) -> bool {
        match self {
            Self::Everyone => true,
            Self::Negative | Self::Frustrated | Self::Unhappy => !HAPPY.contains(&signal),
            Self::Severe(signals) => signals.contains(signal),
        }
    }
}

/// Of some stretches; those before tell what is usual.
pub(super) fn of(within: &[&Stretch], before: &[&Stretch], about: Voiced) -> Summary {
    let is_known = within.iter().any(|stretch| !about.customers(stretch).is_empty());
    let customers = is_known.then(|| Customers::count(within.iter().map(|stretch| about.customers(stretch))));
    let mut samples: Vec<Sample> = Vec::new();
    for found in within.iter().flat_map(|stretch| &stretch.samples).filter(|found| about.is_sample(found.unhappy)) {
        sample::keep(&mut samples, found.clone());
    }
    Summary {
        customers,
        signals: signals(within, before, about),
        samples: samples.into_iter().map(|sample| sample.id.into()).collect(),
    }
}

/// Those that are most beyond what is usual: where that is not known, those of the most messages.
#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 messages")]
fn signals(within: &[&Stretch], before: &[&Stretch], about: Voiced) -> Vec<SignalFound> {
    let (messages, usually) = (messages_of(within), messages_of(before));
    let usual = counts_of(before);
    let mut found: Vec<(f64, SignalFound)> = Vec::new();
    for (signal, count) in counts_of(within).into_iter().filter(|(signal, _)| about.is_told(*signal)) {
        let before = usual.get(&signal).copied().unwrap_or_default() as f64;
        // Half a message more, so that what never came is no division by zero.
        let expected = (before + 0.5) / (usually as f64 + 1.0) * messages as f64;
        let is_known = usually >= ENOUGH_BEFORE;
        let times_usual = is_known.then(|| (count as f64 / expected * 100.0).round() / 100.0);
        let excess = count as f64 - if is_known { expected } else { 0.0 };
        found.push((excess, SignalFound { signal, messages: count, times_usual }));
    }
    found.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.signal.cmp(&b.signal)));
    found.truncate(SIGNALS);
    found.into_iter().map(|(_, found)| found).collect()
}

fn messages_of(stretches: &[&Stretch]) -> u64 {
    stretches.iter().map(|stretch| u64::from(stretch.messages)).sum()
}

fn counts_of(stretches: &[&Stretch]) -> BTreeMap<Signal, u64> {
    let mut counts = BTreeMap::new();
    for (signal, messages) in stretches.iter().flat_map(|stretch| &stretch.signals) {
        *counts.entry(*signal).or_default() += u64::from(*messages);
    }
    counts
}
