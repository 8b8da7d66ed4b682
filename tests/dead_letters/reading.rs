//! The reader never waits for ever.

use std::time::{Duration, Instant};

use latido::letters::{LettersError, Reader};

use crate::broker::LIMIT;
use crate::desk::{Desk, LETTERS, four};

const PATIENCE: Duration = Duration::from_secs(2);

#[test]
fn a_broker_that_falls_silent_is_named_with_what_is_not_read() {
    let desk = Desk::open();
    desk.write(four());
    let reader = Reader::new(&desk.kafka(), LETTERS, PATIENCE).expect("a reader");
    let bounds = reader.bounds().expect("the topic's bounds");
    desk.broker.down();
    let begun = Instant::now();
    let stalled = reader.read(&bounds, |_, _| Ok(())).expect_err("nothing can come");
    assert!(begun.elapsed() < LIMIT);
    let complaint = stalled.to_string();
    assert!(matches!(stalled, LettersError::Stalled { .. }), "{complaint}");
    assert!(complaint.contains(&desk.broker.servers) && complaint.contains("0:0 to 3"), "{complaint}");
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let desk = Desk::open();
    desk.broker.down();
    let reader = Reader::new(&desk.kafka(), LETTERS, PATIENCE).expect("a reader");
    let complaint = reader.bounds().expect_err("no broker").to_string();
    assert!(complaint.contains(&desk.broker.servers) && complaint.contains("`kafka.brokers`"), "{complaint}");
}

#[test]
fn reading_ends_where_the_topic_ended_when_it_began() {
    let desk = Desk::open();
    desk.write(four());
    let reader = Reader::new(&desk.kafka(), LETTERS, LIMIT).expect("a reader");
    let bounds = reader.bounds().expect("the topic's bounds");
    desk.write(four());
    let mut read = Vec::new();
    let all = reader.read(&bounds, |place, _| {
        read.push(place.offset);
        Ok(())
    });
    assert_eq!((all, read), (Ok(()), vec![0, 1, 2, 3]));
    assert!(desk.broker.committed("latido", LETTERS, 1).iter().all(Option::is_none), "nothing is committed");
}
