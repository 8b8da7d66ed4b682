//! What `replay` puts back, and that it does so once.

use std::collections::BTreeSet;

use latido::ingest::DeadLetter;
use latido::message::{EventTime, PartitionId, RejectReason};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::broker::Read;
use crate::desk::{CHATS, Desk, LETTERS, TEN, four, letter, text};

/// The values of what was put back on the first partition of `chats`.
fn back(desk: &Desk, count: usize) -> Vec<String> {
    let values = desk.broker.read(CHATS, count).into_iter().map(|record| record.value.expect("a value"));
    values.map(|value| String::from_utf8(value).expect("UTF-8")).collect()
}

fn values(letters: &[DeadLetter]) -> Vec<String> {
    letters.iter().map(|letter| text(letter.value.as_deref().expect("a value")).to_owned()).collect()
}

fn names(record: &Read) -> Vec<&str> {
    record.headers.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn letters_return_as_they_were_to_the_partition_they_came_from() {
    let desk = Desk::open();
    let tombstone = DeadLetter { key: None, value: None, ..letter(14, RejectReason::Tombstone, 4, "") };
    desk.write([four(), vec![tombstone]].concat());
    let said = desk.say(&["replay", "--yes"]);
    assert!(said.contains("not_json: 2 letters to be put back to chats\n"), "{said}");
    assert!(said.ends_with("5 letters put back\n"), "{said}");
    let records = desk.broker.read(CHATS, 5);
    assert_eq!(records.len(), 5, "all on the first of four partitions, whatever their keys");
    assert_eq!(records[1].key.as_deref(), Some(b"customer-11".as_slice()));
    assert_eq!(names(&records[1]), ["origin", "latido_replayed_from"]);
    assert_eq!(records[1].header("latido_replayed_from"), "letters/0/1");
    assert_eq!((&records[4].key, &records[4].value), (&None, &None));
}

#[test]
fn letters_are_put_back_once_however_often_it_runs() {
    let desk = Desk::open();
    desk.write(four());
    desk.say(&["replay", "--yes"]);
    let again = desk.say(&["replay", "--yes"]);
    assert_eq!(again, "0 letters to be put back\n4 letters skipped: put back before\n");
    assert_eq!(back(&desk, 4), values(&four()));
    let listed = desk.say(&["list"]);
    assert_eq!(listed.matches("replayed").count(), 4, "{listed}");
    assert!(listed.ends_with("4 letters in letters\n"), "the receipt is none: {listed}");
    let receipt = desk.run(&["show", "0:4"]);
    assert!(text(&receipt.stderr).contains("it is the receipt of a replay"), "{receipt:?}");
}

#[test]
fn a_record_that_several_letters_are_of_is_put_back_once() {
    let desk = Desk::open();
    // A daemon that is killed before its checkpoint writes the letters since the one before again, with a later time.
    let again = DeadLetter { received_at: EventTime::from_millis(TEN + 40_000), ..four()[0].clone() };
    // A topic made anew has the same places for other records.
    let made_anew = DeadLetter { value: Some(b"something else".to_vec()), ..four()[0].clone() };
    let letters = [four(), vec![again, made_anew]].concat();
    desk.write(letters.clone());
    let said = desk.say(&["replay", "--yes", "--until", "2026-01-31T10:00:10Z"]);
    assert!(said.ends_with("2 letters put back\n"), "{said}");
    let listed = desk.say(&["list"]);
    assert_eq!((listed.matches("replayed").count(), listed.matches("repeated").count()), (3, 1), "{listed}");
    let rest = desk.say(&["replay", "--yes"]);
    assert!(rest.ends_with("3 letters skipped: put back before\n3 letters put back\n"), "{rest}");
    let order = [0, 5, 1, 2, 3].map(|place: usize| letters[place].clone());
    assert_eq!(back(&desk, 5), values(&order));
}

#[test]
fn copies_of_a_letter_in_one_run_are_named_and_stay() {
    let desk = Desk::open();
    desk.write([four(), four()].concat());
    let said = desk.say(&["replay", "--yes"]);
    assert!(said.ends_with("4 letters skipped: of a record that another letter is of\n4 letters put back\n"), "{said}");
    assert_eq!(back(&desk, 4), values(&four()));
}

#[test]
fn what_a_filter_or_a_limit_leaves_is_put_back_by_another_run() {
    let desk = Desk::open();
    let letters = four();
    desk.write(letters.clone());
    desk.say(&["replay", "--yes", "--reason", "bad_timestamp"]);
    let first = desk.say(&["replay", "--yes", "--limit", "1"]);
    assert!(first.contains("2 letters left for another run (--limit)\n"), "{first}");
    let rest = desk.say(&["replay", "--yes"]);
    assert!(rest.ends_with("2 letters skipped: put back before\n2 letters put back\n"), "{rest}");
    let order = [2, 0, 1, 3].map(|place: usize| letters[place].clone());
    assert_eq!(back(&desk, 4), values(&order));
}

#[test]
fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let desk = Desk::open();
    desk.write(four());
    for _ in 0..2 {
        let said = desk.say(&["replay", "--dry-run", "--reason", "not_json"]);
        assert_eq!(said, "not_json: 2 letters would be put back to chats\n2 letters would be put back\n");
    }
    assert_eq!(back(&desk, 0), Vec::<String>::new());
    assert_eq!(desk.broker.read(LETTERS, 4).len(), 4);
}

#[test]
fn cut_letters_and_letters_from_elsewhere_stay_and_are_counted() {
    let desk = Desk::open();
    let cut = |name: &str, offset| {
        let mark = (name.to_owned(), Some(b"70000".to_vec()));
        DeadLetter { headers: vec![mark], ..letter(offset, RejectReason::NotJson, 0, "half") }
    };
    let elsewhere =
        DeadLetter { partition: PartitionId::new("elsewhere", 0), ..letter(3, RejectReason::NotJson, 0, "x") };
    let whole = letter(4, RejectReason::NotJson, 1, "whole");
    desk.write(vec![cut("truncated_from_bytes", 1), cut("stub_of_bytes", 2), elsewhere, whole]);
    let said = desk.say(&["replay", "--yes"]);
    assert_eq!(
        said,
        "not_json: 1 letter to be put back to chats\n1 letter to be put back\n\
         2 letters skipped: cut to fit, so not whole\n1 letter skipped: from a topic that is not in kafka.topics\n\
         1 letter put back\n"
    );
    assert_eq!(back(&desk, 1), ["whole"]);
}

#[test]
fn nobody_to_ask_is_an_error_that_names_the_ways_out() {
    let desk = Desk::open();
    desk.write(four());
    let output = desk.run(&["replay"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("--yes") && complaint.contains("--dry-run"), "{complaint}");
    assert_eq!(back(&desk, 0), Vec::<String>::new());
}

#[test]
fn a_transaction_that_is_refused_puts_nothing_back_and_a_later_run_all() {
    let desk = Desk::open();
    desk.write(four());
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    for step in [RDKafkaApiKey::InitProducerId, RDKafkaApiKey::AddPartitionsToTxn] {
        desk.broker.order(move |cluster| cluster.request_errors(step, &[refused]));
        let output = desk.run(&["replay", "--yes"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let complaint = text(&output.stderr);
        assert!(complaint.contains("transaction `latido-replay-letters` at "), "{complaint}");
        assert!(complaint.contains("uthorization") && complaint.contains("the right to"), "{complaint}");
        assert_eq!(back(&desk, 0), Vec::<String>::new());
    }
    desk.say(&["replay", "--yes"]);
    assert_eq!(back(&desk, 4), values(&four()));
}

#[test]
fn more_letters_than_a_transaction_holds_are_all_put_back_once() {
    let desk = Desk::open();
    let letters: Vec<DeadLetter> =
        (0..1_201).map(|offset| letter(offset, RejectReason::NotJson, 0, &format!("message {offset}"))).collect();
    desk.write(letters.clone());
    assert!(desk.say(&["replay", "--yes"]).ends_with("1201 letters put back\n"));
    assert_eq!(back(&desk, 1_201), values(&letters));
    assert_eq!(desk.broker.read(LETTERS, 1_204).len(), 1_204, "a receipt for each of three transactions");
}

#[test]
fn letters_spread_over_partitions_are_put_back_once() {
    let desk = Desk::with_partitions(5);
    let letters: Vec<DeadLetter> =
        (0..60).map(|offset| letter(offset, RejectReason::NotJson, offset, &format!("message {offset}"))).collect();
    desk.write(letters.clone());
    desk.say(&["replay", "--yes", "--until", "2026-02-01T10:00:00Z"]);
    assert!(desk.say(&["replay", "--yes"]).ends_with("36 letters put back\n"));
    let listing: serde_json::Value = serde_json::from_str(&desk.say(&["list", "--json"])).expect("JSON");
    let rows = listing["letters"].as_array().expect("letters");
    let partitions: BTreeSet<i64> = rows.iter().filter_map(|row| row["partition"].as_i64()).collect();
    assert!(partitions.len() > 1, "{partitions:?}");
    let sources: Vec<i64> = rows.iter().filter_map(|row| row["source_offset"].as_i64()).collect();
    assert_eq!(sources, (0..60).collect::<Vec<i64>>(), "the oldest first, whatever the partition");
    assert!(rows.iter().all(|row| row["replayed"] == true));
    let (mut came, mut sent) = (back(&desk, 60), values(&letters));
    came.sort();
    sent.sort();
    assert_eq!(came, sent);
}
