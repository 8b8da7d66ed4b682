//! What a slow model is to the lane that runs it.

use std::fmt;

use crate::message::{ModelId, Score};

/// A text as a network sees it: the ids of its tokens, the special ones included.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tokens(Box<[u32]>);

impl Tokens {
    /// From ids.
    #[must_use]
    pub fn new(ids: impl Into<Box<[u32]>>) -> Self {
        Self(ids.into())
    }

    /// The ids, in the order of the text.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.0
    }
}

impl fmt::Debug for Tokens {
    /// Shows how many there are: ids are what people wrote.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tokens({})", self.0.len())
    }
}

/// What a network says of one text: its outputs before calibration, head after head in the order of its model.
pub type Logits = Box<[f32]>;

/// A network cannot be built, or a run of it failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NetworkError(pub String);

/// A model too slow for every text, once for all threads that run it.
pub trait SlowModel: fmt::Debug + Send + Sync {
    /// What tells it from others.
    fn id(&self) -> ModelId;

    /// The text as its network sees it: at least one token, at most as many as the model takes.
    fn tokens(&self, text: &str) -> Tokens;

    /// How many tokens the longest text has.
    fn max_tokens(&self) -> usize;

    /// A network for one thread. All networks of a model share its weights, so that this costs next to nothing.
    ///
    /// # Errors
    /// If the weights do not fit together.
    fn network(&self) -> Result<Box<dyn Network>, NetworkError>;

    /// What the network's answer makes of the embedded scorer's score of the same text.
    fn score(&self, logits: &[f32], embedded: &Score) -> Score;
}

/// A network, owned by one thread. It may panic: nothing is lost by that but its batch.
pub trait Network: Send {
    /// Runs texts together: an answer for each, in their order. What it says of one does not depend on the others.
    ///
    /// # Errors
    /// If the run failed.
    fn run(&mut self, texts: &[&Tokens]) -> Result<Vec<Logits>, NetworkError>;
}
