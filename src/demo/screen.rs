//! What people see: one screen that is drawn anew on a terminal, plain lines elsewhere. All on standard error.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Options;
use super::broker::Broker;
use super::journal::Entry;
use super::progress::Glance;
use super::words;
use crate::config::{Config, Roster};

/// How often a plain line is written.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The latest pages on the screen.
const PAGES_SHOWN: usize = 3;

/// Where the demo talks to people.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    /// On a terminal: one bar for each line.
    live: Option<(MultiProgress, Vec<ProgressBar>)>,
    departments: Vec<String>,
    window_minutes: f64,
    /// What to open.
    address: String,
    /// Messages a second while an hour passes each minute.
    rate: u32,
    /// Elsewhere: when the last line was written, how much of the story is told, and which beginnings and ends of pages.
    last_line: Option<Instant>,
    told_of_story: usize,
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
            rate: 0,
            last_line: None,
            told_of_story: 0,
            told: BTreeSet::new(),
        }
    }

    /// Says what is about to happen, and under which settings.
    pub(crate) fn introduce(&mut self, options: &Options, broker: &Broker, differences: &[String]) {
        self.rate = options.rate;
        let place = if broker.is_in_process() { "inside this process" } else { "as asked for" };
        self.say(&format!("latido demo, seed {}, {} messages a second", options.seed, options.rate));
        self.say(&format!(
            "broker {} ({place}), topic {}, consumer group {}",
            broker.brokers, broker.topic, broker.group
        ));
        if broker.is_in_process() {
            self.say("  it answers any Kafka client of this machine; a daemon of your own beside this one:");
            self.say(&format!("  {}", own_daemon(broker)));
        }
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
            self.tell(entry, glance);
            self.status(entry, glance);
        }
        self.say(&format!(
            "on purpose: {} unusable records ({} rejected), {} late ones ({} late)",
            entry.unusable, glance.counts.rejected, entry.late, glance.counts.late
        ));
        self.say(&words::about_tickets(glance));
        if !broker.is_in_process() {
            self.say(&format!("topic and group {} stay on {}", broker.topic, broker.brokers));
        }
    }

    /// Plain lines: the story and each change of a page once, where things stand at times. Tickets are only counted: a day of
    /// history has dozens, and the one page would drown in them.
    fn tell(&mut self, entry: &Entry, glance: &Glance) {
        for line in words::story(entry, self.rate).iter().skip(self.told_of_story) {
            self.told_of_story += 1;
            self.say(&format!("- {line}"));
        }
        for page in glance.alerts.iter().filter(|alert| words::is_page(alert)) {
            if self.told.insert((page.id.clone(), false)) {
                self.say(&format!("> {}", words::opened(page)));
            }
            if let Some(ended) = page.ended
                && self.told.insert((page.id.clone(), true))
            {
                self.say(&format!("> {}", words::closed(page, ended)));
            }
        }
        if self.last_line.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
            self.status(entry, glance);
        }
    }

    fn status(&mut self, entry: &Entry, glance: &Glance) {
        self.last_line = Some(Instant::now());
        self.say(&format!("{}; {}", words::standing(entry, glance), words::counts(entry, glance)));
    }

    fn draw(&mut self, entry: &Entry, glance: &Glance) {
        let mut lines = screen_lines(&self.departments, self.window_minutes, self.rate, entry, glance);
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

/// The command that starts a daemon on the broker inside this process.
fn own_daemon(broker: &Broker) -> String {
    format!(
        "LATIDO__KAFKA__BROKERS='[\"{}\"]' LATIDO__KAFKA__TOPICS='[\"{}\"]' LATIDO__HTTP__LISTEN=127.0.0.1:0 \
         LATIDO__CHECKPOINT__DIRECTORY=state latido run",
        broker.brokers, broker.topic
    )
}

/// The whole screen, always of the same height.
fn screen_lines(departments: &[String], window_minutes: f64, rate: u32, entry: &Entry, glance: &Glance) -> Vec<String> {
    let stream_time = glance.watermark.map_or_else(|| "-".to_owned(), |moment| moment.to_rfc3339());
    let mut lines = vec![
        words::standing(entry, glance),
        words::story(entry, rate).pop().unwrap_or_default(),
        words::counts(entry, glance),
        format!("stream time {stream_time}{}", if glance.catching_up { ", catching up" } else { "" }),
        words::department_heads(),
    ];
    for (name, department) in departments.iter().zip(&glance.departments) {
        lines.push(words::department(name, window_minutes, department, glance));
    }
    let latest = glance.alerts.iter().rev().filter(|alert| words::is_page(alert)).take(PAGES_SHOWN);
    let mut pages: Vec<String> =
        latest.map(|page| page.ended.map_or_else(|| words::opened(page), |ended| words::closed(page, ended))).collect();
    pages.resize(PAGES_SHOWN, String::new());
    lines.append(&mut pages);
    lines
}

#[cfg(test)]
mod tests;
