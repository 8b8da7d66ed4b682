//! What a network's outputs make of a score.

use super::card::{Calibration, Card, Meaning};
use crate::message::{ModelId, Probability, Score, ScorerKind, Sentiment, SentimentScore};

/// From outputs to scores.
#[derive(Debug)]
pub(super) struct Reader {
    heads: Vec<Meaning>,
    calibration: Vec<Calibration>,
    id: ModelId,
}

/// What the heads of frustration say, before they are put together.
#[derive(Clone, Copy, Debug, Default)]
struct Frustration {
    obstacle: Option<f32>,
    anger: Option<f32>,
    whole: Option<f32>,
}

impl Reader {
    pub(super) fn new(card: &Card, id: ModelId) -> Self {
        let heads = card.heads.iter().map(|head| head.meaning.clone()).collect();
        Self { heads, calibration: card.calibration.clone(), id }
    }

    /// The embedded score with what the network knows better. What it says nothing of stays: language, signals but for those that it adds,
    /// and frustration where it has no head for it. The cells that a window's shares are estimated from are the embedded model's, whose tables they go by.
    pub(super) fn score(&self, logits: &[f32], embedded: &Score) -> Score {
        let calibration = self.calibration.get(embedded.language as usize).copied().unwrap_or_default();
        let mut score = Score { scorer: ScorerKind::Transformer, model: self.id, ..*embedded };
        let mut frustration = Frustration::default();
        let mut rest = logits;
        for meaning in &self.heads {
            let Some((outputs, others)) = rest.split_at_checked(meaning.outputs()) else { return *embedded };
            rest = others;
            let single = || outputs.first().copied();
            match meaning {
                Meaning::Sentiment(sentiments) => {
                    score.sentiment = sentiment(outputs, sentiments, calibration.temperature.unwrap_or(1.0));
                }
                Meaning::Obstacle => frustration.obstacle = single().map(|output| calibration.obstacle.chance(output)),
                Meaning::Anger => frustration.anger = single().map(|output| calibration.anger.chance(output)),
                Meaning::Frustration => {
                    frustration.whole = single().map(|output| calibration.frustration.chance(output));
                }
                Meaning::Signals(signals) => {
                    let found =
                        signals.iter().zip(outputs).filter_map(|(signal, output)| Some((*signal.as_ref()?, output)));
                    for ((signal, _), _) in found.filter(|((_, threshold), output)| logistic(**output) >= *threshold) {
                        score.signals.insert(signal);
                    }
                }
            }
        }
        if let Some(chance) = frustration.chance() {
            score.frustration = Probability::new(chance);
        }
        score
    }
}

impl Frustration {
    /// One of obstacle and anger is enough. None where the model says nothing of it.
    fn chance(self) -> Option<f32> {
        if self.whole.is_some() || self.obstacle.is_none() && self.anger.is_none() {
            return self.whole;
        }
        let free_of = |chance: Option<f32>| 1.0 - chance.unwrap_or_default();
        Some(1.0 - free_of(self.obstacle) * free_of(self.anger))
    }
}

impl super::card::Line {
    fn chance(self, output: f32) -> f32 {
        logistic(self.factor * output + self.offset)
    }
}

fn logistic(output: f32) -> f32 {
    1.0 / (1.0 + (-output).exp())
}

/// Softmax, summed by the sentiment that each output speaks for.
fn sentiment(outputs: &[f32], sentiments: &[Sentiment], temperature: f32) -> SentimentScore {
    let largest = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0_f32; Sentiment::ALL.len()];
    for (output, sentiment) in outputs.iter().zip(sentiments) {
        sums[*sentiment as usize] += ((output - largest) / temperature).exp();
    }
    let all: f32 = sums.iter().sum();
    let [negative, neutral, positive] = sums.map(|sum| Probability::new(sum / all));
    SentimentScore { negative, neutral, positive }
}

const _: () = {
    // The places of the sums above.
    assert!(Sentiment::Negative as usize == 0 && Sentiment::Neutral as usize == 1 && Sentiment::Positive as usize == 2);
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Language, ShareCells, Signal, SignalSet};

    #[test]
    fn a_signal_is_added_where_a_threshold_says_so_and_none_is_taken_away() {
        let signals = [Some((Signal::Waiting, 0.5)), None, Some((Signal::Fraud, 0.9))];
        let reader = Reader {
            heads: vec![Meaning::Signals(signals.to_vec())],
            calibration: vec![Calibration::default(); Language::ALL.len()],
            id: ModelId(1),
        };
        let even = Probability::new(0.5);
        let embedded = Score {
            sentiment: SentimentScore { negative: even, neutral: Probability::new(0.0), positive: even },
            frustration: even,
            language: Language::Spanish,
            scorer: ScorerKind::Embedded,
            signals: [Signal::Praise].into_iter().collect(),
            share_cells: ShareCells::default(),
            model: ModelId(2),
        };
        let found = |logits: [f32; 3]| reader.score(&logits, &embedded).signals;
        assert_eq!(found([0.1, 9.0, 2.0]), [Signal::Praise, Signal::Waiting].into_iter().collect::<SignalSet>());
        assert_eq!(found([-0.1, 9.0, 2.5]), [Signal::Praise, Signal::Fraud].into_iter().collect::<SignalSet>());
        assert_eq!(found([-9.0, -9.0, -9.0]), embedded.signals);
    }
}
