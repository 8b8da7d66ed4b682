//! The demo: a broker, a company's customers and the real pipeline, in one process.
//!
//! A seeded [`Generator`] writes believable messages of six departments: first a day of history, then hours that pass in as many
//! minutes, up to the present; in half an hour of them something goes wrong in one department. Whatever
//! implements [`Engine`] reads them off the broker.

mod author;
mod broker;
mod clock;
mod deck;
mod departments;
mod envelope;
mod generator;
mod incident;
mod journal;
mod outlet;
mod producer;
mod progress;
mod screen;
mod settings;
mod summary;
mod texts;
mod words;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use rdkafka::error::KafkaError;

pub use generator::{Generator, Record, RecordKind};
pub use incident::Incident;
pub use progress::{BoardProgress, BoxError, Counts, DepartmentGlance, Engine, Glance, Progress};
pub use settings::shown_window;
pub use summary::{Episode, Summary};

use crate::config::Config;
use crate::message::EventTime;
use broker::Broker;
use clock::DemoClock;
use journal::Journal;
use outlet::KafkaOutlet;
use producer::Producer;
use screen::Screen;

/// How much history comes before the live part.
const HISTORY: Duration = Duration::from_secs(24 * 3_600);

/// How long before the present the live part begins, at least and at most: its time passes faster than ours until then.
const SHORTEST_RUN_UP: Duration = Duration::from_secs(150 * 60);
const LONGEST_RUN_UP: Duration = Duration::from_secs(10 * 3_600);

/// How long the pipeline may take for the last records.
const SETTLE_WITHIN: Duration = Duration::from_secs(30);

/// How often the screen is drawn.
const REDRAW_EVERY: Duration = Duration::from_millis(250);

/// What the demo is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where metrics and the API are served.
    pub listen: SocketAddr,
    /// How long the live part lasts; until a signal where none.
    pub live_for: Option<Duration>,
    /// Mean records in each second of the live part until it has come up to the present, at least 1.
    pub rate: u32,
    /// What the messages and the place of the incident come from.
    pub seed: u64,
    /// A real broker in place of the one inside the process.
    pub brokers: Option<String>,
}

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The broker inside the process.
    #[error("the broker inside the process does not start: {0}")]
    Mock(KafkaError),
    /// Its thread.
    #[error("the thread of the broker inside the process died while it started")]
    MockDied,
    /// The topic on a real broker.
    #[error(
        "topic `{topic}` cannot be created on `{brokers}`: {reason}; check --brokers and the right to create topics"
    )]
    Topic {
        /// Its name.
        topic: String,
        /// The broker.
        brokers: String,
        /// What the client says.
        reason: String,
    },
    /// The producer's client.
    #[error("a record cannot be produced: {0}")]
    Producer(KafkaError),
    /// Records without confirmation.
    #[error("the broker did not confirm {records} records: {reason}")]
    Unconfirmed {
        /// How many.
        records: u64,
        /// Why the first was not.
        reason: String,
    },
    /// The pipeline takes nothing.
    #[error("the pipeline has taken no record for {}s: {sent} produced, {processed} processed", producer::STALLED_AFTER.as_secs())]
    Stalled {
        /// Records produced.
        sent: u64,
        /// Records processed.
        processed: u64,
    },
    /// The directory for checkpoints.
    #[error("no temporary directory for checkpoints: {0}; set TMPDIR to one that can be written")]
    Directory(io::Error),
    /// A thread.
    #[error("a thread cannot be started: {0}")]
    Thread(io::Error),
    /// The producer's thread.
    #[error("the thread that produces panicked")]
    ProducerPanicked,
    /// The pipeline does not start or stop.
    #[error("the pipeline: {0}")]
    Pipeline(BoxError),
    /// Records lost or counted twice.
    #[error(
        "the counts do not add up: produced {produced}, but scored {} + context {} + rejected {} + late {} = {}",
        counts.scored, counts.context, counts.rejected, counts.late, counts.processed()
    )]
    DoesNotAddUp {
        /// Records that the broker confirmed.
        produced: u64,
        /// What became of them.
        counts: Counts,
    },
}

/// Runs the demo until its live part is over or `signals` brings one. What people read goes to standard error.
///
/// # Errors
/// Where the broker, the producer or the pipeline fails, or where the counts of the summary do not add up.
pub fn run<E: Engine>(
    options: &Options,
    signals: &Receiver<()>,
    start: impl FnOnce(Config) -> Result<E, BoxError>,
) -> Result<Summary, DemoError> {
    run_on(Screen::on_stderr, options, signals, start)
}

/// [`run`], on any screen.
fn run_on<E: Engine>(
    screen: impl FnOnce(&Config) -> Screen,
    options: &Options,
    signals: &Receiver<()>,
    start: impl FnOnce(Config) -> Result<E, BoxError>,
) -> Result<Summary, DemoError> {
    let broker = Broker::start(options.brokers.as_deref())?;
    let directory = tempfile::Builder::new().prefix("latido-demo-").tempdir().map_err(DemoError::Directory)?;
    let config = settings::demo_config(&broker, options.listen, directory.path());
    let mut screen = screen(&config);
    screen.introduce(options, &broker, &settings::differences(&config));
    let engine = start(config).map_err(DemoError::Pipeline)?;
    screen.addresses(engine.http_address());

    let progress = engine.progress();
    let journal = Arc::new(Journal::default());
    let feed = Feed::start(options, &broker, &progress, &journal)?;
    let produced = feed.watch(signals, || screen.show(&journal.read(), &progress.glance()));
    if let Ok(produced) = produced {
        settle(produced, progress.as_ref());
    }
    let stopped = engine.stop().map_err(DemoError::Pipeline);
    screen.show(&journal.read(), &progress.glance());
    let produced = produced?;
    stopped?;

    let entry = journal.read();
    let glance = progress.glance();
    screen.conclude(&entry, &glance, &broker);
    let summary = Summary::new(produced, &glance, entry.incident, entry.written_until.unwrap_or_else(now));
    summary.check()?;
    Ok(summary)
}

/// How long before the present a live part begins that lasts so long: up to its end each minute shows an hour, where that is not
/// longer than anybody watches.
fn run_up(live_for: Option<Duration>) -> Duration {
    let all = live_for.map_or(LONGEST_RUN_UP, |span| span.saturating_mul(generator::SPEED));
    all.clamp(SHORTEST_RUN_UP, LONGEST_RUN_UP)
}

/// The wall clock.
fn now() -> EventTime {
    EventTime::from_millis(jiff::Timestamp::now().as_millisecond())
}

/// Waits until the pipeline has taken every record produced, but not for ever.
fn settle(produced: u64, progress: &dyn Progress) {
    let deadline = Instant::now() + SETTLE_WITHIN;
    while progress.glance().counts.processed() < produced && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The producer on a thread of its own.
struct Feed {
    thread: JoinHandle<()>,
    done: Receiver<Result<u64, DemoError>>,
    stop: Arc<AtomicBool>,
}

impl Feed {
    fn start(
        options: &Options,
        broker: &Broker,
        progress: &Arc<dyn Progress>,
        journal: &Arc<Journal>,
    ) -> Result<Self, DemoError> {
        let stop = Arc::new(AtomicBool::new(false));
        let live = now().minus(run_up(options.live_for));
        let producer = Producer {
            generator: Generator::new(options.seed, options.rate, live.minus(HISTORY)),
            outlet: KafkaOutlet::new(&broker.brokers, &broker.topic)?,
            clock: DemoClock::at(live),
            progress: Arc::clone(progress),
            journal: Arc::clone(journal),
            stop: Arc::clone(&stop),
            live_for: options.live_for,
        };
        let (report, done) = crossbeam_channel::bounded(1);
        let thread = std::thread::Builder::new()
            .name("demo-producer".to_owned())
            .spawn(move || {
                if report.send(producer.run()).is_err() {
                    tracing::debug!("nobody waits for the producer any more");
                }
            })
            .map_err(DemoError::Thread)?;
        Ok(Self { thread, done, stop })
    }

    /// Draws until the producer is done; a signal tells it to stop. Returns the records confirmed.
    fn watch(self, signals: &Receiver<()>, mut draw: impl FnMut()) -> Result<u64, DemoError> {
        let result = loop {
            draw();
            if signals.try_recv().is_ok() {
                self.stop.store(true, Ordering::Relaxed);
            }
            match self.done.recv_timeout(REDRAW_EVERY) {
                Ok(result) => break result,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Err(DemoError::ProducerPanicked),
            }
        };
        if self.thread.join().is_err() {
            return Err(DemoError::ProducerPanicked);
        }
        result
    }
}

#[cfg(test)]
mod alert_tests;
#[cfg(test)]
mod tests;
