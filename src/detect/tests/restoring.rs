//! What is saved and restored goes on as if it had never stopped.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_detector_that_is_restored_at_any_minute_opens_and_closes_the_same_alerts(seed: u64, at in 1_usize..4 * HOUR) {
        let ratios = |minute: usize| if (HOUR..2 * HOUR).contains(&minute) { (3.0, 0.6, 0.4) } else { (3.0, 0.2, 0.1) };
        let minutes: Vec<Tally> = {
            let mut dice = Dice(seed);
            (0..4 * HOUR).map(|minute| { let (mean, negative, frustrated) = ratios(minute); dice.minute(mean, negative, frustrated) }).collect()
        };
        let mut unbroken = Feed::new(configured());
        let mut broken = Feed::new(configured());
        for (minute, tally) in minutes.into_iter().enumerate() {
            unbroken.minute(tally);
            if minute == at {
                let saved = broken.detector.snapshot();
                broken.detector = Feed::new(configured()).detector;
                prop_assert!(broken.detector.restore(saved).is_empty());
            }
            broken.minute(tally);
        }
        prop_assert_eq!(unbroken.outlook(), broken.outlook());
        prop_assert_eq!(unbroken.opened, broken.opened);
        prop_assert_eq!(unbroken.closed, broken.closed);
        prop_assert_eq!(unbroken.detector.snapshot(), broken.detector.snapshot());
    }
}

#[test]
fn a_minute_that_is_half_gathered_is_saved_as_well() {
    let pane = |feed: &mut Feed, seconds: i64, tally: Tally| {
        let end = EventTime::from_millis(feed.end.as_millis() + seconds * 1_000);
        let changes = feed.detector.close(end, |department| if department == CARE { tally } else { Tally::default() });
        feed.take(changes);
    };
    let mut feed = Feed::new(configured());
    feed.minutes(HOUR, tally(5, 1, 0));
    pane(&mut feed, 20, tally(30, 30, 0));
    let saved = feed.detector.snapshot();
    feed.detector = Feed::new(configured()).detector;
    feed.detector.restore(saved);
    pane(&mut feed, 60, tally(1, 0, 0));
    assert_eq!(feed.outlook().state, AlertState::Pending);
}

#[test]
fn a_department_that_is_gone_from_the_config_is_told() {
    let mut feed = Feed::new(configured());
    feed.minutes(5, tally(5, 1, 0));
    let saved = feed.detector.snapshot();
    let mut other = Feed::new(DepartmentConfig::named("sales"));
    assert_eq!(other.detector.restore(saved), ["care"]);
}
