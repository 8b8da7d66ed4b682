//! Figures for people.

use std::fmt::Write as _;

use serde::Serialize;

use super::bootstrap::Interval;
use super::figures::{FrustrationFigures, SentimentFigures};
use super::language::{ENOUGH_WORDS, LanguageFigures};
use super::parts::title;
use super::signals::SignalsFigures;
use super::windows::{WINDOW_MESSAGES, WindowFigures};
use crate::message::Sentiment;

/// Everything said of one set, or of one group of rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetReport {
    /// What the rows were grouped by; absent for a set, and for all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// The set's name and language, or the group's name.
    pub set: String,
    /// Labelled rows.
    pub rows: usize,
    /// Rows left out because they have no label.
    pub unlabelled: usize,
    /// Rows left out because training saw their texts.
    pub seen: usize,
    /// The sentiment head's figures, where the set knows sentiments.
    pub sentiment: Option<SentimentFigures>,
    /// The frustration head's figures, where the set knows both sides.
    pub frustration: Option<FrustrationFigures>,
    /// Figures of the signals, where the set knows them.
    pub signals: Option<SignalsFigures>,
    /// Figures of the language, where the set knows it.
    pub language: Option<LanguageFigures>,
    /// How far the share of negative messages is off in windows, where there are rows enough of both sides.
    pub negative_windows: Option<WindowFigures>,
    /// The same of frustrated messages.
    pub frustrated_windows: Option<WindowFigures>,
}

/// The reports as a text of tables.
#[must_use]
pub fn table(reports: &[SetReport]) -> String {
    let mut text = String::new();
    for report in reports {
        // Writing to a string cannot fail.
        let _always_ok = write_report(&mut text, report);
    }
    text
}

fn write_report(text: &mut String, report: &SetReport) -> std::fmt::Result {
    writeln!(text, "{}: {} rows", title(report.by, &report.set), report.rows)?;
    if report.unlabelled > 0 {
        writeln!(text, "  {} rows without a label left out", report.unlabelled)?;
    }
    if report.seen > 0 {
        writeln!(text, "  {} rows whose texts were seen in training left out", report.seen)?;
    }
    if let Some(sentiment) = &report.sentiment {
        write_sentiment(text, sentiment)?;
    }
    if let Some(frustration) = &report.frustration {
        write_frustration(text, frustration)?;
    }
    if let Some(signals) = &report.signals {
        write_signals(text, signals)?;
    }
    if let Some(language) = &report.language {
        write_language(text, language)?;
    }
    for (name, windows) in [("negative", &report.negative_windows), ("frustrated", &report.frustrated_windows)] {
        if let Some(windows) = windows {
            write_windows(text, name, windows)?;
        }
    }
    writeln!(text)
}

fn write_windows(text: &mut String, name: &str, figures: &WindowFigures) -> std::fmt::Result {
    writeln!(
        text,
        "  windows      {name}: share off by {} counted, {} adjusted, interval holds in {}  ({} windows of {WINDOW_MESSAGES})",
        percent(figures.counted_error),
        percent(figures.adjusted_error),
        percent(figures.interval_holds),
        figures.windows,
    )
}

fn write_sentiment(text: &mut String, figures: &SentimentFigures) -> std::fmt::Result {
    writeln!(
        text,
        "  sentiment    macro-F1 {}{}  recall {}  accuracy {}  ({} rows)",
        percent(figures.macro_f1),
        range(figures.macro_f1_interval),
        percent(figures.macro_recall),
        percent(figures.accuracy),
        figures.rows,
    )?;
    write_calibration(text, figures)?;
    writeln!(
        text,
        "    {:<9} {:>6} {:>9} {:>7} {:>6}   said: negative  neutral positive",
        "label", "rows", "precision", "recall", "F1"
    )?;
    for (class, said) in figures.classes.iter().zip(&figures.confusion) {
        let or_dash = |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), percent);
        writeln!(
            text,
            "    {:<9} {:>6} {:>9} {:>7} {:>6}         {:>8} {:>8} {:>8}",
            Sentiment::as_str(class.sentiment),
            class.rows,
            or_dash(class.precision),
            or_dash(class.recall),
            percent(class.f1),
            said[0],
            said[1],
            said[2],
        )?;
    }
    Ok(())
}

fn write_calibration(text: &mut String, figures: &SentimentFigures) -> std::fmt::Result {
    write!(
        text,
        "    calibration error {}{}",
        percent(figures.calibration_error),
        range(figures.calibration_error_interval)
    )?;
    if let Some(chance) = figures.calibration_error_if_perfect {
        write!(text, "; {} to {} if perfect", percent(chance.low), percent(chance.high))?;
    }
    writeln!(text, "; said {} on average, right {}", percent(figures.confidence), percent(figures.accuracy))
}

fn write_frustration(text: &mut String, figures: &FrustrationFigures) -> std::fmt::Result {
    writeln!(
        text,
        "  frustration  ROC-AUC {}{}  PR-AUC {}  F1 {}{}  precision {}  recall {}  calibration error {}  ({} of {} rows)",
        percent(figures.roc_auc),
        range(figures.roc_auc_interval),
        percent(figures.pr_auc),
        percent(figures.f1),
        range(figures.f1_interval),
        figures.precision.map_or_else(|| "-".to_owned(), percent),
        figures.recall.map_or_else(|| "-".to_owned(), percent),
        percent(figures.calibration_error),
        figures.frustrated,
        figures.rows,
    )
}

fn write_signals(text: &mut String, figures: &SignalsFigures) -> std::fmt::Result {
    writeln!(
        text,
        "  signals      macro-F1 of the {} most frequent {}{}  ({} rows)",
        figures.macro_of,
        percent(figures.macro_f1),
        range(figures.macro_f1_interval),
        figures.rows,
    )?;
    writeln!(text, "    {:<20} {:>6} {:>9} {:>7} {:>6}", "signal", "rows", "precision", "recall", "F1")?;
    for signal in &figures.signals {
        let or_dash = |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), percent);
        writeln!(
            text,
            "    {:<20} {:>6} {:>9} {:>7} {:>6}",
            signal.signal.as_str(),
            signal.rows,
            or_dash(signal.precision),
            or_dash(signal.recall),
            percent(signal.f1),
        )?;
    }
    Ok(())
}

fn write_language(text: &mut String, figures: &LanguageFigures) -> std::fmt::Result {
    write!(text, "  language     accuracy {}  ({} rows)", percent(figures.accuracy), figures.rows)?;
    if let Some(accuracy) = figures.accuracy_of_3_words {
        let rows = figures.rows_of_3_words;
        write!(text, "  of texts of {ENOUGH_WORDS} words or more {}  ({rows} rows)", percent(accuracy))?;
    }
    writeln!(text)
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

fn range(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |interval| format!(" [{}, {}]", percent(interval.low), percent(interval.high)))
}
