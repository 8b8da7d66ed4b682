//! What a checkpoint holds.

use serde::{Deserialize, Serialize};

use crate::detect::{Alert, DetectorState};
use crate::message::{EventTime, NextOffset, PartitionId};
use crate::window::{PaneCounts, ShareCounts, Tally};

/// One moment of the fold. Departments are named, not numbered: their places may change with the config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Wall clock when it was taken.
    pub taken: EventTime,
    /// Stream time; none before the first message.
    pub stream_time: Option<EventTime>,
    /// End of the last closed window; none before the first pane closed.
    pub window_end: Option<EventTime>,
    /// Where each partition goes on.
    pub partitions: Vec<PartitionPosition>,
    /// The panes that hold messages.
    pub departments: Vec<DepartmentPanes>,
    /// Baselines and alert states.
    pub detector: DetectorState,
    /// Alerts open or closed lately, oldest first.
    pub alerts: Vec<Alert>,
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

/// The panes of one department.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DepartmentPanes {
    /// Id of the department.
    pub department: String,
    /// Its panes that hold messages, in order of time.
    pub panes: Vec<PanePart>,
}

/// One pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanePart {
    /// Where it starts; it is [`crate::window::PANE`] long.
    pub start: EventTime,
    /// What it holds.
    pub tally: Tally,
    /// Its messages by cell.
    pub shares: ShareCounts,
}

impl PanePart {
    /// All that it holds.
    #[must_use]
    pub fn counts(&self) -> PaneCounts {
        PaneCounts { tally: self.tally, shares: self.shares }
    }
}
