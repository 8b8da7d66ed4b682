//! Counts by the model that gave them.

use serde::{Deserialize, Serialize};

use super::tick::Counts;
use crate::message::ModelId;
use crate::window::Tally;

/// How many models are told apart; what more of them say counts with the last one.
pub(super) const MODELS: usize = 8;

/// Messages of a department in a slice of event time, by model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ByModel(Vec<(ModelId, Counts)>);

impl ByModel {
    /// Adds the counts of a pane.
    pub(super) fn add(&mut self, model: ModelId, pane: &Tally) {
        if pane.is_empty() {
            return;
        }
        let known = self.0.iter().position(|(known, _)| *known == model);
        let place = known.unwrap_or_else(|| {
            if self.0.len() < MODELS {
                self.0.push((model, Counts::default()));
            }
            self.0.len() - 1
        });
        self.0[place].1.add(pane);
    }

    /// All models together.
    pub(super) fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.0.iter().for_each(|(_, counts)| total.join(counts));
        total
    }

    pub(super) fn of(&self, model: ModelId) -> Counts {
        self.0.iter().find(|(known, _)| *known == model).map_or_else(Counts::default, |(_, counts)| *counts)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ModelId, Counts)> {
        self.0.iter().copied()
    }

    /// Whether it is what it should be, wherever it came from.
    pub(super) fn is_sound(&self) -> bool {
        self.0.len() <= MODELS && self.0.iter().all(|(_, counts)| counts.is_sound())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing, in the same memory.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
