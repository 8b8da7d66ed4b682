//! Tokens that wait to be looked up together.

use super::super::features::TokenFeatures;
use super::super::hash::word_hash;
use super::super::normalise::{LONGEST, Token, TokenKind};

/// Tokens that may wait.
pub(super) const MOST_WAITING: usize = 48;

/// Tokens that wait, kept whole for those that turn out to be new.
#[derive(Debug)]
pub(super) struct Queue {
    keys: [u64; MOST_WAITING],
    forms: [Form; MOST_WAITING],
    count: usize,
    letters: Vec<char>,
}

/// A token without its letters.
#[derive(Clone, Copy, Debug)]
struct Form {
    kind: TokenKind,
    shouted: bool,
    stretched: bool,
    /// Where its letters begin, those with accents begin and those end; none with accents where the others are the same.
    letters: [u16; 3],
}

impl Form {
    const NONE: Self = Self { kind: TokenKind::Word, shouted: false, stretched: false, letters: [0; 3] };
}

const MOST_LETTERS: usize = MOST_WAITING * 2 * LONGEST;
const _: () = assert!(MOST_LETTERS <= u16::MAX as usize);

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            keys: [0; MOST_WAITING],
            forms: [Form::NONE; MOST_WAITING],
            count: 0,
            letters: Vec::with_capacity(MOST_LETTERS),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.count == MOST_WAITING
    }

    /// The keys of the tokens that wait.
    pub(super) fn keys(&self) -> &[u64] {
        &self.keys[..self.count]
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.letters.clear();
    }

    #[inline]
    pub(super) fn push(&mut self, key: u64, features: &TokenFeatures<'_>) {
        let token = features.token();
        let begin = self.letters.len();
        self.letters.extend_from_slice(token.folded);
        let folded_end = self.letters.len();
        if features.has_accents() {
            self.letters.extend_from_slice(token.accented);
        }
        self.keys[self.count] = key;
        self.forms[self.count] = Form {
            kind: token.kind,
            shouted: token.shouted,
            stretched: token.stretched,
            letters: [begin, folded_end, self.letters.len()].map(narrow),
        };
        self.count += 1;
    }

    /// A token that waits, without its place in the text.
    pub(super) fn token(&self, number: usize) -> TokenFeatures<'_> {
        let Form { kind, shouted, stretched, letters } = self.forms[number];
        let [begin, folded_end, end] = letters.map(usize::from);
        let folded = &self.letters[begin..folded_end];
        let accented = if end == folded_end { folded } else { &self.letters[folded_end..end] };
        let hash = word_hash(folded);
        TokenFeatures::of(Token { kind, folded, hash, accented, shouted, stretched, start: 0, end: 0 })
    }
}

/// A place among the letters, of which there are fewer than 2^16.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "at most MOST_LETTERS")]
fn narrow(place: usize) -> u16 {
    place as u16
}
