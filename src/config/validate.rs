//! Values that are impossible, by themselves or together.

mod departments;
mod mutes;
mod places;
mod scorer;
mod stream;

use super::Config;
use super::layers::{Layers, cut, dotted};
use super::problem::Problem;

pub(crate) use departments::is_id as is_department_id;
pub(crate) use stream::unkept_budget;

/// Collects what is wrong.
pub(super) struct Check<'a> {
    layers: &'a Layers,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self { layers, problems: Vec::new() }
    }

    /// Notes that the value at a path cannot stand.
    pub(super) fn refuse(&mut self, path: &[&str], what: impl Into<String>, remedy: impl Into<String>) {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        self.problems.push(Problem {
            origin: self.layers.origin(&path),
            key: dotted(&path),
            value: self.layers.shown(&path),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    /// Notes that an item of a list cannot stand. The list may have been written as one text, so the item is given.
    fn refuse_item(&mut self, list: &[&str], place: usize, item: &str, what: &str, remedy: &str) {
        let place = place.to_string();
        let path: Vec<&str> = list.iter().copied().chain([place.as_str()]).collect();
        self.refuse(&path, what, remedy);
        if let Some(problem) = self.problems.last_mut() {
            problem.value = Some(cut(&format!("{item:?}")));
        }
    }

    /// Notes that the value at a path cannot stand, without showing it.
    pub(super) fn refuse_unshown(&mut self, path: &[&str], what: impl Into<String>, remedy: impl Into<String>) {
        self.refuse(path, what, remedy);
        if let Some(problem) = self.problems.last_mut() {
            problem.value = None;
        }
    }

    /// Another value that a problem is about, as the problem names it: its key, the value, and who set it.
    fn named(&self, path: &[&str]) -> String {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        let (key, origin) = (dotted(&path), self.layers.origin(&path));
        let value = self.layers.shown(&path).unwrap_or_else(|| "not set".to_owned());
        format!("`{key}` is {value} by {origin}")
    }

    /// Notes it where a value fails its condition.
    fn need(&mut self, holds: bool, path: &[&str], what: &str, remedy: &str) {
        if !holds {
            self.refuse(path, what, remedy);
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// Checks every room's values.
pub(super) fn all(config: &Config, check: &mut Check<'_>) {
    stream::kafka(&config.kafka, check);
    stream::input(&config.input, check);
    stream::windows(&config.windows, check);
    stream::detect(&config.detect, check);
    stream::pipeline(&config.pipeline, check);
    stream::breaker(&config.breaker, check);
    scorer::all(&config.scorer, &config.pipeline, check);
    places::baselines(&config.detect, check);
    places::signals(&config.signals, check);
    places::privacy(&config.privacy, check);
    places::alerts(config, check);
    places::checkpoint(&config.checkpoint, &config.kafka, check);
    places::http(&config.http, check);
    places::log(&config.log, check);
    departments::all(&config.departments, check);
    mutes::all(&config.mutes, &config.departments, check);
}
