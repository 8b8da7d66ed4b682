//! What happens to alerts, as it is told.

use super::State;
use crate::checkpoint::Snapshot;
use crate::detect::Alert;
use crate::pipeline::book::Page;
use crate::publish::events::Happened;

impl State {
    /// Something happened to an alert that is in the book by now.
    pub(super) fn tell(&mut self, happened: Happened, id: &str, replaying: bool) {
        if let Some(alert) = self.book.alerts().iter().find(|alert| alert.id == id) {
            self.events.tell(happened, alert, replaying);
        }
    }

    /// An alert pages from now on.
    pub(super) fn tell_paging(&mut self, page: &Page) {
        if let Some(alert) = self.book.alerts().iter().find(|alert| alert.id == page.id) {
            self.events.tell_paging(alert);
        }
    }

    /// Tells what was held back of alerts that nothing holds any more.
    pub(super) fn tell_held(&mut self) {
        let is_free = |alert: &&Alert| alert.handling.paged && alert.handling.muted.is_none() && !alert.replayed;
        for alert in self.book.alerts().iter().filter(|alert| alert.ended.is_none()).filter(is_free) {
            self.events.tell_held(alert);
        }
    }

    /// Alerts of a checkpoint that nobody follows any more are over: nothing else would ever tell those who were paged.
    pub(super) fn tell_lost(&mut self, snapshot: &Snapshot, lost: &[String]) {
        for alert in snapshot.alerts.iter().filter(|alert| lost.contains(&alert.id)) {
            let ended = Some(snapshot.window_end.unwrap_or(alert.started));
            self.events.tell(Happened::Closed, &Alert { ended, ..alert.clone() }, true);
        }
    }
}
