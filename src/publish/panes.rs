//! How the panes are asked of the fold, which alone has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::sync::oneshot;

use crate::message::EventTime;
use crate::window::{HourPanes, PaneCounts};

/// Questions that may wait for the fold; it answers within a turn.
const WAITING: usize = 16;

/// A department's panes as of one moment of the fold.
#[derive(Clone, Debug, Default)]
pub struct PanesNow {
    /// End of the last closed window; panes from there on are still open.
    pub window_end: Option<EventTime>,
    /// Start of the oldest pane kept; none where all are.
    pub kept_from: Option<EventTime>,
    /// Hours with messages, in no order; of each there may be several, which count together.
    pub hours: Vec<Arc<HourPanes>>,
}

impl PanesNow {
    /// The panes with messages that start within [`from`, `to`), oldest first.
    #[must_use]
    pub fn within(&self, from: Option<EventTime>, to: Option<EventTime>) -> Vec<(EventTime, PaneCounts)> {
        let is_asked_for = |start: EventTime| {
            from.max(self.kept_from).is_none_or(|from| start >= from) && to.is_none_or(|to| start < to)
        };
        let mut panes: BTreeMap<EventTime, PaneCounts> = BTreeMap::new();
        for (start, counts) in self.hours.iter().flat_map(|hour| hour.panes()).filter(|(start, _)| is_asked_for(*start))
        {
            let sum = panes.entry(start).or_default();
            *sum = sum.checked_add(counts).unwrap_or(*sum);
        }
        panes.into_iter().collect()
    }
}

/// A question for the fold.
#[derive(Debug)]
pub struct PanesQuestion {
    /// Whose panes, by id: the number may change while the question waits.
    pub department: String,
    /// Where the answer goes; whoever asked may have stopped waiting. Dropped where there is no such department any more.
    pub answer: oneshot::Sender<PanesNow>,
}

/// An operator's word to go on reading where the garbage breaker has stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// How many records may pass whatever they are; 0: the next ones decide.
    pub records: u64,
}

/// The asking end.
#[derive(Clone, Debug)]
pub struct PanesDesk(Sender<PanesQuestion>);

impl PanesDesk {
    /// A desk, and the fold's end of it.
    #[must_use]
    pub fn new() -> (Self, Receiver<PanesQuestion>) {
        let (sender, questions) = bounded(WAITING);
        (Self(sender), questions)
    }

    /// Asks for a department's panes. None where too many questions wait, the fold has ended, or a reload has just
    /// removed the department.
    pub async fn ask(&self, department: String) -> Option<PanesNow> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(PanesQuestion { department, answer }).ok()?;
        answered.await.ok()
    }
}
