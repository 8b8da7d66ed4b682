//! What happens to alerts, as it is told.

use std::collections::BTreeSet;

use super::State;
use crate::checkpoint::Snapshot;
use crate::detect::{Alert, AlertChange, AlertKind, Scope};
use crate::publish::events::Happened;

impl State {
    /// Enters a change of an alert. Gives whose alert pages from now on, and its kind.
    pub(super) fn enter(&mut self, change: AlertChange, replaying: bool) -> Option<(Scope, AlertKind)> {
        let (happened, id) = (Happened::from(&change), change.alert().id.clone());
        let pages = self.book.enter(change, replaying);
        if let Some(alert) = self.book.alerts().iter().find(|alert| alert.id == id) {
            self.events.tell(happened, alert, replaying);
        }
        pages
    }

    /// Alerts of a checkpoint that nobody follows any more are over: nothing else would ever tell those who were paged.
    pub(super) fn tell_lost(&mut self, snapshot: &Snapshot, lost: &[String]) {
        for alert in snapshot.alerts.iter().filter(|alert| lost.contains(&alert.id)) {
            let ended = Some(snapshot.window_end.unwrap_or(alert.started));
            self.events.tell(Happened::Closed, &Alert { ended, ..alert.clone() }, true);
        }
    }

    /// Ids of the open alerts that have paged nobody yet.
    pub(super) fn held_alerts(&self) -> BTreeSet<String> {
        let held = self.book.alerts().iter().filter(|alert| alert.ended.is_none() && alert.replayed);
        held.map(|alert| alert.id.clone()).collect()
    }

    /// Tells what was held back of the alerts that are open; those of `held` page only now.
    pub(super) fn tell_held(&mut self, held: &BTreeSet<String>) {
        for alert in self.book.alerts().iter().filter(|alert| alert.ended.is_none()) {
            self.events.tell_held(alert, held.contains(&alert.id));
        }
    }
}
