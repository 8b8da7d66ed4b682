//! The broker that the demo writes to and the pipeline reads from.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::types::RDKafkaErrorCode;

use super::DemoError;

/// Partitions of the demo's topic.
pub(crate) const PARTITIONS: i32 = 4;

/// Topic and group on the broker inside the process.
const TOPIC: &str = "customer-messages";
const GROUP: &str = "latido-demo";

/// How long a real broker may take to make the topic.
const CREATE_WITHIN: Duration = Duration::from_secs(15);

/// A broker with the demo's topic in it.
#[derive(Debug)]
pub(crate) struct Broker {
    /// Bootstrap brokers.
    pub(crate) brokers: String,
    pub(crate) topic: String,
    pub(crate) group: String,
    mock: Option<MockThread>,
}

impl Broker {
    /// The real one of that name, else one inside this process.
    pub(crate) fn start(brokers: Option<&str>) -> Result<Self, DemoError> {
        match brokers {
            Some(brokers) => Self::real(brokers),
            None => Self::in_process(),
        }
    }

    /// Whether it lives inside this process.
    pub(crate) fn is_in_process(&self) -> bool {
        self.mock.is_some()
    }

    fn in_process() -> Result<Self, DemoError> {
        let mock = MockThread::start()?;
        Ok(Self { brokers: mock.brokers.clone(), topic: TOPIC.to_owned(), group: GROUP.to_owned(), mock: Some(mock) })
    }

    fn real(brokers: &str) -> Result<Self, DemoError> {
        let name = format!("latido-demo-{:08x}", rand::random::<u32>());
        create_topic(brokers, &name).map_err(|reason| DemoError::Topic {
            topic: name.clone(),
            brokers: brokers.to_owned(),
            reason,
        })?;
        Ok(Self { brokers: brokers.to_owned(), topic: name.clone(), group: name, mock: None })
    }
}

/// Creates a topic with the broker's own replication factor.
fn create_topic(brokers: &str, topic: &str) -> Result<(), String> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("client.id", "latido-demo")
        .create()
        .map_err(|error| error.to_string())?;
    let wanted = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(-1));
    let options = AdminOptions::new().request_timeout(Some(CREATE_WITHIN)).operation_timeout(Some(CREATE_WITHIN));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime for the admin client: {error}"))?;
    let results =
        runtime.block_on(admin.create_topics([&wanted], &options)).map_err(|error: KafkaError| error.to_string())?;
    for result in results {
        result.map_err(|(_, code): (String, RDKafkaErrorCode)| code.to_string())?;
    }
    Ok(())
}

/// librdkafka's mock cluster cannot change threads, so a thread of its own holds it until this is dropped.
#[derive(Debug)]
struct MockThread {
    brokers: String,
    /// Dropping it tells the thread to end.
    hold: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MockThread {
    fn start() -> Result<Self, DemoError> {
        let (hold, released) = bounded::<()>(0);
        let (report, started) = bounded(1);
        let thread = std::thread::Builder::new()
            .name("demo-broker".to_owned())
            .spawn(move || hold_cluster(&report, &released))
            .map_err(DemoError::Thread)?;
        let brokers = started.recv().map_err(|_| DemoError::MockDied)?.map_err(DemoError::Mock)?;
        Ok(Self { brokers, hold: Some(hold), thread: Some(thread) })
    }
}

impl Drop for MockThread {
    fn drop(&mut self) {
        self.hold = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the demo's broker thread panicked");
        }
    }
}

/// Starts a cluster, reports its address, and keeps it until the other side lets go.
fn hold_cluster(report: &Sender<Result<String, KafkaError>>, released: &Receiver<()>) {
    let cluster = MockCluster::new(1).and_then(|cluster| {
        cluster.create_topic(TOPIC, PARTITIONS, 1)?;
        Ok(cluster)
    });
    let (cluster, brokers) = match cluster {
        Ok(cluster) => {
            let brokers = cluster.bootstrap_servers();
            (Some(cluster), Ok(brokers))
        }
        Err(error) => (None, Err(error)),
    };
    // Nobody sends: the wait ends when the sender is dropped.
    if report.send(brokers).is_ok() && cluster.is_some() {
        while released.recv().is_ok() {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use rdkafka::consumer::{BaseConsumer, Consumer as _};
    use rdkafka::{Message as _, Offset, TopicPartitionList};

    use super::*;
    use crate::demo::generator::{Generator, Record};
    use crate::demo::outlet::{KafkaOutlet, Outlet as _};
    use crate::message::EventTime;

    /// Reads so many records from the start of all partitions.
    fn read_back(broker: &Broker, records: usize) -> Vec<(Vec<u8>, i32)> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &broker.brokers)
            .set("group.id", "reader")
            .set("fetch.queue.backoff.ms", "5")
            .create()
            .unwrap();
        let mut partitions = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            partitions.add_partition_offset(&broker.topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&partitions).unwrap();
        let mut read = Vec::new();
        while read.len() < records {
            let message = consumer.poll(Duration::from_secs(20)).expect("a record within 20 s").unwrap();
            read.push((message.payload().unwrap().to_vec(), message.partition()));
        }
        read
    }

    #[test]
    fn the_broker_inside_the_process_keeps_what_is_produced_and_a_customer_stays_in_one_partition() {
        let broker = Broker::start(None).unwrap();
        assert!(broker.is_in_process());
        let mut outlet = KafkaOutlet::new(&broker.brokers, &broker.topic).unwrap();
        let mut generator = Generator::new(3, 30, EventTime::from_millis(1_750_000_000_000));
        let written: Vec<Record> = (0..2_000).map(|_| generator.next_record()).collect();
        for record in &written {
            outlet.send(record).unwrap();
        }
        assert_eq!(outlet.finish().unwrap(), 2_000);

        let read = read_back(&broker, written.len());
        let mut partition_of = std::collections::HashMap::new();
        for (value, partition) in &read {
            partition_of.insert(value.as_slice(), *partition);
        }
        let mut customers = std::collections::HashMap::new();
        for record in &written {
            let partition = partition_of[record.value.as_slice()];
            assert_eq!(*customers.entry(&record.key).or_insert(partition), partition);
        }
        let used: std::collections::BTreeSet<i32> = read.iter().map(|(_, partition)| *partition).collect();
        assert_eq!(used.len(), 4);
    }
}
