//! The panes of one shard: what was counted of some partitions, apart from what was counted of others.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::hour::{HourPanes, hour_of};
use super::ring::Ring;
use super::{PaneCounts, Tally};
use crate::message::{DepartmentId, ModelId};

/// The departments' panes: near stream time in rings, hours ahead in a map.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    rings: Vec<Ring>,
    /// Hours from the rings' limit on, by hour and department; all hours before there is a window end.
    ahead: BTreeMap<(i64, u16), Arc<HourPanes>>,
}

/// How far the rings of a shard reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Hours that a ring may span: a power of two.
    pub(super) slots: usize,
    /// The first hour that is not in the rings.
    pub(super) limit: i64,
}

impl Shard {
    pub(super) fn new(departments: usize) -> Self {
        Self { rings: vec![Ring::default(); departments], ahead: BTreeMap::new() }
    }

    /// What was counted in a pane.
    pub(super) fn get(&self, department: DepartmentId, pane: i64, reach: Reach) -> PaneCounts {
        let hour = hour_of(pane);
        if hour < reach.limit {
            return self.rings[department.index()].get(pane);
        }
        self.ahead.get(&(hour, department.0)).map_or_else(PaneCounts::default, |hour| hour.get(pane))
    }

    /// Counts messages of a pane, by the models that scored them. False where the pane is full: then nothing is counted.
    pub(super) fn add(
        &mut self,
        (department, pane): (DepartmentId, i64),
        counts: PaneCounts,
        by_model: impl IntoIterator<Item = (ModelId, Tally)>,
        reach: Reach,
    ) -> bool {
        let Some(sum) = self.get(department, pane, reach).checked_add(counts) else { return false };
        let hour = hour_of(pane);
        let of_hour = if hour < reach.limit {
            self.rings[department.index()].hour_mut(pane, reach.slots)
        } else {
            let waiting = self.ahead.entry((hour, department.0)).or_insert_with(|| Arc::new(HourPanes::new(hour)));
            Arc::make_mut(waiting)
        };
        of_hour.add(pane, &sum, by_model);
        true
    }

    /// What was counted in a pane within the rings, by department; departments without any message are left out.
    pub(super) fn rings(&self) -> impl Iterator<Item = (DepartmentId, &Ring)> {
        numbered(&self.rings).filter(|(_, ring)| !ring.is_unused())
    }

    /// One department's ring.
    pub(super) fn ring(&self, department: DepartmentId) -> &Ring {
        &self.rings[department.index()]
    }

    /// The panes with messages from `oldest` on: those near by department and time, then those hours ahead.
    pub(super) fn iter_from(&self, oldest: i64) -> impl Iterator<Item = (DepartmentId, i64, PaneCounts)> {
        let near = numbered(&self.rings).flat_map(move |(department, ring)| {
            ring.iter_from(oldest).map(move |(pane, counts)| (department, pane, counts))
        });
        let ahead = self.ahead.iter().flat_map(|((_, department), hour)| {
            hour.iter().map(|(pane, counts)| (DepartmentId(*department), pane, counts))
        });
        near.chain(ahead)
    }

    /// The hours with messages, in no order; of the oldest one some panes may no longer be kept.
    pub(super) fn hours(&self) -> impl Iterator<Item = (DepartmentId, &Arc<HourPanes>)> {
        let near =
            numbered(&self.rings).flat_map(|(department, ring)| ring.hours().map(move |hour| (department, hour)));
        near.chain(self.ahead.iter().map(|((_, department), hour)| (DepartmentId(*department), hour)))
    }

    /// The first pane with a message, from `from` on.
    pub(super) fn next_with_messages(&self, from: i64) -> Option<i64> {
        let near = self.rings.iter().filter_map(|ring| Some(ring.iter_from(from).next()?.0)).min();
        let first_hour = self.ahead.keys().next().map(|(hour, _)| *hour);
        near.or_else(|| {
            let hours = self.ahead.range((first_hour?, 0)..=(first_hour?, u16::MAX));
            hours.filter_map(|(_, hour)| Some(hour.iter().next()?.0)).min()
        })
    }

    /// Moves the rings on: frees the hours before `oldest`, takes in those before the new limit.
    pub(super) fn move_on(&mut self, oldest: i64, reach: Reach) {
        for ring in &mut self.rings {
            ring.free_before(oldest);
        }
        let further_ahead = self.ahead.split_off(&(reach.limit, 0));
        for ((_, department), hour) in std::mem::replace(&mut self.ahead, further_ahead) {
            if hour.hour() >= oldest {
                self.rings[usize::from(department)].put(hour, reach.slots);
            }
        }
    }
}

/// Items by the number of their department.
fn numbered<Item>(items: &[Item]) -> impl Iterator<Item = (DepartmentId, &Item)> {
    (0_u16..).map(DepartmentId).zip(items)
}
