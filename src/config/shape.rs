//! Merged values to a [`Config`]: unknown keys and wrong types, as many as there are in one go.

use figment::error::Kind;
use figment::value::{Tag, Value};

use super::Config;
use super::layers::{Layers, at, dotted};
use super::names::guess;
use super::problem::{Origin, Problem};
use super::schema::{Field, Shape, field_at, fields, shape_at};

/// After so many problems the rest waits.
const MOST_PROBLEMS: usize = 20;

/// Makes the values a config. Each wrong one is noted and taken out, and the rest is tried again, so that all are found.
pub(super) fn config_of(layers: &Layers) -> Result<Config, Vec<Problem>> {
    let mut root = layers.root().clone();
    let mut problems = Vec::new();
    loop {
        let error = match root.deserialize::<Config>() {
            Ok(config) if problems.is_empty() => return Ok(config),
            Ok(_) => return Err(problems),
            Err(error) => error,
        };
        problems.push(problem_of(&error, layers));
        if problems.len() == MOST_PROBLEMS || !mend(&mut root, &error.path, &error.kind) {
            return Err(problems);
        }
    }
}

/// Says what is wrong where.
fn problem_of(error: &figment::Error, layers: &Layers) -> Problem {
    let path = &error.path;
    let origin = layers.origin(path);
    let shape_remedy = || {
        if let [kafka, properties, name] = &path[..]
            && (&**kafka, &**properties) == ("kafka", "properties")
            && matches!(at(layers.root(), path), Some(Value::Dict(..)))
        {
            // TOML reads a dotted name without quotes as tables within tables.
            return format!("put the name of the property in quotes, as in \"{name}.protocol\" = \"...\"");
        }
        if path.first().is_some_and(|first| first == "mutes") && matches!(path.len(), 1 | 2) {
            return "write tables, each under [[mutes]], such as departments = [\"billing\"]".to_owned();
        }
        let Some(shape) = shape_at(path) else { return "see docs/configuration.md".to_owned() };
        let remedy = format!("write {}", shape.remedy());
        // Quotes are TOML's; a variable has none.
        let is_variable = matches!(origin, Origin::Environment { .. });
        if is_variable { remedy.replace(", in quotes", "").replace(", without quotes", "") } else { remedy }
    };
    let (what, remedy) = match &error.kind {
        Kind::UnknownField(name, siblings) => ("unknown key".to_owned(), meant_key(path, name, siblings)),
        Kind::UnknownVariant(name, choices) => {
            let meant = guess(name, choices.iter().copied());
            let remedy = meant.map_or_else(shape_remedy, |choice| format!("did you mean \"{choice}\"?"));
            ("not one of the choices".to_owned(), remedy)
        }
        Kind::MissingField(name) => (format!("`{name}` is missing"), format!("add `{name} = ...`")),
        Kind::InvalidType(..) | Kind::InvalidValue(..) | Kind::InvalidLength(..) => {
            (format!("wrong type, {}", type_of(layers, path)), shape_remedy())
        }
        Kind::Message(message) => (message.clone(), shape_remedy()),
        other => (other.to_string(), shape_remedy()),
    };
    Problem { origin, key: dotted(path), value: layers.shown(path), what, remedy }
}

/// What a value is, in words.
fn type_of(layers: &Layers, path: &[String]) -> &'static str {
    match at(layers.root(), path) {
        Some(Value::String(..) | Value::Char(..)) => "this is a text",
        Some(Value::Bool(..)) => "this is a flag",
        Some(Value::Num(_, number)) if number.to_f64().is_some() => "this is a number with a fraction",
        Some(Value::Num(..)) => "this is a whole number",
        Some(Value::Array(..)) => "this is a list",
        Some(Value::Dict(..)) => "this is a table",
        Some(Value::Empty(..)) | None => "this is nothing",
    }
}

/// What to write in place of an unknown key.
fn meant_key(path: &[String], name: &str, siblings: &[&str]) -> String {
    let table = &path[..path.len().saturating_sub(1)];
    let in_table = |key: &str| dotted(&[table, &[key.to_owned()]].concat());
    if let Some(sibling) = guess(name, siblings.iter().copied()) {
        return format!("did you mean `{}`?", in_table(sibling));
    }
    let elsewhere = |field: &&Field| field.shape != Shape::Table && field.key.rsplit('.').next() == Some(name);
    if let Some(field) = fields().iter().find(elsewhere) {
        return format!("did you mean `{}`?", field.key);
    }
    let keys = siblings.iter().map(|sibling| format!("`{sibling}`")).collect::<Vec<_>>().join(", ");
    format!("remove it; the keys here are {keys}")
}

/// Takes the wrong value out; `false` where that is not possible.
fn mend(root: &mut Value, path: &[String], kind: &Kind) -> bool {
    if let Kind::MissingField(name) = kind {
        return fill(root, path, name);
    }
    let Some((last, around)) = path.split_last() else { return false };
    match at_mut(root, around) {
        Some(Value::Dict(_, entries)) => {
            let was_there = entries.remove(last).is_some();
            // A list's table without its one required key would be a second error for the same mistake.
            if last == REQUIRED {
                entries.insert(last.clone(), placeholder());
            }
            was_there
        }
        Some(Value::Array(_, items)) => match last.parse::<usize>().ok().and_then(|place| items.get_mut(place)) {
            Some(item) if shape_at(path) == Some(Shape::Table) => {
                let required =
                    field_at(&[path, &[REQUIRED.to_owned()]].concat()).map(|_| (REQUIRED.to_owned(), placeholder()));
                *item = Value::Dict(Tag::Default, required.into_iter().collect());
                true
            }
            _ => mend(root, around, kind),
        },
        _ => false,
    }
}

/// The one key without a default: a department's.
const REQUIRED: &str = "id";

fn placeholder() -> Value {
    Value::String(Tag::Default, String::new())
}

fn fill(root: &mut Value, path: &[String], name: &str) -> bool {
    let Some(Value::Dict(_, entries)) = at_mut(root, path) else { return false };
    entries.insert(name.to_owned(), placeholder()).is_none()
}

fn at_mut<'a>(root: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(root, |value, part| match value {
        Value::Dict(_, entries) => entries.get_mut(part),
        Value::Array(_, items) => items.get_mut(part.parse::<usize>().ok()?),
        _ => None,
    })
}
