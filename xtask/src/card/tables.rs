//! The tables of the card.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use super::MEASURE_ALL;
use super::figures::{Figures, Frustration, Group, Interval, Language, Scored, Sentiment, Signals};
use super::plan::{Example, Plan, Set};

/// What a template may ask for.
#[cfg(test)]
pub(crate) const NAMES: [&str; 19] = [
    "sha256",
    "megabytes",
    "mean",
    "airline",
    "bank",
    "sources",
    "new_rows",
    "sentiment",
    "calibration",
    "frustration",
    "windows",
    "no_windows",
    "by_language",
    "by_channel",
    "by_region",
    "by_sector",
    "by_signal",
    "bank_by_signal",
    "examples",
];
/// Sets that are told apart from the rest.
const AIRLINE: &str = "airline.en.tsv.gz";
const BANK: &str = "bank.es.tsv.gz";
/// From here on a text counts as frustrated.
const FRUSTRATED_FROM: f64 = 0.5;
/// A figure of a group with fewer rows of either kind says nothing.
const ENOUGH: u64 = 10;
/// Of fewer rows, a calibration error is chance.
const ENOUGH_TO_CALIBRATE: u64 = 100;

/// Every part that a template may ask for, by name.
/// `new_rows` is how many rows the corpus has gained since it taught the model.
pub(crate) fn all(plan: &Plan, figures: &Figures, new_rows: u64) -> Result<BTreeMap<&'static str, String>> {
    let sets = plan.sets.iter().map(|set| measured(set, figures)).collect::<Result<Vec<_>>>()?;
    #[expect(clippy::cast_precision_loss, reason = "told with one digit")]
    let megabytes = figures.model.bytes as f64 / 1e6;
    Ok(BTreeMap::from([
        ("sha256", figures.model.sha256.clone()),
        ("megabytes", format!("{megabytes:.1}")),
        ("mean", mean(&sets).map_or_else(dash, percent)),
        ("airline", macro_f1(&sets, AIRLINE)),
        ("bank", macro_f1(&sets, BANK)),
        ("sources", sources(plan, figures)?),
        ("new_rows", told_new(new_rows)),
        ("sentiment", sentiment(&sets)),
        ("calibration", calibration(figures)),
        ("frustration", frustration(&sets)),
        ("windows", windows(&sets)),
        ("no_windows", no_windows(&sets)),
        ("by_language", groups(figures, "language")),
        ("by_channel", groups(figures, "channel")),
        ("by_region", groups(figures, "region")),
        ("by_sector", groups(figures, "sector")),
        ("by_signal", by_signal(figures.corpus.iter().find(|group| group.by.is_none()))),
        ("bank_by_signal", by_signal(figures.sets.get(BANK))),
        ("examples", examples(plan, figures)),
    ]))
}

fn measured<'a>(set: &'a Set, figures: &'a Figures) -> Result<(&'a Set, &'a Group)> {
    let group = figures.sets.get(&set.file);
    group.map(|group| (set, group)).with_context(|| format!("there are no figures of {}: {MEASURE_ALL}", set.file))
}

/// Rows of each source, from the model file; every set of it must belong to one.
fn sources(plan: &Plan, figures: &Figures) -> Result<String> {
    let mut rows = vec![0; plan.sources.len()];
    for (set, count) in &figures.model.rows {
        match plan.source_of(set) {
            Some(source) => rows[source] += count,
            None => bail!(
                "the model was trained on `{set}`, which no source of models/card/card.toml names: add it with its licence"
            ),
        }
    }
    let mut table = Table::new(&["source", "by", "languages", "rows", "licence", "for"]);
    for (source, rows) in plan.sources.iter().zip(rows).filter(|(_, rows)| *rows > 0) {
        table.row([
            source.at.as_ref().map_or_else(|| source.name.clone(), |at| format!("[{}]({at})", source.name)),
            source.by.clone().unwrap_or_else(dash),
            source.languages.clone(),
            thousands(rows),
            source.licence.clone(),
            source.purpose.clone(),
        ]);
    }
    Ok(table.text)
}

fn told_new(rows: u64) -> String {
    if rows == 0 { String::new() } else { format!(" (the corpus has gained {} since)", thousands(rows)) }
}

fn windows(sets: &[(&Set, &Group)]) -> String {
    let columns =
        ["set", "share of", "counted, off by", "adjusted, off by", "windows whose 95 % interval holds the true share"];
    let mut table = Table::new(&columns);
    for (set, group) in sets {
        for (of, figures) in [("negative", group.negative_windows), ("frustrated", group.frustrated_windows)] {
            let Some(figures) = figures else { continue };
            table.row([
                set.name.clone(),
                of.to_owned(),
                percent(figures.counted_error),
                percent(figures.adjusted_error),
                percent(figures.interval_holds),
            ]);
        }
    }
    table.text
}

/// Sets with sentiments that have too few negative rows to draw windows from.
fn no_windows(sets: &[(&Set, &Group)]) -> String {
    let without = |group: &Group| group.sentiment.is_some() && group.negative_windows.is_none();
    let names: Vec<&str> = sets.iter().filter(|(_, group)| without(group)).map(|(set, _)| set.name.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join("; ") }
}

/// Macro-F1 of a set's sentiments.
fn macro_f1(sets: &[(&Set, &Group)], file: &str) -> String {
    let found = sets.iter().find(|(set, _)| set.file == file).and_then(|(_, group)| group.sentiment.as_ref());
    found.map_or_else(dash, |figures| percent(figures.macro_f1))
}

fn sentiment(sets: &[(&Set, &Group)]) -> String {
    let columns = [
        "set",
        "file",
        "rows",
        "left out",
        "macro-F1",
        "calibration error",
        "if perfect",
        "language, 3 words or more",
        "all",
        "reference macro-F1",
    ];
    let mut table = Table::new(&columns);
    for (set, group) in sets {
        let Some(figures) = &group.sentiment else { continue };
        let [long, every] = language(group.language.as_ref());
        table.row([
            set.name.clone(),
            format!("`{}`", set.file),
            thousands(figures.rows),
            thousands(group.seen),
            of_sentiment(Some(figures)),
            percent(figures.calibration_error),
            between(figures.calibration_error_if_perfect),
            long,
            every,
            set.sentiment_reference.clone().unwrap_or_default(),
        ]);
    }
    table.text
}

/// Rows by language: of the public sets that tell sentiments, and of the corpus.
fn calibration(figures: &Figures) -> String {
    let mut table =
        Table::new(&["language", "rows of", "rows", "said on average", "right", "calibration error", "if perfect"]);
    let mut groups: Vec<_> = figures.languages.iter().map(|group| (group, "public sets")).collect();
    groups.extend(figures.corpus.iter().filter(|group| of_language(group)).map(|group| (group, "own messages")));
    for (group, of) in groups {
        let Some(figures) = group.sentiment.as_ref().filter(|found| found.rows >= ENOUGH_TO_CALIBRATE) else {
            continue;
        };
        table.row([
            group.set.clone(),
            of.to_owned(),
            thousands(figures.rows),
            percent(figures.confidence),
            percent(figures.accuracy),
            ranged(figures.calibration_error, figures.calibration_error_interval),
            between(figures.calibration_error_if_perfect),
        ]);
    }
    table.text
}

fn of_language(group: &Group) -> bool {
    group.by.as_deref() == Some("language")
}

fn frustration(sets: &[(&Set, &Group)]) -> String {
    let columns =
        ["set", "rows", "frustrated", "ROC-AUC", "F1 at 0.5", "precision / recall", "signals macro-F1", "reference"];
    let mut table = Table::new(&columns);
    for (set, group) in sets {
        let Some(figures) = &group.frustration else { continue };
        table.row([
            set.name.clone(),
            thousands(figures.rows),
            thousands(figures.frustrated),
            area(Some(figures)),
            f1(Some(figures)),
            precision_recall(figures),
            signals(group.signals.as_ref()),
            set.frustration_reference.clone().unwrap_or_default(),
        ]);
    }
    table.text
}

/// The corpus by one of its fields, and all of it.
fn groups(figures: &Figures, by: &str) -> String {
    let columns = [
        by,
        "rows",
        "sentiment macro-F1",
        "frustration ROC-AUC",
        "F1 at 0.5",
        "signals macro-F1",
        "language, 3 words or more",
        "all",
    ];
    let mut table = Table::new(&columns);
    let told = |figures: &&Frustration| figures.frustrated.min(figures.rows - figures.frustrated) >= ENOUGH;
    let wanted = figures.corpus.iter().filter(|group| group.by.as_deref() == Some(by) || group.by.is_none());
    for group in wanted {
        let [long, every] = language(group.language.as_ref());
        table.row([
            group.set.clone(),
            thousands(group.rows),
            of_sentiment(group.sentiment.as_ref()),
            area(group.frustration.as_ref().filter(told)),
            f1(group.frustration.as_ref().filter(told)),
            signals(group.signals.as_ref().filter(|figures| figures.marks() >= ENOUGH)),
            long,
            every,
        ]);
    }
    table.text
}

/// Each signal in a group of rows.
fn by_signal(group: Option<&Group>) -> String {
    let mut table = Table::new(&["signal", "rows", "precision", "recall", "F1"]);
    for found in group.and_then(|group| group.signals.as_ref()).iter().flat_map(|signals| &signals.signals) {
        let [precision, recall] = [found.precision, found.recall].map(|share| share.map_or_else(dash, percent));
        table.row([format!("`{}`", found.signal), thousands(found.rows), precision, recall, percent(found.f1)]);
    }
    table.text
}

fn examples(plan: &Plan, figures: &Figures) -> String {
    let mut table = Table::new(&["what is hard", "text", "meant", "the model says", ""]);
    for (example, scored) in plan.examples.iter().zip(&figures.examples) {
        let meant =
            if example.frustrated { format!("{}, frustrated", example.sentiment) } else { example.sentiment.clone() };
        let text = example.text.replace('|', "\\|");
        table.row([example.weakness.clone(), text, meant, said(scored), judged(example, scored).to_owned()]);
    }
    table.text
}

fn said(scored: &Scored) -> String {
    let (sentiment, probability) = scored.sentiment.likeliest();
    let signals: String = scored.signals.iter().map(|signal| format!(", `{signal}`")).collect();
    format!("{sentiment} {probability:.2}, frustration {:.2}{signals}", scored.frustration)
}

fn judged(example: &Example, scored: &Scored) -> &'static str {
    let sentiment = scored.sentiment.likeliest().0 == example.sentiment;
    let frustration = (scored.frustration >= FRUSTRATED_FROM) == example.frustrated;
    match (sentiment, frustration) {
        (true, true) => "right",
        (true, false) => "frustration wrong",
        (false, true) => "sentiment wrong",
        (false, false) => "both wrong",
    }
}

/// Mean macro-F1 of the sets that it is told of.
#[expect(clippy::cast_precision_loss, reason = "a few sets")]
fn mean(sets: &[(&Set, &Group)]) -> Option<f64> {
    let told = sets.iter().filter(|(set, _)| set.in_mean);
    let figures: Vec<f64> = told.filter_map(|(_, group)| Some(group.sentiment.as_ref()?.macro_f1)).collect();
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}

fn of_sentiment(figures: Option<&Sentiment>) -> String {
    figures.map_or_else(dash, |figures| ranged(figures.macro_f1, figures.macro_f1_interval))
}

fn area(figures: Option<&Frustration>) -> String {
    figures.map_or_else(dash, |figures| ranged(figures.roc_auc, figures.roc_auc_interval))
}

fn f1(figures: Option<&Frustration>) -> String {
    figures.map_or_else(dash, |figures| ranged(figures.f1, figures.f1_interval))
}

fn signals(figures: Option<&Signals>) -> String {
    figures.map_or_else(dash, |figures| ranged(figures.macro_f1, figures.macro_f1_interval))
}

fn precision_recall(figures: &Frustration) -> String {
    format!("{} / {}", figures.precision.map_or_else(dash, percent), figures.recall.map_or_else(dash, percent))
}

/// Of three words or more, of all.
fn language(figures: Option<&Language>) -> [String; 2] {
    let long = figures.and_then(|figures| figures.accuracy_of_3_words);
    [long, figures.map(|figures| figures.accuracy)].map(|share| share.map_or_else(dash, percent))
}

fn dash() -> String {
    "-".to_owned()
}

fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

fn ranged(share: f64, interval: Interval) -> String {
    format!("{} [{}, {}]", percent(share), percent(interval.low), percent(interval.high))
}

fn between(interval: Interval) -> String {
    format!("{} to {}", percent(interval.low), percent(interval.high))
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    Some(head.to_owned()).filter(|head| !head.is_empty()).into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

/// A table of `N` columns, in each row.
struct Table<const N: usize> {
    text: String,
}

impl<const N: usize> Table<N> {
    fn new(columns: &[&str; N]) -> Self {
        Self { text: format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(N)) }
    }

    fn row(&mut self, cells: [String; N]) {
        self.text += &format!("| {} |\n", cells.join(" | "));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
