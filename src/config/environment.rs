//! Environment variables as config values: `LATIDO__KAFKA__BROKERS` is `kafka.brokers`.

use figment::value::{Dict, Empty, Num, Tag, Value};

use super::layers::cut;
use super::names::guess;
use super::problem::{Origin, Problem};
use super::schema::{Field, Shape, fields};
use super::secret::REDACTED;

/// What the variables that are config values begin with.
pub const PREFIX: &str = "LATIDO__";

/// The table whose keys are not fixed; the environment may set one entry of it.
const PROPERTIES: &str = "kafka.properties.";

/// The variables of this process; what is not Unicode in a value is replaced.
#[must_use]
pub fn process_environment() -> Vec<(String, String)> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect()
}

/// One variable as a value within the tables around it.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) values: Dict,
}

/// Turns the variables of ours into values, in the order in which they are to be merged: tables before what is in them.
pub(super) fn read(environment: impl IntoIterator<Item = (String, String)>) -> (Vec<Variable>, Vec<Problem>) {
    let mut ours: Vec<_> = environment.into_iter().filter(|(name, _)| is_ours(name)).collect();
    ours.sort();
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    for (name, text) in ours {
        match variable(&name, &text) {
            Ok(values) => variables.push(Variable { name, values }),
            Err(problem) => problems.push(*problem),
        }
    }
    (variables, problems)
}

/// Whether a variable sets a key, or clearly was meant to: one underscore where two belong would else be ignored in silence.
fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX) || (name.starts_with("LATIDO_") && meant_by_underscores(name).is_some())
}

/// The variable that has the same words with other underscores between them.
fn meant_by_underscores(name: &str) -> Option<String> {
    let words =
        |name: &str| name.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_").to_uppercase();
    let written = words(name);
    fields().iter().filter_map(Field::variable).find(|variable| words(variable) == written)
}

/// The variable that is spelt most alike. The prefix is left out, for all are alike in it.
fn meant_by_letters(name: &str) -> Option<String> {
    // A whole table is too little of an answer to who named a key in it.
    let keys = fields().iter().filter(|field| field.shape != Shape::Table);
    let variables: Vec<String> = keys.filter_map(Field::variable).collect();
    let written = name.strip_prefix(PREFIX)?;
    // Within a table that is there only the key is compared: the table's name would make all of its keys alike.
    let table =
        written.rsplit_once("__").map_or(String::new(), |(table, _)| format!("{PREFIX}{table}__").to_uppercase());
    let is_table = !table.is_empty() && variables.iter().any(|variable| variable.starts_with(&table));
    let shared = if is_table { table.as_str() } else { PREFIX };
    let candidates = variables.iter().filter_map(|variable| variable.strip_prefix(shared));
    guess(name.get(shared.len()..)?, candidates).map(|variable| format!("{shared}{variable}"))
}

/// What to do about a variable that is like no other: the keys of its table, where there is such a table.
fn variables_of_its_table(name: &str) -> String {
    let path = name.strip_prefix(PREFIX).unwrap_or_default().replace("__", ".").to_lowercase();
    let table = path.rsplit_once('.').map_or("", |(table, _)| table);
    let of_table =
        |field: &&Field| field.key.rsplit_once('.').is_some_and(|(of, _)| of == table) && field.variable().is_some();
    let keys: Vec<String> = fields().iter().filter(of_table).map(|field| format!("`{}`", field.key)).collect();
    if table.is_empty() || keys.is_empty() {
        return "remove it; docs/configuration.md lists the variables".to_owned();
    }
    format!("remove it; the keys there are {}", keys.join(", "))
}

/// The value that a variable stands for.
fn variable(name: &str, text: &str) -> Result<Dict, Box<Problem>> {
    let key = name.strip_prefix(PREFIX).unwrap_or_default().replace("__", ".").to_lowercase();
    if let Some(property) = key.strip_prefix(PROPERTIES).filter(|property| !property.is_empty()) {
        return Ok(nested(&["kafka", "properties", property], Value::String(Tag::Default, text.to_owned())));
    }
    let Some(field) = fields().iter().find(|field| field.key == key && field.variable().is_some()) else {
        return Err(Box::new(unknown(name)));
    };
    let value = value_of(field, text).map_err(|what| Box::new(malformed(name, field, text, what)))?;
    Ok(nested(&field.key.split('.').collect::<Vec<_>>(), value))
}

/// A value within the tables around it.
fn nested(path: &[&str], value: Value) -> Dict {
    let (first, rest) = path.split_first().unwrap_or((&"", &[]));
    let inner = if rest.is_empty() { value } else { Value::Dict(Tag::Default, nested(rest, value)) };
    Dict::from([((*first).to_owned(), inner)])
}

/// A variable's text as the type of its field. Text that does not fit stays text; the check of types then says what is wrong.
fn value_of(field: &Field, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    if field.optional && trimmed.is_empty() {
        return Ok(Value::Empty(Tag::Default, Empty::None));
    }
    let as_text = |text: &str| Value::String(Tag::Default, text.to_owned());
    let value = match field.shape {
        Shape::Text => as_text(text),
        Shape::Integer => {
            trimmed.parse().map_or_else(|_| as_text(text), |number| Value::Num(Tag::Default, Num::I64(number)))
        }
        Shape::Number => {
            trimmed.parse().map_or_else(|_| as_text(text), |number| Value::Num(Tag::Default, Num::F64(number)))
        }
        Shape::Flag => trimmed.parse().map_or_else(|_| as_text(text), |flag| Value::Bool(Tag::Default, flag)),
        Shape::Span | Shape::Start | Shape::Moment | Shape::Clock | Shape::Address | Shape::Choice(_) => {
            as_text(trimmed)
        }
        Shape::List(_) if !trimmed.starts_with('[') => as_text(trimmed),
        Shape::List(_) | Shape::Map | Shape::Table => json(trimmed)?,
    };
    Ok(value)
}

/// JSON as a value.
fn json(text: &str) -> Result<Value, String> {
    let parsed: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("not JSON ({error})"))?;
    Value::serialize(parsed).map_err(|error| format!("not usable ({error})"))
}

/// A variable of ours that sets nothing.
fn unknown(name: &str) -> Problem {
    let remedy = if name.to_uppercase().starts_with("LATIDO__DEPARTMENTS__") {
        "set all departments at once: LATIDO__DEPARTMENTS='[{\"id\": \"billing\"}]'".to_owned()
    } else if name.to_uppercase().starts_with("LATIDO__MUTES__") {
        "set all mutes at once: LATIDO__MUTES='[{\"departments\": [\"billing\"]}]'".to_owned()
    } else {
        meant_by_underscores(name)
            .or_else(|| meant_by_letters(name))
            .map_or_else(|| variables_of_its_table(name), |variable| format!("did you mean `{variable}`?"))
    };
    Problem {
        origin: Origin::Environment { variable: name.to_owned() },
        key: String::new(),
        value: None,
        what: "no key has this variable".to_owned(),
        remedy,
    }
}

/// A variable whose text is not JSON though its key wants a list or a table.
fn malformed(name: &str, field: &Field, text: &str, what: String) -> Problem {
    let example = match &field.shape {
        Shape::List(item) if **item == Shape::Table && field.key == "mutes" => "[{\"departments\": [\"billing\"]}]",
        Shape::List(item) if **item == Shape::Table => "[{\"id\": \"billing\"}]",
        Shape::List(item) if **item == Shape::Span => "[\"5m\", \"1h\"]",
        Shape::List(_) => "[\"one\", \"two\"]",
        Shape::Map => "{\"security.protocol\": \"ssl\"}",
        _ => "{\"group\": \"latido\"}",
    };
    Problem {
        origin: Origin::Environment { variable: name.to_owned() },
        key: field.key.clone(),
        value: Some(shown(&field.key, text)),
        what,
        remedy: format!("write JSON such as {example}"),
    }
}

/// A variable's text as an error may show it: properties can hold secrets.
fn shown(key: &str, text: &str) -> String {
    let may_hold_secrets = key == "kafka" || key == "kafka.properties";
    if may_hold_secrets { REDACTED.to_owned() } else { cut(&format!("{text:?}")) }
}
