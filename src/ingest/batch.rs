//! Batches: contiguous runs of one partition's records, their bytes in one buffer.

use std::fmt;
use std::time::Instant;

use crate::message::{EventTime, NextOffset, Offset, PartitionId};

/// A run of one partition's records in offset order, on its way from the consumer to the fold.
///
/// Keys, values and headers of all its records lie in one buffer; [`Record`]s borrow from it.
pub struct Batch {
    /// Where the records come from.
    pub partition: PartitionId,
    /// The assignment under which they were read; what belongs to an older one is thrown away.
    pub epoch: u32,
    /// The batch's number within its partition and epoch, so that batches are folded in the order they were read.
    pub sequence: u64,
    /// Where to read on once the whole batch has taken effect.
    pub next: NextOffset,
    /// When its first record was read.
    pub received: Instant,
    layout: Layout,
}

impl Batch {
    /// How many records it holds; at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.layout.entries.len()
    }

    /// Bytes of keys, values and headers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.layout.bytes.len()
    }

    /// Bytes that it takes in memory until it is folded: [`Self::bytes`], and for each record its place in the buffer and room
    /// for what becomes of it.
    #[must_use]
    pub fn footprint(&self) -> usize {
        self.bytes() + self.len() * Self::RECORD_ROOM
    }

    /// What a record takes besides its own bytes.
    pub const RECORD_ROOM: usize = size_of::<Entry>() + Self::OUTCOME_ROOM;

    /// Room for what becomes of a record once it is decoded and scored.
    pub const OUTCOME_ROOM: usize = 128;

    /// The record at a place, from 0.
    #[must_use]
    pub fn record(&self, index: usize) -> Option<Record<'_>> {
        self.layout.entries.get(index).map(|entry| self.layout.record(entry))
    }

    /// The records in offset order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> + Clone {
        self.layout.entries.iter().map(|entry| self.layout.record(entry))
    }
}

impl fmt::Debug for Batch {
    /// Shows sizes and coordinates, never what people wrote.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Batch")
            .field("partition", &self.partition)
            .field("epoch", &self.epoch)
            .field("sequence", &self.sequence)
            .field("next", &self.next)
            .field("records", &self.len())
            .field("bytes", &self.bytes())
            .finish()
    }
}

/// A batch in the making.
pub struct BatchBuilder {
    /// Holds no record yet, and then no next offset either.
    batch: Batch,
}

impl BatchBuilder {
    /// Starts a batch with room for `capacity` bytes of keys, values and headers; it grows beyond them where it must.
    #[must_use]
    pub fn new(partition: PartitionId, epoch: u32, sequence: u64, capacity: usize) -> Self {
        let layout = Layout { bytes: Vec::with_capacity(capacity), entries: Vec::new(), headers: Vec::new() };
        Self { batch: Batch { partition, epoch, sequence, next: NextOffset(0), received: Instant::now(), layout } }
    }

    /// Copies a record in. Offsets must ascend; gaps (compacted topics, transaction markers) are fine.
    pub fn push<'h>(
        &mut self,
        offset: Offset,
        kafka_timestamp: Option<EventTime>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'h str, Option<&'h [u8]>)>,
    ) {
        let batch = &mut self.batch;
        debug_assert!(batch.len() == 0 || offset.next() > batch.next, "offsets of a batch ascend");
        batch.layout.push(offset, kafka_timestamp, key, value, headers);
        batch.next = offset.next();
    }

    /// How many records it holds so far.
    #[must_use]
    pub fn records(&self) -> usize {
        self.batch.len()
    }

    /// Bytes of keys, values and headers so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.batch.bytes()
    }

    /// Closes the batch.
    ///
    /// # Panics
    /// If nothing was pushed: an empty batch would have no next offset.
    #[must_use]
    pub fn finish(self) -> Batch {
        assert!(self.batch.len() > 0, "a batch holds at least one record");
        self.batch
    }
}

/// The bytes of the records, one after the other (key, value, then each header's name and value), and where each lies.
struct Layout {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    headers: Vec<HeaderEntry>,
}

struct Entry {
    offset: Offset,
    kafka_timestamp: Option<EventTime>,
    start: usize,
    key_len: Option<usize>,
    value_len: Option<usize>,
    first_header: usize,
    header_count: usize,
}

struct HeaderEntry {
    name_len: usize,
    value_len: Option<usize>,
}

impl Layout {
    fn push<'h>(
        &mut self,
        offset: Offset,
        kafka_timestamp: Option<EventTime>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'h str, Option<&'h [u8]>)>,
    ) {
        let start = self.bytes.len();
        let first_header = self.headers.len();
        let key_len = self.append(key);
        let value_len = self.append(value);
        for (name, header_value) in headers {
            self.bytes.extend_from_slice(name.as_bytes());
            let header_value_len = self.append(header_value);
            self.headers.push(HeaderEntry { name_len: name.len(), value_len: header_value_len });
        }
        let header_count = self.headers.len() - first_header;
        self.entries.push(Entry { offset, kafka_timestamp, start, key_len, value_len, first_header, header_count });
    }

    fn append(&mut self, bytes: Option<&[u8]>) -> Option<usize> {
        let present = bytes?;
        self.bytes.extend_from_slice(present);
        Some(present.len())
    }

    fn record(&self, entry: &Entry) -> Record<'_> {
        let mut rest = &self.bytes[entry.start..];
        let key = take(&mut rest, entry.key_len);
        let value = take(&mut rest, entry.value_len);
        let entries = &self.headers[entry.first_header..entry.first_header + entry.header_count];
        Record {
            offset: entry.offset,
            kafka_timestamp: entry.kafka_timestamp,
            key,
            value,
            headers: Headers { entries, bytes: rest },
        }
    }
}

/// Takes so many bytes off the front; nothing where there was nothing.
fn take<'a>(rest: &mut &'a [u8], len: Option<usize>) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at(len?);
    *rest = left;
    Some(taken)
}

/// One record, as Kafka holds it.
#[derive(Clone)]
pub struct Record<'a> {
    /// Where it stands in its partition.
    pub offset: Offset,
    /// The record's own timestamp, where it has one.
    pub kafka_timestamp: Option<EventTime>,
    /// The key, as it came.
    pub key: Option<&'a [u8]>,
    /// The value, as it came; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, in their order.
    pub headers: Headers<'a>,
}

impl fmt::Debug for Record<'_> {
    /// Shows sizes and coordinates, never what people wrote.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Record")
            .field("offset", &self.offset)
            .field("kafka_timestamp", &self.kafka_timestamp)
            .field("key_bytes", &self.key.map(<[u8]>::len))
            .field("value_bytes", &self.value.map(<[u8]>::len))
            .field("headers", &self.headers.len())
            .finish()
    }
}

/// The headers of a record: names and values, in their order. The default has none.
#[derive(Clone, Default)]
pub struct Headers<'a> {
    entries: &'a [HeaderEntry],
    bytes: &'a [u8],
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let (entry, others) = self.entries.split_first()?;
        self.entries = others;
        let name = take(&mut self.bytes, Some(entry.name_len)).unwrap_or_default();
        let value = take(&mut self.bytes, entry.value_len);
        // Names come in as `str`, so this never falls back.
        Some((std::str::from_utf8(name).unwrap_or_default(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.entries.len(), Some(self.entries.len()))
    }
}

impl ExactSizeIterator for Headers<'_> {}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    type Header = (&'static str, Option<&'static [u8]>);

    fn builder() -> BatchBuilder {
        BatchBuilder::new(PartitionId::new("in", 3), 7, 11, 64)
    }

    fn headers(list: &[Header]) -> impl Iterator<Item = Header> {
        list.iter().copied()
    }

    #[test]
    fn a_batch_gives_back_every_record_as_it_came() {
        let mut building = builder();
        let first: [Header; 3] = [("traza", Some(b"abc")), ("", None), ("vac\u{ed}o", Some(b""))];
        building.push(Offset(5), Some(EventTime::from_millis(9)), Some(b"k"), Some(b"{\"a\":1}"), headers(&first));
        building.push(Offset(6), None, None, None, headers(&[]));
        building.push(Offset(9), None, Some(b""), Some(b""), headers(&[("x", Some(&[0xff, 0x00]))]));
        let batch = building.finish();

        let records: Vec<_> = batch.iter().collect();
        assert_eq!(records.len(), 3);
        assert_eq!((records[0].offset, records[0].kafka_timestamp), (Offset(5), Some(EventTime::from_millis(9))));
        assert_eq!((records[0].key, records[0].value), (Some(&b"k"[..]), Some(&b"{\"a\":1}"[..])));
        assert_eq!(records[0].headers.clone().collect::<Vec<_>>(), first);
        assert_eq!((records[1].key, records[1].value, records[1].headers.len()), (None, None, 0));
        assert_eq!((records[2].key, records[2].value), (Some(&b""[..]), Some(&b""[..])));
        assert_eq!(records[2].headers.clone().collect::<Vec<_>>(), [("x", Some(&[0xff, 0x00][..]))]);
    }

    #[test]
    fn the_next_offset_is_one_past_the_last_record_even_after_a_gap() {
        let mut building = builder();
        building.push(Offset(5), None, None, Some(b"a"), headers(&[]));
        building.push(Offset(41), None, None, Some(b"b"), headers(&[]));
        assert_eq!(building.finish().next, NextOffset(42));
    }

    #[test]
    fn sizes_count_keys_values_and_headers() {
        let mut building = builder();
        building.push(Offset(0), None, Some(b"key"), Some(b"value"), headers(&[("name", Some(b"v"))]));
        assert_eq!((building.records(), building.bytes()), (1, 13));
        let batch = building.finish();
        assert_eq!((batch.len(), batch.bytes()), (1, 13));
    }

    #[test]
    fn a_record_is_fetched_back_by_its_place() {
        let mut building = builder();
        building.push(Offset(1), None, None, Some(b"a"), headers(&[]));
        building.push(Offset(2), None, None, Some(b"b"), headers(&[]));
        let batch = building.finish();
        assert_eq!(batch.record(1).unwrap().value, Some(&b"b"[..]));
        assert!(batch.record(2).is_none());
    }

    #[test]
    fn debugging_shows_no_text() {
        let mut building = builder();
        building.push(Offset(1), None, Some(b"secreto"), Some(b"secreto"), headers(&[("secreto", None)]));
        let batch = building.finish();
        let shown = format!("{batch:?} {:?}", batch.record(0));
        assert!(!shown.contains("secreto") && !shown.contains("115, 101"), "{shown}");
    }

    #[test]
    #[should_panic(expected = "at least one record")]
    fn an_empty_batch_cannot_be_finished() {
        drop(builder().finish());
    }
}
