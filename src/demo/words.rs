//! What the demo says of itself, of the pipeline and of its alerts.

use std::collections::BTreeMap;

use super::journal::{Entry, Phase};
use super::progress::{Counts, DepartmentGlance, Glance};
use crate::detect::{Alert, AlertKind, COMPANY, Severity};
use crate::message::EventTime;

/// What has happened so far on purpose, in order: a line is added as each of it begins.
pub(super) fn story(entry: &Entry, rate: u32) -> Vec<String> {
    let mut told = Vec::new();
    if entry.phase != Phase::Starting {
        told.push("history: a day of messages first, as fast as they are read".to_owned());
    }
    let Some(incident) = entry.incident else { return told };
    let department = incident.department_id();
    told.push("live: each minute shows an hour; at second 45 one department's customers turn unhappy".to_owned());
    if entry.has_come_to(incident.started) {
        told.push(format!("second 45: the customers of {department} turn unhappy"));
    }
    if entry.has_come_to(incident.ended) {
        told.push(format!("second 75: the trouble of {department} is over; what is open closes once all is as usual"));
    }
    if entry.at_present {
        told.push(format!(
            "the present: time passes as on your clock now, about {rate} messages a minute; Ctrl-C ends it"
        ));
    }
    told
}

/// What the demo is at, and which alerts are open.
pub(super) fn standing(entry: &Entry, glance: &Glance) -> String {
    let pages =
        open_pages(glance).into_iter().map(|(department, kinds)| format!("{department} ({})", kinds.join(", ")));
    let pages = pages.collect::<Vec<_>>().join(", ");
    let alerts = if pages.is_empty() { "no page open".to_owned() } else { format!("PAGE OPEN: {pages}") };
    format!("{}: {alerts}; {} open", phase(entry), tickets(open(glance).filter(|alert| !is_page(alert)).count()))
}

/// What became of the records.
pub(super) fn counts(entry: &Entry, glance: &Glance) -> String {
    let Counts { scored, context, rejected, late } = glance.counts;
    format!(
        "{} produced, {scored} scored, {context} context, {rejected} rejected, {late} late, lag {}{}",
        entry.sent,
        entry.sent.saturating_sub(glance.counts.processed()),
        if entry.paused { " (producer waits)" } else { "" },
    )
}

/// The heads of the columns of [`department`].
pub(super) fn department_heads() -> String {
    format!("{:<10} {:>7} {:>8} {:>8}  state", "department", "per min", "negative", "expected")
}

/// A department as one line.
pub(super) fn department(name: &str, window_minutes: f64, shown: &DepartmentGlance, glance: &Glance) -> String {
    let window = shown.window;
    let negative = (!window.is_empty()).then(|| f64::from(window.negative) / f64::from(window.messages));
    let kinds = open_pages(glance).remove(name).map_or_else(String::new, |kinds| format!(": {}", kinds.join(", ")));
    let tickets = match open(glance).filter(|alert| !is_page(alert) && alert.department == name).count() {
        0 => String::new(),
        some => format!(", {}", self::tickets(some)),
    };
    format!(
        "{name:<10} {:>7.1} {:>8} {:>8}  {}{kinds}{tickets}",
        f64::from(window.messages) / window_minutes,
        percent(negative),
        percent(shown.expected_negative),
        shown.state.as_str(),
    )
}

/// A page at its beginning.
pub(super) fn opened(alert: &Alert) -> String {
    let (window, messages) = (alert.window_seconds, alert.messages);
    let found = match alert.kind {
        AlertKind::NegativeSentiment | AlertKind::Frustration => format!(
            "{} of {messages} messages in {window}s, expected {}",
            percent(Some(alert.observed)),
            percent(Some(alert.expected))
        ),
        AlertKind::VolumeSurge | AlertKind::Silence => {
            format!("{messages} messages in {window}s, expected {:.0}", alert.expected)
        }
        AlertKind::CompanyWide => format!("{} departments at once", alert.departments.len()),
        AlertKind::Severe => format!("{messages} to be read"),
    };
    format!("page opened: {} ({}) at {}, {found}", whose(alert), alert.kind.as_str(), alert.started)
}

/// A page at its end.
pub(super) fn closed(alert: &Alert, ended: EventTime) -> String {
    format!("page closed: {} ({}) at {ended}", whose(alert), alert.kind.as_str())
}

/// What the tickets were.
pub(super) fn about_tickets(glance: &Glance) -> String {
    let all = tickets(glance.alerts.iter().filter(|alert| !is_page(alert)).count());
    format!("{all}, for messages that a person must read one by one (harm, law, a regulator, fraud); they page nobody")
}

/// Whether it pages.
pub(super) fn is_page(alert: &Alert) -> bool {
    alert.severity == Severity::Page
}

/// What the demo is at.
fn phase(entry: &Entry) -> String {
    match (entry.phase, entry.live_begun) {
        (Phase::Starting, _) => "starting".to_owned(),
        (Phase::History, _) => "history".to_owned(),
        (Phase::Live, begun) => format!("live {}s", begun.map_or(0, |begun| begun.elapsed().as_secs())),
        (Phase::Settling, _) => "finishing".to_owned(),
    }
}

fn open(glance: &Glance) -> impl Iterator<Item = &Alert> {
    glance.alerts.iter().filter(|alert| alert.ended.is_none())
}

/// The kinds of the open pages of each department that has one, as they opened.
fn open_pages(glance: &Glance) -> BTreeMap<&str, Vec<&'static str>> {
    let mut kinds: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for alert in open(glance).filter(|alert| is_page(alert)) {
        kinds.entry(whose(alert)).or_default().push(alert.kind.as_str());
    }
    kinds
}

fn whose(alert: &Alert) -> &str {
    if alert.department == COMPANY { "the company" } else { &alert.department }
}

fn tickets(count: usize) -> String {
    format!("{count} ticket{}", if count == 1 { "" } else { "s" })
}

fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.0} %", ratio * 100.0))
}
