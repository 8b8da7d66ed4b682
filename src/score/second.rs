//! The slow model that a config asks for, and whether it is sound.

use std::sync::Arc;

use super::lane::{NetworkError, SlowModel};
use super::{Scorer, Text};
use crate::config::{ScorerChoice, ScorerConfig};
use crate::message::{Score, Sentiment};

/// Why a slow model cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SlowModelError(pub String);

/// A slow model, loaded.
#[derive(Clone, Debug)]
pub struct Slow {
    /// The model.
    pub model: Arc<dyn SlowModel>,
    /// Texts of 26 tokens that a thread was measured to manage in a second, if that was measured.
    pub texts_per_second: Option<f64>,
}

/// The slow model that a config asks for; none where the embedded scorer is alone.
///
/// # Errors
/// If its files cannot be used, or this build has none.
#[cfg(feature = "transformer")]
pub fn open_slow(config: &ScorerConfig) -> Result<Option<Slow>, SlowModelError> {
    use super::transformer::{Precision, open};
    use crate::config::PrecisionChoice;

    if config.kind == ScorerChoice::Embedded {
        return Ok(None);
    }
    let precision = match config.transformer.precision {
        PrecisionChoice::Auto => Precision::Auto,
        PrecisionChoice::Float32 => Precision::Float32,
        PrecisionChoice::Bfloat16 => Precision::Bfloat16,
    };
    let directory = config.transformer.directory.as_deref();
    let model = open(directory, precision).map_err(|error| SlowModelError(error.to_string()))?;
    let texts_per_second = Some(model.texts_per_second());
    Ok(Some(Slow { model, texts_per_second }))
}

/// The slow model that a config asks for: this build has none.
///
/// # Errors
/// If the config asks for one.
#[cfg(not(feature = "transformer"))]
pub fn open_slow(config: &ScorerConfig) -> Result<Option<Slow>, SlowModelError> {
    if config.kind == ScorerChoice::Embedded {
        return Ok(None);
    }
    Err(SlowModelError("this build has none; build with `--features transformer`".to_owned()))
}

/// What a model says of a sentence that leaves no doubt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// The sentence.
    pub text: &'static str,
    /// What everybody would say of it.
    pub sentiment: Sentiment,
    /// What the model says.
    pub score: Score,
}

impl Probe {
    /// Whether the model says what everybody would.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.score.sentiment.label() == self.sentiment
    }
}

/// Sentences of each label.
const SENTENCES: [(&str, Sentiment); 6] = [
    ("Qué vergüenza de servicio, llevo tres semanas esperando y nadie me contesta.", Sentiment::Negative),
    ("¿A qué hora abre la oficina el sábado?", Sentiment::Neutral),
    ("Muchísimas gracias, me lo resolvieron enseguida, son geniales.", Sentiment::Positive),
    ("This is a disgrace, I have been waiting for three weeks and nobody answers.", Sentiment::Negative),
    ("What time does the office open on Saturday?", Sentiment::Neutral),
    ("Thank you so much, you solved it right away, great service!", Sentiment::Positive),
];

/// Has a model score a sentence of each label, as the daemon would.
///
/// # Errors
/// If a run fails, or gives what is no score.
pub fn probe(model: &dyn SlowModel, embedded: &mut dyn Scorer) -> Result<Vec<Probe>, NetworkError> {
    let mut network = model.network()?;
    let texts = SENTENCES.map(|(text, _)| Text { text, language: None });
    let mut first = Vec::new();
    embedded.score(&texts, &mut first);
    let tokens = SENTENCES.map(|(text, _)| model.tokens(text));
    let answers = network.run(&tokens.each_ref())?;
    if answers.len() != SENTENCES.len() || first.len() != SENTENCES.len() {
        return Err(NetworkError(format!("{} answers to {} sentences", answers.len(), SENTENCES.len())));
    }
    if !answers.iter().flatten().all(|logit| logit.is_finite()) {
        return Err(NetworkError("an output that is no number".to_owned()));
    }
    let probes = SENTENCES.iter().zip(answers).zip(first).map(|(((text, sentiment), logits), first)| Probe {
        text,
        sentiment: *sentiment,
        score: model.score(&logits, &first),
    });
    Ok(probes.collect())
}
