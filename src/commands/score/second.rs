//! A slow model behind the embedded scorer, one text at a time.

use std::path::Path;
use std::sync::Arc;

use crate::message::Score;
use crate::score::lane::{Network, NetworkError, SlowModel};

/// A slow model and its network.
pub(super) struct Second {
    model: Arc<dyn SlowModel>,
    network: Box<dyn Network>,
}

impl Second {
    /// The transformer of a directory, else the encoder inside the program.
    ///
    /// # Errors
    /// If its files cannot be used.
    #[cfg(feature = "transformer")]
    pub(super) fn open(directory: Option<&Path>) -> anyhow::Result<Self> {
        use crate::score::transformer::{Precision, open};

        let model = open(directory, Precision::Auto)?;
        let network = model.network()?;
        Ok(Self { model, network })
    }

    /// Nothing: this build has none.
    #[cfg(not(feature = "transformer"))]
    pub(super) fn open(_directory: Option<&Path>) -> anyhow::Result<Self> {
        anyhow::bail!(
            "this program was built without the feature `transformer`; leave out --scorer transformer, or build with \
             `cargo xtask libtorch && cargo build --release --features transformer`"
        )
    }

    /// What the model makes of an embedded score.
    pub(super) fn score(&mut self, text: &str, embedded: &Score) -> Result<Score, NetworkError> {
        let tokens = self.model.tokens(text);
        let logits = self.network.run(&[&tokens])?;
        let said = logits.first().ok_or_else(|| NetworkError("the network said nothing".to_owned()))?;
        Ok(self.model.score(said, embedded))
    }
}
