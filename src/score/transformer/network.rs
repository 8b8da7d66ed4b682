//! The networks of rust-bert, with a mask of our own: a text's answer does not depend on its neighbours.

use rust_bert::bert::{BertConfig, BertEmbeddings, BertForSequenceClassification, BertModel};
use rust_bert::distilbert::{DistilBertConfig, DistilBertModelClassifier};
use rust_bert::roberta::RobertaForSequenceClassification;
use serde_json::Value;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};

use super::card::{Card, NetworkKind};
use super::error::first_line;
use super::weights::Weights;
use crate::score::lane::{Logits, Network, NetworkError, Tokens};

/// How a network is laid out, from `config.json`.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Encoder(BertConfig),
    Bert(BertConfig),
    Distil(DistilBertConfig),
    Roberta(BertConfig),
}

impl Plan {
    /// What the file says. Current files leave out what rust-bert wants to read, and that plays no part in a run.
    pub(super) fn of(kind: NetworkKind, mut config: Value) -> Result<Self, String> {
        let model_type = config["model_type"].as_str().unwrap_or_default().to_owned();
        let activation = config["hidden_act"].as_str().or(config["activation"].as_str()).unwrap_or("gelu").to_owned();
        let table = config.as_object_mut().ok_or("not a JSON object")?;
        for (key, value) in [
            ("initializer_range", Value::from(0.02)),
            ("tie_weights_", Value::from(true)),
            ("hidden_act", Value::from(activation.clone())),
            ("activation", Value::from(activation)),
            ("sinusoidal_pos_embds", Value::from(false)),
            ("qa_dropout", Value::from(0.0)),
            ("seq_classif_dropout", Value::from(0.0)),
        ] {
            table.entry(key).or_insert(value);
        }
        let refuse = |error: serde_json::Error| error.to_string();
        match (kind, model_type.as_str()) {
            (NetworkKind::Encoder, "bert") => serde_json::from_value(config).map(Self::Encoder).map_err(refuse),
            (NetworkKind::Encoder, other) => {
                Err(format!("`model_type` is `{other}`; an encoder is of the type `bert`"))
            }
            (NetworkKind::Classifier, "bert") => serde_json::from_value(config).map(Self::Bert).map_err(refuse),
            (NetworkKind::Classifier, "distilbert") => serde_json::from_value(config).map(Self::Distil).map_err(refuse),
            (NetworkKind::Classifier, "roberta" | "xlm-roberta") => {
                serde_json::from_value(config).map(Self::Roberta).map_err(refuse)
            }
            (NetworkKind::Classifier, other) => {
                Err(format!("`model_type` is `{other}`; known are bert, distilbert, roberta and xlm-roberta"))
            }
        }
    }

    /// Most tokens that its positions allow.
    pub(super) fn most_tokens(&self) -> usize {
        let (positions, taken) = match self {
            Self::Encoder(config) | Self::Bert(config) => (config.max_position_embeddings, 0),
            Self::Distil(config) => (config.max_position_embeddings, 0),
            // They count positions from behind the padding's on.
            Self::Roberta(config) => (config.max_position_embeddings, 2),
        };
        usize::try_from(positions - taken).unwrap_or_default()
    }

    /// How many pieces it knows.
    pub(super) fn vocabulary(&self) -> i64 {
        match self {
            Self::Encoder(config) | Self::Bert(config) | Self::Roberta(config) => config.vocab_size,
            Self::Distil(config) => config.vocab_size,
        }
    }
}

enum Body {
    Encoder { bert: BertModel<BertEmbeddings>, heads: Tensor, biases: Tensor },
    Bert(BertForSequenceClassification),
    Distil(DistilBertModelClassifier),
    Roberta(RobertaForSequenceClassification),
}

/// A network on weights that others may share.
pub(super) struct RustBert {
    body: Body,
    padding: i64,
}

impl RustBert {
    /// Builds the network and puts the weights in place of those that it begins with.
    pub(super) fn new(plan: &Plan, card: &Card, weights: &Weights, padding: i64) -> Result<Self, NetworkError> {
        let store = VarStore::new(Device::Cpu);
        let root = store.root();
        let failed = |error: rust_bert::RustBertError| NetworkError(first_line(&error));
        let body = match plan {
            Plan::Encoder(config) => {
                let bert = BertModel::new_with_optional_pooler(&root / "bert", config, false);
                let (heads, biases) = heads(card, weights)?;
                Body::Encoder { bert, heads, biases }
            }
            Plan::Bert(config) => Body::Bert(BertForSequenceClassification::new(&root, config).map_err(failed)?),
            Plan::Distil(config) => Body::Distil(DistilBertModelClassifier::new(&root, config).map_err(failed)?),
            Plan::Roberta(config) => {
                Body::Roberta(RobertaForSequenceClassification::new(&root, config).map_err(failed)?)
            }
        };
        for (name, mut variable) in store.variables() {
            let given = weights.get(&name).ok_or_else(|| NetworkError(format!("there is no tensor `{name}`")))?;
            if given.size() != variable.size() {
                let (found, wanted) = (given.size(), variable.size());
                return Err(NetworkError(format!(
                    "the tensor `{name}` is {found:?}, and config.json asks for {wanted:?}"
                )));
            }
            no_grad(|| variable.f_set_data(given)).map_err(|error| NetworkError(first_line(&error)))?;
        }
        Ok(Self { body, padding })
    }

    fn forward(&self, ids: &Tensor, mask: &Tensor) -> Result<Tensor, NetworkError> {
        let failed = |error: rust_bert::RustBertError| NetworkError(first_line(&error));
        let (ids, seen) = (Some(ids), Some(mask));
        Ok(match &self.body {
            Body::Encoder { bert, heads, biases } => {
                let hidden =
                    bert.forward_t(ids, seen, None, None, None, None, None, false).map_err(failed)?.hidden_state;
                let weight = mask.unsqueeze(-1).to_kind(Kind::Float);
                let mean = (hidden.to_kind(Kind::Float) * &weight).sum_dim_intlist(1, false, Kind::Float)
                    / weight.sum_dim_intlist(1, false, Kind::Float);
                mean.linear(heads, Some(biases))
            }
            Body::Bert(network) => network.forward_t(ids, seen, None, None, None, false).logits,
            Body::Distil(network) => network.forward_t(ids, seen, None, false).map_err(failed)?.logits,
            Body::Roberta(network) => network.forward_t(ids, seen, None, None, None, false).logits,
        })
    }

    /// Ids filled up to the longest, and a mask of what is a token.
    fn matrix(&self, texts: &[&Tokens]) -> (Tensor, Tensor) {
        let longest = texts.iter().map(|text| text.ids().len()).max().unwrap_or_default();
        let mut ids = Vec::with_capacity(texts.len() * longest);
        let mut mask = Vec::with_capacity(texts.len() * longest);
        for text in texts {
            ids.extend(text.ids().iter().copied().map(i64::from));
            mask.extend(text.ids().iter().map(|_| 1_i64));
            let filled = longest - text.ids().len();
            ids.extend(std::iter::repeat_n(self.padding, filled));
            mask.extend(std::iter::repeat_n(0, filled));
        }
        let shape = [-1, i64::try_from(longest).unwrap_or_default()];
        (Tensor::from_slice(&ids).view(shape), Tensor::from_slice(&mask).view(shape))
    }
}

impl Network for RustBert {
    fn run(&mut self, texts: &[&Tokens]) -> Result<Vec<Logits>, NetworkError> {
        // rust-bert panics on none.
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let (ids, mask) = self.matrix(texts);
        let logits = no_grad(|| self.forward(&ids, &mask))?.to_kind(Kind::Float).contiguous();
        let rows = Vec::<Vec<f32>>::try_from(&logits).map_err(|error| NetworkError(first_line(&error)))?;
        Ok(rows.into_iter().map(Vec::into_boxed_slice).collect())
    }
}

/// All heads as one linear layer, in the order of the card, in 32 bits.
fn heads(card: &Card, weights: &Weights) -> Result<(Tensor, Tensor), NetworkError> {
    let part = |name: String| weights.get(&name).ok_or_else(|| NetworkError(format!("there is no tensor `{name}`")));
    let (mut tables, mut biases) = (Vec::new(), Vec::new());
    for head in &card.heads {
        let (table, bias) = (part(format!("{}.weight", head.weights))?, part(format!("{}.bias", head.weights))?);
        let outputs = i64::try_from(head.meaning.outputs()).unwrap_or(i64::MAX);
        if table.size().first() != Some(&outputs) || bias.size() != [outputs] {
            return Err(NetworkError(format!(
                "`{}` has {:?} outputs, and latido.json names {outputs}",
                head.weights,
                table.size()
            )));
        }
        tables.push(table.to_kind(Kind::Float));
        biases.push(bias.to_kind(Kind::Float));
    }
    Ok((Tensor::cat(&tables, 0), Tensor::cat(&biases, 0)))
}
