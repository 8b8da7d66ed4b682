//! What an alert tells of who wrote: the same after a restart, and whatever the batches.

use super::*;
use crate::detect::AlertKind;
use crate::message::Signal;

/// Ten minutes of calm, then an incident in which people wait.
fn hour() -> Vec<Outcome> {
    let calm = (0..600).map(|second| scored(Said { department: 0, second, angry: false }));
    let angry = (600..1_200).map(|second| waiting(second, second % 4 == 0));
    let after = (1_200..2_400).map(|second| scored(Said { department: 0, second, angry: false }));
    calm.chain(angry).chain(after).collect()
}

/// An angry message, of a customer who waits or of one who does not.
fn waiting(second: i64, waits: bool) -> Outcome {
    let Outcome::Scored(placed, audience, mut score) = scored(Said { department: 0, second, angry: true }) else {
        panic!("a customer's message is scored")
    };
    if waits {
        score.signals.insert(Signal::Waiting);
    }
    Outcome::Scored(Placed { customer: Some(CustomerHash(second as u32 % 50)), ..placed }, audience, score)
}

/// Feeds in batches of so many, with offsets that go on; restarts behind each of those batches.
fn fed(size: usize, restarts: &[usize]) -> State {
    let config = config(&["billing"]);
    let mut state = state(&config);
    assign_all(&mut state);
    let mut offset = 0;
    for (number, outcomes) in hour().chunks(size).enumerate() {
        let mut building = BatchBuilder::new(partition(0), 1, 0, 0);
        for _ in outcomes {
            building.push(Offset(offset), None, None, None, std::iter::empty());
            offset += 1;
        }
        let (batch, outcomes) = (building.finish(), outcomes.to_vec());
        let scored = ScoredBatch { batch, outcomes, decoded: at(0), routes: 0 };
        state.apply(&scored, now(1));
        // An empty partition: it is idle.
        state.clock.set_at_end(&partition(1), true, now(0));
        state.advance(now(60));
        if restarts.contains(&number) {
            state = restarted(&state, &config);
        }
    }
    state
}

#[test]
fn an_alert_tells_how_many_customers_are_behind_it_of_what_and_where_to_read_on() {
    let state = fed(60, &[]);
    let alert = state.book.alerts().iter().find(|alert| alert.kind == AlertKind::NegativeSentiment).unwrap();
    assert!(alert.ended.is_some());
    let details = &alert.details;
    assert_eq!(details.customers, Some(50), "of 600 messages");
    assert_eq!(details.signals.iter().map(|found| found.signal).collect::<Vec<_>>(), [Signal::Waiting]);
    assert!(details.signals[0].times_usual.is_some_and(|times| times > 10.0), "{details:?}");
    assert_eq!(details.samples.len(), 3);
    let is_of_who_waits = |id: &String| {
        let offset: i64 = id.strip_prefix("messages/0/").unwrap().parse().unwrap();
        (600..1_200).contains(&offset) && offset % 4 == 0
    };
    assert!(details.samples.iter().all(is_of_who_waits), "{details:?}");
}

#[test]
fn neither_batches_nor_restarts_change_what_an_alert_tells() {
    let unbroken = fed(1, &[]);
    assert!(unbroken.book.alerts().iter().any(|alert| alert.details.customers.is_some()));
    let in_mid_incident = fed(60, &[3, 11, 13, 19]);
    for other in [fed(7, &[]), fed(400, &[]), fed(2_400, &[]), in_mid_incident] {
        assert_eq!(other.book.alerts(), unbroken.book.alerts());
    }
}

#[test]
fn whoever_takes_the_partitions_over_in_mid_incident_tells_the_same() {
    let config = config(&["billing"]);
    let owner = |snapshot: &Snapshot| {
        let mut state = state(&config);
        assign_all(&mut state);
        state.take_up(&[partition(0), partition(1)], snapshot, &mut || {});
        state.clock.set_at_end(&partition(1), true, now(0));
        state
    };
    let run = |taken_over_after: Option<usize>| {
        let mut state = owner(&Snapshot::empty());
        for (number, outcomes) in hour().chunks(50).enumerate() {
            state.apply(&batch(0, outcomes.to_vec()), now(1));
            state.advance(now(60));
            if taken_over_after == Some(number) {
                let mut saved = state.snapshot(&positions(), at(0));
                saved.detector.judged_until = saved.window_end;
                state = owner(&saved);
            }
        }
        state.book.alerts().to_vec()
    };
    let undisturbed = run(None);
    assert!(undisturbed.iter().any(|alert| alert.details.customers == Some(50)), "{undisturbed:#?}");
    assert_eq!(run(Some(17)), undisturbed);
}
