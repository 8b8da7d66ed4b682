//! Messages scored as the daemon does, on all cores, and counted by minute.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustc_hash::FxHashMap;

use super::{FirstUnusable, HistoryError, MessageHistory, Names, Row};
use crate::config::{Config, OTHER, Roster, fold_name, is_department_id};
use crate::ingest::{Decoder, Headers, Record, Router};
use crate::message::{Author, DepartmentId, EventTime, Message, Offset, SignalSet};
use crate::score::{EmbeddedModel, EmbeddedScorer, Rules, Scorer as _, Text, open, open_rules};
use crate::window::Tally;

const MINUTE_MILLIS: i64 = 60_000;

/// Records that are decoded and scored together.
pub(super) const CHUNK: usize = 512;

/// Chunks that wait for each worker.
const CHUNKS_WAITING: usize = 4;

/// A record has no moment where this stands in its place.
const NO_MOMENT: EventTime = EventTime::from_millis(i64::MIN);

/// Why a record without any timestamp cannot be used.
const NO_TIMESTAMP: &str = "no_timestamp";

/// A record to be scored.
pub(super) struct Raw {
    /// Where it stands, such as a line.
    pub(super) place: FirstUnusable,
    pub(super) value: Option<Vec<u8>>,
    /// When Kafka has it that it was written.
    pub(super) kafka_timestamp: Option<EventTime>,
}

/// What scores, and how departments are told.
pub struct Scoring {
    decoder: Decoder,
    /// The departments of the config; none where each record's own name counts.
    roster: Option<Roster>,
    model: Arc<EmbeddedModel>,
    rules: Arc<Rules>,
    /// What makes a message severe, of a department that the config does not name.
    severe: SignalSet,
}

impl Scoring {
    /// As a config has it. Where it names departments, messages of others are of `other`, as in the daemon; where it names none,
    /// departments go by the names that the messages have.
    ///
    /// # Errors
    /// If the model or the rules cannot be used.
    pub fn new(config: &Config) -> Result<Self, HistoryError> {
        let roster = Roster::new(config);
        let decoder = Decoder::new(&config.input, Router::new(&roster));
        let roster = (!config.departments.is_empty()).then_some(roster);
        let (model, rules) = (open(&config.scorer)?, open_rules(&config.signals)?);
        Ok(Self { decoder, roster, model, rules, severe: config.detect.severe() })
    }

    /// Scores what `read` gives to its argument, which is false where nobody takes it any more, and counts it.
    pub(super) fn count(
        &self,
        mut read: impl FnMut(&mut dyn FnMut(Vec<Raw>) -> bool) -> Result<(), HistoryError>,
    ) -> Result<MessageHistory, HistoryError> {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let (chunks, chunks_out) = bounded(workers * CHUNKS_WAITING);
        let counted = thread::scope(|scope| {
            let start = |_| {
                let chunks = chunks_out.clone();
                scope.spawn(move || self.work(&chunks))
            };
            let threads: Vec<_> = (0..workers).map(start).collect();
            drop(chunks_out);
            let done = read_into(&mut read, chunks);
            let join = |thread: thread::ScopedJoinHandle<'_, Counted>| {
                // A panic goes on where it would have been without a thread.
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            let counted: Vec<Counted> = threads.into_iter().map(join).collect();
            done.map(|()| counted)
        })?;
        Ok(self.history(counted))
    }

    fn work(&self, chunks: &Receiver<Vec<Raw>>) -> Counted {
        let mut scorer = EmbeddedScorer::new(Arc::clone(&self.model), Arc::clone(&self.rules));
        let mut counted = Counted::default();
        let mut scores = Vec::new();
        for chunk in chunks {
            let now = wall_clock();
            let decoded: Vec<(DepartmentId, Message<'_>)> =
                chunk.iter().filter_map(|raw| self.decode(raw, now, &mut counted)).collect();
            let texts: Vec<Text<'_>> =
                decoded.iter().map(|(_, message)| Text { text: &message.text, language: message.language }).collect();
            scores.clear();
            scorer.score(&texts, &mut scores);
            for ((department, message), score) in decoded.iter().zip(&scores) {
                let minute = message.event_time.as_millis().div_euclid(MINUTE_MILLIS);
                let counts = counted.minutes.entry((minute, *department)).or_default();
                counts.0 += Tally::of(score);
                let severe = self.roster.as_ref().map_or(self.severe, |roster| roster.severe(*department));
                counts.1 += u32::from(score.signals.intersects(severe));
            }
        }
        counted
    }

    /// The customer's message of a record; of others it is counted why there is none.
    fn decode<'a>(&self, raw: &'a Raw, now: EventTime, counted: &mut Counted) -> Option<(DepartmentId, Message<'a>)> {
        let value = raw.value.as_deref();
        let record = Record {
            offset: Offset(0),
            kafka_timestamp: raw.kafka_timestamp.or(Some(NO_MOMENT)),
            key: None,
            value,
            headers: Headers::default(),
        };
        let message = match self.decoder.decode(&record, now) {
            Ok(message) if message.event_time == NO_MOMENT => {
                counted.refuse(NO_TIMESTAMP, &raw.place);
                return None;
            }
            Ok(message) => message,
            Err(rejection) => {
                counted.refuse(rejection.reason.as_str(), &raw.place);
                return None;
            }
        };
        if message.author != Author::Customer {
            counted.not_by_customers += 1;
            return None;
        }
        let department = match &self.roster {
            Some(_) => message.department,
            None => counted.names.number_of(self.decoder.department_name(value.unwrap_or_default()).as_deref()),
        };
        Some((department, message))
    }

    /// All workers' counts together, in order of time.
    fn history(&self, counted: Vec<Counted>) -> MessageHistory {
        let mut names = Names::default();
        if let Some(roster) = &self.roster {
            for (_, department) in roster.iter() {
                // A config's ids were checked.
                names.number(department.id.as_bytes()).ok();
            }
        }
        let mut minutes: BTreeMap<(i64, DepartmentId), (Tally, u32)> = BTreeMap::new();
        let mut unusable: BTreeMap<String, (u64, FirstUnusable)> = BTreeMap::new();
        let mut not_by_customers = 0;
        // Workers see names in an order of their own: the alphabet makes each run the same.
        let mut found: Vec<&str> =
            counted.iter().flat_map(|counted| counted.names.0.all()).map(String::as_str).collect();
        found.sort_unstable();
        for name in found {
            names.number(name.as_bytes()).ok();
        }
        for of_worker in &counted {
            let number = |local: DepartmentId| match &self.roster {
                Some(_) => Some(local),
                None => names.find(&of_worker.names.0.all()[local.index()]),
            };
            for ((minute, local), (tally, severe)) in &of_worker.minutes {
                // Beyond 65,535 departments there is no number, and the names were not taken.
                if let Some(department) = number(*local) {
                    let counts = minutes.entry((*minute, department)).or_default();
                    counts.0 += *tally;
                    counts.1 += *severe;
                }
            }
            for (reason, (count, first)) in &of_worker.unusable {
                let entry = unusable.entry((*reason).to_owned()).or_insert_with(|| (0, first.clone()));
                entry.0 += count;
                if *first < entry.1 {
                    entry.1 = first.clone();
                }
            }
            not_by_customers += of_worker.not_by_customers;
        }
        let rows = minutes.into_iter().map(|((minute, department), (tally, severe))| Row {
            start: EventTime::from_millis(minute.saturating_mul(MINUTE_MILLIS)),
            department,
            tally,
            severe,
        });
        MessageHistory::new(rows.collect(), names, self.model.id()).without(unusable, not_by_customers)
    }
}

/// Hands chunks on until all are read, or nobody takes them.
fn read_into(
    read: &mut impl FnMut(&mut dyn FnMut(Vec<Raw>) -> bool) -> Result<(), HistoryError>,
    chunks: Sender<Vec<Raw>>,
) -> Result<(), HistoryError> {
    read(&mut |chunk| chunks.send(chunk).is_ok())
}

/// What a worker has counted.
#[derive(Default)]
struct Counted {
    /// With how many of them are severe.
    minutes: FxHashMap<(i64, DepartmentId), (Tally, u32)>,
    names: OwnNames,
    /// By reason: how many, and where the first stands.
    unusable: BTreeMap<&'static str, (u64, FirstUnusable)>,
    not_by_customers: u64,
}

impl Counted {
    fn refuse(&mut self, reason: &'static str, place: &FirstUnusable) {
        let entry = self.unusable.entry(reason).or_insert_with(|| (0, place.clone()));
        entry.0 += 1;
        if *place < entry.1 {
            entry.1 = place.clone();
        }
    }
}

/// Departments by the names that messages have.
#[derive(Default)]
struct OwnNames(Names);

impl OwnNames {
    fn number_of(&mut self, name: Option<&str>) -> DepartmentId {
        let named = name.and_then(|name| {
            if is_department_id(name) {
                return self.0.number(name.as_bytes()).ok();
            }
            let folded = fold_name(name).replace(' ', "-");
            self.0.number(folded.as_bytes()).ok()
        });
        // The first name always fits.
        named.or_else(|| self.0.number(OTHER.as_bytes()).ok()).unwrap_or(DepartmentId(0))
    }
}

fn wall_clock() -> EventTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EventTime::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
