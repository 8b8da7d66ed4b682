//! `[scorer]`: what scores a text.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;

/// `[scorer]`: what scores a text. [Scoring](scoring.md) says which scorer suits which volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScorerConfig {
    /// Which scorer: `embedded` is a small model that runs within the daemon. `transformer` has a transformer score every message, and the
    /// embedded one what it does not manage in time; `cascade` has it score those messages again whose label it could change. Both
    /// take a [build with the feature `transformer`](transformer.md).
    pub kind: ScorerChoice,
    /// Model file, made by `latido train`, to use in place of the one inside the binary.
    pub model: Option<PathBuf>,
    /// `[scorer.transformer]`: the transformer, and how long it may take.
    pub transformer: TransformerConfig,
    /// `[scorer.cascade]`: what the transformer scores again.
    pub cascade: CascadeConfig,
}

/// Which scorer runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScorerChoice {
    /// The model inside the binary.
    #[default]
    Embedded,
    /// A transformer for every message, as far as it manages them.
    Transformer,
    /// A transformer for those messages whose label it could change.
    Cascade,
}

impl ScorerChoice {
    /// The name used in the config.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Transformer => "transformer",
            Self::Cascade => "cascade",
        }
    }
}

/// `[scorer.transformer]`: the transformer, and how long it may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransformerConfig {
    /// [Directory of a model](transformer.md) to use in place of the one inside the binary. SIGHUP reads it anew.
    pub directory: Option<PathBuf>,
    /// Threads that run it, each on one core. 0: one less than there are cores, at least one. At most 256.
    pub workers: usize,
    /// Numbers that it computes with: `auto` takes those that were faster when it started.
    pub precision: PrecisionChoice,
    /// A message whose answer is not there so long after it was read keeps its embedded score. From `50ms` to `1m`, and less than
    /// `pipeline.drain_timeout`.
    pub deadline: Span,
    /// How long a text waits for others to be run with. Less than half of `deadline`.
    pub max_wait: Span,
    /// Tokens that are run together, the filling of shorter texts included. From 1 to 65536.
    pub max_batch_tokens: usize,
    /// Texts that may wait for it; those beyond keep their embedded score. From 1 to 100000.
    pub max_waiting_texts: usize,
    /// Texts whose answers are remembered, so that what comes again is not run again: about 200 bytes each. 0: none; at most 10000000.
    pub cache_texts: usize,
}

/// Which numbers a transformer computes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrecisionChoice {
    /// Those that were faster when it started.
    #[default]
    Auto,
    /// Floating point of 32 bits.
    Float32,
    /// Floating point of 16 bits with the range of 32.
    Bfloat16,
}

/// `[scorer.cascade]`: what the transformer scores again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CascadeConfig {
    /// The largest part of the messages that it scores again, 0 to 1, however much it could.
    pub max_share: f64,
}

impl Default for TransformerConfig {
    fn default() -> Self {
        Self {
            directory: None,
            workers: 0,
            precision: PrecisionChoice::Auto,
            deadline: Span::from_secs(2),
            max_wait: Span::from_millis(20),
            max_batch_tokens: 512,
            max_waiting_texts: 2_000,
            cache_texts: 50_000,
        }
    }
}

impl Default for CascadeConfig {
    fn default() -> Self {
        Self { max_share: 1.0 }
    }
}
