//! What is wrong, and where.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

/// A line of a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    file: Rc<Path>,
    line: usize,
}

impl Place {
    pub(crate) fn new(file: &Rc<Path>, line: usize) -> Self {
        Self { file: Rc::clone(file), line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Something that must be mended.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    place: String,
    what: String,
}

impl Problem {
    pub(crate) fn new(place: &impl ToString, what: impl Into<String>) -> Self {
        Self { place: place.to_string(), what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}
