//! Language tags.

use super::Language;

/// Why a tag names no language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATag;

/// ISO 639: undetermined, several, none, not coded. None of them says what to score a text as.
const SAY_NOTHING: [&str; 4] = ["und", "mul", "zxx", "mis"];

impl Language {
    /// The language of a tag such as `es`, `es-MX`, `ES_mx` or `spa`, with spaces around it or not; languages that are none of
    /// ours are [`Language::Other`]. Nothing of a tag that is empty or says nothing (`und`).
    ///
    /// # Errors
    /// If it is no such tag: a name (`spanish`), say.
    pub fn of_tag(tag: &str) -> Result<Option<Self>, NotATag> {
        let mut parts = tag.trim().split(['-', '_']);
        let primary = parts.next().unwrap_or_default();
        if primary.is_empty() {
            return Ok(None);
        }
        let is_tag = matches!(primary.len(), 2 | 3)
            && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
            && parts.all(|part| matches!(part.len(), 1..=8) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if !is_tag {
            return Err(NotATag);
        }
        if SAY_NOTHING.iter().any(|code| primary.eq_ignore_ascii_case(code)) {
            return Ok(None);
        }
        Ok(Some(match primary.to_ascii_lowercase().as_str() {
            "es" | "spa" => Self::Spanish,
            "en" | "eng" => Self::English,
            "pt" | "por" => Self::Portuguese,
            "fr" | "fra" | "fre" => Self::French,
            "de" | "deu" | "ger" => Self::German,
            "it" | "ita" => Self::Italian,
            _ => Self::Other,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_a_language_in_two_letters_or_three_with_a_region_or_without() {
        for tag in ["es", "es-MX", "ES_mx", " spa ", "es-Latn-AR"] {
            assert_eq!(Language::of_tag(tag), Ok(Some(Language::Spanish)), "{tag}");
        }
        assert_eq!(["nl", "nld", "tlh"].map(Language::of_tag), [Ok(Some(Language::Other)); 3]);
    }

    #[test]
    fn a_tag_that_says_nothing_names_none_and_a_name_is_no_tag() {
        assert_eq!(["", " ", "und", "MUL"].map(Language::of_tag), [Ok(None); 4]);
        assert_eq!(["spanish", "e", "es mx", "e5", "es-"].map(Language::of_tag), [Err(NotATag); 5]);
    }
}
