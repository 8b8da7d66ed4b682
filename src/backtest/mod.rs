//! The detector over history, as fast as the machine can: what would have paged, what would have been false, and how long
//! an incident would have gone unnoticed under each budget of false alarms.
//!
//! A [`History`] gives rows in order of time: [`CountsFile`] streams them from CSV, [`MessageHistory`] counts scored messages of
//! a file or a topic first. [`replay`] drives the detector through them; [`Backtest`] is what came of it, to be shown as a table
//! ([`table`]), as JSON, or as a page ([`report`]).

mod counts;
mod error;
mod history;
mod incidents;
mod input;
mod messages;
mod muting;
mod outcome;
mod rate;
mod replay;
mod report;
mod score;
mod shift;
mod step;
mod svg;
mod table;
mod tally;
mod topic;
mod tradeoff;
mod verdict;

pub use counts::CountsFile;
pub use error::HistoryError;
pub use history::{History, Names, Row};
pub use incidents::{Incident, Incidents};
pub use messages::{FirstUnusable, MessageHistory, Unusable, read_messages};
pub use outcome::{AlertRow, Backtest, DepartmentOutcome, Source, TradeOffPoint};
pub use replay::{Replayed, Setup, replay};
pub use report::report;
pub use score::Scoring;
pub use step::{BadStep, Step};
pub use table::table;
pub use topic::read_topic;
pub use verdict::ListedSpan;
