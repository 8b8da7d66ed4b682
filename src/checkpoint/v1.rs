//! Snapshots as version 1 wrote them: their panes count no cells, so that windows over them have no estimated shares.

use serde::{Deserialize, Serialize};

use super::PartitionPosition;
use super::legacy::{AlertV3, DetectorStateV3};
use super::v2::{DepartmentPanesV2, PanePartV2, SnapshotV2};
use crate::message::EventTime;
use crate::window::{ShareCounts, Tally};

#[derive(Serialize, Deserialize)]
pub(super) struct SnapshotV1 {
    pub(super) taken: EventTime,
    pub(super) stream_time: Option<EventTime>,
    pub(super) window_end: Option<EventTime>,
    pub(super) partitions: Vec<PartitionPosition>,
    pub(super) departments: Vec<DepartmentPanesV1>,
    pub(super) detector: DetectorStateV3,
    pub(super) alerts: Vec<AlertV3>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DepartmentPanesV1 {
    pub(super) department: String,
    pub(super) panes: Vec<PanePartV1>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PanePartV1 {
    pub(super) start: EventTime,
    pub(super) tally: Tally,
}

impl From<SnapshotV1> for SnapshotV2 {
    fn from(old: SnapshotV1) -> Self {
        Self {
            taken: old.taken,
            stream_time: old.stream_time,
            window_end: old.window_end,
            partitions: old.partitions,
            departments: old.departments.into_iter().map(DepartmentPanesV2::from).collect(),
            detector: old.detector,
            alerts: old.alerts,
        }
    }
}

impl From<DepartmentPanesV1> for DepartmentPanesV2 {
    fn from(old: DepartmentPanesV1) -> Self {
        let pane = |old: PanePartV1| PanePartV2 { start: old.start, tally: old.tally, shares: ShareCounts::default() };
        Self { department: old.department, panes: old.panes.into_iter().map(pane).collect() }
    }
}
