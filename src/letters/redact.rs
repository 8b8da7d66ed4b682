//! What may be shown of a value without showing what a customer wrote: its shape.

use serde_json::Value;

/// More members of an object or array than this are counted and not shown.
const MOST_MEMBERS: usize = 50;

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// There is none.
    Absent,
    /// No UTF-8 from that byte on.
    Bytes(usize),
    /// Text that is no JSON, and what is wrong with it.
    Text(String),
    /// JSON: its structure, with types and lengths in the place of all that it says.
    Json(String),
}

/// Tells what a value is.
#[must_use]
pub fn shape(value: Option<&[u8]>) -> Shape {
    let Some(bytes) = value else { return Shape::Absent };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Shape::Bytes(error.valid_up_to()),
    };
    match serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(json) => {
            let mut structure = String::new();
            draw(&json, 0, &mut structure);
            Shape::Json(structure)
        }
        // Syntax errors name line and column, and nothing of the text.
        Err(error) => Shape::Text(error.to_string()),
    }
}

fn draw(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(_) => out.push_str("<boolean>"),
        Value::Number(number) => out.push_str(&format!("<number of {}>", count(number.to_string().len(), "character"))),
        Value::String(text) => out.push_str(&format!("<string of {}>", count(text.chars().count(), "character"))),
        Value::Array(items) => {
            let members = items.iter().map(|item| (None, item));
            draw_members(('[', ']'), members, items.len(), depth, out);
        }
        Value::Object(fields) => {
            let members = fields.iter().map(|(name, field)| (Some(name.as_str()), field));
            draw_members(('{', '}'), members, fields.len(), depth, out);
        }
    }
}

fn draw_members<'v>(
    (open, close): (char, char),
    members: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
    total: usize,
    depth: usize,
    out: &mut String,
) {
    out.push(open);
    for (name, member) in members.take(MOST_MEMBERS) {
        new_line(depth + 1, out);
        if let Some(name) = name {
            out.push_str(&format!("{}: ", Value::from(name)));
        }
        draw(member, depth + 1, out);
    }
    if total > MOST_MEMBERS {
        new_line(depth + 1, out);
        out.push_str(&format!("... and {} more", total - MOST_MEMBERS));
    }
    if total > 0 {
        new_line(depth, out);
    }
    out.push(close);
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// So many of something.
fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_shows_its_structure_and_nothing_that_it_says() {
        let value = r#"{"text":"Mi número es 612","seen":[1,-2.5,true],"who":{"id":null},"none":{},"one":"ñ"}"#;
        let expected = [
            "{",
            "  \"none\": {}",
            "  \"one\": <string of 1 character>",
            "  \"seen\": [",
            "    <number of 1 character>",
            "    <number of 4 characters>",
            "    <boolean>",
            "  ]",
            "  \"text\": <string of 16 characters>",
            "  \"who\": {",
            "    \"id\": null",
            "  }",
            "}",
        ];
        assert_eq!(shape(Some(value.as_bytes())), Shape::Json(expected.join("\n")));
    }

    #[test]
    fn a_value_says_whether_it_is_there_and_is_text_or_json() {
        assert_eq!(shape(None), Shape::Absent);
        assert_eq!(shape(Some(b"ab\xff")), Shape::Bytes(2));
        assert!(matches!(shape(Some(b"Llevo una hora")), Shape::Text(why) if why.contains("line 1")));
        assert!(matches!(shape(Some("\u{feff}[]".as_bytes())), Shape::Json(structure) if structure == "[]"));
    }

    #[test]
    fn of_many_members_the_rest_is_counted() {
        let Shape::Json(structure) = shape(Some(serde_json::json!(vec![1; 1_000]).to_string().as_bytes())) else {
            panic!("it is JSON")
        };
        assert_eq!(structure.lines().count(), MOST_MEMBERS + 3);
        assert!(structure.contains("... and 950 more"), "{structure}");
    }

    proptest! {
        #[test]
        fn no_string_and_no_number_is_ever_shown(words in prop::collection::vec("[A-Z]{8}", 1..6), number in 1_000_000..9_999_999_u32) {
            let value = serde_json::json!({ "text": words, "deep": [{ "number": number, "word": words[0] }] }).to_string();
            let Shape::Json(structure) = shape(Some(value.as_bytes())) else { panic!("it is JSON") };
            prop_assert!(words.iter().all(|word| !structure.contains(word.as_str())), "{}", structure);
            prop_assert!(!structure.contains(&number.to_string()), "{}", structure);
            let cut = &value[..value.len() - 1];
            let Shape::Text(why) = shape(Some(cut.as_bytes())) else { panic!("it is no JSON") };
            prop_assert!(words.iter().all(|word| !why.contains(word.as_str())), "{}", why);
        }
    }
}
