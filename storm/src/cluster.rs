//! Three real brokers that can be killed and started again.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::metadata::Metadata;
use rdkafka::{Offset, TopicPartitionList};
use tempfile::TempDir;

use crate::guarded::Guarded;
use crate::wait::{Progress, seconds, wait_for};

/// How many there are. Each topic has a replica on each, and takes a record once two have it.
pub(crate) const BROKERS: usize = 3;
/// 16 bytes in base64, as Kafka wants a cluster's name.
const CLUSTER_ID: &str = "bGF0aWRvLXN0b3JtLWNsdQ";
/// Where consumer groups live.
const GROUPS: &str = "__consumer_offsets";
const GROUPS_PARTITIONS: i32 = 6;
const START_LIMIT: Duration = seconds(120);
const CALL_LIMIT: Duration = seconds(30);

/// Removes the brokers' directory once we are gone, however we went.
const JANITOR: &str = r#"trap '' INT TERM; cat >/dev/null; sleep 2; rm -rf "$1""#;

/// A running cluster. It ends when dropped, and when this process ends.
pub(crate) struct Cluster {
    jars: String,
    directory: PathBuf,
    ports: Vec<[u16; 2]>,
    /// None while it is down.
    brokers: Vec<Option<Guarded>>,
    client: BaseConsumer,
    janitor: Child,
}

impl Cluster {
    /// Formats three directories, starts three brokers and waits until they are one cluster.
    pub(crate) fn start(jars: &Path) -> Result<Self> {
        let directory = TempDir::with_prefix("latido-storm-")?.keep();
        let mut janitor = Command::new("sh");
        janitor.args(["-c", JANITOR, "sh"]).arg(&directory).stdin(Stdio::piped());
        let janitor = janitor.spawn().context("cannot start sh")?;
        // All are held at once, so that no two are the same.
        let sockets = (0..BROKERS * 2).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<Vec<_>, _>>()?;
        let free = sockets.iter().map(|socket| Ok(socket.local_addr()?.port())).collect::<Result<Vec<_>>>()?;
        drop(sockets);
        let ports: Vec<[u16; 2]> = free.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
        let client = client_config(&bootstrap(&ports)).create()?;
        let jars = format!("{}/*", jars.display());
        let mut cluster =
            Self { jars, directory, ports, brokers: (0..BROKERS).map(|_| None).collect(), client, janitor };
        cluster.format()?;
        for broker in 0..BROKERS {
            cluster.start_broker(broker)?;
        }
        cluster.wait_whole()?;
        Ok(cluster)
    }

    /// The addresses clients start from.
    pub(crate) fn bootstrap(&self) -> String {
        bootstrap(&self.ports)
    }

    fn format(&self) -> Result<()> {
        let mut running = Vec::new();
        for broker in 0..BROKERS {
            let config = self.write_config(broker)?;
            let mut format = Command::new("java");
            format.args(["-cp", &self.jars, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]).arg(config);
            format.stdout(Stdio::piped()).stderr(Stdio::piped());
            running.push(format.spawn().context("cannot start java: install Java 17")?);
        }
        for format in running {
            let output = format.wait_with_output()?;
            ensure!(output.status.success(), "Kafka's storage cannot be formatted: {output:?}");
        }
        Ok(())
    }

    fn write_config(&self, broker: usize) -> Result<PathBuf> {
        let [port, controller_port] = self.ports[broker];
        let id = id_of(broker);
        let voter = |(broker, ports): (usize, &[u16; 2])| format!("{}@127.0.0.1:{}", id_of(broker), ports[1]);
        let voters: Vec<String> = self.ports.iter().enumerate().map(voter).collect();
        let config = format!(
            "process.roles=broker,controller\n\
             node.id={id}\n\
             controller.quorum.voters={voters}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
             controller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=PLAINTEXT\n\
             log.dirs={logs}\n\
             auto.create.topics.enable=false\n\
             default.replication.factor=3\n\
             min.insync.replicas=2\n\
             offsets.topic.num.partitions={GROUPS_PARTITIONS}\n\
             offsets.topic.replication.factor=3\n\
             transaction.state.log.num.partitions=3\n\
             transaction.state.log.replication.factor=3\n\
             transaction.state.log.min.isr=2\n\
             share.coordinator.state.topic.replication.factor=3\n\
             share.coordinator.state.topic.min.isr=2\n\
             group.initial.rebalance.delay.ms=0\n\
             group.min.session.timeout.ms=1000\n\
             # Kafka's own default: a dead broker is missed for longer than a session of the daemons lasts.\n\
             broker.session.timeout.ms=9000\n\
             # Back in sync, it soon leads again.\n\
             auto.leader.rebalance.enable=true\n\
             leader.imbalance.check.interval.seconds=3\n\
             log.index.size.max.bytes=1048576\n",
            voters = voters.join(","),
            logs = self.directory.join(format!("data-{id}")).display(),
        );
        let path = self.directory.join(format!("server-{id}.properties"));
        fs::write(&path, config).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Starts a broker that is down, on what it had; does not wait for it.
    pub(crate) fn start_broker(&mut self, broker: usize) -> Result<()> {
        let id = id_of(broker);
        let mut program = Command::new("java");
        program.args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        program.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", &self.jars, "kafka.Kafka"]);
        program.arg(self.directory.join(format!("server-{id}.properties")));
        let log = self.directory.join(format!("broker-{id}.log"));
        self.brokers[broker] = Some(Guarded::start(&format!("broker {id}"), &log, &program)?);
        Ok(())
    }

    /// Kills a broker (SIGKILL) and waits until the others have taken its partitions over.
    pub(crate) fn kill_broker(&mut self, broker: usize) -> Result<()> {
        if let Some(running) = self.brokers[broker].take() {
            running.kill()?;
        }
        Ok(())
    }

    /// Waits until the others have noticed that a broker is gone.
    pub(crate) fn wait_noticed(&self, broker: usize) -> Result<()> {
        let id = id_of(broker);
        wait_for(&format!("broker {id} is missed"), START_LIMIT, || {
            let metadata = match self.metadata() {
                Ok(metadata) => metadata,
                Err(error) => return Ok(Progress::NotYet(error.to_string())),
            };
            let mut partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
            if partitions.any(|partition| partition.isr().contains(&id) || partition.leader() == id) {
                return Ok(Progress::NotYet(format!("{id} is in sync or leads")));
            }
            Ok(Progress::Done(()))
        })
    }

    /// Waits until every broker is there and every replica in sync.
    pub(crate) fn wait_whole(&mut self) -> Result<()> {
        let Self { brokers, client, .. } = self;
        wait_for("the brokers are all in sync", START_LIMIT, || {
            for running in brokers.iter_mut().flatten() {
                let ended = running.ended()?;
                ensure!(ended.is_none(), "a broker ended by itself: {ended:?}\n{}", running.tail());
            }
            let metadata = match client.fetch_metadata(None, seconds(2)) {
                Ok(metadata) => metadata,
                Err(error) => return Ok(Progress::NotYet(error.to_string())),
            };
            if metadata.brokers().len() < BROKERS {
                return Ok(Progress::NotYet(format!("{} brokers", metadata.brokers().len())));
            }
            let behind = metadata.topics().iter().find(|topic| {
                topic.partitions().iter().any(|partition| partition.isr().len() < BROKERS || partition.leader() < 0)
            });
            Ok(behind.map_or(Progress::Done(()), |topic| Progress::NotYet(format!("{} is not in sync", topic.name()))))
        })
    }

    /// The broker that coordinates a group, as the others see it now.
    pub(crate) fn coordinator(&self, group: &str) -> Result<usize> {
        // A group lives in one partition of the groups' topic, and its leader coordinates it.
        self.leader(GROUPS, i32::try_from(java_hash(group).rem_euclid(i64::from(GROUPS_PARTITIONS)))?)
    }

    /// The broker that leads a partition, as the others see it now.
    pub(crate) fn leader(&self, topic: &str, partition: i32) -> Result<usize> {
        let metadata = self.metadata()?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let partitions = found.with_context(|| format!("there is no topic {topic}"))?.partitions();
        let found = partitions.iter().find(|found| found.id() == partition);
        let leader = found.with_context(|| format!("{topic} has no partition {partition}"))?.leader();
        (0..BROKERS)
            .find(|broker| id_of(*broker) == leader)
            .with_context(|| format!("{topic}[{partition}] has no leader"))
    }

    fn metadata(&self) -> Result<Metadata> {
        Ok(self.client.fetch_metadata(None, seconds(5))?)
    }

    /// Creates topics; returns when they are in sync.
    pub(crate) fn create_topics(&mut self, topics: &[(&str, i32)]) -> Result<()> {
        let replicas = i32::try_from(BROKERS)?;
        let fixed = || TopicReplication::Fixed(replicas);
        let new: Vec<NewTopic<'_>> =
            topics.iter().map(|(name, partitions)| NewTopic::new(name, *partitions, fixed())).collect();
        let options = AdminOptions::new().operation_timeout(Some(CALL_LIMIT));
        let created = wait(self.admin()?.create_topics(&new, &options))??;
        for topic in created {
            topic.map_err(|(name, code)| anyhow::anyhow!("cannot create topic {name}: {code}"))?;
        }
        let Self { client, .. } = self;
        wait_for("the topics are known", CALL_LIMIT, || {
            let metadata = match client.fetch_metadata(None, seconds(2)) {
                Ok(metadata) => metadata,
                Err(error) => return Ok(Progress::NotYet(error.to_string())),
            };
            let missing = topics.iter().find(|(name, partitions)| {
                !metadata.topics().iter().any(|topic| {
                    topic.name() == *name
                        && i32::try_from(topic.partitions().len()).is_ok_and(|there| there == *partitions)
                })
            });
            Ok(missing.map_or(Progress::Done(()), |(name, _)| Progress::NotYet(format!("{name} is not there"))))
        })?;
        self.wait_whole()
    }

    /// Deletes topics that are there.
    pub(crate) fn delete_topics(&self, topics: &[&str]) -> Result<()> {
        let options = AdminOptions::new().operation_timeout(Some(CALL_LIMIT));
        wait(self.admin()?.delete_topics(topics, &options))??;
        Ok(())
    }

    /// What the group has committed of a topic, by partition; -1 where nothing is.
    pub(crate) fn committed(&self, group: &str, topic: &str, partitions: i32) -> Result<Vec<i64>> {
        let client: BaseConsumer = client_config(&self.bootstrap()).set("group.id", group).create()?;
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        // Leaders and coordinators still move when a broker has just come back.
        let committed = wait_for("the group's offsets are known", CALL_LIMIT, || {
            let answer = client.committed_offsets(list.clone(), seconds(5));
            Ok(answer.map_or_else(|error| Progress::NotYet(error.to_string()), Progress::Done))
        })?;
        let of = |partition| match committed.find_partition(topic, partition).map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => offset,
            _ => -1,
        };
        Ok((0..partitions).map(of).collect())
    }

    fn admin(&self) -> Result<AdminClient<DefaultClientContext>> {
        Ok(client_config(&self.bootstrap()).create()?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.brokers.clear();
        drop(self.janitor.stdin.take());
        drop(self.janitor.wait());
    }
}

/// A client that looks on and changes nothing.
pub(crate) fn client_config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("log_level", "0");
    config.set("enable.auto.commit", "false").set("group.id", "latido-storm-looks-on");
    config
}

fn bootstrap(ports: &[[u16; 2]]) -> String {
    let addresses: Vec<String> = ports.iter().map(|[port, _]| format!("127.0.0.1:{port}")).collect();
    addresses.join(",")
}

/// Kafka's number of a broker.
pub(crate) fn id_of(broker: usize) -> i32 {
    i32::try_from(broker).map_or(i32::MAX, |broker| broker + 1)
}

/// The amount of Java's `String.hashCode`, by which a group finds its partition of the groups' topic; of the one amount that
/// Java cannot tell, 0, as Kafka has it.
fn java_hash(text: &str) -> i64 {
    let hash = text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    hash.checked_abs().map_or(0, i64::from)
}

/// Waits for an answer of the admin client, which has a thread of its own.
fn wait<T>(answer: impl Future<Output = T>) -> Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_finds_its_coordinator_as_java_hashes() {
        assert_eq!(java_hash("hello"), 99_162_322);
        assert_eq!(java_hash("polygenelubricants"), 0);
        assert_eq!(java_hash("latido"), 1109877579, "its hash is negative");
    }
}
