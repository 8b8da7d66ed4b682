//! Defaults, file and environment laid over one another, and where each value came from.

use std::path::{Path, PathBuf};

use figment::providers::Serialized;
use figment::value::{Dict, Map, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::Config;
use super::environment::Variable;
use super::file::{FileLayer, Lines};
use super::problem::{Origin, Problem};
use super::secret::{REDACTED, is_secret};

/// Longer values are shown cut in errors.
const SHOWN_CHARS: usize = 100;

/// The merged values, each with its origin.
pub(super) struct Layers {
    figment: Figment,
    root: Value,
    file: Option<(PathBuf, Lines)>,
}

/// Values of one origin, for figment.
struct Layer {
    metadata: Metadata,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

impl Layers {
    /// Lays the environment over the file over the defaults.
    pub(super) fn new(file: Option<(&Path, FileLayer)>, environment: Vec<Variable>) -> Result<Self, Box<Problem>> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        let mut file_lines = None;
        if let Some((path, layer)) = file {
            let metadata = Metadata::from("config file", path);
            figment = figment.merge(Layer { metadata, values: layer.values });
            file_lines = Some((path.to_owned(), layer.lines));
        }
        for variable in environment {
            let metadata = Metadata::named("environment").source(figment::Source::Custom(variable.name));
            figment = figment.merge(Layer { metadata, values: variable.values });
        }
        let root = figment.find_value("").map_err(|error| {
            Box::new(Problem {
                origin: Origin::Default,
                key: String::new(),
                value: None,
                what: format!("the values do not fit together ({error})"),
                remedy: "see docs/configuration.md".to_owned(),
            })
        })?;
        Ok(Self { figment, root, file: file_lines })
    }

    /// All values.
    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// Where the value at a path came from; for a path without a value, where the table or list around it came from.
    pub(super) fn origin(&self, path: &[String]) -> Origin {
        let nearest = (0..=path.len()).rev().find_map(|length| at(&self.root, &path[..length]));
        let metadata = nearest.and_then(|value| self.figment.get_metadata(tag_of(value)));
        let source = metadata.and_then(|metadata| metadata.source.as_ref());
        match source {
            Some(figment::Source::File(file)) => Origin::File { path: file.clone(), line: self.line(path) },
            Some(figment::Source::Custom(variable)) => Origin::Environment { variable: variable.clone() },
            _ => Origin::Default,
        }
    }

    /// The value at a path as an error may show it.
    pub(super) fn shown(&self, path: &[String]) -> Option<String> {
        at(&self.root, path).map(|value| shown(value, path))
    }

    fn line(&self, path: &[String]) -> Option<usize> {
        self.file.as_ref().and_then(|(_, lines)| lines.of(path))
    }
}

/// The tag of a value; a table has the one of its first entry, because merging leaves its own behind.
fn tag_of(value: &Value) -> Tag {
    match value {
        Value::Dict(own, entries) => entries.values().next().map_or(*own, tag_of),
        other => other.tag(),
    }
}

/// The value at a path.
pub(super) fn at<'a>(root: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, part| match value {
        Value::Dict(_, entries) => entries.get(part),
        Value::Array(_, items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A path as people write it: `departments[0].id`, `kafka.properties."security.protocol"`.
pub(super) fn dotted(path: &[String]) -> String {
    let mut key = String::new();
    for part in path {
        let is_place = !key.is_empty() && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_place {
            key.push_str(&format!("[{part}]"));
            continue;
        }
        key.push_str(if key.is_empty() { "" } else { "." });
        let is_bare =
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        key.push_str(&if is_bare { part.clone() } else { format!("{part:?}") });
    }
    key
}

/// A value as an error may show it, cut where it is long.
fn shown(value: &Value, path: &[String]) -> String {
    // Properties that are no table are a mistake in which anything may stand.
    let is_properties = path == ["kafka", "properties"] && !matches!(value, Value::Dict(..));
    let hidden = is_properties || path.last().is_some_and(|name| is_secret(name));
    if hidden { REDACTED.to_owned() } else { cut(&written(value)) }
}

/// A value as TOML would have it, with the secrets in it hidden.
fn written(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Char(_, letter) => format!("{letter:?}"),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, number) => match (number.to_i128(), number.to_u128(), number.to_f64()) {
            (Some(whole), ..) => whole.to_string(),
            (_, Some(whole), _) => whole.to_string(),
            (.., Some(float)) => float.to_string(),
            (None, None, None) => "a number".to_owned(),
        },
        Value::Empty(..) => "nothing".to_owned(),
        Value::Array(_, items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Dict(_, entries) => {
            let entry = |(name, value): (&String, &Value)| {
                let value = if is_secret(name) { REDACTED.to_owned() } else { written(value) };
                format!("{} = {value}", dotted(std::slice::from_ref(name)))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// At most so much of a text as an error should show.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
