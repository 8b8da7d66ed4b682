//! Dead letters return once, whatever happens to the program that puts them back.

use std::collections::BTreeMap;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::support::broker::{self, RealKafka};
use crate::support::daemon::Home;
use crate::support::process::Process;
use crate::support::{Progress, seconds, wait_for};

const LETTERS: i64 = 6_000;

/// Writes letters from one topic of one partition to another, with values of so many bytes.
fn write_letters(kafka: &RealKafka, source: &str, topic: &str, values: impl Iterator<Item = usize>) {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", kafka.bootstrap()).set("message.max.bytes", "20000000");
    let producer: BaseProducer = client.create().expect("a producer");
    for (offset, bytes) in values.enumerate() {
        let told = [
            ("source_topic", source.to_owned()),
            ("source_partition", "0".to_owned()),
            ("source_offset", offset.to_string()),
            ("reason", "not_json".to_owned()),
            ("error", "what is wrong".to_owned()),
            ("received_at", "2026-01-31T10:00:00Z".to_owned()),
        ];
        let headers = told.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value.as_bytes()) })
        });
        let (key, value) = (offset.to_string(), "x".repeat(bytes));
        producer
            .send(BaseRecord::to(topic).partition(0).key(&key).payload(&value).headers(headers))
            .map_err(|(error, _)| error)
            .expect("the queue takes it");
    }
    producer.flush(seconds(30)).expect("the letters are confirmed");
}

fn home(kafka: &RealKafka, source: &str, topic: &str) -> Home {
    Home::new(kafka.bootstrap(), &[source], source).set("kafka.dead_letter_topic", topic)
}

fn replay(home: &Home) -> Process {
    Process::start("latido", &mut home.command(&["dead-letters", "replay"], &["--yes"]))
}

/// The end of a partition, with what no transaction has committed yet.
fn uncommitted_end(kafka: &RealKafka, topic: &str) -> i64 {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", kafka.bootstrap()).set("isolation.level", "read_uncommitted");
    let client: BaseConsumer = client.create().expect("a client");
    client.fetch_watermarks(topic, 0, seconds(10)).expect("the partition's end").1
}

/// How often each letter is back, by its key; up to the end of the topic, so that one too many is seen.
fn times_back(kafka: &RealKafka, topic: &str) -> BTreeMap<String, usize> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", kafka.bootstrap()).set("group.id", "latido-tests-count");
    client.set("enable.auto.commit", "false").set("enable.partition.eof", "true");
    let consumer: BaseConsumer = client.create().expect("a client");
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, Offset::Beginning).expect("a valid offset");
    consumer.assign(&partitions).expect("the partition is assigned");
    let mut times = BTreeMap::new();
    wait_for(&format!("{topic} is read to its end"), seconds(30), || {
        loop {
            match consumer.poll(seconds(1)) {
                Some(Ok(record)) => {
                    let key = String::from_utf8_lossy(record.key().expect("a key")).into_owned();
                    *times.entry(key).or_default() += 1;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Progress::Done(()),
                other => return Progress::NotYet(format!("{other:?}")),
            }
        }
    });
    times
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_replay_killed_again_and_again_puts_each_letter_back_once() {
    let kafka = broker::shared();
    kafka.create_topic("replay-killed", 1, &[]);
    kafka.create_topic("replay-killed-letters", 1, &[]);
    write_letters(kafka, "replay-killed", "replay-killed-letters", (0..LETTERS).map(|_| 200));
    let home = home(kafka, "replay-killed", "replay-killed-letters");
    let mut killed = 0;
    for step in 1..=6 {
        // Anywhere within a transaction, as far as it has come.
        let enough = uncommitted_end(kafka, "replay-killed") + 150 * step;
        let mut process = replay(&home);
        process.wait_until("some letters are written", seconds(30), |process| {
            let end = uncommitted_end(kafka, "replay-killed");
            if end >= enough || process.ended().is_some() { Ok(()) } else { Err(format!("{end} of {enough}")) }
        });
        killed += i64::from(process.ended().is_none());
        process.kill();
    }
    assert!(killed > 0, "it ended each time before it could be killed");
    let mut last = replay(&home);
    assert_eq!(last.wait_end(seconds(60)), Some(0), "{}", last.tail());
    let times = times_back(kafka, "replay-killed");
    assert_eq!(times.len(), usize::try_from(LETTERS).unwrap());
    assert!(times.values().all(|times| *times == 1));
    let mut again = replay(&home);
    assert_eq!(again.wait_end(seconds(60)), Some(0), "{}", again.tail());
    assert!(again.stdout.says("0 letters to be put back"), "{}", again.tail());
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn of_a_run_that_broke_off_before_its_commit_nothing_counts() {
    let kafka = broker::shared();
    kafka.create_topic("broken", 1, &[]);
    kafka.create_topic("broken-letters", 1, &[]);
    write_letters(kafka, "broken", "broken-letters", (0..20).map(|_| 200));
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", kafka.bootstrap()).set("transactional.id", "latido-replay-broken-letters");
    let unfinished: BaseProducer = client.create().expect("a producer");
    unfinished.init_transactions(seconds(30)).expect("transactions");
    unfinished.begin_transaction().expect("a transaction");
    let receipt = OwnedHeaders::new().insert(Header { key: "latido_replay_receipt", value: Some("1") });
    let receipt = BaseRecord::<str, str>::to("broken-letters").payload(r#"{"replayed":[[0,9]]}"#).headers(receipt);
    unfinished.send(receipt).map_err(|(error, _)| error).expect("the queue takes it");
    for key in (0..10).map(|offset| offset.to_string()) {
        unfinished.send(BaseRecord::to("broken").key(&key).payload("x")).map_err(|(error, _)| error).expect("taken");
    }
    unfinished.flush(seconds(30)).expect("all is written");
    assert!(uncommitted_end(kafka, "broken") >= 10, "written, and not committed");

    let home = home(kafka, "broken", "broken-letters");
    let mut process = replay(&home);
    assert_eq!(process.wait_end(seconds(60)), Some(0), "{}", process.tail());
    assert!(process.stdout.says("20 letters put back"), "{}", process.tail());
    let times = times_back(kafka, "broken");
    assert!(times.len() == 20 && times.values().all(|times| *times == 1), "{times:?}");
    assert!(unfinished.commit_transaction(seconds(30)).is_err(), "it can no longer count");
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn two_replays_at_once_put_each_letter_back_once() {
    let kafka = broker::shared();
    kafka.create_topic("raced", 1, &[]);
    kafka.create_topic("raced-letters", 1, &[]);
    write_letters(kafka, "raced", "raced-letters", (0..LETTERS).map(|_| 200));
    let home = home(kafka, "raced", "raced-letters");
    let mut both = [replay(&home), replay(&home)];
    let codes = both.each_mut().map(|process| process.wait_end(seconds(60)));
    assert!(codes.contains(&Some(0)), "{}{}", both[0].tail(), both[1].tail());
    for (process, code) in both.iter().zip(codes) {
        assert!(code == Some(0) || process.stderr.says("another replay"), "{}", process.tail());
    }
    let times = times_back(kafka, "raced");
    assert_eq!(times.len(), usize::try_from(LETTERS).unwrap());
    assert!(times.values().all(|times| *times == 1));
}

#[test]
#[ignore = "needs Apache Kafka: cargo xtask kafka"]
fn a_letter_that_its_topic_does_not_take_holds_up_no_other() {
    let kafka = broker::shared();
    kafka.create_topic("narrow", 1, &[("max.message.bytes", "2000")]);
    kafka.create_topic("narrow-letters", 1, &[("max.message.bytes", "20000000")]);
    let large = |place| if place == 7 { 10_000 } else { 500 };
    write_letters(kafka, "narrow", "narrow-letters", (0..20).map(large));
    let home = home(kafka, "narrow", "narrow-letters");
    let mut process = replay(&home);
    assert_eq!(process.wait_end(seconds(60)), Some(1), "{}", process.tail());
    assert!(process.stdout.says("19 letters put back"), "{}", process.tail());
    assert!(process.stdout.says("0:7 not taken by its topic"), "{}", process.tail());
    assert!(process.stderr.says("max.message.bytes"), "{}", process.tail());
    let times = times_back(kafka, "narrow");
    assert!(!times.contains_key("7") && times.len() == 19 && times.values().all(|times| *times == 1), "{times:?}");
}
