//! Metrics and HTTP: what the fold shows to the world.

pub mod events;
mod health;
pub mod http;
mod marks;
pub mod metrics;
mod panes;
mod second;
mod timings;
mod view;

pub use health::{Health, Thread};
pub use marks::{Mark, MarkDesk, NotMarked};
pub use panes::{PanesDesk, PanesNow, PanesQuestion, Resume};
pub use second::{FallbackReason, SecondStatus};
pub use timings::Timings;
pub use view::{AdjustedShares, Board, Buffer, DepartmentView, FeedbackCounts, PartitionView, StreamView, View};
