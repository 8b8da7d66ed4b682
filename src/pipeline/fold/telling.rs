//! Alert events: saved soon, since they are sent only then.

use std::time::Duration;

use super::Fold;
use crate::publish::events::ALERT_EVENTS;

/// An event that is in no checkpoint yet has one taken, but so soon after the last one none is.
const SAVED_WITHIN: Duration = Duration::from_secs(1);

impl Fold {
    /// Learns which events are sent, and has those saved that were decided on since the last checkpoint.
    pub(super) fn follow_events(&mut self) {
        let Some(progress) = &self.links.events else { return };
        let has_changed = self.state.events.settle(progress.through());
        // What waits is part of the next checkpoint, with which the store may send it: a quiet stream must not hold that up.
        self.unsaved |= has_changed || self.state.events.is_waiting();
        if !self.state.events.is_waiting() {
            // Also where what waited has gone elsewhere with the partitions.
            self.links.health.set_ready(ALERT_EVENTS);
        }
        if self.state.events.has_news() && self.saved.elapsed() >= SAVED_WITHIN {
            self.save(None, None);
        }
    }
}
