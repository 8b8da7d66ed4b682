//! Wires the rooms: start, drain, stop.
//!
//! Threads and what runs between them; every channel is bounded:
//!
//! ```text
//! latido-ingest ──Batch──▶ latido-score-N ──ScoredBatch──▶ latido-fold ──▶ Board ──▶ latido-http
//!       │                       └──Asked──▶ latido-second ──▶│   (only with a slow model)
//!       │                                     Job │ ▲ Run    │
//!       │                                 latido-slow-N      │
//!       ▲                                                   │      └─DeadLetter──▶ latido-dead
//!       └──────positions to commit── latido-save ◀──Job─────┘
//!                                         └─AlertEvent──▶ latido-alerts
//! ```

mod book;
mod breaker;
mod events;
mod fold;
mod parts;
mod reload;
mod routing;
mod scoring;
mod second;
mod state;
mod stores;
mod writer;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use tokio::sync::oneshot;

use crate::checkpoint::{DirectoryError, LearnedError};
use crate::config::{Config, StartPosition, client_config};
use crate::ingest::{CONSUMER, Consumer, ConsumerError, DeadLetterError, Starting};
use crate::publish::events::EventSenderError;
use crate::publish::http::{self, HttpError};
use crate::publish::{Board, Health, Thread};
use crate::score::second::SlowModelError;
use crate::score::{ModelError, RulesError};

use parts::Parts;
use reload::Reload;
pub use reload::ReloadError;
use second::ModelSlot;
use stores::Opened;
use writer::CHECKPOINT;

/// Batches that may wait before and behind the pool; the byte budget usually bites first.
const BATCHES_WAITING: usize = 64;
/// After the drain timeout, how much longer the threads may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// How often threads are watched.
const WATCH_EVERY: Duration = Duration::from_millis(200);

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
    #[error("scorer.model: {0}")]
    Model(#[from] ModelError),
    /// The slow model.
    #[error("scorer.transformer: {0}")]
    SlowModel(#[from] SlowModelError),
    /// The rules for signals.
    #[error("signals.files: {0}")]
    Rules(#[from] RulesError),
    /// The key that customers are hashed with.
    #[error("privacy.key_file: {path}: {what}; name a readable file that holds a secret")]
    Key {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The baselines learned from history.
    #[error("detect.baselines: {path}: {source}; name a file made by `latido backtest --learn`, or leave it out")]
    Baselines {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: LearnedError,
    },
    /// The consumer.
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    /// The dead-letter producer.
    #[error(transparent)]
    DeadLetters(#[from] DeadLetterError),
    /// The producer of alert events.
    #[error(transparent)]
    AlertEvents(#[from] EventSenderError),
    /// The metrics library.
    #[error("the metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A thread or a runtime.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] io::Error),
    /// The consumer cannot go on.
    #[error("{0}. What was read is in the checkpoint, or read again after a restart")]
    Consuming(String),
    /// A thread ended that should not have.
    #[error("thread {0} ended unexpectedly; the log above says why. Restart: nothing is lost, the checkpoint stands")]
    Died(String),
    /// Draining took too long.
    #[error("what was in flight was not drained within {}s; it is read again after the restart", .0.as_secs())]
    NotDrained(Duration),
    /// The last checkpoint was not saved.
    #[error(
        "{0}. The last checkpoint was not saved: what was read since the one before is read again after the restart"
    )]
    NotSaved(String),
}

/// What `latido run` may be told beyond the config.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Where to go on in partitions whose saved offset is not in the log.
    pub start_from: Option<StartPosition>,
    /// Go on at the group's offsets with empty windows where there is no checkpoint.
    pub start_empty: bool,
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The daemon is to stop.
    Stop,
    /// The config is to be read anew.
    Reload,
}

/// A running pipeline.
#[derive(Debug)]
pub struct Pipeline {
    board: Arc<Board>,
    health: Arc<Health>,
    reloads: Sender<Reload>,
    slow: Option<Arc<ModelSlot>>,
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
        let Opened { store, instance, loaded, key } = stores::open(&config)?;
        let bound = http::bind(&config.http)?;
        let (address, metrics_address) = (bound.address(), bound.metrics_address());
        let model = crate::score::open(&config.scorer)?;
        let rules = crate::score::open_rules(&config.signals)?;
        let slow = crate::score::second::open_slow(&config.scorer)?;
        let shares = model.shares().clone();
        let parts = Parts::new(&config, slow)?;
        let state = parts.restored_state(&config, shares, loaded)?;

        // Each thread ends once nobody can send to it any more.
        let mut threads = Vec::new();
        let (batches, batches_out) = bounded(BATCHES_WAITING);
        let (scored, scored_out) = bounded(BATCHES_WAITING);
        let ends = parts.start_fold(&config, state, store, scored_out, &mut threads)?;
        parts.start_workers(&config, &(model, rules, key), &batches_out, &scored, &mut threads)?;
        let links = parts.consumer_links(batches, ends);
        let client = client_config(&config.kafka);
        let starting =
            Starting { start_from: options.start_from, start_empty: options.start_empty || parts.has_positions() };
        let consumer = Consumer::new(&config, client, instance.as_deref(), starting, links)?;
        threads.push(thread::Builder::new().name(INGEST.to_owned()).spawn(move || consumer.run())?);
        for watched in [Thread::Ingest, Thread::Fold, Thread::Checkpoint] {
            parts.health.expect(watched);
        }
        let (stop_http, stopped) = oneshot::channel();
        let http = parts.serve(&config, bound, stopped)?;
        parts.health.set_ready(Health::STARTING);
        Ok(Self {
            board: parts.board,
            health: parts.health,
            reloads: parts.reloads,
            slow: parts.second.map(|second| second.slot),
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

    /// Waits until told to stop or to read the config anew, or until a thread has died.
    ///
    /// # Errors
    /// If a thread has died.
    pub fn wait(&self, stop: &Receiver<()>, reload: &Receiver<()>) -> Result<Woken, PipelineError> {
        loop {
            select! {
                recv(stop) -> _ => return Ok(Woken::Stop),
                recv(reload) -> told => if told.is_ok() { return Ok(Woken::Reload) },
                default(WATCH_EVERY) => {}
            }
            let mut threads = self.threads.iter().chain([&self.http]);
            if let Some(dead) = threads.find(|thread| thread.is_finished()) {
                return Err(self.death(name_of(dead)));
            }
        }
    }

    /// Why a thread has died: where the consumer could not go on, the others only followed it.
    fn death(&self, thread: String) -> PipelineError {
        let reasons = self.health.not_ready();
        let consumer = reasons.into_iter().find(|(key, _)| *key == CONSUMER);
        consumer.map_or(PipelineError::Died(thread), |(_, reason)| PipelineError::Consuming(reason))
    }

    /// Drains: reads no more, folds what is in flight, saves and commits, within the drain timeout. Then the board holds
    /// the last view.
    ///
    /// # Errors
    /// If that took too long, a thread had died, or the disk refused the last checkpoint.
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
        // The writer's word, which the next checkpoint that it saves takes back.
        let unsaved = self.health.not_ready().into_iter().find(|(key, _)| *key == CHECKPOINT);
        if let Some((_, reason)) = unsaved.filter(|_| outcome.is_ok()) {
            outcome = Err(PipelineError::NotSaved(reason));
        }
        // The server ends by itself where its owner is gone.
        self.stop_http.send(()).unwrap_or_default();
        if self.http.join().is_err() {
            outcome = Err(PipelineError::Died("latido-http".to_owned()));
        }
        outcome
    }
}

fn name_of(thread: &JoinHandle<()>) -> String {
    thread.thread().name().unwrap_or("unnamed").to_owned()
}
