//! What a record of the dead-letter topic is: a letter, a receipt of a replay, or something else.

use std::str::FromStr;

use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::Place;
use super::receipt::Receipt;
use crate::ingest::provenance;
use crate::message::EventTime;

/// A header's name and value.
pub type Header = (String, Option<Vec<u8>>);

/// A record as it stands in the dead-letter topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its Kafka timestamp, in milliseconds.
    pub timestamp: Option<i64>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: Vec<Header>,
}

impl Record {
    pub(super) fn copy(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        Self {
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect(),
        }
    }
}

/// What a record of the dead-letter topic is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A dead letter.
    Letter(Letter),
    /// Which letters a replay has put back.
    Receipt(Receipt),
    /// Neither: a probe of `latido check --live`, or somebody else's.
    Foreign,
}

impl Kind {
    /// Reads a record.
    #[must_use]
    pub fn of(place: Place, record: Record) -> Self {
        // First, since a letter has its record's own headers, whatever they are.
        if let Some(start) = provenance_of(&record.headers) {
            return Letter::of(place, record, start).map_or(Self::Foreign, Self::Letter);
        }
        Receipt::of(place.partition, &record).map_or(Self::Foreign, Self::Receipt)
    }
}

/// Where a letter's record stood before it was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

/// A letter that does not hold all that its record held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The value was cut; it had so many bytes.
    Truncated(u64),
    /// Key and value were cut and the own headers left out; all of it had so many bytes.
    Stub(u64),
}

/// A dead letter: a record that could not be used, with where it came from and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where it stands.
    pub place: Place,
    /// Its Kafka timestamp, in milliseconds.
    pub timestamp: Option<i64>,
    /// The record's own key.
    pub key: Option<Vec<u8>>,
    /// The record's own value.
    pub value: Option<Vec<u8>>,
    /// The record's own headers.
    pub headers: Vec<Header>,
    /// Where it stood.
    pub source: Source,
    /// Why it cannot be used, as one word.
    pub reason: String,
    /// What exactly is wrong; never the text.
    pub error: String,
    /// When it was read, as it was written.
    pub received_at: String,
    /// What it lacks, if it was too large for the topic.
    pub cut: Option<Cut>,
}

impl Letter {
    /// Reads a record whose provenance stands there; none where that says nothing.
    fn of(place: Place, mut record: Record, start: usize) -> Option<Self> {
        let mut told = record.headers.drain(start..start + provenance::NAMES.len()).map(|(_, value)| text(value));
        let mut next = || told.next().flatten();
        let (topic, partition, offset) = (next()?, number(next())?, number(next())?);
        let (reason, error, received_at) = (next()?, next()?, next()?);
        drop(told);
        let cut = take_cut(&mut record.headers, start);
        let source = Source { topic, partition, offset };
        let Record { timestamp, key, value, headers } = record;
        Some(Self { place, timestamp, key, value, headers, source, reason, error, received_at, cut })
    }

    /// When the record was read; none where that is no time.
    #[must_use]
    pub fn received(&self) -> Option<EventTime> {
        let moment = self.received_at.parse::<jiff::Timestamp>().ok()?;
        Some(EventTime::from_millis(moment.as_millisecond()))
    }
}

/// Where the headers stand that every letter bears.
fn provenance_of(headers: &[Header]) -> Option<usize> {
    let names = provenance::NAMES;
    let bears = |run: &[Header]| run.iter().zip(names).all(|((name, _), wanted)| name == wanted);
    // The last: the record's own headers stand before them, and may have the same names.
    headers.windows(names.len()).rposition(bears)
}

fn text(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn number<N: FromStr>(text: Option<String>) -> Option<N> {
    text?.parse().ok()
}

/// Takes out the mark of a cut, which stands right before the provenance.
fn take_cut(headers: &mut Vec<Header>, before: usize) -> Option<Cut> {
    let place = before.checked_sub(1)?;
    let (name, value) = headers.get(place)?;
    let bytes = number(text(value.clone()))?;
    let cut = match name.as_str() {
        provenance::TRUNCATED_FROM_BYTES => Cut::Truncated(bytes),
        provenance::STUB_OF_BYTES => Cut::Stub(bytes),
        _ => return None,
    };
    headers.remove(place);
    Some(cut)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn header(name: &str, value: &str) -> Header {
        (name.to_owned(), Some(value.as_bytes().to_vec()))
    }

    /// The headers of a letter after these of its own.
    pub(crate) fn headers(own: &[Header], reason: &str, received_at: &str) -> Vec<Header> {
        let values = ["chats", "2", "41", reason, "what is wrong", received_at];
        let told = provenance::NAMES.iter().zip(values).map(|(name, value)| header(name, value));
        own.iter().cloned().chain(told).collect()
    }

    pub(crate) fn letter(own: &[Header], reason: &str, received_at: &str, value: &str) -> Letter {
        let record = Record {
            value: Some(value.as_bytes().to_vec()),
            headers: headers(own, reason, received_at),
            ..Record::default()
        };
        match Kind::of(Place { partition: 0, offset: 7 }, record) {
            Kind::Letter(letter) => letter,
            other => panic!("no letter: {other:?}"),
        }
    }

    #[test]
    fn a_letter_tells_its_own_headers_from_where_it_came_from() {
        let own = [header("origin", "form"), header("reason", "mine"), header("source_topic", "mine too")];
        let letter = letter(&own, "not_json", "2026-01-31T10:00:00Z", "{}");
        assert_eq!(letter.headers, own);
        assert_eq!(letter.source, Source { topic: "chats".to_owned(), partition: 2, offset: 41 });
        assert_eq!((letter.reason.as_str(), letter.error.as_str()), ("not_json", "what is wrong"));
        assert_eq!(letter.received(), Some(EventTime::from_millis(1_769_853_600_000)));
        assert_eq!(letter.cut, None);
    }

    #[test]
    fn a_letter_that_died_twice_tells_of_its_last_death() {
        let own = headers(&[header("origin", "form")], "bad_text", "2026-01-30T10:00:00Z");
        let letter = letter(&own, "not_json", "2026-01-31T10:00:00Z", "{}");
        assert_eq!(letter.reason, "not_json");
        assert_eq!(letter.headers, own);
    }

    #[test]
    fn a_cut_letter_says_what_it_lacks() {
        let own = [header("origin", "form"), header("truncated_from_bytes", "70000")];
        let truncated = letter(&own, "not_json", "2026-01-31T10:00:00Z", "{}");
        assert_eq!((truncated.cut, truncated.headers.len()), (Some(Cut::Truncated(70_000)), 1));
        let stub = letter(&[header("stub_of_bytes", "900")], "not_json", "2026-01-31T10:00:00Z", "{}");
        assert_eq!((stub.cut, stub.headers.len()), (Some(Cut::Stub(900)), 0));
    }

    #[test]
    fn a_letter_whose_record_had_a_receipts_header_is_a_letter() {
        let own = [header(crate::letters::receipt::RECEIPT_HEADER, "0.1.0")];
        let letter = letter(&own, "missing_text", "2026-01-31T10:00:00Z", r#"{"replayed":[[0,9223372036854775807]]}"#);
        assert_eq!(letter.headers, own);
    }

    #[test]
    fn what_lacks_a_letters_headers_is_none() {
        let place = Place { partition: 0, offset: 0 };
        let mut short = headers(&[], "not_json", "2026-01-31T10:00:00Z");
        short.pop();
        let mut bad = headers(&[], "not_json", "2026-01-31T10:00:00Z");
        bad[1] = header("source_partition", "two");
        for headers in [vec![header("latido-probe", "0.1.0")], Vec::new(), short, bad] {
            let record = Record { headers, ..Record::default() };
            assert_eq!(Kind::of(place, record), Kind::Foreign);
        }
    }
}
