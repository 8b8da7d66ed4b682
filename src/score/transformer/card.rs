//! `latido.json`: what Latido is told of a model. A plain classifier whose labels have names we know needs none.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::error::TransformerError;
use super::files::{CARD, Files, NETWORK_CONFIG};
use crate::message::{Language, Sentiment, Signal};

/// The version of `latido.json` that this release reads.
const FORMAT: u32 = 1;
/// Most tokens of a text where the card does not say: customers' messages are short, and time goes with the tokens.
const USUAL_TOKENS: usize = 128;
/// What a card is needed for, told where it lacks something.
const REMEDY: &str = "docs/transformer.md says what latido.json holds";

/// How the network is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NetworkKind {
    /// BERT without a pooler, the mean over the tokens, a linear layer for each head.
    Encoder,
    /// A Hugging Face model for sequence classification, whose one head tells sentiment.
    #[default]
    Classifier,
}

/// The file as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    format: u32,
    kind: NetworkKind,
    /// For people.
    #[serde(rename = "base")]
    _base: Option<String>,
    #[serde(rename = "licence")]
    _licence: Option<String>,
    pooling: Option<String>,
    max_tokens: Option<usize>,
    prefix: String,
    cleaning: Cleaning,
    hash: Option<String>,
    languages: Vec<String>,
    #[serde(rename = "storage")]
    _storage: Option<String>,
    heads: BTreeMap<String, WrittenHead>,
    #[serde(rename = "frustration")]
    _frustration: Option<String>,
    calibration: BTreeMap<String, Calibration>,
}

/// What is done to a text before it is cut into tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cleaning {
    /// Nothing.
    #[default]
    None,
    /// Entities, links, mentions and white space are brought to one form.
    Social,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHead {
    /// Its tensors begin with this name; heads of a classifier are the classifier.
    #[serde(default)]
    weights: Option<String>,
    kind: HeadKind,
    labels: Vec<String>,
    /// Of signals: the probability from which on a text has that one.
    #[serde(default)]
    thresholds: BTreeMap<String, f32>,
}

/// What turns the outputs of a head into probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HeadKind {
    /// They share 1.
    Softmax,
    /// Each by itself.
    Sigmoid,
}

/// From outputs to probabilities that are right as often as they say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Calibration {
    /// What the outputs of sentiment are divided by.
    pub(super) temperature: Option<f32>,
    pub(super) obstacle: Line,
    pub(super) anger: Line,
    pub(super) frustration: Line,
}

/// `factor * output + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) factor: f32,
    pub(super) offset: f32,
}

impl Default for Line {
    fn default() -> Self {
        Self { factor: 1.0, offset: 0.0 }
    }
}

/// A head, checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    /// Its tensors begin with this name.
    pub(super) weights: String,
    pub(super) meaning: Meaning,
}

/// What the outputs of a head say, by name and never by place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    /// The sentiment that each output speaks for; several may speak for one.
    Sentiment(Vec<Sentiment>),
    /// An obstacle between the customer and what they need.
    Obstacle,
    /// Open anger.
    Anger,
    /// Frustration itself.
    Frustration,
    /// The signal that each output speaks for and the probability from which on the text has it; none where no threshold says so, or this
    /// release does not know the signal.
    Signals(Vec<Option<(Signal, f32)>>),
}

impl Meaning {
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Sentiment(sentiments) => sentiments.len(),
            Self::Signals(signals) => signals.len(),
            Self::Obstacle | Self::Anger | Self::Frustration => 1,
        }
    }
}

/// What is known of a model, checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Card {
    pub(super) kind: NetworkKind,
    pub(super) max_tokens: usize,
    pub(super) prefix: String,
    pub(super) cleaning: Cleaning,
    /// In the order of the outputs.
    pub(super) heads: Vec<Head>,
    /// By [`Language`], in its order.
    pub(super) calibration: Vec<Calibration>,
}

impl Card {
    /// What the files say.
    pub(super) fn of(files: &Files) -> Result<Self, TransformerError> {
        let refuse = |what: String| TransformerError::new(&files.place, CARD, what, REMEDY);
        let written = match &files.card {
            None => Written { format: FORMAT, ..Written::default() },
            Some(bytes) => serde_json::from_slice::<Written>(bytes).map_err(|error| refuse(error.to_string()))?,
        };
        if written.format != FORMAT {
            return Err(refuse(format!("`format` is {}, this release reads {FORMAT}", written.format)));
        }
        written.check(files, &refuse)?;
        let heads = match written.heads.is_empty() {
            true => vec![Head { weights: String::new(), meaning: Meaning::Sentiment(labels_of_config(files)?) }],
            false => heads_of(&written.heads).map_err(&refuse)?,
        };
        let card = Self {
            kind: written.kind,
            max_tokens: written.max_tokens.unwrap_or(USUAL_TOKENS),
            calibration: written.by_language(),
            prefix: written.prefix,
            cleaning: written.cleaning,
            heads,
        };
        let plain = card.kind == NetworkKind::Classifier && (card.heads.len() != 1 || card.sentiments().is_none());
        if plain {
            return Err(refuse("a `classifier` has the head `sentiment` and no other".to_owned()));
        }
        Ok(card)
    }

    /// The sentiments that the outputs of that head speak for, if there is one.
    pub(super) fn sentiments(&self) -> Option<&[Sentiment]> {
        self.heads.iter().find_map(|head| match &head.meaning {
            Meaning::Sentiment(sentiments) => Some(sentiments.as_slice()),
            _ => None,
        })
    }
}

impl Written {
    fn check(&self, files: &Files, refuse: &impl Fn(String) -> TransformerError) -> Result<(), TransformerError> {
        if let Some(hash) = self.hash.as_ref().filter(|hash| **hash != files.hash_of_weights()) {
            let found = files.hash_of_weights();
            return Err(refuse(format!(
                "`hash` is {hash}, and model.safetensors has {found}: a copy was cut off or changed"
            )));
        }
        if let Some(pooling) = self.pooling.as_ref().filter(|pooling| *pooling != "mean") {
            return Err(refuse(format!("`pooling` is `{pooling}`, and only `mean` is known")));
        }
        if self.max_tokens.is_some_and(|tokens| !(4..=8_192).contains(&tokens)) {
            return Err(refuse("`max_tokens` must be from 4 to 8192".to_owned()));
        }
        let unknown = |name: &&String| *name != "other" && Language::from_name(name).is_none();
        if let Some(name) = self.languages.iter().chain(self.calibration.keys()).find(unknown) {
            return Err(refuse(format!("the language `{name}` is none of es, en, pt, fr, de, it, other")));
        }
        let off = |calibration: &Calibration| !calibration.is_sound();
        if self.calibration.values().any(off) {
            return Err(refuse("a `temperature` must be above 0, and every number of `calibration` finite".to_owned()));
        }
        Ok(())
    }

    /// By language; one that has none of its own goes as `other`.
    fn by_language(&self) -> Vec<Calibration> {
        let other = self.calibration.get(Language::Other.as_str()).copied().unwrap_or_default();
        let of = |language: &Language| self.calibration.get(language.as_str()).copied().unwrap_or(other);
        Language::ALL.iter().map(of).collect()
    }
}

impl Calibration {
    fn is_sound(&self) -> bool {
        let finite = |line: &Line| line.factor.is_finite() && line.offset.is_finite();
        let warm = self.temperature.is_none_or(|temperature| temperature.is_finite() && temperature > 0.0);
        warm && [self.obstacle, self.anger, self.frustration].iter().all(finite)
    }
}

fn heads_of(written: &BTreeMap<String, WrittenHead>) -> Result<Vec<Head>, String> {
    written
        .iter()
        .map(|(name, head)| {
            Ok(Head { weights: head.weights.clone().unwrap_or_default(), meaning: meaning(name, head)? })
        })
        .collect()
}

fn meaning(name: &str, head: &WrittenHead) -> Result<Meaning, String> {
    let wanted = if name == "sentiment" { HeadKind::Softmax } else { HeadKind::Sigmoid };
    if head.kind != wanted {
        return Err(format!(
            "the head `{name}` must be of the kind `{}`",
            if wanted == HeadKind::Softmax { "softmax" } else { "sigmoid" }
        ));
    }
    let single = |meaning| match head.labels.len() {
        1 => Ok(meaning),
        count => Err(format!("the head `{name}` has {count} labels, and must have 1")),
    };
    match name {
        "sentiment" => sentiments(&head.labels).map(Meaning::Sentiment),
        "obstacle" => single(Meaning::Obstacle),
        "anger" => single(Meaning::Anger),
        "frustration" => single(Meaning::Frustration),
        "signals" => signals(head).map(Meaning::Signals),
        _ => Err(format!("the head `{name}` is none of sentiment, obstacle, anger, frustration, signals")),
    }
}

/// The signals of a head, as far as thresholds are given for them.
fn signals(head: &WrittenHead) -> Result<Vec<Option<(Signal, f32)>>, String> {
    for (label, threshold) in &head.thresholds {
        if !head.labels.contains(label) {
            return Err(format!("`thresholds` of the head `signals` names {label}, which is none of its labels"));
        }
        if !(0.0..=1.0).contains(threshold) {
            return Err(format!("the threshold of {label} is {threshold}, and must be from 0 to 1"));
        }
    }
    let of = |label: &String| Some((Signal::from_name(label)?, *head.thresholds.get(label)?));
    Ok(head.labels.iter().map(of).collect())
}

/// The names of a classifier's outputs, from its `config.json`.
fn labels_of_config(files: &Files) -> Result<Vec<Sentiment>, TransformerError> {
    let remedy = "name them in latido.json: {\"format\": 1, \"heads\": {\"sentiment\": {\"kind\": \"softmax\", \"labels\": [\"negative\", \"neutral\", \"positive\"]}}}";
    let refuse = |what: String| TransformerError::new(&files.place, NETWORK_CONFIG, what, remedy);
    let config: Value = serde_json::from_slice(&files.config).map_err(|error| refuse(error.to_string()))?;
    let names = config["id2label"].as_object().ok_or_else(|| refuse("no `id2label` names its outputs".to_owned()))?;
    let name = |id: usize| names.get(&id.to_string()).and_then(Value::as_str).map(str::to_owned);
    let labels: Option<Vec<String>> = (0..names.len()).map(name).collect();
    let labels = labels.ok_or_else(|| refuse("`id2label` does not name the outputs from 0 on".to_owned()))?;
    sentiments(&labels).map_err(refuse)
}

/// The sentiments that labels name. A model may tell only two, or name one more than once (stars).
fn sentiments(labels: &[String]) -> Result<Vec<Sentiment>, String> {
    let named: Vec<Sentiment> = labels
        .iter()
        .map(|label| {
            sentiment_named(label)
                .ok_or_else(|| format!("the label `{label}` names no sentiment (negative, neutral, positive)"))
        })
        .collect::<Result<_, _>>()?;
    let has = |sentiment| named.contains(&sentiment);
    if !(has(Sentiment::Negative) && has(Sentiment::Positive)) {
        return Err(format!("of the labels {} none is negative, or none positive", labels.join(", ")));
    }
    Ok(named)
}

fn sentiment_named(label: &str) -> Option<Sentiment> {
    match label.to_lowercase().as_str() {
        "negative" | "neg" | "negativo" | "negativa" => Some(Sentiment::Negative),
        "neutral" | "neu" | "neutro" | "neutra" => Some(Sentiment::Neutral),
        "positive" | "pos" | "positivo" | "positiva" => Some(Sentiment::Positive),
        _ => None,
    }
}
