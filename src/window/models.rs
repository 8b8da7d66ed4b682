//! Which model said what of an hour's messages.

use super::Tally;
use super::hour::PANES_AN_HOUR;
use super::packed::PackedPanes;
use crate::message::ModelId;

/// Models kept apart in an hour besides the first; what others said counts with that.
const MOST_OTHERS: usize = 7;

/// What each model said of the messages in an hour's panes. Nearly always there is only one, and nothing to keep but its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Models {
    /// The one that said whatever no other did; none before the first message.
    first: Option<ModelId>,
    /// By model, the panes in order.
    others: Vec<(ModelId, PackedPanes<4>)>,
}

impl Models {
    /// Those that were kept: the first, and what each other one said by place in the hour, 0 to 359.
    pub(crate) fn of(first: Option<ModelId>, others: impl IntoIterator<Item = (ModelId, usize, Tally)>) -> Self {
        let mut models = Self { first, others: Vec::new() };
        for (model, place, tally) in others {
            models.add(place, model, tally);
        }
        models
    }

    pub(crate) fn first(&self) -> Option<ModelId> {
        self.first
    }

    /// What all but the first one said: model, place in the hour, counts.
    pub(crate) fn others(&self) -> impl Iterator<Item = (ModelId, usize, Tally)> {
        self.others.iter().flat_map(|(model, panes)| {
            let tallies = panes.iter().map(Tally::from_numbers).enumerate().filter(|(_, tally)| !tally.is_empty());
            tallies.map(move |(place, tally)| (*model, place, tally))
        })
    }

    /// Adds what a model said of a pane.
    pub(super) fn add(&mut self, place: usize, model: ModelId, tally: Tally) {
        if tally.is_empty() || model == *self.first.get_or_insert(model) {
            return;
        }
        let panes = match self.others.iter().position(|(known, _)| *known == model) {
            Some(known) => &mut self.others[known].1,
            None if self.others.len() == MOST_OTHERS => return,
            None => {
                self.others.push((model, PackedPanes::new(PANES_AN_HOUR as usize)));
                let newest = self.others.len() - 1;
                &mut self.others[newest].1
            }
        };
        let mut sum = panes.get(place);
        sum.iter_mut().zip(tally.numbers()).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        panes.set(place, &sum);
    }

    /// Whether what all but the first one said of a pane is no more than was counted in it.
    pub(super) fn are_within(&self, place: usize, all: Tally) -> bool {
        let each = || self.others.iter().map(|(_, panes)| panes.get(place));
        let sum = |number: usize| each().map(|numbers| u64::from(numbers[number])).sum::<u64>();
        let are_sound = each().all(|numbers| Tally::from_numbers(numbers).is_sound());
        are_sound && all.numbers().iter().enumerate().all(|(number, of_all)| sum(number) <= u64::from(*of_all))
    }

    /// What each model said of a pane in which all together counted so much.
    pub(super) fn parts(&self, place: usize, all: Tally) -> impl Iterator<Item = (ModelId, Tally)> {
        let mut of_first = all;
        let others = self.others.iter().map(move |(model, panes)| (*model, Tally::from_numbers(panes.get(place))));
        others.clone().for_each(|(_, tally)| of_first = of_first.saturating_sub(tally));
        let first = (self.first.unwrap_or_default(), of_first);
        std::iter::once(first).chain(others).filter(|(_, tally)| !tally.is_empty())
    }
}

/// The same of each pane, in however many bytes it is kept.
impl PartialEq for Models {
    fn eq(&self, other: &Self) -> bool {
        self.first == other.first && self.others().eq(other.others())
    }
}
