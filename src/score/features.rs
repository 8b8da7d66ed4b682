//! Tokens to hashed features: word 1- and 2-grams, and character 2- to 5-grams inside word boundaries.
//!
//! Their hashes are part of the model file's format: a change here needs a new format version.

use super::hash::{WORD_SEED, hash_of, join, step};
use super::normalise::{Normaliser, Token, TokenKind};

/// Longest character n-gram.
const MAX_GRAM: usize = 5;

/// Stands before and after each word in character n-grams.
const BOUNDARY: char = ' ';

const ACCENTED_SEED: u64 = 0x5be0_cd19_137e_2179;
const NEGATED_SEED: u64 = 0x3c6e_f372_fe94_f82b;
const CHAR_SEED: u64 = 0x510e_527f_ade6_82d1;
const MARK_SEED: u64 = 0x9b05_688c_2b3e_6c1f;

/// How many words a negation reaches.
const NEGATION_REACH: u8 = 3;

/// Which of a text's two lengths a feature counts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Whole words and pairs of them.
    Words,
    /// Characters within a word.
    Characters,
}

/// Takes features as they are found.
pub trait FeatureSink {
    /// A token; its own features depend on nothing else, so that their sum may be remembered under [`TokenFeatures::key`].
    fn token(&mut self, token: &TokenFeatures<'_>);
    /// A feature of the last token and the one so many tokens before it, 0 where it is of the last token alone; of the
    /// family [`Family::Words`].
    fn context(&mut self, hash: u64, before: u8);
}

/// A token's own features.
#[derive(Clone, Copy, Debug)]
pub struct TokenFeatures<'a> {
    token: Token<'a>,
}

impl<'a> TokenFeatures<'a> {
    /// The features of a token.
    #[must_use]
    pub fn of(token: Token<'a>) -> Self {
        Self { token }
    }

    /// Whether it is written with accents.
    #[must_use]
    pub fn has_accents(&self) -> bool {
        !std::ptr::eq(self.token.folded, self.token.accented) && self.token.folded != self.token.accented
    }

    /// Equal for two tokens with the same features, and hardly ever for others.
    #[must_use]
    pub fn key(&self) -> u64 {
        let token = &self.token;
        let spelling = if self.has_accents() { hash_of(ACCENTED_SEED, token.accented) } else { 0 };
        let marks = u64::from(token.shouted) | u64::from(token.stretched) << 1 | (token.kind as u64) << 2;
        join(join(token.hash, spelling), marks)
    }

    /// The token itself.
    #[must_use]
    pub fn token(&self) -> &Token<'a> {
        &self.token
    }

    /// Where the token stands in the text, in bytes.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.token.start..self.token.end
    }

    /// Gives each of the token's own features; at most a few hundred.
    pub fn each(&self, sink: &mut impl FnMut(Family, u64)) {
        let token = &self.token;
        let mut word = |hash| sink(Family::Words, hash);
        word(token.hash);
        if self.has_accents() {
            word(hash_of(ACCENTED_SEED, token.accented));
        }
        if token.shouted {
            word(step(MARK_SEED, 'A'));
        }
        if token.stretched {
            word(step(MARK_SEED, '~'));
        }
        if token.kind == TokenKind::Hashtag {
            word(step(MARK_SEED, '#'));
        }
        let mut chars = |hash| sink(Family::Characters, hash);
        match token.kind {
            TokenKind::Mention | TokenKind::Link => {}
            TokenKind::Emoji | TokenKind::Punctuation => {
                token.folded.iter().for_each(|&character| chars(step(CHAR_SEED, character)));
            }
            TokenKind::Word | TokenKind::Hashtag | TokenKind::Number => word_grams(token.folded, &mut chars),
        }
    }
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
            let features = TokenFeatures::of(token);
            sink.token(&features);
            sink.context(join(previous, token.hash), u8::from(found));
            if negated > 0 && token.kind == TokenKind::Word {
                sink.context(join(NEGATED_SEED, token.hash), NEGATION_REACH - negated + 1);
            }
            negated = negation_after(&token, negated);
            previous = token.hash;
            found = true;
        });
        if found {
            sink.context(join(previous, step(WORD_SEED, '$')), 0);
        }
    }
}

/// Every 2- to 5-gram of ` word `; each start extends one hash, so that a gram costs one multiplication.
fn word_grams(word: &[char], sink: &mut impl FnMut(u64)) {
    grams_from(step(CHAR_SEED, BOUNDARY), word, sink);
    for start in 0..word.len() {
        grams_from(step(CHAR_SEED, word[start]), &word[start + 1..], sink);
    }
}

fn grams_from(first: u64, rest: &[char], sink: &mut impl FnMut(u64)) {
    let mut hash = first;
    for &character in rest.iter().take(MAX_GRAM - 1) {
        hash = step(hash, character);
        sink(hash);
    }
    if rest.len() < MAX_GRAM - 1 {
        sink(step(hash, BOUNDARY));
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[derive(Default)]
    struct Seen {
        words: Vec<u64>,
        chars: Vec<u64>,
        keys: Vec<u64>,
        reaches: Vec<u8>,
    }

    impl FeatureSink for Seen {
        fn token(&mut self, token: &TokenFeatures<'_>) {
            self.keys.push(token.key());
            token.each(&mut |family, hash| match family {
                Family::Words => self.words.push(hash),
                Family::Characters => self.chars.push(hash),
            });
        }
        fn context(&mut self, hash: u64, before: u8) {
            self.words.push(hash);
            self.reaches.push(before);
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
    fn tokens_that_differ_in_their_features_differ_in_their_key() {
        let spellings = ["esta", "está", "ESTA", "ESTÁ", "estaaa", "#esta", "esto", "@esta", ":("];
        let keys: HashSet<_> = spellings.iter().map(|text| features(text).keys[0]).collect();
        assert_eq!(keys.len(), spellings.len());
        assert_eq!(features("esta").keys, features("Esta").keys);
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
    fn a_feature_of_two_words_says_how_far_apart_they_are() {
        // Pairs, a pair and a negation of each of the three words, the end.
        assert_eq!(features("no me funciona bien hoy").reaches, [0, 1, 1, 1, 2, 1, 3, 1, 0]);
        assert_eq!(features("no, funciona").reaches, [0, 1, 1, 0]);
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
