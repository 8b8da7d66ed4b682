//! Alert events: which changes of alerts become some, and who is told that they are sent.

use std::sync::Arc;

use crate::checkpoint::Sent;
use crate::config::Config;
use crate::detect::Alert;
use crate::publish::Health;
use crate::publish::events::{ALERT_EVENTS, EventProgress, EventSender, Happened, Outbox, envelope};

/// The fold's part: turns what happens to alerts into events. Pure.
#[derive(Debug, Default)]
pub(super) struct EventDesk {
    /// The `source` of the events; none where nobody is told.
    source: Option<String>,
    outbox: Outbox,
    /// The newest event in a checkpoint that was handed to the writer.
    handed_over: u64,
    /// Events given up because too many waited.
    lost: u64,
}

impl EventDesk {
    pub(super) fn new(config: &Config) -> Self {
        let is_told = config.alerts.topic.is_some();
        Self { source: is_told.then(|| config.alerts.source_of(&config.kafka.group)), ..Self::default() }
    }

    /// Something happened to an alert, live or in a backlog.
    ///
    /// An opening is told when it pages ([`Self::tell_paging`]): of one in a backlog, or muted, that is at the end of that, if it is
    /// still open then, and never otherwise (INV-10). So is an escalation. The end is always told at once: nobody is paged for
    /// it, and whoever was must know.
    pub(super) fn tell(&mut self, happened: Happened, alert: &Alert, replaying: bool) {
        let is_held = replaying || alert.handling.muted.is_some();
        match happened {
            Happened::Closed => {
                self.outbox.release(&alert.id);
                self.enter(happened, alert);
            }
            Happened::Escalated if !alert.handling.paged => {}
            Happened::Escalated if is_held && self.source.is_some() => self.outbox.hold(&alert.id),
            Happened::Escalated => self.enter(happened, alert),
            Happened::Opened => {}
        }
    }

    /// An alert pages from now on.
    pub(super) fn tell_paging(&mut self, alert: &Alert) {
        self.outbox.release(&alert.id);
        self.enter(Happened::Opened, alert);
    }

    /// Nothing holds back any more what is to be told of an open alert.
    pub(super) fn tell_held(&mut self, alert: &Alert) {
        if self.outbox.release(&alert.id) {
            self.enter(Happened::Escalated, alert);
        }
    }

    fn enter(&mut self, happened: Happened, alert: &Alert) {
        let Some(source) = &self.source else { return };
        let lost = self.outbox.enter(happened, &alert.department, envelope(source, happened, alert));
        if lost > 0 {
            self.lost += lost;
            tracing::error!(lost, "too many alert events wait for alerts.topic; the oldest are given up");
        }
    }

    /// Nothing waits any more: what did is with whoever has the state now.
    pub(super) fn begin_anew(&mut self) {
        (self.outbox, self.handed_over) = (Outbox::default(), 0);
    }

    /// Takes up what waits in a checkpoint. Gives what no longer applies, in words.
    pub(super) fn restore(&mut self, outbox: Outbox) -> Option<String> {
        self.outbox = outbox;
        self.handed_over = self.outbox.newest();
        if self.source.is_some() {
            return None;
        }
        let waiting = self.outbox.give_up_waiting();
        (waiting > 0).then(|| format!("{waiting} alert events that were not sent: alerts.topic is not set"))
    }

    /// Is the desk of a running daemon again, after [`Self::restore`] of what waited there.
    pub(super) fn go_on_after(&mut self, before: &Self) {
        self.handed_over = before.handed_over;
        self.lost += before.lost;
    }

    /// Events up to that number are sent. Gives whether the state has changed by that.
    pub(super) fn settle(&mut self, through: u64) -> bool {
        self.outbox.settle(through)
    }

    /// What waits is in a checkpoint that was handed to the writer.
    pub(super) fn note_handed_over(&mut self) {
        self.handed_over = self.outbox.newest();
    }

    /// Whether some event is in no checkpoint yet.
    pub(super) fn has_news(&self) -> bool {
        self.outbox.newest() > self.handed_over
    }

    /// Whether some event waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.outbox.waiting().len() > 0
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Events given up because too many waited, since the start of the process.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }
}

/// The checkpoint writer's part: has sent what is saved, and says how that goes.
pub(super) struct EventsOut {
    pub(super) progress: Arc<EventProgress>,
    /// Who sends what is saved; none where the store does so itself.
    pub(super) sender: Option<EventSender>,
    pub(super) health: Arc<Health>,
}

impl EventsOut {
    /// A checkpoint with that outbox is saved.
    pub(super) fn saved(&mut self, outbox: &Outbox, sent: &Sent) {
        match sent {
            Sent::Nothing => {
                if let Some(sender) = &mut self.sender {
                    sender.hand_over(outbox);
                }
            }
            Sent::Through(last) => {
                outbox.waiting().filter(|event| event.number <= *last).for_each(|event| self.progress.confirm(event));
                self.health.set_ready(ALERT_EVENTS);
            }
            Sent::Refused(why) => {
                self.progress.fail();
                tracing::error!("{why}");
                self.health.set_not_ready(ALERT_EVENTS, why.clone());
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
