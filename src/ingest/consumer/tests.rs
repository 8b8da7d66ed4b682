#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

use crossbeam_channel::unbounded;
use rdkafka::mocking::{MockCluster, MockCoordinator};
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::types::RDKafkaApiKey;

use super::*;
use crate::message::NextOffset;

const TOPIC: &str = "messages";
const LIMIT: Duration = Duration::from_secs(60);

/// A consumer on a broker of its own, driven turn by turn.
struct Bench {
    consumer: Consumer,
    cluster: MockCluster<'static, DefaultProducerContext>,
    producer: BaseProducer,
    batches: Receiver<Batch>,
    _assignments: Receiver<Assignment>,
    covered: Sender<Positions>,
}

impl Bench {
    fn new(topics: &[&str]) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 2, 1).unwrap();
        cluster.coordinator(MockCoordinator::Group("g".to_owned()), 1).unwrap();
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", cluster.bootstrap_servers());
        let producer = client.create().unwrap();
        let mut config = Config::default();
        config.kafka.topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        config.kafka.group = "g".to_owned();
        config.pipeline.drain_timeout = crate::config::Span::from_secs(1);
        let (batches, batches_out) = unbounded();
        let (assignments, assignments_out) = unbounded();
        let (covered, covered_out) = unbounded();
        let links = Links {
            batches,
            assignments,
            covered: covered_out,
            shared: Arc::default(),
            health: Health::new(),
            stop: Arc::default(),
        };
        let consumer = Consumer::new(&config, client, Some("one"), Starting::default(), links).unwrap();
        Self { consumer, cluster, producer, batches: batches_out, _assignments: assignments_out, covered }
    }

    fn produce(&self, partition: i32, records: usize) {
        for _ in 0..records {
            let record: BaseRecord<'_, str, str> = BaseRecord::to(TOPIC).partition(partition).payload("{}");
            self.producer.send(record).unwrap();
        }
        self.producer.flush(LIMIT).unwrap();
    }

    /// Turns until the condition holds.
    fn turn_until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !holds(self) {
            assert!(
                Instant::now() < deadline,
                "not within the limit: {what}; not ready: {:?}; {:?}",
                self.consumer.health.not_ready(),
                self.consumer.shared.status()
            );
            self.consumer.turn();
        }
    }

    /// Whether that is a reason not to be ready.
    fn says(&self, reason: &str) -> bool {
        self.consumer.health.not_ready().iter().any(|(key, _)| *key == reason)
    }

    /// Turns until at least so many records of a partition are handed over; they may come in several batches.
    fn read_until(&mut self, partition: i32, records: usize) {
        let mut read = 0;
        self.turn_until("the records", |bench| {
            let batches = bench.batches.try_iter().filter(|batch| batch.partition.partition == partition);
            read += batches.map(|batch| batch.len()).sum::<usize>();
            read >= records
        });
    }
}

#[test]
fn a_partition_paused_before_a_rebalance_is_read_after_it() {
    let mut bench = Bench::new(&[TOPIC]);
    bench.produce(0, 3);
    bench.read_until(0, 3);
    let ahead = PartitionId::new(TOPIC, 0);
    bench.consumer.shared.set_ahead(BTreeSet::from([ahead]));
    bench.turn_until("the pause", |bench| !bench.consumer.paused.is_empty());

    let assigned = bench.consumer.shared.status().assigned;
    bench.consumer.rejoin_at = Some(Instant::now());
    bench.turn_until("the next assignment", |bench| bench.consumer.shared.status().assigned > assigned);
    bench.produce(0, 2);
    bench.consumer.turn();
    assert!(!bench.consumer.paused.is_empty(), "the others have not come up yet");
    bench.consumer.shared.set_ahead(BTreeSet::new());
    bench.read_until(0, 2);
}

#[test]
fn a_consumer_that_another_has_fenced_ends() {
    let mut bench = Bench::new(&[TOPIC]);
    bench.turn_until("the assignment", |bench| bench.consumer.shared.status().assigned > 0);
    let fenced = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    bench.cluster.request_errors(RDKafkaApiKey::Heartbeat, &[fenced]);
    bench.turn_until("the end", |bench| bench.consumer.failed);
    assert!(bench.says("consumer"));
}

#[test]
fn a_consumer_that_its_own_past_has_fenced_joins_anew_and_reads_on_where_it_was() {
    let mut bench = Bench::new(&[TOPIC]);
    bench.produce(0, 3);
    bench.read_until(0, 3);
    let held = PartitionId::new(TOPIC, 0);
    let epoch = bench.consumer.shared.ledger().epoch(&held).unwrap();
    let taken = bench.consumer.shared.ledger().claim(&held, epoch, 0, NextOffset(3));
    assert_eq!(taken, crate::ingest::Claim::Apply);

    // The session ends while no coordinator answers; the next one knows the name, and not under this member id.
    bench.cluster.broker_down(1).unwrap();
    bench.turn_until("the loss of the partitions", |bench| bench.consumer.is_shut_out_by_itself());
    let fenced = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    bench.cluster.request_errors(RDKafkaApiKey::JoinGroup, &[fenced]);
    bench.cluster.broker_up(1).unwrap();
    bench.turn_until("the fence", |bench| bench.consumer.reopen_at.is_some());
    assert!(bench.says("assignment") && !bench.consumer.failed);

    bench.turn_until("the next assignment", |bench| bench.consumer.shared.ledger().epoch(&held).is_some());
    assert!(!bench.consumer.is_shut_out_by_itself());
    bench.produce(0, 2);
    let mut offsets = Vec::new();
    bench.turn_until("the records since", |bench| {
        let batches = bench.batches.try_iter().filter(|batch| batch.partition == held);
        offsets.extend(batches.flat_map(|batch| batch.iter().map(|record| record.offset.0).collect::<Vec<_>>()));
        offsets.len() >= 2
    });
    assert_eq!(offsets, [3, 4]);
}

#[test]
fn a_topic_that_is_missing_beside_one_that_is_there_stays_a_reason() {
    let mut bench = Bench::new(&[TOPIC, "missing"]);
    bench.turn_until("the missing topic", |bench| bench.consumer.topic_missing);
    let assigned = |bench: &mut Bench| bench.consumer.shared.status().assigned > 0;
    bench.turn_until("the assignment of the other", assigned);
    bench.turn_until("the second look", |bench| !bench.consumer.check_topics);
    assert!(bench.says("topic"));
    bench.cluster.create_topic("missing", 1, 1).unwrap();
    bench.turn_until("the topic", |bench| !bench.says("topic"));
}

#[test]
fn without_a_broker_the_last_commit_is_not_waited_for() {
    let mut bench = Bench::new(&[TOPIC]);
    bench.produce(0, 3);
    bench.read_until(0, 3);
    bench.cluster.broker_down(1).unwrap();
    bench.turn_until("the loss of the broker", |bench| bench.says("kafka"));
    let Bench { consumer, covered, cluster, .. } = bench;
    covered.send(vec![(PartitionId::new(TOPIC, 0), NextOffset(3))]).unwrap();
    drop(covered);
    let begun = Instant::now();
    consumer.finish();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}: the session's timeout is 6 s", begun.elapsed());
    drop(cluster);
}
