//! Months of ordinary days. `cargo xtask simulate` has many more of them.

use super::*;

#[test]
fn quiet_months_have_about_as_many_false_alarms_as_the_budget_says() {
    let settings = DetectConfig { false_alarms_per_month: 4.0, ..DetectConfig::default() };
    let incidents: usize = (0..6)
        .map(|seed| {
            let (mut feed, mut dice) = (Feed::with(&settings, unknown()), Dice(31 + seed));
            feed.random(&mut dice, 2 * WEEK, (1.0, 0.2, 0.1));
            let learned = feed.opened.len();
            feed.random(&mut dice, 4 * WEEK, (1.0, 0.2, 0.1));
            feed.opened.len() - learned
        })
        .sum();
    // 24 are allowed in these six months; with kinds that overlap a few more open.
    assert!((8..=40).contains(&incidents), "{incidents}");
}

#[test]
fn the_first_days_of_a_busy_department_are_quiet_whatever_its_ratio() {
    for seed in 0..12 {
        let ratio = 0.05 + 0.05 * seed as f64;
        let (mut feed, mut dice) = (Feed::new(unknown()), Dice(seed));
        feed.random(&mut dice, DAY, (20.0, ratio, ratio / 2.0));
        assert_eq!(feed.opened, [], "ratio {ratio}");
    }
}
