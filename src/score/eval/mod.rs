//! A scorer's figures on labelled sets, with seeded bootstrap intervals.

mod bootstrap;
mod cases;
mod figures;
mod language;
mod parts;
mod report;
mod signals;

pub use bootstrap::Interval;
pub use figures::{ClassFigures, FrustrationFigures, SentimentFigures};
pub use language::{ENOUGH_WORDS, LanguageFigures};
pub use parts::{By, Part, groups};
pub use report::{SetReport, table};
pub use signals::{SignalFigures, SignalsFigures};

use super::Scorer;

/// How intervals are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootstrapPlan {
    /// Samples drawn; 0 gives no intervals.
    pub samples: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// Scores a part's rows and compares with their labels.
pub fn evaluate(part: &Part<'_>, scorer: &mut dyn Scorer, plan: BootstrapPlan) -> SetReport {
    let cases = cases::score(part, scorer);
    let sentiment: Vec<_> = cases.iter().filter_map(|case| case.sentiment).collect();
    let frustration: Vec<_> = cases.iter().filter_map(|case| case.frustration).collect();
    let signals: Vec<_> = cases.iter().filter_map(|case| case.signals).collect();
    let language: Vec<_> = cases.iter().filter_map(|case| case.language).collect();
    SetReport {
        by: part.by.map(By::as_str),
        set: part.name.clone(),
        rows: part.rows.len(),
        unlabelled: part.unlabelled,
        sentiment: SentimentFigures::of(&sentiment, plan),
        frustration: FrustrationFigures::of(&frustration, plan),
        signals: SignalsFigures::of(&signals, plan),
        language: LanguageFigures::of(&language),
    }
}
