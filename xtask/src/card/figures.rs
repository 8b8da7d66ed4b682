//! Measured figures, as `latido eval --json` gives them and `models/card/figures.json` keeps them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Digits after the point that are kept of a share.
const ROUND: f64 = 1_000_000.0;

/// Everything measured on one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) model: Model,
    /// Digests of the corpus's rows that taught it, by set.
    #[serde(default)]
    pub(crate) taught: BTreeMap<String, String>,
    /// By the set's file.
    pub(crate) sets: BTreeMap<String, Group>,
    /// Rows of the public sets that count in the calibration error, by language.
    pub(crate) languages: Vec<Group>,
    /// The corpus's dev split in groups, and all of it.
    pub(crate) corpus: Vec<Group>,
    pub(crate) examples: Vec<Scored>,
}

/// The model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) seed: u64,
    pub(crate) epochs: u32,
    /// Rows of each set that it was trained on.
    pub(crate) rows: BTreeMap<String, u64>,
}

/// Figures of a set, or of a group of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    pub(crate) set: String,
    pub(crate) rows: u64,
    /// Rows left out because training saw their texts.
    pub(crate) seen: u64,
    pub(crate) sentiment: Option<Sentiment>,
    pub(crate) frustration: Option<Frustration>,
    pub(crate) signals: Option<Signals>,
    pub(crate) language: Option<Language>,
    pub(crate) negative_windows: Option<Windows>,
    pub(crate) frustrated_windows: Option<Windows>,
}

/// How far a share is off in windows of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Windows {
    pub(crate) counted_error: f64,
    pub(crate) adjusted_error: f64,
    pub(crate) interval_holds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sentiment {
    pub(crate) rows: u64,
    pub(crate) macro_f1: f64,
    pub(crate) macro_f1_interval: Interval,
    pub(crate) accuracy: f64,
    pub(crate) confidence: f64,
    pub(crate) calibration_error: f64,
    pub(crate) calibration_error_interval: Interval,
    pub(crate) calibration_error_if_perfect: Interval,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frustration {
    pub(crate) rows: u64,
    pub(crate) frustrated: u64,
    pub(crate) roc_auc: f64,
    pub(crate) roc_auc_interval: Interval,
    pub(crate) f1: f64,
    pub(crate) f1_interval: Interval,
    pub(crate) precision: Option<f64>,
    pub(crate) recall: Option<f64>,
    pub(crate) calibration_error: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Signals {
    pub(crate) macro_f1: f64,
    pub(crate) macro_f1_interval: Interval,
    pub(crate) signals: Vec<Signal>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Signal {
    pub(crate) signal: String,
    pub(crate) rows: u64,
    pub(crate) precision: Option<f64>,
    pub(crate) recall: Option<f64>,
    pub(crate) f1: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Language {
    pub(crate) rows: u64,
    pub(crate) accuracy: f64,
    pub(crate) rows_of_3_words: u64,
    pub(crate) accuracy_of_3_words: Option<f64>,
}

/// What the model says of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scored {
    pub(crate) text: String,
    pub(crate) sentiment: Probabilities,
    pub(crate) frustration: f64,
    pub(crate) language: String,
    pub(crate) signals: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Probabilities {
    pub(crate) negative: f64,
    pub(crate) neutral: f64,
    pub(crate) positive: f64,
}

impl Probabilities {
    /// The likeliest, and how likely.
    pub(crate) fn likeliest(&self) -> (&'static str, f64) {
        let all = [("negative", self.negative), ("neutral", self.neutral), ("positive", self.positive)];
        all.into_iter().fold(("", 0.0), |best, next| if next.1 > best.1 { next } else { best })
    }
}

impl Figures {
    /// The kept ones; nothing where there are none yet.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let figures = serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be used: {}", path.display(), super::MEASURE_ALL))?;
        Ok(Some(figures))
    }

    /// One line for each set, group and example, so that a change shows where it is.
    pub(crate) fn to_json(&self) -> Result<String> {
        let lines = |values: Vec<String>| values.join(",\n");
        let named = |(file, group)| Ok(format!("{}: {}", serde_json::to_string(file)?, serde_json::to_string(group)?));
        let sets = self.sets.iter().map(named).collect::<Result<Vec<_>>>()?;
        let [languages, corpus] = [&self.languages, &self.corpus]
            .map(|groups| groups.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>());
        let examples = self.examples.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        Ok(format!(
            "{{\n\"model\": {},\n\"taught\": {},\n\"sets\": {{\n{}\n}},\n\"languages\": [\n{}\n],\n\"corpus\": [\n{}\n],\n\"examples\": [\n{}\n]\n}}\n",
            serde_json::to_string(&self.model)?,
            serde_json::to_string(&self.taught)?,
            lines(sets),
            lines(languages?),
            lines(corpus?),
            lines(examples),
        ))
    }

    /// The first group of the corpus whose figures are others.
    pub(crate) fn corpus_difference(&self, kept: &Self) -> Option<String> {
        let differs = |at: &usize| self.corpus.get(*at) != kept.corpus.get(*at);
        let at = (0..self.corpus.len().max(kept.corpus.len())).find(differs)?;
        self.corpus.get(at).or_else(|| kept.corpus.get(at)).map(Group::title)
    }
}

impl Signals {
    /// How many signals the rows have.
    pub(crate) fn marks(&self) -> u64 {
        self.signals.iter().map(|signal| signal.rows).sum()
    }
}

impl Group {
    /// Takes what calibration changes from figures of rows that did not fit it. It changes no order of probabilities within a language,
    /// so the rest is told of all rows.
    pub(crate) fn take_calibrated(&mut self, unfitted: Self) {
        if let (Some(all), Some(unfitted)) = (&mut self.sentiment, unfitted.sentiment) {
            all.confidence = unfitted.confidence;
            all.calibration_error = unfitted.calibration_error;
            all.calibration_error_interval = unfitted.calibration_error_interval;
            all.calibration_error_if_perfect = unfitted.calibration_error_if_perfect;
        }
        self.frustration = unfitted.frustration;
    }

    pub(crate) fn title(&self) -> String {
        self.by.as_ref().map_or_else(|| self.set.clone(), |by| format!("{by} {}", self.set))
    }
}

/// Every number with a fraction, rounded: what is kept is what is told, and no more.
pub(crate) fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().map(|number| (number * ROUND).round() / ROUND);
            rounded.map_or(Value::Null, Value::from)
        }
        Value::Array(values) => values.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_counts_are_not() {
        let value = serde_json::json!({ "rows": 12_345_678, "shares": [0.123_456_7, 1.0], "none": null });
        assert_eq!(rounded(value), serde_json::json!({ "rows": 12_345_678, "shares": [0.123_457, 1.0], "none": null }));
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let model =
            Model { sha256: "ab".to_owned(), bytes: 3, seed: 7, epochs: 5, rows: [("umsab.es".to_owned(), 9)].into() };
        let group = Group { by: Some("region".to_owned()), set: "mx".to_owned(), rows: 3, ..Group::default() };
        let sets = [("a.es.tsv".to_owned(), Group::default()), ("b.es.tsv".to_owned(), group.clone())].into();
        let taught = [("messages.fr".to_owned(), "ab".to_owned())].into();
        let figures =
            Figures { model, taught, sets, languages: vec![group.clone()], corpus: vec![group], examples: Vec::new() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.json");
        fs::write(&path, figures.to_json().unwrap()).unwrap();
        assert_eq!(Figures::load(&path).unwrap(), Some(figures));
    }

    #[test]
    fn the_likeliest_sentiment_is_told() {
        let probabilities = Probabilities { negative: 0.2, neutral: 0.5, positive: 0.3 };
        assert_eq!(probabilities.likeliest(), ("neutral", 0.5));
    }

    #[test]
    fn figures_that_are_not_there_are_none_and_damaged_ones_name_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.json");
        assert_eq!(Figures::load(&path).unwrap(), None);
        fs::write(&path, "{}").unwrap();
        let error = Figures::load(&path).unwrap_err().to_string();
        assert!(error.contains("figures.json") && error.contains("--data DIR --write"), "{error}");
    }
}
