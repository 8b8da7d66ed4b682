//! Brokers that fail, in each of the ways that a mock can play.

use std::time::{Duration, Instant};

use latido::config::Span;
use latido::pipeline::{Options, Pipeline};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::broker::{Broker, Written};
use crate::daemon::{
    CALM, Daemon, LETTERS, LIMIT, TOPIC, accounted, config, message, now, panes_of, saved, saved_offsets, saved_panes,
};

/// More errors than requests will be made.
const ENDLESS: usize = 10_000;

fn fail(broker: &Broker, request: RDKafkaApiKey, errors: Vec<RDKafkaRespErr>) {
    broker.order(move |cluster| cluster.request_errors(request, &errors));
}

/// Messages a second apart, and where they belong.
fn some(from: i64, count: i64, partitions: i64) -> (Vec<Written>, Vec<(&'static str, i64)>) {
    let one = |number: i64| {
        let event_time = from + number * 100;
        (message(i32::try_from(number % partitions).unwrap(), "billing", event_time, CALM), ("billing", event_time))
    };
    (0..count).map(one).unzip()
}

#[test]
fn no_checkpoint_covers_an_unusable_record_until_its_dead_letter_is_confirmed() {
    let broker = Broker::start(&[(TOPIC, 1), (LETTERS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let (mut records, counted) = some(now() - 60_000, 50, 1);
    records.push(Written { value: Some(b"no JSON".to_vec()), kafka_timestamp: now(), ..Written::default() });
    broker.write(TOPIC, &records);
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    fail(&broker, RDKafkaApiKey::Produce, vec![refusal; ENDLESS]);
    let mut config = config(&broker, home.path());
    config.kafka.dead_letter_topic = Some(LETTERS.to_owned());
    let daemon = Daemon::start(config);
    daemon.wait_for_records(51);
    let says_why = |status, body: &str| status == 503 && body.contains("dead_letters: dead-letter topic letters");
    daemon.wait_for_readiness("it says why it is not ready", says_why);

    // Over two more tries of the producer, which come a second apart.
    let watched = Instant::now();
    while watched.elapsed() < Duration::from_millis(2_500) {
        let (status, body) = daemon.readiness();
        assert!(says_why(status, &body), "ready in between: {status} {body}");
        assert!(saved_offsets(home.path()).get(&0).is_none_or(|next| *next <= 50), "the checkpoint passes the record");
        assert_eq!(daemon.view().stream.dead_letters, 0);
        std::thread::sleep(Duration::from_millis(10));
    }

    broker.order(|cluster| cluster.clear_request_errors(RDKafkaApiKey::Produce));
    daemon.wait_until_ready();
    daemon.wait_until("the checkpoint passes the record", |view| {
        view.stream.dead_letters == 1 && saved_offsets(home.path()).get(&0) == Some(&51)
    });
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(broker.read(LETTERS, 1).len(), 1);
}

#[test]
fn a_rebalance_in_the_middle_of_a_checkpoint_loses_and_repeats_no_record() {
    let broker = Broker::start(&[(TOPIC, 2), (LETTERS, 1)]);
    let (home, other_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut records, mut counted) = some(now() - 60_000, 50, 2);
    records.push(Written { value: Some(b"no JSON".to_vec()), kafka_timestamp: now(), ..Written::default() });
    broker.write(TOPIC, &records);
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    fail(&broker, RDKafkaApiKey::Produce, vec![refusal; ENDLESS]);
    let mut of_the_first = config(&broker, home.path());
    of_the_first.kafka.dead_letter_topic = Some(LETTERS.to_owned());
    of_the_first.pipeline.drain_timeout = Span::from_secs(2);
    let daemon = Daemon::start(of_the_first);
    daemon.wait_for_records(51);
    // From here on a checkpoint is with its writer, and waits for the letter.
    daemon.wait_for_readiness("the letter is refused", |_, body| body.contains("dead_letters: "));
    let options = Options { start_empty: true, ..Options::default() };
    let other = Daemon { pipeline: Pipeline::start(config(&broker, other_home.path()), options).unwrap() };
    daemon.wait_until("a partition has gone", |view| view.stream.partitions.len() == 1);
    assert!(saved_offsets(home.path()).values().sum::<i64>() <= 50, "no checkpoint passes the record");
    broker.order(|cluster| cluster.clear_request_errors(RDKafkaApiKey::Produce));
    daemon.wait_until("the letter is confirmed", |view| view.stream.dead_letters == 1);
    other.stop();
    daemon.wait_until("all partitions are here again", |view| view.stream.partitions.len() == 2);
    let (last, counted_then) = some(now() - 40_000, 50, 2);
    broker.write(TOPIC, &last);
    counted.extend(counted_then);
    daemon.wait_for_records(101);
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(ends(home.path()), 101);
}

#[test]
fn a_broker_that_goes_away_and_comes_back_is_told_on_readyz_and_nothing_is_lost_or_repeated() {
    let broker = Broker::start(&[(TOPIC, 2)]);
    let home = tempfile::tempdir().unwrap();
    let (records, mut counted) = some(now() - 120_000, 500, 2);
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(config(&broker, home.path()));
    daemon.wait_for_records(500);
    daemon.wait_until_ready();

    broker.down();
    let says_why =
        |status, body: &str| status == 503 && body.contains("kafka: no broker of kafka.brokers is connected");
    daemon.wait_for_readiness("it says why it is not ready", says_why);
    broker.up();
    let (more, counted_more) = some(now() - 60_000, 500, 2);
    broker.write(TOPIC, &more);
    counted.extend(counted_more);
    daemon.wait_for_records(1_000);
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
}

#[test]
fn errors_of_coordinator_fetches_commits_and_heartbeats_lose_and_repeat_nothing() {
    use RDKafkaRespErr::{
        RD_KAFKA_RESP_ERR__TRANSPORT as CUT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS as LOADING,
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE as NO_COORDINATOR,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR as NOT_COORDINATOR, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION as NOT_LEADER,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID as NO_MEMBER,
    };
    let broker = Broker::start(&[(TOPIC, 4)]);
    let home = tempfile::tempdir().unwrap();
    fail(&broker, RDKafkaApiKey::FindCoordinator, vec![NO_COORDINATOR, CUT]);
    fail(&broker, RDKafkaApiKey::OffsetFetch, vec![LOADING, CUT]);
    let (records, mut counted) = some(now() - 200_000, 400, 4);
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(config(&broker, home.path()));
    daemon.wait_for_records(400);

    for (round, (request, errors)) in [
        (RDKafkaApiKey::Fetch, vec![NOT_LEADER, CUT, NOT_LEADER]),
        (RDKafkaApiKey::OffsetCommit, vec![NOT_COORDINATOR, LOADING, CUT]),
        (RDKafkaApiKey::FindCoordinator, vec![NO_COORDINATOR, CUT]),
    ]
    .into_iter()
    .enumerate()
    {
        fail(&broker, request, errors);
        let (more, counted_more) = some(now() - 100_000, 400, 4);
        broker.write(TOPIC, &more);
        counted.extend(counted_more);
        daemon.wait_for_records(400 * (u64::try_from(round).unwrap() + 2));
    }

    // The group forgets the daemon in the middle of the stream.
    let before = daemon.view().stream.rebalances_assigned;
    fail(&broker, RDKafkaApiKey::Heartbeat, vec![NO_MEMBER]);
    let (begun, mut written) = (Instant::now(), 1_600);
    while daemon.view().stream.rebalances_assigned == before {
        let (more, counted_more) = some(now() - 50_000, 40, 4);
        broker.write(TOPIC, &more);
        counted.extend(counted_more);
        written += 40;
        assert!(begun.elapsed() < LIMIT, "no rebalance; {} accounted for", accounted(&daemon.view()));
    }
    daemon.wait_for_records(written);
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(ends(home.path()), written);
}

#[test]
fn errors_of_joining_and_syncing_the_group_only_delay_the_start() {
    use RDKafkaRespErr::{
        RD_KAFKA_RESP_ERR__TRANSPORT as CUT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS as LOADING,
        RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS as REBALANCING,
    };
    let broker = Broker::start(&[(TOPIC, 2)]);
    let home = tempfile::tempdir().unwrap();
    fail(&broker, RDKafkaApiKey::Metadata, vec![CUT]);
    fail(&broker, RDKafkaApiKey::JoinGroup, vec![LOADING, CUT]);
    fail(&broker, RDKafkaApiKey::SyncGroup, vec![REBALANCING]);
    fail(&broker, RDKafkaApiKey::ListOffsets, vec![CUT]);
    let (records, counted) = some(now() - 60_000, 300, 2);
    broker.write(TOPIC, &records);
    let daemon = Daemon::start(config(&broker, home.path()));
    daemon.wait_for_records(300);
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
}

#[test]
fn errors_of_producing_dead_letters_lose_none_and_no_window_holds_a_record_twice() {
    use RDKafkaRespErr::{
        RD_KAFKA_RESP_ERR__TRANSPORT as CUT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION as NOT_LEADER,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED as REFUSED,
    };
    let broker = Broker::start(&[(TOPIC, 2), (LETTERS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let (mut records, counted) = some(now() - 120_000, 200, 2);
    for number in 0..20 {
        let value = Some(format!("no JSON {number}").into_bytes());
        let partition = number % 2;
        records.insert(
            10 * usize::try_from(number).unwrap(),
            Written { partition, value, kafka_timestamp: now(), ..Written::default() },
        );
    }
    broker.write(TOPIC, &records);
    fail(&broker, RDKafkaApiKey::Produce, vec![NOT_LEADER, CUT, REFUSED, NOT_LEADER, REFUSED]);
    let mut config = config(&broker, home.path());
    config.kafka.dead_letter_topic = Some(LETTERS.to_owned());
    let daemon = Daemon::start(config);
    daemon.wait_for_records(220);
    daemon.wait_until("each unusable record's letter is confirmed", |view| view.stream.dead_letters == 20);
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    // At least once is promised of letters; a mock that refuses a batch keeps nothing of it, so here it is once.
    let mut letters: Vec<Option<Vec<u8>>> = broker.read(LETTERS, 20).into_iter().map(|letter| letter.value).collect();
    letters.sort();
    let mut wanted: Vec<_> = (0..20).map(|number| Some(format!("no JSON {number}").into_bytes())).collect();
    wanted.sort();
    assert_eq!(letters, wanted);
}

#[test]
fn a_broker_that_goes_away_again_and_again_while_a_backlog_is_read_costs_no_record_and_repeats_none() {
    let broker = Broker::start(&[(TOPIC, 3)]);
    let home = tempfile::tempdir().unwrap();
    let mut counted = Vec::new();
    let mut written = 0;
    let mut config = config(&broker, home.path());
    // So little fits that the broker always goes away in the middle.
    config.pipeline.batch_records = 16;
    config.pipeline.in_flight_bytes = 32 * 1024;
    let daemon = Daemon::start(config);
    for round in 0..3 {
        let (more, counted_more) = some(now() - 300_000 + round * 60_000, 600, 3);
        broker.write(TOPIC, &more);
        counted.extend(counted_more);
        written += 600;
        let before = accounted(&daemon.view());
        daemon.wait_until("it reads", |view| accounted(view) > before || accounted(view) == written);
        broker.down();
        daemon.wait_for_readiness("it sees that the broker is gone", |status, _| status == 503);
        broker.up();
    }
    daemon.wait_for_records(written);
    daemon.wait_until_ready();
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(ends(home.path()), written);
}

#[test]
fn over_a_slow_line_all_arrives_once_the_group_is_kept_and_the_daemon_is_ready() {
    let broker = Broker::start(&[(TOPIC, 2), (LETTERS, 1)]);
    let home = tempfile::tempdir().unwrap();
    let (mut records, counted) = some(now() - 120_000, 400, 2);
    records.push(Written { value: Some(b"no JSON".to_vec()), kafka_timestamp: now(), ..Written::default() });
    broker.write(TOPIC, &records);
    broker.order(|cluster| cluster.broker_round_trip_time(1, Duration::from_millis(400)).expect("a slow line"));
    let mut config = config(&broker, home.path());
    config.kafka.dead_letter_topic = Some(LETTERS.to_owned());
    // Ten round trips, of which a heartbeat and a join take a few.
    config.kafka.session_timeout = Span(Duration::from_secs(8));
    let daemon = Daemon::start(config);
    daemon.wait_for_records(401);
    daemon.wait_until_ready();
    let joined = daemon.view().stream.rebalances_assigned;
    // Longer than the session lasts: a member whose heartbeats are lost has to join again by then.
    let watched = Instant::now();
    while watched.elapsed() < Duration::from_secs(12) {
        assert_eq!(daemon.view().stream.rebalances_assigned, joined, "it had to join again");
        std::thread::sleep(Duration::from_millis(50));
    }
    daemon.wait_until("the letter is confirmed", |view| view.stream.dead_letters == 1);
    daemon.stop();
    assert_eq!(saved_panes(home.path()), panes_of(&counted));
    assert_eq!(ends(home.path()), 401);
}

/// The sum of the saved next offsets.
fn ends(home: &std::path::Path) -> u64 {
    let ends: i64 = saved(home).partitions.iter().map(|position| position.next_offset.0).sum();
    u64::try_from(ends).unwrap()
}
