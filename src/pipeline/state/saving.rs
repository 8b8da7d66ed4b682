//! What is remembered: to a checkpoint, and from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::State;
use crate::checkpoint::{PartitionPosition, SavedHour, SavedShard, SavedVoices, Snapshot};
use crate::ingest::Positions;
use crate::message::{DepartmentId, EventTime, PartitionId};
use crate::voices::Voices;
use crate::window::{Panes, ShardId};

impl State {
    /// Nothing of any partition is here any more. What was counted of them stays in the counters: those are the process's.
    pub(in crate::pipeline) fn let_go(&mut self) {
        self.begin_anew(1);
        self.shards.clear();
    }

    /// Takes up the state of partitions, and of the detector, where there is any; each partition's panes are kept apart from
    /// now on. The clock has the partitions already. `beat` is called in between: many partitions take seconds. Gives what no
    /// longer applies, in words.
    pub(in crate::pipeline) fn take_up(
        &mut self,
        partitions: &[PartitionId],
        snapshot: &Snapshot,
        beat: &mut dyn FnMut(),
    ) -> Vec<String> {
        self.begin_anew(partitions.len());
        self.shards = partitions.iter().cloned().zip((0..).map(ShardId)).collect();
        self.restore_beating(snapshot, beat)
    }

    /// Windows, baselines and alerts of nothing.
    pub(super) fn begin_anew(&mut self, shards: usize) {
        self.panes = Panes::with_shards(&self.settings.0, self.roster.len(), shards);
        self.voices = Voices::new(self.roster.len(), shards);
        self.detector = self.new_detector();
        self.book.begin_anew();
        self.events.begin_anew();
        self.clock.begin_anew();
        self.catching_up = true;
        self.closing = None;
        self.dirty.fill(true);
    }

    /// Takes up a checkpoint. Gives what of it no longer applies, in words: departments that the config no longer has.
    pub(in crate::pipeline) fn restore(&mut self, snapshot: &Snapshot) -> Vec<String> {
        self.restore_beating(snapshot, &mut || {})
    }

    pub(super) fn restore_beating(&mut self, snapshot: &Snapshot, beat: &mut dyn FnMut()) -> Vec<String> {
        let mut left_out = self.restore_panes(snapshot, beat);
        let frontiers = snapshot.partitions.iter().filter_map(|saved| Some((saved.partition.clone(), saved.frontier?)));
        self.clock.restore(snapshot.stream_time, frontiers);
        let unknown = self.detector.restore(snapshot.detector.clone());
        left_out.extend(unknown.into_iter().map(|department| format!("baseline of department {department}")));
        let followed: Vec<&str> = self.detector.open_alerts().map(|(_, alert)| &*alert.id).collect();
        let lost = self.book.restore(snapshot.alerts.clone(), &followed);
        left_out.extend(self.events.restore(snapshot.outbox.clone()));
        self.tell_lost(snapshot, &lost);
        left_out.extend(lost.into_iter().map(|id| format!("open alert {id}: its department is gone")));
        if let Some((judged_until, window_end)) = snapshot.detector.judged_until.zip(snapshot.window_end) {
            for change in self.detector.take_up_after(judged_until, window_end) {
                let change = change.with(|alert| self.details_of(alert));
                self.enter_change(change, true);
            }
            self.find_severe(judged_until, window_end);
        }
        left_out
    }

    /// Takes up panes and who wrote them. Gives how many panes of departments that are gone were left out.
    fn restore_panes(&mut self, snapshot: &Snapshot, beat: &mut dyn FnMut()) -> Vec<String> {
        let mut gone: BTreeMap<&str, usize> = BTreeMap::new();
        self.panes.restore(snapshot.window_end, []);
        let common = snapshot.hours.iter().map(|hour| (ShardId::default(), hour));
        let own = snapshot.shards.iter().filter_map(|shard| Some((*self.shards.get(&shard.partition)?, &shard.hours)));
        let own = own.flat_map(|(shard, hours)| hours.iter().map(move |hour| (shard, hour)));
        for (shard, hour) in common.chain(own) {
            beat();
            for (name, voices) in hour.voices.departments() {
                if let Some(department) = self.roster.find(name) {
                    self.voices.restore(shard, department, voices);
                }
            }
            for (name, hour) in &hour.departments {
                match self.roster.find(name) {
                    Some(department) => {
                        for (start, counts, by_model) in snapshot.kept_panes_by_model(hour) {
                            self.panes.add_to((shard, department), start, counts, by_model);
                        }
                    }
                    None => *gone.entry(name).or_default() += snapshot.kept_panes(hour).count(),
                }
            }
        }
        if let Some(window_end) = snapshot.window_end {
            self.voices.close(window_end);
        }
        gone.into_iter().map(|(name, panes)| format!("department {name}: {panes} panes")).collect()
    }

    /// This moment, to be saved with those positions.
    pub(in crate::pipeline) fn snapshot(&self, positions: &Positions, taken: EventTime) -> Snapshot {
        let frontier_of = |wanted: &PartitionId| {
            self.clock.frontiers().find(|(partition, _)| *partition == wanted).map(|(_, frontier)| frontier)
        };
        let partitions = positions.iter().map(|(partition, next)| PartitionPosition {
            partition: partition.clone(),
            next_offset: *next,
            frontier: frontier_of(partition),
        });
        Snapshot {
            taken,
            stream_time: self.clock.stream_time(),
            window_end: self.panes.window_end(),
            partitions: partitions.collect(),
            kept_from: self.panes.kept_from(),
            hours: if self.shards.is_empty() { self.saved_hours(ShardId::default()) } else { Vec::new() },
            shards: self.shards.iter().map(|(partition, shard)| self.saved_shard(partition, *shard)).collect(),
            is_whole: self.is_whole,
            detector: self.detector.snapshot(),
            alerts: self.book.alerts().to_vec(),
            outbox: self.events.outbox().clone(),
        }
    }

    /// One partition's panes.
    fn saved_shard(&self, partition: &PartitionId, shard: ShardId) -> SavedShard {
        SavedShard { partition: partition.clone(), hours: self.saved_hours(shard) }
    }

    /// Panes and voices as they are: shared, not copied.
    fn saved_hours(&self, shard: ShardId) -> Vec<SavedHour> {
        let name = |department: DepartmentId| Arc::clone(&self.names[department.index()]);
        let panes = self.panes.hours_of(shard).map(|(department, hour)| (name(department), Arc::clone(hour)));
        let mut hours = SavedHour::sort(panes);
        let voices = self.voices.hours_of(shard);
        let named = voices.map(|hour| SavedVoices::new(Arc::clone(&self.names), Arc::clone(hour)));
        SavedHour::add_voices(&mut hours, named);
        hours
    }
}
