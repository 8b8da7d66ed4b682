//! Customer messages out of a seed: pure, the same for the same seed, rate and start.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::author::Writers;
use super::departments::{COUNT, DEPARTMENTS};
use super::envelope::{Envelope, Spoilt};
use super::incident::Incident;
use crate::message::{EventTime, Sentiment};

/// Of so many records one cannot be used.
const UNUSABLE_ONE_IN: u32 = 600;

/// Of so many records of the live part one is late.
const LATE_ONE_IN: u32 = 400;

/// How many times as fast as ours the demo's time passes, until it has come up to the present: minutes show what hours show elsewhere.
pub(crate) const SPEED: u32 = 60;

/// How old late records are, in seconds: beyond the 24 h that any window may need, and its lateness.
const LATE_BY_SECS: std::ops::Range<u64> = 25 * 3_600..30 * 3_600;

/// The part of records that are replies of agents and bots.
const REPLIES: f64 = 0.22;

/// What kind of record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A customer's message of that attitude.
    Customer(Sentiment),
    /// An agent's or a bot's message: context.
    Reply,
    /// Broken JSON, or no text in it.
    Unusable,
    /// A customer's message dated more than 24 h back.
    Late,
}

/// A record to produce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it is written: the event time of all but late ones.
    pub at: EventTime,
    /// The customer's id: the record's key.
    pub key: String,
    /// JSON by the input contract.
    pub value: Vec<u8>,
    /// Place of the department in the demo's company.
    pub department: usize,
    /// What it is.
    pub kind: RecordKind,
}

/// An endless stream of records in the order of their time.
#[derive(Debug)]
pub struct Generator {
    rng: Pcg64Mcg,
    per_second: f64,
    /// When the next record is written, in milliseconds since the epoch.
    next_millis: f64,
    writers: Writers,
    /// The department whose incident comes.
    troubled: usize,
    incident: Option<Incident>,
}

impl Generator {
    /// A stream that starts at `start` with a mean of `rate` records (at least 1) in each of our seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a millisecond count stays exact in f64 for 285,000 years")]
    pub fn new(seed: u64, rate: u32, start: EventTime) -> Self {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let troubled = rng.random_range(0..u32::try_from(COUNT).unwrap_or(1));
        let mut generator = Self {
            rng,
            per_second: f64::from(rate.max(1)) / f64::from(SPEED),
            next_millis: start.as_millis() as f64,
            writers: Writers::new(),
            troubled: usize::try_from(troubled).unwrap_or_default(),
            incident: None,
        };
        generator.wait_for_next();
        generator
    }

    /// When the next record is written.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of the present fit i64 many times over")]
    pub fn next_at(&self) -> EventTime {
        EventTime::from_millis(self.next_millis as i64)
    }

    /// History ends and the live part begins: from now on there are late records, and an incident comes.
    pub fn begin_live(&mut self, since: EventTime) -> Incident {
        let incident = Incident::after(since, self.troubled);
        self.incident = Some(incident);
        incident
    }

    /// The next record.
    pub fn next_record(&mut self) -> Record {
        let at = self.next_at();
        let department = self.choose_department(at);
        let record = self.write(at, department);
        self.wait_for_next();
        record
    }

    fn write(&mut self, at: EventTime, department: usize) -> Record {
        let rng = &mut self.rng;
        if rng.random_bool(1.0 / f64::from(UNUSABLE_ONE_IN)) {
            let (envelope, _) = self.writers.customer(rng, department, false, at);
            let value = Spoilt::choose(rng).bytes(&envelope);
            return Record { at, key: envelope.customer_id, value, department, kind: RecordKind::Unusable };
        }
        if rng.random_bool(REPLIES)
            && let Some(envelope) = self.writers.reply(rng, department, at)
        {
            return Record::of(envelope, at, department, RecordKind::Reply);
        }
        let late = self.incident.is_some() && rng.random_bool(1.0 / f64::from(LATE_ONE_IN));
        if late {
            let dated = at.minus(Duration::from_secs(rng.random_range(LATE_BY_SECS)));
            let (envelope, _) = self.writers.customer(rng, department, false, dated);
            return Record::of(envelope, at, department, RecordKind::Late);
        }
        let troubled = self.incident.is_some_and(|incident| incident.hits(department, at));
        let (envelope, sentiment) = self.writers.customer(rng, department, troubled, at);
        Record::of(envelope, at, department, RecordKind::Customer(sentiment))
    }

    /// The volume of each department at a moment, as shares of the mean rate.
    fn volumes(&self, at: EventTime) -> [f64; COUNT] {
        std::array::from_fn(|place| {
            let surge = self.incident.map_or(1.0, |incident| incident.surge(place, at));
            DEPARTMENTS[place].volume(at) * surge
        })
    }

    fn choose_department(&mut self, at: EventTime) -> usize {
        let volumes = self.volumes(at);
        let mut point = self.rng.random::<f64>() * volumes.iter().sum::<f64>();
        for (place, volume) in volumes.iter().enumerate() {
            point -= volume;
            if point < 0.0 {
                return place;
            }
        }
        COUNT - 1
    }

    /// Arrivals are those of a Poisson process: customers do not wait for one another.
    fn wait_for_next(&mut self) {
        let per_second = self.per_second * self.volumes(self.next_at()).iter().sum::<f64>();
        let unit = -(1.0 - self.rng.random::<f64>()).ln();
        self.next_millis += unit * 1_000.0 / per_second;
    }
}

impl Record {
    fn of(envelope: Envelope, at: EventTime, department: usize, kind: RecordKind) -> Self {
        let value = envelope.to_json();
        Self { at, key: envelope.customer_id, value, department, kind }
    }
}

#[cfg(test)]
mod tests;
