//! What config and people have made of an alert. The detector neither knows it nor goes by it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::message::EventTime;

/// What became of an alert once it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Why it pages nobody, where a mute is in force; of a closed one, where one was when it closed.
    pub muted: Option<String>,
    /// It has paged.
    pub paged: bool,
    /// What people said of it.
    pub feedback: Option<Feedback>,
    /// What people said of it was counted as what they say of its incident.
    pub stands_for_incident: bool,
}

/// What people said of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// Whether it was worth a page.
    pub verdict: Verdict,
    /// In their own words, at most [`Feedback::NOTE_LIMIT`] characters; empty where they said nothing.
    pub note: String,
    /// When they said so (wall clock).
    pub marked: EventTime,
}

impl Feedback {
    /// Most characters of a note.
    pub const NOTE_LIMIT: usize = 500;
}

/// Whether an alert was worth a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was wrong.
    False,
    /// Something was, and it was good to know.
    Useful,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: &'static [Self] = &[Self::False, Self::Useful];

    /// The name used in labels, JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::False => "false",
            Self::Useful => "useful",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
