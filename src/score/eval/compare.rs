//! Two scorers on the same rows: by how much their figures differ, and whether so many rows can tell.

use std::fmt::Write as _;

use serde::Serialize;

use super::bootstrap::{Interval, differences};
use super::cases::{self, Case};
use super::figures::{frustration_f1, roc_auc, sentiment_macro_f1};
use super::parts::{By, Part, title};
use super::report::percent;
use super::{BootstrapPlan, signals};
use crate::score::Scorer;

/// What can be said of the second scorer against the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval of the difference is above 0.
    Better,
    /// The whole interval is below 0.
    Worse,
    /// No redraw differs.
    Same,
    /// The interval holds 0.
    CannotBeTold,
}

/// Which figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Mean F1 of the sentiments that the set holds.
    SentimentMacroF1,
    /// Area under the ROC curve of frustration.
    FrustrationRocAuc,
    /// F1 of what is called frustrated.
    FrustrationF1,
    /// Mean F1 of the most frequent signals.
    SignalsMacroF1,
}

impl Figure {
    const ALL: [Self; 4] = [Self::SentimentMacroF1, Self::FrustrationRocAuc, Self::FrustrationF1, Self::SignalsMacroF1];

    const fn as_str(self) -> &'static str {
        match self {
            Self::SentimentMacroF1 => "sentiment macro-F1",
            Self::FrustrationRocAuc => "frustration ROC-AUC",
            Self::FrustrationF1 => "frustration F1",
            Self::SignalsMacroF1 => "signals macro-F1",
        }
    }
}

/// One figure of both scorers, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// Which figure.
    pub figure: Figure,
    /// Sets that it is the mean of; absent where it is no mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sets: Option<usize>,
    /// Rows that it is of.
    pub rows: usize,
    /// The first scorer's.
    pub a: f64,
    /// The second scorer's.
    pub b: f64,
    /// The second's less the first's.
    pub difference: f64,
    /// The difference's 95 % interval, from redrawing the rows for both alike.
    pub interval: Interval,
    /// Share of redraws in which the second is ahead; even ones count half.
    pub b_ahead: f64,
    /// What this says.
    pub verdict: Verdict,
    /// The difference in each redraw.
    #[serde(skip)]
    redraws: Vec<Option<f64>>,
}

/// Both scorers on one set, or on one group of rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What the rows were grouped by; absent for a set, and for all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// The set's name and language, or the group's name.
    pub set: String,
    /// Labelled rows.
    pub rows: usize,
    /// The figures that the labels allow.
    pub figures: Vec<ComparedFigure>,
}

/// Scores a part's rows with both and compares. The plan must draw at least one sample.
pub fn compare(part: &Part<'_>, a: &mut dyn Scorer, b: &mut dyn Scorer, plan: BootstrapPlan) -> Comparison {
    let (a, b) = (cases::score(part, a), cases::score(part, b));
    let pairs = Pairs { a: &a, b: &b, plan };
    let counted = signals::counted(&a.iter().filter_map(|case| case.signals).collect::<Vec<_>>());
    let mut figures = Vec::new();
    figures.extend(pairs.figure(Figure::SentimentMacroF1, |case| case.sentiment, sentiment_macro_f1));
    // Without frustrated rows there is no area, and an F1 of 0 says nothing.
    if let Some(area) = pairs.figure(Figure::FrustrationRocAuc, |case| case.frustration, roc_auc) {
        figures.push(area);
        figures.extend(pairs.figure(Figure::FrustrationF1, |case| case.frustration, frustration_f1));
    }
    let of_signals = |cases: &[_]| signals::macro_f1(&counted, cases);
    figures.extend(pairs.figure(Figure::SignalsMacroF1, |case| case.signals, of_signals));
    Comparison { by: part.by.map(By::as_str), set: part.name.clone(), rows: part.rows.len(), figures }
}

struct Pairs<'a> {
    a: &'a [Case],
    b: &'a [Case],
    plan: BootstrapPlan,
}

impl Pairs<'_> {
    fn figure<C: Copy>(
        &self,
        name: Figure,
        of: impl Fn(&Case) -> Option<C>,
        figure: impl Fn(&[C]) -> Option<f64>,
    ) -> Option<ComparedFigure> {
        let pairs: Vec<(C, C)> = self.a.iter().map(&of).zip(self.b.iter().map(&of)).filter_map(both).collect();
        let (a, b): (Vec<C>, Vec<C>) = pairs.iter().copied().unzip();
        let (a, b) = (figure(&a)?, figure(&b)?);
        ComparedFigure::of(name, pairs.len(), [a, b], differences(&pairs, self.plan, figure))
    }
}

fn both<C>((a, b): (Option<C>, Option<C>)) -> Option<(C, C)> {
    a.zip(b)
}

impl ComparedFigure {
    fn of(figure: Figure, rows: usize, [a, b]: [f64; 2], redraws: Vec<Option<f64>>) -> Option<Self> {
        let known: Vec<f64> = redraws.iter().flatten().copied().collect();
        let interval = Interval::of(&known)?;
        Some(Self {
            figure,
            sets: None,
            rows,
            a,
            b,
            difference: b - a,
            interval,
            b_ahead: ahead(&known),
            verdict: Verdict::of(interval, &known),
            redraws,
        })
    }

    /// The verdict in words.
    #[must_use]
    pub fn told(&self) -> String {
        match self.verdict {
            Verdict::Better => "B is better".to_owned(),
            Verdict::Worse => "B is worse".to_owned(),
            Verdict::Same => "both are the same here".to_owned(),
            Verdict::CannotBeTold => {
                let width = (self.interval.high - self.interval.low) / 2.0;
                let rows = self.rows;
                format!(
                    "cannot be told with {rows} rows; a difference from about {} points on could be",
                    percent(width)
                )
            }
        }
    }
}

impl Verdict {
    fn of(interval: Interval, differences: &[f64]) -> Self {
        if differences.iter().all(|&difference| difference == 0.0) {
            return Self::Same;
        }
        match interval {
            Interval { low, .. } if low > 0.0 => Self::Better,
            Interval { high, .. } if high < 0.0 => Self::Worse,
            Interval { .. } => Self::CannotBeTold,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of redraws are far below 2^52")]
fn ahead(differences: &[f64]) -> f64 {
    let points = differences.iter().map(|difference| match difference.total_cmp(&0.0) {
        std::cmp::Ordering::Greater => 1.0,
        _ if *difference == 0.0 => 0.5,
        _ => 0.0,
    });
    points.sum::<f64>() / differences.len() as f64
}

/// The mean over sets of each figure, every set that has it counting alike. Nothing of figures that fewer than two sets have.
#[must_use]
pub fn mean_of(sets: &[Comparison]) -> Option<Comparison> {
    let figures: Vec<ComparedFigure> = Figure::ALL.into_iter().filter_map(|name| mean_figure(name, sets)).collect();
    let is_in_a_mean = |found: &ComparedFigure| figures.iter().any(|mean| mean.figure == found.figure);
    let rows = sets.iter().filter(|set| set.figures.iter().any(is_in_a_mean)).map(|set| set.rows).sum();
    (!figures.is_empty()).then(|| Comparison {
        by: None,
        set: "mean over sets, every set counting alike".to_owned(),
        rows,
        figures,
    })
}

fn mean_figure(name: Figure, sets: &[Comparison]) -> Option<ComparedFigure> {
    let of: Vec<&ComparedFigure> =
        sets.iter().flat_map(|set| &set.figures).filter(|found| found.figure == name).collect();
    if of.len() < 2 {
        return None;
    }
    let rows = of.iter().map(|figure| figure.rows).sum();
    let redraws = of.iter().map(|figure| figure.redraws.len()).min()?;
    let a = mean(of.iter().map(|figure| Some(figure.a)))?;
    let b = mean(of.iter().map(|figure| Some(figure.b)))?;
    let redraws = (0..redraws).map(|at| mean(of.iter().map(|figure| figure.redraws[at]))).collect();
    let found = ComparedFigure::of(name, rows, [a, b], redraws)?;
    Some(ComparedFigure { sets: Some(of.len()), ..found })
}

/// Nothing where one is missing.
#[expect(clippy::cast_precision_loss, reason = "counts of sets are far below 2^52")]
fn mean(numbers: impl ExactSizeIterator<Item = Option<f64>>) -> Option<f64> {
    let count = numbers.len();
    let sum: f64 = numbers.sum::<Option<f64>>()?;
    (count > 0).then(|| sum / count as f64)
}

/// The comparisons as a text of tables.
#[must_use]
pub fn comparison_table(comparisons: &[Comparison]) -> String {
    let mut text = String::new();
    for comparison in comparisons {
        // Writing to a string cannot fail.
        let _always_ok = write_comparison(&mut text, comparison);
    }
    text
}

fn write_comparison(text: &mut String, comparison: &Comparison) -> std::fmt::Result {
    writeln!(text, "{}: {} rows", title(comparison.by, &comparison.set), comparison.rows)?;
    if comparison.figures.is_empty() {
        writeln!(text, "  no figure: its rows have labels of one kind alone")?;
    }
    for figure in &comparison.figures {
        writeln!(
            text,
            "  {:<20}A {:>5}  B {:>5}  B - A {:>+5.1} [{:+.1}, {:+.1}]  B ahead in {:>5} %: {}{}",
            figure.figure.as_str(),
            percent(figure.a),
            percent(figure.b),
            points(figure.difference),
            points(figure.interval.low),
            points(figure.interval.high),
            percent(figure.b_ahead),
            figure.told(),
            figure.sets.map_or_else(String::new, |sets| format!(" (mean of {sets} sets)")),
        )?;
    }
    writeln!(text)
}

/// Hundredths; never -0.
fn points(share: f64) -> f64 {
    (share * 1_000.0).round() / 10.0 + 0.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
