//! What the topic holds of each partition, so that only what has changed is written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::chunks;
use super::key::{Item, Key};
use super::log::Values;
use super::{KafkaStoreError, Snapshot};
use crate::checkpoint::format::unpack;
use crate::checkpoint::hours::PanesAre;
use crate::checkpoint::legacy::{self, AlertV3, DetectorStateV3};
use crate::checkpoint::sound;
use crate::checkpoint::{FormatError, PartitionPosition, SavedHour, SavedShard, hours};
use crate::detect::{Alert, DetectorState};
use crate::message::{EventTime, PartitionId};
use crate::publish::events::Outbox;

/// A record to write: a key, and its value or none where it is removed.
pub(super) type Change = (Key, Option<Vec<u8>>);

/// All of a partition's state but its hours.
#[derive(Serialize, Deserialize)]
pub(super) struct Manifest<'a> {
    taken: EventTime,
    stream_time: Option<EventTime>,
    window_end: Option<EventTime>,
    kept_from: Option<EventTime>,
    position: Cow<'a, PartitionPosition>,
    /// Each hour since the epoch that has panes.
    hours: Vec<i64>,
}

/// Baselines, alerts and the events that wait to be sent, as a version knows them.
#[derive(Serialize, Deserialize)]
pub(super) struct Detected<'a, D: Clone, A: Clone, O> {
    detector: Cow<'a, D>,
    alerts: Cow<'a, [A]>,
    /// End of the last window that they were judged by.
    judged_until: Option<EventTime>,
    outbox: O,
}

pub(super) type DetectedNow<'a> = Detected<'a, DetectorState, Alert, Cow<'a, Outbox>>;
type DetectedV1<'a> = Detected<'a, DetectorStateV3, AlertV3, ()>;

impl From<DetectedV1<'static>> for DetectedNow<'static> {
    fn from(old: DetectedV1<'static>) -> Self {
        Self {
            detector: Cow::Owned(old.detector.into_owned().into()),
            alerts: Cow::Owned(legacy::alerts(old.alerts.into_owned())),
            judged_until: old.judged_until,
            outbox: Cow::default(),
        }
    }
}

/// Hours by partition.
pub(super) type Hours = BTreeMap<PartitionId, BTreeMap<i64, SavedHour>>;

/// What is known to be in the topic.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Hours as they were written last.
    hours: Hours,
    /// Keys that have a value, or may have one.
    keys: BTreeSet<Key>,
}

/// What becomes of the book once what was planned is in the topic.
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    hours: Hours,
}

impl Plan {
    /// Leaves everything of a partition but its hours as it is in the topic.
    pub(super) fn leave_out_positions(&mut self) {
        self.changes.retain(|(key, _)| !matches!(key.item, Item::Manifest(_)));
    }
}

impl Book {
    /// The records that bring the topic up to a snapshot. `outbox` is what waits to be sent once they are there.
    ///
    /// # Errors
    /// If something cannot be encoded.
    pub(super) fn plan(&self, snapshot: &Snapshot, outbox: &Outbox) -> Result<Plan, FormatError> {
        let mut plan = Plan { changes: Vec::new(), hours: BTreeMap::new() };
        for position in &snapshot.partitions {
            let shard = snapshot.shards.iter().find(|shard| shard.partition == position.partition);
            let hours = shard.map_or(&[][..], |shard| &shard.hours);
            self.plan_hours(&position.partition, hours, &mut plan)?;
            let manifest = Manifest {
                taken: snapshot.taken,
                stream_time: snapshot.stream_time,
                window_end: snapshot.window_end,
                kept_from: snapshot.kept_from,
                position: Cow::Borrowed(position),
                hours: hours.iter().map(|hour| hour.hour).collect(),
            };
            self.replace(&Item::Manifest(position.partition.clone()), chunks::encode(&manifest)?, &mut plan.changes);
        }
        if snapshot.is_whole {
            let detected = DetectedNow {
                detector: Cow::Borrowed(&snapshot.detector),
                alerts: Cow::Borrowed(&snapshot.alerts),
                judged_until: snapshot.window_end,
                outbox: Cow::Borrowed(outbox),
            };
            self.replace(&Item::Detector, chunks::encode(&detected)?, &mut plan.changes);
        }
        Ok(plan)
    }

    /// The hours in which something was counted since they were written, and those that are kept no longer.
    fn plan_hours(&self, partition: &PartitionId, hours: &[SavedHour], plan: &mut Plan) -> Result<(), FormatError> {
        let known = self.hours.get(partition);
        for hour in hours {
            let before = known.and_then(|known| known.get(&hour.hour));
            // What was fetched is equal, but not the same.
            let is_written = before.is_some_and(|before| before.is_same(hour) || before == hour);
            if !is_written {
                let values = chunks::cut(&hours::encode(hour)?)?;
                self.replace(&Item::Hour(partition.clone(), hour.hour), values, &mut plan.changes);
            }
        }
        let kept: BTreeSet<i64> = hours.iter().map(|hour| hour.hour).collect();
        let gone = self
            .keys
            .iter()
            .filter(|key| matches!(&key.item, Item::Hour(of, hour) if of == partition && !kept.contains(hour)));
        plan.changes.extend(gone.map(|key| (key.clone(), None)));
        plan.hours.insert(partition.clone(), by_number(hours));
        Ok(())
    }

    /// Writes an item anew, and removes the chunks that it has no longer.
    fn replace(&self, item: &Item, values: Vec<Vec<u8>>, changes: &mut Vec<Change>) {
        let count = u16::try_from(values.len()).unwrap_or(u16::MAX);
        let surplus = self.keys.iter().filter(|key| key.item == *item && key.chunk >= count);
        changes.extend(surplus.map(|key| (key.clone(), None)));
        let key = |chunk| Key { item: item.clone(), chunk };
        changes.extend((0..).zip(values).map(|(chunk, value)| (key(chunk), Some(value))));
    }

    /// What was planned is on its way: the topic may have it or not. Gives what is known if it has not.
    pub(super) fn begin(&mut self, plan: &Plan) -> Hours {
        self.keys.extend(plan.changes.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key.clone()));
        let before = |partition: &PartitionId| Some((partition.clone(), self.hours.remove(partition)?));
        plan.hours.keys().filter_map(before).collect()
    }

    /// The topic has not what was planned.
    pub(super) fn give_up(&mut self, before: Hours) {
        self.hours.extend(before);
    }

    /// The topic has what was planned.
    pub(super) fn finish(&mut self, plan: &Plan) {
        for (key, _) in plan.changes.iter().filter(|(_, value)| value.is_none()) {
            self.keys.remove(key);
        }
        self.hours.extend(plan.hours.clone());
    }

    /// Takes up what the topic holds of partitions, and of the detector. Others are forgotten.
    ///
    /// # Errors
    /// If something is missing or damaged.
    pub(super) fn take_up(&mut self, partitions: &[PartitionId], values: &Values) -> Result<Snapshot, KafkaStoreError> {
        *self = Self { hours: BTreeMap::new(), keys: values.keys().cloned().collect() };
        let mut snapshot = Snapshot::empty();
        for partition in partitions {
            let Some(manifest) = manifest_of(partition, values)? else { continue };
            let hours = hours_of(partition, &manifest.hours, values)?;
            self.hours.insert(partition.clone(), by_number(&hours));
            snapshot.shards.push(SavedShard { partition: partition.clone(), hours });
            snapshot.partitions.push(manifest.position.into_owned());
            snapshot.taken = snapshot.taken.max(manifest.taken);
            // Of what several daemons saved the earliest holds: later panes close once more, earlier ones never come back.
            let earliest = |one: Option<EventTime>, other: Option<EventTime>| one.into_iter().chain(other).min();
            snapshot.stream_time = earliest(snapshot.stream_time, manifest.stream_time);
            snapshot.window_end = earliest(snapshot.window_end, manifest.window_end);
            snapshot.kept_from = earliest(snapshot.kept_from, manifest.kept_from);
        }
        if let Some(detected) = detected(values)? {
            snapshot.detector = detected.detector.into_owned();
            snapshot.detector.judged_until = detected.judged_until;
            snapshot.alerts = detected.alerts.into_owned();
            snapshot.outbox = detected.outbox.into_owned();
        }
        Ok(snapshot)
    }
}

fn manifest_of(partition: &PartitionId, values: &Values) -> Result<Option<Manifest<'static>>, KafkaStoreError> {
    let item = Item::Manifest(partition.clone());
    if !has(&item, values) {
        return Ok(None);
    }
    let manifest = chunks::decode(chunks_of(&item, values)).and_then(|manifest: Manifest<'static>| {
        let moments = [Some(manifest.taken), manifest.stream_time, manifest.window_end, manifest.kept_from];
        sound::moments(&moments, [&*manifest.position])?;
        Ok(manifest)
    });
    manifest.map(Some).map_err(KafkaStoreError::damaged(&item))
}

fn detected(values: &Values) -> Result<Option<DetectedNow<'static>>, KafkaStoreError> {
    if !has(&Item::Detector, values) {
        return Ok(None);
    }
    let detected = chunks::join(chunks_of(&Item::Detector, values)).and_then(|(version, packed)| match version {
        1 => unpack::<DetectedV1<'static>>(&packed).map(DetectedNow::from),
        _ => unpack(&packed),
    });
    let sound = detected.and_then(|detected: DetectedNow<'static>| {
        sound::detected(&detected.detector, &detected.alerts, &detected.outbox)?;
        sound::moments(&[detected.judged_until], [])?;
        Ok(detected)
    });
    sound.map(Some).map_err(KafkaStoreError::damaged(&Item::Detector))
}

fn hours_of(partition: &PartitionId, wanted: &[i64], values: &Values) -> Result<Vec<SavedHour>, KafkaStoreError> {
    let hour_of = |hour: &i64| {
        let item = Item::Hour(partition.clone(), *hour);
        let bytes = chunks::join(chunks_of(&item, values));
        bytes
            .and_then(|(version, bytes)| {
                let panes = if version == 1 { PanesAre::OfVersion3 } else { PanesAre::OfNow };
                hours::decode(*hour, &bytes, panes)
            })
            .map_err(KafkaStoreError::damaged(&item))
    };
    wanted.iter().map(hour_of).collect()
}

fn by_number(hours: &[SavedHour]) -> BTreeMap<i64, SavedHour> {
    hours.iter().map(|hour| (hour.hour, hour.clone())).collect()
}

fn has(item: &Item, values: &Values) -> bool {
    values.contains_key(&Key { item: item.clone(), chunk: 0 })
}

fn chunks_of<'a>(item: &Item, values: &'a Values) -> impl Fn(u16) -> Option<&'a [u8]> {
    let item = item.clone();
    move |chunk| values.get(&Key { item: item.clone(), chunk }).map(Vec::as_slice)
}
