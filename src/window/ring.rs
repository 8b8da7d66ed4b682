//! One department's panes near stream time: a ring of hours, each allocated when its first message comes.

use std::sync::Arc;

use super::hour::{HourPanes, hour_of};
use super::{PaneCounts, Tally};
use crate::message::ModelId;

/// Panes by number (event time / 10 s, rounded down). Holds any span of hours no longer than its slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    /// Hour `h` lies in slot `h` modulo their number, a power of two. No slots before the first message.
    slots: Vec<Option<Arc<HourPanes>>>,
}

impl Ring {
    /// Whether the department never had a message.
    pub(super) fn is_unused(&self) -> bool {
        self.slots.is_empty()
    }

    /// What was counted in a pane.
    pub(super) fn get(&self, pane: i64) -> PaneCounts {
        self.hour(hour_of(pane)).map_or_else(PaneCounts::default, |hour| hour.get(pane))
    }

    /// The hour of a pane, to count in. `slots`, a power of two, is how many hours the ring may span. An hour that somebody
    /// else still looks at is copied first.
    pub(super) fn hour_mut(&mut self, pane: i64, slots: usize) -> &mut HourPanes {
        let hour = hour_of(pane);
        let slot = self.slot(hour, slots).get_or_insert_with(|| Arc::new(HourPanes::new(hour)));
        debug_assert_eq!(slot.hour(), hour, "hours are freed before the ring comes round to their slots");
        Arc::make_mut(slot)
    }

    /// What each model said of a pane.
    pub(super) fn by_model(&self, pane: i64) -> impl Iterator<Item = (ModelId, Tally)> {
        self.hour(hour_of(pane)).into_iter().flat_map(move |hour| hour.by_model(pane))
    }

    /// Takes in an hour that has nothing in the ring yet.
    pub(super) fn put(&mut self, hour: Arc<HourPanes>, slots: usize) {
        let slot = self.slot(hour.hour(), slots);
        debug_assert!(slot.is_none(), "what waits ahead has no messages in the ring");
        *slot = Some(hour);
    }

    fn slot(&mut self, hour: i64, slots: usize) -> &mut Option<Arc<HourPanes>> {
        if self.slots.is_empty() {
            self.slots.resize_with(slots, || None);
        }
        let slot = slot_of(hour, self.slots.len());
        &mut self.slots[slot]
    }

    /// The hours that have a message, in no order.
    pub(super) fn hours(&self) -> impl Iterator<Item = &Arc<HourPanes>> {
        self.slots.iter().flatten()
    }

    /// Frees the hours before this one.
    pub(super) fn free_before(&mut self, hour: i64) {
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(|kept| kept.hour() < hour) {
                *slot = None;
            }
        }
    }

    /// The panes with messages, from `from` on, oldest first.
    pub(super) fn iter_from(&self, from: i64) -> impl Iterator<Item = (i64, PaneCounts)> {
        let hours = (hour_of(from)..).take(self.slots.len());
        hours.filter_map(|hour| self.hour(hour)).flat_map(|hour| hour.iter()).filter(move |(pane, _)| *pane >= from)
    }

    fn hour(&self, hour: i64) -> Option<&HourPanes> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[slot_of(hour, self.slots.len())].as_deref().filter(|kept| kept.hour() == hour)
    }
}

/// Where an hour lies in a power of two of slots: only its low bits count, below 0 too.
const fn slot_of(hour: i64, slots: usize) -> usize {
    hour as usize & (slots - 1)
}
