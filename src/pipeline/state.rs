//! All that the fold knows: windows, stream time, baselines, alerts, counts. No thread, no channel, no clock of its own.

mod adjuster;
mod alerts;
mod details;
mod reload;
mod saving;
mod severe;
mod telling;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, DetectConfig, Roster, WindowsConfig};
use crate::detect::{Alert, Detector, DetectorState, Mutes, Scope};
use crate::ingest::RecordIds;
use crate::message::{
    Audience, Author, DepartmentId, EventTime, Language, PartitionId, RejectReason, Score, ScorerKind,
};
use crate::publish::{AdjustedShares, DepartmentView, FeedbackCounts, PanesNow};
use crate::score::shares::Shares;
use crate::voices::{Summary, Voice, Voices};
use crate::window::{PANE, PaneCounts, Panes, ShardId, StreamClock, Tally, pane_start};

use self::adjuster::Adjuster;
use super::book::AlertBook;
use super::events::EventDesk;
use super::scoring::{Outcome, ScoredBatch};

/// Beyond `windows.idle_after`, how much later than the end of the backlog an idle partition may be found out: ends of
/// partitions come with librdkafka's statistics.
const IDLE_KNOWN_AFTER: Duration = Duration::from_secs(2);

/// Most event times kept for the delay histogram between two publishings.
const DELAYS_LIMIT: usize = 10_000;

/// The end of a backlog that is read.
struct Closing {
    /// Where its windows end; none where it held nothing.
    end: Option<EventTime>,
    /// Until when they are waited for (monotonic).
    until: Duration,
}

/// The state of the fold.
pub(super) struct State {
    roster: Arc<Roster>,
    /// The departments' ids, to be shared with checkpoints.
    names: Arc<[Arc<str>]>,
    /// What windows and detector are made from.
    settings: (WindowsConfig, DetectConfig),
    /// What was learned from history, for departments of which nothing is known here.
    learned: DetectorState,
    /// The shard of each partition, where panes are kept by partition; else all are in the first.
    shards: BTreeMap<PartitionId, ShardId>,
    pub(super) clock: StreamClock,
    pub(super) panes: Panes,
    voices: Voices,
    /// What records are called.
    ids: RecordIds,
    detector: Detector,
    mutes: Arc<Mutes>,
    adjuster: Adjuster,
    pub(super) book: AlertBook,
    pub(super) events: EventDesk,
    views: Vec<DepartmentView>,
    dirty: Vec<bool>,
    /// Alerts of the whole company that paged.
    pub(super) company_pages: u64,
    /// What people said of them first, in the order of [`Verdict::ALL`](crate::detect::Verdict::ALL).
    pub(super) company_feedback: FeedbackCounts,
    /// Its incidents by the first that people said of each.
    pub(super) company_incidents_marked: FeedbackCounts,
    /// Messages in their windows by the scorer whose score counts.
    pub(super) scored: [u64; ScorerKind::ALL.len()],
    pub(super) rejected: [u64; RejectReason::ALL.len()],
    /// Event times of messages counted since the last publishing.
    pub(super) delays: Vec<EventTime>,
    pub(super) catching_up: bool,
    /// All partitions are here, so that a closed pane holds all that was written.
    is_whole: bool,
    /// The backlog is read, but its panes are not all closed: what they open is still replayed.
    closing: Option<Closing>,
    lateness: Duration,
    idle_after: Duration,
}

impl State {
    /// Nothing seen yet. `shares` are the tables of the model that scores.
    pub(super) fn new(config: &Config, roster: Arc<Roster>, shares: Shares) -> Self {
        let windows = &config.windows.lengths;
        let empty = DepartmentView {
            windows: vec![Tally::default(); windows.len()],
            adjusted: vec![AdjustedShares::default(); windows.len()],
            ..DepartmentView::default()
        };
        let mutes = Arc::new(Mutes::new(&config.mutes, &roster));
        let mut detector = Detector::new(&config.detect, &roster);
        detector.set_mutes(Arc::clone(&mutes));
        Self {
            settings: (config.windows.clone(), config.detect.clone()),
            learned: DetectorState::default(),
            shards: BTreeMap::new(),
            clock: StreamClock::new(&config.windows),
            panes: Panes::new(&config.windows, roster.len()),
            voices: Voices::new(roster.len(), 1),
            ids: RecordIds::new(&config.input),
            detector,
            mutes,
            adjuster: Adjuster::new(shares, roster.len(), windows.len()),
            book: AlertBook::default(),
            events: EventDesk::new(config),
            views: vec![empty; roster.len()],
            dirty: vec![true; roster.len()],
            company_pages: 0,
            company_feedback: FeedbackCounts::default(),
            company_incidents_marked: FeedbackCounts::default(),
            scored: Default::default(),
            rejected: Default::default(),
            delays: Vec::new(),
            catching_up: true,
            is_whole: true,
            closing: None,
            lateness: config.windows.lateness.get(),
            idle_after: config.windows.idle_after.get(),
            names: roster.iter().map(|(_, department)| Arc::from(&*department.id)).collect(),
            roster,
        }
    }

    /// Departments of which nothing is known start with what was learned from history. Gives those that the config has.
    pub(super) fn with_learned(mut self, learned: DetectorState) -> (Self, Vec<String>) {
        let names = learned.departments.iter().map(|saved| saved.department.clone());
        let names = names.filter(|name| self.roster.find(name).is_some()).collect();
        self.learned = learned;
        self.detector = self.new_detector();
        (self, names)
    }

    /// One that knows what was learned, and nothing else.
    fn new_detector(&self) -> Detector {
        let mut detector = Detector::new(&self.settings.1, &self.roster);
        detector.set_mutes(Arc::clone(&self.mutes));
        // Departments that only the history had are nobody's here.
        drop(detector.restore(self.learned.clone()));
        detector
    }

    /// A department's panes, shared; none where no department is called that.
    pub(super) fn panes_of(&self, department: &str) -> Option<PanesNow> {
        let department = self.roster.find(department)?;
        let hours = self.panes.hours().filter(|(of, _)| *of == department);
        Some(PanesNow {
            window_end: self.panes.window_end(),
            kept_from: self.panes.kept_from(),
            hours: hours.map(|(_, hour)| Arc::clone(hour)).collect(),
        })
    }

    /// Folds a batch whose turn it is. `now` is monotonic. Gives the places in the batch of records that are in no window: the
    /// unusable ones and the late.
    pub(super) fn apply(&mut self, scored: &ScoredBatch, now: Duration) -> Vec<usize> {
        let stream_time = self.clock.stream_time();
        let mut in_no_window = Vec::new();
        let shard = self.shards.get(&scored.batch.partition).copied().unwrap_or_default();
        for (place, outcome) in scored.outcomes.iter().enumerate() {
            let Some(partition) = self.clock.partition_mut(&scored.batch.partition) else { break };
            let placed = match outcome {
                Outcome::Scored(placed, audience, score) => {
                    let is_late = partition.is_late(placed.event_time, stream_time);
                    let counts = PaneCounts::of(score, self.roster.severe(placed.department));
                    let (department, at) = (placed.department, placed.event_time);
                    let place_in_panes = (shard, department);
                    let by_model = [(score.model, counts.tally)];
                    let is_counted = !is_late && self.panes.add_to(place_in_panes, at, counts, by_model);
                    count(&mut self.views[department.index()], *audience, score, is_counted);
                    self.scored[score.scorer as usize] += u64::from(is_counted);
                    // Its pane tells the detector when it closes, once.
                    if is_counted && counts.severe > 0 && self.panes.has_closed(at) {
                        self.detector.note_severe(department, pane_start(at), counts.severe);
                    }
                    if is_counted {
                        let (is_severe, customer) = (counts.severe > 0, placed.customer);
                        let voice = Voice { event_time: at, score, is_severe, customer };
                        self.voices.note(shard, department, &voice, || {
                            let record = scored.batch.record(place);
                            record.map(|record| self.ids.id_of(&record, &scored.batch.partition)).unwrap_or_default()
                        });
                    } else {
                        in_no_window.push(place);
                    }
                    placed
                }
                Outcome::Context(placed, author) => {
                    count_context(&mut self.views[placed.department.index()], *author);
                    placed
                }
                Outcome::Rejected(rejection) => {
                    self.rejected[rejection.reason as usize] += 1;
                    in_no_window.push(place);
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
        in_no_window
    }

    /// Moves stream time, closes panes and tests each department at each closed pane.
    pub(super) fn advance(&mut self, now: Duration) {
        let Some(stream_time) = self.clock.advance(now) else { return };
        let was_suspended = self.is_suspended();
        let replaying = self.is_replaying();
        let mut closed = false;
        while let Some(end) = self.panes.close_next(stream_time) {
            closed = true;
            self.judge(end, replaying);
        }
        if !closed {
            return;
        }
        self.dirty.fill(true);
        self.follow_mutes();
        self.book.forget_before(stream_time);
        if was_suspended && !self.is_suspended() && !replaying {
            self.page_what_is_open();
        }
    }

    /// Tests each department at a pane that has closed, and enters what comes of it: here and not once all are closed, since what an
    /// alert tells is of the windows that it is about, however far they close at once.
    fn judge(&mut self, end: EventTime, replaying: bool) {
        let Self { panes, detector, .. } = self;
        for (department, messages) in panes.newest_closed_severe() {
            detector.note_severe(*department, end.minus(PANE), *messages);
        }
        let changes = match self.is_whole {
            true => detector.close_by_model(end, |department| panes.newest_closed_by_model(department)),
            false => detector.skip(end),
        };
        self.voices.close(end);
        for change in changes {
            let change = change.with(|alert| self.details_of(alert));
            self.enter_change(change, replaying);
        }
        let Self { book, detector, voices, roster, .. } = self;
        let details = |alert: &Alert| details::of(alert, voices, roster);
        book.refresh(detector.open_alerts().map(|(_, alert)| alert), details);
    }

    /// What an alert tells of who wrote, as far as the windows have closed.
    fn details_of(&self, alert: &Alert) -> Summary {
        details::of(alert, &self.voices, &self.roster)
    }

    /// Learns whether all partitions are here. Panes that close while some are not teach nothing and open nothing, and nor
    /// do those that are open when the last one comes back.
    pub(super) fn set_whole(&mut self, is_whole: bool) {
        let came_back = is_whole && !self.is_whole;
        self.is_whole = is_whole;
        if let Some(stream_time) = self.clock.stream_time().filter(|_| came_back) {
            self.detector.resume_after(stream_time.plus(self.lateness));
        }
    }

    /// Whether nothing is tested now, since windows hold only a part of what was written.
    pub(super) fn is_suspended(&self) -> bool {
        !self.is_whole || self.detector.is_suspended()
    }

    /// Learns whether some partition is still below the end that it had at its assignment. `newest` is the newest event time
    /// of an assigned partition, `now` monotonic.
    ///
    /// The panes of a backlog may close later than its last record is read: an empty partition holds stream time until it is
    /// found idle. What they open is replayed all the same (INV-10). A partition that is not idle after all holds live
    /// processing back just so: then the wait ends.
    pub(super) fn follow_backlog(&mut self, reading: bool, newest: Option<EventTime>, now: Duration) {
        if reading {
            self.catching_up = true;
            self.closing = None;
            return;
        }
        if self.catching_up {
            self.catching_up = false;
            let end = newest.map(|newest| newest.minus(self.lateness));
            self.closing = Some(Closing { end, until: now + self.idle_after + IDLE_KNOWN_AFTER });
            self.dirty.fill(true);
        }
        let stream_time = self.clock.stream_time();
        if self.closing.take_if(|closing| closing.end <= stream_time || now >= closing.until).is_some() {
            self.page_what_is_open();
        }
    }

    /// Whether what opens now is replayed: live processing would have known of it before.
    fn is_replaying(&self) -> bool {
        self.catching_up || self.closing.is_some()
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
            // Not shown while catching up, when panes close by the hundred.
            if !self.catching_up {
                self.adjuster.adjust(department, &self.panes, &mut view.adjusted);
            }
            view.outlook = self.detector.outlook(department);
            let id = &self.roster.get(department).id;
            view.outlook.active.retain(|(kind, _)| !self.book.is_held_back(id, *kind));
            view.muted = alerts::muted_kinds(&self.mutes, Scope::Department(department), self.panes.window_end());
            changed.push((department, view.clone()));
        }
        changed
    }
}

/// Counts a customer's message that is in its windows, or is late.
fn count(view: &mut DepartmentView, audience: Audience, score: &Score, is_counted: bool) {
    if !is_counted {
        view.late += 1;
        return;
    }
    view.messages[audience as usize][score.sentiment.label() as usize] += 1;
    view.frustrated[audience as usize] += u64::from(score.is_frustrated());
    view.unsupported_language += u64::from(score.language == Language::Other);
    for signal in score.signals.iter() {
        view.signals[signal as usize] += 1;
    }
}

fn count_context(view: &mut DepartmentView, author: Author) {
    view.context[author as usize] += 1;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
