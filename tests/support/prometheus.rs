//! A real Prometheus that scrapes one target and evaluates the shipped rules, every second.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;

use super::process::Process;
use super::{free_port, seconds};

/// The shipped rules and scrape config, relative to the repository's root.
const SHIPPED: &str = "config/prometheus";
const RULES: &str = "rules/*.yml";
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
    /// Starts one that scrapes the target under the job's name that the shipped config gives; returns once it is ready.
    pub(crate) fn start(target: &str) -> Self {
        let directory = TempDir::with_prefix("latido-prometheus-").expect("a temporary directory");
        let config = directory.path().join("prometheus.yml");
        fs::write(&config, config_for(target)).expect("the config is written");
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()));
        command.arg(format!("--web.listen-address={address}"));
        let process = Process::start("Prometheus", &mut command);
        let agent_config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(HTTP_LIMIT));
        let mut started = Self { process, address, agent: agent_config.build().into(), _directory: directory };
        started.wait_until("Prometheus is ready", START_LIMIT, |prometheus| match prometheus.get("/-/ready")? {
            (200, _) => Ok(()),
            (status, body) => Err(format!("{status} {body}")),
        });
        started
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

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED)
}

/// The shipped rules as they are; of the shipped scrape config the job's name, with a target and a pace of the test's own.
fn config_for(target: &str) -> String {
    let shipped_config = shipped().join("prometheus.yml");
    let text = fs::read_to_string(&shipped_config).expect("the shipped scrape config");
    let job = text.lines().find_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("job_name:"));
    let job = job.unwrap_or_else(|| panic!("no job_name in {}", shipped_config.display())).trim();
    let rules = shipped().join(RULES);
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n\
         - job_name: {job}\n  \
           static_configs: [{{targets: ['{target}']}}]\n",
        rules.display()
    )
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
