use super::*;
use crate::backtest::{Backtest, Source};
use crate::config::{Config, Roster};
use crate::detect::AlertKind;

const MINUTE: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// Rows that are there already.
struct Listed {
    step: Step,
    rows: std::vec::IntoIter<Row>,
}

impl History for Listed {
    fn step(&self) -> Step {
        self.step
    }

    fn last_start(&self) -> Option<EventTime> {
        self.rows.as_slice().last().map(|row| row.start)
    }

    fn next_row(&mut self, _names: &mut Names) -> Result<Option<Row>, HistoryError> {
        Ok(self.rows.next())
    }
}

/// 20 % negative messages, and 60 % during an incident.
fn row(start: i64, department: u16, messages: u32, is_incident: bool) -> Row {
    let minute = start / MINUTE;
    // An even spread without a generator: multiples of an irrational part.
    let jitter = |salt: i64| ((minute * 7 + salt) as f64 * 0.618_033_988_75).fract();
    let ratio = if is_incident { 0.6 } else { 0.2 };
    let negative = (f64::from(messages) * ratio + jitter(i64::from(department))).floor() as u32;
    let frustrated = (f64::from(messages) * ratio / 2.0 + jitter(50)).floor() as u32;
    let tally = Tally { messages, negative: negative.min(messages), frustrated: frustrated.min(messages), positive: 0 };
    Row { start: EventTime::from_millis(start), department: DepartmentId(department), tally, severe: 0 }
}

fn names(count: u16) -> Names {
    let departments: Vec<_> = (0..count).map(|number| DepartmentConfig::named(&format!("d{number}"))).collect();
    Names::configured(&departments)
}

/// Two weeks of minutes with an incident of 3 h on the 12th day.
fn two_weeks() -> Vec<Row> {
    let incident = 12 * DAY_MINUTES..12 * DAY_MINUTES + 180;
    (0..14 * DAY_MINUTES).map(|minute| row(minute * MINUTE, 0, 6, incident.contains(&minute))).collect()
}

fn run(step: Step, rows: Vec<Row>, departments: u16) -> Replayed {
    let (detect, incidents) = (DetectConfig::default(), Incidents::none());
    let setup = Setup { detect: &detect, departments: &[], mutes: &[], incidents: &incidents };
    replay(&mut Listed { step, rows: rows.into_iter() }, names(departments), setup).unwrap()
}

fn opened(replayed: &Replayed) -> Vec<(AlertKind, EventTime)> {
    replayed.alerts.iter().map(|(_, alert)| (alert.kind, alert.started)).collect()
}

#[test]
fn minutes_give_the_alerts_that_the_live_detector_gives() {
    let replayed = run(Step::MINUTE, two_weeks(), 1);
    let roster = Roster::new(&Config { departments: vec![DepartmentConfig::named("d0")], ..Config::default() });
    let mut live = Detector::new(&DetectConfig::default(), &roster);
    let mut closed = Vec::new();
    for row in two_weeks() {
        // As the daemon: six panes a minute, all messages in the first.
        for pane in 1..=6 {
            let end = EventTime::from_millis(row.start.as_millis() + pane * 10_000);
            let changes =
                live.close(
                    end,
                    |department| {
                        if pane == 1 && department == DepartmentId(0) { row.tally } else { Tally::default() }
                    },
                );
            closed.extend(changes.into_iter().filter_map(|change| match change {
                AlertChange::Closed(_, alert) => Some(alert),
                AlertChange::Opened(..) | AlertChange::Escalated(..) => None,
            }));
        }
    }
    assert!(!closed.is_empty(), "the incident is found");
    closed.sort_by_key(|alert| (alert.started, alert.kind));
    let backtested: Vec<Alert> = replayed.alerts.into_iter().map(|(_, alert)| alert).collect();
    assert_eq!(backtested, closed);
}

#[test]
fn steps_of_ten_seconds_give_the_same_as_minutes() {
    let fine = two_weeks().into_iter().flat_map(|row| {
        (0..6).map(move |part| {
            let tally = if part == 2 { row.tally } else { Tally::default() };
            Row { start: EventTime::from_millis(row.start.as_millis() + part * 10_000), tally, ..row }
        })
    });
    let fine = run(Step::of_millis(10_000).unwrap(), fine.collect(), 1);
    assert_eq!(opened(&fine), opened(&run(Step::MINUTE, two_weeks(), 1)));
}

#[test]
fn a_step_without_a_row_is_one_without_messages() {
    let with_zeros = two_weeks().into_iter().map(|row| {
        let is_hole = row.start.as_millis() / MINUTE % 5 == 3;
        (is_hole, Row { tally: if is_hole { Tally::default() } else { row.tally }, ..row })
    });
    let with_zeros: Vec<_> = with_zeros.collect();
    let rows = |zeros: bool| with_zeros.iter().filter(|(hole, _)| zeros || !hole).map(|(_, row)| *row).collect();
    assert_eq!(opened(&run(Step::MINUTE, rows(true), 1)), opened(&run(Step::MINUTE, rows(false), 1)));
}

#[test]
fn a_day_without_any_row_was_not_recorded() {
    let hole = 5 * DAY_MINUTES..6 * DAY_MINUTES;
    let rows: Vec<Row> =
        two_weeks().into_iter().filter(|row| !hole.contains(&(row.start.as_millis() / MINUTE))).collect();
    let replayed = run(Step::MINUTE, rows, 1);
    let at = |minute: i64| EventTime::from_millis(minute * MINUTE);
    assert_eq!(replayed.gaps, [TimeSpan { from: at(hole.start), until: at(hole.end) }]);
    assert!(
        opened(&replayed).iter().all(|(kind, _)| *kind != AlertKind::Silence),
        "nobody is paged for a broken recorder"
    );
    assert!(!replayed.alerts.is_empty(), "what comes after is tested again");
}

#[test]
fn a_gap_of_years_takes_no_time() {
    let years = 40 * 365 * DAY_MINUTES * MINUTE;
    let mut rows: Vec<Row> = (0..100).map(|minute| row(minute * MINUTE, 0, 6, false)).collect();
    rows.extend((0..100).map(|minute| row(years + minute * MINUTE, 0, 6, false)));
    let replayed = run(Step::MINUTE, rows, 1);
    assert_eq!(replayed.gaps.len(), 1);
    assert_eq!(replayed.departments[0].messages, 1_200);
}

#[test]
fn a_department_that_comes_later_is_watched_from_its_first_row_on() {
    let mut rows = two_weeks();
    rows.extend((0..100).map(|minute| row((14 * DAY_MINUTES + minute) * MINUTE, 1, 6, false)));
    let replayed = run(Step::MINUTE, rows, 2);
    assert_eq!(replayed.departments[1].since, EventTime::from_millis(14 * DAY_MINUTES * MINUTE));
}

#[test]
fn an_empty_history_has_no_outcome() {
    let replayed = run(Step::MINUTE, Vec::new(), 1);
    assert!(replayed.recorded.is_none() && replayed.alerts.is_empty());
    assert_eq!(replayed.learned(), DetectorState::default());
}

#[test]
fn shifts_are_put_in_after_half_of_a_short_history_and_found() {
    let replayed = run(Step::MINUTE, two_weeks(), 1);
    let shifts = &replayed.departments[0].shifts.found;
    assert!((2..=3).contains(&shifts.len()), "each 55 h of the second week, without those in the incident: {shifts:?}");
    let found = shifts.iter().filter(|found| found[5].is_some()).count();
    assert!(found >= 1, "{shifts:?}");
    for found in shifts {
        assert!(
            found.is_sorted_by(|small, large| small.is_none() || large <= small),
            "a larger budget is no slower: {found:?}"
        );
    }
}

#[test]
fn what_was_learned_goes_on_and_nothing_of_the_end_does() {
    // It ends in the middle of an incident.
    let incident = 12 * DAY_MINUTES;
    let rows: Vec<Row> =
        two_weeks().into_iter().take_while(|row| row.start.as_millis() < (incident + 90) * MINUTE).collect();
    let replayed = run(Step::MINUTE, rows, 1);
    assert!(replayed.alerts.iter().any(|(_, alert)| alert.ended.is_none()), "an alert is open at the end");
    let learned = replayed.learned();
    assert_eq!(learned.slice_end, None);

    let roster = Roster::new(&Config { departments: vec![DepartmentConfig::named("d0")], ..Config::default() });
    let mut live = Detector::new(&DetectConfig::default(), &roster);
    assert_eq!(live.restore(learned), Vec::<String>::new());
    assert_eq!(live.open_alerts().count(), 0);
    let start = 400 * DAY_MINUTES;
    for minute in start..start + 60 {
        let row = row(minute * MINUTE, 0, 6, false);
        let end = EventTime::from_millis((minute + 1) * MINUTE);
        let changes = live.close(end, |id| if id == DepartmentId(0) { row.tally } else { Tally::default() });
        assert_eq!(changes, []);
    }
    let outlook = live.outlook(DepartmentId(0));
    assert_eq!(outlook.state, crate::detect::AlertState::Quiet, "it does not learn anew");
    let usual = outlook.usual_negative.unwrap().expected;
    assert!((0.17..0.3).contains(&usual), "{usual}");
}

#[test]
fn what_was_learned_in_coarse_steps_opens_nothing_either() {
    for (step, a_day) in [(300_000, 288), (3_600_000, 24)] {
        let rows = (0..21 * a_day).map(|number| row(number * step, 0, 30, false)).collect();
        let replayed = run(Step::of_millis(step.unsigned_abs()).unwrap(), rows, 1);
        let roster = Roster::new(&Config { departments: vec![DepartmentConfig::named("d0")], ..Config::default() });
        let mut live = Detector::new(&DetectConfig::default(), &roster);
        assert_eq!(live.restore(replayed.learned()), Vec::<String>::new());
        assert_eq!(live.open_alerts().map(|(_, alert)| alert.clone()).collect::<Vec<_>>(), []);
    }
}

/// A run of one department with one mute; `about` says of what and when, in TOML.
fn run_muted(rows: Vec<Row>, about: &str) -> Replayed {
    let (detect, incidents) = (DetectConfig::default(), Incidents::none());
    let mutes: Vec<MuteConfig> = vec![toml::from_str(&format!("departments = ['d0']\n{about}")).unwrap()];
    let departments = [DepartmentConfig::named("d0")];
    let setup = Setup { detect: &detect, departments: &departments, mutes: &mutes, incidents: &incidents };
    replay(&mut Listed { step: Step::MINUTE, rows: rows.into_iter() }, names(1), setup).unwrap()
}

fn span(from: i64, until: i64) -> String {
    let [from, until] = [from, until].map(|minute| EventTime::from_millis(minute * MINUTE).to_rfc3339());
    format!("from = '{from}'\nuntil = '{until}'")
}

const INCIDENT: i64 = 12 * DAY_MINUTES;

#[test]
fn what_a_mute_of_the_config_holds_from_first_to_last_is_no_alert_and_is_counted() {
    let found = run(Step::MINUTE, two_weeks(), 1).alerts;
    assert!(!found.is_empty());
    let muted = run_muted(two_weeks(), &span(INCIDENT, INCIDENT + 2 * DAY_MINUTES));
    assert_eq!(opened(&muted), []);
    assert_eq!(muted.muted, found.len() as u64);
    assert_eq!(muted.departments[0].trade_off.alarms, [0; 6], "nor would it have been one at another budget");
    let other_kind = run_muted(two_weeks(), &format!("kinds = ['silence']\n{}", span(INCIDENT, INCIDENT + 600)));
    assert_eq!((other_kind.alerts, other_kind.muted), (found, 0));
}

#[test]
fn what_is_still_open_when_its_mute_ends_pages_then() {
    let ends = INCIDENT + 90;
    let muted = run_muted(two_weeks(), &span(INCIDENT, ends));
    assert!(!muted.alerts.is_empty());
    for (_, alert) in &muted.alerts {
        assert_eq!(alert.started, EventTime::from_millis(ends * MINUTE), "{alert:?}");
        assert!(alert.since < alert.started && alert.ended > Some(alert.started));
    }
    let begins_later = run_muted(two_weeks(), &span(INCIDENT + 90, INCIDENT + 600));
    assert_eq!(opened(&begins_later), opened(&run(Step::MINUTE, two_weeks(), 1)), "it had paged before");
}

#[test]
fn what_came_in_maintenance_is_not_learned() {
    let outage = 5 * DAY_MINUTES..6 * DAY_MINUTES;
    let week = |is_short: bool| -> Vec<Row> {
        let minutes = (0..7 * DAY_MINUTES).filter(|minute| !is_short || !outage.contains(minute) || minute % 3 == 0);
        minutes.map(|minute| row(minute * MINUTE, 0, 6, false)).collect()
    };
    let about = format!("maintenance = true\n{}", span(outage.start, outage.end));
    let [short, whole] = [true, false].map(|is_short| run_muted(week(is_short), &about).learned());
    assert_eq!(short, whole);
    let [short, whole] = [true, false].map(|is_short| run(Step::MINUTE, week(is_short), 1).learned());
    assert_ne!(short, whole, "without maintenance it is");
}

#[test]
fn time_that_was_muted_is_not_watched_and_makes_no_rate_smaller() {
    let of = |replayed: &Replayed| {
        let mut all = Backtest::of(replayed, Source::default(), 1.0, false);
        all.departments.remove(0)
    };
    let week = span(2 * DAY_MINUTES, 9 * DAY_MINUTES);
    let (muted, partly) = (of(&run_muted(two_weeks(), &week)), format!("kinds = ['silence']\n{week}"));
    assert!(muted.false_alarms > 0, "of the incident, which no mute holds");
    assert!((muted.days - 7.0).abs() < 0.01, "{}", muted.days);
    let rate = muted.false_alarms as f64 * 4.0;
    assert!((muted.false_alarms_per_month.unwrap() / rate - 1.0).abs() < 0.01, "{muted:?}");
    assert!((of(&run_muted(two_weeks(), &partly)).days - 14.0).abs() < 0.01, "others could still page");
}

#[test]
fn a_shift_waits_until_no_mute_holds_while_it_lasts() {
    let half = 7 * DAY_MINUTES;
    let shifts = |about: &str| run_muted(two_weeks(), about).departments[0].shifts.found.len();
    assert_eq!(shifts(&span(half + 60, 14 * DAY_MINUTES)), 0, "an hour after the first is due");
    assert_eq!(shifts(&span(half + 4 * 60, 14 * DAY_MINUTES)), 1, "it is over by then");
}
