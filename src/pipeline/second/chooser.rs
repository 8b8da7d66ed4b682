//! Which texts of a batch are worth a second opinion: each scoring worker's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::slot::ModelSlot;
use crate::message::{DepartmentId, ModelId, Score};
use crate::publish::{Board, DepartmentView, SecondStatus};
use crate::score::cascade::{Stakes, Worth, worth};
use crate::score::lane::{SlowModel, Tokens};

/// How often a worker looks anew at what hangs on departments.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A text that is to have a second opinion.
#[derive(Debug)]
pub(in crate::pipeline) struct Wish {
    /// Its place among the batch's outcomes.
    pub(in crate::pipeline) place: usize,
    pub(in crate::pipeline) tokens: Tokens,
}

/// What a worker wants of the slow model for a batch.
#[derive(Debug)]
pub(in crate::pipeline) struct Wishes {
    /// The model that texts were cut for.
    pub(in crate::pipeline) model: Arc<dyn SlowModel>,
    pub(in crate::pipeline) texts: Vec<Wish>,
    /// Of all texts of the batch, wanted or not; empty where worth decides nothing.
    pub(in crate::pipeline) worths: Vec<Worth>,
    /// Texts that were not even cut, since the slow model is too far behind.
    pub(in crate::pipeline) turned_away: u32,
}

/// A text with its first score.
pub(in crate::pipeline) struct Candidate<'a> {
    pub(in crate::pipeline) place: usize,
    pub(in crate::pipeline) department: DepartmentId,
    pub(in crate::pipeline) text: &'a str,
    pub(in crate::pipeline) score: &'a mut Score,
}

/// Chooses texts.
pub(in crate::pipeline) struct Chooser {
    slot: Arc<ModelSlot>,
    status: Arc<SecondStatus>,
    /// What hangs on each department; none where every text is wanted.
    stakes: Option<StakesOfAll>,
}

impl Chooser {
    /// One that wants every text.
    pub(in crate::pipeline) fn of_all(slot: Arc<ModelSlot>, status: Arc<SecondStatus>) -> Self {
        Self { slot, status, stakes: None }
    }

    /// One that wants those of which the worth reaches the threshold. `page_from` is the score from which an alert pages.
    pub(in crate::pipeline) fn by_worth(
        slot: Arc<ModelSlot>,
        status: Arc<SecondStatus>,
        board: Arc<Board>,
        page_from: f64,
    ) -> Self {
        Self { slot, status, stakes: Some(StakesOfAll { board, page_from, looked: None, stakes: Vec::new() }) }
    }

    /// Chooses among the texts of a batch, and cuts the chosen ones. In a cascade all scores are one model's from then on, whichever
    /// of the two gives them.
    pub(in crate::pipeline) fn choose<'a>(&mut self, candidates: impl Iterator<Item = Candidate<'a>>) -> Wishes {
        let model = self.slot.get();
        let threshold = self.status.threshold();
        let mut wishes = Wishes { texts: Vec::new(), worths: Vec::new(), turned_away: 0, model };
        match &mut self.stakes {
            None if threshold == Worth::NEVER => {
                wishes.turned_away = u32::try_from(candidates.count()).unwrap_or(u32::MAX);
            }
            None => wishes.texts.extend(candidates.map(|candidate| cut(&*wishes.model, &candidate))),
            Some(stakes) => {
                stakes.look();
                for candidate in candidates {
                    let worth = worth(candidate.score, stakes.of(candidate.department));
                    wishes.worths.push(worth);
                    if worth >= threshold {
                        wishes.texts.push(cut(&*wishes.model, &candidate));
                    }
                    candidate.score.model = of_both(candidate.score.model, wishes.model.id());
                }
            }
        }
        wishes
    }
}

fn cut(model: &dyn SlowModel, candidate: &Candidate<'_>) -> Wish {
    Wish { place: candidate.place, tokens: model.tokens(candidate.text) }
}

/// The one model that two are in a cascade.
fn of_both(fast: ModelId, slow: ModelId) -> ModelId {
    // What it is made of are checksums; nobody's is 0, which stands for an unknown model.
    ModelId((fast.0.rotate_left(16) ^ slow.0).max(1))
}

/// What hangs on each department, as the board shows it.
struct StakesOfAll {
    board: Arc<Board>,
    page_from: f64,
    looked: Option<Instant>,
    stakes: Vec<Stakes>,
}

impl StakesOfAll {
    fn look(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return;
        }
        let view = self.board.read();
        let is_tested = !view.stream.is_without_tests();
        self.stakes.clear();
        self.stakes.extend(view.departments.iter().map(|shown| stakes_of(shown, is_tested, self.page_from)));
        self.looked = Some(Instant::now());
    }

    /// Of a department that is new since the last look nothing is known: then each message counts as one of few.
    fn of(&self, department: DepartmentId) -> Stakes {
        self.stakes.get(department.index()).copied().unwrap_or_default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a part of 1")]
fn stakes_of(shown: &DepartmentView, is_tested: bool, page_from: f64) -> Stakes {
    let messages = shown.windows.first().map_or(0, |window| window.messages);
    if !is_tested {
        return Stakes { messages, suspicion: 0.0 };
    }
    let highest = shown.outlook.scores.iter().copied().fold(0.0, f64::max);
    let suspicion = if shown.outlook.active.is_empty() { highest / page_from } else { 1.0 };
    Stakes { messages, suspicion: suspicion.clamp(0.0, 1.0) as f32 }
}
