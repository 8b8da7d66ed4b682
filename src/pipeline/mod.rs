//! Wires the rooms: start, drain, stop.
//!
//! Threads and what runs between them; every channel is bounded:
//!
//! ```text
//! latido-ingest ──Batch──▶ latido-score-N ──ScoredBatch──▶ latido-fold ──▶ Board ──▶ latido-http
//!       ▲                                                   │      └─DeadLetter──▶ latido-dead
//!       └──────positions to commit── latido-save ◀──Job─────┘
//! ```

mod book;
mod fold;
mod scoring;
mod state;
mod writer;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, unbounded};
use tokio::sync::oneshot;

use crate::checkpoint::{Directory, DirectoryError, Snapshot};
use crate::config::{Config, Roster, StartPosition, client_config};
use crate::ingest::{self, Consumer, ConsumerError, DeadLetterError, DeadLetters, Decoder, Patience, Router, Shared};
use crate::publish::http::{self, ApiState, Bound, HttpError, Token};
use crate::publish::metrics::{self, Sources};
use crate::publish::{Board, Health, Thread, Timings};
use crate::score::{EmbeddedScorer, ModelError};

use fold::{Fold, Limits};
use scoring::Worker;
use state::State;
use writer::{Writer, WriterStatus};

/// Batches that may wait before and behind the pool; the byte budget usually bites first.
const BATCHES_WAITING: usize = 64;
/// After the drain timeout, how much longer the threads may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// The consumer's thread.
const INGEST: &str = "latido-ingest";

/// Why the pipeline does not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The checkpoint directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// An address.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The consumer.
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    /// The dead-letter producer.
    #[error(transparent)]
    DeadLetters(#[from] DeadLetterError),
    /// The metrics library.
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A thread or a runtime.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] io::Error),
    /// A thread ended that should not have.
    #[error("thread {0} ended unexpectedly; the log above says why. Restart: nothing is lost, the checkpoint stands")]
    Died(String),
    /// Draining took too long.
    #[error("what was in flight was not drained within {}s; it is read again after the restart", .0.as_secs())]
    NotDrained(Duration),
}

/// What `latido run` may be told beyond the config.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Where to go on in partitions whose saved offset is not in the log.
    pub start_from: Option<StartPosition>,
}

/// A running pipeline.
#[derive(Debug)]
pub struct Pipeline {
    board: Arc<Board>,
    health: Arc<Health>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    http: JoinHandle<()>,
    stop_http: oneshot::Sender<()>,
    drain_timeout: Duration,
}

impl Pipeline {
    /// Starts everything: takes the checkpoint directory and the addresses first, then the model, then the threads.
    ///
    /// # Errors
    /// If anything it needs is missing or in use. Brokers may still be away: the consumer keeps trying.
    pub fn start(config: Config, options: Options) -> Result<Self, PipelineError> {
        let directory = Directory::open(&config.checkpoint.directory)?;
        let instance = match &config.kafka.group_instance_id {
            Some(name) => name.clone(),
            None => directory.instance_id()?,
        };
        let snapshot = directory.load()?;
        let bound = http::bind(&config.http)?;
        let model = crate::score::open(&config.scorer)?;
        let roster = Arc::new(Roster::new(&config));
        let parts = Parts::new(&config, roster)?;
        let mut state = State::new(&config, Arc::clone(&parts.roster));
        if let Some(snapshot) = snapshot {
            restore(&config, &parts, &mut state, &snapshot);
        }
        let mut threads = Vec::new();

        let (batches, batches_out) = bounded(BATCHES_WAITING);
        let (scored, scored_out) = bounded(BATCHES_WAITING);
        // Rebalances are rare and must never wait.
        let (assignments, assignments_out) = unbounded();
        let (jobs, jobs_out) = bounded(1);
        let (covered, covered_out) = unbounded();

        let letters = parts.start_dead_letters(&config, &mut threads)?;
        let writer = Writer {
            directory,
            jobs: jobs_out,
            covered,
            letters: letters.as_ref().map(|letters| Arc::clone(letters.progress())),
            patience: Patience::new(Arc::clone(&parts.stop), config.pipeline.drain_timeout.get()),
            status: Arc::clone(&parts.writer),
            health: Arc::clone(&parts.health),
        };
        threads.push(writer.start()?);
        let links = fold::Links {
            scored: scored_out,
            assignments: assignments_out,
            jobs,
            letters,
            shared: Arc::clone(&parts.shared),
            board: Arc::clone(&parts.board),
            health: Arc::clone(&parts.health),
            timings: Arc::clone(&parts.timings),
            writer: Arc::clone(&parts.writer),
            stop: Arc::clone(&parts.stop),
        };
        let limits = Limits {
            checkpoint_every: config.checkpoint.interval.get(),
            drain_timeout: config.pipeline.drain_timeout.get(),
            in_flight_bytes: config.pipeline.in_flight_bytes,
            in_flight_records: 2 * BATCHES_WAITING * config.pipeline.batch_records,
        };
        threads.push(Fold::start(state, links, limits)?);
        for number in 0..workers(&config) {
            let worker = Worker {
                decoder: Decoder::new(&config.input, Router::new(&parts.roster)),
                scorer: Box::new(EmbeddedScorer::new(Arc::clone(&model))),
                batches: batches_out.clone(),
                scored: scored.clone(),
                health: Arc::clone(&parts.health),
                timings: Arc::clone(&parts.timings),
            };
            threads.push(worker.start(number)?);
        }
        let consumer_links = ingest::Links {
            batches,
            assignments,
            covered: covered_out,
            shared: Arc::clone(&parts.shared),
            health: Arc::clone(&parts.health),
            stop: Arc::clone(&parts.stop),
        };
        let client = client_config(&config.kafka);
        let consumer = Consumer::new(&config, client, &instance, options.start_from, consumer_links)?;
        threads.push(thread::Builder::new().name(INGEST.to_owned()).spawn(move || consumer.run())?);
        for watched in [Thread::Ingest, Thread::Score, Thread::Fold, Thread::Checkpoint] {
            parts.health.expect(watched);
        }
        let (stop_http, stopped) = oneshot::channel();
        let (address, metrics_address) = (bound.address(), bound.metrics_address());
        let http = parts.serve(&config, bound, stopped)?;
        parts.health.set_ready(Health::STARTING);
        Ok(Self {
            board: parts.board,
            health: parts.health,
            address,
            metrics_address,
            stop: parts.stop,
            threads,
            http,
            stop_http,
            drain_timeout: config.pipeline.drain_timeout.get(),
        })
    }

    /// What the fold publishes.
    #[must_use]
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Heartbeats and readiness.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Where metrics, health and the API are served.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.address
    }

    /// Where only metrics and health are served, if configured.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Waits until told to stop, or until a thread has died.
    ///
    /// # Errors
    /// If a thread has died.
    pub fn wait(&self, stop: &Receiver<()>) -> Result<(), PipelineError> {
        while stop.recv_timeout(Duration::from_millis(200)).is_err_and(|error| error.is_timeout()) {
            let mut threads = self.threads.iter().chain([&self.http]);
            if let Some(dead) = threads.find(|thread| thread.is_finished()) {
                return Err(PipelineError::Died(name_of(dead)));
            }
        }
        Ok(())
    }

    /// Drains: reads no more, folds what is in flight, saves and commits, within the drain timeout. Then the board holds
    /// the last view.
    ///
    /// # Errors
    /// If that took too long or a thread had died.
    pub fn stop(self) -> Result<(), PipelineError> {
        self.health.set_not_ready("stopping", "the daemon is stopping".to_owned());
        self.stop.store(true, Ordering::Release);
        let deadline = Instant::now() + self.drain_timeout + GRACE;
        let mut outcome = Ok(());
        for thread in self.threads {
            let name = name_of(&thread);
            while !thread.is_finished() && Instant::now() < deadline {
                thread::park_timeout(Duration::from_millis(5));
            }
            // It ends last, after the checkpoint writer: all that it may still wait for is the brokers' leave.
            if !thread.is_finished() && name == INGEST && outcome.is_ok() {
                tracing::warn!(
                    "no broker confirms that the daemon leaves the group; the checkpoint is saved all the same"
                );
                continue;
            }
            if !thread.is_finished() {
                outcome = Err(PipelineError::NotDrained(self.drain_timeout));
                continue;
            }
            if thread.join().is_err() {
                outcome = Err(PipelineError::Died(name));
            }
        }
        // The server ends by itself where its owner is gone.
        self.stop_http.send(()).unwrap_or_default();
        if self.http.join().is_err() {
            outcome = Err(PipelineError::Died("latido-http".to_owned()));
        }
        outcome
    }
}

/// What the threads share.
struct Parts {
    roster: Arc<Roster>,
    board: Arc<Board>,
    health: Arc<Health>,
    timings: Arc<Timings>,
    shared: Arc<Shared>,
    writer: Arc<WriterStatus>,
    stop: Arc<AtomicBool>,
}

impl Parts {
    fn new(config: &Config, roster: Arc<Roster>) -> Result<Self, PipelineError> {
        Ok(Self {
            board: Arc::new(Board::new(roster.len(), config.windows.lengths.len())),
            health: Health::new(),
            timings: Timings::new()?,
            shared: Arc::new(Shared::default()),
            writer: Arc::new(WriterStatus::default()),
            stop: Arc::new(AtomicBool::new(false)),
            roster,
        })
    }

    fn start_dead_letters(
        &self,
        config: &Config,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Option<DeadLetters>, PipelineError> {
        let Some(topic) = &config.kafka.dead_letter_topic else { return Ok(None) };
        let patience = Patience::new(Arc::clone(&self.stop), config.pipeline.drain_timeout.get());
        let client = client_config(&config.kafka);
        let (letters, thread) = DeadLetters::start(client, topic, Arc::clone(&self.health), patience)?;
        self.health.expect(Thread::DeadLetters);
        threads.push(thread);
        Ok(Some(letters))
    }

    /// Serves HTTP on a thread and a runtime of its own.
    fn serve(
        &self,
        config: &Config,
        bound: Bound,
        stopped: oneshot::Receiver<()>,
    ) -> Result<JoinHandle<()>, PipelineError> {
        let sources = Sources {
            board: Arc::clone(&self.board),
            roster: Arc::clone(&self.roster),
            windows: config.windows.lengths.clone(),
            timings: Arc::clone(&self.timings),
            health: Arc::clone(&self.health),
        };
        let state = ApiState {
            board: Arc::clone(&self.board),
            health: Arc::clone(&self.health),
            registry: metrics::registry(sources)?,
            roster: Arc::clone(&self.roster),
            windows: config.windows.lengths.clone(),
            token: Token::of(&config.http)?,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let serve = move || {
            let shutdown = async {
                // Told to stop, or nobody is left who could tell.
                stopped.await.unwrap_or_default();
            };
            if let Err(error) = runtime.block_on(bound.serve(state, shutdown)) {
                tracing::error!(%error, "HTTP cannot be served");
            }
        };
        Ok(thread::Builder::new().name("latido-http".to_owned()).spawn(serve)?)
    }
}

/// Takes up a checkpoint and names what of it no longer applies.
fn restore(config: &Config, parts: &Parts, state: &mut State, snapshot: &Snapshot) {
    let mut left_out = state.restore(snapshot);
    let mut ledger = parts.shared.ledger();
    for saved in &snapshot.partitions {
        if config.kafka.topics.iter().any(|topic| **topic == *saved.partition.topic) {
            ledger.restore(saved.partition.clone(), saved.next_offset);
        } else {
            left_out.push(format!("position of {}: its topic is not in kafka.topics", saved.partition));
        }
    }
    drop(ledger);
    tracing::info!(taken = %snapshot.taken, partitions = snapshot.partitions.len(), "checkpoint restored");
    for what in left_out {
        tracing::warn!("not restored from the checkpoint: {what}");
    }
}

fn name_of(thread: &JoinHandle<()>) -> String {
    thread.thread().name().unwrap_or("unnamed").to_owned()
}

/// How many threads score.
fn workers(config: &Config) -> usize {
    if config.pipeline.score_threads > 0 {
        return config.pipeline.score_threads;
    }
    thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
}
