//! All that the fold knows: windows, stream time, baselines, alerts, counts. No thread, no channel, no clock of its own.

use std::sync::Arc;
use std::time::Duration;

use crate::checkpoint::{DepartmentPanes, PanePart, PartitionPosition, Snapshot};
use crate::config::{Config, Roster};
use crate::detect::{Alert, AlertChange, Detector, Severity};
use crate::ingest::Positions;
use crate::message::{Audience, Author, DepartmentId, EventTime, PartitionId, RejectReason, Score};
use crate::publish::DepartmentView;
use crate::window::{Panes, StreamClock, Tally};

use super::book::AlertBook;
use super::scoring::{Outcome, Placed, ScoredBatch};

/// Beyond `windows.idle_after`, how much later than the end of the backlog an idle partition may be found out: ends of
/// partitions come with librdkafka's statistics.
const IDLE_KNOWN_AFTER: Duration = Duration::from_secs(2);

/// Most event times kept for the delay histogram between two publishings.
const DELAYS_LIMIT: usize = 10_000;

/// The state of the fold.
pub(super) struct State {
    roster: Arc<Roster>,
    pub(super) clock: StreamClock,
    pub(super) panes: Panes,
    detector: Detector,
    pub(super) book: AlertBook,
    /// Index of `detect.window` in `windows.lengths`.
    tested: usize,
    views: Vec<DepartmentView>,
    dirty: Vec<bool>,
    pub(super) rejected: [u64; RejectReason::ALL.len()],
    /// Event times of messages counted since the last publishing.
    pub(super) delays: Vec<EventTime>,
    pub(super) catching_up: bool,
    /// The backlog is read: where its windows end, and until when they are waited for.
    backlog_read: Option<(Option<EventTime>, Duration)>,
    lateness: Duration,
    idle_after: Duration,
}

impl State {
    /// Nothing seen yet.
    pub(super) fn new(config: &Config, roster: Arc<Roster>) -> Self {
        let windows = &config.windows.lengths;
        let empty = DepartmentView { windows: vec![Tally::default(); windows.len()], ..DepartmentView::default() };
        Self {
            clock: StreamClock::new(&config.windows),
            panes: Panes::new(&config.windows, roster.len()),
            detector: Detector::new(&config.detect, &roster),
            book: AlertBook::default(),
            // Validation holds detect.window to one of windows.lengths.
            tested: windows.iter().position(|length| *length == config.detect.window).unwrap_or_default(),
            views: vec![empty; roster.len()],
            dirty: vec![true; roster.len()],
            rejected: Default::default(),
            delays: Vec::new(),
            catching_up: true,
            backlog_read: None,
            lateness: config.windows.lateness.get(),
            idle_after: config.windows.idle_after.get(),
            roster,
        }
    }

    /// Takes up a checkpoint. Gives what of it no longer applies, in words: departments that the config no longer has.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) -> Vec<String> {
        let mut left_out = Vec::new();
        let mut panes = Vec::new();
        for saved in &snapshot.departments {
            let Some(department) = self.roster.find(&saved.department) else {
                left_out.push(format!("department {}: {} panes", saved.department, saved.panes.len()));
                continue;
            };
            panes.extend(saved.panes.iter().map(|pane| (department, pane.start, pane.tally)));
        }
        self.panes.restore(snapshot.window_end, panes);
        let frontiers = snapshot.partitions.iter().filter_map(|saved| Some((saved.partition.clone(), saved.frontier?)));
        self.clock.restore(snapshot.stream_time, frontiers);
        let unknown = self.detector.restore(snapshot.detector.clone());
        left_out.extend(unknown.into_iter().map(|department| format!("baseline of department {department}")));
        let (known, unknown): (Vec<Alert>, Vec<Alert>) = snapshot
            .alerts
            .iter()
            .cloned()
            .partition(|alert| alert.ended.is_some() || self.roster.find(&alert.department).is_some());
        left_out.extend(unknown.into_iter().map(|alert| format!("open alert {}", alert.id)));
        self.book.restore(known);
        left_out
    }

    /// This moment, to be saved with those positions.
    pub(super) fn snapshot(&self, positions: &Positions, taken: EventTime) -> Snapshot {
        let frontier_of = |wanted: &PartitionId| {
            self.clock.frontiers().find(|(partition, _)| *partition == wanted).map(|(_, frontier)| frontier)
        };
        let partitions = positions.iter().map(|(partition, next)| PartitionPosition {
            partition: partition.clone(),
            next_offset: *next,
            frontier: frontier_of(partition),
        });
        Snapshot {
            taken,
            stream_time: self.clock.stream_time(),
            window_end: self.panes.window_end(),
            partitions: partitions.collect(),
            departments: self.saved_panes(),
            detector: self.detector.snapshot(),
            alerts: self.book.alerts().to_vec(),
        }
    }

    fn saved_panes(&self) -> Vec<DepartmentPanes> {
        let mut departments: Vec<DepartmentPanes> = self
            .roster
            .iter()
            .map(|(_, department)| DepartmentPanes { department: department.id.clone(), panes: Vec::new() })
            .collect();
        for (department, start, tally) in self.panes.iter_panes() {
            departments[department.index()].panes.push(PanePart { start, tally });
        }
        departments.retain(|department| !department.panes.is_empty());
        departments
    }

    /// Folds a batch whose turn it is. `now` is monotonic. Gives the places of unusable records in the batch.
    pub(super) fn apply(&mut self, scored: &ScoredBatch, now: Duration) -> Vec<usize> {
        let stream_time = self.clock.stream_time();
        let mut unusable = Vec::new();
        for (place, outcome) in scored.outcomes.iter().enumerate() {
            let Some(partition) = self.clock.partition_mut(&scored.batch.partition) else { break };
            let placed = match outcome {
                Outcome::Scored(placed, audience, score) => {
                    let is_late = partition.is_late(placed.event_time, stream_time);
                    count(
                        &mut self.views[placed.department.index()],
                        &mut self.panes,
                        placed,
                        *audience,
                        score,
                        is_late,
                    );
                    placed
                }
                Outcome::Context(placed, author) => {
                    count_context(&mut self.views[placed.department.index()], *author);
                    placed
                }
                Outcome::Rejected(rejection) => {
                    self.rejected[rejection.reason as usize] += 1;
                    unusable.push(place);
                    continue;
                }
            };
            partition.observe(placed.trusted, now);
            self.dirty[placed.department.index()] = true;
            self.views[placed.department.index()].cut_texts += u64::from(placed.text_was_cut);
            if !self.catching_up && self.delays.len() < DELAYS_LIMIT {
                self.delays.push(placed.event_time);
            }
        }
        unusable
    }

    /// Moves stream time, closes panes and tests each department at each closed pane.
    pub(super) fn advance(&mut self, now: Duration) {
        let Some(stream_time) = self.clock.advance(now) else { return };
        let Self { panes, detector, roster, tested, .. } = self;
        let mut changes: Vec<AlertChange> = Vec::new();
        let mut closed = false;
        panes.advance(stream_time, |end, panes| {
            closed = true;
            for (department, _) in roster.iter() {
                let window = panes.sums(department)[*tested];
                let pane = panes.newest_closed_pane(department);
                changes.extend(detector.step(department, end, &window, &pane));
            }
        });
        if !closed {
            return;
        }
        self.dirty.fill(true);
        for change in changes {
            if let Some((department, kind)) = self.book.enter(change, self.catching_up) {
                self.views[department.index()].alerts_opened[kind as usize][Severity::Page as usize] += 1;
            }
        }
        self.book.refresh(self.detector.open_alerts().map(|(_, alert)| alert));
        self.book.forget_before(stream_time);
    }

    /// Ends catching up once the backlog is read *and* stream time has come to its end, so that its panes are closed.
    /// `newest` is the newest event time of an assigned partition, `now` monotonic.
    ///
    /// Where a partition holds stream time back, that takes until it is found idle; live processing would have found so long
    /// ago. One that is not idle after all holds it back for live processing too: then the wait ends.
    pub(super) fn follow_backlog(&mut self, reading: bool, newest: Option<EventTime>, now: Duration) {
        if reading {
            self.backlog_read = None;
            return self.set_catching_up(true);
        }
        if !self.catching_up {
            return;
        }
        let (end, until) = *self.backlog_read.get_or_insert_with(|| {
            (newest.map(|newest| newest.minus(self.lateness)), now + self.idle_after + IDLE_KNOWN_AFTER)
        });
        if end <= self.clock.stream_time() || now >= until {
            self.set_catching_up(false);
        }
    }

    /// Once caught up, what is open pages.
    fn set_catching_up(&mut self, catching_up: bool) {
        if self.catching_up && !catching_up {
            for (department, kind) in self.book.caught_up() {
                if let Some(department) = self.roster.find(&department) {
                    self.views[department.index()].alerts_opened[kind as usize][Severity::Page as usize] += 1;
                }
            }
            self.dirty.fill(true);
        }
        self.catching_up = catching_up;
    }

    /// The views of the departments that changed since the last call.
    pub(super) fn changed_views(&mut self) -> Vec<(DepartmentId, DepartmentView)> {
        let mut changed = Vec::new();
        for (department, _) in self.roster.iter() {
            let place = department.index();
            if !std::mem::take(&mut self.dirty[place]) {
                continue;
            }
            let view = &mut self.views[place];
            view.windows.copy_from_slice(self.panes.sums(department));
            view.outlook = self.detector.outlook(department);
            changed.push((department, view.clone()));
        }
        changed
    }
}

/// Counts a customer's message, in its windows or as late.
fn count(
    view: &mut DepartmentView,
    panes: &mut Panes,
    placed: &Placed,
    audience: Audience,
    score: &Score,
    is_late: bool,
) {
    if is_late || !panes.add(placed.department, placed.event_time, Tally::of(score)) {
        view.late += 1;
        return;
    }
    view.messages[audience as usize][score.sentiment.label() as usize] += 1;
    view.frustrated[audience as usize] += u64::from(score.is_frustrated());
}

fn count_context(view: &mut DepartmentView, author: Author) {
    view.context[author as usize] += 1;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
