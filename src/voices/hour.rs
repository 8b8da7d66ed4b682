//! An hour of one department: the unit that is shared with checkpoints, like that of panes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{HALF_MINUTES, HOUR_MINUTES, STRETCH_MINUTES, Stretch, hour_of};

/// Stretches of one length by their number within the hour.
type Stretches = BTreeMap<u8, Arc<Stretch>>;

/// Where the places of stretches of 5 minutes begin, behind those of half hours; and those of open minutes, behind these.
const FINE: u8 = (HOUR_MINUTES / HALF_MINUTES) as u8;
const OPEN: u8 = FINE + (HOUR_MINUTES / STRETCH_MINUTES) as u8;

/// An hour of stretches. Behind an `Arc` it can be handed out while messages go on being counted: whoever writes copies pointers and
/// the one stretch that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourVoices {
    hour: i64,
    /// By half of the hour: of minutes that closed long ago, and of what came for them later.
    halves: Stretches,
    /// By 5 minutes, from 0 to 11: of minutes that closed lately.
    fine: Stretches,
    /// By minute of the hour: those that are not closed.
    open: Stretches,
}

/// The number within its hour of what a minute lies in, where each holds so many minutes.
fn number_of(minute: i64, minutes: i64) -> u8 {
    u8::try_from(minute.rem_euclid(HOUR_MINUTES) / minutes).unwrap_or_default()
}

/// The stretch of that number, to be changed.
fn stretch(stretches: &mut Stretches, number: u8) -> &mut Stretch {
    Arc::make_mut(stretches.entry(number).or_default())
}

/// Moves one into that of a number: as it is where there is none.
fn join(stretches: &mut Stretches, number: u8, joining: Arc<Stretch>) {
    match stretches.get_mut(&number) {
        Some(known) => Arc::make_mut(known).merge(&joining),
        None => drop(stretches.insert(number, joining)),
    }
}

impl HourVoices {
    pub(super) fn new(hour: i64) -> Self {
        Self { hour, halves: BTreeMap::new(), fine: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// Which hour since the epoch.
    #[must_use]
    pub const fn hour(&self) -> i64 {
        self.hour
    }

    /// The stretch of a minute that closed lately, or long ago.
    pub(super) fn closed(&mut self, minute: i64, long_ago: bool) -> &mut Stretch {
        debug_assert_eq!(hour_of(minute), self.hour);
        match long_ago {
            true => stretch(&mut self.halves, number_of(minute, HALF_MINUTES)),
            false => stretch(&mut self.fine, number_of(minute, STRETCH_MINUTES)),
        }
    }

    /// What is known of an open minute, and whether it is the first of it.
    pub(super) fn open(&mut self, minute: i64) -> (&mut Stretch, bool) {
        let number = number_of(minute, 1);
        let is_new = !self.open.contains_key(&number);
        (stretch(&mut self.open, number), is_new)
    }

    /// Closes a minute: what is known of it joins its stretch.
    pub(super) fn close(&mut self, minute: i64) {
        let Some(closed) = self.open.remove(&number_of(minute, 1)) else { return };
        join(&mut self.fine, number_of(minute, STRETCH_MINUTES), closed);
    }

    /// Whether a stretch of 5 minutes ends at that minute or before: it is to join its half of the hour.
    pub(super) fn has_fine_before(&self, minute: i64) -> bool {
        let first = self.fine.keys().next();
        first.is_some_and(|number| self.hour * HOUR_MINUTES + i64::from(*number) * STRETCH_MINUTES < minute)
    }

    /// Lets the stretches of 5 minutes before that minute, at which a half of an hour starts, join their halves.
    pub(super) fn coarsen(&mut self, minute: i64) {
        while self.has_fine_before(minute) {
            let Some((number, joining)) = self.fine.pop_first() else { return };
            join(&mut self.halves, number_of(i64::from(number) * STRETCH_MINUTES, HALF_MINUTES), joining);
        }
    }

    /// Takes in all of another one of the same hour.
    pub(super) fn merge(&mut self, other: &Self) {
        let levels = [(&mut self.halves, &other.halves), (&mut self.fine, &other.fine), (&mut self.open, &other.open)];
        for (mine, others) in levels {
            others.iter().for_each(|(number, other)| join(mine, *number, Arc::clone(other)));
        }
    }

    /// The minutes that are open.
    pub(super) fn open_minutes(&self) -> impl Iterator<Item = i64> {
        self.open.keys().map(|number| self.hour * HOUR_MINUTES + i64::from(*number))
    }

    /// The stretches of closed minutes with the minute at which each ends.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (i64, &Stretch)> {
        let levels = [(&self.halves, HALF_MINUTES), (&self.fine, STRETCH_MINUTES)].into_iter();
        levels.flat_map(move |(stretches, minutes)| {
            let end = move |number: u8| self.hour * HOUR_MINUTES + (i64::from(number) + 1) * minutes;
            stretches.iter().map(move |(number, stretch)| (end(*number), &**stretch))
        })
    }

    /// All of it in pieces, each with its place. A piece that did not change is the very same.
    pub fn pieces(&self) -> impl Iterator<Item = (u8, &Arc<Stretch>)> {
        let levels = [(&self.halves, 0), (&self.fine, FINE), (&self.open, OPEN)].into_iter();
        levels.flat_map(|(stretches, from)| stretches.iter().map(move |(number, stretch)| (from + number, stretch)))
    }

    /// Puts pieces together again.
    #[must_use]
    pub fn of_pieces(hour: i64, pieces: impl IntoIterator<Item = (u8, Arc<Stretch>)>) -> Self {
        let mut all = Self::new(hour);
        for (place, stretch) in pieces {
            let (stretches, from) = match place {
                OPEN.. => (&mut all.open, OPEN),
                FINE.. => (&mut all.fine, FINE),
                _ => (&mut all.halves, 0),
            };
            stretches.insert(place - from, stretch);
        }
        all
    }

    /// Whether it is what it should be: of that hour, wherever it came from.
    #[must_use]
    pub fn is_sound(&self, hour: i64) -> bool {
        let levels = [(&self.halves, HALF_MINUTES), (&self.fine, STRETCH_MINUTES), (&self.open, 1)];
        let are_sound = |(stretches, minutes): (&Stretches, i64)| {
            let mut all = stretches.iter();
            all.all(|(number, stretch)| i64::from(*number) < HOUR_MINUTES / minutes && stretch.is_sound())
        };
        self.hour == hour && levels.into_iter().all(are_sound)
    }
}
