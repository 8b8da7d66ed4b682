//! From a broker in another process to windows: Latido and a bare consumer drain the same backlog.
//!
//! `cargo bench --bench end_to_end -- --records 1000000`
//!
//! The broker is Apache Kafka where `cargo xtask kafka` (or `LATIDO_KAFKA_LIBS`) has put its jars, else librdkafka's mock
//! cluster in a child process. The mock keeps little, so there a feeder in the child runs just ahead of the reader, and the
//! figures are those of reader and feeder together. CPU time is this process's own, from the first records to the last.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench prints, and ends at any trouble"
)]

mod backlog;
#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use backlog::{Backlog, Drained, PARTITIONS, Stopwatch};
use latido::config::{Config, DepartmentConfig};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::mocking::MockCluster;
use support::broker::{Place, RealKafka};

const DEPARTMENTS: [&str; 6] = ["billing", "delivery", "returns", "shop", "support", "web"];
/// Of event time.
const SPAN_MILLIS: u64 = 3_600_000;
/// How far the mock's feeder may be ahead: below what its partitions keep.
const AHEAD: u64 = 40_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--mock-broker") {
        return host_mock();
    }
    let place = arguments.iter().position(|argument| argument == "--records");
    let records = place.map_or(1_000_000, |place| arguments[place + 1].parse().expect("--records takes a number"));
    let source = Source::start(records);
    println!("{records} records over {PARTITIONS} partitions, {}", source.name());
    let bare = source.drained("bare", records, drain_bare);
    println!("bare consumer: {bare}");
    let latido = source.drained("latido", records, drain_latido);
    println!("latido:        {latido}");
    println!(
        "ratio: {:.2} of the bare consumer's rate, {:.1} times its CPU time",
        latido.rate() / bare.rate(),
        latido.cpu_per_million() / bare.cpu_per_million()
    );
}

/// Where the records come from.
enum Source {
    Kafka(RealKafka),
    Mock,
}

impl Source {
    /// With the backlog written already, where the broker can keep it.
    fn start(records: u64) -> Self {
        let jars = std::env::var_os("LATIDO_KAFKA_LIBS").is_some_and(|path| Path::new(&path).is_dir());
        if !jars && !Path::new(env!("CARGO_MANIFEST_DIR")).join("target/kafka/libs").is_dir() {
            return Self::Mock;
        }
        let kafka = Place::new().start();
        kafka.create_topic("backlog", PARTITIONS, &[]);
        feed(kafka.bootstrap(), "backlog", records, || u64::MAX);
        Self::Kafka(kafka)
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Kafka(_) => "Apache Kafka in another process, all written before",
            Self::Mock => "librdkafka's mock cluster in another process, written meanwhile",
        }
    }

    /// Has a reader drain a topic; it tells how many it has read.
    fn drained(&self, reader: &str, records: u64, drain: fn(&str, &str, u64, &dyn Fn(u64)) -> Drained) -> Drained {
        match self {
            Self::Kafka(kafka) => drain(kafka.bootstrap(), "backlog", records, &|_| {}),
            Self::Mock => {
                let mock = MockProcess::start(reader, records);
                drain(&mock.servers, reader, records, &|read| mock.tell(read))
            }
        }
    }
}

fn drain_bare(servers: &str, topic: &str, records: u64, tell: &dyn Fn(u64)) -> Drained {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "bare")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("fetch.queue.backoff.ms", "5")
        .create()
        .expect("a consumer");
    consumer.subscribe(&[topic]).expect("subscribed");
    let (mut read, mut watch) = (0, None);
    let joining = Instant::now();
    while read < records {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(_)) => read += 1,
            Some(Err(error)) => panic!("{error}"),
            None => {
                assert!(joining.elapsed() < Duration::from_secs(120), "only {read} records came");
                continue;
            }
        }
        watch.get_or_insert_with(|| Stopwatch::start(0));
        if read % 1_000 == 0 {
            tell(read);
        }
    }
    watch.expect("records came").stop(read)
}

fn drain_latido(servers: &str, topic: &str, records: u64, tell: &dyn Fn(u64)) -> Drained {
    let home = tempfile::tempdir().expect("a directory");
    let mut config = Config::default();
    config.kafka.brokers = vec![servers.to_owned()];
    config.kafka.topics = vec![topic.to_owned()];
    config.checkpoint.directory = home.path().to_owned();
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.departments = DEPARTMENTS.map(DepartmentConfig::named).to_vec();
    backlog::drain_latido(config, records, tell)
}

/// Writes the last hour's records, never beyond `limit`.
fn feed(servers: &str, topic: &str, records: u64, limit: impl Fn() -> u64) {
    let departments = DEPARTMENTS.map(str::to_owned);
    let now = u64::try_from(SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis()).unwrap();
    let begun = now - SPAN_MILLIS;
    Backlog { topic, departments: &departments, records, begun, span_millis: SPAN_MILLIS }.feed(servers, limit);
}

/// The child that hosts the mock cluster, and its feeder.
struct MockProcess {
    child: Child,
    orders: std::cell::RefCell<ChildStdin>,
    servers: String,
}

impl MockProcess {
    fn start(topic: &str, records: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .arg("--mock-broker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut orders = child.stdin.take().expect("piped");
        writeln!(orders, "{topic} {records}").expect("the child listens");
        let mut servers = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut servers).expect("the child answers");
        Self { child, orders: orders.into(), servers: servers.trim().to_owned() }
    }

    /// Tells the feeder how far the reader has come.
    fn tell(&self, read: u64) {
        writeln!(self.orders.borrow_mut(), "{read}").expect("the child listens");
    }
}

impl Drop for MockProcess {
    fn drop(&mut self) {
        self.child.kill().expect("the child ends");
        self.child.wait().expect("the child ended");
    }
}

/// The child: reads its orders line by line, the first being topic and count, the others how far the reader has come.
fn host_mock() {
    let mut orders = std::io::stdin().lines();
    let first = orders.next().expect("an order").expect("text");
    let (topic, records) = first.split_once(' ').expect("topic and count");
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic(topic, PARTITIONS, 1).expect("a topic");
    let servers = cluster.bootstrap_servers();
    println!("{servers}");
    let read = Arc::new(AtomicU64::new(0));
    let (limit, topic, records) = (Arc::clone(&read), topic.to_owned(), records.parse().expect("a count"));
    thread::spawn(move || feed(&servers, &topic, records, || limit.load(Ordering::Relaxed) + AHEAD));
    for line in orders {
        read.store(line.expect("text").parse().expect("a count"), Ordering::Relaxed);
    }
}
