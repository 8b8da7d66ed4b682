//! Whether a text says anything to a model: whether it holds words, and whether the model has met their like.

use super::super::features::TokenFeatures;
use super::super::normalise::TokenKind;
use super::super::signals::is_emoticon;

/// What a token gives to go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Digits, links, names, punctuation, a letter alone or repeated: seldom an opinion, and never a sure one.
    #[default]
    Nothing,
    /// A word unlike those that the model was taught: random keys, a foreign language.
    Strange,
    /// A word made of parts that the model was taught: a misspelling, a rare form.
    Alike,
    /// A word that the model was taught.
    Word,
    /// An emoji or emoticon that the model was taught.
    Sign,
}

const KINDS: usize = Evidence::Sign as usize + 1;

/// Of a word like those known at least so many of its n-grams are known, of a hundred. With a table two fifths full, nine of ten
/// words of people that were not taught have more, and nineteen of twenty random ones of six letters or longer have less.
const ALIKE_FROM: usize = 85;

impl Evidence {
    /// What a token gives, if its word is known or not, and so many of its n-grams.
    pub(super) fn of(token: &TokenFeatures<'_>, word_is_known: bool, known_grams: usize, grams: usize) -> Self {
        let token = token.token();
        let is_known = word_is_known && known_grams == grams;
        match token.kind {
            TokenKind::Mention | TokenKind::Link => Self::Nothing,
            TokenKind::Emoji if is_known => Self::Sign,
            TokenKind::Punctuation if is_known && is_emoticon(token.folded) => Self::Sign,
            TokenKind::Emoji | TokenKind::Punctuation => Self::Nothing,
            TokenKind::Word | TokenKind::Hashtag | TokenKind::Number if !has_two_letters(token.folded) => Self::Nothing,
            _ if is_known => Self::Word,
            _ if 100 * known_grams >= ALIKE_FROM * grams => Self::Alike,
            _ => Self::Strange,
        }
    }
}

/// Whether a word has two different letters.
fn has_two_letters(word: &[char]) -> bool {
    let mut letters = word.iter().filter(|character| character.is_alphabetic());
    letters.next().is_some_and(|first| letters.any(|letter| letter != first))
}

/// The evidence of a text, by kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found([u32; KINDS]);

impl Found {
    #[inline]
    pub(super) fn add(&mut self, evidence: Evidence) {
        self.0[evidence as usize] += 1;
    }

    /// Whether there are words to tell a language by: more of them known, which count twice, or alike than strange. Of random
    /// keys every fifth word is alike by chance, and a short one may be known.
    pub(super) fn has_words(self) -> bool {
        let [_, strange, alike, words, _] = self.0;
        2 * words + alike > strange
    }

    /// Whether there is anything to tell an opinion by: a known word speaks whatever stands beside it.
    pub(super) fn says_something(self) -> bool {
        let [.., words, signs] = self.0;
        self.has_words() || words > 0 || signs > 0
    }
}
