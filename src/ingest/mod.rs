//! Kafka in: batches of records, decoded into messages and routed to departments.

mod assembler;
mod batch;
mod budget;
mod consumer;
mod context;
mod dead_letters;
mod decode;
mod ends;
#[cfg(test)]
mod interleavings;
mod ledger;
mod member;
mod patience;
mod pointer;
pub(crate) mod provenance;
mod quiet_log;
mod route;
mod shared;
mod stats;
mod timestamp;

pub use batch::{Batch, BatchBuilder, Headers, Record};
pub use budget::Budget;
pub use consumer::{CONSUMER, Consumer, ConsumerError, FETCH_AHEAD, Links, Starting};
pub(crate) use context::position_list;
pub use context::{Assigned, Assignment, Positions};
pub use dead_letters::{DeadLetter, DeadLetterError, DeadLetterProgress, DeadLetters, OUTSTANDING_LIMIT};
pub use decode::{Decoder, RecordIds, Rejection};
pub use ledger::{Claim, Ledger, Seat};
pub use member::Member;
pub use patience::Patience;
pub(crate) use quiet_log::{QuietLog, is_connection_trouble};
pub use route::Router;
pub use shared::{ConsumerStatus, PartitionStatus, Shared};
pub(crate) use timestamp::from_kafka as moment_in_kafka;
pub(crate) use timestamp::from_text as moment_of_text;
