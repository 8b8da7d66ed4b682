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
    assignments: Receiver<Assignment>,
    covered: Sender<Positions>,
}

impl Bench {
    fn new(topics: &[&str]) -> Self {
        Self::draining_within(topics, 1)
    }

    fn draining_within(topics: &[&str], seconds: u64) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 2, 1).unwrap();
        cluster.coordinator(MockCoordinator::Group("g".to_owned()), 1).unwrap();
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", cluster.bootstrap_servers());
        let producer = client.create().unwrap();
        let mut config = Config::default();
        config.kafka.topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        config.kafka.group = "g".to_owned();
        config.pipeline.drain_timeout = crate::config::Span::from_secs(seconds);
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
        Self { consumer, cluster, producer, batches: batches_out, assignments: assignments_out, covered }
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

/// Plays a fold that applies the first batch, of three records, only once a rebalance had the chance to end its epoch. Gives
/// what the checkpoint covers that the rebalance asks for.
fn fold_late(shared: Arc<Shared>, assignments: Receiver<Assignment>, partition: PartitionId) -> Option<NextOffset> {
    let epoch = shared.ledger().epoch(&partition).unwrap();
    let mut is_folded = false;
    loop {
        match assignments.recv_timeout(Duration::from_millis(300)) {
            Ok(Assignment::Checkpoint { .. }) => return shared.ledger().applied(&partition),
            Ok(_) => {}
            Err(_) if is_folded => panic!("no checkpoint is asked for"),
            Err(_) => {
                shared.ledger().claim(&partition, epoch, 0, NextOffset(3));
                is_folded = true;
                shared.leave(3, 0);
            }
        }
    }
}

#[test]
fn a_rebalance_lets_what_was_handed_over_be_folded_before_the_partitions_go() {
    let mut bench = Bench::draining_within(&[TOPIC], 60);
    bench.turn_until("the assignment", |bench| bench.consumer.shared.status().assigned > 0);
    bench.produce(0, 3);
    bench.turn_until("all in one batch", |bench| bench.consumer.shared.in_flight_records() == 3);
    let (shared, assignments) = (Arc::clone(&bench.consumer.shared), bench.assignments.clone());
    assignments.try_iter().for_each(drop);
    let fold = std::thread::spawn(move || fold_late(shared, assignments, PartitionId::new(TOPIC, 0)));
    bench.consumer.rejoin_at = Some(Instant::now());
    bench.turn_until("the rebalance", |bench| bench.consumer.shared.status().revoked > 0);
    assert_eq!(fold.join().unwrap(), Some(NextOffset(3)), "what the checkpoint of the rebalance covers");
}

#[test]
fn a_fold_that_stands_still_holds_up_no_rebalance_beyond_the_drain_timeout() {
    let mut bench = Bench::draining_within(&[TOPIC], 1);
    bench.produce(0, 3);
    bench.read_until(0, 3);
    let assigned = bench.consumer.shared.status().assigned;
    bench.consumer.rejoin_at = Some(Instant::now());
    bench.turn_until("the next assignment", |bench| bench.consumer.shared.status().assigned > assigned);
    assert_eq!(bench.consumer.shared.ledger().applied(&PartitionId::new(TOPIC, 0)), Some(NextOffset(0)));
}

#[test]
fn where_nobody_can_say_what_the_group_has_read_nothing_is_read_until_it_can_be_asked() {
    let mut bench = Bench::new(&[TOPIC]);
    let read = PartitionId::new(TOPIC, 0);
    bench.produce(0, 3);
    bench.read_until(0, 3);
    bench.covered.send(vec![(read.clone(), NextOffset(1))]).unwrap();
    bench.turn_until("the commit", |bench| {
        let list = list_of(&[&read], KafkaOffset::Invalid).unwrap();
        let committed = bench.consumer.consumer.committed_offsets(list, LIMIT).unwrap();
        committed.elements()[0].offset() == KafkaOffset::Offset(1)
    });
    // As after a restart whose checkpoint is gone.
    bench.consumer.shared.ledger().forget(&read);
    let refused = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    bench.cluster.request_errors(RDKafkaApiKey::OffsetFetch, &[refused]);
    bench.consumer.rejoin_at = Some(Instant::now());
    bench.turn_until("the question in vain", |bench| bench.consumer.startless);
    bench.batches.try_iter().for_each(drop);
    bench.turn_until("the next answer", |bench| bench.says("no_checkpoint"));
    assert_eq!(bench.batches.try_iter().count(), 0, "no batch came without a checkpoint of what the group had read");
}

#[test]
fn an_offset_outside_the_log_of_one_partition_keeps_no_other_from_going_back() {
    let mut bench = Bench::new(&[TOPIC]);
    bench.produce(0, 3);
    bench.produce(1, 3);
    bench.consumer.shared.ledger().restore(PartitionId::new(TOPIC, 0), NextOffset(100));
    bench.read_until(1, 3);
    bench.turn_until("it is said of the other", |bench| bench.says("offset_out_of_range"));
    bench.consumer.shared.hold();
    bench.turn_until("back where reading stopped", |bench| bench.consumer.shared.is_rewound());
    bench.consumer.shared.release();
    bench.read_until(1, 3);
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
