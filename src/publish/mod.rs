//! Metrics and HTTP: what the fold shows to the world.

mod view;

pub use view::{Board, Buffer, DepartmentView, PartitionView, StreamView, View};
