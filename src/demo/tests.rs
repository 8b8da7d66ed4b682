#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;
use std::sync::Mutex;

use crossbeam_channel::Sender;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use serde_json::Value;

use super::*;

/// An engine that only counts, off the same broker.
struct Counter {
    glance: Arc<Mutex<Glance>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    /// So many records it forgets to count.
    loses: u64,
    /// After so many records it sends a signal.
    signal: Option<(u64, Sender<()>)>,
}

struct Counted {
    glance: Arc<Mutex<Glance>>,
    signal: Option<(u64, Sender<()>)>,
}

impl Progress for Counted {
    fn glance(&self) -> Glance {
        let glance = self.glance.lock().unwrap().clone();
        if let Some((after, signal)) = &self.signal
            && glance.counts.processed() >= *after
        {
            signal.try_send(()).ok();
        }
        glance
    }
}

impl Counter {
    fn start(config: &Config) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", config.kafka.brokers.join(","))
            .set("group.id", &config.kafka.group)
            .set("fetch.queue.backoff.ms", "5")
            .create()
            .unwrap();
        let mut partitions = TopicPartitionList::new();
        for partition in 0..broker::PARTITIONS {
            partitions.add_partition_offset(&config.kafka.topics[0], partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&partitions).unwrap();
        let glance = Arc::new(Mutex::new(Glance::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&glance), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Some(Ok(message)) = consumer.poll(Duration::from_millis(10)) {
                    count(&mut shared.lock().unwrap().counts, message.payload().unwrap());
                }
            }
        });
        Self { glance, stop, thread, loses: 0, signal: None }
    }
}

/// Judges a record by the input contract, naively.
fn count(counts: &mut Counts, value: &[u8]) {
    let message: Value = serde_json::from_slice(value).unwrap_or_default();
    let text = message["text"].as_str().unwrap_or_default().trim();
    if text.is_empty() {
        counts.rejected += 1;
    } else if message["author"].as_str().is_some_and(|author| author != "customer") {
        counts.context += 1;
    } else {
        counts.scored += 1;
    }
}

impl Engine for Counter {
    fn progress(&self) -> Arc<dyn Progress> {
        Arc::new(Counted { glance: Arc::clone(&self.glance), signal: self.signal.clone() })
    }

    fn http_address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 1))
    }

    fn stop(self) -> Result<(), BoxError> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.glance.lock().unwrap().counts.scored -= self.loses;
        Ok(())
    }
}

fn silent(config: &Config) -> Screen {
    Screen::plain(Box::new(io::sink()), config)
}

fn options() -> Options {
    Options {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        live_for: Some(Duration::ZERO),
        rate: 1,
        seed: 7,
        brokers: None,
    }
}

/// A receiver that never gets a signal, as long as the sender lives.
fn no_signals() -> (Sender<()>, Receiver<()>) {
    crossbeam_channel::bounded(1)
}

#[test]
fn each_record_produced_is_in_one_count_of_the_summary() {
    let (_hold, signals) = no_signals();
    let directory = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&directory);
    let summary = run_on(silent, &options(), &signals, |config| {
        assert!(config.checkpoint.directory.is_dir());
        *seen.lock().unwrap() = Some(config.checkpoint.directory.clone());
        Ok(Counter::start(&config))
    })
    .unwrap();
    assert!((1_300..1_600).contains(&summary.produced), "{}", summary.produced);
    assert_eq!(summary.produced, summary.counts.processed());
    assert!(summary.counts.context > 0);
    assert_eq!((summary.incident, summary.alerts), (None, vec![]));
    assert!(!directory.lock().unwrap().as_ref().unwrap().exists(), "the directory is removed");
}

#[test]
fn a_signal_ends_it_and_the_counts_still_add_up() {
    let (signal, signals) = crossbeam_channel::bounded(1);
    let endless = Options { live_for: None, ..options() };
    let start = |config| Ok(Counter { signal: Some((1_000, signal)), ..Counter::start(&config) });
    let summary = run_on(silent, &endless, &signals, start).unwrap();
    assert!(summary.produced >= 1_000);
    assert_eq!(summary.produced, summary.counts.processed());
}

#[test]
fn a_lost_record_is_an_error() {
    let (_hold, signals) = no_signals();
    let result = run_on(silent, &options(), &signals, |config| Ok(Counter { loses: 1, ..Counter::start(&config) }));
    let error = result.unwrap_err();
    assert!(matches!(error, DemoError::DoesNotAddUp { .. }), "{error}");
}

#[test]
fn a_pipeline_that_does_not_start_says_why() {
    let (_hold, signals) = no_signals();
    let error = run_on::<Counter>(silent, &options(), &signals, |_| Err("port 9464 is taken".into())).unwrap_err();
    assert_eq!(error.to_string(), "the pipeline: port 9464 is taken");
}

#[test]
fn each_minute_shows_an_hour_for_as_long_as_the_demo_was_asked_to_last_and_ten_minutes_at_most() {
    let minutes = |count: u64| Duration::from_secs(count * 60);
    assert_eq!(run_up(Some(minutes(5))), minutes(5 * 60));
    assert_eq!(run_up(Some(Duration::from_secs(10))), minutes(150), "its times are near the present");
    for long in [None, Some(minutes(60)), Some(Duration::MAX)] {
        assert_eq!(run_up(long), minutes(600), "{long:?}");
    }
}
