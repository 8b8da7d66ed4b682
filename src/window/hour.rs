//! An hour of one department's panes: the unit in which panes are kept, shared and saved.

use std::collections::BTreeMap;

use super::counts::NUMBERS;
use super::models::Models;
use super::packed::PackedPanes;
use super::{PaneCounts, Tally, pane_of, start_of};
use crate::message::{EventTime, ModelId};

/// Panes in an hour.
pub(crate) const PANES_AN_HOUR: i64 = 360;

/// An hour of panes. Behind an `Arc` it can be handed to whoever saves it while messages go on being counted: the first one
/// that comes for a shared hour copies it (8 KB, up to 30 KB), and what was handed out stays as it was.
#[derive(Clone, Debug)]
pub struct HourPanes {
    /// Which hour since the epoch.
    hour: i64,
    panes: PackedPanes<NUMBERS>,
    models: Models,
}

/// The hour that a pane lies in.
pub(super) const fn hour_of(pane: i64) -> i64 {
    pane.div_euclid(PANES_AN_HOUR)
}

/// A pane's place in its hour, from 0 to 359.
const fn place_of(pane: i64) -> usize {
    pane.rem_euclid(PANES_AN_HOUR) as usize
}

impl HourPanes {
    /// No message yet.
    pub(super) fn new(hour: i64) -> Self {
        Self { hour, panes: PackedPanes::new(PANES_AN_HOUR as usize), models: Models::default() }
    }

    /// Which hour since the epoch: its panes start within [`hour`, `hour` + 1) times 3,600 s.
    #[must_use]
    pub const fn hour(&self) -> i64 {
        self.hour
    }

    /// When it ends.
    #[must_use]
    pub fn end(&self) -> EventTime {
        start_of((self.hour + 1) * PANES_AN_HOUR)
    }

    /// What was counted in a pane of this hour.
    pub(super) fn get(&self, pane: i64) -> PaneCounts {
        PaneCounts::from_numbers(&self.panes.get(place_of(pane)))
    }

    /// Sets what was counted in a pane of this hour.
    fn set(&mut self, pane: i64, counts: &PaneCounts) {
        self.panes.set(place_of(pane), &counts.numbers());
    }

    /// Sets what was counted in a pane of this hour, once these were added to it.
    pub(super) fn add(&mut self, pane: i64, sum: &PaneCounts, added: impl IntoIterator<Item = (ModelId, Tally)>) {
        self.set(pane, sum);
        for (model, tally) in added {
            self.models.add(place_of(pane), model, tally);
        }
    }

    /// What was counted in a pane of this hour by the model that said so.
    pub(super) fn by_model(&self, pane: i64) -> impl Iterator<Item = (ModelId, Tally)> {
        let place = place_of(pane);
        self.models.parts(place, self.get(pane).tally)
    }

    /// Which models said what.
    pub(crate) fn models(&self) -> &Models {
        &self.models
    }

    /// The same, where these said it.
    #[must_use]
    pub(crate) fn with_models(self, models: Models) -> Self {
        Self { models, ..self }
    }

    /// The panes with messages by their number since the epoch, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, PaneCounts)> {
        let first = self.hour * PANES_AN_HOUR;
        let panes = self.panes.iter().map(|numbers| PaneCounts::from_numbers(&numbers));
        (first..).zip(panes).filter(|(_, counts)| !counts.is_empty())
    }

    /// The panes with messages and when they start, oldest first.
    pub fn panes(&self) -> impl Iterator<Item = (EventTime, PaneCounts)> {
        self.iter().map(|(pane, counts)| (start_of(pane), counts))
    }

    /// The same by the model that said so.
    pub fn panes_by_model(
        &self,
    ) -> impl Iterator<Item = (EventTime, PaneCounts, impl Iterator<Item = (ModelId, Tally)>)> {
        self.iter().map(|(pane, counts)| (start_of(pane), counts, self.models.parts(place_of(pane), counts.tally)))
    }

    /// Whether no part of what was counted is larger than the whole, wherever it came from.
    pub(crate) fn is_sound(&self) -> bool {
        (0..PANES_AN_HOUR).all(|place| {
            let tally = self.get(place).tally;
            tally.is_sound() && self.models.are_within(place_of(place), tally)
        })
    }

    /// Gathers panes by when they start into hours, oldest first; of two that start at once the last counts.
    #[must_use]
    pub fn gather(panes: impl IntoIterator<Item = (EventTime, PaneCounts)>) -> Vec<Self> {
        let mut hours = BTreeMap::new();
        for (start, counts) in panes {
            let pane = pane_of(start);
            let hour = hour_of(pane);
            hours.entry(hour).or_insert_with(|| Self::new(hour)).set(pane, &counts);
        }
        hours.into_values().collect()
    }

    /// Bytes that a pane takes.
    #[cfg(test)]
    pub(super) fn bytes_of_a_pane(&self) -> usize {
        self.panes.bytes_of_a_pane()
    }
}

/// Equal counts are equal, in however many bytes they are kept.
impl PartialEq for HourPanes {
    fn eq(&self, other: &Self) -> bool {
        self.hour == other.hour && self.models == other.models && self.iter().eq(other.iter())
    }
}
