//! A slow model behind the embedded scorer, one text at a time.

use std::path::Path;
use std::sync::Arc;

use crate::message::Score;
use crate::score::cascade::{Stakes, Worth, worth};
use crate::score::lane::{Network, NetworkError, SlowModel};

/// A slow model and its network.
pub(super) struct Second {
    model: Arc<dyn SlowModel>,
    network: Box<dyn Network>,
    /// The worth from which on it is asked; none where it always is.
    threshold: Option<Worth>,
}

impl Second {
    /// The transformer of a directory, else the encoder inside the program.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub(super) fn open(directory: Option<&Path>, threshold: Option<f32>) -> anyhow::Result<Self> {
        Self::of(open_transformer(directory)?, threshold)
    }

    fn of(model: Arc<dyn SlowModel>, threshold: Option<f32>) -> anyhow::Result<Self> {
        let network = model.network()?;
        // 1 is none at all, which no text's worth reaches.
        let threshold = threshold.map(|threshold| if threshold < 1.0 { Worth::new(threshold) } else { Worth::NEVER });
        Ok(Self { model, network, threshold })
    }

    /// What the model makes of an embedded score, and in a cascade what that is worth; the embedded score where it is worth too little.
    pub(super) fn score(&mut self, text: &str, embedded: &Score) -> Result<(Score, Option<f32>), NetworkError> {
        let Some(threshold) = self.threshold else { return Ok((self.ask(text, embedded)?, None)) };
        let worth = worth(embedded, Stakes::default());
        let score = if worth >= threshold { self.ask(text, embedded)? } else { *embedded };
        Ok((score, Some(worth.get())))
    }

    fn ask(&mut self, text: &str, embedded: &Score) -> Result<Score, NetworkError> {
        let tokens = self.model.tokens(text);
        let logits = self.network.run(&[&tokens])?;
        let said = logits.first().ok_or_else(|| NetworkError("the network said nothing".to_owned()))?;
        Ok(self.model.score(said, embedded))
    }
}

/// The transformer of a directory, else the encoder inside the program.
#[cfg(feature = "transformer")]
pub(crate) fn open_transformer(directory: Option<&Path>) -> anyhow::Result<Arc<dyn SlowModel>> {
    use crate::score::transformer::{Precision, open};

    Ok(open(directory, Precision::Auto)?)
}

/// Nothing: this build has none.
#[cfg(not(feature = "transformer"))]
pub(crate) fn open_transformer(_directory: Option<&Path>) -> anyhow::Result<Arc<dyn SlowModel>> {
    anyhow::bail!(
        "this program was built without the feature `transformer`; leave out --scorer, or build with \
         `cargo xtask libtorch && cargo build --release --features transformer`"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::message::ScorerKind;
    use crate::score::lane::kit::Fake;
    use crate::score::{EmbeddedModel, EmbeddedScorer, Rules, Text};

    const SURE: &str = "Muchas gracias, excelente servicio";
    const IN_DOUBT: &str = "No sé si me gusta o no, la verdad";

    /// Which scorer a text gets at a threshold, and its worth.
    fn score(text: &str, threshold: Option<f32>) -> (ScorerKind, Option<f32>) {
        let mut embedded = EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap());
        let first = embedded.score_one(Text { text, language: None });
        let (score, worth) = Second::of(Arc::new(Fake::new(1)), threshold).unwrap().score(text, &first).unwrap();
        (score.scorer, worth)
    }

    #[test]
    fn a_transformer_scores_every_text() {
        assert_eq!(score(SURE, None), (ScorerKind::Transformer, None));
    }

    #[test]
    fn in_a_cascade_it_scores_what_is_worth_it_and_each_text_tells_its_worth() {
        let (sure, in_doubt) = (score(SURE, Some(0.25)), score(IN_DOUBT, Some(0.25)));
        assert_eq!((sure.0, in_doubt.0), (ScorerKind::Embedded, ScorerKind::Transformer));
        assert!(sure.1.unwrap() < 0.25 && in_doubt.1.unwrap() >= 0.25);
    }

    #[test]
    fn at_the_ends_it_scores_all_and_none() {
        assert_eq!(score(SURE, Some(0.0)).0, ScorerKind::Transformer);
        assert_eq!(score(IN_DOUBT, Some(1.0)).0, ScorerKind::Embedded);
    }
}
