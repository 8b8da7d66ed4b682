//! Sends alert events that are saved, one after the other, until the broker has confirmed each.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};

use super::{ALERT_EVENTS, AlertEvent, EventProgress, ITEMS_LIMIT, Outbox};
use crate::ingest::{Patience, QuietLog};
use crate::publish::{Health, Thread};

/// How long the broker may take before a try counts as failed.
const CONFIRM_WITHIN_MILLIS: &str = "10000";
const POLL: Duration = Duration::from_millis(100);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why the thread cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EventSenderError {
    /// librdkafka refused the settings.
    #[error("the producer of alert events cannot be made: {0}; check [kafka.properties]")]
    Producer(#[from] KafkaError),
    /// No thread.
    #[error("the thread of alert events cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// The checkpoint writer's end of the thread.
#[derive(Debug)]
pub struct EventSender {
    sender: Sender<AlertEvent>,
    handed_through: u64,
}

impl EventSender {
    /// Starts the thread that writes to `topic`. Once `patience` is over and its owner gone, what the broker has not confirmed is left
    /// in the outbox, for the next daemon.
    ///
    /// # Errors
    /// If the producer cannot be made or the thread not be started.
    pub fn start(
        mut client: ClientConfig,
        topic: &str,
        progress: Arc<EventProgress>,
        health: Arc<Health>,
        patience: Patience,
    ) -> Result<(Self, JoinHandle<()>), EventSenderError> {
        client.set("acks", "all");
        client.set("linger.ms", "0");
        client.set("message.timeout.ms", CONFIRM_WITHIN_MILLIS);
        client.set("allow.auto.create.topics", "false");
        let context = Context { outcome: Mutex::default(), log: QuietLog::new("producer of alert events") };
        let producer = client.create_with_context(context)?;
        let (sender, receiver) = bounded(ITEMS_LIMIT);
        let thread = Sending { producer, topic: topic.to_owned(), receiver, progress, health, patience };
        let thread = thread::Builder::new().name("latido-alerts".to_owned()).spawn(move || thread.run())?;
        Ok((Self { sender, handed_through: 0 }, thread))
    }

    /// Hands over what waits in an outbox that is saved. What there is no room for is handed over with the next one.
    pub fn hand_over(&mut self, saved: &Outbox) {
        let handed_through = self.handed_through;
        for event in saved.waiting().filter(|event| event.number > handed_through) {
            if self.sender.try_send(event.clone()).is_err() {
                return;
            }
            self.handed_through = event.number;
        }
    }
}

/// Keeps the broker's word about the one event on its way; called from `poll` on the thread itself.
struct Context {
    outcome: Mutex<Option<Result<(), KafkaError>>>,
    log: QuietLog,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.librdkafka(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let outcome = result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone());
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

/// Owns the producer.
struct Sending {
    producer: BaseProducer<Context>,
    topic: String,
    receiver: Receiver<AlertEvent>,
    progress: Arc<EventProgress>,
    health: Arc<Health>,
    patience: Patience,
}

impl Sending {
    fn run(mut self) {
        loop {
            // Notes when the stop began.
            self.is_given_up();
            match self.receiver.recv_timeout(POLL) {
                Ok(event) if self.send(&event) => {}
                Ok(event) => {
                    tracing::warn!(event.number, "alert events are not confirmed; the next start sends them");
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.producer.poll(Duration::ZERO),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Sends an event, again and again until it is confirmed: none may overtake another of its alert. False where the daemon stops
    /// before that.
    fn send(&mut self, event: &AlertEvent) -> bool {
        while let Err(error) = self.try_send(event) {
            let Some(error) = error else { return false };
            self.progress.fail();
            let message =
                format!("alert events wait: topic {} does not take them: {error}; see alerts.topic", self.topic);
            self.producer.context().log.error(&error, &message);
            self.health.set_not_ready(ALERT_EVENTS, message);
            let again = Instant::now() + RETRY_AFTER;
            while Instant::now() < again {
                if self.is_given_up() {
                    return false;
                }
                self.producer.poll(POLL);
            }
        }
        self.progress.confirm(event);
        self.health.set_ready(ALERT_EVENTS);
        true
    }

    /// Sends an event once, and waits for the broker's word.
    ///
    /// # Errors
    /// What the broker said, or nothing where the daemon stops before that.
    fn try_send(&mut self, event: &AlertEvent) -> Result<(), Option<KafkaError>> {
        self.producer.send(event.record(&self.topic)).map_err(|(error, _)| Some(error))?;
        loop {
            self.producer.poll(POLL);
            let outcome = self.producer.context().outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
            match outcome {
                Some(outcome) => return outcome.map_err(Some),
                None if self.is_given_up() => return Err(None),
                None => {}
            }
        }
    }

    fn is_given_up(&mut self) -> bool {
        self.health.beat(Thread::AlertEvents);
        self.patience.is_over()
    }
}
