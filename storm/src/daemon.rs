//! The daemons of a storm: their config, their lives, and what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use toml::{Table, Value};
use ureq::Agent;

use crate::Scorer;
use crate::exposition::Samples;
use crate::guarded::{Ending, Guarded, Signal};
use crate::schedule::Store;
use crate::wait::{Progress, seconds, wait_for};

/// The group's session timeout.
pub(crate) const SESSION: Duration = seconds(6);
/// What a daemon prints once it listens.
const LISTENING: &str = "listening on http://";
/// What a second daemon on a directory says.
const REFUSED: &str = "is in use by another latido";
const LISTEN_LIMIT: Duration = seconds(60);
const DRAIN_LIMIT: Duration = seconds(60);
const HTTP_LIMIT: Duration = seconds(10);

const DEPARTMENTS: &str = r#"
    [[departments]]
    id = "billing"
    aliases = ["Facturación", "cobros"]
    team = "billing-leads"

    [[departments]]
    id = "delivery"
    aliases = ["envíos"]
    team = "delivery-leads"

    [[departments]]
    id = "support"
    aliases = ["soporte técnico"]
    team = "support-leads"
"#;

/// The texts of a storm are few: what is remembered would leave the transformer nothing to do.
const SLOW: &str = "cache_texts = 0\nprecision = \"float32\"";

/// What the daemons of one seed have in common.
pub(crate) struct Ground {
    /// The program.
    pub(crate) program: PathBuf,
    /// Variables of its environment.
    pub(crate) environment: Vec<(String, String)>,
    /// Where configs, logs and the checkpoint directory are.
    pub(crate) directory: PathBuf,
    /// The brokers' addresses.
    pub(crate) brokers: String,
    /// Where state is kept.
    pub(crate) store: Store,
    /// What they score with.
    pub(crate) scorer: Scorer,
    /// The input topic.
    pub(crate) topic: String,
    /// The dead-letter topic.
    pub(crate) dead_letters: String,
    /// The topic of checkpoints, where they are kept in Kafka.
    pub(crate) checkpoints: String,
    /// The consumer group.
    pub(crate) group: String,
    /// Whether the daemons that share it have names of their own in it.
    pub(crate) named: bool,
}

impl Ground {
    /// Writes the config of a daemon; its path.
    fn config(&self, daemon: usize) -> Result<PathBuf> {
        let mut settings: Table = DEPARTMENTS.parse()?;
        let mut table = |name: &str, entries: Vec<(&str, Value)>| {
            let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            settings.insert(name.to_owned(), Value::Table(entries));
        };
        let brokers: Vec<Value> = self.brokers.split(',').map(Value::from).collect();
        let mut kafka = vec![
            ("brokers", brokers.into()),
            ("topics", vec![self.topic.as_str()].into()),
            ("group", self.group.as_str().into()),
            ("session_timeout", format!("{}s", SESSION.as_secs()).into()),
            ("dead_letter_topic", self.dead_letters.as_str().into()),
        ];
        if self.store == Store::Kafka && self.named {
            kafka.push(("group_instance_id", format!("{}-{daemon}", self.group).into()));
        }
        table("kafka", kafka);
        let mut checkpoint = vec![
            ("directory", self.directory.join(format!("state-{daemon}")).display().to_string().into()),
            ("interval", "1s".into()),
        ];
        if self.store == Store::Kafka {
            checkpoint.push(("store", "kafka".into()));
            checkpoint.push(("topic", self.checkpoints.as_str().into()));
        }
        table("checkpoint", checkpoint);
        if self.scorer != Scorer::Embedded {
            table("scorer", vec![("kind", self.scorer.name().into()), ("transformer", SLOW.parse::<Table>()?.into())]);
        }
        table("http", vec![("listen", "127.0.0.1:0".into())]);
        table("log", vec![("level", "info,latido=debug".into())]);
        let path = self.directory.join(format!("daemon-{daemon}.toml"));
        fs::write(&path, settings.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// `latido <command> --config FILE <more>`, its environment free of settings meant for others.
    fn command(&self, command: &[&str], daemon: usize, more: &[&str]) -> Result<Command> {
        let mut started = Command::new(&self.program);
        started.args(command).arg("--config").arg(self.config(daemon)?).args(more).env("NO_COLOR", "1");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LATIDO_")) {
            started.env_remove(name);
        }
        started.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(started)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.log"))
    }

    /// What `latido checkpoint show` says; none before the first checkpoint.
    pub(crate) fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        let output = self.command(&["checkpoint", "show"], 0, &["--json"])?.output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() && error.contains("no checkpoint") {
            return Ok(None);
        }
        ensure!(output.status.success(), "latido checkpoint show: {}: {error}", output.status);
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(Some(serde_json::from_str(&text).with_context(|| format!("latido checkpoint show printed {text}"))?))
    }

    /// Starts another daemon with the config of one that runs. How that ended, and whether it said why.
    pub(crate) fn start_rival(&self, daemon: usize, life: usize) -> Result<(Ending, bool)> {
        let log = self.log(&format!("rival-{life}"));
        let mut rival = Guarded::start("a rival daemon", &log, &self.command(&["run"], daemon, &[])?)?;
        let ending = rival.wait_end(LISTEN_LIMIT)?;
        Ok((ending, rival.text().contains(REFUSED)))
    }
}

/// A running daemon. It is killed on drop.
pub(crate) struct Daemon {
    process: Guarded,
    address: String,
    agent: Agent,
}

impl Daemon {
    /// Starts it; returns once it listens.
    pub(crate) fn start(ground: &Ground, daemon: usize, life: usize) -> Result<Self> {
        let log = ground.log(&format!("daemon-{daemon}-life-{life}"));
        let name = format!("daemon {daemon}");
        let mut process = Guarded::start(&name, &log, &ground.command(&["run"], daemon, &[])?)?;
        let address = wait_for(&format!("{name} listens"), LISTEN_LIMIT, || {
            if let Some(address) = address_in(&process.text()) {
                return Ok(Progress::Done(address));
            }
            let ended = process.ended()?;
            ensure!(ended.is_none(), "{name} ended with {ended:?} instead of listening\n{}", process.tail());
            Ok(Progress::NotYet(process.tail()))
        })?;
        let agent = Agent::config_builder().timeout_global(Some(HTTP_LIMIT)).build().into();
        Ok(Self { process, address, agent })
    }

    /// One scrape.
    pub(crate) fn metrics(&self) -> Result<Samples> {
        let url = format!("http://{}/metrics", self.address);
        let mut response = self.agent.get(&url).call().with_context(|| format!("{url} does not answer"))?;
        Ok(Samples::parse(&response.body_mut().read_to_string()?))
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Result<Option<Ending>> {
        self.process.ended()
    }

    /// Sends SIGKILL and waits until it is gone.
    pub(crate) fn kill(self) -> Result<()> {
        self.process.kill()
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(mut self) -> Result<Ending> {
        self.process.signal(Signal::Terminate)?;
        self.process.wait_end(DRAIN_LIMIT)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// The end of what it said.
    pub(crate) fn tail(&self) -> String {
        self.process.tail()
    }
}

/// The address in the line that says where a daemon listens.
fn address_in(log: &str) -> Option<String> {
    let line = log.lines().find_map(|line| line.split_once(LISTENING))?.1;
    // Without its end the line is not whole yet.
    log.ends_with('\n').then(|| line.trim().to_owned())
}

/// What `latido checkpoint show --json` prints.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Checkpoint {
    partitions: Vec<SavedPartition>,
    panes: Vec<SavedPane>,
}

#[derive(Clone, Debug, Deserialize)]
struct SavedPartition {
    topic: String,
    partition: i32,
    next_offset: i64,
}

#[derive(Clone, Debug, Deserialize)]
struct SavedPane {
    department: String,
    start: i64,
    messages: u64,
    negative: u64,
    frustrated: u64,
}

/// What a pane holds; moods are 0 where nobody knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pane {
    /// Scored messages.
    pub(crate) messages: u64,
    /// Negative ones.
    pub(crate) negative: u64,
    /// Frustrated ones.
    pub(crate) frustrated: u64,
}

/// Panes by department and start in milliseconds.
pub(crate) type Panes = BTreeMap<(String, i64), Pane>;

impl Checkpoint {
    /// Next offsets of a topic by partition; 0 where nothing is saved.
    pub(crate) fn next_offsets(&self, topic: &str, partitions: i32) -> Vec<i64> {
        let of = |number| self.partitions.iter().find(|saved| saved.topic == topic && saved.partition == number);
        (0..partitions).map(|number| of(number).map_or(0, |saved| saved.next_offset)).collect()
    }

    /// The panes with messages, with moods or without.
    pub(crate) fn panes(&self, has_moods: bool) -> Result<Panes> {
        let mut panes = Panes::new();
        for SavedPane { department, start, messages, negative, frustrated } in &self.panes {
            let known = |messages: u64| if has_moods { messages } else { 0 };
            let pane = Pane { messages: *messages, negative: known(*negative), frustrated: known(*frustrated) };
            if panes.insert((department.clone(), *start), pane).is_some() {
                bail!("latido checkpoint show names pane {start} of {department} twice");
            }
        }
        panes.retain(|_, pane| *pane != Pane::default());
        Ok(panes)
    }
}

/// Builds the program; where it is.
pub(crate) fn build(target: &Path, features: Option<&str>) -> Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "latido", "--bin", "latido"]);
    if let Some(features) = features {
        cargo.args(["--features", features]);
    }
    ensure!(cargo.status()?.success(), "latido cannot be built");
    Ok(target.join("debug/latido"))
}
