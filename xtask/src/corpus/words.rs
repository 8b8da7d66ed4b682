//! Texts as they are compared: words without case, accents and punctuation.

use rustc_hash::FxHashMap;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Shorter texts say what everybody says: they are not compared with other people's.
pub(crate) const MIN_WORDS: usize = 5;

/// The words of a text, in lower case, without accents: runs of letters, digits and `_`.
pub(crate) fn words(text: &str) -> Vec<String> {
    let plain: String = text.to_lowercase().nfd().filter(|letter| !is_combining_mark(*letter)).collect();
    let apart = plain.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    apart.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What two rows must not have in common: their words or, where there are none (emoji, "???"), the text as it is.
pub(crate) fn identity(text: &str, words: &[String]) -> String {
    if words.is_empty() { text.trim().to_owned() } else { words.join(" ") }
}

/// A number for each word, so that sequences of words are compared exactly and fast.
#[derive(Default)]
pub(crate) struct Vocabulary {
    numbers: FxHashMap<String, u32>,
}

impl Vocabulary {
    /// A word that no text of the vocabulary has.
    const UNKNOWN: u32 = 0;

    /// The numbers of a text's words; new words get one.
    pub(crate) fn add(&mut self, words: &[String]) -> Vec<u32> {
        words.iter().map(|word| self.add_word(word)).collect()
    }

    fn add_word(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len() + 1).unwrap_or(u32::MAX);
        self.numbers.insert(word.to_owned(), number);
        number
    }

    /// The numbers of another text's words, for comparing only.
    pub(crate) fn look_up(&self, words: &[String]) -> Vec<u32> {
        words.iter().map(|word| self.numbers.get(word).copied().unwrap_or(Self::UNKNOWN)).collect()
    }
}

/// Every run of `N` neighbours.
pub(crate) fn runs<const N: usize>(numbers: &[u32]) -> impl Iterator<Item = [u32; N]> {
    numbers.windows(N).filter_map(|run| run.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_punctuation_make_no_difference() {
        assert_eq!(words("¡¡Señor, YA llegó!!"), words("senor ya llego"));
    }

    #[test]
    fn a_text_of_emoji_has_no_words_and_is_compared_as_it_is() {
        assert!(words("👏🏽👏🏽").is_empty());
        assert_ne!(identity("👏🏽", &[]), identity("👏🏿", &[]));
    }
}
