//! Records that cannot be used are counted, set aside and passed over; odd ones that can be used are used.

use std::fs;

use tempfile::TempDir;

use crate::support::broker::{self, Letter, RealKafka};
use crate::support::daemon::Home;
use crate::support::{kcat, seconds, stream};

const TOPIC: &str = "odd";
const DEAD_LETTERS: &str = "odd-dead-letters";
const ORIGIN: (&str, &str) = ("origin", "form 7");

/// A record and why it cannot be used.
struct Unusable {
    reason: &'static str,
    value: Vec<u8>,
}

fn unusable() -> Vec<Unusable> {
    let of = |reason, value: &[u8]| Unusable { reason, value: value.to_vec() };
    let nested = format!(r#"{{"text":"hola","extra":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    vec![
        of("not_utf8", b"{\"text\":\"caf\xe9 fr\xedo\"}"),
        of("not_json", b"Llevo una hora esperando"),
        of("not_json", nested.as_bytes()),
        of("not_object", br#"["hola"]"#),
        of("missing_text", br#"{"message":"hola"}"#),
        of("bad_text", br#"{"text":{"body":"hola"}}"#),
        of("empty_text", br#"{"text":""}"#),
        of("empty_text", "{\"text\":\" \u{a0}\\n\\t \"}".as_bytes()),
        of("bad_timestamp", br#"{"text":"hola","timestamp":"ayer por la tarde"}"#),
        of("future", br#"{"text":"hola","timestamp":"9999-12-31T23:59:59Z"}"#),
        of("bad_author", br#"{"text":"hola","author":"the cat"}"#),
        of("bad_audience", br#"{"text":"hola","audience":"martians"}"#),
    ]
}

/// Odd records that can be used, with the department they belong to.
fn usable() -> Vec<(&'static str, String)> {
    let huge = "esto es una vergüenza ".repeat(10_000_000 / 23);
    let one_letter = "a".repeat(5_000);
    vec![
        ("billing", format!(r#"{{"department":"cobros","timestamp":1740990000,"text":"{huge}"}}"#)),
        ("delivery", format!(r#"{{"department":"ENVIOS","timestamp":1740990000,"text":"{one_letter}"}}"#)),
        ("support", r#"{"department":"support","timestamp":"1740990000","text":"digits as a string"}"#.to_owned()),
        (
            "other",
            r#"{"department":"billing","timestamp":1740990000,"text":"","text":"the last one wins","department":"x"}"#
                .to_owned(),
        ),
    ]
}

/// Writes each value to a file of its own, which kcat then sends byte for byte.
fn produce_value(kafka: &RealKafka, directory: &TempDir, key: &str, value: &[u8]) {
    let file = directory.path().join(key);
    fs::write(&file, value).expect("the file is written");
    kcat::produce_file(kafka.bootstrap(), TOPIC, key, &[ORIGIN], &file);
}

fn number(letter: &Letter, header: &str) -> i64 {
    let text = letter.header(header).unwrap_or_else(|| panic!("no header {header} in {:?}", letter.headers));
    text.parse().unwrap_or_else(|error| panic!("{header}: {text}: {error}"))
}

fn assert_provenance(letter: &Letter, offset: i64, reason: &str) {
    assert_eq!(letter.header("source_topic"), Some(TOPIC));
    assert_eq!(number(letter, "source_partition"), 0);
    assert_eq!(number(letter, "source_offset"), offset);
    assert_eq!(letter.header("reason"), Some(reason), "of offset {offset}");
    assert!(letter.header("error").is_some_and(|error| !error.is_empty()), "{:?}", letter.headers);
    let received = letter.header("received_at").expect("received_at");
    assert!(received.parse::<jiff::Timestamp>().is_ok(), "received_at is {received}");
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn unusable_records_are_counted_and_dead_lettered_and_odd_ones_are_scored() {
    let kafka = broker::shared();
    kafka.create_topic(TOPIC, 1, &[("max.message.bytes", "20000000")]);
    kafka.create_topic(DEAD_LETTERS, 1, &[]);
    let directory = TempDir::new().expect("a temporary directory");
    let ordinary: Vec<_> =
        stream::day(300, 31).into_iter().filter(|line| line.author == "customer").take(200).collect();
    assert_eq!(ordinary.len(), 200);
    kcat::produce(kafka.bootstrap(), TOPIC, &ordinary);
    let (unusable, usable) = (unusable(), usable());
    for (place, record) in unusable.iter().enumerate() {
        produce_value(kafka, &directory, &format!("unusable-{place}"), &record.value);
    }
    kcat::produce_tombstone(kafka.bootstrap(), TOPIC, "forget-me");
    for (place, (_, value)) in usable.iter().enumerate() {
        produce_value(kafka, &directory, &format!("usable-{place}"), value.as_bytes());
    }

    let home = Home::new(kafka.bootstrap(), &[TOPIC], TOPIC).set("kafka.dead_letter_topic", DEAD_LETTERS);
    let mut daemon = home.start();
    let scored = u64::try_from(ordinary.len() + usable.len()).unwrap();
    let samples = daemon.wait_scored(scored, seconds(60));
    assert_eq!(samples.count("latido_messages_total", &[]), scored);
    for record in &unusable {
        let alike = unusable.iter().filter(|other| other.reason == record.reason).count();
        let counted = samples.count("latido_rejected_records_total", &[("reason", record.reason)]);
        assert_eq!(counted, u64::try_from(alike).unwrap(), "records refused as {}", record.reason);
    }
    assert_eq!(samples.count("latido_rejected_records_total", &[("reason", "tombstone")]), 1);
    assert_eq!(samples.count("latido_cut_texts_total", &[("department", "billing")]), 1);
    assert_eq!(samples.count("latido_cut_texts_total", &[]), 1);
    for (department, _) in &usable {
        let before = ordinary.iter().filter(|line| line.department == *department).count();
        let counted = samples.count("latido_messages_total", &[("department", department)]);
        assert_eq!(counted, u64::try_from(before + 1).unwrap(), "messages of {department}");
    }

    let letters = kafka.read(DEAD_LETTERS, unusable.len() + 1, seconds(30));
    assert_eq!(letters.len(), unusable.len() + 1);
    for (place, (letter, record)) in letters.iter().zip(&unusable).enumerate() {
        assert_eq!(letter.key.as_deref(), Some(format!("unusable-{place}").as_bytes()));
        assert_eq!(letter.value.as_ref(), Some(&record.value));
        assert_eq!(letter.header(ORIGIN.0), Some(ORIGIN.1));
        assert_provenance(letter, i64::try_from(ordinary.len() + place).unwrap(), record.reason);
    }
    let tombstone = letters.last().expect("letters");
    assert_eq!((tombstone.key.as_deref(), &tombstone.value), (Some(b"forget-me".as_slice()), &None));
    assert_provenance(tombstone, i64::try_from(ordinary.len() + unusable.len()).unwrap(), "tombstone");

    // The daemon goes on, and what it commits covers the letters, which the broker has confirmed.
    kcat::produce(kafka.bootstrap(), TOPIC, &ordinary[..10]);
    daemon.wait_scored(scored + 10, seconds(30));
    assert_eq!(daemon.get("/healthz").expect("it answers").0, 200);
    daemon.stop();
    assert_eq!(home.checkpoint().next_offsets(TOPIC), kafka.committed(TOPIC, TOPIC, 1));
    assert_eq!(home.checkpoint().next_offsets(TOPIC)[&0], kafka.bounds(TOPIC, 1)[0].1);
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn without_a_dead_letter_topic_unusable_records_are_counted_and_passed() {
    let kafka = broker::shared();
    kafka.create_topic("no-letters", 1, &[]);
    kcat::produce_tombstone(kafka.bootstrap(), "no-letters", "forget-me");
    let lines: Vec<_> = stream::day(60, 32).into_iter().filter(|line| line.author == "customer").collect();
    kcat::produce(kafka.bootstrap(), "no-letters", &lines);
    let home = Home::new(kafka.bootstrap(), &["no-letters"], "no-letters");
    let mut daemon = home.start();
    let samples = daemon.wait_scored(u64::try_from(lines.len()).unwrap(), seconds(30));
    assert_eq!(samples.count("latido_rejected_records_total", &[("reason", "tombstone")]), 1);
    assert_eq!(samples.count("latido_rejected_records_total", &[]), 1);
    daemon.stop();
}
