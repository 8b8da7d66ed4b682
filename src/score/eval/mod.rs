//! A scorer's figures on labelled sets, with seeded bootstrap intervals.

mod bootstrap;
mod figures;
mod report;
mod signals;

pub use bootstrap::Interval;
pub use figures::{ClassFigures, FrustrationFigures, SentimentFigures};
pub use report::{SetReport, table};
pub use signals::{SignalFigures, SignalsFigures};

use super::data::DataSet;
use super::{Scorer, Text};

use figures::{FrustrationCase, SentimentCase};

/// Texts handed to the scorer at once.
const BATCH: usize = 256;

/// How intervals are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootstrapPlan {
    /// Samples drawn; 0 gives no intervals.
    pub samples: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// Scores a set and compares with its labels.
pub fn evaluate(set: &DataSet, scorer: &mut dyn Scorer, plan: BootstrapPlan) -> SetReport {
    let (mut sentiment, mut frustration) = (Vec::new(), Vec::new());
    let mut signals = Vec::new();
    let (mut language_known, mut language_right) = (0_usize, 0_usize);
    let mut scores = Vec::with_capacity(BATCH);
    for rows in set.rows.chunks(BATCH) {
        scores.clear();
        let texts: Vec<Text<'_>> = rows.iter().map(|row| Text { text: &row.text, language: None }).collect();
        scorer.score(&texts, &mut scores);
        for (row, score) in rows.iter().zip(&scores) {
            if let Some(label) = row.targets.sentiment_label() {
                sentiment.push(SentimentCase::new(label, score));
            }
            if let Some(frustrated) = row.targets.frustrated {
                frustration.push(FrustrationCase { frustrated, score: score.frustration.get() });
            }
            if let Some(labelled) = row.signals {
                signals.push((labelled, score.signals));
            }
            if let Some(language) = row.language {
                language_known += 1;
                language_right += usize::from(language == score.language);
            }
        }
    }
    SetReport {
        set: if set.language.is_empty() { set.name.clone() } else { format!("{}.{}", set.name, set.language) },
        rows: set.rows.len(),
        unlabelled: set.unlabelled.len(),
        sentiment: SentimentFigures::of(&sentiment, plan),
        frustration: FrustrationFigures::of(&frustration, plan),
        signals: SignalsFigures::of(&signals),
        language_accuracy: figures::share(language_right, language_known),
    }
}
