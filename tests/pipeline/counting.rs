//! Each record is counted once, under a name.

use latido::message::{Audience, Author, RejectReason};

use crate::broker::{Broker, Written};
use crate::daemon::{
    CALM, Daemon, LETTERS, TOPIC, config, message, now, panes_of, rejected, saved_offsets, saved_panes,
};

const PARTITIONS: i32 = 4;

#[test]
fn every_record_of_four_partitions_is_counted_once_and_the_unusable_ones_go_to_the_dead_letters_as_they_came() {
    let broker = Broker::start(&[(TOPIC, PARTITIONS), (LETTERS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let begun = now() - 600_000;
    let (mut records, mut counted) = (Vec::new(), Vec::new());
    for number in 0..2_000_i32 {
        let event_time = begun + i64::from(number) * 200;
        let department = ["billing", "delivery", "nobody knows it"][usize::try_from(number % 3).unwrap()];
        records.push(message(number % PARTITIONS, department, event_time, CALM));
        counted.push((if number % 3 == 2 { "other" } else { department }, event_time));
    }
    records.push(author("agent", begun));
    records.push(author("bot", begun));
    records.push(author("bot", begun));
    let unusable = unusable(begun);
    records.extend(unusable.iter().map(|(record, _)| record.clone()));
    broker.write(TOPIC, &records);

    let mut config = config(&broker, home.path());
    config.kafka.dead_letter_topic = Some(LETTERS.to_owned());
    let daemon = Daemon::start(config);
    let view = daemon.wait_for_records(2_000 + 3 + 6);
    for (place, expected) in [(0, 667), (1, 667), (2, 666)] {
        let of_customers: u64 = view.departments[place].messages[Audience::External as usize].iter().sum();
        assert_eq!(of_customers, expected, "department {place}");
    }
    assert_eq!(view.departments[0].context[Author::Agent as usize], 1);
    assert_eq!(view.departments[0].context[Author::Bot as usize], 2);
    for (_, reason) in &unusable {
        assert_eq!(rejected(&view, *reason), 1, "{reason}");
    }
    daemon.stop();

    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    let ends: i64 = saved_offsets(home.path()).values().sum();
    assert_eq!(ends, i64::try_from(records.len()).unwrap());
    let letters = broker.read(LETTERS, unusable.len());
    assert_eq!(letters.len(), unusable.len());
    for (record, reason) in &unusable {
        let letter = letters.iter().find(|letter| letter.header("reason") == reason.as_str()).unwrap();
        assert_eq!((&letter.key, &letter.value), (&record.key, &record.value), "{reason}");
        let own = record.headers.iter().map(|(key, value)| ((*key).to_owned(), value.map(<[u8]>::to_vec)));
        assert_eq!(letter.headers[..record.headers.len()], own.collect::<Vec<_>>(), "{reason}");
        assert_eq!(letter.header("source_topic"), TOPIC);
        assert_eq!(letter.header("source_partition"), record.partition.to_string());
        // 500 usable records and at most the three of context lie before it in its partition.
        let offset: i64 = letter.header("source_offset").parse().unwrap();
        assert!((500..=505).contains(&offset), "{reason} at {offset}");
        assert!(!letter.header("error").is_empty(), "{reason}");
        letter.header("received_at").parse::<jiff::Timestamp>().unwrap();
    }
}

fn author(author: &str, event_time: i64) -> Written {
    let value = serde_json::json!({ "text": CALM, "department": "billing", "timestamp": event_time, "author": author });
    Written { value: Some(value.to_string().into_bytes()), kafka_timestamp: event_time, ..Written::default() }
}

/// One of each sort, with key and headers of its own.
fn unusable(arrived: i64) -> Vec<(Written, RejectReason)> {
    let year_9999 = r#"{"text":"hola","timestamp":"9999-12-31T23:59:59Z"}"#;
    let values: [(Option<&[u8]>, RejectReason); 6] = [
        (None, RejectReason::Tombstone),
        (Some(&[0xff, 0xfe]), RejectReason::NotUtf8),
        (Some(b"{\"text\": "), RejectReason::NotJson),
        (Some(b"{\"department\":\"billing\"}"), RejectReason::MissingText),
        (Some(b"{\"text\":\" \"}"), RejectReason::EmptyText),
        (Some(year_9999.as_bytes()), RejectReason::Future),
    ];
    let numbered = (0..).zip(values);
    let records = numbered.map(|(number, (value, reason))| {
        let record = Written {
            partition: number % PARTITIONS,
            key: Some(format!("customer-{number}").into_bytes()),
            value: value.map(<[u8]>::to_vec),
            headers: vec![("trace", Some(b"abc")), ("reason", Some(b"the producer's own")), ("empty", None)],
            kafka_timestamp: arrived,
        };
        (record, reason)
    });
    records.collect()
}

/// Written over a day after its time, behind a message that moves stream time to now.
fn late_records(count: i64) -> Vec<Written> {
    let (now, old) = (now() - 60_000, now() - 3 * 24 * 3_600_000);
    let late = (0..count).map(|number| Written {
        key: Some(format!("customer-{number}").into_bytes()),
        ..message(0, "billing", old + number * 1_000, CALM)
    });
    [message(0, "billing", now, CALM)].into_iter().chain(late).collect()
}

#[test]
fn late_records_go_to_the_dead_letters_where_that_is_asked_for_and_count_as_late_either_way() {
    for (asked_for, letters) in [(true, 3), (false, 0)] {
        let broker = Broker::start(&[(TOPIC, 1), (LETTERS, 1)]);
        let home = tempfile::tempdir().unwrap();
        let records = late_records(3);
        broker.write(TOPIC, &records);
        let mut config = config(&broker, home.path());
        config.kafka.dead_letter_topic = Some(LETTERS.to_owned());
        config.kafka.dead_letter_late = asked_for;
        let daemon = Daemon::start(config);
        let view = daemon.wait_for_records(4);
        assert_eq!(view.departments[0].late, 3);
        assert_eq!(view.stream.rejected.iter().sum::<u64>(), 0, "nothing is wrong with them");
        daemon.wait_until("all is saved", |view| {
            view.stream.dead_letters == letters && saved_offsets(home.path()).get(&0) == Some(&4)
        });
        daemon.stop();
        let read = broker.read(LETTERS, usize::try_from(letters).unwrap());
        assert_eq!(read.len() as u64, letters);
        for (letter, record) in read.iter().zip(&records[1..]) {
            assert_eq!((letter.header("reason"), &letter.value, &letter.key), ("late", &record.value, &record.key));
            assert!(letter.header("error").ends_with("is too old for any window"), "{}", letter.header("error"));
        }
    }
}
