//! Tokens to hashed features: word 1- and 2-grams, and character 2- to 5-grams inside word boundaries.
//!
//! Hashes are part of the model file's format: a change here needs a new format version.

use super::normalise::{Normaliser, Token, TokenKind};

/// Longest character n-gram.
const MAX_GRAM: usize = 5;

/// Stands before and after each word in character n-grams.
const BOUNDARY: char = ' ';

const WORD_SEED: u64 = 0x1f83_d9ab_fb41_bd6b;
const ACCENTED_SEED: u64 = 0x5be0_cd19_137e_2179;
const NEGATED_SEED: u64 = 0x3c6e_f372_fe94_f82b;
const CHAR_SEED: u64 = 0x510e_527f_ade6_82d1;
const MARK_SEED: u64 = 0x9b05_688c_2b3e_6c1f;

/// How many words a negation reaches.
const NEGATION_REACH: u8 = 3;

/// Takes features as they are found.
pub trait FeatureSink {
    /// A feature of whole words.
    fn word(&mut self, hash: u64);
    /// A feature of characters.
    fn chars(&mut self, hash: u64);
    /// A token begins; `hash` is [`word_hash`] of it.
    fn token(&mut self, _token: &Token<'_>, _hash: u64) {}
    /// A token ends; at most a few hundred features lie between two calls.
    fn token_end(&mut self) {}
}

/// Finds the features of texts; keep one and reuse it.
#[derive(Debug, Default)]
pub struct Extractor {
    normaliser: Normaliser,
}

impl Extractor {
    /// Gives every feature of `text` to `sink`, repeated ones repeatedly. A text without a token has none.
    pub fn extract(&mut self, text: &str, sink: &mut impl FeatureSink) {
        let mut previous = step(WORD_SEED, '^');
        let mut negated: u8 = 0;
        let mut found = false;
        self.normaliser.tokens(text, |token| {
            let word = word_hash(token.folded);
            sink.token(&token, word);
            word_features(&token, word, previous, sink);
            if negated > 0 && token.kind == TokenKind::Word {
                sink.word(join(NEGATED_SEED, word));
            }
            negated = negation_after(&token, negated);
            char_features(&token, sink);
            sink.token_end();
            previous = word;
            found = true;
        });
        if found {
            sink.word(join(previous, step(WORD_SEED, '$')));
        }
    }
}

fn word_features(token: &Token<'_>, word: u64, previous: u64, sink: &mut impl FeatureSink) {
    sink.word(word);
    sink.word(join(previous, word));
    if token.folded != token.accented {
        sink.word(hash_of(ACCENTED_SEED, token.accented));
    }
    if token.shouted {
        sink.word(step(MARK_SEED, 'A'));
    }
    if token.stretched {
        sink.word(step(MARK_SEED, '~'));
    }
    if token.kind == TokenKind::Hashtag {
        sink.word(step(MARK_SEED, '#'));
    }
}

fn char_features(token: &Token<'_>, sink: &mut impl FeatureSink) {
    match token.kind {
        TokenKind::Mention | TokenKind::Link => {}
        TokenKind::Emoji | TokenKind::Punctuation => {
            for &character in token.folded {
                sink.chars(step(CHAR_SEED, character));
            }
        }
        TokenKind::Word | TokenKind::Hashtag | TokenKind::Number => word_grams(token.folded, sink),
    }
}

/// Every 2- to 5-gram of ` word `; each start extends one hash, so that a gram costs one multiplication.
fn word_grams(word: &[char], sink: &mut impl FeatureSink) {
    grams_from(step(CHAR_SEED, BOUNDARY), word, sink);
    for start in 0..word.len() {
        grams_from(step(CHAR_SEED, word[start]), &word[start + 1..], sink);
    }
}

fn grams_from(first: u64, rest: &[char], sink: &mut impl FeatureSink) {
    let mut hash = first;
    for &character in rest.iter().take(MAX_GRAM - 1) {
        hash = step(hash, character);
        sink.chars(hash);
    }
    if rest.len() < MAX_GRAM - 1 {
        sink.chars(step(hash, BOUNDARY));
    }
}

/// How many of the following words stand under a negation.
fn negation_after(token: &Token<'_>, before: u8) -> u8 {
    match token.kind {
        TokenKind::Punctuation => 0,
        TokenKind::Word if is_negation(token.folded) => NEGATION_REACH,
        _ => before.saturating_sub(1),
    }
}

fn is_negation(word: &[char]) -> bool {
    matches!(
        word,
        ['n', 'o' | 'i' | 'a']
            | ['n', 'o', 't']
            | ['s', 'i', 'n']
            | ['n', 'a', 'o']
            | ['s', 'e', 'm']
            | ['n', 'u', 'n', 'c', 'a']
            | ['n', 'a', 'd', 'a' | 'i', ..]
            | ['j', 'a', 'm', 'a', 's']
            | ['t', 'a', 'm', 'p', 'o', 'c', 'o']
            | ['n', 'e', 'v', 'e', 'r']
            | ['w', 'i', 't', 'h', 'o', 'u', 't']
            | ['c', 'a', 'n', 'n', 'o', 't']
            | [.., 'n', '\'', 't']
            | ['d' | 'c', 'o' | 'a', 'n', 't']
            | ['w', 'o', 'n', 't']
    )
}

/// The hash of a token's folded form.
#[must_use]
pub fn word_hash(folded: &[char]) -> u64 {
    hash_of(WORD_SEED, folded)
}

fn hash_of(seed: u64, characters: &[char]) -> u64 {
    characters.iter().fold(seed, |hash, &character| step(hash, character))
}

fn step(hash: u64, character: char) -> u64 {
    join(hash, u64::from(u32::from(character)))
}

/// One round of a multiplicative hash: the high bits are the good ones.
fn join(hash: u64, part: u64) -> u64 {
    (hash.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[derive(Default)]
    struct Seen {
        words: Vec<u64>,
        chars: Vec<u64>,
    }

    impl FeatureSink for Seen {
        fn word(&mut self, hash: u64) {
            self.words.push(hash);
        }
        fn chars(&mut self, hash: u64) {
            self.chars.push(hash);
        }
    }

    fn features(text: &str) -> Seen {
        let mut seen = Seen::default();
        Extractor::default().extract(text, &mut seen);
        seen
    }

    #[test]
    fn a_word_gives_all_its_grams_of_2_to_5_characters_within_its_boundaries() {
        // " hola " has 6 characters: 5 + 4 + 3 + 2 grams.
        let grams = features("hola").chars;
        assert_eq!(grams.len(), 14);
        assert_eq!(grams.iter().collect::<HashSet<_>>().len(), 14);
    }

    #[test]
    fn case_and_accents_change_no_character_gram() {
        assert_eq!(features("ATENCIÓN").chars, features("atencion").chars);
    }

    #[test]
    fn the_order_of_words_matters() {
        assert_ne!(features("no funciona").words, features("funciona no").words);
    }

    #[test]
    fn a_negated_word_has_a_feature_of_its_own() {
        let plain: HashSet<_> = features("funciona bien").words.into_iter().collect();
        let negated: HashSet<_> = features("no funciona bien").words.into_iter().collect();
        assert!(negated.contains(&join(NEGATED_SEED, hash_of(WORD_SEED, &['b', 'i', 'e', 'n']))));
        assert!(!plain.contains(&join(NEGATED_SEED, hash_of(WORD_SEED, &['b', 'i', 'e', 'n']))));
    }

    #[test]
    fn a_text_without_tokens_has_no_feature() {
        let nothing = features(" \u{200b}\n");
        assert!(nothing.words.is_empty() && nothing.chars.is_empty());
    }

    #[test]
    fn hashes_are_part_of_the_file_format_and_do_not_change() {
        // Should this fail, raise the model format's version and train the shipped model again.
        assert_eq!(features("Ñandú 24h").words[0], 14_359_844_326_807_331_774);
        assert_eq!(
            features("a").chars,
            [6_374_456_853_452_887_719, 8_332_144_682_893_091_867, 14_772_099_659_190_699_604]
        );
    }
}
