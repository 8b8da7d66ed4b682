//! One department's panes near stream time: a ring of hours, each allocated when its first message comes.

use super::PaneCounts;
use super::packed::PackedPanes;

/// Panes in one segment: an hour of them.
pub(super) const SEGMENT: i64 = 360;

/// An hour of panes.
#[derive(Clone, Debug)]
struct Segment {
    /// Which hour since the epoch.
    hour: i64,
    panes: PackedPanes,
}

/// Panes by number (event time / 10 s, rounded down). Holds any span of hours no longer than its slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    /// Hour `h` lies in slot `h` modulo their number, a power of two. No slots before the first message.
    slots: Vec<Option<Box<Segment>>>,
}

/// The hour that a pane lies in.
pub(super) const fn hour_of(pane: i64) -> i64 {
    pane.div_euclid(SEGMENT)
}

/// A pane's place in its hour, from 0 to 359.
const fn place_of(pane: i64) -> usize {
    pane.rem_euclid(SEGMENT) as usize
}

impl Ring {
    /// Whether the department never had a message.
    pub(super) fn is_unused(&self) -> bool {
        self.slots.is_empty()
    }

    /// What was counted in a pane.
    pub(super) fn get(&self, pane: i64) -> PaneCounts {
        self.segment(hour_of(pane)).map_or_else(PaneCounts::default, |segment| segment.panes.get(place_of(pane)))
    }

    /// Sets what was counted in a pane. `slots`, a power of two, is how many hours the ring may span.
    pub(super) fn set(&mut self, pane: i64, slots: usize, counts: &PaneCounts) {
        if self.slots.is_empty() {
            self.slots.resize_with(slots, || None);
        }
        let hour = hour_of(pane);
        let slot = slot_of(hour, self.slots.len());
        let fresh = || Box::new(Segment { hour, panes: PackedPanes::new(SEGMENT as usize) });
        let segment = self.slots[slot].get_or_insert_with(fresh);
        debug_assert_eq!(segment.hour, hour, "hours are freed before the ring comes round to their slots");
        segment.panes.set(place_of(pane), counts);
    }

    /// Hours that take memory.
    #[cfg(test)]
    pub(super) fn hours_in_use(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Bytes that a pane takes in each of these hours.
    #[cfg(test)]
    pub(super) fn bytes_of_a_pane(&self) -> impl Iterator<Item = usize> {
        self.slots.iter().flatten().map(|segment| segment.panes.bytes_of_a_pane())
    }

    /// Frees the hours before this one.
    pub(super) fn free_before(&mut self, hour: i64) {
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(|segment| segment.hour < hour) {
                *slot = None;
            }
        }
    }

    /// The panes with messages, from `from` on, oldest first.
    pub(super) fn iter_from(&self, from: i64) -> impl Iterator<Item = (i64, PaneCounts)> {
        let hours = (hour_of(from)..).take(self.slots.len());
        hours
            .filter_map(|hour| self.segment(hour))
            .flat_map(|segment| (segment.hour * SEGMENT..).zip(segment.panes.iter()))
            .filter(move |(pane, counts)| *pane >= from && !counts.is_empty())
    }

    fn segment(&self, hour: i64) -> Option<&Segment> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[slot_of(hour, self.slots.len())].as_deref().filter(|segment| segment.hour == hour)
    }
}

/// Where an hour lies in a power of two of slots: only its low bits count, below 0 too.
const fn slot_of(hour: i64, slots: usize) -> usize {
    hour as usize & (slots - 1)
}
