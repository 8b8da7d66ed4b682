//! An incident wakes one team, once, and its end is told once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use toml::{Table, Value};

use crate::alertmanager::Alertmanager;
use crate::customers::{Customers, DEPARTMENTS, TOPIC};
use crate::support::daemon::{Daemon, Home};
use crate::support::prometheus::Prometheus;
use crate::support::{free_port, seconds, shipped};
use crate::webhook::{Notification, Webhook};

/// A department, whose page it is by the shipped config, and which receiver is theirs.
struct Owned {
    department: &'static str,
    team: &'static str,
    receiver: &'static str,
}

/// The one in trouble.
const RETURNS: Owned = Owned { department: DEPARTMENTS[0], team: "logistics-oncall", receiver: "/logistics/pages" };
/// One of another team, which is muted where it is in trouble too.
const BILLING: Owned = Owned { department: DEPARTMENTS[2], team: "billing-oncall", receiver: "/billing/pages" };
/// Longest wait for the start of anything.
const START_LIMIT: Duration = seconds(60);
/// Longest wait for the page and for its end: two hours of the customers' time.
const PAGE_LIMIT: Duration = seconds(120);
/// So many rounds of Alertmanager, each of a second or two, are enough for what would still be told.
const ROUNDS: usize = 12;

/// Everything but the daemon, which may die.
struct Stage {
    customers: Customers,
    home: Home,
    webhook: Webhook,
    _alertmanager: Alertmanager,
    prometheus: Prometheus,
}

impl Stage {
    /// The daemon has read the past, time passes, and nobody was told of anything.
    fn set() -> (Self, Daemon) {
        Self::set_with(|home| home)
    }

    /// The same with another config.
    fn set_with(change: impl FnOnce(Home) -> Home) -> (Self, Daemon) {
        let mut customers = Customers::of_the_past();
        let listen = format!("127.0.0.1:{}", free_port());
        let home = Home::new(customers.brokers(), &[TOPIC], "latido-paging")
            .set("departments", shipped_departments())
            .set("http.listen", listen.clone());
        let home = change(home);
        let webhook = Webhook::start();
        let alertmanager = Alertmanager::start(&webhook.address());
        let mut prometheus = Prometheus::start_telling(&listen, alertmanager.address());
        let mut daemon = home.start();
        daemon.wait_ready(START_LIMIT);
        customers.go_on();
        let is_quiet = format!("latido_alert_active{{department=\"{}\"}} == 0", RETURNS.department);
        prometheus.wait_until("Prometheus sees a quiet department", START_LIMIT, |prometheus| {
            let quiet = prometheus.query(&is_quiet)?;
            if quiet.is_empty() { Err("no series yet".to_owned()) } else { Ok(()) }
        });
        let mut stage = Self { customers, home, webhook, _alertmanager: alertmanager, prometheus };
        stage.wait_rounds(2);
        assert!(stage.webhook.told().is_empty(), "before anything went wrong: {:#?}", stage.webhook.told());
        (stage, daemon)
    }

    /// Waits until what people were told satisfies the predicate.
    fn wait_told(&self, daemon: &mut Daemon, what: &str, wanted: impl Fn(&[Notification]) -> bool) {
        daemon.wait_until(what, PAGE_LIMIT, |_| {
            let told = self.webhook.told();
            if wanted(&told) { Ok(()) } else { Err(format!("{told:#?}")) }
        });
    }

    /// Alerting works on for so many rounds: whatever was to be told has been.
    fn wait_rounds(&mut self, rounds: usize) {
        let Self { webhook, prometheus, .. } = self;
        let enough = webhook.heartbeats() + rounds;
        prometheus.wait_until(&format!("{rounds} more heartbeats"), START_LIMIT, |_| match webhook.heartbeats() {
            count if count >= enough => Ok(()),
            count => Err(format!("{count} of {enough}")),
        });
    }

    /// An incident begins, and somebody is paged.
    fn wait_paged(&self, daemon: &mut Daemon) {
        self.customers.set_unhappy(RETURNS.department, true);
        self.wait_told(daemon, "somebody is paged", |told| !told.is_empty());
    }

    /// The incident ends, which is told; and then nothing more.
    fn wait_resolved(&mut self, daemon: &mut Daemon) {
        self.customers.set_unhappy(RETURNS.department, false);
        self.wait_told(daemon, "the end is told", |told| told.iter().any(|one| !one.is_firing()));
        self.wait_rounds(ROUNDS);
    }

    /// Waits until whoever looks sees that the muted department is in trouble, and why nobody was told.
    fn wait_shown_as_muted(&self, daemon: &mut Daemon) {
        daemon.wait_until("an alert of it is open, and muted", PAGE_LIMIT, |daemon| {
            let path = format!("/api/v1/alerts?state=active&department={}", BILLING.department);
            let (_, body) = daemon.get(&path)?;
            let answer: serde_json::Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
            let is_held = |alert: &serde_json::Value| {
                alert["muted"] == true && alert["paged"] == false && alert["mute_reason"] == "new invoices go out"
            };
            let open = answer["alerts"].as_array().filter(|open| !open.is_empty() && open.iter().all(is_held));
            open.map(|_| ()).ok_or(body)
        });
    }

    /// All that was told is of one page of the department in trouble.
    fn assert_one_page(&self, has_ended: bool) {
        assert_one_page(&self.webhook.told(), &RETURNS, has_ended);
    }
}

/// All that was told is of one page of the department's team: it opened once, what was told while it was open is an update of it, and it
/// ended once where it `has_ended`.
fn assert_one_page(told: &[Notification], owned: &Owned, has_ended: bool) {
    let key = &told[0].group_key;
    for notification in told {
        assert_eq!(notification.path, owned.receiver, "the team's pager: {told:#?}");
        assert_eq!(notification.group_key, *key, "one page: {told:#?}");
        assert_eq!(notification.truncated_alerts, 0, "{told:#?}");
        let grouped: Vec<_> = notification.group_labels.iter().collect();
        let wanted = [("department", owned.department), ("team", owned.team)];
        assert!(grouped.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(wanted), "{told:#?}");
        for alert in &notification.alerts {
            assert_eq!(alert.labels["severity"], "page", "{told:#?}");
            assert!(alert.annotations["summary"].contains(owned.department), "it says who is unhappy: {told:#?}");
            assert!(alert.annotations["runbook_url"].ends_with(".md"), "it says what to do: {told:#?}");
        }
    }
    // A pager opens at the first word of a page and closes at its end: a second opening would be told as firing after that.
    let ends: Vec<_> = (0..told.len()).filter(|&at| !told[at].is_firing()).collect();
    let wanted = if has_ended { vec![told.len() - 1] } else { Vec::new() };
    assert_eq!(ends, wanted, "its end is told once, and last: {told:#?}");
}

/// The departments of the shipped config: those whose teams the shipped routes name.
pub(crate) fn shipped_departments() -> Value {
    let config: Table = shipped::read("config/latido.toml").parse().expect("the shipped config is TOML");
    config["departments"].clone()
}

#[test]
#[ignore = "needs Prometheus and Alertmanager: cargo xtask prometheus"]
fn an_incident_is_one_page_for_the_departments_team_and_a_muted_one_beside_it_pages_nobody_until_its_mute_ends() {
    let (mut stage, mut daemon) = Stage::set_with(|home| home.set("mutes", mute(None)));
    stage.customers.set_unhappy(BILLING.department, true);
    stage.wait_paged(&mut daemon);
    stage.assert_one_page(false);
    stage.wait_shown_as_muted(&mut daemon);
    stage.wait_resolved(&mut daemon);
    // All of it of the one department: the other has been in trouble for as long, and is still.
    stage.assert_one_page(true);
    let told_before = stage.webhook.told().len();
    stage.wait_shown_as_muted(&mut daemon);

    let until = window_end(&daemon).expect("windows have closed") + SignedDuration::from_mins(10);
    stage.home.change("mutes", mute(Some(until)));
    stage.home.config();
    daemon.reload();
    stage.wait_told(&mut daemon, "the muted one pages", |told| told.len() > told_before);
    assert!(window_end(&daemon).is_some_and(|end| end >= until), "not before its mute has ended");
    assert_one_page(&stage.webhook.told()[told_before..], &BILLING, false);
    daemon.stop();
}

/// Billing is muted until then.
fn mute(until: Option<Timestamp>) -> Value {
    let mut mute = Table::from_iter([
        ("departments".to_owned(), vec![BILLING.department].into()),
        ("reason".to_owned(), "new invoices go out".into()),
    ]);
    mute.extend(until.map(|until| ("until".to_owned(), until.to_string().into())));
    vec![mute].into()
}

/// Where the windows end that the daemon shows.
fn window_end(daemon: &Daemon) -> Option<Timestamp> {
    let (_, body) = daemon.get("/api/v1/departments").ok()?;
    let answer: serde_json::Value = serde_json::from_str(&body).ok()?;
    answer["window_end"].as_str()?.parse().ok()
}

#[test]
#[ignore = "needs Prometheus and Alertmanager: cargo xtask prometheus"]
fn a_daemon_killed_in_mid_incident_that_goes_on_from_its_checkpoint_makes_no_second_page() {
    let (mut stage, mut daemon) = Stage::set();
    stage.wait_paged(&mut daemon);
    daemon.kill();
    stage.prometheus.wait_until("Prometheus sees that it is gone", START_LIMIT, |prometheus| {
        let down = prometheus.query("up == 0")?;
        if down.is_empty() { Err("still up".to_owned()) } else { Ok(()) }
    });
    // Longer than `keep_firing_for` and `group_interval` are here: the page lasts since the rules hold it, not since nobody noticed.
    stage.wait_rounds(ROUNDS);
    stage.assert_one_page(false);

    let mut daemon = stage.home.start();
    daemon.wait_ready(START_LIMIT);
    let is_open = format!("latido_alert_active{{department=\"{}\"}} == 1", RETURNS.department);
    stage.prometheus.wait_until("the alert is open still", START_LIMIT, |prometheus| {
        let open = prometheus.query(&is_open)?;
        if open.is_empty() { Err("no open alert".to_owned()) } else { Ok(()) }
    });
    stage.wait_rounds(ROUNDS);
    stage.assert_one_page(false);
    stage.wait_resolved(&mut daemon);
    stage.assert_one_page(true);
    daemon.stop();
}
