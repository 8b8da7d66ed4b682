//! Text to tokens: one pass, linear time, no allocation once the buffers are warm, defined for every `&str`.

use std::sync::LazyLock;

use unicode_normalization::char::{decompose_canonical, decompose_compatible};

use super::hash::{WORD_SEED, step, word_hash};

/// Longest token in characters; what is longer goes on as a new token, so that memory stays bounded.
pub const MAX_TOKEN_CHARS: usize = 48;

/// Most characters of a token: behind the last letter two apostrophes may stand.
pub(super) const LONGEST: usize = MAX_TOKEN_CHARS + 2;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Letters, with apostrophes inside.
    Word,
    /// A word of a hashtag; `#NotHappy` gives two.
    Hashtag,
    /// Digits (and letters among them); each digit is given as `0`.
    Number,
    /// A user name, given as `@`.
    Mention,
    /// A link, given as `http`.
    Link,
    /// One pictograph, without skin tone or variation selector.
    Emoji,
    /// A run of punctuation or symbols, text emoticons such as `:(` and `:D` included.
    Punctuation,
}

/// One token; borrows the normaliser's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Lower case, accents folded (ñ stays ñ), runs of one character cut to two.
    pub folded: &'a [char],
    /// A hash of `folded`, part of the model file's format.
    pub hash: u64,
    /// As `folded`, with accents kept.
    pub accented: &'a [char],
    /// A word of three letters or more written in capitals.
    pub shouted: bool,
    /// A character was repeated three times or more.
    pub stretched: bool,
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Room for the characters of a token; a power of two needs no check.
const ROOM: usize = 64;
const _: () = assert!(LONGEST < ROOM);

/// The characters of a token.
#[derive(Debug)]
struct Characters {
    room: [char; ROOM],
    count: usize,
}

impl Default for Characters {
    fn default() -> Self {
        Self { room: ['\0'; ROOM], count: 0 }
    }
}

impl Characters {
    #[inline]
    fn push(&mut self, character: char) {
        self.room[self.count % ROOM] = character;
        self.count += 1;
    }

    #[inline]
    fn as_slice(&self) -> &[char] {
        &self.room[..self.count]
    }
}

/// Turns texts into tokens; keep one and reuse it.
#[derive(Debug, Default)]
pub struct Normaliser {
    folded: Characters,
    /// Their hash so far.
    hash: u64,
    accented: Characters,
    /// Whether the two differ.
    has_accents: bool,
    uppercase: usize,
    lowercase: usize,
    digits: usize,
    stretched: bool,
    /// Length of the text, from which a rest's length tells its place.
    length: usize,
    start: usize,
}

impl Normaliser {
    /// Gives every token of `text` to `sink`, in order.
    pub fn tokens(&mut self, text: &str, mut sink: impl FnMut(Token<'_>)) {
        let mut rest = text;
        self.length = text.len();
        while let Some(first) = rest.chars().next() {
            if first == ' ' {
                rest = &rest[1..];
                continue;
            }
            rest = match classify(first) {
                Class::Space | Class::Ignored => &rest[first.len_utf8()..],
                Class::Alphanumeric if starts_link(rest) => self.link(rest, &mut sink),
                Class::Alphanumeric => self.word(rest, TokenKind::Word, &mut sink),
                Class::Emoji => self.emoji(rest, first, &mut sink),
                Class::Symbol if names_follow(rest, first, '@') => self.mention(rest, &mut sink),
                Class::Symbol if names_follow(rest, first, '#') => self.word(&rest[1..], TokenKind::Hashtag, &mut sink),
                Class::Symbol => self.punctuation(rest, &mut sink),
            };
        }
    }

    fn link<'t>(&mut self, rest: &'t str, sink: &mut impl FnMut(Token<'_>)) -> &'t str {
        let after = rest.trim_start_matches(|character: char| !character.is_whitespace());
        self.single(TokenKind::Link, &['h', 't', 't', 'p'], [rest, after], sink);
        after
    }

    fn mention<'t>(&mut self, rest: &'t str, sink: &mut impl FnMut(Token<'_>)) -> &'t str {
        let after = rest[1..].trim_start_matches(|character: char| character.is_alphanumeric() || character == '_');
        self.single(TokenKind::Mention, &['@'], [rest, after], sink);
        after
    }

    fn emoji<'t>(&mut self, rest: &'t str, emoji: char, sink: &mut impl FnMut(Token<'_>)) -> &'t str {
        let after = &rest[emoji.len_utf8()..];
        self.single(TokenKind::Emoji, &[emoji], [rest, after], sink);
        after
    }

    /// A run of letters and digits; returns what follows it.
    fn word<'t>(&mut self, rest: &'t str, kind: TokenKind, sink: &mut impl FnMut(Token<'_>)) -> &'t str {
        self.begin(rest);
        let plain = if kind == TokenKind::Word { self.plain_word(rest) } else { 0 };
        if rest.as_bytes().get(plain).is_some_and(|next| ends_word(*next)) {
            self.flush_word(kind, &rest[plain..], sink);
            return &rest[plain..];
        }
        let mut previous_lowercase = false;
        let mut characters = rest[plain..].char_indices().map(|(at, character)| (plain + at, character)).peekable();
        while let Some((at, character)) = characters.next() {
            match classify(character) {
                Class::Alphanumeric => {
                    let camel_hump = kind == TokenKind::Hashtag && previous_lowercase && character.is_uppercase();
                    if camel_hump || self.folded.count >= MAX_TOKEN_CHARS {
                        self.flush_word(kind, &rest[at..], sink);
                        self.begin(&rest[at..]);
                    }
                    previous_lowercase = character.is_lowercase();
                    self.push_alphanumeric(character);
                }
                Class::Ignored => self.push_mark(character),
                Class::Symbol
                    if is_apostrophe(character) && characters.peek().is_some_and(|&(_, next)| next.is_alphabetic()) =>
                {
                    self.push('\'', '\'');
                }
                _ => {
                    self.flush_word(kind, &rest[at..], sink);
                    return &rest[at..];
                }
            }
        }
        self.flush_word(kind, "", sink);
        ""
    }

    /// Takes what a word begins with as long as it is letters and digits of ASCII and of Spanish and its neighbours, as nearly all words are to
    /// their end; the same as [`Self::push_alphanumeric`] of each, in a fraction of the time. Returns how many bytes that were.
    fn plain_word(&mut self, rest: &str) -> usize {
        let bytes = rest.as_bytes();
        let folds = LazyLock::force(&FOLDS);
        let mut at = 0;
        while let Some(&byte) = bytes.get(at)
            && self.folded.count < MAX_TOKEN_CHARS
        {
            at += 1;
            match byte {
                b'a'..=b'z' => {
                    self.lowercase += 1;
                    self.push_plain(char::from(byte));
                }
                b'A'..=b'Z' => {
                    self.uppercase += 1;
                    self.push_plain(char::from(byte | 0x20));
                }
                b'0'..=b'9' => {
                    self.digits += 1;
                    self.push_plain('0');
                }
                // The first byte of À to ÿ.
                0xc3 => {
                    let code = 0xc0 | bytes.get(at).map_or(0, |second| second & 0x3f);
                    if matches!(code, TIMES | DIVIDED) {
                        return at - 1;
                    }
                    at += 1;
                    self.uppercase += usize::from(code < SHARP_S);
                    self.lowercase += usize::from(code >= SHARP_S);
                    let (lower, folded) = folds[usize::from(code)];
                    self.push(folded, lower);
                }
                _ => return at - 1,
            }
        }
        at
    }

    /// A run of symbols, cut at eight; returns what follows it.
    fn punctuation<'t>(&mut self, rest: &'t str, sink: &mut impl FnMut(Token<'_>)) -> &'t str {
        self.begin(rest);
        for (at, character) in rest.char_indices() {
            match classify(character) {
                Class::Ignored => continue,
                Class::Symbol if self.folded.count < 8 => {
                    if at > 0
                        && (names_follow(&rest[at..], character, '@') || names_follow(&rest[at..], character, '#'))
                    {
                        self.emit(TokenKind::Punctuation, &rest[at..], sink);
                        return &rest[at..];
                    }
                    self.push(fold_symbol(character), character);
                }
                Class::Alphanumeric if self.ends_emoticon(&rest[at..], character) => {
                    let letter = character.to_ascii_lowercase();
                    self.push(letter, letter);
                    self.emit(TokenKind::Punctuation, &rest[at + 1..], sink);
                    return &rest[at + 1..];
                }
                _ => {
                    self.emit(TokenKind::Punctuation, &rest[at..], sink);
                    return &rest[at..];
                }
            }
        }
        self.emit(TokenKind::Punctuation, "", sink);
        ""
    }

    /// Whether `character` is the mouth of an emoticon (`:D`, `:-p`, `<3`) whose eyes stand in the buffer.
    fn ends_emoticon(&self, rest: &str, character: char) -> bool {
        let eyes = matches!(self.folded.as_slice(), [':' | ';' | '='] | [':' | ';' | '=', '-' | '\'']);
        let heart = self.folded.as_slice() == ['<'] && character == '3';
        let mouth = matches!(character, 'D' | 'd' | 'P' | 'p' | 'O' | 'o' | 'S' | 's' | '3');
        let alone = !rest.chars().nth(1).is_some_and(char::is_alphanumeric);
        alone && (heart || (eyes && mouth)) && character.is_ascii()
    }

    /// A token of which only the kind or one character counts; it reaches from the first rest to the second.
    fn single(&self, kind: TokenKind, characters: &[char], rests: [&str; 2], sink: &mut impl FnMut(Token<'_>)) {
        let [start, end] = rests.map(|rest| self.length - rest.len());
        let hash = word_hash(characters);
        sink(Token {
            kind,
            folded: characters,
            hash,
            accented: characters,
            shouted: false,
            stretched: false,
            start,
            end,
        });
    }

    /// A token begins where `rest` does.
    fn begin(&mut self, rest: &str) {
        self.start = self.length - rest.len();
        (self.folded.count, self.accented.count, self.hash) = (0, 0, WORD_SEED);
        self.has_accents = false;
        self.uppercase = 0;
        self.lowercase = 0;
        self.digits = 0;
        self.stretched = false;
    }

    fn push_alphanumeric(&mut self, character: char) {
        if character.is_numeric() {
            self.digits += 1;
            self.push('0', '0');
            return;
        }
        let (lower, folded) = fold(character);
        if character.is_uppercase() {
            self.uppercase += 1;
        } else {
            self.lowercase += 1;
        }
        self.push(folded, lower);
    }

    /// A combining mark: `n` and a tilde are one letter, ñ; other marks are accents and fold away.
    fn push_mark(&mut self, mark: char) {
        if mark == '\u{303}' && self.folded.as_slice().last() == Some(&'n') {
            self.folded.count -= 1;
            self.accented.count -= 1;
            self.hash = word_hash(self.folded.as_slice());
            self.push('ñ', 'ñ');
        }
    }

    #[inline]
    fn push_plain(&mut self, character: char) {
        self.push(character, character);
    }

    #[inline]
    fn push(&mut self, folded: char, accented: char) {
        if let [.., before, last] = self.folded.as_slice()
            && *before == folded
            && *last == folded
        {
            self.stretched |= folded != '0';
            return;
        }
        self.folded.push(folded);
        self.hash = step(self.hash, folded);
        self.accented.push(accented);
        self.has_accents |= folded != accented;
    }

    fn flush_word(&self, kind: TokenKind, after: &str, sink: &mut impl FnMut(Token<'_>)) {
        let kind = if self.digits > 0 { TokenKind::Number } else { kind };
        self.emit(kind, after, sink);
    }

    fn emit(&self, kind: TokenKind, after: &str, sink: &mut impl FnMut(Token<'_>)) {
        let folded = self.folded.as_slice();
        if folded.is_empty() {
            return;
        }
        sink(Token {
            kind,
            folded,
            hash: self.hash,
            // One slice for both tells fast that they are equal.
            accented: if self.has_accents { self.accented.as_slice() } else { folded },
            shouted: self.uppercase >= 3 && self.lowercase == 0,
            stretched: self.stretched,
            start: self.start,
            end: self.length - after.len(),
        });
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Space,
    Ignored,
    Alphanumeric,
    Emoji,
    Symbol,
}

fn classify(character: char) -> Class {
    if character.is_ascii() {
        return match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Alphanumeric,
            ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' => Class::Space,
            '\0'..='\x1f' | '\x7f' => Class::Space,
            _ => Class::Symbol,
        };
    }
    if is_ignored(character) {
        return Class::Ignored;
    }
    if is_emoji(character) {
        return Class::Emoji;
    }
    if character.is_alphanumeric() {
        return Class::Alphanumeric;
    }
    if character.is_whitespace() || character.is_control() {
        return Class::Space;
    }
    Class::Symbol
}

/// What shows nothing of its own: joiners, direction marks, variation selectors, combining accents, skin tones, tags.
fn is_ignored(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2300}'..='\u{23ff}' | '\u{2b00}'..='\u{2bff}'
        | '\u{203c}' | '\u{2049}' | '\u{3030}' | '\u{303d}')
}

/// Whether a byte after letters and digits surely ends the word: it is of ASCII, and neither one of them nor an apostrophe.
fn ends_word(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'\'' | b'`')
}

fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '\u{2019}' | '\u{2bc}' | '`' | '\u{b4}')
}

fn starts_link(rest: &str) -> bool {
    if !matches!(rest.as_bytes().first(), Some(b'h' | b'H' | b'w' | b'W')) {
        return false;
    }
    ["http://", "https://", "www."]
        .iter()
        .any(|prefix| rest.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
}

/// Whether `rest` starts with `marker` and a name follows it.
fn names_follow(rest: &str, first: char, marker: char) -> bool {
    first == marker && rest[1..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
}

fn fold_symbol(character: char) -> char {
    match character {
        '\u{2018}' | '\u{2019}' | '\u{b4}' | '`' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}' => '"',
        '\u{2010}'..='\u{2015}' => '-',
        '\u{2026}' => '.',
        other => other,
    }
}

/// × and ÷, alone from À to ÿ no letters.
const TIMES: u8 = 0xd7;
const DIVIDED: u8 = 0xf7;
/// ß, the first lower-case letter from À to ÿ.
const SHARP_S: u8 = 0xdf;

/// Code points below this fold through a table.
const TABLE_LEN: usize = 0x250;

static FOLDS: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    (0..TABLE_LEN)
        .map(|code| u32::try_from(code).ok().and_then(char::from_u32).map_or((' ', ' '), fold_slowly))
        .collect()
});

/// The character in lower case, and the same without its accent.
fn fold(character: char) -> (char, char) {
    if character.is_ascii() {
        let lower = character.to_ascii_lowercase();
        return (lower, lower);
    }
    FOLDS.get(character as usize).copied().unwrap_or_else(|| fold_slowly(character))
}

fn fold_slowly(character: char) -> (char, char) {
    let plain = match character {
        // Full-width and mathematical letters, as people use them to stand out.
        '\u{ff00}'..='\u{ffef}' | '\u{1d400}'..='\u{1d7ff}' => {
            first_of(character, |sink| decompose_compatible(character, sink))
        }
        other => other,
    };
    let lower = plain.to_lowercase().next().unwrap_or(plain);
    if lower == 'ñ' {
        return (lower, lower);
    }
    let latin = (lower as usize) < TABLE_LEN || ('\u{1e00}'..='\u{1eff}').contains(&lower);
    let folded = if latin { first_of(lower, |sink| decompose_canonical(lower, sink)) } else { lower };
    (lower, folded)
}

fn first_of(fallback: char, decompose: impl FnOnce(&mut dyn FnMut(char))) -> char {
    let mut first = None;
    decompose(&mut |part| {
        first.get_or_insert(part);
    });
    first.unwrap_or(fallback)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        Normaliser::default().tokens(text, |token| found.push(token.folded.iter().collect()));
        found
    }

    fn kinds(text: &str) -> Vec<TokenKind> {
        let mut found = Vec::new();
        Normaliser::default().tokens(text, |token| found.push(token.kind));
        found
    }

    #[test]
    fn case_accents_and_inverted_marks_are_normalised() {
        assert_eq!(tokens("¿Dónde ESTÁ mi avión?"), ["¿", "donde", "esta", "mi", "avion", "?"]);
    }

    #[test]
    fn the_accented_form_is_kept_beside_the_folded_one() {
        let mut accented = String::new();
        Normaliser::default().tokens("ÁRBOL", |token| accented.extend(token.accented));
        assert_eq!(accented, "árbol");
    }

    #[test]
    fn an_enye_is_a_letter_of_its_own_however_it_is_encoded() {
        assert_eq!(tokens("AÑO an\u{303}o"), ["año", "año"]);
    }

    #[test]
    fn an_accent_written_as_a_combining_mark_folds_away() {
        assert_eq!(tokens("e\u{301}xito"), ["exito"]);
    }

    #[test]
    fn a_stretched_word_is_cut_to_two_of_a_kind_and_says_so() {
        let mut stretched = Vec::new();
        Normaliser::default().tokens("holaaaaa hola", |token| {
            stretched.push((token.folded.iter().collect::<String>(), token.stretched));
        });
        assert_eq!(stretched, [("holaa".to_owned(), true), ("hola".to_owned(), false)]);
    }

    #[test]
    fn names_links_and_hashtags_lose_what_is_private_or_rare() {
        assert_eq!(
            tokens("@Banco_MX mira https://t.co/xyz?a=1 #NoMasFilas"),
            ["@", "mira", "http", "no", "mas", "filas"]
        );
        assert_eq!(kinds("@Banco www.banco.mx #fila"), [TokenKind::Mention, TokenKind::Link, TokenKind::Hashtag]);
    }

    #[test]
    fn a_token_knows_where_it_stands_in_the_text() {
        let text = "¡Nó! @Banco #SinLuz https://x.mx 👍🏽 d'accord";
        let mut places = Vec::new();
        Normaliser::default().tokens(text, |token| places.push(&text[token.start..token.end]));
        assert_eq!(places, ["¡", "Nó", "!", "@Banco", "Sin", "Luz", "https://x.mx", "👍", "d'accord"]);
    }

    #[test]
    fn digits_are_masked() {
        assert_eq!(tokens("debo 1500 pesos"), ["debo", "00", "pesos"]);
    }

    #[test]
    fn emoji_lose_skin_tone_and_joiners() {
        assert_eq!(tokens("👍🏽"), ["👍"]);
        assert_eq!(tokens("👩\u{200d}💻"), ["👩", "💻"]);
        assert_eq!(tokens("❤\u{fe0f}"), ["❤"]);
    }

    #[test]
    fn emoticons_are_one_token() {
        assert_eq!(tokens("ok :) :( :D :-P <3"), ["ok", ":)", ":(", ":d", ":-p", "<3"]);
        assert_eq!(tokens("nota:Dos"), ["nota", ":", "dos"]);
    }

    #[test]
    fn shouting_is_noticed() {
        let mut shouted = Vec::new();
        Normaliser::default().tokens("NUNCA más OK", |token| shouted.push(token.shouted));
        assert_eq!(shouted, [true, false, false]);
    }

    #[test]
    fn zero_width_characters_hide_nothing() {
        assert_eq!(tokens("frau\u{200b}de"), ["fraude"]);
        assert!(tokens("\u{200b}\u{feff}\u{202e}").is_empty());
    }

    #[test]
    fn english_contractions_stay_whole() {
        assert_eq!(tokens("don’t can't 'quoted'"), ["don't", "can't", "'", "quoted", "'"]);
    }

    #[test]
    fn styled_letters_are_read_as_plain_ones() {
        assert_eq!(tokens("ｆｒａｕｄｅ 𝗳𝗿𝗮𝘂𝗱𝗲"), ["fraude", "fraude"]);
    }

    #[test]
    fn a_megabyte_without_a_space_gives_tokens_of_bounded_length() {
        let mut normaliser = Normaliser::default();
        let text = "abcdefghij".repeat(100_000);
        let mut longest = 0;
        normaliser.tokens(&text, |token| longest = longest.max(token.folded.len()));
        assert_eq!(longest, MAX_TOKEN_CHARS);
    }

    #[test]
    fn the_fast_way_through_a_word_says_what_the_slow_one_says() {
        let letters = ('\0'..='\u{17f}').filter(|letter| letter.is_alphanumeric());
        let words = letters.flat_map(|letter| [format!("{letter}"), format!("Ño{letter}{letter}{letter}A")]);
        for word in words.chain(["x".repeat(100), "ñÑ".repeat(40), "aaaBBB111".to_owned()]) {
            let (mut fast, mut slow) = (Normaliser::default(), Normaliser::default());
            let taken = fast.plain_word(&word);
            word[..taken].chars().for_each(|letter| slow.push_alphanumeric(letter));
            assert_eq!(format!("{fast:?}"), format!("{slow:?}"), "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_tokens_of_bounded_length(text in any::<String>()) {
            Normaliser::default().tokens(&text, |token| {
                assert!(!token.folded.is_empty());
                assert!(token.folded.len() <= LONGEST);
                assert_eq!(token.folded.len(), token.accented.len());
                assert_eq!(token.hash, word_hash(token.folded));
            });
        }

        #[test]
        fn any_bytes_read_lossily_are_normalised(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let count = tokens(&String::from_utf8_lossy(&bytes)).len();
            prop_assert!(count <= bytes.len());
        }

        #[test]
        fn odd_alphabets_are_normalised(text in "[anD:;@#<3'ñ\u{303}\u{345}\u{200d}\u{fe0f}👍🏽ש\u{202e}\\s]{0,60}") {
            let mut normaliser = Normaliser::default();
            let mut first = Vec::new();
            normaliser.tokens(&text, |token| {
                assert!(token.folded.len() <= LONGEST);
                assert_eq!(token.hash, word_hash(token.folded), "{:?}", token.folded);
                first.push(token.folded.to_vec());
            });
            let mut second = Vec::new();
            normaliser.tokens(&text, |token| second.push(token.folded.to_vec()));
            prop_assert_eq!(first, second);
        }
    }
}
