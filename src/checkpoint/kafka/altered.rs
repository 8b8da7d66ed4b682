//! The same of state in a topic.

use super::book::{Book, DetectedNow, Manifest};
use super::key::{Item, Key};
use super::log::Values;
use super::{KafkaStoreError, Snapshot, chunks};
use crate::checkpoint::FormatError;
use crate::checkpoint::altered::{Choices, altered, hour};
use crate::checkpoint::format::{pack, unpack};
use crate::message::PartitionId;

/// What is taken up of a snapshot that was saved, where an item of the topic has an altered value.
pub(crate) fn taken_up(
    snapshot: &Snapshot,
    partitions: &[PartitionId],
    choices: &mut Choices<'_>,
) -> Result<Snapshot, KafkaStoreError> {
    let plan = Book::default().plan(snapshot, &snapshot.outbox).unwrap();
    let mut values: Values = plan.changes.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let items: Vec<Item> = values.keys().map(|key| key.item.clone()).collect();
    // There are many hours, and one of all else.
    let item = if choices.next(2) == 0 { &Item::Detector } else { &items[choices.next(items.len())] };
    for (chunk, value) in (0..).zip(replaced(item, &values, choices).unwrap()) {
        values.insert(Key { item: item.clone(), chunk }, value);
    }
    Book::default().take_up(partitions, &values)
}

fn replaced(item: &Item, values: &Values, choices: &mut Choices<'_>) -> Result<Vec<Vec<u8>>, FormatError> {
    let of_item = |chunk| values.get(&Key { item: item.clone(), chunk }).map(Vec::as_slice);
    let (_, packed) = chunks::join(of_item)?;
    let packed = match item {
        Item::Manifest(_) => pack(&altered(unpack::<Manifest<'static>>(&packed)?, choices))?,
        Item::Hour(..) => hour(&packed, choices),
        Item::Detector => pack(&altered(unpack::<DetectedNow<'static>>(&packed)?, choices))?,
    };
    chunks::cut(&packed)
}
