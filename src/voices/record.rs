//! All departments' voices of the last 12 hours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::summary::{self, Summary, Voiced};
use super::{HourVoices, Stretch, Voice, hour_of, minute_of};
use crate::message::{DepartmentId, EventTime};
use crate::window::ShardId;

/// Hours kept: the longest span that is tested, and the hour that is going on.
const HOURS_KEPT: i64 = 13;

/// Who wrote what.
///
/// - Memory: at most 1.4 KB for each department, stretch of 5 minutes and shard with a message, 13 hours of them and what is ahead;
///   about 0.3 KB where a stretch has ten messages.
/// - Cost: some searches in small trees for a message; a minute's close touches the departments that had a message in it.
#[derive(Clone, Debug)]
pub struct Voices {
    /// By shard, then department: hours by number.
    shards: Vec<Vec<BTreeMap<i64, Arc<HourVoices>>>>,
    /// The first minute that is not closed.
    end: Option<i64>,
    /// Which shards and departments have messages in an open minute.
    open: BTreeMap<i64, BTreeSet<(usize, u16)>>,
}

impl Voices {
    /// Nothing of so many departments, in so many shards, at least one.
    #[must_use]
    pub fn new(departments: usize, shards: usize) -> Self {
        Self { shards: vec![vec![BTreeMap::new(); departments]; shards.max(1)], end: None, open: BTreeMap::new() }
    }

    /// Takes note of a message of a shard; what is older than all that is kept is passed over. `id` is asked only where the message may be a sample.
    ///
    /// # Panics
    /// If the department or the shard is not one of those that this was made for.
    pub fn note(&mut self, shard: ShardId, department: DepartmentId, voice: &Voice<'_>, id: impl FnOnce() -> String) {
        let minute = minute_of(voice.event_time);
        let hour = hour_of(minute);
        if self.oldest().is_some_and(|oldest| hour < oldest) {
            return;
        }
        let hours = &mut self.shards[shard.0][department.index()];
        let of_hour = Arc::make_mut(hours.entry(hour).or_insert_with(|| Arc::new(HourVoices::new(hour))));
        if self.end.is_some_and(|end| minute < end) {
            of_hour.closed(minute).add(voice, id);
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
                let hours = &mut self.shards[shard][usize::from(department)];
                if let Some(hour) = hours.get_mut(&hour_of(minute)) {
                    Arc::make_mut(hour).close(minute);
                }
            }
        }
        let before = self.oldest();
        self.end = Some(end);
        if self.oldest() != before {
            self.forget();
        }
    }

    /// The hours of one shard, in no order, to be saved.
    ///
    /// # Panics
    /// If the shard is not one of those that this was made for.
    pub fn hours_of(&self, shard: ShardId) -> impl Iterator<Item = (DepartmentId, &Arc<HourVoices>)> {
        let departments = (0_u16..).map(DepartmentId).zip(&self.shards[shard.0]);
        departments.flat_map(|(department, hours)| hours.values().map(move |hour| (department, hour)))
    }

    /// The hours of one department in a shard, oldest first, to be saved.
    ///
    /// # Panics
    /// If the department or the shard is not one of those that this was made for.
    pub fn hours_of_department(
        &self,
        shard: ShardId,
        department: DepartmentId,
    ) -> impl Iterator<Item = &Arc<HourVoices>> {
        self.shards[shard.0][department.index()].values()
    }

    /// Takes up a saved hour of a department.
    ///
    /// # Panics
    /// If the department or the shard is not one of those that this was made for.
    pub fn restore(&mut self, shard: ShardId, department: DepartmentId, saved: &Arc<HourVoices>) {
        for minute in saved.open_minutes() {
            self.open.entry(minute).or_default().insert((shard.0, department.0));
        }
        let hours = &mut self.shards[shard.0][department.index()];
        match hours.get_mut(&saved.hour()) {
            Some(known) => Arc::make_mut(known).merge(saved),
            None => drop(hours.insert(saved.hour(), Arc::clone(saved))),
        }
    }

    /// What there is to tell of some departments from a moment on, up to the last closed minute.
    ///
    /// # Panics
    /// If a department is not one of those that this was made for.
    #[must_use]
    pub fn summary(&self, departments: &[DepartmentId], since: EventTime, about: Voiced) -> Summary {
        let all = self.shards.iter().flat_map(|shard| {
            departments
                .iter()
                .flat_map(|department| shard[department.index()].values().flat_map(|hour| hour.stretches()))
        });
        let (within, before): (Vec<_>, Vec<_>) =
            all.partition(|(start, _)| start + super::STRETCH_MINUTES > minute_of(since));
        let stretches = |of: Vec<(i64, _)>| -> Vec<&Stretch> { of.into_iter().map(|(_, stretch)| stretch).collect() };
        summary::of(&stretches(within), &stretches(before), about)
    }

    /// The oldest hour kept; none while all are.
    fn oldest(&self) -> Option<i64> {
        self.end.map(|end| hour_of(end) - HOURS_KEPT)
    }

    fn forget(&mut self) {
        let Some(oldest) = self.oldest() else { return };
        for hours in self.shards.iter_mut().flatten() {
            if hours.keys().next().is_some_and(|first| *first < oldest) {
                *hours = hours.split_off(&oldest);
            }
        }
    }
}
