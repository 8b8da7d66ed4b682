//! The dead-letter topic read back: its letters, what is looked for among them, and how they return to where they came
//! from.

mod catalogue;
mod complaints;
mod error;
mod filter;
mod letter;
mod place;
mod plan;
mod reader;
mod receipt;
mod redact;
mod replayer;

pub use catalogue::{Catalogue, Row};
pub use error::LettersError;
pub use filter::{Filter, FilterError, Wanted};
pub use letter::{Cut, Header, Kind, Letter, Record, Source};
pub use place::{BadPlace, Place};
pub use plan::{Plan, Skip};
pub use reader::{Bounds, PATIENCE, Reader};
pub use receipt::{RECEIPT_HEADER, Receipt, Replayed};
pub use redact::{Shape, shape};
pub use replayer::{Outcome, REPLAYED_FROM, Replayer};
