//! The figures themselves.

use serde::Serialize;

use super::BootstrapPlan;
use super::bootstrap::{Interval, interval};
use super::calibration::{self, Outcome};
use crate::message::{FRUSTRATED_FROM, Score, Sentiment};
use crate::score::labels::sentiment_index;

/// Rows are the labels, columns what the scorer said; negative, neutral, positive.
pub(super) type Confusion = [[u64; 3]; 3];

/// A labelled text as the scorer saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SentimentCase {
    label: usize,
    said: usize,
    confidence: f32,
}

impl SentimentCase {
    pub(super) fn new(label: Sentiment, score: &Score) -> Self {
        let said = score.sentiment.label();
        let confidence = match said {
            Sentiment::Negative => score.sentiment.negative,
            Sentiment::Neutral => score.sentiment.neutral,
            Sentiment::Positive => score.sentiment.positive,
        };
        Self { label: sentiment_index(label), said: sentiment_index(said), confidence: confidence.get() }
    }

    fn outcome(&self) -> Outcome {
        Outcome { said: self.confidence, came_true: self.said == self.label }
    }
}

/// A text whose frustration is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrustrationCase {
    pub(super) frustrated: bool,
    pub(super) score: f32,
}

impl FrustrationCase {
    fn outcome(&self) -> Outcome {
        Outcome { said: self.score, came_true: self.frustrated }
    }
}

/// Figures of one sentiment, each 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Which sentiment.
    pub sentiment: Sentiment,
    /// Rows of it.
    pub rows: u64,
    /// Share of right ones among those called so; absent where none was.
    pub precision: Option<f64>,
    /// Share of found ones among those that are so; absent where there are none.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// Figures of the sentiment head, each 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SentimentFigures {
    /// Rows with one sentiment.
    pub rows: usize,
    /// Mean F1 of the sentiments that the set holds.
    pub macro_f1: f64,
    /// Its 95 % interval.
    pub macro_f1_interval: Option<Interval>,
    /// Share of right ones.
    pub accuracy: f64,
    /// Mean recall of the sentiments that the set holds.
    pub macro_recall: f64,
    /// Mean probability of the said sentiment; more than `accuracy` in a scorer that is too sure.
    pub confidence: f64,
    /// Expected calibration error of the said sentiment, ten bins of one width. Few rows raise it.
    pub calibration_error: f64,
    /// Its 95 % interval.
    pub calibration_error_interval: Option<Interval>,
    /// Where it is in 95 of 100 draws for a scorer that says the same and is right as often as it says.
    pub calibration_error_if_perfect: Option<Interval>,
    /// By sentiment.
    pub classes: Vec<ClassFigures>,
    /// Rows: labels; columns: said; negative, neutral, positive.
    pub confusion: Confusion,
}

impl SentimentFigures {
    pub(super) fn of(cases: &[SentimentCase], plan: BootstrapPlan) -> Option<Self> {
        let confusion = confusion(cases);
        let classes: Vec<ClassFigures> = (0..3).map(|class| class_figures(&confusion, class)).collect();
        let right: u64 = (0..3).map(|class| confusion[class][class]).sum();
        let outcomes: Vec<Outcome> = cases.iter().map(SentimentCase::outcome).collect();
        let recalls: Vec<f64> = classes.iter().filter_map(|class| class.recall).collect();
        Some(Self {
            rows: cases.len(),
            macro_f1: macro_f1(&confusion)?,
            macro_f1_interval: interval(cases, plan, sentiment_macro_f1),
            accuracy: ratio(right, cases.len() as u64)?,
            macro_recall: mean(&recalls)?,
            confidence: calibration::confidence(&outcomes)?,
            calibration_error: calibration::error(&outcomes)?,
            calibration_error_interval: interval(&outcomes, plan, calibration::error),
            calibration_error_if_perfect: calibration::error_if_perfect(&outcomes, plan),
            classes,
            confusion,
        })
    }
}

/// Figures of the frustration head, each 0 to 1; called frustrated from 0.5 on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrustrationFigures {
    /// Rows whose frustration is known.
    pub rows: usize,
    /// Frustrated ones among them.
    pub frustrated: usize,
    /// Area under the ROC curve: how often a frustrated text scores above another.
    pub roc_auc: f64,
    /// Its 95 % interval.
    pub roc_auc_interval: Option<Interval>,
    /// Area under the precision-recall curve (average precision).
    pub pr_auc: f64,
    /// Share of right ones among those called frustrated; absent where none was.
    pub precision: Option<f64>,
    /// Share of found ones among the frustrated.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Its 95 % interval.
    pub f1_interval: Option<Interval>,
    /// Expected calibration error of the probability, ten bins.
    pub calibration_error: f64,
}

impl FrustrationFigures {
    /// Nothing where either side has no row.
    pub(super) fn of(cases: &[FrustrationCase], plan: BootstrapPlan) -> Option<Self> {
        let called = Called::of(cases);
        let outcomes: Vec<Outcome> = cases.iter().map(FrustrationCase::outcome).collect();
        Some(Self {
            rows: cases.len(),
            frustrated: cases.iter().filter(|case| case.frustrated).count(),
            roc_auc: roc_auc(cases)?,
            roc_auc_interval: interval(cases, plan, roc_auc),
            pr_auc: pr_auc(cases)?,
            precision: ratio(called.right, called.right + called.wrong),
            recall: ratio(called.right, called.right + called.missed),
            f1: called.f1()?,
            f1_interval: interval(cases, plan, frustration_f1),
            calibration_error: calibration::error(&outcomes)?,
        })
    }
}

/// F1 of what is called frustrated.
pub(super) fn frustration_f1(cases: &[FrustrationCase]) -> Option<f64> {
    Called::of(cases).f1()
}

struct Called {
    right: u64,
    wrong: u64,
    missed: u64,
}

impl Called {
    fn of(cases: &[FrustrationCase]) -> Self {
        let mut called = Self { right: 0, wrong: 0, missed: 0 };
        for case in cases {
            match (case.score >= FRUSTRATED_FROM, case.frustrated) {
                (true, true) => called.right += 1,
                (true, false) => called.wrong += 1,
                (false, true) => called.missed += 1,
                (false, false) => {}
            }
        }
        called
    }

    fn f1(&self) -> Option<f64> {
        ratio(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

fn confusion(cases: &[SentimentCase]) -> Confusion {
    let mut confusion = Confusion::default();
    for case in cases {
        confusion[case.label][case.said] += 1;
    }
    confusion
}

fn class_figures(confusion: &Confusion, class: usize) -> ClassFigures {
    let right = confusion[class][class];
    let said: u64 = confusion.iter().map(|label| label[class]).sum();
    let rows: u64 = confusion[class].iter().sum();
    ClassFigures {
        sentiment: Sentiment::ALL[class],
        rows,
        precision: ratio(right, said),
        recall: ratio(right, rows),
        f1: ratio(2 * right, said + rows).unwrap_or_default(),
    }
}

/// Mean F1 of the sentiments that these rows hold.
pub(super) fn sentiment_macro_f1(cases: &[SentimentCase]) -> Option<f64> {
    macro_f1(&confusion(cases))
}

/// Over the sentiments that the set holds; a set of two sentiments is not marked down for the third.
fn macro_f1(confusion: &Confusion) -> Option<f64> {
    let present: Vec<f64> = (0..3)
        .map(|class| class_figures(confusion, class))
        .filter(|class| class.rows > 0)
        .map(|class| class.f1)
        .collect();
    mean(&present)
}

/// Mann-Whitney: the share of (frustrated, other) pairs in the right order, ties half.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
pub(super) fn roc_auc(cases: &[FrustrationCase]) -> Option<f64> {
    let mut sorted: Vec<&FrustrationCase> = cases.iter().collect();
    sorted.sort_unstable_by(|one, other| one.score.total_cmp(&other.score));
    let (mut below, mut pairs) = (0_u64, 0.0_f64);
    for tied in sorted.chunk_by(|one, other| one.score == other.score) {
        let frustrated = tied.iter().filter(|case| case.frustrated).count() as u64;
        let others = tied.len() as u64 - frustrated;
        pairs += frustrated as f64 * (below as f64 + others as f64 / 2.0);
        below += others;
    }
    let frustrated = cases.len() as u64 - below;
    (frustrated > 0 && below > 0).then(|| pairs / (frustrated as f64 * below as f64))
}

/// Average precision: the sum over thresholds of precision times the recall gained.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn pr_auc(cases: &[FrustrationCase]) -> Option<f64> {
    let mut sorted: Vec<&FrustrationCase> = cases.iter().collect();
    sorted.sort_unstable_by(|one, other| other.score.total_cmp(&one.score));
    let total = cases.iter().filter(|case| case.frustrated).count();
    let (mut found, mut called, mut area) = (0_usize, 0_usize, 0.0_f64);
    for tied in sorted.chunk_by(|one, other| one.score == other.score) {
        let gained = tied.iter().filter(|case| case.frustrated).count();
        found += gained;
        called += tied.len();
        area += gained as f64 * (found as f64 / called as f64);
    }
    (total > 0).then(|| area / total as f64)
}

/// Part of a whole; nothing of nothing.
pub(super) fn share(part: usize, whole: usize) -> Option<f64> {
    ratio(part as u64, whole as u64)
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[expect(clippy::cast_precision_loss, reason = "three numbers")]
fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn case(frustrated: bool, score: f32) -> FrustrationCase {
        FrustrationCase { frustrated, score }
    }

    #[test]
    fn areas_agree_with_a_case_worked_by_hand() {
        let cases = [case(true, 0.9), case(false, 0.8), case(true, 0.7), case(false, 0.1)];
        assert!((roc_auc(&cases).unwrap() - 0.75).abs() < 1e-12);
        // Precision 1/1 at the first, 2/3 at the second frustrated text.
        assert!((pr_auc(&cases).unwrap() - f64::midpoint(1.0, 2.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn a_set_of_one_side_has_no_area() {
        assert_eq!(roc_auc(&[case(true, 0.5)]), None);
        assert_eq!(roc_auc(&[]), None);
    }

    #[test]
    fn f1_agrees_with_a_case_worked_by_hand() {
        let confusion = [[2, 1, 0], [0, 1, 0], [0, 0, 0]];
        // Negative: precision 1, recall 2/3, F1 0.8; neutral: precision 1/2, recall 1, F1 2/3; no positive row.
        assert!((macro_f1(&confusion).unwrap() - f64::midpoint(0.8, 2.0 / 3.0)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_roc_area_agrees_with_counting_pairs(cases in proptest::collection::vec((any::<bool>(), 0_u8..6), 0..60)) {
            let cases: Vec<_> = cases.into_iter().map(|(side, score)| case(side, f32::from(score) / 5.0)).collect();
            let (mut pairs, mut won) = (0.0, 0.0);
            for one in cases.iter().filter(|case| case.frustrated) {
                for other in cases.iter().filter(|case| !case.frustrated) {
                    pairs += 1.0;
                    won += if one.score > other.score { 1.0 } else if one.score == other.score { 0.5 } else { 0.0 };
                }
            }
            match roc_auc(&cases) {
                None => prop_assert_eq!(pairs, 0.0),
                Some(area) => prop_assert!((area - won / pairs).abs() < 1e-9),
            }
        }
    }
}
