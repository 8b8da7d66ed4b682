//! A real Prometheus with the shipped config and rules, in a hurry: it scrapes one target and evaluates every second.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;

use super::process::Process;
use super::{free_port, seconds, shipped};

/// What is other than as shipped: nobody wants to wait for minutes.
const HURRY: [(&str, &str); 2] =
    [("scrape_interval: 15s", "scrape_interval: 1s"), ("evaluation_interval: 15s", "evaluation_interval: 1s")];
const HURRY_OF_RULES: [(&str, &str); 1] = [("keep_firing_for: 5m", "keep_firing_for: 5s")];
/// In place of the shipped Alertmanager's address, where whoever is there would be told: a port that refuses.
const NOBODY: &str = "127.0.0.1:1";
const START_LIMIT: Duration = seconds(30);
const HTTP_LIMIT: Duration = seconds(10);

/// A running Prometheus.
pub(crate) struct Prometheus {
    process: Process,
    address: String,
    agent: Agent,
    _directory: TempDir,
}

/// An alert as Prometheus has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PrometheusAlert {
    /// All of it, as its API shows it.
    pub(crate) json: Value,
}

impl PrometheusAlert {
    /// A label's value.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.json["labels"][name].as_str().unwrap_or_default()
    }

    /// An annotation's text.
    pub(crate) fn annotation(&self, name: &str) -> &str {
        self.json["annotations"][name].as_str().unwrap_or_default()
    }

    /// Whether it fires (and is not merely pending).
    pub(crate) fn is_firing(&self) -> bool {
        self.json["state"] == "firing"
    }
}

impl Prometheus {
    /// Starts one that scrapes the target and reaches nobody; returns once it is ready.
    pub(crate) fn start(target: &str) -> Self {
        Self::start_with(target, None)
    }

    /// Starts one that scrapes the target and tells that Alertmanager.
    pub(crate) fn start_telling(target: &str, alertmanager: &str) -> Self {
        Self::start_with(target, Some(alertmanager))
    }

    fn start_with(target: &str, alertmanager: Option<&str>) -> Self {
        let directory = TempDir::with_prefix("latido-prometheus-").expect("a temporary directory");
        let config = directory.path().join("prometheus.yml");
        fs::write(&config, config_for(target, alertmanager)).expect("the config is written");
        copy_rules(directory.path());
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()));
        command.arg(format!("--web.listen-address={address}"));
        // What it tells before it has found its Alertmanager is told again after this; a minute unless said otherwise.
        command.arg("--rules.alert.resend-delay=10s");
        let process = Process::start("Prometheus", &mut command);
        let agent_config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(HTTP_LIMIT));
        let mut started = Self { process, address, agent: agent_config.build().into(), _directory: directory };
        started.wait_until("Prometheus is ready", START_LIMIT, |prometheus| match prometheus.get("/-/ready")? {
            (200, _) => Ok(()),
            (status, body) => Err(format!("{status} {body}")),
        });
        started
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Asks until the probe has an answer; fails at the limit, and at once when Prometheus is gone.
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut(&Self) -> Result<T, String>,
    ) -> T {
        super::wait_for(what, limit, || {
            let ended = self.process.ended();
            let answer = probe(self);
            self.process.progress(answer, ended)
        })
    }

    /// The alerts that are pending or firing now.
    pub(crate) fn alerts(&self) -> Result<Vec<PrometheusAlert>, String> {
        let alerts = self.api("/api/v1/alerts")?;
        let alerts = alerts["alerts"].as_array().cloned().unwrap_or_default();
        Ok(alerts.into_iter().map(|json| PrometheusAlert { json }).collect())
    }

    /// The series that an instant query returns.
    pub(crate) fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let found = self.api(&format!("/api/v1/query?query={}", percent_encoded(query)))?;
        Ok(found["result"].as_array().cloned().unwrap_or_default())
    }

    /// The `data` of an answer of the API.
    pub(crate) fn api(&self, path: &str) -> Result<Value, String> {
        let (status, body) = self.get(path)?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| format!("{path}: {error} in {body}"))?;
        if status == 200 { Ok(answer["data"].clone()) } else { Err(format!("{path}: {status} {body}")) }
    }

    fn get(&self, path: &str) -> Result<(u16, String), String> {
        let url = format!("http://{}{path}", self.address);
        let mut response = self.agent.get(&url).call().map_err(|error| format!("{url}: {error}"))?;
        let body = response.body_mut().read_to_string().map_err(|error| format!("{url}: {error}"))?;
        Ok((response.status().as_u16(), body))
    }
}

/// The shipped config in a hurry, with a target and an Alertmanager of the test's own, and with the rules that stand there in a comment.
fn config_for(target: &str, alertmanager: Option<&str>) -> String {
    let mut text = shipped::hurried("config/prometheus/prometheus.yml", &HURRY);
    text = shipped::replaced(&text, "localhost:9464", target);
    text = shipped::replaced(&text, "# - rules/latido-fallback", "- rules/latido-fallback");
    shipped::replaced(&text, "localhost:9093", alertmanager.unwrap_or(NOBODY))
}

/// The shipped rules in a hurry, where the config looks for them.
pub(crate) fn copy_rules(beside_config: &Path) {
    let copies = beside_config.join("rules");
    fs::create_dir(&copies).expect("a directory for the rules");
    for name in ["latido-departments.rules.yml", "latido-pipeline.rules.yml", "latido-fallback.rules.yml"] {
        let text = shipped::hurried(&format!("config/prometheus/rules/{name}"), &HURRY_OF_RULES);
        fs::write(copies.join(name), text).expect("the rules are written");
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
