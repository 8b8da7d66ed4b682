//! Alerts as events on a Kafka topic: what is sent, what waits to be sent, and the thread that sends it.
//!
//! An event waits in the [`Outbox`], which is saved with the state that decided on it, and is sent only once that is saved: no
//! restart can then come to another end of the story than what was told. Where state is kept in a topic, events are part of the
//! transaction that saves it; where it is kept in a directory, [`EventSender`] sends what is saved.

mod envelope;
mod outbox;
mod progress;
mod record;
mod sender;

use serde::{Deserialize, Serialize};

use crate::detect::AlertChange;

pub use envelope::envelope;
pub use outbox::{AlertEvent, BYTES_LIMIT, ITEMS_LIMIT, Outbox};
pub use progress::EventProgress;
pub(crate) use record::Probe;
pub use sender::{EventSender, EventSenderError};

/// The key of the reason on `/readyz` that alert events cannot be sent.
pub const ALERT_EVENTS: &str = "alert_events";

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It opened, and pages.
    Opened,
    /// It is open and clearly worse, or more urgent.
    Escalated,
    /// It closed.
    Closed,
}

impl Happened {
    /// Everything that can happen.
    pub const ALL: &'static [Self] = &[Self::Opened, Self::Escalated, Self::Closed];

    /// The name used in labels and ids.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
        }
    }

    /// The `type` of its events.
    #[must_use]
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::Opened => "io.latido.alert.opened.v1",
            Self::Escalated => "io.latido.alert.escalated.v1",
            Self::Closed => "io.latido.alert.closed.v1",
        }
    }
}

impl From<&AlertChange> for Happened {
    fn from(change: &AlertChange) -> Self {
        match change {
            AlertChange::Opened(..) => Self::Opened,
            AlertChange::Escalated(..) => Self::Escalated,
            AlertChange::Closed(..) => Self::Closed,
        }
    }
}
