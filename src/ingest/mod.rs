//! Kafka in: batches of records, decoded into messages and routed to departments.

mod batch;
mod decode;
mod pointer;
mod route;
mod timestamp;

pub use batch::{Batch, BatchBuilder, Headers, Record};
pub use decode::{Decoder, Rejection};
pub use route::Router;
