//! JSON as others write it: strings with half a surrogate pair, and errors in files of one object a line.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The content of a JSON string as it is written, with its quotes; borrowed unless it has escapes. Half of a surrogate pair is read
/// as U+FFFD: producers that count UTF-16 units cut emoji in two, and the message is still one.
pub(crate) fn unquote(written: &str) -> serde_json::Result<Cow<'_, str>> {
    if let Some(inner) = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && memchr::memchr(b'\\', inner.as_bytes()).is_none()
    {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(written).or_else(|_| unquote_halves(written)).map(Cow::Owned)
}

fn unquote_halves(written: &str) -> serde_json::Result<String> {
    let bytes = serde_json::Deserializer::from_str(written).deserialize_bytes(Bytes)?;
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // What is no UTF-8 here are surrogates in three bytes, of which this is the first.
        if chunk.invalid().starts_with(&[0xed]) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Ok(text)
}

/// A field that [`unquote`] reads.
#[derive(Debug)]
pub(crate) struct Unquoted(pub(crate) Box<str>);

impl<'de> Deserialize<'de> for Unquoted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = <&RawValue>::deserialize(deserializer)?.get();
        if !written.starts_with('"') {
            return Err(D::Error::invalid_type(Unexpected::Other("another value"), &"a string"));
        }
        unquote(written).map(|text| Self(text.into())).map_err(D::Error::custom)
    }
}

/// What is wrong with a line of a file; the file's count of lines stands beside it, so serde_json's count of 1 would only mislead.
pub(crate) fn wrong_in_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// A string's bytes, where they are not all of UTF-8.
struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_of_a_pair_become_one_replacement_character_each() {
        assert_eq!(unquote(r#""hola \ud83d""#).unwrap(), "hola \u{fffd}");
        assert_eq!(unquote(r#""\ude00\n\ud83d\ud83d\ude00""#).unwrap(), "\u{fffd}\n\u{fffd}\u{1f600}");
    }

    #[test]
    fn a_field_is_read_as_a_string_by_itself_is() {
        let read = |written| serde_json::from_str::<Vec<Option<Unquoted>>>(written);
        let texts: Vec<_> = read(r#"["hola \ud83d", null]"#).unwrap().into_iter().map(|of| of.map(|of| of.0)).collect();
        assert_eq!(texts, [Some("hola \u{fffd}".into()), None]);
        for written in ["[7]", "[[]]", r#"["\x"]"#, "[\"a\tb\"]", r#"["a]"#] {
            assert!(read(written).is_err(), "{written}");
        }
        assert!(read("[7]").unwrap_err().to_string().contains("expected a string"));
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for written in [r#""\x""#, r#""\u12""#, "7", "\"a\\", "\"", ""] {
            assert!(unquote(written).is_err(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unquote(&written).unwrap(), text);
        }

        #[test]
        fn any_escapes_are_read_or_refused(units in proptest::collection::vec(any::<u16>(), 0..20)) {
            let escapes: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let written = format!("\"{escapes}\"");
            prop_assert_eq!(unquote(&written).unwrap(), String::from_utf16_lossy(&units));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in any::<String>()) {
            prop_assert!(unquote(&text).is_err() || text.len() > 1);
        }
    }
}
