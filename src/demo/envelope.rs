//! A message as the JSON that the input contract asks for, and ways to spoil it.

use rand::{Rng, RngExt as _};
use serde::Serialize;

use crate::message::EventTime;

/// A record's JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) text: Option<String>,
    pub(crate) department: &'static str,
    pub(crate) timestamp: Stamp,
    pub(crate) customer_id: String,
    pub(crate) conversation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<&'static str>,
    pub(crate) channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<&'static str>,
}

/// A moment in one of the ways in which sources write it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Stamp {
    /// RFC 3339.
    Text(String),
    /// Milliseconds since the epoch.
    Millis(i64),
}

impl Stamp {
    /// The way in which that channel writes moments.
    pub(crate) fn of(channel: &str, at: EventTime) -> Self {
        if channel == "app" { Self::Millis(at.as_millis()) } else { Self::Text(at.to_rfc3339()) }
    }
}

impl Envelope {
    /// The record's value.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // Strings, numbers and options of them always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// How a record came to be unusable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spoilt {
    /// Cut off in the middle.
    Broken,
    /// Nothing but white space was written.
    EmptyText,
    /// The text is `null`.
    NoText,
}

impl Spoilt {
    /// One of them.
    pub(crate) fn choose(rng: &mut impl Rng) -> Self {
        match rng.random_range(0..3_u32) {
            0 => Self::Broken,
            1 => Self::EmptyText,
            _ => Self::NoText,
        }
    }

    /// The spoilt record's value.
    pub(crate) fn bytes(self, envelope: &Envelope) -> Vec<u8> {
        let mut spoilt = envelope.clone();
        match self {
            Self::Broken => {
                let mut bytes = envelope.to_json();
                bytes.truncate(bytes.len() / 2);
                String::from_utf8_lossy(&bytes).into_owned().into_bytes()
            }
            Self::EmptyText => {
                spoilt.text = Some("  ".to_owned());
                spoilt.to_json()
            }
            Self::NoText => {
                spoilt.text = None;
                spoilt.to_json()
            }
        }
    }
}
