use super::*;
use crate::config::Span;

const SECOND: Duration = Duration::from_secs(1);

fn breaker() -> Breaker {
    Breaker::new(BreakerConfig { ratio: 0.5, records: 1_000, min_records: 200, retry_after: Span::from_secs(60) })
}

fn batch(records: u64, unusable: u64) -> Share {
    Share { records, unusable }
}

fn takes(breaker: &mut Breaker, topic: &str, batch: Share, now: Duration) -> bool {
    breaker.judge(topic, batch, now) == Verdict::Take
}

fn opened() -> Breaker {
    let mut breaker = breaker();
    assert!(!takes(&mut breaker, "in", batch(200, 200), SECOND));
    breaker
}

#[test]
fn a_bad_minute_of_a_good_topic_is_taken() {
    let mut breaker = breaker();
    for _ in 0..9 {
        assert!(takes(&mut breaker, "in", batch(100, 1), SECOND));
    }
    assert!(takes(&mut breaker, "in", batch(500, 490), SECOND));
    assert!(!breaker.is_open());
}

#[test]
fn too_few_records_prove_nothing() {
    let mut breaker = breaker();
    assert!(takes(&mut breaker, "in", batch(199, 199), SECOND));
    assert!(!takes(&mut breaker, "in", batch(1, 1), SECOND));
}

#[test]
fn a_topic_of_garbage_stops_reading_though_another_is_good_and_the_reason_says_which() {
    let mut breaker = breaker();
    let reason = (0..20).find_map(|_| {
        assert!(takes(&mut breaker, "good", batch(500, 0), SECOND));
        match breaker.judge("bad", batch(50, 30), SECOND) {
            Verdict::Stop(reason) => Some(reason),
            _ => None,
        }
    });
    let reason = reason.unwrap_or_default();
    assert!(reason.starts_with("120 of the last 200 records of topic bad cannot be used"), "{reason}");
    assert!(breaker.is_open());
}

#[test]
fn what_was_read_long_ago_does_not_count() {
    let mut breaker = breaker();
    for _ in 0..100 {
        assert!(takes(&mut breaker, "in", batch(100, 0), SECOND));
    }
    let taken = (0..100).take_while(|_| takes(&mut breaker, "in", batch(100, 100), SECOND)).count();
    assert_eq!(taken, 5, "500 of the last 1,000 are allowed, 600 are not");
}

#[test]
fn while_reading_has_stopped_nothing_is_taken_until_a_try_is_due() {
    let mut breaker = opened();
    assert_eq!(breaker.judge("in", batch(10, 0), SECOND * 30), Verdict::Leave);
    assert!(!breaker.is_due(SECOND * 60));
    assert!(breaker.is_due(SECOND * 61));
}

#[test]
fn a_try_that_finds_garbage_takes_none_of_it() {
    let mut breaker = opened();
    breaker.resume(0, SECOND * 70);
    assert_eq!(breaker.judge("in", batch(3, 2), SECOND * 70), Verdict::Wait);
    assert_eq!(breaker.decide("in", batch(3, 2), SECOND * 71), None, "more may come");
    assert!(matches!(breaker.decide("in", batch(3, 2), SECOND * 74), Some(Verdict::Stop(_))));
    assert!(!breaker.is_due(SECOND * 133) && breaker.is_due(SECOND * 134), "the wait begins anew");
}

#[test]
fn a_try_that_finds_enough_good_records_ends_the_matter() {
    let mut breaker = opened();
    breaker.resume(0, SECOND);
    assert_eq!(breaker.decide("in", batch(0, 0), SECOND * 100), None, "nothing came");
    assert_eq!(breaker.decide("in", batch(1_000, 400), SECOND), Some(Verdict::Take));
    // Reading as before: 150 bad ones alone are too few to stop it again.
    assert!(takes(&mut breaker, "in", batch(150, 150), SECOND));
}

#[test]
fn an_operator_lets_so_many_pass_whatever_they_are() {
    let mut breaker = opened();
    breaker.resume(1_000, SECOND);
    assert!(takes(&mut breaker, "in", batch(600, 600), SECOND));
    assert!(takes(&mut breaker, "in", batch(400, 400), SECOND));
    assert!(!takes(&mut breaker, "in", batch(200, 200), SECOND), "the next ones count again");
}

#[test]
fn a_word_without_a_number_is_a_try_at_once() {
    let mut breaker = opened();
    breaker.resume(0, SECOND);
    assert!(breaker.is_probing());
}

#[test]
fn a_ratio_of_one_never_stops_reading() {
    let mut breaker = Breaker::new(BreakerConfig { ratio: 1.0, ..BreakerConfig::default() });
    for _ in 0..100 {
        assert!(takes(&mut breaker, "in", batch(100, 100), SECOND));
    }
}
