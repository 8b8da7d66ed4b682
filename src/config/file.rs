//! The config file: TOML text to values, with the line of each.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use figment::value::{Dict, Num, Tag, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Origin, Problem};

/// What a file holds.
#[derive(Default)]
pub(super) struct FileLayer {
    pub(super) values: Dict,
    pub(super) lines: Lines,
}

/// The line of each key and of each item of a list, from 1.
#[derive(Default)]
pub(super) struct Lines(BTreeMap<Vec<String>, usize>);

impl Lines {
    /// The line of a path, or of the nearest table or list around it.
    pub(super) fn of(&self, path: &[String]) -> Option<usize> {
        (1..=path.len()).rev().find_map(|length| self.0.get(&path[..length]).copied())
    }
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<FileLayer, Box<Problem>> {
    let whole = |line, what: String, remedy: &str| {
        Box::new(Problem {
            origin: Origin::File { path: path.to_owned(), line },
            key: String::new(),
            value: None,
            what,
            remedy: remedy.to_owned(),
        })
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        whole(
            None,
            format!("the config file cannot be read ({error})"),
            "name a readable TOML file with --config or LATIDO_CONFIG",
        )
    })?;
    parse(&text).map_err(|(line, message)| {
        whole(Some(line), format!("not TOML: {message}"), "see https://toml.io for how values are written")
    })
}

/// Parses TOML; an error is its line and what is wrong there.
pub(super) fn parse(text: &str) -> Result<FileLayer, (usize, String)> {
    let line_ends: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
    let line_of = |span: Range<usize>| line_ends.partition_point(|end| *end < span.start) + 1;
    let table = DeTable::parse(text).map_err(|error| {
        let line = line_of(error.span().unwrap_or_default());
        (line, error.message().lines().collect::<Vec<_>>().join(", "))
    })?;
    let mut reading = Reading { line_of: &line_of, lines: BTreeMap::new() };
    let values = reading.table(table.get_ref(), &mut Vec::new());
    Ok(FileLayer { values, lines: Lines(reading.lines) })
}

/// A walk through parsed TOML.
struct Reading<'a> {
    line_of: &'a dyn Fn(Range<usize>) -> usize,
    lines: BTreeMap<Vec<String>, usize>,
}

impl Reading<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &mut Vec<String>) -> Dict {
        let mut values = Dict::new();
        for (key, value) in table.iter() {
            path.push(key.get_ref().to_string());
            self.lines.insert(path.clone(), (self.line_of)(key.span()));
            values.insert(key.get_ref().to_string(), self.value(value, path));
            path.pop();
        }
        values
    }

    fn list(&mut self, items: &[Spanned<DeValue<'_>>], path: &mut Vec<String>) -> Vec<Value> {
        let mut values = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            path.push(place.to_string());
            self.lines.insert(path.clone(), (self.line_of)(item.span()));
            values.push(self.value(item, path));
            path.pop();
        }
        values
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, path: &mut Vec<String>) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::String(Tag::Default, text.to_string()),
            DeValue::Integer(number) => integer(number.as_str(), number.radix()),
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(float) => Value::Num(Tag::Default, Num::F64(float)),
                Err(_) => Value::String(Tag::Default, number.as_str().to_owned()),
            },
            DeValue::Boolean(flag) => Value::Bool(Tag::Default, *flag),
            DeValue::Datetime(moment) => Value::String(Tag::Default, moment.to_string()),
            DeValue::Array(items) => Value::Array(Tag::Default, self.list(items, path)),
            DeValue::Table(table) => Value::Dict(Tag::Default, self.table(table, path)),
        }
    }
}

/// A number too large for 64 bits stays text, which no field that wants a number takes.
fn integer(digits: &str, radix: u32) -> Value {
    i64::from_str_radix(digits, radix).map_or_else(
        |_| Value::String(Tag::Default, digits.to_owned()),
        |number| Value::Num(Tag::Default, Num::I64(number)),
    )
}
