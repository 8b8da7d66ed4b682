//! When many departments turn unhappy at once.

use super::*;
use crate::detect::{COMPANY, Scope};

const NAMES: [&str; 9] = ["ads", "billing", "care", "delivery", "export", "fraud", "garage", "help", "insurance"];

/// Departments that are fed alike, but for some that are unhappy.
struct Company {
    detector: Detector,
    dice: Dice,
    minute: i64,
    changes: Vec<AlertChange>,
}

impl Company {
    fn new() -> Self {
        let department = |name: &&str| DepartmentConfig { id: (*name).to_owned(), ..configured() };
        let departments = NAMES.iter().map(department).collect();
        let roster = Roster::new(&Config { departments, ..Config::default() });
        let detector = Detector::new(&DetectConfig::default(), &roster);
        Self { detector, dice: Dice(31), minute: 0, changes: Vec::new() }
    }

    fn minutes(&mut self, count: usize, unhappy: usize, ratio: f64) {
        for _ in 0..count {
            self.minute += 1;
            let tallies: Vec<Tally> = (0..NAMES.len())
                .map(|number| self.dice.minute(4.0, if number < unhappy { ratio } else { 0.2 }, 0.1))
                .collect();
            let end = EventTime::from_millis(self.minute * MINUTE);
            let changes =
                self.detector.close(end, |department| tallies.get(department.index()).copied().unwrap_or_default());
            self.changes.extend(changes);
        }
    }

    fn company_wide(&self) -> Vec<&Alert> {
        let opened = self.changes.iter().filter_map(|change| match change {
            AlertChange::Opened(Scope::Company, alert) => Some(alert),
            _ => None,
        });
        opened.collect()
    }
}

#[test]
fn a_shift_of_all_departments_is_one_alert_of_the_company() {
    let mut company = Company::new();
    company.minutes(4 * HOUR, 0, 0.0);
    let onset = company.minute;
    company.minutes(HOUR, NAMES.len(), 0.45);
    let opened = company.company_wide();
    assert_eq!(opened.len(), 1, "{opened:#?}");
    let alert = opened[0];
    assert_eq!((&*alert.department, alert.kind), (COMPANY, AlertKind::CompanyWide));
    assert!(alert.departments.len() >= 3, "{:?}", alert.departments);
    assert!(alert.observed > 0.25 && (0.15..0.25).contains(&alert.expected), "{alert:#?}");
    assert!((alert.since.as_millis() / MINUTE - onset).abs() <= 20, "{alert:#?}");
    let open: Vec<_> = company.detector.open_alerts().filter(|(scope, _)| *scope == Scope::Company).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].1.departments.len(), NAMES.len(), "it names all that it came to be about");
    company.minutes(5 * HOUR, 0, 0.0);
    assert!(company.detector.open_alerts().next().is_none());
    assert_eq!(company.company_wide().len(), 1);
}

#[test]
fn an_incident_of_two_departments_of_nine_is_not_the_companys() {
    let mut company = Company::new();
    company.minutes(4 * HOUR, 0, 0.0);
    company.minutes(3 * HOUR, 2, 0.6);
    assert!(company.changes.iter().any(|change| matches!(change, AlertChange::Opened(Scope::Department(_), _))));
    assert!(company.company_wide().is_empty());
}

#[test]
fn the_company_is_not_alarmed_before_a_department_is() {
    let mut company = Company::new();
    company.minutes(4 * HOUR, 0, 0.0);
    company.minutes(2 * HOUR, NAMES.len(), 0.4);
    let first = company.changes.iter().find(|change| matches!(change, AlertChange::Opened(..)));
    assert!(matches!(first, Some(AlertChange::Opened(Scope::Department(_), _))), "{first:?}");
    assert_eq!(company.company_wide().len(), 1);
}

#[test]
fn many_small_departments_that_turn_together_are_one_alert_and_not_forty() {
    let names: Vec<String> = (0..40).map(|number| format!("department-{number}")).collect();
    let departments = names.iter().map(|name| DepartmentConfig { id: name.clone(), ..configured() }).collect();
    let roster = Roster::new(&Config { departments, ..Config::default() });
    let mut detector = Detector::new(&DetectConfig::default(), &roster);
    let mut dice = Dice(77);
    let (mut of_departments, mut of_company) = (0, None);
    for minute in 0..6 * 60 {
        let ratio = if minute < 4 * 60 { 0.2 } else { 0.4 };
        let tallies: Vec<Tally> = names.iter().map(|_| dice.minute(1.0, ratio, 0.1)).collect();
        let end = EventTime::from_millis((minute + 1) * MINUTE);
        for change in detector.close(end, |department| tallies.get(department.index()).copied().unwrap_or_default()) {
            match change {
                AlertChange::Opened(Scope::Company, alert) => of_company = of_company.or(Some((minute, alert))),
                AlertChange::Opened(Scope::Department(_), _) if of_company.is_none() => of_departments += 1,
                _ => {}
            }
        }
    }
    let (minute, alert) = of_company.unwrap();
    assert!((240..300).contains(&minute), "{minute}");
    assert!(of_departments <= 2, "{of_departments} departments before");
    assert!(alert.departments.len() > 20 && alert.expected < 0.25, "{alert:?}");
}

#[test]
fn quiet_weeks_of_nine_departments_are_no_matter_of_the_company() {
    let mut company = Company::new();
    company.minutes(2 * WEEK, 0, 0.0);
    assert!(company.company_wide().is_empty());
}

#[test]
fn an_alert_of_the_company_is_saved_and_ends_where_nobody_can_judge_it() {
    let mut company = Company::new();
    company.minutes(4 * HOUR, 0, 0.0);
    company.minutes(HOUR, NAMES.len(), 0.5);
    let saved = company.detector.snapshot();
    let mut restored = Company::new();
    restored.detector.restore(saved);
    let opened: Vec<_> = restored.detector.open_alerts().map(|(scope, alert)| (scope, alert.id.clone())).collect();
    let known: Vec<_> = company.detector.open_alerts().map(|(scope, alert)| (scope, alert.id.clone())).collect();
    assert_eq!(opened, known);
    for minute in 0..=30 {
        let end = EventTime::from_millis((company.minute + minute + 1) * MINUTE);
        company.changes.extend(company.detector.skip(end));
    }
    assert!(matches!(company.changes.last(), Some(AlertChange::Closed(Scope::Company, _))));
}
