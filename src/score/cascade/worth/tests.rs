//! What a second look is worth, held to what it must not do whatever the score.

use proptest::prelude::*;

use super::*;
use crate::message::{ModelId, Probability, ScorerKind, SentimentScore, ShareCells, SignalSet};

const CALM: Stakes = Stakes { messages: 100, suspicion: 0.0 };

/// A score in English of a text that the model knows.
fn score([negative, neutral, positive]: [f32; 3], frustration: f32) -> Score {
    Score {
        sentiment: SentimentScore {
            negative: Probability::new(negative),
            neutral: Probability::new(neutral),
            positive: Probability::new(positive),
        },
        frustration: Probability::new(frustration),
        language: Language::English,
        scorer: ScorerKind::Embedded,
        signals: SignalSet::default(),
        share_cells: ShareCells { sentiment: Some(1), frustration: Some(1) },
        model: ModelId(1),
    }
}

fn scores() -> impl Strategy<Value = Score> {
    let knows = (any::<bool>(), any::<bool>(), any::<bool>());
    ([0.0_f32..1.0, 0.0_f32..1.0, 0.0_f32..1.0], 0.0_f32..=1.0, knows).prop_map(|(parts, frustration, knows)| {
        let total = parts.iter().sum::<f32>().max(1e-6);
        let (knows_language, knows_sentiment, knows_frustration) = knows;
        let cell = |known: bool| known.then_some(3);
        Score {
            language: if knows_language { Language::Spanish } else { Language::Other },
            share_cells: ShareCells { sentiment: cell(knows_sentiment), frustration: cell(knows_frustration) },
            ..score(parts.map(|part| part / total), frustration)
        }
    })
}

fn stakes() -> impl Strategy<Value = Stakes> {
    (any::<u32>(), any::<f32>()).prop_map(|(messages, suspicion)| Stakes { messages, suspicion })
}

#[test]
fn a_sure_score_leaves_little_doubt() {
    assert!(doubt(&score([0.01, 0.98, 0.01], 0.02)) < 0.05);
}

#[test]
fn a_tie_of_sentiments_leaves_much_doubt() {
    assert!(doubt(&score([0.49, 0.49, 0.02], 0.02)) > 0.4);
}

#[test]
fn a_tie_of_negative_and_positive_is_as_doubtful_as_any_other() {
    let doubts = [[0.45, 0.1, 0.45], [0.45, 0.45, 0.1], [0.1, 0.45, 0.45]].map(|parts| doubt(&score(parts, 0.02)));
    assert_eq!(doubts, [doubts[0]; 3]);
}

#[test]
fn frustration_on_the_edge_leaves_doubt_whatever_the_sentiment() {
    assert!(doubt(&score([0.01, 0.98, 0.01], FRUSTRATED_FROM)) > 0.3);
}

#[test]
fn what_the_model_was_not_taught_adds_doubt() {
    let known = score([0.2, 0.7, 0.1], 0.2);
    let other = Score { language: Language::Other, ..known };
    let unknown = Score { share_cells: ShareCells::default(), ..known };
    assert!(doubt(&other) > doubt(&known));
    assert!(doubt(&unknown) > doubt(&known));
}

#[test]
fn a_score_with_nothing_in_it_has_a_worth() {
    let worth = worth(&score([0.0; 3], 0.0), CALM);
    assert!(worth < Worth::NEVER, "{worth}");
}

#[test]
fn a_message_of_few_counts_more_and_none_more_than_four_times() {
    let weight = |messages, suspicion| Stakes { messages, suspicion }.weight();
    assert_eq!(weight(0, 0.0), 2.0);
    assert_eq!(weight(90, 0.0), 1.0);
    assert_eq!(weight(1_000_000, 0.0), 0.5);
    assert_eq!(weight(0, 1.0), 4.0);
    assert_eq!(weight(90, f32::NAN), 1.0);
}

#[test]
fn never_is_above_the_worth_of_every_text() {
    assert!(Worth::new(1.0) < Worth::NEVER);
    assert!(Worth::new(f32::INFINITY) < Worth::NEVER);
    assert_eq!(Worth::at_step(Worth::STEPS), Worth::NEVER);
    assert_eq!(Worth::new(1.0).step(), Worth::STEPS - 1);
}

#[test]
fn less_than_nothing_and_no_number_are_worth_nothing() {
    for value in [-0.0, -1.0, f32::NAN, f32::NEG_INFINITY] {
        assert_eq!(Worth::new(value).cmp(&Worth::NOTHING), Ordering::Equal, "{value}");
    }
}

#[test]
fn each_step_lies_in_itself() {
    for step in 0..=Worth::STEPS {
        assert_eq!(Worth::at_step(step).step(), step);
        assert_eq!(Worth::from_bits(Worth::at_step(step).to_bits()), Worth::at_step(step));
    }
}

#[test]
fn what_is_just_below_a_step_does_not_reach_it() {
    for step in 1..=Worth::STEPS {
        let below = Worth::new(Worth::at_step(step).get().next_down());
        assert_eq!(below.step(), step - 1);
    }
}

proptest! {
    #[test]
    fn a_worth_reaches_exactly_the_thresholds_up_to_its_step(value in -0.1_f32..1.1, step in 0..=Worth::STEPS) {
        let worth = Worth::new(value);
        prop_assert_eq!(worth >= Worth::at_step(step), worth.step() >= step);
    }

    #[test]
    fn any_bits_make_a_worth_in_range(bits in any::<u32>()) {
        let worth = Worth::from_bits(bits);
        prop_assert!((0.0..=1.0).contains(&worth.get()) && worth.step() <= Worth::STEPS);
    }

    #[test]
    fn doubt_is_a_probability_and_a_worth_below_never(score in scores(), stakes in stakes()) {
        prop_assert!((0.0..=1.0).contains(&doubt(&score)));
        prop_assert!(worth(&score, stakes) < Worth::NEVER);
        prop_assert!((0.5..=4.0).contains(&stakes.weight()));
    }

    #[test]
    fn more_messages_never_raise_the_worth(score in scores(), stakes in stakes(), more in any::<u32>()) {
        let larger = Stakes { messages: stakes.messages.saturating_add(more), ..stakes };
        prop_assert!(worth(&score, larger) <= worth(&score, stakes));
    }

    #[test]
    fn more_suspicion_never_lowers_the_worth(score in scores(), messages in any::<u32>(), one in -1.0_f32..2.0, other in -1.0_f32..2.0) {
        let at = |suspicion| worth(&score, Stakes { messages, suspicion });
        prop_assert!(at(one.min(other)) <= at(one.max(other)));
    }

    #[test]
    fn a_frustration_nearer_to_the_edge_never_lowers_the_doubt(score in scores(), one in 0.0_f32..=1.0, other in 0.0_f32..=1.0) {
        let at = |frustration: f32| doubt(&Score { frustration: Probability::new(frustration), ..score });
        let distance = |frustration: f32| (frustration - FRUSTRATED_FROM).abs();
        let (near, far) = if distance(one) <= distance(other) { (one, other) } else { (other, one) };
        prop_assert!(at(near) >= at(far) - 1e-6);
    }

    #[test]
    fn taking_from_the_likeliest_sentiment_for_the_next_never_lowers_the_doubt(part in 0.5_f32..1.0, moved in 0.0_f32..1.0) {
        let rest = 1.0 - part;
        let moved = moved * (part - rest) / 2.0;
        let sure = score([part, rest, 0.0], 0.1);
        let closer = score([part - moved, rest + moved, 0.0], 0.1);
        prop_assert!(doubt(&closer) >= doubt(&sure) - 1e-6);
    }
}
