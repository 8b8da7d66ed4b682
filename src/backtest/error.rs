//! Why a history cannot be used.

use std::io;
use std::path::Path;

use crate::letters::LettersError;
use crate::score::{ModelError, RulesError};

/// Why a history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}; check that it exists, may be read and is whole")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line cannot be used.
    #[error("{path}:{line}: {what}; {remedy}")]
    Line {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
        /// How to mend it.
        remedy: String,
    },
    /// All of a file cannot be used.
    #[error("{path}: {what}; {remedy}")]
    File {
        /// Which file.
        path: String,
        /// What is wrong.
        what: String,
        /// How to mend it.
        remedy: String,
    },
    /// A topic cannot be read.
    #[error(transparent)]
    Topic(#[from] LettersError),
    /// The model cannot be used.
    #[error("scorer.model: {0}")]
    Model(#[from] ModelError),
    /// The rules for signals cannot be used.
    #[error("signals.files: {0}")]
    Rules(#[from] RulesError),
}

impl HistoryError {
    pub(super) fn unreadable(path: &Path, source: io::Error) -> Self {
        if path == Path::new("-") {
            return Self::file(path, "there is no file of that name", "for standard input name /dev/stdin");
        }
        Self::Unreadable { path: path.display().to_string(), source }
    }

    pub(super) fn line(path: &Path, line: u64, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Line { path: path.display().to_string(), line, what: what.into(), remedy: remedy.into() }
    }

    pub(super) fn file(path: &Path, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::File { path: path.display().to_string(), what: what.into(), remedy: remedy.into() }
    }
}
