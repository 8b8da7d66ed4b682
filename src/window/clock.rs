//! Stream time: how far event time is known complete.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{PANE_MILLIS, lateness, retention};
use crate::config::WindowsConfig;
use crate::message::{EventTime, PartitionId};

/// One assigned partition's share in stream time.
///
/// Looked up once a batch ([`StreamClock::partition_mut`]), then told of each record.
#[derive(Clone, Debug)]
pub struct PartitionClock {
    lateness: Duration,
    retention: Duration,
    /// Newest trusted event time, of records or restored.
    frontier: Option<EventTime>,
    /// Trusted event time of the first record since the assignment.
    first: Option<EventTime>,
    /// When the frontier's elapsed time counts from: the last record, or the assignment where the frontier was restored.
    last_record: Option<Duration>,
    /// Assignment, last record, or when the end was reached, whichever is latest.
    quiet_since: Duration,
    at_end: bool,
}

impl PartitionClock {
    /// Takes note of a record.
    ///
    /// `trusted` is the earliest of the record's event time, its Kafka timestamp (where it has one) and the wall clock, so
    /// that a record dated ahead of its own arrival closes nothing early (INV-4). `now` is monotonic time.
    pub fn observe(&mut self, trusted: EventTime, now: Duration) {
        self.frontier = self.frontier.max(Some(trusted));
        self.first = self.first.or(Some(trusted));
        self.last_record = Some(now);
        self.quiet_since = now;
    }

    /// Newest trusted event time of the partition's records.
    #[must_use]
    pub fn frontier(&self) -> Option<EventTime> {
        self.frontier
    }

    /// The start of the oldest pane that still takes this partition's records; older ones are late. None before
    /// anything is known. Ask before [`Self::observe`].
    ///
    /// The partition's own frontier counts beside stream time, so that which records are late does not depend on how the
    /// partitions happened to interleave (INV-5).
    #[must_use]
    pub fn late_before(&self, stream_time: Option<EventTime>) -> Option<EventTime> {
        let own = self.frontier.map(|frontier| frontier.minus(self.lateness));
        let oldest = own.max(stream_time)?.minus(self.retention).as_millis();
        Some(EventTime::from_millis(oldest.saturating_sub(oldest.rem_euclid(PANE_MILLIS))))
    }

    /// Whether a record is too old for any pane; see [`Self::late_before`].
    #[must_use]
    pub fn is_late(&self, event_time: EventTime, stream_time: Option<EventTime>) -> bool {
        self.late_before(stream_time).is_some_and(|oldest| event_time < oldest)
    }

    fn is_idle(&self, idle_after: Duration, now: Duration) -> bool {
        self.at_end && now.saturating_sub(self.quiet_since) >= idle_after
    }
}

/// What is known of a partition that is not assigned: restored, or left behind at its revocation.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    frontier: EventTime,
    last_record: Option<Duration>,
}

/// Stream time over all assigned partitions.
///
/// It is the minimum over the assigned partitions of (newest trusted event time − `windows.lateness`), and
///
/// - a partition that has not delivered yet holds it; only one that has been at its end and quiet for `idle_after` is left
///   out; when all are, the newest event time of any counts;
/// - while every partition is at its end, it goes on by the monotonic time elapsed since the last record;
/// - it never goes back, not even when partitions are assigned, revoked or restored (INV-4).
///
/// All `now` are monotonic: the time since the process started.
#[derive(Clone, Debug)]
pub struct StreamClock {
    lateness: Duration,
    retention: Duration,
    alignment: Duration,
    idle_after: Duration,
    stream_time: Option<EventTime>,
    assigned: BTreeMap<PartitionId, PartitionClock>,
    remembered: BTreeMap<PartitionId, Remembered>,
}

impl StreamClock {
    /// A clock that knows nothing yet.
    ///
    /// An `alignment` below `lateness` counts as `lateness`: the slowest partition itself is that far ahead of stream time,
    /// and to pause it would stop the stream for good.
    #[must_use]
    pub fn new(settings: &WindowsConfig) -> Self {
        let lateness = lateness(settings);
        Self {
            lateness,
            retention: retention(settings),
            alignment: settings.alignment.get().max(lateness),
            idle_after: settings.idle_after.get(),
            stream_time: None,
            assigned: BTreeMap::new(),
            remembered: BTreeMap::new(),
        }
    }

    /// Takes a partition in. It holds stream time until it delivers or proves idle. What was restored of it, or known at
    /// its revocation, counts from now on. Assigning it twice changes nothing.
    pub fn assign(&mut self, partition: PartitionId, now: Duration) {
        if self.assigned.contains_key(&partition) {
            return;
        }
        let remembered = self.remembered.remove(&partition);
        let clock = PartitionClock {
            lateness: self.lateness,
            retention: self.retention,
            frontier: remembered.map(|known| known.frontier),
            first: None,
            last_record: remembered.map(|known| known.last_record.unwrap_or(now)),
            quiet_since: now,
            at_end: false,
        };
        self.assigned.insert(partition, clock);
    }

    /// Lets a partition go. Its frontier is remembered in case it comes back.
    pub fn revoke(&mut self, partition: &PartitionId) {
        let Some(clock) = self.assigned.remove(partition) else { return };
        if let Some(frontier) = clock.frontier {
            let last_record = clock.last_record;
            self.remembered.insert(partition.clone(), Remembered { frontier, last_record });
        }
    }

    /// Takes up a checkpoint's stream time and frontiers. A frontier applies when its partition is assigned, or at once
    /// where it is. Nothing goes back.
    pub fn restore(
        &mut self,
        stream_time: Option<EventTime>,
        frontiers: impl IntoIterator<Item = (PartitionId, EventTime)>,
    ) {
        self.stream_time = self.stream_time.max(stream_time);
        for (partition, frontier) in frontiers {
            if let Some(clock) = self.assigned.get_mut(&partition) {
                clock.frontier = clock.frontier.max(Some(frontier));
                clock.last_record = clock.last_record.or(Some(clock.quiet_since));
                continue;
            }
            let known = self.remembered.entry(partition).or_insert(Remembered { frontier, last_record: None });
            known.frontier = known.frontier.max(frontier);
        }
    }

    /// Forgets all but which partitions are assigned: their state is another owner's, or is about to be restored.
    pub fn begin_anew(&mut self) {
        self.stream_time = None;
        self.remembered.clear();
        for clock in self.assigned.values_mut() {
            (clock.frontier, clock.first, clock.last_record) = (None, None, None);
        }
    }

    /// The share of an assigned partition, to be told of its records.
    pub fn partition_mut(&mut self, partition: &PartitionId) -> Option<&mut PartitionClock> {
        self.assigned.get_mut(partition)
    }

    /// Says whether a partition is read to its end: false while that is unknown, and while it is paused with records left.
    /// Reaching the end starts the wait for `idle_after` anew, so that an end seen late is not taken for a long silence.
    pub fn set_at_end(&mut self, partition: &PartitionId, at_end: bool, now: Duration) {
        let Some(clock) = self.assigned.get_mut(partition) else { return };
        if at_end && !clock.at_end {
            clock.quiet_since = clock.quiet_since.max(now);
        }
        clock.at_end = at_end;
    }

    /// Moves stream time as far as it may go, and returns it. None before anything is known.
    pub fn advance(&mut self, now: Duration) -> Option<EventTime> {
        let known = self.complete_until(now);
        self.stream_time = self.stream_time.max(known);
        self.stream_time
    }

    /// Stream time as of the last [`Self::advance`].
    #[must_use]
    pub fn stream_time(&self) -> Option<EventTime> {
        self.stream_time
    }

    /// Whether a partition is more than `windows.alignment` ahead of stream time, and should be paused until the others have
    /// come up. While there is no stream time yet, its own first record stands in.
    #[must_use]
    pub fn is_ahead(&self, partition: &PartitionId) -> bool {
        let Some(clock) = self.assigned.get(partition) else { return false };
        let Some(frontier) = clock.frontier else { return false };
        let reference = self.stream_time.or(clock.first).unwrap_or(frontier);
        frontier > reference.plus(self.alignment)
    }

    /// The frontiers to save: of assigned partitions, and of those remembered for when they are assigned.
    pub fn frontiers(&self) -> impl Iterator<Item = (&PartitionId, EventTime)> {
        let assigned = self.assigned.iter().filter_map(|(partition, clock)| Some((partition, clock.frontier?)));
        let remembered = self.remembered.iter().map(|(partition, known)| (partition, known.frontier));
        assigned.chain(remembered)
    }

    /// How far event time is complete by the assigned partitions; none where they cannot tell.
    fn complete_until(&self, now: Duration) -> Option<EventTime> {
        let clocks = self.assigned.values();
        let base = match self.slowest_holder(now) {
            Holders::Unknown => return None,
            Holders::Slowest(frontier) => frontier,
            Holders::None => clocks.clone().filter_map(|clock| clock.frontier).max()?,
        };
        let complete = base.minus(self.lateness);
        if !clocks.clone().all(|clock| clock.at_end) {
            return Some(complete);
        }
        let last_record = clocks.filter_map(|clock| clock.last_record).max()?;
        Some(complete.plus(now.saturating_sub(last_record)))
    }

    /// The frontier of the slowest partition that is not idle.
    fn slowest_holder(&self, now: Duration) -> Holders {
        let mut slowest: Option<EventTime> = None;
        for clock in self.assigned.values().filter(|clock| !clock.is_idle(self.idle_after, now)) {
            let Some(frontier) = clock.frontier else { return Holders::Unknown };
            slowest = Some(slowest.map_or(frontier, |known| known.min(frontier)));
        }
        slowest.map_or(Holders::None, Holders::Slowest)
    }
}

/// What the partitions that hold stream time say.
enum Holders {
    /// Every partition is idle, or none is assigned.
    None,
    /// One has not delivered anything yet.
    Unknown,
    /// The smallest of their frontiers.
    Slowest(EventTime),
}
