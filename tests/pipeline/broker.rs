//! A Kafka of one broker inside the process, and a hand that writes to it and reads from it.

use std::cell::Cell;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{DeliveryResult, Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _, ProducerContext};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// Longest wait for anything: far beyond what it takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

type Cluster = MockCluster<'static, DefaultProducerContext>;
type Order = Box<dyn FnOnce(&Cluster) + Send>;

/// The mock cluster's own thread: a cluster cannot change threads. It ends when this is dropped.
pub(crate) struct Broker {
    pub(crate) servers: String,
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// With these topics of so many partitions.
    pub(crate) fn start(topics: &[(&str, i32)]) -> Self {
        let topics: Vec<(String, i32)> = topics.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let (orders, taken) = bounded::<Order>(0);
        let (report, started) = bounded(1);
        let thread = std::thread::spawn(move || hold(&topics, &report, &taken));
        let servers = started.recv().expect("the mock cluster starts");
        Self { servers, orders: Some(orders), thread: Some(thread) }
    }

    /// Has something done to the cluster, and waits until it is.
    pub(crate) fn order(&self, what: impl FnOnce(&Cluster) + Send + 'static) {
        let (done, wait) = bounded(1);
        let order: Order = Box::new(move |cluster| {
            what(cluster);
            done.send(()).expect("whoever ordered waits");
        });
        self.orders.as_ref().expect("orders are taken until the drop").send(order).expect("the broker lives");
        wait.recv().expect("the order is carried out");
    }

    /// Cuts every connection and takes no new ones.
    pub(crate) fn down(&self) {
        self.order(|cluster| cluster.broker_down(1).expect("the broker goes down"));
    }

    /// Answers again.
    pub(crate) fn up(&self) {
        self.order(|cluster| cluster.broker_up(1).expect("the broker comes up"));
    }

    /// Writes records and returns once the broker has confirmed each.
    pub(crate) fn write(&self, topic: &str, records: &[Written]) {
        let producer: BaseProducer<Confirmations> = ClientConfig::new()
            .set("bootstrap.servers", &self.servers)
            .set("linger.ms", "1")
            .create_with_context(Confirmations::default())
            .expect("a producer");
        for record in records {
            send(&producer, topic, record);
        }
        let begun = Instant::now();
        while producer.in_flight_count() > 0 {
            producer.poll(Duration::from_millis(1));
            assert!(begun.elapsed() < LIMIT, "{} records not confirmed", producer.in_flight_count());
        }
        let failed = producer.context().failures.lock().expect("no confirmation panics").clone();
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// The next offsets that a group has committed, by partition.
    pub(crate) fn committed(&self, group: &str, topic: &str, partitions: i32) -> Vec<Option<i64>> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.servers)
            .set("group.id", group)
            .create()
            .expect("a consumer");
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        let committed = consumer.committed_offsets(list, LIMIT).expect("the group's offsets");
        let offset = |partition| match committed.find_partition(topic, partition).expect("asked for").offset() {
            Offset::Offset(next) => Some(next),
            _ => None,
        };
        (0..partitions).map(offset).collect()
    }

    /// Reads so many records of a topic of one partition, from its beginning.
    pub(crate) fn read(&self, topic: &str, count: usize) -> Vec<Read> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.servers)
            .set("group.id", "reader")
            .set("enable.partition.eof", "true")
            .create()
            .expect("a consumer");
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(topic, 0, Offset::Beginning).expect("a valid offset");
        consumer.assign(&partitions).expect("assigned");
        drop(partitions);
        let (mut read, begun, at_end) = (Vec::new(), Instant::now(), Cell::new(false));
        // Up to the end of the log, so that a record too many is seen.
        while read.len() < count || !at_end.get() {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => read.push(Read::of(&message)),
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => at_end.set(true),
                _ => {}
            }
            assert!(begun.elapsed() < LIMIT, "{topic} holds {} of {count} records", read.len());
        }
        read
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking(), "the broker's thread panicked");
        }
    }
}

fn hold(topics: &[(String, i32)], report: &Sender<String>, orders: &Receiver<Order>) {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    for (name, partitions) in topics {
        cluster.create_topic(name, *partitions, 1).expect("a topic");
    }
    report.send(cluster.bootstrap_servers()).expect("whoever started it waits");
    while let Ok(order) = orders.recv() {
        order(&cluster);
    }
}

/// A record to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(crate) partition: i32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(&'static str, Option<&'static [u8]>)>,
    /// Its Kafka timestamp, in milliseconds.
    pub(crate) kafka_timestamp: i64,
}

fn send(producer: &BaseProducer<Confirmations>, topic: &str, record: &Written) {
    let mut sent: BaseRecord<'_, [u8], [u8]> =
        BaseRecord::to(topic).partition(record.partition).timestamp(record.kafka_timestamp);
    if let Some(key) = &record.key {
        sent = sent.key(key);
    }
    if let Some(value) = &record.value {
        sent = sent.payload(value);
    }
    if !record.headers.is_empty() {
        let add = |all: OwnedHeaders, (key, value): &(&str, Option<&[u8]>)| all.insert(Header { key, value: *value });
        sent = sent.headers(record.headers.iter().fold(OwnedHeaders::new(), add));
    }
    let mut waiting = Some(sent);
    while let Some(next) = waiting.take() {
        if let Err((error, back)) = producer.send(next) {
            assert!(error.to_string().contains("QueueFull"), "{error}");
            producer.poll(Duration::from_millis(1));
            waiting = Some(back);
        }
    }
}

/// A record read back.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Read {
    fn of(message: &rdkafka::message::BorrowedMessage<'_>) -> Self {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        Self {
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect(),
        }
    }

    /// The text of its last header of that name.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().rev().find(|(key, _)| key == name).and_then(|(_, value)| value.as_deref());
        std::str::from_utf8(found.unwrap_or_else(|| panic!("no header {name} in {:?}", self.headers))).unwrap()
    }
}

/// Keeps what the broker refused.
#[derive(Default)]
struct Confirmations {
    failures: Mutex<Vec<String>>,
}

impl ClientContext for Confirmations {}

impl ProducerContext for Confirmations {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.failures.lock().expect("no confirmation panics").push(error.to_string());
        }
    }
}
