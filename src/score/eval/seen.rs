//! Texts that a model was trained on, which say nothing of how good it is on others.

use std::hash::Hasher as _;

use rustc_hash::{FxHashSet, FxHasher};

use crate::score::data::{DataSet, Row};
use crate::score::normalise::{Normaliser, TokenKind};

/// Texts of fewer words are everybody's: "muchas gracias" in both places is no copy.
const MIN_WORDS: usize = 5;

/// Texts to leave out, by their words: case, accents, punctuation, names and links do not count.
#[derive(Debug, Default)]
pub struct Seen {
    keys: FxHashSet<u64>,
    normaliser: Normaliser,
}

impl Seen {
    /// Adds the texts of a set.
    pub fn add(&mut self, set: &DataSet) {
        for row in set.rows.iter().chain(&set.unlabelled) {
            let key = key(&row.text, &mut self.normaliser);
            self.keys.extend(key);
        }
    }

    /// Whether a set that was added has the text.
    pub fn has(&mut self, row: &Row) -> bool {
        key(&row.text, &mut self.normaliser).is_some_and(|key| self.keys.contains(&key))
    }
}

/// Nothing of a text with too few words.
fn key(text: &str, normaliser: &mut Normaliser) -> Option<u64> {
    let (mut hasher, mut words) = (FxHasher::default(), 0);
    normaliser.tokens(text, |token| {
        if matches!(token.kind, TokenKind::Word | TokenKind::Hashtag | TokenKind::Number) {
            token.folded.iter().for_each(|&character| hasher.write_u32(u32::from(character)));
            hasher.write_u8(0);
            words += 1;
        }
    });
    (words >= MIN_WORDS).then(|| hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(text: &str) -> Option<u64> {
        key(text, &mut Normaliser::default())
    }

    #[test]
    fn a_text_is_known_again_by_its_words() {
        let copy = key_of("@banco ¡Sigo ESPERANDO la tarjeta, eh! https://a.example");
        assert_eq!(key_of("sigo esperando la tarjeta eh 😡"), copy);
        assert_ne!(key_of("sigo esperando la tarjeta ya"), copy);
        assert!(copy.is_some());
    }

    #[test]
    fn a_text_of_few_words_is_nobodys() {
        assert_eq!(key_of("muchas gracias por todo"), None);
    }
}
