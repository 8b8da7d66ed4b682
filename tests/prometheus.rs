//! A real Prometheus, with the shipped rules, over a real daemon: what an on-call lead would have been told.
//!
//! `cargo xtask prometheus` runs this; it takes the two and a half minutes of a demo.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod support;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use support::daemon::{Daemon, latido};
use support::prometheus::{Prometheus, PrometheusAlert};
use support::seconds;

/// What checks the dashboards.
const DASHBOARDS: &str = ".ci/dashboards.py";

/// The pages of departments that are open now. An alert of ours names its department; those of the daemon's own health do not. Tickets
/// about severe messages come and go in all departments.
fn firing(prometheus: &Prometheus) -> Result<Vec<PrometheusAlert>, String> {
    let alerts = prometheus.alerts()?;
    let is_page = |alert: &PrometheusAlert| alert.label("severity") == "page" && !alert.label("department").is_empty();
    Ok(alerts.into_iter().filter(|alert| alert.is_firing() && is_page(alert)).collect())
}

/// Asks the queries of every panel: a demo may lack only what takes more than its day of history.
fn ask_the_dashboards(prometheus: &Prometheus) -> Result<String, String> {
    let url = format!("http://{}", prometheus.address());
    let mut command = Command::new("python3");
    command.args([DASHBOARDS, "--prometheus", &url]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().map_err(|error| format!("python3: {error}"))?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

#[test]
#[ignore = "needs Prometheus: cargo xtask prometheus"]
fn the_department_alert_fires_during_the_incident_and_is_resolved_after_it() {
    let mut demo = Daemon::start(&mut latido(["demo", "--listen", "127.0.0.1:0", "--for", "150s", "--seed", "7"]));
    let mut prometheus = Prometheus::start(demo.address());
    prometheus.wait_until("the daemon is scraped", seconds(30), |prometheus| {
        assert_eq!(demo.ended(), None, "the demo runs:\n{}", demo.log().text());
        match prometheus.query("up == 1")?.len() {
            1 => Ok(()),
            _ => Err("up is not 1 yet".to_owned()),
        }
    });

    let alert = prometheus.wait_until("the department alert fires", seconds(110), |prometheus| {
        assert_eq!(demo.ended(), None, "the demo runs:\n{}", demo.log().text());
        firing(prometheus)?.into_iter().next().ok_or_else(|| "no department alert fires".to_owned())
    });
    let department = alert.label("department").to_owned();
    let info = demo.metrics().expect("a scrape");
    let of_department = [("department", department.as_str())];
    let team = info.of("latido_department_info", &of_department).next().expect("the department's info");
    assert_eq!(alert.label("team"), team.labels["team"], "the page goes to the department's team: {alert:?}");
    assert!(!alert.label("team").is_empty(), "{alert:?}");
    assert!(!alert.annotation("summary").is_empty(), "{alert:?}");
    let open = demo.metrics().expect("a scrape").sum("latido_alert_active", &of_department);
    assert!(open >= 1.0, "what fires is what the daemon says is open");
    let panels = ask_the_dashboards(&prometheus).unwrap_or_else(|problems| panic!("a panel without data:\n{problems}"));
    assert!(panels.contains("queries of panels asked"), "{panels}");

    prometheus.wait_until("the department alert is resolved", seconds(110), |prometheus| {
        assert_eq!(demo.ended(), None, "the demo runs:\n{}", demo.log().text());
        match firing(prometheus)?.as_slice() {
            [] => Ok(()),
            alerts => Err(format!("{alerts:?}")),
        }
    });
    // Resolved by the daemon's word, not because a scrape failed.
    assert_eq!(prometheus.query("up == 1").expect("an answer").len(), 1);

    let code = demo.wait_end(seconds(180));
    assert_eq!(code, Some(0), "{}", demo.log().text());
    let summary: Value = serde_json::from_str(&demo.output().text()).expect("one line of JSON on standard output");
    assert_eq!(summary["incident"]["department"], Value::from(department.as_str()), "{summary}");
    // One incident may be several alerts, each of its kind.
    let ever = prometheus.query("max_over_time(ALERTS{alertstate=\"firing\",severity=\"page\",department!=\"\"}[10m])");
    let ever = ever.expect("an answer");
    let departments: BTreeSet<_> = ever.iter().map(|series| series["metric"]["department"].as_str()).collect();
    assert_eq!(departments, BTreeSet::from([Some(department.as_str())]), "no other department ever paged");
}
