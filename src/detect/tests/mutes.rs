//! Whose alerts are muted when, and what maintenance is to the detector.

use std::sync::Arc;

use super::*;
use crate::config::MuteConfig;
use crate::detect::{Mutes, Usual};

/// Departments in three time zones.
fn roster() -> Roster {
    let department =
        |id: &str, zone: &str| DepartmentConfig { time_zone: zone.to_owned(), ..DepartmentConfig::named(id) };
    let departments = vec![
        department("care", "Europe/Madrid"),
        department("billing", "America/Mexico_City"),
        department("shop", "UTC"),
    ];
    Roster::new(&Config { departments, ..Config::default() })
}

fn mute(toml: &str) -> MuteConfig {
    toml::from_str(toml).unwrap()
}

fn mutes(entries: &[&str]) -> Mutes {
    Mutes::new(&entries.iter().map(|toml| mute(toml)).collect::<Vec<_>>(), &roster())
}

fn moment(rfc3339: &str) -> EventTime {
    EventTime::from_millis(rfc3339.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn is_muted(mutes: &Mutes, department: u16, kind: AlertKind, at: &str) -> bool {
    mutes.reason(Scope::Department(DepartmentId(department)), kind, moment(at)).is_some()
}

#[test]
fn a_mute_holds_from_its_first_moment_until_its_last_and_its_ends_may_be_left_out() {
    let between = "departments = ['care']\nfrom = '2026-05-01T10:00:00Z'\nuntil = '2026-05-01T12:00:00+01:00'";
    let since = "departments = ['care']\nfrom = '2026-05-01T10:00:00Z'";
    let up_to = "departments = ['care']\nuntil = '2026-05-01T10:00:00Z'";
    let always = "departments = ['care']";
    for (toml, expected) in [
        (between, [false, true, true, false]),
        (since, [false, true, true, true]),
        (up_to, [true, false, false, false]),
        (always, [true; 4]),
    ] {
        let mutes = mutes(&[toml]);
        let moments =
            ["2026-05-01T09:59:59.999Z", "2026-05-01T10:00:00Z", "2026-05-01T10:59:59Z", "2026-05-01T11:00:00Z"];
        assert_eq!(moments.map(|at| is_muted(&mutes, 0, AlertKind::Silence, at)), expected, "{toml}");
    }
}

#[test]
fn only_the_departments_and_kinds_that_it_names_are_muted_and_the_first_reason_counts() {
    let mutes = mutes(&[
        "departments = ['care', 'shop']\nkinds = ['silence', 'volume_surge']\nreason = 'moving'",
        "departments = ['care']\nkinds = ['silence']\nreason = 'later'",
        "departments = ['nobody']",
    ]);
    let at = moment("2026-05-01T00:00:00Z");
    let care = Scope::Department(DepartmentId(0));
    assert_eq!(mutes.reason(care, AlertKind::Silence, at), Some("moving"));
    assert_eq!(mutes.reason(care, AlertKind::Frustration, at), None);
    assert_eq!(mutes.reason(Scope::Department(DepartmentId(1)), AlertKind::Silence, at), None);
    assert!(mutes.reason(Scope::Department(DepartmentId(2)), AlertKind::VolumeSurge, at).is_some());
    assert_eq!(mutes.reason(Scope::Company, AlertKind::CompanyWide, at), None);
}

#[test]
fn a_star_mutes_every_department_and_the_company_and_a_mute_without_a_reason_is_named_by_its_place() {
    let mutes = mutes(&["departments = ['*']"]);
    let at = moment("2026-05-01T00:00:00Z");
    for scope in [Scope::Department(DepartmentId(0)), Scope::Department(DepartmentId(3)), Scope::Company] {
        assert_eq!(mutes.reason(scope, AlertKind::CompanyWide, at), Some("mutes[0]"), "{scope:?}");
    }
}

/// At each moment (UTC), whether care (Madrid) is muted.
fn table(toml: &str, moments: &[(&str, bool)]) {
    let mutes = mutes(&[toml]);
    for (at, expected) in moments {
        assert_eq!(is_muted(&mutes, 0, AlertKind::Frustration, at), *expected, "{toml} at {at}");
    }
}

#[test]
fn days_and_times_are_those_of_the_departments_clock_unless_a_zone_is_given() {
    let nightly = "departments = ['*']\nstart_time = '02:00'\nend_time = '04:00'";
    // Winter: Madrid is an hour ahead of UTC, Mexico City six behind.
    table(nightly, &[("2026-01-15T00:59:59Z", false), ("2026-01-15T01:00:00Z", true), ("2026-01-15T03:00:00Z", false)]);
    let all = mutes(&[nightly]);
    assert!(is_muted(&all, 1, AlertKind::Silence, "2026-01-15T08:00:00Z"));
    assert!(all.reason(Scope::Company, AlertKind::CompanyWide, moment("2026-01-15T02:00:00Z")).is_some(), "UTC");
    let tokyo = format!("{nightly}\ntime_zone = 'Asia/Tokyo'");
    table(&tokyo, &[("2026-01-15T01:30:00Z", false), ("2026-01-15T17:00:00Z", true), ("2026-01-15T19:00:00Z", false)]);
}

#[test]
fn what_crosses_midnight_belongs_to_the_day_on_which_it_begins() {
    // 16 January 2026 is a Friday.
    table(
        "departments = ['care']\ndays = ['fri']\nstart_time = '22:00'\nend_time = '06:00'\ntime_zone = 'UTC'",
        &[
            ("2026-01-16T05:00:00Z", false),
            ("2026-01-16T21:59:59Z", false),
            ("2026-01-16T22:00:00Z", true),
            ("2026-01-17T05:59:59Z", true),
            ("2026-01-17T06:00:00Z", false),
            ("2026-01-17T22:00:00Z", false),
        ],
    );
}

#[test]
fn days_without_times_are_whole_days_and_a_time_may_be_left_out() {
    table(
        "departments = ['care']\ndays = ['sat', 'sun']\ntime_zone = 'UTC'",
        &[
            ("2026-01-16T23:59:59Z", false),
            ("2026-01-17T00:00:00Z", true),
            ("2026-01-18T23:59:59Z", true),
            ("2026-01-19T00:00:00Z", false),
        ],
    );
    table(
        "departments = ['care']\nstart_time = '22:00'\ntime_zone = 'UTC'",
        &[("2026-01-16T21:59:00Z", false), ("2026-01-16T23:59:59Z", true), ("2026-01-17T00:00:00Z", false)],
    );
    table(
        "departments = ['care']\nend_time = '02:00'\ntime_zone = 'UTC'",
        &[("2026-01-16T23:59:59Z", false), ("2026-01-17T00:00:00Z", true), ("2026-01-17T02:00:00Z", false)],
    );
    table(
        "departments = ['care']\nstart_time = '22:00'\nend_time = '24:00'\ntime_zone = 'UTC'",
        &[("2026-01-16T23:59:59Z", true), ("2026-01-17T00:00:00Z", false)],
    );
    table(
        "departments = ['care']\nstart_time = '22:00'\nend_time = '00:00'\ntime_zone = 'UTC'",
        &[("2026-01-16T23:59:59Z", true), ("2026-01-17T00:00:00Z", false)],
    );
}

#[test]
fn an_hour_that_the_clocks_leave_out_is_not_muted() {
    // On 29 March 2026 Madrid goes from 02:00 to 03:00, which is 01:00 UTC.
    let whole = "departments = ['care']\nstart_time = '02:00'\nend_time = '03:00'";
    table(whole, &[("2026-03-29T00:59:59Z", false), ("2026-03-29T01:00:00Z", false), ("2026-03-29T02:00:00Z", false)]);
    table(whole, &[("2026-03-28T01:00:00Z", true), ("2026-03-30T00:00:00Z", true), ("2026-03-30T01:00:00Z", false)]);
    // What is left of it is.
    let half = "departments = ['care']\nstart_time = '02:30'\nend_time = '03:30'";
    table(half, &[("2026-03-29T00:59:59Z", false), ("2026-03-29T01:00:00Z", true), ("2026-03-29T01:30:00Z", false)]);
}

#[test]
fn an_hour_that_comes_twice_is_muted_twice() {
    // On 25 October 2026 Madrid goes from 03:00 back to 02:00, which is 01:00 UTC.
    let whole = "departments = ['care']\nstart_time = '02:00'\nend_time = '03:00'";
    table(
        whole,
        &[
            ("2026-10-24T23:59:59Z", false),
            ("2026-10-25T00:00:00Z", true),
            ("2026-10-25T00:59:59Z", true),
            ("2026-10-25T01:00:00Z", true),
            ("2026-10-25T01:59:59Z", true),
            ("2026-10-25T02:00:00Z", false),
        ],
    );
    let half = "departments = ['care']\nstart_time = '02:00'\nend_time = '02:30'";
    table(half, &[("2026-10-25T00:15:00Z", true), ("2026-10-25T00:45:00Z", false), ("2026-10-25T01:15:00Z", true)]);
}

/// From the feed's first minute on, so many minutes in and so many long.
fn of_minutes(from: usize, length: usize, maintenance: bool) -> Arc<Mutes> {
    let begun = Feed::new(unknown()).end.as_millis();
    let at = |minutes: usize| {
        let millis = begun + i64::try_from(minutes).unwrap() * MINUTE;
        EventTime::from_millis(millis).to_rfc3339()
    };
    let toml = format!(
        "departments = ['care']\nfrom = '{}'\nuntil = '{}'\nmaintenance = {maintenance}",
        at(from),
        at(from + length)
    );
    let department = Roster::new(&Config { departments: vec![unknown()], ..Config::default() });
    Arc::new(Mutes::new(&[mute(&toml)], &department))
}

#[test]
fn what_comes_in_maintenance_teaches_nothing_and_what_is_only_muted_does() {
    let usual_after = |mutes: Option<bool>, in_it: Tally| {
        let mut feed = Feed::new(unknown());
        if let Some(maintenance) = mutes {
            feed.detector.set_mutes(of_minutes(DAY, 3 * HOUR, maintenance));
        }
        feed.minutes(DAY, tally(4, 1, 0));
        feed.minutes(3 * HOUR, in_it);
        feed.minutes(6 * HOUR, tally(4, 1, 0));
        let outlook = feed.outlook();
        [outlook.usual_negative, outlook.usual_messages].map(|usual: Option<Usual>| usual.unwrap().expected)
    };
    let (few, usual) = (tally(1, 0, 0), tally(4, 1, 0));
    assert_eq!(usual_after(Some(true), few), usual_after(Some(true), usual), "maintenance");
    assert_ne!(usual_after(Some(false), few), usual_after(Some(false), usual), "a plain mute");
    assert_eq!(usual_after(Some(false), few), usual_after(None, few), "a plain mute changes nothing");
}

#[test]
fn the_hours_before_maintenance_teach_as_ever() {
    let usual_after = |before: Tally| {
        let mut feed = Feed::new(unknown());
        feed.detector.set_mutes(of_minutes(DAY, 3 * HOUR, true));
        feed.minutes(DAY - 2 * HOUR, tally(4, 1, 0));
        feed.minutes(2 * HOUR, before);
        feed.minutes(9 * HOUR, tally(4, 1, 0));
        feed.outlook().usual_messages.unwrap().expected
    };
    assert!(usual_after(tally(3, 1, 0)) < usual_after(tally(4, 1, 0)));
}

#[test]
fn customers_who_cannot_write_in_maintenance_are_no_silence_neither_then_nor_after() {
    let silences = |maintenance: Option<bool>| {
        let (mut feed, mut dice) = (Feed::new(configured()), Dice(12));
        if let Some(maintenance) = maintenance {
            feed.detector.set_mutes(of_minutes(3 * DAY, 2 * HOUR, maintenance));
        }
        feed.random(&mut dice, 3 * DAY, (6.0, 0.2, 0.1));
        feed.minutes(2 * HOUR, Tally::default());
        let during = feed.of_volume();
        feed.random(&mut dice, HOUR, (6.0, 0.2, 0.1));
        (during, feed.of_volume().len())
    };
    assert_eq!(silences(Some(true)), (vec![], 0));
    assert_eq!(silences(Some(false)), (vec![AlertKind::Silence], 1), "a plain mute is found, and listed");
    assert_eq!(silences(None), silences(Some(false)));
}

#[test]
fn a_silence_that_goes_on_after_maintenance_is_found() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(12));
    feed.detector.set_mutes(of_minutes(3 * DAY, 2 * HOUR, true));
    feed.random(&mut dice, 3 * DAY, (6.0, 0.2, 0.1));
    feed.minutes(2 * HOUR, Tally::default());
    feed.minutes(HOUR, Tally::default());
    assert_eq!(feed.of_volume(), [AlertKind::Silence]);
}

#[test]
fn unhappy_customers_are_found_in_maintenance_too_and_what_they_wrote_then_is_held_against_nobody_afterwards() {
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(1));
    feed.detector.set_mutes(of_minutes(6 * HOUR, 2 * HOUR, true));
    feed.random(&mut dice, 6 * HOUR, (6.0, 0.2, 0.1));
    feed.random(&mut dice, HOUR, (6.0, 0.6, 0.1));
    assert_eq!(feed.kinds(), [AlertKind::NegativeSentiment]);
    feed.random(&mut dice, 4 * HOUR, (6.0, 0.2, 0.1));
    assert_eq!((feed.opened.len(), feed.closed.len()), (1, 1));

    // Too little of it to open an alert then: as much more afterwards is not added to it.
    let (mut feed, mut dice) = (Feed::new(configured()), Dice(1));
    feed.detector.set_mutes(of_minutes(6 * HOUR, 10, true));
    feed.random(&mut dice, 6 * HOUR, (6.0, 0.2, 0.1));
    feed.minutes(9, tally(6, 2, 0));
    feed.minute(tally(30, 30, 0));
    feed.minutes(20, tally(6, 1, 0));
    assert_eq!(feed.opened, []);
}

#[test]
fn a_planned_outage_of_days_is_no_new_normal() {
    let usual_after = |maintenance: bool, in_it: f64| {
        let (mut feed, mut dice) = (Feed::new(unknown()), Dice(3));
        feed.detector.set_mutes(of_minutes(3 * DAY, 3 * DAY, maintenance));
        feed.random(&mut dice, 3 * DAY, (6.0, 0.2, 0.1));
        feed.random(&mut dice, 3 * DAY, (6.0, in_it, 0.1));
        feed.random(&mut Dice(4), 8 * HOUR, (6.0, 0.25, 0.1));
        feed.outlook().usual_negative.unwrap().expected
    };
    let (calm, angry) = (usual_after(true, 0.2), usual_after(true, 0.6));
    assert!((angry - calm).abs() < 0.01, "{calm} {angry}");
    assert!(usual_after(false, 0.6) > calm + 0.1, "an incident of days that nobody planned is");
}

#[test]
fn a_department_muted_by_its_name_does_not_count_for_the_company_and_a_mute_of_all_leaves_it_counted() {
    const NAMES: [&str; 6] = ["ads", "billing", "care", "delivery", "export", "fraud"];
    let company_wide = |muted: &str| {
        let department = |name: &&str| DepartmentConfig { id: (*name).to_owned(), ..configured() };
        let departments = NAMES.iter().map(department).collect();
        let roster = Roster::new(&Config { departments, ..Config::default() });
        let mut detector = Detector::new(&DetectConfig::default(), &roster);
        detector.set_mutes(Arc::new(Mutes::new(&[mute(muted)], &roster)));
        let (mut dice, mut changes) = (Dice(31), Vec::new());
        for minute in 1..=i64::try_from(5 * HOUR).unwrap() {
            // Three of the six.
            let ratio = |number: usize| if minute > 240 && number < 3 { 0.7 } else { 0.2 };
            let tallies: Vec<Tally> = (0..NAMES.len()).map(|number| dice.minute(4.0, ratio(number), 0.1)).collect();
            let end = EventTime::from_millis(minute * MINUTE);
            let pane = |department: DepartmentId| tallies.get(department.index()).copied().unwrap_or_default();
            changes.extend(detector.close(end, pane));
        }
        let is_companys = |change: &&AlertChange| matches!(change, AlertChange::Opened(Scope::Company, _));
        (changes.iter().filter(is_companys).count(), changes.len() > 2)
    };
    assert_eq!(company_wide("departments = ['fraud']"), (1, true));
    assert_eq!(company_wide("departments = ['care']"), (0, true), "the other two are no company");
    assert_eq!(company_wide("departments = ['care']\nkinds = ['silence']"), (1, true));
    assert_eq!(company_wide("departments = ['*']"), (1, true), "it is found, and muted");
}
