//! An hour of one department: the unit that is shared with checkpoints, like that of panes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{HOUR_MINUTES, STRETCH_MINUTES, Stretch, hour_of};

/// Where the places of open minutes begin, behind those of closed stretches.
const OPEN: u8 = (HOUR_MINUTES / STRETCH_MINUTES) as u8;

/// An hour of stretches. Behind an `Arc` it can be handed out while messages go on being counted: whoever writes copies pointers and
/// the one stretch that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourVoices {
    hour: i64,
    /// By number within the hour, from 0 to 11: of closed minutes, and of what came for them later.
    stretches: BTreeMap<u8, Arc<Stretch>>,
    /// By minute of the hour: those that are not closed.
    open: BTreeMap<u8, Arc<Stretch>>,
}

/// A minute's place in its hour, from 0 to 59.
fn place_of(minute: i64) -> u8 {
    u8::try_from(minute.rem_euclid(HOUR_MINUTES)).unwrap_or_default()
}

/// The place of the stretch that a minute of the hour lies in.
fn stretch_of(place: u8) -> u8 {
    place / u8::try_from(STRETCH_MINUTES).unwrap_or(1)
}

impl HourVoices {
    pub(super) fn new(hour: i64) -> Self {
        Self { hour, stretches: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// Which hour since the epoch.
    #[must_use]
    pub const fn hour(&self) -> i64 {
        self.hour
    }

    /// The stretch of a closed minute.
    pub(super) fn closed(&mut self, minute: i64) -> &mut Stretch {
        debug_assert_eq!(hour_of(minute), self.hour);
        Arc::make_mut(self.stretches.entry(stretch_of(place_of(minute))).or_default())
    }

    /// What is known of an open minute, and whether it is the first of it.
    pub(super) fn open(&mut self, minute: i64) -> (&mut Stretch, bool) {
        let place = place_of(minute);
        let is_new = !self.open.contains_key(&place);
        (Arc::make_mut(self.open.entry(place).or_default()), is_new)
    }

    /// Closes a minute: what is known of it joins its stretch.
    pub(super) fn close(&mut self, minute: i64) {
        let place = place_of(minute);
        let Some(closed) = self.open.remove(&place) else { return };
        Arc::make_mut(self.stretches.entry(stretch_of(place)).or_default()).merge(&closed);
    }

    /// Takes in all of another one of the same hour.
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, others) in [(&mut self.stretches, &other.stretches), (&mut self.open, &other.open)] {
            for (place, stretch) in others {
                Arc::make_mut(mine.entry(*place).or_default()).merge(stretch);
            }
        }
    }

    /// The minutes that are open.
    pub(super) fn open_minutes(&self) -> impl Iterator<Item = i64> {
        self.open.keys().map(|place| self.hour * HOUR_MINUTES + i64::from(*place))
    }

    /// The stretches of closed minutes with the minute in which each starts.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (i64, &Stretch)> {
        let start = |number: u8| self.hour * HOUR_MINUTES + i64::from(number) * STRETCH_MINUTES;
        self.stretches.iter().map(move |(number, stretch)| (start(*number), &**stretch))
    }

    /// All of it in pieces, each with its place: closed stretches, then open minutes. A piece that did not change is the very same.
    pub fn pieces(&self) -> impl Iterator<Item = (u8, &Arc<Stretch>)> {
        let open = self.open.iter().map(|(place, stretch)| (OPEN + place, stretch));
        self.stretches.iter().map(|(number, stretch)| (*number, stretch)).chain(open)
    }

    /// Puts pieces together again.
    #[must_use]
    pub fn of_pieces(hour: i64, pieces: impl IntoIterator<Item = (u8, Arc<Stretch>)>) -> Self {
        let (open, stretches): (Vec<_>, Vec<_>) = pieces.into_iter().partition(|(place, _)| *place >= OPEN);
        let open = open.into_iter().map(|(place, stretch)| (place - OPEN, stretch)).collect();
        Self { hour, stretches: stretches.into_iter().collect(), open }
    }

    /// Whether it is what it should be: of that hour, wherever it came from.
    #[must_use]
    pub fn is_sound(&self, hour: i64) -> bool {
        let places_fit = self.stretches.keys().all(|number| i64::from(*number) < HOUR_MINUTES / STRETCH_MINUTES)
            && self.open.keys().all(|place| i64::from(*place) < HOUR_MINUTES);
        let mut all = self.stretches.values().chain(self.open.values());
        self.hour == hour && places_fit && all.all(|stretch| stretch.is_sound())
    }
}
