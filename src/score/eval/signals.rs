//! How well signals are found.

use serde::Serialize;

use super::BootstrapPlan;
use super::bootstrap::{Interval, interval};
use super::figures::share;
use crate::message::{Signal, SignalSet};

/// Signals that the mean is taken over: the most frequent ones of the set.
const MACRO_OF: usize = 8;

/// Figures of one signal, each 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalFigures {
    /// Which signal.
    pub signal: Signal,
    /// Rows that have it.
    pub rows: usize,
    /// Share of right ones among those called so; absent where none was.
    pub precision: Option<f64>,
    /// Share of found ones among those that are so; absent where there are none.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// Figures of all signals, each 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalsFigures {
    /// Rows whose signals are known.
    pub rows: usize,
    /// How many signals [`Self::macro_f1`] is the mean over: the eight most frequent, or all that the set holds.
    pub macro_of: usize,
    /// Mean F1 of the most frequent signals.
    pub macro_f1: f64,
    /// Its 95 % interval; the signals stay those of the whole set.
    pub macro_f1_interval: Option<Interval>,
    /// By signal, the most frequent first.
    pub signals: Vec<SignalFigures>,
}

/// A row's signals: labelled, said.
pub(super) type SignalsCase = (SignalSet, SignalSet);

impl SignalsFigures {
    /// Nothing where no row has a signal.
    pub(super) fn of(cases: &[SignalsCase], plan: BootstrapPlan) -> Option<Self> {
        let signals = by_frequency(cases);
        let counted = most_frequent(&signals);
        Some(Self {
            rows: cases.len(),
            macro_of: counted.len(),
            macro_f1: macro_f1(&counted, cases)?,
            macro_f1_interval: interval(cases, plan, |sample| macro_f1(&counted, sample)),
            signals,
        })
    }
}

/// Signals that the mean is taken over.
pub(super) fn counted(cases: &[SignalsCase]) -> Vec<Signal> {
    most_frequent(&by_frequency(cases))
}

fn most_frequent(signals: &[SignalFigures]) -> Vec<Signal> {
    signals.iter().take(MACRO_OF).map(|figures| figures.signal).collect()
}

/// Mean F1 of these signals, as far as these rows have or are said to have them.
#[expect(clippy::cast_precision_loss, reason = "at most eight")]
pub(super) fn macro_f1(counted: &[Signal], cases: &[SignalsCase]) -> Option<f64> {
    let f1s: Vec<f64> = counted.iter().filter_map(|&signal| Found::of(signal, cases).f1()).collect();
    (!f1s.is_empty()).then(|| f1s.iter().sum::<f64>() / f1s.len() as f64)
}

/// The signals that rows have, the most frequent first.
fn by_frequency(cases: &[SignalsCase]) -> Vec<SignalFigures> {
    let mut signals: Vec<SignalFigures> =
        Signal::ALL.iter().map(|signal| figures(*signal, cases)).filter(|figures| figures.rows > 0).collect();
    signals.sort_by_key(|figures| std::cmp::Reverse(figures.rows));
    signals
}

struct Found {
    right: usize,
    missed: usize,
    wrong: usize,
}

impl Found {
    fn of(signal: Signal, cases: &[SignalsCase]) -> Self {
        let mut found = Self { right: 0, missed: 0, wrong: 0 };
        for (labelled, said) in cases {
            match (labelled.contains(signal), said.contains(signal)) {
                (true, true) => found.right += 1,
                (true, false) => found.missed += 1,
                (false, true) => found.wrong += 1,
                (false, false) => {}
            }
        }
        found
    }

    fn f1(&self) -> Option<f64> {
        share(2 * self.right, 2 * self.right + self.missed + self.wrong)
    }
}

fn figures(signal: Signal, cases: &[SignalsCase]) -> SignalFigures {
    let found = Found::of(signal, cases);
    SignalFigures {
        signal,
        rows: found.right + found.missed,
        precision: share(found.right, found.right + found.wrong),
        recall: share(found.right, found.right + found.missed),
        f1: found.f1().unwrap_or_default(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NO_INTERVALS: BootstrapPlan = BootstrapPlan { samples: 0, seed: 0 };

    fn set(signals: &[Signal]) -> SignalSet {
        signals.iter().copied().collect()
    }

    #[test]
    fn figures_agree_with_a_case_worked_by_hand() {
        use Signal::{Praise, Waiting};
        let cases = [
            (set(&[Waiting]), set(&[Waiting])),
            (set(&[Waiting, Praise]), set(&[])),
            (set(&[]), set(&[Waiting])),
            (set(&[Waiting]), set(&[Waiting])),
        ];
        let figures = SignalsFigures::of(&cases, NO_INTERVALS).unwrap();
        // Waiting: 2 right, 1 missed, 1 wrong; praise: 1 missed.
        assert_eq!((figures.signals[0].signal, figures.signals[0].rows), (Waiting, 3));
        assert!((figures.signals[0].precision.unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert!((figures.signals[0].f1 - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(
            (figures.signals[1].signal, figures.signals[1].precision, figures.signals[1].f1),
            (Praise, None, 0.0)
        );
        assert!((figures.macro_f1 - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_set_without_signals_has_no_figures() {
        assert_eq!(SignalsFigures::of(&[(SignalSet::EMPTY, set(&[Signal::Praise]))], NO_INTERVALS), None);
    }
}
