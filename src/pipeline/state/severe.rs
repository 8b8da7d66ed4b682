//! Severe messages that others may not have told of.

use super::State;
use crate::message::EventTime;

impl State {
    /// Others had the partitions meanwhile, and told of severe messages or died before they could. Those for which a ticket would be
    /// open now are told from here: with the same id, since they are the same messages.
    pub(super) fn find_severe(&mut self, judged_until: EventTime, window_end: EventTime) {
        if judged_until >= window_end {
            return;
        }
        let from = judged_until.max(window_end.minus(self.settings.1.hold.get()));
        let Self { panes, detector, .. } = self;
        for (department, hour) in panes.hours().filter(|(_, hour)| hour.end() > from) {
            let closed = hour.panes().filter(|(start, _)| *start >= from && *start < window_end);
            for (start, counts) in closed.filter(|(_, counts)| counts.severe > 0) {
                detector.note_severe(department, start, counts.severe);
            }
        }
    }
}
