//! The ground the other tests stand on.

use std::fs;

use tempfile::NamedTempFile;

use crate::support::{broker, kcat, seconds, stream};

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn what_kcat_produces_stands_in_the_topic() {
    let kafka = broker::shared();
    kafka.create_topic("ground", 4, &[]);
    kafka.create_topic("ground-one", 1, &[]);
    let lines = stream::week(500, 1);
    kcat::produce(kafka.bootstrap(), "ground", &lines);
    kcat::produce_to(kafka.bootstrap(), "ground-one", 0, &lines[..20]);
    let bounds = kafka.bounds("ground", 4);
    assert_eq!(bounds.iter().map(|(_, next)| next).sum::<i64>(), 500);
    assert!(bounds.iter().all(|(_, next)| *next > 0), "keys spread over the partitions: {bounds:?}");

    let letters = kafka.read("ground-one", 20, seconds(20));
    assert_eq!(letters[3].key.as_deref(), Some(lines[3].key.as_bytes()));
    assert_eq!(letters[3].value.as_deref(), Some(lines[3].value.as_bytes()));

    assert_eq!(kafka.committed("nobody", "ground", 4).len(), 0);
    kafka.delete_records_before("ground-one", 0, 7);
    assert_eq!(kafka.bounds("ground-one", 1), [(7, 20)]);
    kafka.delete_topic("ground-one");
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn kcat_sends_any_bytes_with_key_and_headers_and_records_without_a_value() {
    let kafka = broker::shared();
    kafka.create_topic("ground-bytes", 1, &[("max.message.bytes", "20000000")]);
    let file = NamedTempFile::new().expect("a temporary file");
    for value in [b"\xff\n\t\0".to_vec(), vec![b'x'; 10_000_000]] {
        fs::write(file.path(), &value).expect("the file is written");
        kcat::produce_file(kafka.bootstrap(), "ground-bytes", "k", &[("origin", "form 7")], file.path());
    }
    kcat::produce_tombstone(kafka.bootstrap(), "ground-bytes", "gone");

    let letters = kafka.read("ground-bytes", 3, seconds(20));
    assert_eq!(letters[0].value.as_deref(), Some(b"\xff\n\t\0".as_slice()));
    assert_eq!(letters[0].header("origin"), Some("form 7"));
    assert_eq!(letters[1].value.as_ref().map(Vec::len), Some(10_000_000));
    assert_eq!((letters[2].key.as_deref(), &letters[2].value), (Some(b"gone".as_slice()), &None));
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_topic_made_anew_starts_at_its_first_offset() {
    let kafka = broker::shared();
    kafka.create_topic("ground-anew", 1, &[]);
    kcat::produce(kafka.bootstrap(), "ground-anew", &stream::day(5, 2));
    kafka.delete_topic("ground-anew");
    kafka.create_topic("ground-anew", 1, &[]);
    assert_eq!(kafka.bounds("ground-anew", 1), [(0, 0)]);
}
