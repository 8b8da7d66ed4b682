//! What a checkpoint holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SavedVoices;
use crate::detect::{Alert, DetectorState};
use crate::message::{EventTime, ModelId, NextOffset, PartitionId};
use crate::publish::events::Outbox;
use crate::window::{HourPanes, PaneCounts, Tally};

/// One moment of the fold. Departments are named, not numbered: their places may change with the config.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Wall clock when it was taken.
    pub taken: EventTime,
    /// Stream time; none before the first message.
    pub stream_time: Option<EventTime>,
    /// End of the last closed window; none before the first pane closed.
    pub window_end: Option<EventTime>,
    /// Start of the oldest pane kept; none where all are.
    pub kept_from: Option<EventTime>,
    /// Where each partition goes on.
    pub partitions: Vec<PartitionPosition>,
    /// The hours that have panes with messages, oldest first: those not cut by partition.
    pub hours: Vec<SavedHour>,
    /// The panes of single partitions, where they are cut so.
    pub shards: Vec<SavedShard>,
    /// Whether these are all partitions of the topics: only then do the detector and the alerts mean anything.
    pub is_whole: bool,
    /// Baselines and alert states.
    pub detector: DetectorState,
    /// Alerts open or closed lately, oldest first.
    pub alerts: Vec<Alert>,
    /// Alert events that wait to be sent.
    pub outbox: Outbox,
}

/// Where a partition goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartitionPosition {
    /// Which one.
    pub partition: PartitionId,
    /// The offset to read next.
    pub next_offset: NextOffset,
    /// Newest event time trusted; none before its first message.
    pub frontier: Option<EventTime>,
}

/// The panes that hold one partition's messages and no others.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedShard {
    /// Whose.
    pub partition: PartitionId,
    /// The hours that have panes with messages, oldest first.
    pub hours: Vec<SavedHour>,
}

/// The panes of one hour, shared with the fold that counted them.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedHour {
    /// Which hour since the epoch.
    pub hour: i64,
    /// By id of the department.
    pub departments: BTreeMap<Arc<str>, Arc<HourPanes>>,
    /// Who wrote what in this hour.
    pub voices: SavedVoices,
}

impl SavedHour {
    /// Sorts the panes of departments into hours, oldest first.
    #[must_use]
    pub fn sort(panes: impl IntoIterator<Item = (Arc<str>, Arc<HourPanes>)>) -> Vec<Self> {
        let mut hours = BTreeMap::<i64, Vec<_>>::new();
        for (department, of_hour) in panes {
            hours.entry(of_hour.hour()).or_default().push((department, of_hour));
        }
        // A map made of all at once compares a fraction of the ids that one does which they come to one by one: the fold waits for this.
        let named = hours.into_iter().map(|(hour, departments)| Self {
            hour,
            departments: departments.into_iter().collect(),
            voices: SavedVoices::default(),
        });
        named.collect()
    }

    /// Whether both are the very same: nothing was counted in this hour in between.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let (panes, others) = (&self.departments, &other.departments);
        panes.len() == others.len()
            && self.voices.is_same(&other.voices)
            && panes.iter().zip(others).all(|((of, one), (of_other, other))| of == of_other && Arc::ptr_eq(one, other))
    }

    /// Puts in who wrote what, where there are panes of the same hour.
    pub fn add_voices(hours: &mut [Self], voices: impl IntoIterator<Item = SavedVoices>) {
        for of_hour in voices {
            let place = hours.binary_search_by_key(&of_hour.hour(), |hour| Some(hour.hour));
            place.into_iter().for_each(|place| hours[place].voices = of_hour.clone());
        }
    }
}

impl Snapshot {
    /// Nothing, taken in 1970.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            taken: EventTime::from_millis(0),
            stream_time: None,
            window_end: None,
            kept_from: None,
            partitions: Vec::new(),
            hours: Vec::new(),
            shards: Vec::new(),
            is_whole: false,
            detector: DetectorState::default(),
            alerts: Vec::new(),
            outbox: Outbox::default(),
        }
    }

    /// The same with the panes of all partitions together, and without who wrote what.
    #[must_use]
    pub fn joined(self) -> Self {
        let shards = self.shards.iter().flat_map(|shard| &shard.hours);
        let mut panes: BTreeMap<(Arc<str>, EventTime), PaneCounts> = BTreeMap::new();
        for (department, hour) in self.hours.iter().chain(shards).flat_map(|hour| &hour.departments) {
            for (start, counts) in self.kept_panes(hour) {
                let sum = panes.entry((Arc::clone(department), start)).or_default();
                *sum = sum.checked_add(counts).unwrap_or(*sum);
            }
        }
        let mut by_department: BTreeMap<Arc<str>, Vec<(EventTime, PaneCounts)>> = BTreeMap::new();
        for ((department, start), counts) in panes {
            by_department.entry(department).or_default().push((start, counts));
        }
        let hours = by_department.into_iter().flat_map(|(department, panes)| {
            HourPanes::gather(panes).into_iter().map(move |hour| (Arc::clone(&department), Arc::new(hour)))
        });
        Self { hours: SavedHour::sort(hours), shards: Vec::new(), ..self }
    }

    /// The panes with messages that are kept: department, start and counts, by hour, department and time.
    pub fn panes(&self) -> impl Iterator<Item = (&str, EventTime, PaneCounts)> {
        let of_departments = self.hours.iter().flat_map(|hour| &hour.departments);
        of_departments.flat_map(|(department, hour)| {
            self.kept_panes(hour).map(move |(start, counts)| (&**department, start, counts))
        })
    }

    /// The panes of an hour that are kept.
    pub fn kept_panes<'a>(&self, hour: &'a HourPanes) -> impl Iterator<Item = (EventTime, PaneCounts)> + use<'a> {
        let oldest = self.kept_from;
        hour.panes().filter(move |(start, _)| oldest.is_none_or(|oldest| *start >= oldest))
    }

    /// The same, with what each model said.
    pub fn kept_panes_by_model<'a>(
        &self,
        hour: &'a HourPanes,
    ) -> impl Iterator<Item = (EventTime, PaneCounts, impl Iterator<Item = (ModelId, Tally)> + use<'a>)> + use<'a> {
        let oldest = self.kept_from;
        hour.panes_by_model().filter(move |(start, ..)| oldest.is_none_or(|oldest| *start >= oldest))
    }
}
