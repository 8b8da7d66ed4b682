//! What a token is to the rules.

use super::rules::Rules;
use super::words::{Class, UNKNOWN};
use crate::score::normalise::{Token, TokenKind};

/// What a token is to the rules. It depends on the token alone, so that it may be remembered with its word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sense {
    pub(super) part: Part,
    /// Opens or closes a quotation.
    pub(super) quotes: bool,
    pub(super) class: Class,
}

/// Which part a token has in a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// None: names, links, `-`, `/`, signs that no phrase names.
    #[default]
    None,
    Word,
    Number,
    /// An emoji or emoticon that phrases name.
    Sign,
    Question,
    Exclamation,
    /// A full stop alone: after a number it may be a decimal point.
    Stop,
    End,
    /// Separates words within a sentence.
    Comma,
}

impl Sense {
    fn new(part: Part, class: Class) -> Self {
        Self { part, quotes: false, class }
    }

    fn mark(part: Part, mark: &[char]) -> Self {
        Self { part, quotes: mark.contains(&'"'), class: UNKNOWN }
    }
}

impl Rules {
    /// What a token is to these rules.
    #[must_use]
    pub fn sense(&self, token: &Token<'_>) -> Sense {
        match token.kind {
            TokenKind::Mention | TokenKind::Link => Sense::new(Part::None, UNKNOWN),
            TokenKind::Word | TokenKind::Hashtag => Sense::new(Part::Word, self.class_of(token)),
            TokenKind::Number => Sense::new(Part::Number, self.class_of(token)),
            TokenKind::Emoji => self.sign(token),
            TokenKind::Punctuation if is_emoticon(token.folded) => self.sign(token),
            TokenKind::Punctuation => punctuation(token.folded),
        }
    }

    fn sign(&self, token: &Token<'_>) -> Sense {
        match self.class_of(token) {
            UNKNOWN => Sense::new(Part::None, UNKNOWN),
            class => Sense::new(Part::Sign, class),
        }
    }

    fn class_of(&self, token: &Token<'_>) -> Class {
        let words = &self.words;
        let class = words.class_of(token.folded.iter().copied());
        if class != UNKNOWN {
            return class;
        }
        if token.kind == TokenKind::Number {
            return words.marks.number;
        }
        if !token.stretched {
            return UNKNOWN;
        }
        // `holaaaa` is folded to `holaa`: try it with single letters.
        let single =
            token.folded.iter().enumerate().filter(|(at, letter)| *at == 0 || token.folded[at - 1] != **letter);
        words.class_of(single.map(|(_, letter)| *letter))
    }
}

fn punctuation(mark: &[char]) -> Sense {
    let has = |character: char| mark.contains(&character);
    let part = if has('?') {
        Part::Question
    } else if has('!') {
        Part::Exclamation
    } else if mark == ['.'] {
        Part::Stop
    } else if mark.starts_with(&['.']) && mark.get(1) != Some(&'.') || has(';') || has('\u{bf}') || has('\u{a1}') {
        Part::End
    } else if is_passed_over(mark) {
        Part::None
    } else {
        Part::Comma
    };
    Sense::mark(part, mark)
}

/// Punctuation that separates nothing: `-`, `/`, `$`, ...
pub(super) fn is_passed_over(mark: &[char]) -> bool {
    !mark.iter().any(|character| ['.', ',', ';', ':', '!', '?', '\u{bf}', '\u{a1}', '"', '(', ')'].contains(character))
}

/// `:)`, `;-(`, `:d`, `<3`
pub(crate) fn is_emoticon(mark: &[char]) -> bool {
    mark == ['<', '3'] || (mark.len() >= 2 && matches!(mark[0], ':' | ';' | '=') && mark.last() != Some(&':'))
}
