//! What versions 1 to 3 saved of the detector, of alerts and in panes.
//!
//! Their baselines measured something else (one average of a ratio, without the hour of the week): departments learn anew. Their
//! closed alerts stay; open ones are followed by nobody any more and end with the restart.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::detect::{Alert, AlertKind, DetectorState, Handling, Severity};
use crate::message::EventTime;
use crate::voices::Summary;
use crate::window::{PaneCounts, ShareCounts, Tally};

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DetectorStateV3 {
    pub(super) departments: Vec<DepartmentStateV3>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DepartmentStateV3 {
    pub(super) department: String,
    pub(super) baseline: BaselineV3,
    pub(super) tests: [Option<TestV3>; 2],
    pub(super) open: Option<OpenAlertV3>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct BaselineV3 {
    pub(super) seen: u64,
    pub(super) taught: u64,
    pub(super) weight: f64,
    pub(super) unhappy: [f64; 2],
    pub(super) as_of: Option<EventTime>,
    pub(super) waiting: VecDeque<(EventTime, Tally)>,
    pub(super) not_before: Option<EventTime>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct TestV3 {
    pub(super) unhappy: u32,
    pub(super) messages: u32,
    pub(super) ratio: f64,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct OpenAlertV3 {
    pub(super) alert: AlertV3,
    pub(super) ln_worst: f64,
    pub(super) calm_since: Option<EventTime>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AlertV3 {
    pub(super) id: String,
    pub(super) department: String,
    pub(super) kind: AlertKind,
    pub(super) severity: Severity,
    pub(super) started: EventTime,
    pub(super) ended: Option<EventTime>,
    pub(super) window_seconds: u64,
    pub(super) messages: u32,
    pub(super) observed: f64,
    pub(super) expected: f64,
    pub(super) p_value: f64,
    pub(super) replayed: bool,
}

impl From<DetectorStateV3> for DetectorState {
    fn from(_: DetectorStateV3) -> Self {
        Self::default()
    }
}

impl From<AlertV3> for Alert {
    fn from(old: AlertV3) -> Self {
        Self {
            id: old.id,
            department: old.department,
            kind: old.kind,
            severity: old.severity,
            started: old.started,
            since: old.started,
            ended: old.ended,
            window_seconds: old.window_seconds,
            messages: old.messages,
            observed: old.observed,
            expected: old.expected,
            p_value: old.p_value,
            recurrence: 0.0,
            replayed: old.replayed,
            escalations: 0,
            escalated: None,
            departments: Vec::new(),
            handling: Handling::default(),
            details: Summary::default(),
        }
    }
}

/// A pane of version 3: it counted no severe messages.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct PaneCountsV3 {
    pub(super) tally: Tally,
    pub(super) shares: ShareCounts,
}

impl From<PaneCountsV3> for PaneCounts {
    fn from(old: PaneCountsV3) -> Self {
        Self { tally: old.tally, shares: old.shares, severe: 0 }
    }
}

/// The alerts of an older version.
pub(super) fn alerts(old: Vec<AlertV3>) -> Vec<Alert> {
    old.into_iter().map(Alert::from).collect()
}
