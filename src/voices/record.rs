//! All departments' voices of the last 13 hours: the longest span that is tested, and the hour that is going on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::summary::{self, Summary, Voiced};
use super::{CompanyHour, HALF_MINUTES, HourVoices, LATELY_MINUTES, Stretch, Voice, hour_of, minute_of};
use crate::message::{DepartmentId, EventTime};
use crate::window::ShardId;

/// Hours kept: the longest span that is tested, and the hour that is going on.
const HOURS_KEPT: i64 = 13;

/// Who wrote what.
///
/// - Memory: at most 1.4 KB for each department, stretch and shard with a message, about 0.3 KB where a stretch has ten messages. There are
///   at most 53 stretches, 30 of 5 minutes and 23 of half an hour, and the minutes ahead.
/// - Cost: some searches in small trees for a message; a minute's close touches the departments that had a message in it, and each half
///   hour those that had one two hours ago.
#[derive(Clone, Debug)]
pub struct Voices {
    /// By shard: hours by number.
    shards: Vec<BTreeMap<i64, Arc<CompanyHour>>>,
    departments: usize,
    /// The first minute that is not closed.
    end: Option<i64>,
    /// Which shards and departments have messages in an open minute.
    open: BTreeMap<i64, BTreeSet<(usize, u16)>>,
}

impl Voices {
    /// Nothing of so many departments, in so many shards, at least one.
    #[must_use]
    pub fn new(departments: usize, shards: usize) -> Self {
        Self { shards: vec![BTreeMap::new(); shards.max(1)], departments, end: None, open: BTreeMap::new() }
    }

    /// Takes note of a message of a shard; what is older than all that is kept is passed over. `id` is asked only where the message may be a sample.
    ///
    /// # Panics
    /// If the department or the shard is not one of those that this was made for.
    pub fn note(&mut self, shard: ShardId, department: DepartmentId, voice: &Voice<'_>, id: impl FnOnce() -> String) {
        let minute = minute_of(voice.event_time);
        if self.oldest().is_some_and(|oldest| hour_of(minute) < oldest) {
            return;
        }
        let (end, long_ago) = (self.end, self.long_ago());
        let of_hour = self.hour(shard, hour_of(minute)).of_mut(department);
        if end.is_some_and(|end| minute < end) {
            of_hour.closed(minute, long_ago > Some(minute)).add(voice, id);
            return;
        }
        let (stretch, is_new) = of_hour.open(minute);
        stretch.add(voice, id);
        if is_new {
            self.open.entry(minute).or_default().insert((shard.0, department.0));
        }
    }

    /// Closes the minutes that end at that moment or before, and forgets what is too old. Going back closes nothing.
    pub fn close(&mut self, moment: EventTime) {
        let end = minute_of(moment);
        if self.end >= Some(end) {
            return;
        }
        let waiting = self.open.split_off(&end);
        for (minute, places) in std::mem::replace(&mut self.open, waiting) {
            for (shard, department) in places {
                self.hour(ShardId(shard), hour_of(minute)).of_mut(DepartmentId(department)).close(minute);
            }
        }
        let before = (self.oldest(), self.long_ago());
        self.end = Some(end);
        if self.oldest() != before.0 {
            self.forget();
        }
        if self.long_ago() != before.1 {
            self.coarsen();
        }
    }

    /// The hours of one shard, oldest first, to be saved.
    ///
    /// # Panics
    /// If the shard is not one of those that this was made for.
    pub fn hours_of(&self, shard: ShardId) -> impl Iterator<Item = &Arc<CompanyHour>> {
        self.shards[shard.0].values()
    }

    /// Takes up a saved hour of a department.
    ///
    /// # Panics
    /// If the department or the shard is not one of those that this was made for.
    pub fn restore(&mut self, shard: ShardId, department: DepartmentId, saved: &Arc<HourVoices>) {
        for minute in saved.open_minutes() {
            self.open.entry(minute).or_default().insert((shard.0, department.0));
        }
        assert!(department.index() < self.departments, "{department:?} of {}", self.departments);
        self.hour(shard, saved.hour()).merge(department, saved);
    }

    /// What there is to tell of some departments from a moment on, up to the last closed minute.
    ///
    /// # Panics
    /// If a department is not one of those that this was made for.
    #[must_use]
    pub fn summary(&self, departments: &[DepartmentId], since: EventTime, about: Voiced) -> Summary {
        let hours = self.shards.iter().flat_map(BTreeMap::values);
        let all = hours.flat_map(|hour| departments.iter().filter_map(|department| hour.of(*department)));
        let (within, before): (Vec<_>, Vec<_>) =
            all.flat_map(HourVoices::stretches).partition(|(end, _)| *end > minute_of(since));
        let stretches = |of: Vec<(i64, _)>| -> Vec<&Stretch> { of.into_iter().map(|(_, stretch)| stretch).collect() };
        summary::of(&stretches(within), &stretches(before), about)
    }

    /// An hour of a shard, to be changed.
    fn hour(&mut self, shard: ShardId, hour: i64) -> &mut CompanyHour {
        let hours = &mut self.shards[shard.0];
        Arc::make_mut(hours.entry(hour).or_insert_with(|| Arc::new(CompanyHour::new(hour))))
    }

    /// The oldest hour kept; none while all are.
    fn oldest(&self) -> Option<i64> {
        self.end.map(|end| hour_of(end) - HOURS_KEPT)
    }

    /// The minute, at which a half of an hour starts, before which all ended long ago; none while nothing did.
    fn long_ago(&self) -> Option<i64> {
        self.end.map(|end| (end - LATELY_MINUTES).div_euclid(HALF_MINUTES) * HALF_MINUTES)
    }

    fn forget(&mut self) {
        let Some(oldest) = self.oldest() else { return };
        for hours in &mut self.shards {
            *hours = hours.split_off(&oldest);
        }
    }

    /// Puts what ended long ago together. An hour in which nothing does stays shared.
    fn coarsen(&mut self) {
        let Some(long_ago) = self.long_ago() else { return };
        let hours = self.shards.iter_mut().flat_map(|hours| hours.range_mut(..=hour_of(long_ago)));
        for (_, hour) in hours.filter(|(_, hour)| hour.has_fine_before(long_ago)) {
            Arc::make_mut(hour).coarsen(long_ago);
        }
    }
}
