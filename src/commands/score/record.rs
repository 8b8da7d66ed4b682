//! Lines of JSON to score.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::message::Language;
use crate::message::json::{unquote, wrong_in_line};
use crate::score::data::language_of;

/// A line of `--input json`.
pub(super) struct Record {
    /// Given back in place of the text.
    pub(super) id: Option<Value>,
    pub(super) text: String,
    pub(super) language: Option<Language>,
}

impl Record {
    /// The line's record, or what is wrong with it.
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
        let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(|error| not_object(&error))?;
        let text = match fields.remove("text").map(RawValue::get) {
            Some(written) if written.starts_with('"') => {
                unquote(written).map_err(|error| not_json(&error))?.into_owned()
            }
            Some(_) => return Err("`text` is not a string".to_owned()),
            None => return Err("no `text`".to_owned()),
        };
        let id: Option<Value> = match fields.remove("id") {
            Some(id) => serde_json::from_str(id.get()).map_err(|error| not_json(&error))?,
            None => None,
        };
        let named = fields.remove("language").map(RawValue::get).filter(|written| written.starts_with('"'));
        let language = match named.map(unquote) {
            Some(written) => language_of(&written.map_err(|error| not_json(&error))?)?,
            None => None,
        };
        Ok(Self { id, text, language })
    }
}

/// What is wrong with a line that is no object, or no JSON at all.
fn not_object(error: &serde_json::Error) -> String {
    if error.is_data() { "not a JSON object".to_owned() } else { not_json(error) }
}

fn not_json(error: &serde_json::Error) -> String {
    format!("not JSON: {}", wrong_in_line(error))
}
