//! The daemon as its operators meet it: a config file, a process, its HTTP side and its checkpoint.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output};
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use toml::{Table, Value};
use ureq::Agent;

use super::exposition::Samples;
use super::process::{Log, Process};
use super::{seconds, wait_for};

const PROGRAM: &str = env!("CARGO_BIN_EXE_latido");
/// What the daemon prints once it listens.
const LISTENING: &str = "listening on http://";
const LISTEN_LIMIT: Duration = seconds(30);
const HTTP_LIMIT: Duration = seconds(10);
const END_LIMIT: Duration = seconds(30);

/// The program with these arguments, its environment free of settings meant for others.
pub(crate) fn latido<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LATIDO__") {
            command.env_remove(name);
        }
    }
    command
}

/// A config and a checkpoint directory that outlive the daemons started on them.
pub(crate) struct Home {
    directory: TempDir,
    settings: Table,
}

impl Home {
    /// Four departments, a free port for HTTP, a checkpoint each second.
    pub(crate) fn new(brokers: &str, topics: &[&str], group: &str) -> Self {
        let directory = TempDir::with_prefix("latido-home-").expect("a temporary directory");
        let checkpoint = directory.path().join("checkpoint").display().to_string();
        let home = Self { directory, settings: departments() };
        home.set("kafka.brokers", vec![brokers])
            .set("kafka.topics", topics.to_vec())
            .set("kafka.group", group)
            .set("http.listen", "127.0.0.1:0")
            .set("checkpoint.directory", checkpoint)
            .set("checkpoint.interval", "1s")
    }

    /// Sets a dotted key.
    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.change(key, value);
        self
    }

    /// Sets a dotted key of a config that is in use; [`Self::config`] writes it.
    pub(crate) fn change(&mut self, key: &str, value: impl Into<Value>) {
        let (tables, last) = key.rsplit_once('.').map_or((None, key), |(tables, last)| (Some(tables), last));
        let mut table = &mut self.settings;
        for name in tables.into_iter().flat_map(|tables| tables.split('.')) {
            let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
            table = entry.as_table_mut().unwrap_or_else(|| panic!("{name} in {key} is no table"));
        }
        table.insert(last.to_owned(), value.into());
    }

    /// The directory of its checkpoints, which may not exist yet.
    pub(crate) fn checkpoint_directory(&self) -> PathBuf {
        let directory = self.settings["checkpoint"]["directory"].as_str().expect("a directory is set");
        PathBuf::from(directory)
    }

    /// Writes the config; its path.
    pub(crate) fn config(&self) -> PathBuf {
        let path = self.directory.path().join("latido.toml");
        fs::write(&path, self.settings.to_string()).expect("the config is written");
        path
    }

    /// `latido <command> --config FILE <more>`.
    pub(crate) fn command(&self, command: &[&str], more: &[&str]) -> Command {
        let mut started = latido(command.iter().copied());
        started.arg("--config").arg(self.config()).args(more).current_dir(self.directory.path());
        started
    }

    /// Starts `latido run`; returns once it listens.
    pub(crate) fn start(&self) -> Daemon {
        self.start_with(&[])
    }

    /// Starts `latido run` with more arguments; returns once it listens.
    pub(crate) fn start_with(&self, more: &[&str]) -> Daemon {
        Daemon::start(&mut self.command(&["run"], more))
    }

    /// Starts `latido run`, which is expected to end by itself; its exit code and standard error.
    pub(crate) fn run_in_vain(&self) -> (Option<i32>, String) {
        let mut process = Process::start("latido", &mut self.command(&["run"], &[]));
        let code = process.wait_end(END_LIMIT);
        (code, process.stderr.text())
    }

    /// What `latido checkpoint show` says.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        self.try_checkpoint().unwrap_or_else(|output| panic!("latido checkpoint show: {output:?}"))
    }

    /// What `latido checkpoint show` says, or how it failed (before the first checkpoint, for one).
    pub(crate) fn try_checkpoint(&self) -> Result<Checkpoint, Output> {
        let output = self.command(&["checkpoint", "show"], &["--json"]).output().expect("latido starts");
        if !output.status.success() {
            return Err(output);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}")))
    }
}

fn departments() -> Table {
    let text = r#"
        [[departments]]
        id = "billing"
        aliases = ["Facturación", "cobros"]
        team = "billing-leads"
        time_zone = "America/Mexico_City"

        [[departments]]
        id = "delivery"
        aliases = ["envíos"]
        team = "delivery-leads"

        [[departments]]
        id = "support"
        aliases = ["soporte técnico"]
        team = "support-leads"
    "#;
    text.parse().expect("the departments are TOML")
}

/// A running `latido run` (or any command that serves HTTP). It is killed on drop.
pub(crate) struct Daemon {
    process: Process,
    address: String,
    agent: Agent,
}

impl Daemon {
    /// Starts the command; returns once it says where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = Process::start("latido", command);
        let address = process.wait_until("latido listens", LISTEN_LIMIT, |process| {
            let found = [&process.stdout, &process.stderr].into_iter().find_map(address_in);
            found.ok_or_else(|| "no address yet".to_owned())
        });
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(HTTP_LIMIT));
        Self { process, address, agent: config.build().into() }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Status and body of a path.
    pub(crate) fn get(&self, path: &str) -> Result<(u16, String), String> {
        let url = format!("http://{}{path}", self.address);
        let mut response = self.agent.get(&url).call().map_err(|error| format!("{url}: {error}"))?;
        let body = response.body_mut().read_to_string().map_err(|error| format!("{url}: {error}"))?;
        Ok((response.status().as_u16(), body))
    }

    /// One scrape.
    pub(crate) fn metrics(&self) -> Result<Samples, String> {
        let (status, body) = self.get("/metrics")?;
        if status == 200 { Ok(Samples::parse(&body)) } else { Err(format!("/metrics answers {status}: {body}")) }
    }

    /// Asks until the probe has an answer; fails at the limit, and at once when the daemon is gone.
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

    /// Waits until a scrape satisfies the predicate; that scrape.
    pub(crate) fn wait_for_metrics(
        &mut self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&Samples) -> bool,
    ) -> Samples {
        self.wait_until(what, limit, |daemon| {
            let samples = daemon.metrics()?;
            if wanted(&samples) { Ok(samples) } else { Err(summary(&samples)) }
        })
    }

    /// Waits until `/readyz` answers 200.
    pub(crate) fn wait_ready(&mut self, limit: Duration) {
        self.wait_until("/readyz answers 200", limit, |daemon| match daemon.get("/readyz")? {
            (200, _) => Ok(()),
            (status, body) => Err(format!("{status} {body}")),
        });
    }

    /// Waits until `/readyz` refuses for a reason that holds these words; the whole answer.
    pub(crate) fn wait_unready(&mut self, words: &str, limit: Duration) -> String {
        self.wait_until(&format!("/readyz speaks of `{words}`"), limit, |daemon| match daemon.get("/readyz")? {
            (503, body) if body.contains(words) => Ok(body),
            (status, body) => Err(format!("{status} {body}")),
        })
    }

    /// Waits until so many messages were scored, and nothing is left unread.
    pub(crate) fn wait_scored(&mut self, messages: u64, limit: Duration) -> Samples {
        self.wait_for_metrics(&format!("{messages} messages are scored"), limit, |samples| {
            samples.count("latido_messages_total", &[]) >= messages && has_read_everything(samples)
        })
    }

    /// Waits until a line on standard error holds these words.
    pub(crate) fn wait_says(&mut self, words: &str, limit: Duration) {
        self.wait_until(&format!("the log says `{words}`"), limit, |daemon| {
            if daemon.log().says(words) { Ok(()) } else { Err("it does not".to_owned()) }
        });
    }

    /// Its standard error.
    pub(crate) fn log(&self) -> &Log {
        &self.process.stderr
    }

    /// Its standard output.
    pub(crate) fn output(&self) -> &Log {
        &self.process.stdout
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Waits until it ends by itself; its exit code.
    pub(crate) fn wait_end(&mut self, limit: Duration) -> Option<i32> {
        self.process.wait_end(limit)
    }

    /// Sends SIGTERM and asserts that it drains and exits 0.
    pub(crate) fn stop(mut self) {
        let code = self.process.terminate(END_LIMIT);
        assert_eq!(code, Some(0), "after SIGTERM:\n{}", self.process.tail());
    }

    /// Sends SIGTERM to one that cannot drain; its exit code and standard error.
    pub(crate) fn stop_in_vain(mut self) -> (Option<i32>, String) {
        let code = self.process.terminate(END_LIMIT);
        (code, self.process.stderr.text())
    }

    /// Stops it in its tracks: SIGSTOP.
    pub(crate) fn freeze(&mut self) {
        self.process.signal("STOP");
    }

    /// Lets it go on: SIGCONT.
    pub(crate) fn thaw(&mut self) {
        self.process.signal("CONT");
    }

    /// Has it read its config anew: SIGHUP.
    pub(crate) fn reload(&mut self) {
        self.process.signal("HUP");
    }

    /// Sends SIGKILL.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }
}

/// The address in the line that says where the daemon listens.
fn address_in(log: &Log) -> Option<String> {
    let lines = log.lines();
    let rest = lines.iter().find_map(|line| line.split_once(LISTENING))?.1;
    let end = rest.find(|character: char| !character.is_ascii_digit() && !".:".contains(character));
    Some(rest[..end.unwrap_or(rest.len())].to_owned())
}

/// Whether no partition has records that are not folded yet.
fn has_read_everything(samples: &Samples) -> bool {
    let mut lags = samples.of("latido_consumer_lag_records", &[]).peekable();
    lags.peek().is_some() && lags.all(|lag| lag.value == 0.0)
}

/// The figures that tell how far the daemon is.
fn summary(samples: &Samples) -> String {
    const SHOWN: [&str; 7] = [
        "latido_messages_total",
        "latido_context_messages_total",
        "latido_rejected_records_total",
        "latido_late_messages_total",
        "latido_consumer_lag_records",
        "latido_assigned_partitions",
        "latido_catching_up",
    ];
    SHOWN.map(|name| format!("{name} {}", samples.sum(name, &[]))).join(", ")
}

/// What `latido checkpoint show --json` prints.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Checkpoint {
    /// Where each partition goes on.
    pub(crate) partitions: Vec<SavedPartition>,
    /// The panes kept.
    pub(crate) panes: Vec<SavedPane>,
}

/// A partition in a checkpoint.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SavedPartition {
    /// Its topic.
    pub(crate) topic: String,
    /// Its number.
    pub(crate) partition: i32,
    /// The offset to read next.
    pub(crate) next_offset: i64,
}

/// A pane in a checkpoint.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SavedPane {
    /// Id of the department.
    pub(crate) department: String,
    /// Start in milliseconds since the epoch.
    pub(crate) start: i64,
    /// Scored messages.
    pub(crate) messages: u64,
    /// Negative ones.
    pub(crate) negative: u64,
    /// Frustrated ones.
    pub(crate) frustrated: u64,
}

impl Checkpoint {
    /// Next offsets of a topic by partition.
    pub(crate) fn next_offsets(&self, topic: &str) -> BTreeMap<i32, i64> {
        let of_topic = self.partitions.iter().filter(|partition| partition.topic == topic);
        of_topic.map(|partition| (partition.partition, partition.next_offset)).collect()
    }

    /// Messages by department and pane, of the panes that start at or after that moment (milliseconds).
    pub(crate) fn messages_from(&self, millis: i64) -> BTreeMap<(String, i64), u64> {
        let kept = self.panes.iter().filter(|pane| pane.start >= millis && pane.messages > 0);
        kept.map(|pane| ((pane.department.clone(), pane.start), pane.messages)).collect()
    }

    /// Negative and frustrated messages by department and pane, from that moment (milliseconds) on.
    pub(crate) fn moods_from(&self, millis: i64) -> BTreeMap<(String, i64), (u64, u64)> {
        let kept = self.panes.iter().filter(|pane| pane.start >= millis && pane.messages > 0);
        kept.map(|pane| ((pane.department.clone(), pane.start), (pane.negative, pane.frustrated))).collect()
    }
}
