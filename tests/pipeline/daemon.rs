//! The pipeline under test, what is written to it, and what it should hold of that.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use latido::checkpoint::{self, Snapshot};
use latido::config::{Config, DepartmentConfig, Span};
use latido::message::RejectReason;
use latido::pipeline::{Options, Pipeline, PipelineError};
use latido::publish::View;

pub(crate) use crate::broker::LIMIT;
use crate::broker::{Broker, Written};

/// How often a probe is asked again.
const PROBE_EVERY: Duration = Duration::from_millis(10);

pub(crate) const TOPIC: &str = "messages";
pub(crate) const LETTERS: &str = "letters";
pub(crate) const CALM: &str = "¿A qué hora abren la sucursal del centro?";
pub(crate) const ANGRY: &str = "Es un pésimo servicio, llevo horas esperando y nadie resuelve nada. Estoy harto.";

/// A config for that broker: quick to join, to save and to call a partition idle.
pub(crate) fn config(broker: &Broker, directory: &Path) -> Config {
    let mut config = Config::default();
    config.kafka.brokers = vec![broker.servers.clone()];
    config.kafka.topics = vec![TOPIC.to_owned()];
    config.kafka.group = "latido-test".to_owned();
    // Above what the mock cluster takes for a first join.
    config.kafka.session_timeout = Span(Duration::from_millis(3_500));
    config.checkpoint.directory = directory.to_owned();
    config.checkpoint.interval = Span(Duration::from_millis(100));
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.windows.idle_after = Span::from_secs(1);
    config.pipeline.drain_timeout = Span::from_secs(5);
    config.pipeline.score_threads = 2;
    config.departments = ["billing", "delivery"].map(DepartmentConfig::named).to_vec();
    config
}

/// A running pipeline.
pub(crate) struct Daemon {
    pub(crate) pipeline: Pipeline,
}

impl Daemon {
    pub(crate) fn start(config: Config) -> Self {
        Self { pipeline: Pipeline::start(config, Options::default()).expect("the pipeline starts") }
    }

    pub(crate) fn view(&self) -> View {
        self.pipeline.board().read()
    }

    /// Waits until the board shows it, and gives that view.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&View) -> bool) -> View {
        let begun = Instant::now();
        loop {
            let view = self.view();
            if holds(&view) {
                return view;
            }
            assert!(
                begun.elapsed() < LIMIT,
                "{what}: not within {LIMIT:?}; {} accounted for, not ready because of {:?}, {view:#?}",
                accounted(&view),
                self.pipeline.health().not_ready(),
            );
            thread::sleep(PROBE_EVERY);
        }
    }

    /// Waits until so many records are scored, context, late or rejected; fails if there are more.
    pub(crate) fn wait_for_records(&self, count: u64) -> View {
        let view = self.wait_until(&format!("{count} records are accounted for"), |view| accounted(view) >= count);
        assert_eq!(accounted(&view), count);
        view
    }

    /// Waits until `/readyz` answers so.
    pub(crate) fn wait_for_readiness(&self, what: &str, holds: impl Fn(u16, &str) -> bool) {
        let begun = Instant::now();
        loop {
            let (status, body) = self.readiness();
            if holds(status, &body) {
                return;
            }
            assert!(begun.elapsed() < LIMIT, "{what}: not within {LIMIT:?}; /readyz says {status} {body}");
            thread::sleep(PROBE_EVERY);
        }
    }

    pub(crate) fn wait_until_ready(&self) {
        self.wait_for_readiness("ready", |status, _| status == 200);
    }

    /// What `/readyz` answers.
    pub(crate) fn readiness(&self) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("http://{}/readyz", self.pipeline.http_address());
        let mut response = agent.get(&url).call().expect("/readyz answers");
        (response.status().as_u16(), response.body_mut().read_to_string().expect("a text"))
    }

    /// Stops it; every thread must have ended by then.
    pub(crate) fn stop(self) {
        let health = Arc::downgrade(self.pipeline.health());
        self.pipeline.stop().expect("it drains");
        // Each thread of the pipeline holds on to it.
        assert_eq!(health.strong_count(), 0, "threads are left behind");
    }

    /// Stops it, however that goes.
    pub(crate) fn stop_anyhow(self) -> Result<(), PipelineError> {
        self.pipeline.stop()
    }
}

/// Records that the view accounts for, under whatever name.
pub(crate) fn accounted(view: &View) -> u64 {
    let rejected: u64 = view.stream.rejected.iter().sum();
    rejected + scored(view) + late(view) + view.departments.iter().flat_map(|one| one.context).sum::<u64>()
}

pub(crate) fn scored(view: &View) -> u64 {
    view.departments.iter().flat_map(|one| one.messages).flatten().sum()
}

pub(crate) fn late(view: &View) -> u64 {
    view.departments.iter().map(|one| one.late).sum()
}

pub(crate) fn rejected(view: &View, reason: RejectReason) -> u64 {
    view.stream.rejected[reason as usize]
}

pub(crate) fn alerts_opened(view: &View) -> u64 {
    view.departments.iter().flat_map(|one| one.alerts_opened).flatten().sum()
}

/// The wall clock in milliseconds.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970").as_millis()).expect("a sane clock")
}

/// A customer's message.
pub(crate) fn message(partition: i32, department: &str, event_time: i64, text: &str) -> Written {
    let value = serde_json::json!({ "text": text, "department": department, "timestamp": event_time });
    Written {
        partition,
        value: Some(value.to_string().into_bytes()),
        kafka_timestamp: event_time,
        ..Written::default()
    }
}

/// Messages by department and start of the pane.
pub(crate) type Panes = BTreeMap<(String, i64), u32>;

/// The panes that these messages should make.
pub(crate) fn panes_of(messages: &[(&str, i64)]) -> Panes {
    let mut panes = Panes::new();
    for (department, event_time) in messages {
        *panes.entry(((*department).to_owned(), event_time - event_time.rem_euclid(10_000))).or_default() += 1;
    }
    panes
}

/// The panes of the checkpoint in a directory.
pub(crate) fn saved_panes(directory: &Path) -> Panes {
    let snapshot = saved(directory);
    let panes = snapshot
        .panes()
        .map(|(department, start, counts)| ((department.to_owned(), start.as_millis()), counts.tally.messages));
    panes.collect()
}

/// The checkpoint in a directory.
pub(crate) fn saved(directory: &Path) -> Snapshot {
    checkpoint::read(directory).expect("a readable checkpoint").snapshot.expect("a checkpoint")
}

/// Next offset by partition number.
pub(crate) fn saved_offsets(directory: &Path) -> BTreeMap<i32, i64> {
    let partitions = checkpoint::read(directory).expect("a readable checkpoint").snapshot.map(|saved| saved.partitions);
    let partitions = partitions.into_iter().flatten();
    partitions.map(|position| (position.partition.partition, position.next_offset.0)).collect()
}
