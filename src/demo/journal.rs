//! What the producer has done so far, for those who watch it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::generator::RecordKind;
use super::incident::Incident;
use crate::message::EventTime;

/// What the demo is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was written yet.
    #[default]
    Starting,
    /// The past day is being written.
    History,
    /// At the pace of the demo's clock.
    Live,
    /// Everything was written; confirmations and the pipeline's last records are awaited.
    Settling,
}

/// The producer's state at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) phase: Phase,
    /// Records handed to the broker's client.
    pub(crate) sent: u64,
    /// Of these, unusable on purpose.
    pub(crate) unusable: u64,
    /// Of these, late on purpose.
    pub(crate) late: u64,
    /// Whether nothing is written because the pipeline is behind.
    pub(crate) paused: bool,
    /// When the live part started, in the demo's time and in ours.
    pub(crate) live_since: Option<EventTime>,
    pub(crate) live_begun: Option<Instant>,
    /// The demo's time in the live part; none before.
    pub(crate) reached: Option<EventTime>,
    /// Whether the live part has come up to the present, from where its time passes as ours does.
    pub(crate) at_present: bool,
    /// When the last record was written; none while more may come.
    pub(crate) written_until: Option<EventTime>,
    /// What goes wrong, known from the start of the live part.
    pub(crate) incident: Option<Incident>,
}

impl Entry {
    /// Whether the live part has come to that moment.
    pub(crate) fn has_come_to(&self, moment: EventTime) -> bool {
        self.reached.is_some_and(|reached| reached >= moment)
    }
}

/// Written by the producer, read by the screen and the summary.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Entry>);

impl Journal {
    /// The state at this moment.
    pub(crate) fn read(&self) -> Entry {
        *self.entry()
    }

    /// Records handed over so far.
    pub(crate) fn sent(&self) -> u64 {
        self.entry().sent
    }

    /// A phase begins.
    pub(crate) fn enter(&self, phase: Phase) {
        self.entry().phase = phase;
    }

    /// The live part begins.
    pub(crate) fn went_live(&self, since: EventTime, incident: Incident) {
        let mut entry = self.entry();
        entry.phase = Phase::Live;
        entry.live_since = Some(since);
        entry.live_begun = Some(Instant::now());
        entry.incident = Some(incident);
    }

    /// The live part has come to that moment, which is the present or is not.
    pub(crate) fn reach(&self, moment: EventTime, at_present: bool) {
        let mut entry = self.entry();
        entry.reached = Some(moment);
        entry.at_present = at_present;
    }

    /// Everything was written.
    pub(crate) fn settling_since(&self, moment: EventTime) {
        let mut entry = self.entry();
        entry.phase = Phase::Settling;
        entry.written_until = Some(moment);
    }

    /// A record was handed over.
    pub(crate) fn count(&self, kind: RecordKind) {
        let mut entry = self.entry();
        entry.sent += 1;
        entry.unusable += u64::from(kind == RecordKind::Unusable);
        entry.late += u64::from(kind == RecordKind::Late);
    }

    /// The pipeline is behind, or no longer so.
    pub(crate) fn set_paused(&self, paused: bool) {
        self.entry().paused = paused;
    }

    fn entry(&self) -> MutexGuard<'_, Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
