//! A real Apache Kafka, started and ended by the tests themselves.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use tempfile::TempDir;

use super::process::Process;
use super::{Progress, free_port, seconds, wait_for};

/// Where `cargo xtask kafka` puts the jars, unless `LATIDO_KAFKA_LIBS` says otherwise.
const JARS: &str = "target/kafka/libs";
/// 16 bytes in base64, as Kafka wants a cluster's name.
const CLUSTER_ID: &str = "bGF0aWRvLXRlc3QtYnJvaw";
const START_LIMIT: Duration = seconds(60);
const STOP_LIMIT: Duration = seconds(20);
const CALL_LIMIT: Duration = seconds(20);

/// Runs a server that ends when our end of its standard input closes: however the test binary ends, no
/// broker is left behind. `$1` is the server's directory, removed at the end; the rest is the server.
const GUARDIAN: &str = r#"
directory=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
  cat <&3
  kill -9 "$server"
  while kill -0 "$server"; do sleep 0.1; done
  rm -rf "$directory"
) >/dev/null 2>&1 &
exec 3<&-
wait "$server"
"#;

/// A broker's place: its ports are known before it starts, so that a daemon can look for it in vain.
pub(crate) struct Place {
    directory: TempDir,
    port: u16,
    controller_port: u16,
}

impl Place {
    /// Takes two free ports and a directory.
    pub(crate) fn new() -> Self {
        let directory = TempDir::with_prefix("latido-kafka-").expect("a temporary directory");
        Self { directory, port: free_port(), controller_port: free_port() }
    }

    /// The address clients start from.
    pub(crate) fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Formats the directory, starts the broker and waits until it answers.
    pub(crate) fn start(self) -> RealKafka {
        let config = self.write_config();
        let jars = format!("{}/*", jars().display());
        let mut format = Command::new("java");
        format.args(["-cp", &jars, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]).arg(&config);
        let formatted = format.output().unwrap_or_else(|error| panic!("cannot start java ({error}): install Java 17"));
        assert!(formatted.status.success(), "Kafka's storage cannot be formatted: {formatted:?}");

        let mut guardian = Command::new("sh");
        guardian.args(["-c", GUARDIAN, "sh"]).arg(self.directory.path());
        guardian.args(["java", "-Xmx512m", "-cp", &jars, "kafka.Kafka"]).arg(&config);
        let mut process = Process::start("Apache Kafka", &mut guardian);
        let bootstrap = self.bootstrap();
        let client: BaseConsumer = client_config(&bootstrap).create().expect("a client");
        process.wait_until("Apache Kafka answers", START_LIMIT, |_| {
            match client.fetch_metadata(None, Duration::from_millis(500)) {
                Ok(metadata) if !metadata.brokers().is_empty() => Ok(()),
                Ok(_) => Err("no broker in the metadata".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        });
        RealKafka { process: Mutex::new(process), bootstrap, _directory: self.directory }
    }

    fn write_config(&self) -> PathBuf {
        let Self { directory, port, controller_port } = self;
        let config = format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
             controller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=PLAINTEXT\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             offsets.topic.num.partitions=4\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             group.min.session.timeout.ms=1000\n",
            directory.path().join("data").display(),
        );
        let path = directory.path().join("server.properties");
        fs::write(&path, config).expect("the broker's config is written");
        path
    }
}

fn jars() -> PathBuf {
    let path = env::var_os("LATIDO_KAFKA_LIBS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(JARS), PathBuf::from);
    assert!(path.is_dir(), "no Kafka jars in {}: run `cargo xtask kafka`, which fetches them", path.display());
    path
}

/// The broker that the tests of one binary share; each takes topics and groups of its own.
pub(crate) fn shared() -> &'static RealKafka {
    static SHARED: OnceLock<RealKafka> = OnceLock::new();
    SHARED.get_or_init(|| Place::new().start())
}

/// A running broker. It ends when dropped, or with the test binary.
pub(crate) struct RealKafka {
    process: Mutex<Process>,
    bootstrap: String,
    _directory: TempDir,
}

impl Drop for RealKafka {
    fn drop(&mut self) {
        self.process.get_mut().unwrap_or_else(PoisonError::into_inner).hang_up(STOP_LIMIT);
    }
}

impl RealKafka {
    /// The address clients start from.
    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Creates a topic; returns when it can be written to.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let topic =
            configs.iter().fold(NewTopic::new(name, partitions, TopicReplication::Fixed(1)), |topic, (key, value)| {
                topic.set(key, value)
            });
        let options = AdminOptions::new().operation_timeout(Some(CALL_LIMIT));
        let created = wait(self.admin().create_topics([&topic], &options)).expect("the broker answers");
        assert!(created.iter().all(Result::is_ok), "cannot create topic {name}: {created:?}");
        self.wait_for_leaders(name, partitions);
    }

    fn wait_for_leaders(&self, name: &str, partitions: i32) {
        let client = self.client();
        wait_for(&format!("topic {name} has leaders"), CALL_LIMIT, || {
            // Or the client goes on with what it knew of the topic.
            if let Err(error) = client.fetch_metadata(Some(name), seconds(5)) {
                return Progress::NotYet(error.to_string());
            }
            let ends = (0..partitions).map(|partition| client.fetch_watermarks(name, partition, seconds(5)));
            match ends.collect::<Result<Vec<_>, _>>() {
                Ok(_) => Progress::Done(()),
                Err(error) => Progress::NotYet(error.to_string()),
            }
        });
    }

    /// Gives a topic more partitions; returns when all can be written to.
    pub(crate) fn grow_topic(&self, name: &str, partitions: i32) {
        let wanted = NewPartitions::new(name, usize::try_from(partitions).expect("a few"));
        let options = AdminOptions::new().operation_timeout(Some(CALL_LIMIT));
        let grown = wait(self.admin().create_partitions([&wanted], &options)).expect("the broker answers");
        assert!(grown.iter().all(Result::is_ok), "cannot grow topic {name}: {grown:?}");
        self.wait_for_leaders(name, partitions);
    }

    /// Sets the one setting of a topic, in place of those it has.
    pub(crate) fn set_topic(&self, name: &str, key: &str, value: &str) {
        let wanted = AlterConfig::new(ResourceSpecifier::Topic(name)).set(key, value);
        let altered = wait(self.admin().alter_configs([&wanted], &AdminOptions::new())).expect("the broker answers");
        assert!(altered.iter().all(Result::is_ok), "cannot alter topic {name}: {altered:?}");
    }

    /// Deletes a topic; returns when the broker no longer knows it.
    pub(crate) fn delete_topic(&self, name: &str) {
        let options = AdminOptions::new().operation_timeout(Some(CALL_LIMIT));
        let deleted = wait(self.admin().delete_topics(&[name], &options)).expect("the broker answers");
        assert!(deleted.iter().all(Result::is_ok), "cannot delete topic {name}: {deleted:?}");
        let client = self.client();
        wait_for(&format!("topic {name} is gone"), CALL_LIMIT, || {
            let metadata = client.fetch_metadata(None, seconds(5)).expect("metadata");
            let known = metadata.topics().iter().any(|topic| topic.name() == name);
            if known { Progress::NotYet("still listed".to_owned()) } else { Progress::Done(()) }
        });
    }

    /// Deletes the records of a partition before that offset, as retention does.
    pub(crate) fn delete_records_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("a valid offset");
        let options = AdminOptions::new().operation_timeout(Some(CALL_LIMIT));
        let deleted = wait(self.admin().delete_records(&list, &options));
        assert!(deleted.is_ok(), "cannot delete records of {topic}[{partition}]: {deleted:?}");
    }

    /// First and next offset of each partition.
    pub(crate) fn bounds(&self, topic: &str, partitions: i32) -> Vec<(i64, i64)> {
        let client = self.client();
        (0..partitions)
            .map(|partition| client.fetch_watermarks(topic, partition, CALL_LIMIT).expect("the partition's bounds"))
            .collect()
    }

    /// What the group has committed of a topic, by partition; partitions without a commit are left out.
    pub(crate) fn committed(&self, group: &str, topic: &str, partitions: i32) -> BTreeMap<i32, i64> {
        let client: BaseConsumer = client_config(&self.bootstrap).set("group.id", group).create().expect("a client");
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        let committed = client.committed_offsets(list, CALL_LIMIT).expect("the group's offsets");
        let elements = committed.elements();
        let known = elements.iter().filter_map(|element| Some((element.partition(), element.offset().to_raw()?)));
        known.filter(|(_, offset)| *offset >= 0).collect()
    }

    /// How many members a group has, as its coordinator tells.
    pub(crate) fn members(&self, group: &str) -> usize {
        let listed = self.client().fetch_group_list(Some(group), CALL_LIMIT).expect("the group");
        listed.groups().iter().map(|group| group.members().len()).sum()
    }

    /// Reads a topic of one partition from its first record until so many records are there.
    pub(crate) fn read(&self, topic: &str, records: usize, limit: Duration) -> Vec<Letter> {
        let consumer = self.client();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Beginning).expect("a valid offset");
        consumer.assign(&list).expect("the partition is assigned");
        let mut letters = Vec::new();
        wait_for(&format!("{topic} holds {records} records"), limit, || {
            match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => letters.push(Letter::of(&message)),
                Some(Err(error)) => return Progress::NotYet(error.to_string()),
                None => {}
            }
            if letters.len() < records {
                return Progress::NotYet(format!("{} records", letters.len()));
            }
            Progress::Done(())
        });
        letters
    }

    fn client(&self) -> BaseConsumer {
        client_config(&self.bootstrap).create().expect("a client")
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        client_config(&self.bootstrap).create().expect("a client")
    }
}

/// A record as a reader of a dead-letter topic sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Letter {
    /// Its key.
    pub(crate) key: Option<Vec<u8>>,
    /// Its value.
    pub(crate) value: Option<Vec<u8>>,
    /// Its headers, in order.
    pub(crate) headers: Vec<(String, String)>,
}

impl Letter {
    fn of(message: &rdkafka::message::BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
            headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect()
        });
        Self { key: message.key().map(<[u8]>::to_vec), value: message.payload().map(<[u8]>::to_vec), headers }
    }

    /// The last header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn client_config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("log_level", "2");
    // A reader that only looks must not commit.
    config.set("enable.auto.commit", "false").set("group.id", "latido-tests-look-on");
    config.set("receive.message.max.bytes", "200000000").set("fetch.message.max.bytes", "20000000");
    config
}

/// Waits for an answer of the admin client, which has a thread of its own.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(answer)
}
