//! What the fold publishes and everybody else reads.

use std::sync::{Arc, PoisonError, RwLock};

use dashmap::DashMap;

use super::events::Happened;
use crate::config::Roster;
use crate::detect::{Alert, AlertKind, DepartmentOutlook, Severity, Verdict};
use crate::message::{
    Audience, Author, DepartmentId, EventTime, PartitionId, RejectReason, ScorerKind, Sentiment, Signal,
};
use crate::score::shares::Estimate;
use crate::window::Tally;

/// How often people gave each verdict, in the order of [`Verdict::ALL`].
pub type FeedbackCounts = [u64; Verdict::ALL.len()];

/// One department at one moment. Counts are since the start of the process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DepartmentView {
    /// Scored messages by audience and sentiment, in the order of [`Audience::ALL`] and [`Sentiment::ALL`].
    pub messages: [[u64; Sentiment::ALL.len()]; Audience::ALL.len()],
    /// Frustrated messages by audience.
    pub frustrated: [u64; Audience::ALL.len()],
    /// Messages by the signals found in them, in the order of [`Signal::ALL`].
    pub signals: [u64; Signal::ALL.len()],
    /// Messages by author, in the order of [`Author::ALL`]; the customer's place stays 0.
    pub context: [u64; Author::ALL.len()],
    /// Messages too old for any window.
    pub late: u64,
    /// Texts cut to the longest allowed.
    pub cut_texts: u64,
    /// Scored messages in no language that the scorer knows, or with too few words to tell.
    pub unsupported_language: u64,
    /// Alerts that paged, in the order of [`AlertKind::ALL`] and [`Severity::ALL`]; replayed and muted ones not among them.
    pub alerts_opened: [[u64; Severity::ALL.len()]; AlertKind::ALL.len()],
    /// Alerts by the first verdict that people gave, in the order of [`AlertKind::ALL`].
    pub feedback: [FeedbackCounts; AlertKind::ALL.len()],
    /// Incidents that paged, each by the first verdict that people gave on an alert of it.
    pub incidents_marked: FeedbackCounts,
    /// Which kinds of alerts are muted now, in the order of [`AlertKind::ALL`].
    pub muted: [bool; AlertKind::ALL.len()],
    /// Sums of the windows that end at [`StreamView::window_end`], in the order of `windows.lengths`.
    pub windows: Vec<Tally>,
    /// Their shares with the scorer's errors allowed for. While catching up they are not kept up, nor shown.
    pub adjusted: Vec<AdjustedShares>,
    /// What the detector says.
    pub outlook: DepartmentOutlook,
}

/// The shares of a window's messages, the scorer's errors allowed for; none where one cannot be estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AdjustedShares {
    /// The part that is negative.
    pub negative: Option<Estimate>,
    /// The part that is frustrated.
    pub frustrated: Option<Estimate>,
}

/// A partition at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionView {
    /// Which one.
    pub partition: PartitionId,
    /// Records not folded yet; none while unknown.
    pub lag: Option<u64>,
}

/// How full a bounded buffer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Its name: a label value.
    pub name: &'static str,
    /// Items in it.
    pub items: usize,
    /// Most items it may hold.
    pub items_limit: usize,
    /// Bytes in it.
    pub bytes: usize,
    /// Most bytes it may hold.
    pub bytes_limit: usize,
}

/// The stream at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamView {
    /// Some assigned partition is below the end offset seen at its assignment, or nothing is assigned yet.
    pub catching_up: bool,
    /// Windows are not tested, and nothing pages: panes in them hold only a part of the messages.
    pub paging_suspended: bool,
    /// Stream time; none before the first message.
    pub watermark: Option<EventTime>,
    /// End of the windows shown; none before the first pane closed.
    pub window_end: Option<EventTime>,
    /// Scored messages by the scorer whose score counts, in the order of [`ScorerKind::ALL`].
    pub scored: [u64; ScorerKind::ALL.len()],
    /// Unusable records by reason, in the order of [`RejectReason::ALL`].
    pub rejected: [u64; RejectReason::ALL.len()],
    /// Assigned partitions.
    pub partitions: Vec<PartitionView>,
    /// Partitions that the topics have; none while unknown.
    pub topic_partitions: Option<usize>,
    /// Assigned partitions whose saved offset is not in the log: nothing of them is read.
    pub unreadable_partitions: usize,
    /// Partitions assigned and revoked so far, as events.
    pub rebalances_assigned: u64,
    /// See [`Self::rebalances_assigned`].
    pub rebalances_revoked: u64,
    /// Wall clock of the last checkpoint saved; none before the first.
    pub checkpoint_saved: Option<EventTime>,
    /// Checkpoints that could not be saved.
    pub checkpoint_failures: u64,
    /// The garbage breaker has stopped reading.
    pub breaker_open: bool,
    /// How often it has.
    pub breaker_openings: u64,
    /// Checkpoints that were damaged when the daemon started, so that one before them was restored.
    pub checkpoint_damaged: u64,
    /// Dead letters confirmed by the broker.
    pub dead_letters: u64,
    /// Alert events confirmed by the broker, in the order of [`Happened::ALL`].
    pub alert_events: [u64; Happened::ALL.len()],
    /// Tries to send alert events that failed.
    pub alert_event_failures: u64,
    /// Alert events given up because too many waited.
    pub alert_events_lost: u64,
    /// An alert of the whole company pages.
    pub company_paging: bool,
    /// How many have.
    pub company_pages: u64,
    /// One would be muted now.
    pub company_muted: bool,
    /// Alerts of the whole company by the first verdict that people gave.
    pub company_feedback: FeedbackCounts,
    /// Its incidents that paged, by the first verdict on each.
    pub company_incidents_marked: FeedbackCounts,
    /// Closed alerts forgotten before their 7 days, since there were too many.
    pub alerts_forgotten: u64,
    /// Every alert that is open or closed within the last 7 days of event time, oldest first.
    pub alerts: Arc<Vec<Alert>>,
    /// The bounded buffers (INV-6).
    pub buffers: Vec<Buffer>,
}

impl StreamView {
    /// Whether what the detector says is not of this moment: it shows as unknown.
    #[must_use]
    pub fn is_without_tests(&self) -> bool {
        self.catching_up || self.paging_suspended
    }
}

/// One consistent view: the stream and every department of the same moment.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Who the departments are.
    pub roster: Arc<Roster>,
    /// The stream.
    pub stream: Arc<StreamView>,
    /// The departments, in the roster's order.
    pub departments: Vec<Arc<DepartmentView>>,
}

/// Where the fold, its only writer, puts what it has to show.
///
/// Writers hold the gate while they replace what changed, readers while they clone the `Arc`s: both take
/// microseconds, so that no scrape slows the fold.
#[derive(Debug)]
pub struct Board {
    gate: RwLock<Shown>,
    departments: DashMap<DepartmentId, Arc<DepartmentView>>,
}

/// What is the same for all departments.
#[derive(Clone, Debug)]
struct Shown {
    roster: Arc<Roster>,
    stream: Arc<StreamView>,
}

impl Board {
    /// A board of those departments and so many windows, all empty, catching up.
    #[must_use]
    pub fn new(roster: Arc<Roster>, windows: usize) -> Self {
        let empty = Arc::new(DepartmentView { windows: vec![Tally::default(); windows], ..DepartmentView::default() });
        let departments = roster.iter().map(|(id, _)| (id, Arc::clone(&empty))).collect();
        let stream = Arc::new(StreamView { catching_up: true, ..StreamView::default() });
        Self { gate: RwLock::new(Shown { roster, stream }), departments }
    }

    /// Replaces the stream's view and those of the departments that changed.
    pub fn publish(&self, stream: StreamView, changed: impl IntoIterator<Item = (DepartmentId, DepartmentView)>) {
        self.show(None, stream, changed);
    }

    /// The departments are others from now on: `all` are theirs. Who reads sees either them or those before.
    pub fn replace(
        &self,
        roster: Arc<Roster>,
        stream: StreamView,
        all: impl IntoIterator<Item = (DepartmentId, DepartmentView)>,
    ) {
        self.show(Some(roster), stream, all);
    }

    fn show(
        &self,
        roster: Option<Arc<Roster>>,
        stream: StreamView,
        views: impl IntoIterator<Item = (DepartmentId, DepartmentView)>,
    ) {
        let views: Vec<_> = views.into_iter().map(|(id, view)| (id, Arc::new(view))).collect();
        let stream = Arc::new(stream);
        let mut gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(roster) = roster {
            self.departments.clear();
            gate.roster = roster;
        }
        for (id, view) in views {
            self.departments.insert(id, view);
        }
        gate.stream = stream;
    }

    /// One consistent view.
    #[must_use]
    pub fn read(&self) -> View {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let mut departments: Vec<_> =
            self.departments.iter().map(|entry| (*entry.key(), Arc::clone(entry.value()))).collect();
        let Shown { roster, stream } = gate.clone();
        drop(gate);
        departments.sort_unstable_by_key(|(id, _)| *id);
        View { roster, stream, departments: departments.into_iter().map(|(_, view)| view).collect() }
    }
}
