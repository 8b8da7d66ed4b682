//! Another model says something else of the same messages: that is nobody's mood.

use super::*;
use crate::message::ModelId;

const FIRST: ModelId = ModelId(1);
const SECOND: ModelId = ModelId(2);

/// What each model calls negative and frustrated of the same messages.
type Ratios = (f64, f64);

const GENTLE: Ratios = (0.2, 0.08);
const STRICT: Ratios = (0.38, 0.2);

/// Minutes by the dice, of which the second model scores a part.
fn feed_minutes(feed: &mut Feed, dice: &mut Dice, minutes: usize, mean: f64, scored: [(ModelId, Ratios, f64); 2]) {
    for _ in 0..minutes {
        let parts =
            scored.map(|(model, (negative, frustrated), part)| (model, dice.minute(mean * part, negative, frustrated)));
        feed.end = EventTime::from_millis(feed.end.as_millis() + MINUTE);
        let none = || parts.map(|(model, _)| (model, Tally::default()));
        let changes =
            feed.detector.close_by_model(feed.end, |department| if department == CARE { parts } else { none() });
        feed.take(changes);
    }
}

fn only(model: ModelId, ratios: Ratios) -> [(ModelId, Ratios, f64); 2] {
    [(model, ratios, 1.0), (model, ratios, 0.0)]
}

/// A department with that many messages a minute that has known the first model for eight days.
fn learned(mean: f64) -> (Feed, Dice) {
    // With so small a budget chance alone opens nothing here.
    let settings = DetectConfig { false_alarms_per_month: 0.1, ..DetectConfig::default() };
    let (mut feed, mut dice) = (Feed::with(&settings, unknown()), Dice(7_919));
    feed_minutes(&mut feed, &mut dice, WEEK + DAY, mean, only(FIRST, GENTLE));
    assert_eq!(feed.kinds(), [], "{mean} a minute: calm to begin with");
    (feed, dice)
}

/// Messages a minute.
const SMALL: f64 = 0.5;
const MEDIUM: f64 = 6.0;
const LARGE: f64 = 40.0;

#[test]
fn a_switch_of_model_in_mid_stream_opens_nothing() {
    for mean in [SMALL, MEDIUM, LARGE] {
        let (mut feed, mut dice) = learned(mean);
        feed_minutes(&mut feed, &mut dice, 3 * DAY, mean, only(SECOND, STRICT));
        assert_eq!(feed.kinds(), [], "{mean} a minute");
        feed_minutes(&mut feed, &mut dice, DAY, mean, only(FIRST, GENTLE));
        assert_eq!(feed.kinds(), [], "{mean} a minute, and back again");
    }
}

#[test]
fn a_model_that_finds_many_times_as_many_opens_nothing_either() {
    for (first, second) in [(0.003, 0.08), (0.01, 0.15), (0.02, 0.2), (0.2, 0.5), (0.5, 0.1)] {
        for (mean, seed) in [(1.0, 1), (6.0, 2), (30.0, 3)] {
            // At the default budget chance alone would open one in these 30 days.
            let settings = DetectConfig { false_alarms_per_month: 0.25, ..DetectConfig::default() };
            let (mut feed, mut dice) = (Feed::with(&settings, unknown()), Dice(seed));
            feed_minutes(&mut feed, &mut dice, 5 * DAY, mean, only(FIRST, (first, first / 2.0)));
            let by_chance = feed.opened.len();
            feed_minutes(&mut feed, &mut dice, 2 * DAY, mean, only(SECOND, (second, second / 2.0)));
            assert_eq!(feed.opened.len(), by_chance, "{first} to {second}, {mean} a minute: {:?}", feed.opened.last());
        }
    }
}

#[test]
fn a_ratio_that_is_configured_is_meant_whatever_model_scores() {
    let mut feed = Feed::new(DepartmentConfig { expected_negative_ratio: Some(0.38), ..unknown() });
    let mut dice = Dice(5);
    feed_minutes(&mut feed, &mut dice, 3 * DAY, MEDIUM, only(FIRST, STRICT));
    feed_minutes(&mut feed, &mut dice, 3 * DAY, MEDIUM, only(SECOND, STRICT));
    assert!((feed.outlook().usual_negative.unwrap().expected - 0.38).abs() < 1e-9);
    feed_minutes(&mut feed, &mut dice, 3 * HOUR, MEDIUM, only(SECOND, (0.6, 0.2)));
    assert!(feed.kinds().contains(&AlertKind::NegativeSentiment), "{:?}", feed.kinds());
}

#[test]
fn a_change_of_the_mix_of_models_opens_nothing() {
    for mean in [SMALL, MEDIUM, LARGE] {
        let (mut feed, mut dice) = learned(mean);
        for part in [0.2, 0.7, 0.05, 1.0, 0.5] {
            let mix = [(FIRST, GENTLE, 1.0 - part), (SECOND, STRICT, part)];
            feed_minutes(&mut feed, &mut dice, 12 * HOUR, mean, mix);
        }
        assert_eq!(feed.kinds(), [], "{mean} a minute");
    }
}

#[test]
fn customers_who_turn_unhappy_after_a_switch_are_noticed_by_the_new_models_measure() {
    for mean in [MEDIUM, LARGE] {
        let (mut feed, mut dice) = learned(mean);
        feed_minutes(&mut feed, &mut dice, 2 * DAY, mean, only(SECOND, STRICT));
        let began = feed.end;
        feed_minutes(&mut feed, &mut dice, 3 * HOUR, mean, only(SECOND, (0.6, 0.4)));
        let first = feed.opened.first().unwrap();
        assert!(first.started > began, "{mean} a minute");
        assert!((0.3..0.46).contains(&first.expected) || first.kind != AlertKind::NegativeSentiment, "{first:?}");
    }
}

#[test]
fn what_is_shown_as_usual_is_in_the_measure_of_the_model_that_scores_now() {
    let (mut feed, mut dice) = learned(MEDIUM);
    let usual = |feed: &Feed| feed.outlook().usual_negative.unwrap().expected;
    assert!((0.17..0.23).contains(&usual(&feed)), "{}", usual(&feed));
    feed_minutes(&mut feed, &mut dice, 12 * HOUR, MEDIUM, only(SECOND, STRICT));
    assert!((0.34..0.42).contains(&usual(&feed)), "{}", usual(&feed));
}

#[test]
fn what_models_are_like_is_remembered_over_a_restart() {
    let (mut feed, mut dice) = learned(MEDIUM);
    feed_minutes(&mut feed, &mut dice, DAY, MEDIUM, only(SECOND, STRICT));
    let mut restarted = Feed::new(unknown());
    assert!(restarted.detector.restore(feed.detector.snapshot()).is_empty());
    assert_eq!(restarted.detector.snapshot(), feed.detector.snapshot());
    assert_eq!(restarted.outlook().usual_negative, feed.outlook().usual_negative);
}
