//! What the window room promises.
#![expect(clippy::unwrap_used, reason = "tests")]

mod clock;
mod fold;
mod model;
mod panes;

use std::time::Duration;

use crate::config::{Span, WindowsConfig};
use crate::message::{EventTime, PartitionId};

/// Lateness 30 s, idle after 30 s, alignment 1 h.
fn settings() -> WindowsConfig {
    WindowsConfig::default()
}

fn settings_with(lengths_seconds: &[u64], lateness_seconds: u64) -> WindowsConfig {
    WindowsConfig {
        lengths: lengths_seconds.iter().copied().map(Span::from_secs).collect(),
        lateness: Span::from_secs(lateness_seconds),
        ..settings()
    }
}

fn at(seconds: i64) -> EventTime {
    EventTime::from_millis(seconds * 1_000)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn partition(number: i32) -> PartitionId {
    PartitionId::new("messages", number)
}
