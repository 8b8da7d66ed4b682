//! Panes, windows and stream time: pure code, time is an argument.

mod tally;

pub use tally::Tally;
