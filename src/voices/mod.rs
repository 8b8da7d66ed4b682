//! Who wrote what: what an alert tells beyond its figures. Pure code, in event time only.
//!
//! [`Voices`] keeps, for each department and stretch of the last 13 hours, how many messages there were and with which signals, how
//! many different customers wrote them ([`Customers`]), and the ids of the most telling unhappy ones ([`Sample`]). A stretch is 5
//! minutes of the last two hours, and half an hour before: what began long ago need not be known to the minute. Of a text it keeps
//! nothing, of a customer a keyed hash (INV-8).
//!
//! The same messages make the same record, in whatever order and batches they come (INV-5): all that is kept is a sum, a set or a
//! choice by rank, and which stretch it lies in is by the last closed minute alone. What an alert tells at a moment is of the minutes that were closed by then; messages ahead of it wait.

mod company;
mod customers;
mod hour;
mod record;
mod sample;
mod stretch;
mod summary;
#[cfg(test)]
mod tests;

use crate::message::{CustomerHash, EventTime, Score};

pub use company::CompanyHour;
pub use customers::Customers;
pub use hour::HourVoices;
pub use record::Voices;
pub use sample::Sample;
pub use stretch::Stretch;
pub use summary::{SignalFound, Summary, Voiced};

/// Minutes of a stretch that closed lately.
const STRETCH_MINUTES: i64 = 5;
/// Minutes of one that closed long ago: then three of four stretches are gone.
const HALF_MINUTES: i64 = 30;
/// What ended so many minutes ago did so long ago. Most alerts begin later than that.
const LATELY_MINUTES: i64 = 120;
const HOUR_MINUTES: i64 = 60;
const MINUTE_MILLIS: i64 = 60_000;

/// A customer's message, as far as it is told of.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// When it was written.
    pub event_time: EventTime,
    /// What the scorer says.
    pub score: &'a Score,
    /// Whether a person must read it.
    pub is_severe: bool,
    /// Who wrote it, where the record says so and a key is there to hash it with.
    pub customer: Option<CustomerHash>,
}

/// The number of the minute that a moment lies in.
const fn minute_of(moment: EventTime) -> i64 {
    moment.as_millis().div_euclid(MINUTE_MILLIS)
}

const fn hour_of(minute: i64) -> i64 {
    minute.div_euclid(HOUR_MINUTES)
}
