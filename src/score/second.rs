//! The slow model that a config asks for, and whether it is sound.

use std::sync::Arc;

use super::cascade::{Stakes, worth};
use super::lane::{Network, NetworkError, SlowModel, Tokens, runs_of};
use super::{EmbeddedScorer, Scorer, Text};
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

/// How many tokens are run together.
const BATCH_TOKENS: usize = 512;

/// Scores with the embedded scorer, and again with a slow model: all texts of a call, or the part of them that is most worth it. For
/// measuring; the daemon has no call that holds all texts.
pub struct SecondScorer {
    first: EmbeddedScorer,
    model: Arc<dyn SlowModel>,
    network: Box<dyn Network>,
    share: f64,
    failed: Option<NetworkError>,
}

impl SecondScorer {
    /// One that scores that part of the texts again, 0 to 1.
    ///
    /// # Errors
    /// If the model's network cannot be built.
    pub fn new(first: EmbeddedScorer, model: Arc<dyn SlowModel>, share: f64) -> Result<Self, NetworkError> {
        let network = model.network()?;
        Ok(Self { first, model, network, share, failed: None })
    }

    /// Why some texts kept their first score though they were to be scored again; none where that did not happen.
    #[must_use]
    pub fn failed(&self) -> Option<&NetworkError> {
        self.failed.as_ref()
    }

    /// The places of the texts to score again: those of most worth, of equal worth the first.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of a count"
    )]
    fn chosen(&self, scores: &[Score]) -> Vec<usize> {
        let mut places: Vec<usize> = (0..scores.len()).collect();
        places.sort_by_key(|place| std::cmp::Reverse(worth(&scores[*place], Stakes::default())));
        places.truncate((self.share.clamp(0.0, 1.0) * scores.len() as f64).round() as usize);
        places
    }

    fn again(&mut self, texts: &[Text<'_>], scores: &mut [Score]) -> Result<(), NetworkError> {
        let mut cut: Vec<(usize, Tokens)> =
            self.chosen(scores).into_iter().map(|place| (place, self.model.tokens(texts[place].text))).collect();
        cut.sort_by_key(|(_, tokens)| tokens.ids().len());
        for batch in cut.chunks(BATCH_TOKENS) {
            let lengths: Vec<usize> = batch.iter().map(|(_, tokens)| tokens.ids().len()).collect();
            for run in runs_of(&lengths, BATCH_TOKENS) {
                let together = &batch[run];
                let tokens: Vec<&Tokens> = together.iter().map(|(_, tokens)| tokens).collect();
                let answers = self.network.run(&tokens)?;
                for ((place, _), logits) in together.iter().zip(answers) {
                    scores[*place] = self.model.score(&logits, &scores[*place]);
                }
            }
        }
        Ok(())
    }
}

impl Scorer for SecondScorer {
    fn score(&mut self, texts: &[Text<'_>], scores: &mut Vec<Score>) {
        let begun = scores.len();
        self.first.score(texts, scores);
        if let Err(error) = self.again(texts, &mut scores[begun..]) {
            self.failed = Some(error);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::message::ScorerKind;
    use crate::score::lane::kit::{Fake, Fault};
    use crate::score::{EmbeddedModel, Rules};

    fn embedded() -> EmbeddedScorer {
        EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap())
    }

    const TEXTS: [&str; 4] = [
        "Muchas gracias, excelente servicio",
        "No sé si me gusta o no, la verdad",
        "Pésimo, no vuelvo nunca",
        "bueno, pues no sé",
    ];

    fn scorers(share: f64) -> Vec<ScorerKind> {
        let mut scorer = SecondScorer::new(embedded(), Arc::new(Fake::new(1)), share).unwrap();
        let mut scores = Vec::new();
        scorer.score(&TEXTS.map(|text| Text { text, language: None }), &mut scores);
        assert_eq!(scorer.failed(), None);
        scores.iter().map(|score| score.scorer).collect()
    }

    #[test]
    fn the_part_that_is_most_worth_it_is_scored_again_and_each_text_by_its_own_answer() {
        use ScorerKind::{Embedded, Transformer};
        assert_eq!(scorers(0.0), [Embedded; 4]);
        assert_eq!(scorers(0.5), [Embedded, Transformer, Embedded, Transformer]);
        assert_eq!(scorers(1.0), [Transformer; 4]);
        let mut scorer = SecondScorer::new(embedded(), Arc::new(Fake::new(1)), 1.0).unwrap();
        let (mut scores, mut first) = (Vec::new(), Vec::new());
        let texts = TEXTS.map(|text| Text { text, language: None });
        scorer.score(&texts, &mut scores);
        embedded().score(&texts, &mut first);
        for ((text, score), first) in TEXTS.iter().zip(scores).zip(first) {
            assert_eq!(score, Fake::new(1).score(&Fake::says(text), &first), "{text}");
        }
    }

    #[test]
    fn a_run_that_fails_is_told_and_leaves_the_first_scores() {
        let model = Fake::new(1).with(b'M', Fault::Fail);
        let mut scorer = SecondScorer::new(embedded(), Arc::new(model), 1.0).unwrap();
        let mut scores = Vec::new();
        scorer.score(&[Text { text: "Muchas gracias", language: None }], &mut scores);
        assert_eq!(scores[0].scorer, ScorerKind::Embedded);
        assert!(scorer.failed().is_some());
    }

    #[test]
    fn a_model_is_asked_for_a_sentence_of_each_label_and_a_broken_one_is_told() {
        let probes = probe(&Fake::new(1), &mut embedded()).unwrap();
        assert_eq!(probes.len(), SENTENCES.len());
        assert!(probes.iter().all(|probe| probe.score.scorer == ScorerKind::Transformer));
        let broken = Fake::new(1).with(b'M', Fault::NotANumber);
        assert!(probe(&broken, &mut embedded()).is_err());
        let short = Fake::new(1).with(b'M', Fault::OneTooFew);
        assert!(probe(&short, &mut embedded()).is_err());
    }
}
