//! Metrics and HTTP: what the fold shows to the world.

pub mod events;
mod health;
pub mod http;
pub mod metrics;
mod panes;
mod timings;
mod view;

pub use health::{Health, Thread};
pub use panes::{PanesDesk, PanesNow, PanesQuestion, Resume};
pub use timings::Timings;
pub use view::{AdjustedShares, Board, Buffer, DepartmentView, PartitionView, StreamView, View};
