//! JSON lines.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::Row;
use super::fields::{Asked, Fields};
use crate::message::json::{Unquoted, wrong_in_line};

#[derive(Deserialize)]
struct Line {
    text: Unquoted,
    #[serde(alias = "label")]
    sentiment: Option<Unquoted>,
    frustrated: Option<Value>,
    signals: Option<Vec<Unquoted>>,
    language: Option<Unquoted>,
    author: Option<Unquoted>,
    split: Option<Unquoted>,
    channel: Option<Unquoted>,
    region: Option<Unquoted>,
    sector: Option<Unquoted>,
}

pub(super) fn row(line: &str, asked: &Asked<'_>) -> Result<Option<Row>, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| {
        let wrong = wrong_in_line(&error);
        format!("{wrong}; expected {{\"text\", \"sentiment\"?, \"frustrated\"?, \"signals\"?, \"language\"?}}")
    })?;
    line.fields().row(asked)
}

impl Line {
    fn fields(&self) -> Fields<'_> {
        Fields {
            text: &self.text.0,
            label: string(&self.sentiment),
            frustrated: self.frustrated.as_ref().map(written),
            signals: self.signals.as_ref().map(|names| names.iter().map(|name| &*name.0).collect()),
            language: string(&self.language),
            author: string(&self.author),
            split: string(&self.split),
            channel: string(&self.channel),
            region: string(&self.region),
            sector: string(&self.sector),
        }
    }
}

fn string(field: &Option<Unquoted>) -> Option<&str> {
    field.as_ref().map(|field| &*field.0)
}

/// A string's content, or another value as it is written.
fn written(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| value.to_string().into(), Cow::Borrowed)
}
