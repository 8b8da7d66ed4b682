//! What `show` shows.

use latido::ingest::DeadLetter;
use latido::message::RejectReason;

use crate::broker::Written;
use crate::desk::{Desk, LETTERS, four, letter, text};

#[test]
fn without_raw_nothing_that_a_customer_wrote_is_shown() {
    let desk = Desk::open();
    desk.write(four());
    let shown = desk.say(&["show", "0:1"]);
    assert_eq!(
        shown,
        "letter: 0:1\nsource_topic: chats\nsource_partition: 0\nsource_offset: 11\nreason: missing_text\n\
         error: wrong at line 11\nreceived_at: 2026-01-31T11:00:00Z\nkey: <11 bytes, UTF-8>\n\
         header origin: <4 bytes, UTF-8>\nvalue: 48 bytes, UTF-8, JSON\n\n\
         {\n  \"body\": <string of 10 characters>\n  \"department\": <string of 11 characters>\n}\n"
    );
    let shown = desk.say(&["show", "0:0"]);
    assert!(shown.contains("value: 24 bytes, UTF-8, not JSON (") && !shown.contains("esperando"), "{shown}");
}

#[test]
fn raw_gives_the_value_byte_for_byte_and_all_else_aside() {
    let desk = Desk::open();
    let value = "{\"text\": \"ñ \\u0000\"}\n\n";
    desk.write(vec![letter(10, RejectReason::Future, 0, value)]);
    let output = desk.run(&["show", "0:0", "--raw"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), value));
    let aside = text(&output.stderr);
    assert!(aside.contains("key: customer-10\nheader origin: form\n"), "{aside}");
}

#[test]
fn bytes_that_are_no_text_are_shown_in_hex() {
    let desk = Desk::open();
    let latin = DeadLetter { value: Some(b"caf\xe9".to_vec()), ..letter(1, RejectReason::NotUtf8, 0, "") };
    let tombstone = DeadLetter { value: None, ..letter(2, RejectReason::Tombstone, 0, "") };
    desk.write(vec![latin, tombstone]);
    assert!(desk.say(&["show", "0:0"]).ends_with("value: 4 bytes, not UTF-8 from byte 3 on\n"));
    let raw = desk.say(&["show", "0:0", "--raw"]);
    assert!(raw.starts_with("00000000  63 61 66 e9 ") && raw.ends_with("  caf.\n"), "{raw}");
    assert!(desk.say(&["show", "0:1"]).ends_with("value: none\n"));
    assert_eq!(desk.say(&["show", "0:1", "--raw"]), "");
}

#[test]
fn a_letter_that_is_not_there_is_answered_with_what_is() {
    let desk = Desk::open();
    desk.write(four());
    desk.broker.write(LETTERS, &[Written { value: Some(b"hello".to_vec()), ..Written::default() }]);
    for (place, why) in [
        ("0:5", "the partition holds offsets 0 to 4"),
        ("3:0", "it has 1 partitions, counted from 0"),
        ("0:4", "lacks the headers of a dead letter"),
    ] {
        let output = desk.run(&["show", place]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
        let complaint = text(&output.stderr);
        assert!(
            complaint.contains(&format!("at {place} of topic `letters`")) && complaint.contains(why),
            "{complaint}"
        );
    }
    let output = desk.run(&["show", "12"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("PARTITION:OFFSET"));
}
