//! What the labels of training and evaluation sets mean to the two heads.

use serde::{Deserialize, Serialize};

use crate::message::Sentiment;

/// What is known of a text; either may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// The writer's attitude.
    pub sentiment: Option<Sentiment>,
    /// Whether an obstacle stands between the writer and what they need.
    pub frustrated: Option<bool>,
}

/// Labels of one row, as the heads learn them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Targets {
    /// Shares of negative, neutral, positive, summing to 1.
    pub sentiment: Option<[f32; 3]>,
    /// Whether the writer is frustrated.
    pub frustrated: Option<bool>,
}

impl Targets {
    /// The one sentiment of a row that has no other.
    #[must_use]
    pub fn sentiment_label(&self) -> Option<Sentiment> {
        let shares = self.sentiment?;
        let only = shares.iter().position(|&share| share >= 1.0)?;
        Sentiment::ALL.get(only).copied()
    }
}

impl From<Target> for Targets {
    fn from(target: Target) -> Self {
        Self { sentiment: target.sentiment.map(one_hot), frustrated: target.frustrated }
    }
}

/// The place of a sentiment in arrays: negative, neutral, positive.
#[must_use]
pub const fn sentiment_index(sentiment: Sentiment) -> usize {
    match sentiment {
        Sentiment::Negative => 0,
        Sentiment::Neutral => 1,
        Sentiment::Positive => 2,
    }
}

fn one_hot(sentiment: Sentiment) -> [f32; 3] {
    let mut shares = [0.0; 3];
    shares[sentiment_index(sentiment)] = 1.0;
    shares
}

/// Joins what each of a row's names says: sentiments share the row, one frustrated name makes it frustrated.
#[must_use]
pub fn join(targets: &[Target]) -> Targets {
    let mut shares = [0.0_f32; 3];
    for sentiment in targets.iter().filter_map(|target| target.sentiment) {
        shares[sentiment_index(sentiment)] += 1.0;
    }
    let total: f32 = shares.iter().sum();
    let sentiment = (total > 0.0).then(|| shares.map(|share| share / total));
    let frustrated = targets.iter().filter_map(|target| target.frustrated).reduce(|one, other| one || other);
    Targets { sentiment, frustrated }
}

/// What a sentiment's or an emotion's name means. Anger, annoyance, disappointment, disgust and frustration count as
/// frustrated; names that fit either attitude (surprise, anticipation) say nothing of sentiment.
#[must_use]
pub fn meaning(name: &str) -> Option<Target> {
    use Sentiment::{Negative, Neutral, Positive};
    let (sentiment, frustrated) = match name {
        "negative" => (Some(Negative), None),
        "neutral" => (Some(Neutral), None),
        "positive" => (Some(Positive), Some(false)),
        "anger" | "annoyance" | "disappointment" | "disgust" | "frustration" | "complaint" => {
            (Some(Negative), Some(true))
        }
        "disapproval" => (Some(Negative), None),
        "embarrassment" | "fear" | "grief" | "nervousness" | "remorse" | "sadness" | "anxiety" | "guilt" | "shame"
        | "pessimism" => (Some(Negative), Some(false)),
        "admiration" | "amusement" | "approval" | "caring" | "excitement" | "gratitude" | "joy" | "love"
        | "optimism" | "pride" | "relief" | "happiness" | "trust" | "empathy" | "desire" => {
            (Some(Positive), Some(false))
        }
        "curiosity" | "realization" | "none" | "others" => (Some(Neutral), Some(false)),
        "surprise" | "anticipation" | "confusion" => (None, Some(false)),
        "not_complaint" => (None, Some(false)),
        _ => return None,
    };
    Some(Target { sentiment, frustrated })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Targets {
        join(&names.iter().filter_map(|name| meaning(name)).collect::<Vec<_>>())
    }

    #[test]
    fn one_frustrated_emotion_makes_the_row_frustrated() {
        assert_eq!(of(&["joy", "annoyance"]), Targets { sentiment: Some([0.5, 0.0, 0.5]), frustrated: Some(true) });
    }

    #[test]
    fn sadness_is_negative_and_not_frustrated() {
        assert_eq!(of(&["sadness"]), Targets { sentiment: Some([1.0, 0.0, 0.0]), frustrated: Some(false) });
    }

    #[test]
    fn a_negative_label_alone_does_not_say_whether_the_writer_is_frustrated() {
        assert_eq!(of(&["negative"]).frustrated, None);
    }

    #[test]
    fn only_an_undivided_sentiment_is_a_label() {
        assert_eq!(of(&["joy", "anger"]).sentiment_label(), None);
        assert_eq!(of(&["joy", "love"]).sentiment_label(), Some(Sentiment::Positive));
    }
}
