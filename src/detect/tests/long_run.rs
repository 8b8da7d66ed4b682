//! Months of ordinary days.

use super::*;

/// Panes of a month.
const MONTH: usize = 30 * 8_640;

/// Months of constant ratios, a department each, and how many alerts opened in all.
fn alerts_of_calm_months(settings: &DetectConfig, roster: &Roster, months: u64, mean: f64) -> usize {
    let opened = |seed| {
        let (mut feed, mut dice) = (Feed::new(settings, roster), Dice(seed));
        (0..MONTH).for_each(|_| feed.pane(dice.pane(mean, 0.2, 0.1)));
        feed.opened.len()
    };
    (0..months).map(opened).sum()
}

#[test]
fn a_constant_ratio_gives_no_more_false_alarms_than_the_probability_allows() {
    // At 1e-4 a window end and kind false alarms do come, but at most so many window ends have one, and an alert spans several.
    let settings = DetectConfig { enter_p_value: 1e-4, ..settings() };
    let months = 6;
    let alerts = alerts_of_calm_months(&settings, &configured(), months, 0.5);
    let allowed = 2.0 * 1e-4 * (u32::try_from(MONTH).unwrap() * u32::try_from(months).unwrap()) as f64;
    assert!((alerts as f64) < allowed, "{alerts} alerts, {allowed} allowed");
    assert!(alerts > 0, "a test that never alarms tests nothing");
}

#[test]
fn months_of_a_constant_ratio_that_had_to_be_learned_are_quiet_by_default() {
    let settings = DetectConfig::default();
    assert_eq!(alerts_of_calm_months(&settings, &unknown(), 4, 0.1), 0, "a message every 100 s");
    assert_eq!(alerts_of_calm_months(&settings, &unknown(), 2, 5.0), 0, "a message every 2 s");
}

#[test]
fn the_first_days_of_a_busy_department_are_quiet_whatever_its_ratio() {
    for seed in 0..40 {
        let ratio = 0.05 + 0.015 * seed as f64;
        let (mut feed, mut dice) = (Feed::new(&DetectConfig::default(), &unknown()), Dice(seed));
        (0..4_000).for_each(|_| feed.pane(dice.pane(8.0, ratio, ratio / 2.0)));
        assert_eq!(feed.opened, [], "ratio {ratio}");
    }
}
