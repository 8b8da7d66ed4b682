//! A transformer through rust-bert and libtorch: the shipped encoder, or a BERT, DistilBERT, RoBERTa or XLM-R classifier that the user brings.
//!
//! The tokenizer is Hugging Face's own, from `tokenizer.json`, so that ids are those of Python; the network is rust-bert's, with a mask
//! and a pooling of ours.

mod answer;
mod card;
mod clean;
mod error;
mod files;
mod network;
mod precision;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod tokenizer;
mod weights;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::message::{ModelId, Score};
use crate::score::lane::{Network, NetworkError, SlowModel, Tokens};

use answer::Reader;
use card::Card;
pub use error::TransformerError;
use files::{Files, NETWORK_CONFIG, WEIGHTS};
use network::{Plan, RustBert};
pub use precision::Precision;
use tokenizer::Cutter;
use weights::Weights;

/// Which libtorch the program was built with.
pub const LIBTORCH: &str = env!("LATIDO_LIBTORCH");

/// A model, loaded.
pub struct Transformer {
    plan: Plan,
    card: Card,
    cutter: Cutter,
    reader: Reader,
    id: ModelId,
    /// Shared by all networks. A tensor may go to another thread, but only one may touch it at a time.
    weights: Mutex<Weights>,
    precision: Precision,
    texts_per_second: f64,
}

/// The transformer of a directory, else the encoder inside the program.
///
/// # Errors
/// If a file is missing, damaged, of a kind that is not known, or does not fit the others.
pub fn open(directory: Option<&Path>, precision: Precision) -> Result<Arc<Transformer>, TransformerError> {
    let files = directory.map_or_else(|| Ok(Files::inside()), Files::read)?;
    Transformer::of(&files, precision).map(Arc::new)
}

impl Transformer {
    fn of(files: &Files, precision: Precision) -> Result<Self, TransformerError> {
        // Threads are ours: one a network. libtorch's own collapse where cores are busy.
        tch::set_num_threads(1);
        let card = Card::of(files)?;
        let config_remedy = "name a model of a kind that is known: bert, distilbert, roberta or xlm-roberta for sequence classification";
        let refuse = |what: String| TransformerError::new(&files.place, NETWORK_CONFIG, what, config_remedy);
        let config: Value = serde_json::from_slice(&files.config).map_err(|error| refuse(error.to_string()))?;
        let padding = config["pad_token_id"].as_i64();
        let plan = Plan::of(card.kind, config).map_err(refuse)?;
        let cutter = Cutter::of(files, &card, &plan, padding)?;
        let weights = Weights::read(files)?;
        let unfit = |error: NetworkError| {
            TransformerError::new(
                &files.place,
                WEIGHTS,
                error.0,
                "config.json, latido.json and the weights must be of one model",
            )
        };
        let build = |weights: &Weights| RustBert::new(&plan, &card, weights, cutter.padding);
        let chosen = precision::choose(precision, weights, &cutter, build).map_err(unfit)?;
        let id = files.id();
        let reader = Reader::new(&card, id);
        let (precision, texts_per_second) = (chosen.precision, chosen.texts_per_second);
        Ok(Self { plan, card, cutter, reader, id, weights: Mutex::new(chosen.weights), precision, texts_per_second })
    }

    /// What it computes in: never [`Precision::Auto`].
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Texts of 26 tokens that one thread was measured to score in a second when the model was loaded.
    #[must_use]
    pub fn texts_per_second(&self) -> f64 {
        self.texts_per_second
    }
}

impl SlowModel for Transformer {
    fn id(&self) -> ModelId {
        self.id
    }

    fn tokens(&self, text: &str) -> Tokens {
        self.cutter.cut(text)
    }

    fn max_tokens(&self) -> usize {
        self.card.max_tokens
    }

    fn network(&self) -> Result<Box<dyn Network>, NetworkError> {
        let weights = self.weights.lock().unwrap_or_else(PoisonError::into_inner).shared();
        let network = RustBert::new(&self.plan, &self.card, &weights, self.cutter.padding)?;
        Ok(Box::new(network))
    }

    fn score(&self, logits: &[f32], embedded: &Score) -> Score {
        self.reader.score(logits, embedded)
    }
}

impl fmt::Debug for Transformer {
    /// Shows which model it is, not its numbers.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Transformer")
            .field("id", &self.id)
            .field("precision", &self.precision)
            .finish_non_exhaustive()
    }
}
