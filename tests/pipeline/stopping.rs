//! A stop ends within its deadline and leaves no thread behind, whatever the brokers do.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use latido::checkpoint::Directory;
use latido::config::Span;
use latido::pipeline::PipelineError;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::broker::{Broker, Written};
use crate::daemon::{CALM, Daemon, LETTERS, TOPIC, config, message, now, saved_offsets};

const DRAIN: Duration = Duration::from_secs(2);
/// Beyond the drain timeout: what the threads may take to end on a busy machine.
const GRACE: Duration = Duration::from_secs(3);
/// A last commit may wait as long as librdkafka waits for any answer (a minute), and then for its own threads.
const LET_GO_WITHIN: Duration = Duration::from_secs(120);

/// Stops a daemon whose broker is gone; it must let go of everything in time. Gives how it ended.
fn stop_without_broker(broker: &Broker, daemon: Daemon, home: &Path) -> Result<(), PipelineError> {
    broker.down();
    let health = Arc::downgrade(daemon.pipeline.health());
    let begun = Instant::now();
    let outcome = daemon.stop_anyhow();
    assert!(begun.elapsed() < DRAIN + GRACE, "it took {:?}", begun.elapsed());
    // What still waits for the broker's answer to a last commit ends by itself.
    while health.strong_count() > 0 {
        assert!(begun.elapsed() < LET_GO_WITHIN, "threads are left behind");
        std::thread::sleep(Duration::from_millis(10));
    }
    Directory::open(home).expect("the directory is free again");
    outcome
}

#[test]
fn a_stop_ends_in_time_though_the_broker_is_gone() {
    let broker = Broker::start(&[(TOPIC, 1)]);
    let home = tempfile::tempdir().unwrap();
    broker.write(TOPIC, &[message(0, "billing", now() - 1_000, CALM)]);
    let mut config = config(&broker, home.path());
    config.pipeline.drain_timeout = Span(DRAIN);
    config.checkpoint.interval = Span::from_secs(3_600);
    let daemon = Daemon::start(config);
    daemon.wait_for_records(1);
    stop_without_broker(&broker, daemon, home.path()).expect("it ends well");
    assert_eq!(saved_offsets(home.path()), [(0, 1)].into(), "the last checkpoint needs no broker");
}

#[test]
fn a_stop_ends_in_time_though_dead_letters_wait_for_a_broker_that_is_gone() {
    let broker = Broker::start(&[(TOPIC, 1), (LETTERS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let unusable = Written { value: Some(b"no JSON".to_vec()), kafka_timestamp: now(), ..Written::default() };
    broker.write(TOPIC, &[unusable]);
    let cut = RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT;
    broker.order(move |cluster| cluster.request_errors(RDKafkaApiKey::Produce, &[cut; 1_000]));
    let mut config = config(&broker, home.path());
    config.pipeline.drain_timeout = Span(DRAIN);
    config.kafka.dead_letter_topic = Some(LETTERS.to_owned());
    let daemon = Daemon::start(config);
    daemon.wait_for_records(1);
    let outcome = stop_without_broker(&broker, daemon, home.path());
    let told = outcome.expect_err("what was read is not all saved").to_string();
    assert!(told.contains("kafka.dead_letter_topic"), "{told}");
    // Where reading starts may be saved; the record itself may not be passed.
    let passed = saved_offsets(home.path()).into_iter().find(|(_, next)| *next > 0);
    assert_eq!(passed, None, "no checkpoint passes a record whose dead letter is not confirmed");
}
