//! How well signals are found.

use serde::Serialize;

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
    /// By signal, the most frequent first.
    pub signals: Vec<SignalFigures>,
}

impl SignalsFigures {
    /// Of pairs: labelled, said. Nothing where no row has a signal.
    pub(super) fn of(cases: &[(SignalSet, SignalSet)]) -> Option<Self> {
        let mut signals: Vec<SignalFigures> =
            Signal::ALL.iter().map(|signal| figures(*signal, cases)).filter(|figures| figures.rows > 0).collect();
        signals.sort_by_key(|figures| std::cmp::Reverse(figures.rows));
        let counted = &signals[..signals.len().min(MACRO_OF)];
        let macro_of = counted.len();
        let sum: f64 = counted.iter().map(|figures| figures.f1).sum();
        #[expect(clippy::cast_precision_loss, reason = "at most eight")]
        let macro_f1 = (macro_of > 0).then(|| sum / macro_of as f64)?;
        Some(Self { rows: cases.len(), macro_of, macro_f1, signals })
    }
}

fn figures(signal: Signal, cases: &[(SignalSet, SignalSet)]) -> SignalFigures {
    let count = |wanted: (bool, bool)| {
        cases.iter().filter(|(labelled, said)| (labelled.contains(signal), said.contains(signal)) == wanted).count()
    };
    let (right, missed, wrong) = (count((true, true)), count((true, false)), count((false, true)));
    SignalFigures {
        signal,
        rows: right + missed,
        precision: share(right, right + wrong),
        recall: share(right, right + missed),
        f1: share(2 * right, 2 * right + missed + wrong).unwrap_or_default(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
        let figures = SignalsFigures::of(&cases).unwrap();
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
        assert_eq!(SignalsFigures::of(&[(SignalSet::EMPTY, set(&[Signal::Praise]))]), None);
    }
}
