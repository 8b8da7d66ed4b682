//! What is chosen, who waits, and what becomes of it.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use super::chooser::{Wish, Wishes};
use super::desk::{Asked, Desk, DeskOptions, Offers};
use crate::ingest::BatchBuilder;
use crate::message::{
    Audience, DepartmentId, EventTime, Language, ModelId, Offset, PartitionId, Probability, Score, ScorerKind,
    SentimentScore, ShareCells, SignalSet,
};
use crate::pipeline::scoring::{Outcome, Placed, ScoredBatch};
use crate::publish::{FallbackReason, SecondStatus};
use crate::score::cascade::Worth;
use crate::score::lane::kit::Fake;
use crate::score::lane::{Answer, Failure, Job, Run, SlowModel};

mod choosing;
mod desk;
mod thread;

/// The model whose score each text has first.
const FIRST: ModelId = ModelId(77);

const DEADLINE: Duration = Duration::from_secs(2);

/// A score of the embedded scorer, as sure of itself as is said: 0.5 is a tie.
fn embedded(sure: f32) -> Score {
    let negative = Probability::new(sure);
    let positive = Probability::new(1.0 - sure);
    Score {
        sentiment: SentimentScore { negative, neutral: Probability::new(0.0), positive },
        frustration: Probability::new(sure),
        language: Language::Spanish,
        scorer: ScorerKind::Embedded,
        signals: SignalSet::default(),
        share_cells: ShareCells::default(),
        model: FIRST,
    }
}

/// The batch of a partition, an epoch and a number, with a message for each text.
fn batch(partition: i32, epoch: u32, sequence: u64, texts: &[impl AsRef<str>]) -> ScoredBatch {
    let mut building = BatchBuilder::new(PartitionId::new("messages", partition), epoch, sequence, 0);
    let mut outcomes = Vec::new();
    for (offset, text) in (0..).zip(texts) {
        building.push(Offset(offset), None, None, Some(text.as_ref().as_bytes()), std::iter::empty());
        let (event_time, department) = (EventTime::from_millis(0), DepartmentId(0));
        let placed = Placed { department, event_time, trusted: event_time, text_was_cut: false, customer: None };
        outcomes.push(Outcome::Scored(placed, Audience::External, embedded(0.9)));
    }
    ScoredBatch { batch: building.finish(), outcomes, decoded: EventTime::from_millis(0), routes: 0 }
}

/// A batch that wants a second opinion on all its texts.
fn asked(model: &Arc<Fake>, scored: ScoredBatch, texts: &[impl AsRef<str>]) -> Asked {
    let texts = texts.iter().enumerate();
    let texts = texts.map(|(place, text)| Wish { place, tokens: Fake::tokens_of(text.as_ref()) }).collect();
    let model = Arc::clone(model) as Arc<dyn SlowModel>;
    Asked { scored, wishes: Wishes { model, texts, worths: Vec::new(), turned_away: 0 } }
}

/// The scores of a batch.
fn scores(scored: &ScoredBatch) -> Vec<Score> {
    let scores = scored.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Scored(_, _, score) => Some(*score),
        _ => None,
    });
    scores.collect()
}

/// Which scorers gave them.
fn scorers(scored: &ScoredBatch) -> Vec<ScorerKind> {
    scores(scored).iter().map(|score| score.scorer).collect()
}

/// What the fake model makes of a text.
fn second_opinion(model: &Fake, text: &str) -> Score {
    model.score(&Fake::says(text), &embedded(0.9))
}
