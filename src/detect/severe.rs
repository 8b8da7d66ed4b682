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
use crate::message::EventTime;
use crate::voices::Summary;

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
    pub(super) fn follow(&mut self, name: &str, end: EventTime, slice: Duration, hold: Duration) -> Option<Change> {
        let come = self.waiting.take_if(|waiting| slice_end_after(waiting.oldest, slice) <= end);
        match (come, &mut self.open) {
            (Some(come), Some(open)) => {
                open.note_severe(end, come);
                None
            }
            (Some(come), None) => Some(self.open(name, end, slice, come)),
            (None, Some(open)) => {
                let hold = self.row.map_or(hold, |row| row.hold(hold));
                let is_over = open.calm_since.is_none_or(|last| end >= last.plus(hold));
                if is_over { self.close(end) } else { None }
            }
            (None, None) => None,
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
        let mut row = self.row.filter(|row| row.is_recent(end)).unwrap_or(Incident::new(end));
        if row.closed.take().is_some() {
            row.returns += 1;
        }
        self.row = Some(row);
        // By when it was written, not by when it came: whoever reads the same messages gives the same id.
        let started = slice_end_after(come.oldest, slice);
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
            expected: 0.0,
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
