//! Single messages that a person must read: a ticket for each run of them. Nothing is tested and nothing is learned, so that the
//! first message of a department counts, and so does one of a daemon that holds a part of the partitions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::handling::Handling;
use super::kind::AlertKind;
use super::tick::slice_end_of;
use super::watch::{Change, Incident, OpenAlert};
use crate::config::DetectConfig;
use crate::message::EventTime;
use crate::voices::Summary;

/// What tickets of a department may be open for, they may within a day. A whole day is no limit.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The severe messages of one department.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SevereWatch {
    /// How many tickets each minute of late has had, by its end: a message that comes after its minute's ticket has closed makes another.
    told: BTreeMap<EventTime, u32>,
    /// Those that no ticket knows of yet.
    waiting: Option<Waiting>,
    open: Option<Box<OpenAlert>>,
    /// The tickets of late, so that those who live with such messages do not get one after the other.
    row: Option<Incident>,
    /// The day that began with a ticket: by when its first message was written.
    day: Option<Day>,
}

/// A day of tickets, so that those whose daily bread such messages are get one a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Day {
    begun: EventTime,
    /// For how long a ticket was open.
    open_for: Duration,
    /// Severe messages that tickets have told of.
    messages: u32,
    /// How many came the day before, where tickets were open for as long as they may and more came.
    before: Option<u32>,
}

impl Day {
    const fn new(begun: EventTime, before: Option<u32>) -> Self {
        Self { begun, open_for: Duration::ZERO, messages: 0, before }
    }

    fn is_over(&self, end: EventTime) -> bool {
        end >= self.begun.plus(DAY)
    }
}

/// Messages that nobody has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Waiting {
    /// When the pane of the oldest one starts.
    oldest: EventTime,
    messages: u32,
}

/// How long it is known which minutes had tickets: longer than any message may be late and still count.
const KNOWN_FOR: Duration = Duration::from_secs(48 * 3_600);

impl SevereWatch {
    /// Takes note of messages in the pane that starts at a moment, whenever they come.
    pub(super) fn note(&mut self, start: EventTime, messages: u32) {
        let known = self.waiting.unwrap_or(Waiting { oldest: start, messages: 0 });
        self.waiting =
            Some(Waiting { oldest: known.oldest.min(start), messages: known.messages.saturating_add(messages) });
    }

    /// Looks at what came up to the end of a slice.
    pub(super) fn follow(
        &mut self,
        name: &str,
        end: EventTime,
        slice: Duration,
        (settings, is_muted): (&DetectConfig, bool),
    ) -> Option<Change> {
        let most = settings.severe_open_per_day.get();
        self.turn_day(end, most);
        if most < DAY && self.day.is_some_and(|day| day.open_for >= most) {
            // What comes now waits for the next day.
            return self.close(end);
        }
        let come = self.waiting.take_if(|waiting| slice_end_after(waiting.oldest, slice) <= end);
        let Some(open) = &mut self.open else {
            return come.map(|come| self.open(name, end, slice, come));
        };
        let day = self.day.get_or_insert(Day::new(end.minus(slice), None));
        if !is_muted {
            day.open_for = day.open_for.saturating_add(slice);
        }
        let is_used_up = most < DAY && day.open_for >= most;
        let hold = Incident::hold_of(self.row, settings.hold.get());
        if let Some(come) = come {
            day.messages = day.messages.saturating_add(come.messages);
            open.note_severe(end, come);
        }
        let is_calm = come.is_none() && open.calm_since.is_none_or(|last| end >= last.plus(hold));
        if is_calm || is_used_up { self.close(end) } else { None }
    }

    /// Ends a day. Where its tickets were open for as long as they may, and something waits, the next one begins with that.
    fn turn_day(&mut self, end: EventTime, most: Duration) {
        let Some(over) = self.day.take_if(|day| day.is_over(end)) else { return };
        if let Some(waiting) = self.waiting.filter(|_| most < DAY && over.open_for >= most) {
            self.day = Some(Day::new(end, Some(over.messages.saturating_add(waiting.messages))));
        }
    }

    pub(super) fn open_alert(&self) -> Option<&Alert> {
        self.open.as_ref().map(|open| &open.alert)
    }

    /// Whether there is anything to remember.
    pub(super) fn is_unused(&self) -> bool {
        *self == Self::default()
    }

    fn open(&mut self, name: &str, end: EventTime, slice: Duration, come: Waiting) -> Change {
        self.row = Some(Incident::that_goes_on(self.row.filter(|row| row.is_recent(end)), end));
        let written = slice_end_after(come.oldest, slice);
        // A day begins by it too, or a replay, in which nothing is late, would end it at another minute.
        let day = self.day.get_or_insert(Day::new(written, None));
        let are_held = day.before.is_some() && day.begun == end;
        if !are_held {
            day.messages = day.messages.saturating_add(come.messages);
        }
        let before = day.before.unwrap_or_default();
        // By when it was written, not by when it came: whoever reads the same messages gives the same id.
        // (Those that waited for a day to be over: by that.)
        let started = if are_held { end } else { written };
        let kind = AlertKind::Severe;
        let alert = Alert {
            id: self.next_id(name, started, end),
            department: name.to_owned(),
            kind,
            severity: kind.severity(),
            started,
            since: come.oldest,
            ended: None,
            window_seconds: seconds_between(come.oldest, end),
            messages: come.messages,
            observed: f64::from(come.messages),
            expected: f64::from(before),
            p_value: 1.0,
            recurrence: 0.0,
            replayed: false,
            escalations: 0,
            escalated: None,
            departments: Vec::new(),
            details: Summary::default(),
            handling: Handling::default(),
        };
        let open = self.open.insert(Box::new(OpenAlert::new(alert.clone())));
        open.calm_since = Some(end);
        Change::Opened(alert)
    }

    /// The id of a minute's next ticket: each has its own, since whoever was told of one takes what has its id for the same again. They
    /// are numbered, so that a replay, which may read more of the minute at once, gives no id that live processing would not have given.
    fn next_id(&mut self, name: &str, started: EventTime, now: EventTime) -> String {
        let oldest = now.minus(KNOWN_FOR);
        self.told.retain(|minute, _| *minute >= oldest);
        let tickets = self.told.entry(started).or_default();
        *tickets = tickets.saturating_add(1);
        let first = format!("{name}-{}-{}", AlertKind::Severe.as_str(), started.as_millis());
        if *tickets == 1 { first } else { format!("{first}-{tickets}") }
    }

    fn close(&mut self, end: EventTime) -> Option<Change> {
        let open = self.open.take()?;
        if let Some(row) = &mut self.row {
            row.closed = Some(end);
        }
        Some(Change::Closed(Alert { ended: Some(end), ..open.alert }))
    }
}

impl OpenAlert {
    /// More of them: it stays open for as long again.
    fn note_severe(&mut self, end: EventTime, come: Waiting) {
        self.calm_since = Some(end);
        self.alert.messages = self.alert.messages.saturating_add(come.messages);
        self.alert.observed = f64::from(self.alert.messages);
        self.alert.since = self.alert.since.min(come.oldest);
        self.alert.window_seconds = seconds_between(self.alert.since, end);
    }
}

/// The end of the slice that a moment lies in.
fn slice_end_after(moment: EventTime, slice: Duration) -> EventTime {
    slice_end_of(moment.plus(Duration::from_millis(1)), slice)
}

fn seconds_between(from: EventTime, until: EventTime) -> u64 {
    u64::try_from(until.as_millis() - from.as_millis()).unwrap_or_default() / 1_000
}
