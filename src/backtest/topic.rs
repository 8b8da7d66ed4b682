//! Messages of topics, from their beginning to the end that they have at the start. Joins no group and commits nothing.

use std::sync::Arc;

use indicatif::ProgressBar;

use super::score::{CHUNK, Raw, Scoring};
use super::{FirstUnusable, HistoryError, MessageHistory};
use crate::config::KafkaConfig;
use crate::ingest::moment_in_kafka;
use crate::letters::{Bounds, LettersError, PATIENCE, Reader};

/// How an error names what the command line says.
const KEY: &str = "--topic";

/// Reads and scores topics; the bar follows the records read.
///
/// # Errors
/// If the brokers do not answer or stop sending, or a topic is not there.
pub fn read_topic(
    kafka: &KafkaConfig,
    topics: &[String],
    scoring: &Scoring,
    bar: &ProgressBar,
) -> Result<MessageHistory, HistoryError> {
    let open = |topic: &String| -> Result<(Arc<str>, Reader, Vec<Bounds>), LettersError> {
        let reader = Reader::of_topic(kafka, topic, KEY, PATIENCE)?;
        let bounds = reader.bounds()?;
        Ok((topic.as_str().into(), reader, bounds))
    };
    let readers: Vec<(Arc<str>, Reader, Vec<Bounds>)> = topics.iter().map(open).collect::<Result<_, _>>()?;
    let records = readers.iter().flat_map(|(_, _, bounds)| bounds).map(|bounds| (bounds.end - bounds.first).max(0));
    bar.set_length(records.map(i64::unsigned_abs).sum());
    scoring.count(|take| {
        let mut chunk = Vec::with_capacity(CHUNK);
        for (topic, reader, bounds) in &readers {
            reader.read(bounds, |place, record| {
                bar.inc(1);
                let kafka_timestamp = record.timestamp.and_then(moment_in_kafka);
                let place = FirstUnusable::Record { topic: Arc::clone(topic), place };
                chunk.push(Raw { place, value: record.value, kafka_timestamp });
                if chunk.len() == CHUNK {
                    // Workers are gone only where one panicked, and then all of this ends.
                    take(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)));
                }
                Ok(())
            })?;
        }
        take(chunk.split_off(0));
        Ok(())
    })
}
