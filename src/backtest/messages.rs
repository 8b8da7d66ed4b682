//! Messages of a file of JSON lines, scored and counted by minute of event time, in whatever order they stand.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use indicatif::ProgressBar;

use super::score::{CHUNK, Raw, Scoring};
use super::{History, HistoryError, Names, Row, Step, input};
use crate::letters::Place;
use crate::message::{EventTime, ModelId};

/// A longer line cannot be used.
const MAX_LINE_BYTES: u64 = 32 << 20;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirstUnusable {
    /// A line of a file, from 1.
    Line(u64),
    /// A record of a topic.
    Record {
        /// The topic.
        topic: Arc<str>,
        /// Its partition and offset.
        place: Place,
    },
}

impl fmt::Display for FirstUnusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Record { topic, place } => write!(formatter, "{place} of {topic}"),
        }
    }
}

/// Records that could not be used, by reason: how many, and where the first stands.
pub type Unusable = BTreeMap<String, (u64, FirstUnusable)>;

/// Messages that were counted by minute.
pub struct MessageHistory {
    rows: std::vec::IntoIter<Row>,
    last_start: Option<EventTime>,
    names: Names,
    model: ModelId,
    unusable: Unusable,
    not_by_customers: u64,
}

impl MessageHistory {
    /// Rows in order of time, all scored by that model.
    pub(super) fn new(rows: Vec<Row>, names: Names, model: ModelId) -> Self {
        let last_start = rows.last().map(|row| row.start);
        Self { rows: rows.into_iter(), last_start, names, model, unusable: Unusable::new(), not_by_customers: 0 }
    }

    /// The same, with what could not be used.
    pub(super) fn without(self, unusable: Unusable, not_by_customers: u64) -> Self {
        Self { unusable, not_by_customers, ..self }
    }

    /// The departments of its rows.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Records that could not be used.
    #[must_use]
    pub fn unusable(&self) -> &Unusable {
        &self.unusable
    }

    /// Messages of agents and bots.
    #[must_use]
    pub fn not_by_customers(&self) -> u64 {
        self.not_by_customers
    }
}

impl History for MessageHistory {
    fn step(&self) -> Step {
        Step::MINUTE
    }

    fn last_start(&self) -> Option<EventTime> {
        self.last_start
    }

    fn model(&self) -> ModelId {
        self.model
    }

    fn next_row(&mut self, _names: &mut Names) -> Result<Option<Row>, HistoryError> {
        Ok(self.rows.next())
    }
}

/// Reads and scores a file of JSON lines, plain, `.gz` or `.zst`; the bar follows the bytes read.
///
/// # Errors
/// If the file cannot be read, has a line that is too long, or holds no message that can be used.
pub fn read_messages(path: &Path, scoring: &Scoring, bar: &ProgressBar) -> Result<MessageHistory, HistoryError> {
    let unreadable = |error| HistoryError::unreadable(path, error);
    let file = input::open(path, bar).map_err(unreadable)?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let history = scoring.count(|take| {
        let (mut number, mut chunk) = (0, Vec::with_capacity(CHUNK));
        loop {
            let mut line = Vec::new();
            let read = (&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(unreadable)?;
            number += 1;
            if read as u64 == MAX_LINE_BYTES {
                let what = format!("longer than {MAX_LINE_BYTES} bytes");
                return Err(HistoryError::line(path, number, what, "write one JSON object a line"));
            }
            let is_end = read == 0;
            if number == 1 && line.starts_with(BYTE_ORDER_MARK) {
                line.drain(..BYTE_ORDER_MARK.len());
            }
            if !line.trim_ascii().is_empty() {
                chunk.push(Raw { place: FirstUnusable::Line(number), value: Some(line), kafka_timestamp: None });
            }
            if chunk.len() == CHUNK || is_end {
                let is_taken = take(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)));
                if is_end || !is_taken {
                    return Ok(());
                }
            }
        }
    })?;
    if history.rows.len() > 0 {
        return Ok(history);
    }
    let what = match history.unusable.iter().next() {
        Some((reason, (count, first))) => {
            format!("no message can be used ({count} {reason}, the first in {first})")
        }
        None => "it holds no customer's message".to_owned(),
    };
    let remedy =
        "name a file of messages as the daemon reads them, or say in `input` of the config where their parts stand";
    Err(HistoryError::file(path, what, remedy))
}
