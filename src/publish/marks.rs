//! How what people say of an alert reaches the fold, which alone keeps alerts.

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::sync::oneshot;

use crate::detect::{Alert, Verdict};

/// Most marks that wait for the fold: it takes them within a tick.
const WAITING: usize = 64;

/// What somebody says of an alert, on its way to the fold.
#[derive(Debug)]
pub struct Mark {
    /// Id of the alert.
    pub id: String,
    /// Whether it was worth a page.
    pub verdict: Verdict,
    /// In their own words.
    pub note: String,
    /// Where the answer goes: the alert as it is then. Whoever asked may have stopped waiting.
    pub answer: oneshot::Sender<Result<Alert, NotMarked>>,
}

/// Why an alert was not marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMarked {
    /// There is none of that id.
    #[error("no alert has that id; closed ones are kept for 7 days, /api/v1/alerts lists them")]
    Unknown,
    /// Alerts are kept by whoever holds all partitions.
    #[error(
        "this instance does not hold all partitions, or not yet their state: the one that does keeps the alerts. Ask that one, or \
         again once `latido_paging_suspended` is 0"
    )]
    Elsewhere,
    /// The fold does not answer.
    #[error("the fold does not answer just now; /healthz says whether it moves. Ask again")]
    Busy,
}

/// The asking end.
#[derive(Clone, Debug)]
pub struct MarkDesk(Sender<Mark>);

impl MarkDesk {
    /// A desk, and the fold's end of it.
    #[must_use]
    pub fn new() -> (Self, Receiver<Mark>) {
        let (sender, marks) = bounded(WAITING);
        (Self(sender), marks)
    }

    /// Marks an alert, and gives it as it is then.
    ///
    /// # Errors
    /// If there is no such alert here, or too many marks wait, or the fold has ended.
    pub async fn mark(&self, id: String, verdict: Verdict, note: String) -> Result<Alert, NotMarked> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Mark { id, verdict, note, answer }).map_err(|_| NotMarked::Busy)?;
        answered.await.unwrap_or(Err(NotMarked::Busy))
    }
}
