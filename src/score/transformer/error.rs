//! Why a transformer cannot be used.

use std::path::Path;

/// A model's directory, or what is in it, cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {what}; {remedy}")]
pub struct TransformerError {
    /// Which file or directory.
    place: String,
    what: String,
    remedy: &'static str,
}

impl TransformerError {
    pub(super) fn new(place: &Place, file: &str, what: impl Into<String>, remedy: &'static str) -> Self {
        Self { place: place.file(file), what: what.into(), remedy }
    }
}

/// Where a model comes from, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The program itself.
    Inside,
    /// A directory.
    Directory(String),
}

impl Place {
    pub(super) fn of(directory: &Path) -> Self {
        Self::Directory(directory.display().to_string())
    }

    pub(super) fn file(&self, name: &str) -> String {
        match self {
            Self::Inside => format!("{name} of the encoder inside this program"),
            Self::Directory(directory) => format!("{directory}/{name}"),
        }
    }
}

/// The first line of what a library complains of: tensor libraries add twenty lines of where they were.
pub(super) fn first_line(error: &impl ToString) -> String {
    let text = error.to_string();
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    line.chars().take(200).collect()
}
