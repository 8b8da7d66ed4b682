//! An incident wakes one team, once, and its end is told once.

use std::time::Duration;

use toml::{Table, Value};

use crate::alertmanager::Alertmanager;
use crate::customers::{Customers, DEPARTMENTS, TOPIC};
use crate::support::daemon::{Daemon, Home};
use crate::support::prometheus::Prometheus;
use crate::support::{free_port, seconds, shipped};
use crate::webhook::{Notification, Webhook};

/// Whose page it is, by the shipped config, and which receiver is theirs.
const TEAM: &str = "logistics-oncall";
const RECEIVER: &str = "/logistics/pages";
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
        let mut customers = Customers::of_the_past();
        let listen = format!("127.0.0.1:{}", free_port());
        let home = Home::new(customers.brokers(), &[TOPIC], "latido-paging")
            .set("departments", shipped_departments())
            .set("http.listen", listen.clone());
        let webhook = Webhook::start();
        let alertmanager = Alertmanager::start(&webhook.address());
        let mut prometheus = Prometheus::start_telling(&listen, alertmanager.address());
        let mut daemon = home.start();
        daemon.wait_ready(START_LIMIT);
        customers.go_on();
        let is_quiet = format!("latido_alert_active{{department=\"{}\"}} == 0", DEPARTMENTS[0]);
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
        self.customers.turn_unhappy();
        self.wait_told(daemon, "somebody is paged", |told| !told.is_empty());
    }

    /// The incident ends, which is told; and then nothing more.
    fn wait_resolved(&mut self, daemon: &mut Daemon) {
        self.customers.calm_down();
        self.wait_told(daemon, "the end is told", |told| told.iter().any(|one| !one.is_firing()));
        self.wait_rounds(ROUNDS);
    }

    /// All that was told is of one page of the team: it opened once, what was told while it was open is an update of it, and it ended
    /// once where it `has_ended`.
    fn assert_one_page(&self, has_ended: bool) {
        let told = self.webhook.told();
        let key = &told[0].group_key;
        for notification in &told {
            assert_eq!(notification.path, RECEIVER, "the team's pager: {told:#?}");
            assert_eq!(notification.group_key, *key, "one page: {told:#?}");
            assert_eq!(notification.truncated_alerts, 0, "{told:#?}");
            let grouped: Vec<_> = notification.group_labels.iter().collect();
            let wanted = [("department", DEPARTMENTS[0]), ("team", TEAM)];
            assert!(grouped.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(wanted), "{told:#?}");
            for alert in &notification.alerts {
                assert_eq!(alert.labels["severity"], "page", "{told:#?}");
                assert!(alert.annotations["summary"].contains(DEPARTMENTS[0]), "it says who is unhappy: {told:#?}");
                assert!(alert.annotations["runbook_url"].ends_with(".md"), "it says what to do: {told:#?}");
            }
        }
        // A pager opens at the first word of a page and closes at its end: a second opening would be told as firing after that.
        let ends: Vec<_> = (0..told.len()).filter(|&at| !told[at].is_firing()).collect();
        let wanted = if has_ended { vec![told.len() - 1] } else { Vec::new() };
        assert_eq!(ends, wanted, "its end is told once, and last: {told:#?}");
    }
}

/// The departments of the shipped config: those whose teams the shipped routes name.
pub(crate) fn shipped_departments() -> Value {
    let config: Table = shipped::read("config/latido.toml").parse().expect("the shipped config is TOML");
    config["departments"].clone()
}

#[test]
#[ignore = "needs Prometheus and Alertmanager: cargo xtask prometheus"]
fn an_incident_is_one_page_for_the_departments_team_and_its_end_is_told_once() {
    let (mut stage, mut daemon) = Stage::set();
    stage.wait_paged(&mut daemon);
    stage.assert_one_page(false);
    stage.wait_resolved(&mut daemon);
    stage.assert_one_page(true);
    daemon.stop();
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
    let is_open = format!("latido_alert_active{{department=\"{}\"}} == 1", DEPARTMENTS[0]);
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
