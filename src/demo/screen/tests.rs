#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};

use super::*;
use crate::demo::departments::DEPARTMENTS;
use crate::demo::incident::Incident;
use crate::demo::journal::Phase;
use crate::demo::progress::{Counts, DepartmentGlance};
use crate::detect::{Alert, AlertKind, AlertState, Handling, Severity};
use crate::message::EventTime;
use crate::window::Tally;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn config() -> Config {
    let departments = DEPARTMENTS.iter().map(crate::demo::departments::Department::config).collect();
    Config { departments, ..Config::default() }
}

fn alert(ended: Option<EventTime>) -> Alert {
    Alert {
        id: "shipping-negative_sentiment-1".to_owned(),
        department: "shipping".to_owned(),
        kind: AlertKind::NegativeSentiment,
        severity: Severity::Page,
        started: EventTime::from_millis(1_750_000_000_000),
        since: EventTime::from_millis(1_750_000_000_000),
        ended,
        window_seconds: 900,
        messages: 160,
        observed: 0.7,
        expected: 0.24,
        p_value: 1e-12,
        recurrence: 1e-8,
        replayed: false,
        escalations: 0,
        escalated: None,
        departments: Vec::new(),
        handling: Handling::default(),
        details: Default::default(),
    }
}

fn glance(alerts: Vec<Alert>) -> Glance {
    let shipping = DepartmentGlance {
        window: Tally { messages: 300, negative: 75, positive: 60, frustrated: 60 },
        expected_negative: Some(0.22),
        state: AlertState::Quiet,
    };
    let mut departments = vec![DepartmentGlance::default(); DEPARTMENTS.len() + 1];
    departments[2] = shipping;
    let counts = Counts { scored: 900, context: 90, rejected: 6, late: 2 };
    Glance { counts, alerts: Arc::new(alerts), departments, ..Glance::default() }
}

fn entry() -> Entry {
    Entry { phase: Phase::History, sent: 1_000, ..Entry::default() }
}

#[test]
fn each_beginning_and_end_of_a_page_is_told_once() {
    let paper = Paper::default();
    let mut screen = Screen::plain(Box::new(paper.clone()), &config());
    let ended = EventTime::from_millis(1_750_000_060_000);
    for glance in [glance(vec![alert(None)]), glance(vec![alert(None)]), glance(vec![alert(Some(ended))])] {
        screen.show(&entry(), &glance);
    }
    let text = paper.text();
    assert_eq!(text.matches("> page opened: shipping (negative_sentiment) at").count(), 1, "{text}");
    assert_eq!(text.matches("> page closed: shipping (negative_sentiment) at").count(), 1, "{text}");
    assert!(text.contains("70 % of 160 messages in 900s, expected 24 %"), "{text}");
}

fn ticket(department: &str, ended: Option<EventTime>) -> Alert {
    let (kind, severity) = (AlertKind::Severe, Severity::Ticket);
    Alert { id: format!("{department}-severe-1"), department: department.to_owned(), kind, severity, ..alert(ended) }
}

#[test]
fn a_plain_line_has_what_is_open_all_counts_and_the_lag() {
    let paper = Paper::default();
    Screen::plain(Box::new(paper.clone()), &config()).show(&entry(), &glance(vec![]));
    let line =
        "history: no page open; 0 tickets open; 1000 produced, 900 scored, 90 context, 6 rejected, 2 late, lag 2\n";
    assert!(paper.text().ends_with(line), "{}", paper.text());
}

#[test]
fn tickets_are_counted_and_a_department_is_named_once_with_all_its_kinds() {
    let paper = Paper::default();
    let mut screen = Screen::plain(Box::new(paper.clone()), &config());
    let frustration = Alert { id: "shipping-frustration-1".to_owned(), kind: AlertKind::Frustration, ..alert(None) };
    let over = Some(EventTime::from_millis(1_750_000_060_000));
    let tickets = [ticket("sales", None), ticket("shipping", None), ticket("billing", over)];
    let alerts = [vec![alert(None), frustration], tickets.to_vec()].concat();
    screen.show(&entry(), &glance(alerts.clone()));
    let text = paper.text();
    let status = "history: PAGE OPEN: shipping (negative_sentiment, frustration); 2 tickets open; 1000 produced";
    assert!(text.contains(status), "{text}");
    assert!(!text.contains("severe") && !text.contains("sales"), "{text}");
    let lines = screen_lines(&screen.departments, 15.0, 30, &entry(), &glance(alerts));
    let shipping = "shipping      20.0     25 %     22 %  quiet: negative_sentiment, frustration, 1 ticket";
    assert!(lines.iter().any(|line| line == shipping), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("severe")), "a page is not pushed off the screen: {lines:#?}");
}

#[test]
fn each_turn_of_the_story_is_told_once_as_it_comes() {
    let paper = Paper::default();
    let mut screen = Screen::plain(Box::new(paper.clone()), &config());
    screen.rate = 30;
    let since = EventTime::from_millis(1_750_000_000_000);
    let incident = Incident::after(since, 2);
    let live = Entry { phase: Phase::Live, incident: Some(incident), reached: Some(since), ..entry() };
    let hit = Entry { reached: Some(incident.started), ..live };
    let over = Entry { reached: Some(incident.ended), ..live };
    let present = Entry { at_present: true, ..over };
    let mut told = Vec::new();
    for entry in [entry(), live, live, hit, hit, over, present, present] {
        let before = paper.text().lines().count();
        screen.show(&entry, &glance(vec![]));
        told.push(
            paper.text().lines().skip(before).filter(|line| line.starts_with("- ")).collect::<Vec<_>>().join("|"),
        );
    }
    let begins = ["- history", "- live: each minute shows an hour", "", "- second 45: the customers of shipping", ""];
    let ends = ["- second 75: the trouble of shipping is over", "- the present: ", ""];
    for (line, begin) in told.iter().zip([&begins[..], &ends[..]].concat()) {
        assert!(line.starts_with(begin) && line.is_empty() == begin.is_empty(), "{begin}: {told:#?}");
    }
    assert!(told[6].contains("as on your clock now, about 30 messages a minute; Ctrl-C ends it"), "{told:#?}");
}

#[test]
fn what_counts_messages_is_not_told_in_percent() {
    let surge = Alert { kind: AlertKind::VolumeSurge, observed: 160.0, expected: 41.7, ..alert(None) };
    let told = words::opened(&surge);
    assert!(told.ends_with("160 messages in 900s, expected 42"), "{told}");
}

#[test]
fn the_screen_shows_each_department_and_keeps_its_height() {
    let names: Vec<String> = Screen::plain(Box::new(io::sink()), &config()).departments;
    let calm = screen_lines(&names, 15.0, 30, &entry(), &glance(vec![]));
    let busy = screen_lines(&names, 15.0, 30, &entry(), &glance(vec![alert(None); 5]));
    assert_eq!(calm.len(), busy.len());
    assert!(calm.iter().any(|line| line == "shipping      20.0     25 %     22 %  quiet"), "{calm:#?}");
    assert!(calm.iter().any(|line| line.starts_with("billing") && line.contains("0.0        -")), "{calm:#?}");
}
