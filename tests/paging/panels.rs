//! Every panel of the dashboards shows something while a department that is known is in trouble.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::customers::{Customers, DEPARTMENTS, TOPIC};
use crate::one_page::shipped_departments;
use crate::support::daemon::{Daemon, Home, latido};
use crate::support::prometheus::Prometheus;
use crate::support::{free_port, seconds};

/// What checks the dashboards.
const DASHBOARDS: &str = ".ci/dashboards.py";
const START_LIMIT: Duration = seconds(60);
const ALERT_LIMIT: Duration = seconds(120);
/// Older than any window, and its lateness.
const TOO_LATE: Duration = seconds(25 * 3_600);

fn said(output: Output) -> Result<String, String> {
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// Learns from two weeks of counts, as a site does before it starts.
fn learn(customers: &Customers, directory: &TempDir) -> String {
    let (counts, baselines) = (directory.path().join("counts.csv"), directory.path().join("baselines.latido"));
    fs::write(&counts, customers.counts_before()).expect("the counts are written");
    let mut backtest = latido(["backtest", "--counts"]);
    backtest.arg(counts).arg("--learn").arg(&baselines);
    said(backtest.output().expect("latido starts")).unwrap_or_else(|said| panic!("latido backtest: {said}"));
    baselines.display().to_string()
}

/// One of each of what else comes to a topic. Counters of it must move, so that their panels show more than a 0.
fn write_the_rest(customers: &Customers) {
    let department = DEPARTMENTS[0];
    let now = Duration::ZERO;
    customers.write(now, json!({ "text": "I will sue you, my lawyer is on it", "department": department }));
    customers.write(now, json!({ "text": "Lo reviso enseguida.", "author": "agent", "department": department }));
    customers.write(now, json!({ "text": "请问你们几点开门?我想改送货地址", "department": department }));
    customers.write(now, json!({ "text": "gracias ".repeat(4_000), "department": department }));
    customers.write(TOO_LATE, json!({ "text": "What time do you open?", "department": department }));
    customers.write_raw("no JSON");
}

/// What `write_the_rest` and the mark must have moved.
const MOVED: [&str; 8] = [
    r#"latido_signals_total{signal="legal_threat"}"#,
    r#"latido_context_messages_total{author="agent"}"#,
    "latido_unsupported_language_texts_total",
    "latido_cut_texts_total",
    "latido_late_messages_total",
    r#"latido_rejected_records_total{reason="not_json"}"#,
    r#"latido_alert_feedback_total{verdict="useful"}"#,
    r#"latido_incidents_marked_total{verdict="useful"}"#,
];

/// Somebody was paged, and says that it was worth it.
fn mark(home: &Home, daemon: &Daemon) {
    let (status, body) = daemon.get("/api/v1/alerts?state=active").expect("an answer");
    assert_eq!(status, 200, "{body}");
    let alerts: Value = serde_json::from_str(&body).expect("JSON");
    let page = alerts["alerts"].as_array().and_then(|alerts| alerts.iter().find(|alert| alert["severity"] == "page"));
    let id = page.and_then(|alert| alert["id"].as_str()).unwrap_or_else(|| panic!("no page in {body}"));
    let marked = home.command(&["alerts", "mark"], &[id, "useful"]).output().expect("latido starts");
    said(marked).unwrap_or_else(|said| panic!("latido alerts mark: {said}"));
}

#[test]
#[ignore = "needs Prometheus: cargo xtask prometheus"]
fn every_panel_finds_data_while_a_department_that_is_known_is_in_trouble() {
    let mut customers = Customers::of_the_past();
    let directory = TempDir::with_prefix("latido-panels-").expect("a temporary directory");
    let listen = format!("127.0.0.1:{}", free_port());
    let home = Home::new(customers.brokers(), &[TOPIC], "latido-panels")
        .set("departments", shipped_departments())
        .set("detect.baselines", learn(&customers, &directory))
        .set("http.listen", listen.clone());
    let mut daemon = home.start();
    let mut prometheus = Prometheus::start(&listen);
    daemon.wait_ready(START_LIMIT);
    customers.go_on();
    customers.set_unhappy(DEPARTMENTS[0], true);
    daemon.wait_for_metrics("an alert is open", ALERT_LIMIT, |samples| {
        samples.sum("latido_alert_active", &[("department", DEPARTMENTS[0]), ("severity", "page")]) >= 1.0
    });
    write_the_rest(&customers);
    mark(&home, &daemon);
    prometheus.wait_until("Prometheus has seen all of it", START_LIMIT, |prometheus| {
        let still: BTreeMap<_, _> = MOVED
            .into_iter()
            .map(|counter| Ok((counter, prometheus.query(&format!("increase({counter}[5m]) > 0"))?.len())))
            .collect::<Result<_, String>>()?;
        if still.values().all(|moved| *moved > 0) { Ok(()) } else { Err(format!("{still:?}")) }
    });

    let url = format!("http://{}", prometheus.address());
    let mut ask = Command::new("python3");
    ask.args([DASHBOARDS, "--complete", "--prometheus", &url]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let asked = said(ask.output().expect("python3 starts"));
    let asked = asked.unwrap_or_else(|problems| panic!("a panel without data:\n{problems}"));
    assert_eq!(asked.matches("queries of panels asked").count(), 3, "{asked}");
    daemon.stop();
}
