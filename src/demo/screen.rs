//! What people see: one screen that is drawn anew on a terminal, plain lines elsewhere. All on standard error.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Options;
use super::broker::Broker;
use super::journal::{Entry, Phase};
use super::progress::{DepartmentGlance, Glance};
use crate::config::{Config, Roster};
use crate::detect::{Alert, Severity};

/// How often a plain line is written.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The latest alerts on the screen.
const ALERTS_SHOWN: usize = 3;

/// Where the demo talks to people.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    /// On a terminal: one bar for each line.
    live: Option<(MultiProgress, Vec<ProgressBar>)>,
    departments: Vec<String>,
    window_minutes: f64,
    /// What to open.
    address: String,
    /// Elsewhere: when the last line was written, and which alert changes were told.
    last_line: Option<Instant>,
    told: BTreeSet<(String, bool)>,
}

impl Screen {
    /// Standard error, drawn anew if it is a terminal.
    pub(crate) fn on_stderr(config: &Config) -> Self {
        let live = io::stderr().is_terminal().then(|| (MultiProgress::new(), Vec::new()));
        Self { live, ..Self::plain(Box::new(io::stderr()), config) }
    }

    /// Plain lines to anywhere.
    pub(crate) fn plain(out: Box<dyn Write>, config: &Config) -> Self {
        Self {
            out,
            live: None,
            departments: Roster::new(config).iter().map(|(_, department)| department.id.clone()).collect(),
            window_minutes: super::shown_window(config).1.get().as_secs_f64() / 60.0,
            address: String::new(),
            last_line: None,
            told: BTreeSet::new(),
        }
    }

    /// Says what is about to happen, and under which settings.
    pub(crate) fn introduce(&mut self, options: &Options, broker: &Broker, differences: &[String]) {
        let place = if broker.is_in_process() { "inside this process" } else { "as asked for" };
        self.say(&format!("latido demo, seed {}, {} messages a second", options.seed, options.rate));
        self.say(&format!(
            "broker {} ({place}), topic {}, consumer group {}",
            broker.brokers, broker.topic, broker.group
        ));
        self.say("settings that differ from the defaults:");
        for difference in differences {
            self.say(&format!("  {difference}"));
        }
    }

    /// Says what to open.
    pub(crate) fn addresses(&mut self, http: SocketAddr) {
        self.address = format!("http://{http}/metrics");
        self.say(&format!("listening on http://{http}"));
        for path in ["metrics", "readyz", "api/v1/departments", "api/v1/alerts"] {
            self.say(&format!("  http://{http}/{path}"));
        }
    }

    /// Shows where things stand; called often.
    pub(crate) fn show(&mut self, entry: &Entry, glance: &Glance) {
        if self.live.is_some() {
            self.draw(entry, glance);
        } else {
            self.tell(entry, glance);
        }
    }

    /// Says how it ended.
    pub(crate) fn conclude(&mut self, entry: &Entry, glance: &Glance, broker: &Broker) {
        if let Some((_, bars)) = &self.live {
            for bar in bars {
                bar.finish();
            }
        } else {
            let line = status_line(entry, glance);
            self.say(&line);
        }
        self.say(&format!(
            "on purpose: {} unusable records ({} rejected), {} late ones ({} late)",
            entry.unusable, glance.counts.rejected, entry.late, glance.counts.late
        ));
        if !broker.is_in_process() {
            self.say(&format!("topic and group {} stay on {}", broker.topic, broker.brokers));
        }
    }

    /// Plain lines: each alert change once, where things stand at times.
    fn tell(&mut self, entry: &Entry, glance: &Glance) {
        for alert in glance.alerts.iter() {
            if self.told.insert((alert.id.clone(), false)) {
                self.say(&opened(alert));
            }
            if let Some(ended) = alert.ended
                && self.told.insert((alert.id.clone(), true))
            {
                self.say(&format!("{} closed: {} at {ended}", noun(alert), alert.department));
            }
        }
        if self.last_line.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
            self.last_line = Some(Instant::now());
            self.say(&status_line(entry, glance));
        }
    }

    fn draw(&mut self, entry: &Entry, glance: &Glance) {
        let mut lines = screen_lines(&self.departments, self.window_minutes, entry, glance);
        // The addresses told at the start may have scrolled away.
        lines.insert(0, self.address.clone());
        let Some((screen, bars)) = &mut self.live else { return };
        while bars.len() < lines.len() {
            let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            bars.push(screen.add(ProgressBar::no_length().with_style(style)));
        }
        for (bar, line) in bars.iter().zip(lines) {
            bar.set_message(line);
            bar.tick();
        }
    }

    /// A line that stays. A reader who went away is no reason to stop.
    fn say(&mut self, line: &str) {
        writeln!(self.out, "{line}").ok();
    }
}

/// What the demo is at, in words.
fn phase(entry: &Entry) -> String {
    match (entry.phase, entry.live_begun) {
        (Phase::Starting, _) => "starting".to_owned(),
        (Phase::History, _) => "history".to_owned(),
        (Phase::Live, begun) => format!("live {}s", begun.map_or(0, |begun| begun.elapsed().as_secs())),
        (Phase::Settling, _) => "finishing".to_owned(),
    }
}

fn status_line(entry: &Entry, glance: &Glance) -> String {
    let counts = glance.counts;
    let open: Vec<&str> =
        glance.alerts.iter().filter(|alert| is_open_page(alert)).map(|alert| alert.department.as_str()).collect();
    let alerts = if open.is_empty() { "no alert open".to_owned() } else { format!("alert open: {}", open.join(", ")) };
    format!(
        "{}: {} produced, {} scored, {} context, {} rejected, {} late, lag {}{}, {alerts}",
        phase(entry),
        entry.sent,
        counts.scored,
        counts.context,
        counts.rejected,
        counts.late,
        entry.sent.saturating_sub(counts.processed()),
        if entry.paused { " (producer waits)" } else { "" },
    )
}

/// The whole screen, always of the same height.
fn screen_lines(departments: &[String], window_minutes: f64, entry: &Entry, glance: &Glance) -> Vec<String> {
    let stream_time = glance.watermark.map_or_else(|| "-".to_owned(), |moment| moment.to_rfc3339());
    let mut lines = vec![
        status_line(entry, glance),
        format!("stream time {stream_time}{}", if glance.catching_up { ", catching up" } else { "" }),
        format!("{:<12} {:>10} {:>10} {:>10}  state", "department", "per minute", "negative", "expected"),
    ];
    for (name, department) in departments.iter().zip(&glance.departments) {
        lines.push(department_line(name, window_minutes, department));
    }
    let latest = glance.alerts.iter().rev().take(ALERTS_SHOWN);
    let mut alerts: Vec<String> = latest
        .map(|alert| match alert.ended {
            None => opened(alert),
            Some(ended) => {
                format!("{} closed: {} from {} to {ended}", noun(alert), alert.department, alert.started)
            }
        })
        .collect();
    alerts.resize(ALERTS_SHOWN, String::new());
    lines.append(&mut alerts);
    lines
}

fn department_line(name: &str, window_minutes: f64, department: &DepartmentGlance) -> String {
    let window = department.window;
    let negative = (!window.is_empty()).then(|| f64::from(window.negative) / f64::from(window.messages));
    format!(
        "{name:<12} {:>10.1} {:>10} {:>10}  {}",
        f64::from(window.messages) / window_minutes,
        percent(negative),
        percent(department.expected_negative),
        department.state.as_str(),
    )
}

fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.0} %", ratio * 100.0))
}

fn is_open_page(alert: &Alert) -> bool {
    alert.ended.is_none() && alert.severity == Severity::Page
}

fn noun(alert: &Alert) -> &'static str {
    match alert.severity {
        Severity::Page => "alert",
        Severity::Ticket => "ticket",
    }
}

fn opened(alert: &Alert) -> String {
    if !alert.kind.is_tested() {
        let (department, kind) = (&alert.department, alert.kind.as_str());
        return format!("ticket opened: {department} ({kind}) at {}, {} to be read", alert.started, alert.messages);
    }
    format!(
        "alert opened: {} ({}) at {}, {} of {} messages in {}s, expected {}",
        alert.department,
        alert.kind.as_str(),
        alert.started,
        percent(Some(alert.observed)),
        alert.messages,
        alert.window_seconds,
        percent(Some(alert.expected)),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::demo::departments::DEPARTMENTS;
    use crate::demo::progress::Counts;
    use crate::detect::{AlertKind, AlertState, Handling};
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
    fn each_alert_change_is_told_once() {
        let paper = Paper::default();
        let mut screen = Screen::plain(Box::new(paper.clone()), &config());
        let ended = EventTime::from_millis(1_750_000_060_000);
        for glance in [glance(vec![alert(None)]), glance(vec![alert(None)]), glance(vec![alert(Some(ended))])] {
            screen.show(&entry(), &glance);
        }
        let text = paper.text();
        assert_eq!(text.matches("alert opened: shipping").count(), 1, "{text}");
        assert_eq!(text.matches("alert closed: shipping").count(), 1, "{text}");
        assert!(text.contains("70 % of 160 messages in 900s, expected 24 %"), "{text}");
    }

    #[test]
    fn a_plain_line_has_all_counts_and_the_lag() {
        let line = status_line(&entry(), &glance(vec![]));
        assert_eq!(line, "history: 1000 produced, 900 scored, 90 context, 6 rejected, 2 late, lag 2, no alert open");
    }

    #[test]
    fn the_screen_shows_each_department_and_keeps_its_height() {
        let names: Vec<String> = Screen::plain(Box::new(io::sink()), &config()).departments;
        let calm = screen_lines(&names, 15.0, &entry(), &glance(vec![]));
        let busy = screen_lines(&names, 15.0, &entry(), &glance(vec![alert(None); 5]));
        assert_eq!(calm.len(), busy.len());
        assert!(calm.iter().any(|line| line == "shipping           20.0       25 %       22 %  quiet"), "{calm:#?}");
        assert!(calm.iter().any(|line| line.starts_with("billing") && line.contains("0.0          -")), "{calm:#?}");
    }
}
