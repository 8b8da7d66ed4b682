//! What a network sees of a text, where it was taught so: HTML entities undone, links as `http`, mentions as `@user`, white space single.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// White space as the training has it: Unicode's, and the four separators of ASCII.
const SPACE: &str = r"[\s\x1c-\x1f]";

/// Compiles one of the patterns below.
fn pattern(text: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles them all")]
    Regex::new(text).expect("a constant pattern")
}

static LINKS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"https?://[^\s\x1c-\x1f]+|\bt\.co/[^\s\x1c-\x1f]+|\bwww\.[^\s\x1c-\x1f]+"));
static MENTIONS: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"@{SPACE}?<?[\p{{L}}\p{{N}}_]+>?")));
static SPACES: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("{SPACE}+")));

/// The text as a network sees it that was taught on such texts.
pub(super) fn clean(text: &str) -> String {
    let unescaped = htmlize::unescape(text);
    let linked = LINKS.replace_all(&unescaped, "http");
    let named = MENTIONS.replace_all(&linked, |found: &Captures<'_>| mention(&linked, found));
    let single = SPACES.replace_all(&named, " ");
    single.trim_matches(' ').to_owned()
}

/// A closing bracket belongs to the mention only where no word goes on behind it.
fn mention<'t>(text: &'t str, found: &Captures<'t>) -> Cow<'static, str> {
    let whole = found.get_match();
    let next = text[whole.end()..].chars().next();
    let goes_on = next.is_some_and(|next| next.is_alphanumeric() || next == '_');
    Cow::Borrowed(if whole.as_str().ends_with('>') && goes_on { "@user>" } else { "@user" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_links_mentions_and_spaces_are_brought_to_one_form() {
        assert_eq!(clean("  &iquest;Qu&eacute;  tal? \n &lt;3 &amp;amp; "), "¿Qué tal? <3 &amp;");
        assert_eq!(clean("mira https://t.co/Ab1?x=ñ, www.latido.example y t.co/zz"), "mira http http y http");
        assert_eq!(clean("@ana: @ <José_1> @<x>y a@b.c"), "@user: @user @user>y a@user.c");
        assert_eq!(clean("\u{1c}\u{85}\u{a0}"), "");
    }

    #[test]
    fn an_entity_without_a_semicolon_is_undone_as_browsers_do() {
        assert_eq!(clean("caf&eacute y &notit; &#233;"), "café y ¬it; é");
    }
}
