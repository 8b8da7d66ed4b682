//! Snapshots as version 2 wrote them: every pane on its own.

use serde::{Deserialize, Serialize};

use super::legacy::{self, AlertV3, DetectorStateV3};
use super::{PartitionPosition, SavedHour, Snapshot};
use crate::message::EventTime;
use crate::publish::events::Outbox;
use crate::window::{HourPanes, PaneCounts, ShareCounts, Tally};

use std::sync::Arc;

#[derive(Serialize, Deserialize)]
pub(super) struct SnapshotV2 {
    pub(super) taken: EventTime,
    pub(super) stream_time: Option<EventTime>,
    pub(super) window_end: Option<EventTime>,
    pub(super) partitions: Vec<PartitionPosition>,
    pub(super) departments: Vec<DepartmentPanesV2>,
    pub(super) detector: DetectorStateV3,
    pub(super) alerts: Vec<AlertV3>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DepartmentPanesV2 {
    pub(super) department: String,
    pub(super) panes: Vec<PanePartV2>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PanePartV2 {
    pub(super) start: EventTime,
    pub(super) tally: Tally,
    pub(super) shares: ShareCounts,
}

impl From<SnapshotV2> for Snapshot {
    fn from(old: SnapshotV2) -> Self {
        let hours = old.departments.into_iter().flat_map(|saved| {
            let department: Arc<str> = saved.department.into();
            let panes = saved
                .panes
                .into_iter()
                .map(|pane| (pane.start, PaneCounts { tally: pane.tally, shares: pane.shares, severe: 0 }));
            HourPanes::gather(panes).into_iter().map(move |hour| (Arc::clone(&department), Arc::new(hour)))
        });
        Self {
            taken: old.taken,
            stream_time: old.stream_time,
            window_end: old.window_end,
            kept_from: None,
            partitions: old.partitions,
            hours: SavedHour::sort(hours),
            shards: Vec::new(),
            is_whole: true,
            detector: old.detector.into(),
            alerts: legacy::alerts(old.alerts),
            outbox: Outbox::default(),
        }
    }
}
