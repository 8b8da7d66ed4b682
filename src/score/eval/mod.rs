//! A scorer's figures on labelled sets, with seeded bootstrap intervals, and two scorers side by side.

mod bootstrap;
mod calibration;
mod cases;
mod compare;
mod figures;
mod language;
mod parts;
mod report;
mod seen;
mod signals;
mod windows;

pub use bootstrap::Interval;
pub use compare::{ComparedFigure, Comparison, Figure, Verdict, compare, comparison_table, mean_of};
pub use figures::{ClassFigures, FrustrationFigures, SentimentFigures};
pub use language::{ENOUGH_WORDS, LanguageFigures};
pub use parts::{By, Part, groups};
pub use report::{SetReport, table};
pub use seen::Seen;
pub use signals::{SignalFigures, SignalsFigures};
pub use windows::{WINDOW_MESSAGES, WindowFigures};

use super::Scorer;
use super::shares::{ShareTable, Shares};

/// How intervals are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootstrapPlan {
    /// Samples drawn; 0 gives no intervals.
    pub samples: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl BootstrapPlan {
    /// The plan of the set at this place: draws of its own, so that sets of one size are not redrawn alike.
    #[must_use]
    pub const fn for_set(self, at: usize) -> Self {
        Self { seed: self.seed.wrapping_add(at as u64), ..self }
    }
}

/// Scores a part's rows and compares with their labels; `shares` are the tables of the scorer's model.
pub fn evaluate(part: &Part<'_>, scorer: &mut dyn Scorer, shares: &Shares, plan: BootstrapPlan) -> SetReport {
    let cases = cases::score(part, scorer);
    let sentiment: Vec<_> = cases.iter().filter_map(|case| case.sentiment).collect();
    let frustration: Vec<_> = cases.iter().filter_map(|case| case.frustration).collect();
    let signals: Vec<_> = cases.iter().filter_map(|case| case.signals).collect();
    let language: Vec<_> = cases.iter().filter_map(|case| case.language).collect();
    let windows = |head: usize, table: &Option<ShareTable>| {
        let cases: Vec<_> = cases.iter().filter_map(|case| case.in_windows[head]).collect();
        WindowFigures::of(&cases, table.as_ref()?, plan.seed)
    };
    SetReport {
        by: part.by.map(By::as_str),
        set: part.name.clone(),
        rows: part.rows.len(),
        unlabelled: part.unlabelled,
        seen: part.seen,
        sentiment: SentimentFigures::of(&sentiment, plan),
        frustration: FrustrationFigures::of(&frustration, plan),
        signals: SignalsFigures::of(&signals, plan),
        language: LanguageFigures::of(&language),
        negative_windows: windows(0, &shares.sentiment),
        frustrated_windows: windows(1, &shares.frustration),
    }
}
