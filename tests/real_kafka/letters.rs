//! Dead letters that their topic does not take at once.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use crate::support::broker::{self, Letter, RealKafka};
use crate::support::daemon::Home;
use crate::support::stream::{self, Line};
use crate::support::{kcat, seconds};

/// Unusable records of ordinary size: more of them together than the smallest topic here takes at once.
const SMALL: usize = 30;
const SMALL_BYTES: usize = 2_000;
const LARGE_BYTES: usize = 100_000;

/// Writes a record that is no JSON, of so many bytes.
fn produce_unusable(kafka: &RealKafka, topic: &str, directory: &TempDir, bytes: usize) {
    let file = directory.path().join("value");
    fs::write(&file, "x".repeat(bytes)).expect("the file is written");
    kcat::produce_file(kafka.bootstrap(), topic, "own key", &[("origin", "form 7")], &file);
}

/// Has a daemon set aside many small records and a large one, in a topic that takes so much at once. Its letters by offset.
fn letters_of(topic: &str, most: usize) -> BTreeMap<String, Letter> {
    let kafka = broker::shared();
    let dead = format!("{topic}-dead");
    kafka.create_topic(topic, 1, &[]);
    kafka.create_topic(&dead, 1, &[("max.message.bytes", &most.to_string())]);
    let directory = TempDir::new().expect("a temporary directory");
    (0..SMALL).for_each(|_| produce_unusable(kafka, topic, &directory, SMALL_BYTES));
    produce_unusable(kafka, topic, &directory, LARGE_BYTES);
    let home = Home::new(kafka.bootstrap(), &[topic], topic).set("kafka.dead_letter_topic", dead.as_str());
    let mut daemon = home.start();
    daemon.wait_for_metrics("all letters are confirmed", seconds(60), |samples| {
        samples.count("latido_dead_letters_total", &[]) == u64::try_from(SMALL + 1).unwrap()
    });
    daemon.wait_ready(seconds(30));
    daemon.stop();
    assert_eq!(home.checkpoint().next_offsets(topic), kafka.committed(topic, topic, 1));
    let letters = kafka.read(&dead, SMALL + 1, seconds(30));
    letters.into_iter().map(|letter| (letter.header("source_offset").expect("an offset").to_owned(), letter)).collect()
}

fn assert_small_ones_are_whole(letters: &BTreeMap<String, Letter>) {
    for offset in 0..SMALL {
        let letter = &letters[&offset.to_string()];
        assert_eq!(letter.value.as_ref().map(Vec::len), Some(SMALL_BYTES), "of offset {offset}: {:?}", letter.headers);
        assert_eq!(letter.header("origin"), Some("form 7"));
    }
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_letter_that_the_broker_refuses_for_its_size_is_cut_and_marked_and_those_beside_it_stay_whole() {
    let letters = letters_of("large", 80_000);
    assert_small_ones_are_whole(&letters);
    let large = &letters[&SMALL.to_string()];
    assert_eq!(large.value.as_ref().map(Vec::len), Some(65_536));
    assert_eq!(large.header("truncated_from_bytes"), Some("100000"));
    assert_eq!((large.key.as_deref(), large.header("origin")), (Some(&b"own key"[..]), Some("form 7")));
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn letters_that_are_too_large_together_and_not_alone_are_not_cut() {
    let letters = letters_of("large-together", 20_000);
    assert_small_ones_are_whole(&letters);
    let large = &letters[&SMALL.to_string()];
    assert_eq!(large.value.as_ref().map(Vec::len), Some(256));
    assert!(large.header("stub_of_bytes").is_some(), "{:?}", large.headers);
    assert_eq!(large.header("origin"), None, "own headers may be what is large");
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_missing_dead_letter_topic_is_told_and_nothing_passes_its_records_until_it_is_there() {
    let kafka = broker::shared();
    let topic = "letters-nowhere";
    kafka.create_topic(topic, 1, &[]);
    let lines: Vec<Line> = stream::day(60, 33).into_iter().filter(|line| line.author == "customer").collect();
    let usable = u64::try_from(lines.len()).unwrap();
    kcat::produce(kafka.bootstrap(), topic, &lines);
    kcat::produce_tombstone(kafka.bootstrap(), topic, "forget-me");
    kcat::produce(kafka.bootstrap(), topic, &lines);
    let home = Home::new(kafka.bootstrap(), &[topic], topic).set("kafka.dead_letter_topic", "not-made-yet");
    let mut daemon = home.start();
    daemon.wait_for_metrics("all are counted", seconds(60), |samples| {
        samples.count("latido_messages_total", &[]) == 2 * usable
    });
    let told = daemon.wait_unready("not-made-yet", seconds(60));
    assert!(told.contains("kafka.dead_letter_topic"), "the key is named: {told}");
    let committed = kafka.committed(topic, topic, 1).remove(&0).unwrap_or_default();
    assert!(committed <= lines.len() as i64, "offset {committed} is past the record without a letter");

    kafka.create_topic("not-made-yet", 1, &[]);
    daemon.wait_ready(seconds(60));
    let letter = kafka.read("not-made-yet", 1, seconds(30)).remove(0);
    assert_eq!(letter.header("source_offset"), Some(lines.len().to_string().as_str()));
    daemon.stop();
    assert_eq!(kafka.committed(topic, topic, 1)[&0], kafka.bounds(topic, 1)[0].1);
}
