//! The keys of the config as a table, taken from the structs: what the environment, the errors and the docs go by.

use std::sync::LazyLock;

use serde_json::Value;

use super::Config;

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// A whole number, not negative.
    Integer,
    /// A number.
    Number,
    /// A span of time.
    Span,
    /// `earliest`, `latest` or a time.
    Start,
    /// A time, as RFC 3339.
    Moment,
    /// A time of day.
    Clock,
    /// A flag.
    Flag,
    /// An address and port.
    Address,
    /// One of a closed set.
    Choice(Vec<String>),
    /// A list.
    List(Box<Shape>),
    /// A table of names that are not fixed, each with a text.
    Map,
    /// A table of fields.
    Table,
}

impl Shape {
    /// How to write such a value in TOML: completes "write ...".
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Text => "a text, in quotes".to_owned(),
            Self::Integer => "a whole number of at least 0, without quotes".to_owned(),
            Self::Number => "a number, without quotes".to_owned(),
            Self::Span => "a span such as \"30s\", \"5m\" or \"24h\", in quotes".to_owned(),
            Self::Start => "\"earliest\", \"latest\" or a time such as \"2026-01-31T00:00:00Z\"".to_owned(),
            Self::Moment => "a time such as \"2026-12-24T18:00:00Z\", in quotes".to_owned(),
            Self::Clock => "a time of day such as \"02:00\", in quotes".to_owned(),
            Self::Flag => "true or false, without quotes".to_owned(),
            Self::Address => "a numeric address and a port such as \"127.0.0.1:9464\"".to_owned(),
            Self::Choice(choices) => format!("one of {}", quoted(choices)),
            Self::List(item) => match item.as_ref() {
                Self::Span => "a list such as [\"5m\", \"1h\"]".to_owned(),
                Self::Choice(choices) => format!("a list of any of {}", quoted(choices)),
                Self::Table => "a list of tables such as [{\"id\": \"billing\"}]".to_owned(),
                _ => "a list such as [\"one\", \"two\"]".to_owned(),
            },
            Self::Map => "a table such as {\"security.protocol\" = \"ssl\"}".to_owned(),
            Self::Table => "a table".to_owned(),
        }
    }

    /// The name of the type, for the docs.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Integer => "whole number".to_owned(),
            Self::Number => "number".to_owned(),
            Self::Span => "span".to_owned(),
            Self::Start => "`earliest`, `latest` or a time".to_owned(),
            Self::Moment => "time".to_owned(),
            Self::Clock => "time of day".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Address => "address and port".to_owned(),
            Self::Choice(choices) => {
                choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(" or ")
            }
            Self::List(item) if matches!(**item, Self::Choice(_)) => {
                format!("list of any of {}", item.name().replace(" or ", ", "))
            }
            Self::List(item) => format!("list of {}s", item.name()),
            Self::Map => "table of texts".to_owned(),
            Self::Table => "table".to_owned(),
        }
    }
}

/// Choices as they are written.
fn quoted(choices: &[String]) -> String {
    choices.iter().map(|choice| format!("\"{choice}\"")).collect::<Vec<_>>().join(", ")
}

/// One field, or one table of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its dotted key; fields of the tables in a list have `[]` after the list's name: `departments[].id`.
    pub key: String,
    /// What it holds.
    pub shape: Shape,
    /// Whether it may be left without any value.
    pub optional: bool,
    /// What it means, from the doc comment.
    pub meaning: String,
    /// Its default as JSON; `None` where there is none.
    pub default: Option<Value>,
}

impl Field {
    /// The environment variable that sets it; fields within a list have none of their own.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        let within_list = self.key.contains("[]");
        (!within_list).then(|| format!("{}{}", super::PREFIX, self.key.replace('.', "__").to_uppercase()))
    }
}

/// Every table and field of the config.
#[must_use]
pub fn fields() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
        let schema = schemars::schema_for!(Config).to_value();
        let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
        let mut walk = Walk { schema: &schema, fields: Vec::new() };
        walk.table(&schema, "", Some(&defaults));
        walk.fields
    });
    &FIELDS
}

/// The field of a path; digits in it stand for the items of a list.
pub(super) fn field_at(path: &[String]) -> Option<&'static Field> {
    let mut key = String::new();
    for part in path {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            key.push_str("[]");
        } else {
            key.push_str(if key.is_empty() { "" } else { "." });
            key.push_str(part);
        }
    }
    fields().iter().find(|field| field.key == key)
}

/// What a value at a path should be. A list's items and a map's entries have no field of their own.
pub(super) fn shape_at(path: &[String]) -> Option<Shape> {
    if let Some(field) = field_at(path) {
        return Some(field.shape.clone());
    }
    let (_, parent) = path.split_last()?;
    match &field_at(parent)?.shape {
        Shape::List(item) => Some(item.as_ref().clone()),
        Shape::Map => Some(Shape::Text),
        _ => None,
    }
}

/// A walk through a JSON schema.
struct Walk<'a> {
    schema: &'a Value,
    fields: Vec<Field>,
}

impl Walk<'_> {
    fn table(&mut self, table: &Value, prefix: &str, defaults: Option<&Value>) {
        let Some(properties) = table.get("properties").and_then(Value::as_object) else { return };
        for (name, property) in properties {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let default = defaults.map_or_else(|| property.get("default"), |all| all.get(name));
            self.field(key, property, default);
        }
    }

    fn field(&mut self, key: String, property: &Value, default: Option<&Value>) {
        let (target, nullable) = self.resolve(property);
        let shape = self.shape(&target);
        self.fields.push(Field {
            key: key.clone(),
            shape: shape.clone(),
            optional: nullable,
            meaning: property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
            default: default.filter(|value| !value.is_null()).cloned(),
        });
        match &shape {
            Shape::Table => self.table(&target, &key, default),
            Shape::List(item) if **item == Shape::Table => {
                let (items, _) = self.resolve(&target["items"]);
                self.table(&items, &format!("{key}[]"), None);
            }
            _ => {}
        }
    }

    /// The schema behind a reference, and whether `null` is allowed too.
    fn resolve(&self, property: &Value) -> (Value, bool) {
        if let Some(name) = property.get("$ref").and_then(Value::as_str) {
            let target = self.schema.pointer(name.trim_start_matches('#')).cloned().unwrap_or_default();
            return (target, false);
        }
        let Some(options) = property.get("anyOf").and_then(Value::as_array) else {
            let nullable = property["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "null"));
            return (property.clone(), nullable);
        };
        let target = options.iter().find(|option| option["type"] != "null");
        (target.map(|option| self.resolve(option).0).unwrap_or_default(), true)
    }

    fn shape(&self, schema: &Value) -> Shape {
        if let Some(choices) = choices(schema) {
            return Shape::Choice(choices);
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str),
            kind => kind.as_str(),
        };
        match (kind, schema["format"].as_str()) {
            (Some("integer"), _) => Shape::Integer,
            (Some("number"), _) => Shape::Number,
            (Some("boolean"), _) => Shape::Flag,
            (Some("array"), _) => Shape::List(Box::new(self.shape(&self.resolve(&schema["items"]).0))),
            (Some("object"), _) if schema.get("properties").is_some() => Shape::Table,
            (Some("object"), _) => Shape::Map,
            (_, Some("span")) => Shape::Span,
            (_, Some("start")) => Shape::Start,
            (_, Some("moment")) => Shape::Moment,
            (_, Some("clock")) => Shape::Clock,
            (_, Some("address")) => Shape::Address,
            _ => Shape::Text,
        }
    }
}

/// The names of an enum's variants; documented variants come as one schema each.
fn choices(schema: &Value) -> Option<Vec<String>> {
    let texts = |values: &[Value]| values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(texts(values));
    }
    let options = schema.get("oneOf").and_then(Value::as_array)?;
    Some(options.iter().filter_map(|option| option["const"].as_str()).map(str::to_owned).collect())
}
