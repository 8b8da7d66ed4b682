//! Panes, windows and stream time: pure code, time is an argument.
//!
//! - [`StreamClock`] knows how far event time is complete: stream time, the watermark.
//! - [`Panes`] counts messages by department in slices of event time and sums them to windows.
//! - [`PaneCounts`] is what is counted: a [`Tally`] by label, [`ShareCounts`] to estimate a window's shares from, and how many
//!   messages are severe.
//!
//! A record walks through them like this:
//!
//! ```
//! use std::time::Duration;
//! use latido::config::WindowsConfig;
//! use latido::message::{DepartmentId, EventTime, PartitionId};
//! use latido::window::{Panes, StreamClock, Tally};
//!
//! let settings = WindowsConfig::default();
//! let (mut clock, mut panes) = (StreamClock::new(&settings), Panes::new(&settings, 1));
//! let (partition, now) = (PartitionId::new("messages", 0), Duration::from_secs(1));
//! clock.assign(partition.clone(), now);
//!
//! for minute in 0..10 {
//!     let event_time = EventTime::from_millis(minute * 60_000);
//!     let stream_time = clock.stream_time();
//!     let Some(of_partition) = clock.partition_mut(&partition) else { continue };
//!     if !of_partition.is_late(event_time, stream_time) {
//!         panes.add(DepartmentId(0), event_time, Tally { messages: 1, ..Tally::default() });
//!     }
//!     of_partition.observe(event_time, now);
//!     if let Some(stream_time) = clock.advance(now) {
//!         panes.advance(stream_time, |_window_end, _panes| { /* the detectors run here */ });
//!     }
//! }
//! assert_eq!(panes.window_end(), Some(EventTime::from_millis(510_000)), "9 minutes less the lateness of 30 s");
//! assert_eq!(panes.sums(DepartmentId(0))[0].messages, 5, "of the last 5 minutes");
//! ```

mod clock;
mod counts;
mod hour;
mod models;
mod packed;
mod panes;
mod ring;
mod shard;
mod sums;
mod tally;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::config::WindowsConfig;
use crate::message::EventTime;

pub use clock::{PartitionClock, StreamClock};
pub use counts::{PaneCounts, ShareCounts, ShareSums};
pub use hour::HourPanes;
pub(crate) use hour::PANES_AN_HOUR;
pub(crate) use models::Models;
pub use panes::{Panes, ShardId};
pub use tally::Tally;

/// The smallest slice of event time that is counted on its own.
pub const PANE: Duration = Duration::from_secs(10);

/// [`PANE`] in milliseconds.
const PANE_MILLIS: i64 = 10_000;

/// The longest window, and how long panes are kept beyond `windows.lateness`.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A longer `windows.lateness` counts as this: it bounds how much is kept.
pub const MAX_LATENESS: Duration = Duration::from_secs(7 * 24 * 3_600);

/// `windows.lateness` within its limit.
fn lateness(settings: &WindowsConfig) -> Duration {
    settings.lateness.get().min(MAX_LATENESS)
}

/// How far behind stream time a pane is kept.
fn retention(settings: &WindowsConfig) -> Duration {
    DAY + lateness(settings)
}

/// The number of the pane that a moment lies in.
fn pane_of(moment: EventTime) -> i64 {
    moment.as_millis().div_euclid(PANE_MILLIS)
}

/// When the pane starts that a moment lies in.
#[must_use]
pub fn pane_start(moment: EventTime) -> EventTime {
    start_of(pane_of(moment))
}

/// When a pane starts; within the range of event time.
fn start_of(pane: i64) -> EventTime {
    EventTime::from_millis(pane.saturating_mul(PANE_MILLIS))
}
