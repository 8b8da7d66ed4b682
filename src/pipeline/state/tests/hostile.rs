//! State that no daemon has written, under a checksum that fits: it is refused, or it can be gone on with.

use super::*;
use crate::checkpoint::altered::{self, Choices};
use crate::config::AlertsConfig;

fn told() -> Config {
    let alerts = AlertsConfig { topic: Some("alerts".to_owned()), source: None };
    Config { alerts, ..config(&["billing", "delivery"]) }
}

/// Two models, threats, incidents one of which goes on, and enough hours that all of the baselines is in use.
fn lived(is_cut: bool) -> Snapshot {
    let config = told();
    let mut state = state(&config);
    assign_all(&mut state);
    if is_cut {
        state.take_up(&partitions(), &Snapshot::empty(), &mut || {});
    }
    let hours = 30;
    for minute in (0..hours * 60).step_by(10) {
        let is_incident = [600, 610, 620, 630].contains(&minute) || minute >= hours * 60 - 40;
        let outcome = |step: i64| {
            let said = Said {
                department: (step % 2) as u16,
                second: minute * 60 + step * 20,
                angry: is_incident || step % 9 == 0,
            };
            let Outcome::Scored(placed, audience, mut score) = scored_or_severe(said) else { panic!("it is scored") };
            score.model = ModelId(1 + u32::try_from(step % 3 / 2).unwrap());
            Outcome::Scored(placed, audience, score)
        };
        for number in 0..PARTITIONS {
            state.apply(
                &batch(number, (0..30).filter(|step| step % 2 == i64::from(number)).map(outcome).collect()),
                now(1),
            );
        }
        state.advance(now(1));
        state.follow_backlog(false, None, now(1));
    }
    let snapshot = state.snapshot(&positions(), at(0));
    assert!(snapshot.alerts.iter().any(|alert| alert.ended.is_none()) && snapshot.outbox.waiting().len() > 0);
    snapshot
}

fn partitions() -> [PartitionId; 2] {
    [partition(0), partition(1)]
}

/// Goes on for half an hour, shows what there is, saves it, and takes it up again; false where that is refused, as what lay at the edge of
/// what can be is beyond it half an hour later.
fn go_on(snapshot: &Snapshot, is_cut: bool) -> bool {
    let config = told();
    let mut state = state(&config);
    let mut again = self::state(&config);
    for state in [&mut state, &mut again] {
        assign_all(state);
    }
    if is_cut {
        state.take_up(&partitions(), snapshot, &mut || {})
    } else {
        state.restore(snapshot)
    };
    // No message dates itself beyond these years.
    let of_a_message = |time: EventTime| time.as_millis().clamp(-377_000_000_000_000, 253_000_000_000_000);
    let newest = snapshot.stream_time.map_or(0, |time| (of_a_message(time) - BEGUN) / 1_000);
    // Where stream time stood in fact, and where it is said to stand.
    for begun in [30 * 3_600, newest] {
        for minute in 0..15 {
            let said =
                |step: i64| Said { department: (step % 2) as u16, second: begun + minute * 60 + step, angry: step < 3 };
            for number in 0..PARTITIONS {
                state.apply(&batch(number, (0..9).map(said).map(scored_or_severe).collect()), now(1));
            }
            state.advance(now(1));
        }
        state.follow_backlog(false, None, now(1));
        state.dirty.fill(true);
        state.changed_views();
    }
    let saved = state.snapshot(&positions(), at(0));
    if is_cut {
        again.take_up(&partitions(), &saved, &mut || {});
    } else {
        let Ok(saved) = decode(&encode(&saved).unwrap()) else { return false };
        again.restore(&saved);
    }
    again.advance(now(1));
    true
}

fn choices() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn an_altered_file_with_a_right_checksum_is_refused_or_can_be_gone_on_with(all in prop::collection::vec(choices(), 4)) {
        let sound = LIVED.with(|lived| lived[0].clone());
        for choices in all {
            if let Ok(snapshot) = decode(&altered::file(&sound, &mut Choices(&choices))) {
                go_on(&snapshot, false);
            }
        }
    }

    #[test]
    fn altered_state_in_a_topic_is_refused_or_can_be_gone_on_with(all in prop::collection::vec(choices(), 4)) {
        let sound = LIVED.with(|lived| lived[1].clone());
        for choices in all {
            if let Ok(snapshot) = altered::taken_up(&sound, &partitions(), &mut Choices(&choices)) {
                go_on(&snapshot, true);
            }
        }
    }
}

thread_local! {
    static LIVED: [Snapshot; 2] = [lived(false), lived(true)];
}

#[test]
fn what_is_altered_by_those_tests_is_sound_and_can_be_gone_on_with() {
    let [in_a_file, in_a_topic] = LIVED.with(Clone::clone);
    assert!(go_on(&decode(&encode(&in_a_file).unwrap()).unwrap(), false), "what it wrote it reads");
    assert!(go_on(&in_a_topic, true));
}

#[test]
fn some_of_those_alterations_are_refused_and_some_are_gone_on_with() {
    let sound = LIVED.with(|lived| lived[0].clone());
    let mut number = 1_u32;
    let mut choices = || {
        // The first one chooses what was detected.
        let rest = std::iter::repeat_with(|| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            number >> 8
        });
        std::iter::once(0).chain(rest.take(23)).collect::<Vec<u32>>()
    };
    let taken = (0..60).filter(|_| decode(&altered::file(&sound, &mut Choices(&choices()))).is_ok()).count();
    assert!((10..60).contains(&taken), "{taken} of 60");
}
