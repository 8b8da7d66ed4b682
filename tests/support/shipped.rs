//! Copies of the files that are shipped, with the few words that a test must have otherwise.

use std::fs;
use std::path::Path;

/// A shipped file by its path in the repository.
pub(crate) fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A shipped file with other words in places.
pub(crate) fn hurried(name: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(read(name), |text, (from, to)| replaced(&text, from, to))
}

/// The text with other words; those that are to go must be there, or the test would test something else.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "`{from}` is nowhere in\n{text}");
    text.replace(from, to)
}
