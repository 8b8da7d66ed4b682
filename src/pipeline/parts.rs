//! What the threads share, and how each is started.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::sync::oneshot;

use crate::checkpoint::{Loaded, Sent, Store};
use crate::config::{CheckpointStore, Config, DetectConfig, Roster, ScorerChoice, ScorerConfig, client_config};
use crate::ingest::{self, Assignment, Batch, Budget, DeadLetters, Decoder, Patience, Positions, Router, Shared};
use crate::message::HashKey;
use crate::publish::events::{EventProgress, EventSender};
use crate::publish::http::{ApiState, Bound, Token};
use crate::publish::metrics::{self, Sources};
use crate::publish::{Board, Health, Mark, MarkDesk, PanesDesk, PanesQuestion, Resume, SecondStatus, Thread, Timings};
use crate::sabotage::{self, Sabotage};
use crate::score::lane::LaneOptions;
use crate::score::second::Slow;
use crate::score::shares::Shares;
use crate::score::{EmbeddedModel, EmbeddedScorer, Rules, Scorer};

use super::PipelineError;
use super::breaker::Breaker;
use super::events::EventsOut;
use super::fold::{self, Fold, Limits};
use super::reload::{Reload, learned_of};
use super::routing::{Routes, Routing};
use super::scoring::{Next, ScoredBatch, Worker};
use super::second::{self, Asked, Chooser, DeskOptions, ModelSlot, SecondLinks, first_threshold};
use super::state::State;
use super::writer::{Writer, WriterStatus};

/// Words of operators that may wait; the last one counts.
const WORDS_WAITING: usize = 16;
/// Rebalances and saved positions that may wait; both are rare, and neither sender may be held up.
const NOTES_WAITING: usize = 1_024;

/// The consumer's ends of the channels to and from the fold.
pub(super) struct Ends {
    assignments: Sender<Assignment>,
    covered: Receiver<Positions>,
}

/// What the threads share.
pub(super) struct Parts {
    roster: Arc<Roster>,
    routes: Arc<Routes>,
    pub(super) board: Arc<Board>,
    pub(super) health: Arc<Health>,
    timings: Arc<Timings>,
    panes: PanesDesk,
    panes_asked: Receiver<PanesQuestion>,
    marks: MarkDesk,
    marks_out: Receiver<Mark>,
    resumes: Sender<Resume>,
    resumes_out: Receiver<Resume>,
    pub(super) reloads: Sender<Reload>,
    reloads_out: Receiver<Reload>,
    shared: Arc<Shared>,
    writer: Arc<WriterStatus>,
    pub(super) second: Option<SecondParts>,
    pub(super) stop: Arc<AtomicBool>,
}

/// What the threads share of the slow model.
pub(super) struct SecondParts {
    pub(super) slot: Arc<ModelSlot>,
    status: Arc<SecondStatus>,
    options: DeskOptions,
}

impl SecondParts {
    fn new(config: &ScorerConfig, slow: Slow) -> Self {
        let transformer = &config.transformer;
        let options = DeskOptions {
            deadline: transformer.deadline.get(),
            max_share: (config.kind == ScorerChoice::Cascade).then_some(config.cascade.max_share),
            cache_texts: transformer.cache_texts,
            workers: threads(transformer.workers),
            measured: slow.texts_per_second,
        };
        let longest = slow.model.max_tokens();
        let status = SecondStatus::new(first_threshold(&options), transformer.max_waiting_texts, longest);
        Self { slot: Arc::new(ModelSlot::new(slow.model)), status: Arc::new(status), options }
    }
}

impl Parts {
    pub(super) fn new(config: &Config, slow: Option<Slow>) -> Result<Self, PipelineError> {
        let roster = Arc::new(Roster::new(config));
        let (panes, panes_asked) = PanesDesk::new();
        let (marks, marks_out) = MarkDesk::new();
        let (resumes, resumes_out) = bounded(WORDS_WAITING);
        let (reloads, reloads_out) = bounded(WORDS_WAITING);
        Ok(Self {
            board: Arc::new(Board::new(Arc::clone(&roster), config.windows.lengths.len())),
            health: Health::new(),
            timings: Timings::new()?,
            panes,
            panes_asked,
            marks,
            marks_out,
            resumes,
            resumes_out,
            reloads,
            reloads_out,
            routes: Routes::new(&roster),
            shared: Arc::new(Shared::default()),
            writer: Arc::new(WriterStatus::default()),
            second: slow.map(|slow| SecondParts::new(&config.scorer, slow)),
            stop: Arc::new(AtomicBool::new(false)),
            roster,
        })
    }

    /// The fold's state: a checkpoint's, where there is one. What of that no longer applies is named. `shares` are the
    /// model's tables.
    pub(super) fn restored_state(
        &self,
        config: &Config,
        shares: Shares,
        loaded: Loaded,
    ) -> Result<State, PipelineError> {
        let mut state = self.taught_state(config, State::new(config, Arc::clone(&self.roster), shares), &loaded)?;
        for damage in &loaded.damaged {
            let path = damage.path.display();
            tracing::error!(%path, error = %damage.source, "a checkpoint is damaged; the one before it is restored");
        }
        self.writer.found_damaged(loaded.damaged.len());
        let Some(snapshot) = loaded.snapshot else { return Ok(state) };
        let mut left_out = state.restore(&snapshot);
        if sabotage::is(Sabotage::CheckpointWithoutOffsets) {
            return Ok(state);
        }
        let mut ledger = self.shared.ledger();
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
        Ok(state)
    }

    /// The state with what was learned from history, where the config names a file of that.
    fn taught_state(&self, config: &Config, state: State, loaded: &Loaded) -> Result<State, PipelineError> {
        let Some((path, learned)) = config.detect.baselines.as_ref().zip(learned_of(config)?) else { return Ok(state) };
        let (state, mut taken) = state.with_learned(learned);
        let known = loaded.snapshot.iter().flat_map(|snapshot| &snapshot.detector.departments);
        let known: BTreeSet<&str> = known.map(|saved| &*saved.department).collect();
        taken.retain(|name| !known.contains(&**name));
        let path = path.display();
        tracing::info!(%path, departments = taken.len(), "baselines learned from history are taken: {}", taken.join(", "));
        Ok(state)
    }

    /// Whether a checkpoint told where to go on.
    pub(super) fn has_positions(&self) -> bool {
        sabotage::is(Sabotage::CheckpointWithoutOffsets) || self.shared.ledger().positions().next().is_some()
    }

    /// Starts the fold, the checkpoint writer and, if a topic is configured, the dead-letter producer.
    pub(super) fn start_fold(
        &self,
        config: &Config,
        state: State,
        store: Box<dyn Store>,
        scored: Receiver<ScoredBatch>,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Ends, PipelineError> {
        let (assignments, assignments_out) = bounded(NOTES_WAITING);
        let (covered_in, covered) = bounded(NOTES_WAITING);
        let (jobs, jobs_out) = bounded(1);
        let (fetched, fetched_out) = bounded(NOTES_WAITING);
        let letters = self.start_dead_letters(config, threads)?;
        let mut events = self.start_events(config, threads)?;
        let progress = events.as_ref().map(|events| Arc::clone(&events.progress));
        if let Some(events) = &mut events {
            // What a restored outbox holds is saved already.
            events.saved(state.events.outbox(), &Sent::Nothing);
        }
        let drain_timeout = config.pipeline.drain_timeout.get();
        let writer = Writer {
            store,
            jobs: jobs_out,
            fetched,
            shared: Arc::clone(&self.shared),
            stop: Arc::clone(&self.stop),
            covered: covered_in,
            letters: letters.as_ref().map(|letters| Arc::clone(letters.progress())),
            events,
            patience: Patience::new(Arc::clone(&self.stop), drain_timeout / 2),
            status: Arc::clone(&self.writer),
            health: Arc::clone(&self.health),
        };
        threads.push(writer.start()?);
        let links = fold::Links {
            scored,
            assignments: assignments_out,
            panes_asked: self.panes_asked.clone(),
            resumes: self.resumes_out.clone(),
            marks: self.marks_out.clone(),
            reloads: self.reloads_out.clone(),
            jobs,
            fetched: fetched_out,
            letters,
            second: self.second.as_ref().map(|second| Arc::clone(&second.status)),
            events: progress,
            shared: Arc::clone(&self.shared),
            board: Arc::clone(&self.board),
            health: Arc::clone(&self.health),
            timings: Arc::clone(&self.timings),
            writer: Arc::clone(&self.writer),
            patience: Patience::new(Arc::clone(&self.stop), drain_timeout),
        };
        let limits = Limits {
            checkpoint_every: config.checkpoint.interval.get(),
            drain_timeout,
            budget: Budget::of(&config.pipeline),
            late_letters: config.kafka.dead_letter_late,
            store_is_shared: config.checkpoint.store == CheckpointStore::Kafka,
        };
        let decoder = Decoder::new(&config.input, Router::new(&self.roster));
        let routing = Routing::new(Arc::clone(&self.routes), decoder, &self.roster);
        threads.push(Fold::start(state, (Breaker::new(config.breaker), routing), links, limits)?);
        Ok(Ends { assignments, covered })
    }

    /// Starts the scoring pool, each worker with a scorer of its own, and whoever asks the slow model, where there is one.
    pub(super) fn start_workers(
        &self,
        config: &Config,
        (model, rules, key): &(Arc<EmbeddedModel>, Arc<Rules>, Option<HashKey>),
        batches: &Receiver<Batch>,
        scored: &Sender<ScoredBatch>,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<(), PipelineError> {
        let asked = self.start_second(config, scored, threads)?;
        let workers = self::threads(config.pipeline.score_threads);
        self.health.expect_workers(workers);
        for number in 0..workers {
            let scorer: Box<dyn Scorer> = Box::new(EmbeddedScorer::new(Arc::clone(model), Arc::clone(rules)));
            let next = match self.second.as_ref().zip(asked.as_ref()) {
                Some((second, asked)) => Next::Second(Box::new(self.chooser(config, second)), asked.clone()),
                None => Next::Fold(scored.clone()),
            };
            let worker = Worker {
                number,
                decoder: Decoder::new(&config.input, Router::new(&self.roster)),
                routes: (Arc::clone(&self.routes), 0),
                scorer: sabotage::scorer(scorer),
                key: *key,
                batches: batches.clone(),
                next,
                health: Arc::clone(&self.health),
                timings: Arc::clone(&self.timings),
            };
            threads.push(worker.start()?);
        }
        Ok(())
    }

    fn chooser(&self, config: &Config, second: &SecondParts) -> Chooser {
        let (slot, status) = (Arc::clone(&second.slot), Arc::clone(&second.status));
        if second.options.max_share.is_none() {
            return Chooser::of_all(slot, status);
        }
        Chooser::by_worth(slot, status, Arc::clone(&self.board), page_from(&config.detect))
    }

    /// Starts whoever asks the slow model; gives where batches for it go.
    fn start_second(
        &self,
        config: &Config,
        scored: &Sender<ScoredBatch>,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Option<Sender<Asked>>, PipelineError> {
        let Some(second) = &self.second else { return Ok(None) };
        let transformer = &config.scorer.transformer;
        let lane = LaneOptions {
            workers: second.options.workers,
            max_wait: transformer.max_wait.get(),
            max_batch_tokens: transformer.max_batch_tokens,
            max_waiting: transformer.max_waiting_texts,
        };
        let (asked, asked_out) = bounded(second::BATCHES_WAITING);
        let links = SecondLinks {
            asked: asked_out,
            scored: scored.clone(),
            shared: Arc::clone(&self.shared),
            health: Arc::clone(&self.health),
            status: Arc::clone(&second.status),
        };
        self.health.expect(Thread::Second);
        threads.push(second::start(lane, second.options, links)?);
        Ok(Some(asked))
    }

    /// What the consumer thread is connected to.
    pub(super) fn consumer_links(&self, batches: Sender<Batch>, ends: Ends) -> ingest::Links {
        ingest::Links {
            batches,
            assignments: ends.assignments,
            covered: ends.covered,
            shared: Arc::clone(&self.shared),
            health: Arc::clone(&self.health),
            stop: Arc::clone(&self.stop),
        }
    }

    fn start_dead_letters(
        &self,
        config: &Config,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Option<DeadLetters>, PipelineError> {
        let Some(topic) = &config.kafka.dead_letter_topic else { return Ok(None) };
        let patience = Patience::new(Arc::clone(&self.stop), config.pipeline.drain_timeout.get());
        let client = client_config(&config.kafka);
        let room = Budget::of(&config.pipeline).dead_letters;
        let (letters, thread) = DeadLetters::start(client, topic, room, Arc::clone(&self.health), patience)?;
        self.health.expect(Thread::DeadLetters);
        threads.push(thread);
        Ok(Some(letters))
    }

    /// Whoever has alert events sent, if a topic is configured: the store with its transactions, or a thread.
    fn start_events(
        &self,
        config: &Config,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<Option<EventsOut>, PipelineError> {
        let Some(topic) = &config.alerts.topic else { return Ok(None) };
        let (progress, health) = (Arc::<EventProgress>::default(), Arc::clone(&self.health));
        if config.checkpoint.store == CheckpointStore::Kafka {
            return Ok(Some(EventsOut { progress, sender: None, health }));
        }
        let patience = Patience::new(Arc::clone(&self.stop), config.pipeline.drain_timeout.get());
        let client = client_config(&config.kafka);
        let (sender, thread) = EventSender::start(client, topic, Arc::clone(&progress), Arc::clone(&health), patience)?;
        self.health.expect(Thread::AlertEvents);
        threads.push(thread);
        Ok(Some(EventsOut { progress, sender: Some(sender), health }))
    }

    /// Serves HTTP on a thread and a runtime of its own.
    pub(super) fn serve(
        &self,
        config: &Config,
        bound: Bound,
        stopped: oneshot::Receiver<()>,
    ) -> Result<JoinHandle<()>, PipelineError> {
        let sources = Sources {
            board: Arc::clone(&self.board),
            windows: config.windows.lengths.clone(),
            timings: Arc::clone(&self.timings),
            health: Arc::clone(&self.health),
            second: self.second.as_ref().map(|second| Arc::clone(&second.status)),
        };
        let state = ApiState {
            board: Arc::clone(&self.board),
            health: Arc::clone(&self.health),
            registry: metrics::registry(sources)?,
            windows: config.windows.lengths.clone(),
            panes: self.panes.clone(),
            marks: self.marks.clone(),
            resumes: self.resumes.clone(),
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

/// So many threads as are asked for; where none are, one less than there are cores.
fn threads(asked: usize) -> usize {
    if asked > 0 {
        return asked;
    }
    thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
}

/// The score from which on an alert pages: log10 of the hours in which one false page is allowed.
fn page_from(detect: &DetectConfig) -> f64 {
    const HOURS: f64 = 28.0 * 24.0;
    (HOURS / detect.false_alarms_per_month).log10().max(1.0)
}
