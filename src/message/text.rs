//! How much of a text is looked at.

/// No more of a text than this is ever scored: it bounds the time of a text. Also the most that `input.max_text_bytes` may be, so that
/// every cut is counted.
pub const MAX_TEXT_BYTES: usize = 64 << 10;

/// The beginning of a text: at most so many bytes, cut on a character boundary.
#[must_use]
pub fn head(text: &str, max_bytes: usize) -> &str {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_text_stays_whole() {
        assert_eq!(head("año", 4), "año");
        assert_eq!(head("", 0), "");
    }

    #[test]
    fn a_cut_parts_no_character() {
        assert_eq!(head("año", 2), "a");
        assert_eq!(head("😡", 3), "");
    }

    proptest! {
        #[test]
        fn a_head_is_as_long_as_its_characters_allow(text in any::<String>(), most in 0_usize..40) {
            let kept = head(&text, most);
            prop_assert!(text.starts_with(kept) && kept.len() <= most);
            let next = text[kept.len()..].chars().next();
            prop_assert!(next.is_none_or(|next| kept.len() + next.len_utf8() > most));
        }
    }
}
