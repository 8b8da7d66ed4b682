//! Mutes are reloaded under a running daemon.

use crate::desk::{alerts, in_trouble, wait_for_page};
use crate::support::daemon::Daemon;
use crate::support::seconds;

fn pages_counted(daemon: &Daemon) -> f64 {
    daemon.metrics().unwrap().sum("latido_alerts_total", &[("department", "billing")])
}

#[test]
fn mutes_are_taken_on_sighup_and_a_config_that_is_wrong_changes_nothing() {
    let (_broker, home) = in_trouble();
    let mut daemon = home.start();
    wait_for_page(&mut daemon, "billing pages", true);
    let counted = pages_counted(&daemon);
    assert!(counted > 0.0);

    let mute: toml::Table = "mutes = [{ departments = ['billing'], reason = 'the new invoices' }]".parse().unwrap();
    let home = home.set("mutes", mute["mutes"].clone());
    home.config();
    daemon.reload();
    wait_for_page(&mut daemon, "a mute begins", false);
    let muted = daemon.metrics().unwrap();
    assert_eq!(muted.value("latido_alert_muted", &[("department", "billing"), ("alert", "frustration")]), Some(1.0));
    let listed = alerts(&daemon);
    assert!(!listed.is_empty());
    for alert in &listed {
        let said = (alert["muted"].as_bool(), alert["mute_reason"].as_str(), alert["paged"].as_bool());
        assert_eq!(said, (Some(true), Some("the new invoices"), Some(true)), "{alert}");
    }

    let home = home.set("mutes", "always");
    home.config();
    daemon.reload();
    daemon.wait_until("/readyz says that the config is wrong", seconds(30), |daemon| match daemon.get("/readyz")? {
        (200, body) if body.contains("config: not reloaded, all stays as it was") && body.contains("mutes") => Ok(()),
        (status, body) => Err(format!("{status} {body}")),
    });
    wait_for_page(&mut daemon, "the mute stays", false);

    let home = home.set("mutes", toml::Value::Array(Vec::new())).set("windows.lateness", "31s");
    home.config();
    daemon.reload();
    wait_for_page(&mut daemon, "the mute ends", true);
    assert_eq!(pages_counted(&daemon), counted, "each alert counts once");
    daemon.wait_until("/readyz says what takes a restart", seconds(30), |daemon| match daemon.get("/readyz")? {
        (200, body) if body.contains("config: changes of windows.lateness take a restart") => Ok(()),
        (status, body) => Err(format!("{status} {body}")),
    });
    daemon.stop();
}
