//! Panes by department and the windows that end at stream time.

use std::sync::Arc;
use std::time::Duration;

use super::hour::{HourPanes, PANES_AN_HOUR, hour_of};
use super::shard::{Reach, Shard};
use super::sums::WideTally;
use super::{DAY, PANE_MILLIS, PaneCounts, ShareSums, Tally, pane_of, retention, start_of};
use crate::config::WindowsConfig;
use crate::message::{DepartmentId, EventTime, ModelId};

/// Hours ahead of the window end that a ring spans; what is further ahead waits in a map.
const HOURS_AHEAD: i64 = 3;

/// One of the shards of [`Panes`], by its place; the first unless told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardId(pub usize);

/// Messages counted by department and pane, and summed to the windows (end − length, end].
///
/// - A pane is closed once stream time has reached its end; the windows end where the last closed pane does.
/// - A message counts in its pane whenever it comes: before the pane closes, or after, as long as the pane is kept (24 h and
///   `windows.lateness` behind the window end). A sum always equals the sum of its panes.
/// - Cost: O(1) a message, O(windows) a department and closed pane. Memory: an hour of panes (8 KB, up to 30 KB where a pane
///   of it holds more than 255 messages) for each department and hour that has a message.
/// - Hours can be handed out as they are ([`Self::hours`]): that copies nothing, and nothing of them changes afterwards.
/// - A pane holds at most 4,294,967,295 messages; more are not counted in it.
/// - They can be cut in [shards](Self::with_shards), so that what some partitions hold can be handed on without the others'.
///   The windows are those of all shards together. Each shard takes the memory named above for itself.
#[derive(Clone, Debug)]
pub struct Panes {
    /// Lengths of the windows, in panes.
    lengths: Vec<i64>,
    /// How many panes before the window end are kept.
    keep: i64,
    reach: Reach,
    shards: Vec<Shard>,
    /// By department, then window.
    sums: Vec<WideTally>,
    /// [`Self::sums`] as they are shown.
    shown: Vec<Tally>,
    /// Messages by cell, in the order of [`Self::sums`].
    shares: Vec<ShareSums>,
    /// The first pane that is not closed.
    end: Option<i64>,
    /// The newest closed pane with a message.
    newest_closed: Option<i64>,
    /// Severe messages of the pane closed last.
    severe: Vec<(DepartmentId, u32)>,
}

impl Panes {
    /// Empty panes of so many departments, in one shard. Window lengths count in whole panes, from one pane to 24 h.
    #[must_use]
    pub fn new(settings: &WindowsConfig, departments: usize) -> Self {
        Self::with_shards(settings, departments, 1)
    }

    /// Empty panes of so many departments in so many shards, at least one.
    #[must_use]
    pub fn with_shards(settings: &WindowsConfig, departments: usize, shards: usize) -> Self {
        let lengths: Vec<i64> =
            settings.lengths.iter().map(|length| panes_within(length.get().min(DAY)).max(1)).collect();
        let keep = panes_within(retention(settings)) + 1;
        let hours = keep / PANES_AN_HOUR + 2 + HOURS_AHEAD + 1;
        let slots = usize::try_from(hours).unwrap_or_default().next_power_of_two();
        let sums = departments * lengths.len();
        Self {
            lengths,
            keep,
            reach: Reach { slots, limit: i64::MIN },
            shards: vec![Shard::new(departments); shards.max(1)],
            sums: vec![WideTally::default(); sums],
            shown: vec![Tally::default(); sums],
            shares: vec![ShareSums::default(); sums],
            end: None,
            newest_closed: None,
            severe: Vec::new(),
        }
    }

    /// Counts a message (or several of one pane) in the first shard; see [`Self::add_to`].
    ///
    /// # Panics
    /// If the department is not one of those that the panes were made for.
    pub fn add(&mut self, department: DepartmentId, event_time: EventTime, counts: impl Into<PaneCounts>) -> bool {
        let counts = counts.into();
        self.add_to((ShardId::default(), department), event_time, counts, [(ModelId::UNKNOWN, counts.tally)])
    }

    /// Counts a message (or several of one pane) in a shard, all of it by the models that scored it. False where the pane is no longer
    /// kept: then nothing is counted, and the caller has a late message. What [`super::PartitionClock::is_late`] lets through is always
    /// kept.
    ///
    /// # Panics
    /// If the department or the shard is not one of those that the panes were made for.
    pub fn add_to(
        &mut self,
        (shard, department): (ShardId, DepartmentId),
        event_time: EventTime,
        counts: PaneCounts,
        by_model: impl IntoIterator<Item = (ModelId, Tally)>,
    ) -> bool {
        let pane = pane_of(event_time);
        if self.oldest().is_some_and(|oldest| pane < oldest) {
            return false;
        }
        let is_counted = self.shards[shard.0].add((department, pane), counts, by_model, self.reach);
        if is_counted && self.end.is_some_and(|end| pane < end) {
            self.add_to_windows(department, pane, counts);
        }
        true
    }

    /// Closes the panes that stream time has passed, in order; `on_close` gets each new window end and the panes as they
    /// are then. Stream time that does not move, or moves back, closes nothing.
    ///
    /// Which window ends are called depends on the messages (those in time) alone, not on how often this is called: the
    /// first is the end of the first pane with a message, and where no pane that is kept has a message any more, the ends until the next one
    /// that has are passed over in silence. So a jump over years costs no more than a day of panes.
    pub fn advance(&mut self, stream_time: EventTime, mut on_close: impl FnMut(EventTime, &Self)) {
        while let Some(end) = self.close_next(stream_time) {
            on_close(end, self);
        }
    }

    /// Closes the next of the panes that stream time has passed, as [`Self::advance`] would. Gives the new window end; none where
    /// there is nothing to close.
    pub fn close_next(&mut self, stream_time: EventTime) -> Option<EventTime> {
        let target = pane_of(stream_time);
        loop {
            let end = self.end.unwrap_or(i64::MIN);
            if end >= target {
                return None;
            }
            if self.is_all_empty() {
                let next = self.next_with_messages(end).map_or(target, |pane| pane.min(target));
                if next > end {
                    self.jump(next);
                    continue;
                }
            }
            self.close(end);
            return Some(start_of(end + 1));
        }
    }

    /// The end of the windows: the largest pane boundary that stream time has reached. None before [`Self::advance`].
    #[must_use]
    pub fn window_end(&self) -> Option<EventTime> {
        self.end.map(start_of)
    }

    /// The sums of a department's windows that end at [`Self::window_end`], in the order of `windows.lengths`. A sum beyond
    /// 4,294,967,295 messages is shown as that many, in the true ratios.
    ///
    /// # Panics
    /// If the department is not one of those that the panes were made for.
    #[must_use]
    pub fn sums(&self, department: DepartmentId) -> &[Tally] {
        let windows = self.lengths.len();
        &self.shown[department.index() * windows..][..windows]
    }

    /// Messages of the same windows by cell, to estimate their shares from.
    ///
    /// # Panics
    /// If the department is not one of those that the panes were made for.
    #[must_use]
    pub fn share_sums(&self, department: DepartmentId) -> &[ShareSums] {
        let windows = self.lengths.len();
        &self.shares[department.index() * windows..][..windows]
    }

    /// What was counted in the pane that starts (or lies) at that moment; nothing where it is not kept.
    ///
    /// # Panics
    /// If the department is not one of those that the panes were made for.
    #[must_use]
    pub fn pane(&self, department: DepartmentId, start: EventTime) -> PaneCounts {
        let pane = pane_of(start);
        if self.oldest().is_some_and(|oldest| pane < oldest) {
            return PaneCounts::default();
        }
        sum_of(self.shards.iter().map(|shard| shard.get(department, pane, self.reach)))
    }

    /// What was counted in the newest closed pane: the last one of each window.
    ///
    /// # Panics
    /// If the department is not one of those that the panes were made for.
    #[must_use]
    pub fn newest_closed_pane(&self, department: DepartmentId) -> Tally {
        let Some(end) = self.end else { return Tally::default() };
        sum_of(self.shards.iter().map(|shard| shard.ring(department).get(end - 1))).tally
    }

    /// The same by the model that said so; of a model several times where shards have some each.
    ///
    /// # Panics
    /// If the department is not one of those that the panes were made for.
    pub fn newest_closed_by_model(&self, department: DepartmentId) -> impl Iterator<Item = (ModelId, Tally)> {
        let newest = self.end.map(|end| end - 1);
        let rings = self.shards.iter().map(move |shard| shard.ring(department));
        newest.into_iter().flat_map(move |newest| rings.clone().flat_map(move |ring| ring.by_model(newest)))
    }

    /// Severe messages of the newest closed pane, of departments that have any; of a department several times where shards have
    /// some each. For what comes after its pane has closed see [`Self::has_closed`].
    #[must_use]
    pub fn newest_closed_severe(&self) -> &[(DepartmentId, u32)] {
        &self.severe
    }

    /// Whether the pane of that moment has closed.
    #[must_use]
    pub fn has_closed(&self, moment: EventTime) -> bool {
        self.end.is_some_and(|end| pane_of(moment) < end)
    }

    /// Every pane of a shard with a message, closed or not, with its start: shard by shard, by department and time, then those
    /// hours ahead.
    pub fn iter_panes(&self) -> impl Iterator<Item = (DepartmentId, EventTime, PaneCounts)> {
        let oldest = self.oldest().unwrap_or(i64::MIN);
        let panes = self.shards.iter().flat_map(move |shard| shard.iter_from(oldest));
        panes.map(|(department, pane, counts)| (department, start_of(pane), counts))
    }

    /// The hours that hold these panes, in no order. Of the oldest hour some panes may no longer be kept: those that start
    /// before [`Self::kept_from`].
    pub fn hours(&self) -> impl Iterator<Item = (DepartmentId, &Arc<HourPanes>)> {
        self.shards.iter().flat_map(Shard::hours)
    }

    /// The hours of one shard, in no order; see [`Self::hours`].
    ///
    /// # Panics
    /// If the shard is not one of those that the panes were made for.
    pub fn hours_of(&self, shard: ShardId) -> impl Iterator<Item = (DepartmentId, &Arc<HourPanes>)> {
        self.shards[shard.0].hours()
    }

    /// The start of the oldest pane kept. None before there is a window end: then all are.
    #[must_use]
    pub fn kept_from(&self) -> Option<EventTime> {
        self.oldest().map(start_of)
    }

    /// Takes up what [`Self::window_end`] and [`Self::iter_panes`] gave, into panes that are still empty: the sums are equal
    /// afterwards. Other window lengths than before get their own sums; panes that are no longer kept are left out.
    ///
    /// # Panics
    /// If a department is not one of those that the panes were made for.
    pub fn restore(
        &mut self,
        window_end: Option<EventTime>,
        panes: impl IntoIterator<Item = (DepartmentId, EventTime, PaneCounts)>,
    ) {
        if let Some(window_end) = window_end {
            self.jump(pane_of(window_end));
        }
        for (department, start, counts) in panes {
            self.add(department, start, counts);
        }
    }

    /// Hours of all departments that take memory.
    #[cfg(test)]
    pub(super) fn hours_in_use(&self) -> usize {
        self.hours().count()
    }

    /// Bytes that a pane takes, for each of these hours.
    #[cfg(test)]
    pub(super) fn bytes_of_a_pane(&self) -> Vec<usize> {
        self.hours().map(|(_, hour)| hour.bytes_of_a_pane()).collect()
    }

    /// The oldest pane kept. None before there is a window end: then all are.
    fn oldest(&self) -> Option<i64> {
        self.end.map(|end| end - self.keep)
    }

    /// Whether no closed pane that is kept has a message.
    fn is_all_empty(&self) -> bool {
        self.newest_closed.is_none() || self.newest_closed < self.oldest()
    }

    /// The first pane with a message, from `from` on.
    fn next_with_messages(&self, from: i64) -> Option<i64> {
        self.shards.iter().filter_map(|shard| shard.next_with_messages(from)).min()
    }

    /// A message came for a pane that was closed already.
    fn add_to_windows(&mut self, department: DepartmentId, pane: i64, counts: PaneCounts) {
        let Some(end) = self.end else { return };
        self.newest_closed = self.newest_closed.max(Some(pane));
        let first = department.index() * self.lengths.len();
        for (place, length) in (first..).zip(&self.lengths) {
            if pane >= end - length {
                self.sums[place].add(counts.tally);
                self.shares[place].add(&counts.shares);
                self.shown[place] = self.sums[place].shown();
            }
        }
    }

    /// Closes the first pane that is not closed.
    fn close(&mut self, pane: i64) {
        let windows = self.lengths.len();
        self.severe.clear();
        for (department, ring) in self.shards.iter().flat_map(Shard::rings) {
            let entering = ring.get(pane);
            if !entering.is_empty() {
                self.newest_closed = Some(pane);
            }
            if entering.severe > 0 {
                self.severe.push((department, entering.severe));
            }
            for (place, length) in (department.index() * windows..).zip(&self.lengths) {
                let leaving = ring.get(pane - length);
                if entering == leaving {
                    continue;
                }
                self.sums[place].add(entering.tally);
                self.sums[place].remove(leaving.tally);
                self.shares[place].add(&entering.shares);
                self.shares[place].remove(&leaving.shares);
                self.shown[place] = self.sums[place].shown();
            }
        }
        self.move_end(pane + 1);
    }

    /// Moves the window end over panes of which none has a message, nor has any that is kept.
    fn jump(&mut self, end: i64) {
        debug_assert!(self.shown.iter().all(Tally::is_empty), "every window is within the panes that are kept");
        self.move_end(end);
    }

    fn move_end(&mut self, end: i64) {
        self.end = Some(end);
        let limit = hour_of(end) + HOURS_AHEAD + 1;
        if limit != self.reach.limit {
            self.reach.limit = limit;
            self.shards.iter_mut().for_each(|shard| shard.move_on(hour_of(end - self.keep), self.reach));
        }
    }
}

/// The sum of panes; what does not fit into one is left out.
fn sum_of(panes: impl Iterator<Item = PaneCounts>) -> PaneCounts {
    panes.fold(PaneCounts::default(), |sum, counts| sum.checked_add(counts).unwrap_or(sum))
}

/// Whole panes within a span.
fn panes_within(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX) / PANE_MILLIS
}
