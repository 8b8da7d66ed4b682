//! A real Alertmanager with the shipped config, in a hurry, that tells a webhook of the test's.

use std::env;
use std::fs;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use ureq::Agent;

use crate::support::process::Process;
use crate::support::{free_port, seconds, shipped, wait_for};

/// What is other than as shipped: nobody wants to wait for minutes. Who is told of what stays.
const HURRY: [(&str, &str); 5] = [
    ("group_wait: 30s", "group_wait: 3s"),
    ("group_wait: 1m", "group_wait: 3s"),
    ("group_interval: 5m", "group_interval: 5s"),
    ("group_interval: 1m", "group_interval: 1s"),
    ("repeat_interval: 50s", "repeat_interval: 1s"),
];
/// Where the shipped receivers are.
const RECEIVERS: &str = "http://localhost:9095";
/// Debian's name of the program, and that of everybody else.
const PROGRAMS: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];
const START_LIMIT: Duration = seconds(30);
const HTTP_LIMIT: Duration = seconds(10);

/// A running Alertmanager.
pub(crate) struct Alertmanager {
    process: Process,
    address: String,
    agent: Agent,
    _directory: TempDir,
}

impl Alertmanager {
    /// Starts one whose receivers are all at that address; returns once it is ready.
    pub(crate) fn start(webhook: &str) -> Self {
        let directory = TempDir::with_prefix("latido-alertmanager-").expect("a temporary directory");
        let text = shipped::hurried("config/alertmanager/alertmanager.yml", &HURRY);
        let text = shipped::replaced(&text, RECEIVERS, &format!("http://{webhook}"));
        let config = directory.path().join("alertmanager.yml");
        fs::write(&config, text).expect("the config is written");
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(program());
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.path={}", directory.path().join("data").display()));
        command.arg(format!("--web.listen-address={address}"));
        // Alone: it looks for no others.
        command.arg("--cluster.listen-address=");
        let process = Process::start("Alertmanager", &mut command);
        let agent_config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(HTTP_LIMIT));
        let mut started = Self { process, address, agent: agent_config.build().into(), _directory: directory };
        started.wait_until("Alertmanager is ready", START_LIMIT, |alertmanager| {
            match alertmanager.get("/-/ready")? {
                (200, _) => Ok(()),
                (status, body) => Err(format!("{status} {body}")),
            }
        });
        started
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Asks until the probe has an answer; fails at the limit, and at once when Alertmanager is gone.
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut(&Self) -> Result<T, String>,
    ) -> T {
        wait_for(what, limit, || {
            let ended = self.process.ended();
            let answer = probe(self);
            self.process.progress(answer, ended)
        })
    }

    fn get(&self, path: &str) -> Result<(u16, String), String> {
        let url = format!("http://{}{path}", self.address);
        let mut response = self.agent.get(&url).call().map_err(|error| format!("{url}: {error}"))?;
        let body = response.body_mut().read_to_string().map_err(|error| format!("{url}: {error}"))?;
        Ok((response.status().as_u16(), body))
    }
}

/// The program's name here. Where it has none, starting it fails and names it.
fn program() -> &'static str {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &str| env::split_paths(&path).any(|directory| directory.join(name).is_file());
    PROGRAMS.into_iter().find(|name| is_there(name)).unwrap_or(PROGRAMS[0])
}
