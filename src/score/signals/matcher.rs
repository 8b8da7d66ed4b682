//! One pass over a text's tokens: which rules hold in which sentence.

use std::sync::Arc;

use super::automaton::Walk;
use super::rules::{CLAUSE, CONDITION, Finding, LIFTER, NEGATED, NEGATOR, QUOTED, Role, Rules};
use super::words::{Class, UNKNOWN};
use crate::message::{Language, SignalSet};
use crate::score::normalise::{Token, TokenKind};

/// How many words a negation reaches.
const NEGATION_REACH: u8 = 4;
/// How many words reported speech reaches, within its sentence.
const REPORTED_REACH: u8 = 8;
/// How many words a quotation reaches that is not closed.
const QUOTE_REACH: u8 = 40;

/// Words whose class is kept: a power of two.
const REMEMBERED: usize = 1 << 13;

const MAIN: u8 = 1;
const ALSO: u8 = 2;
const UNLESS: u8 = 4;
const NEVER: u8 = 8;
const HOLDS: u8 = 16;

/// What a rule has met so far.
const IN_SENTENCE: u8 = MAIN | ALSO | UNLESS;

/// Finds the signals of texts, token by token. Keep one and reuse it: once made, it allocates nothing.
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<Rules>,
    walk: Walk,
    /// Classes of words met, by hash.
    remembered: Box<[(u64, Class)]>,
    /// Between two texts, and at the start of each sentence.
    at_start: bool,
    /// Words that the last negation still reaches.
    negated: u8,
    /// Words that the open quotation still reaches.
    quoted: u8,
    /// Words that others still speak.
    reported: u8,
    /// What kind of word the last one was.
    last_flags: u8,
    last_was_number: bool,
    /// A full stop after a number: it may be a decimal point.
    stop_waits: bool,
    /// By rule.
    met: Vec<u8>,
    /// Rules of which something was met in this text.
    touched: Vec<u16>,
    /// Rules that held in the last text.
    held: Vec<u16>,
    /// A phrase of some rule was found in this sentence.
    found: bool,
}

impl Matcher {
    /// A matcher for those rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            walk: Walk::new(&rules.graph),
            remembered: vec![(0, UNKNOWN); REMEMBERED].into_boxed_slice(),
            at_start: true,
            negated: 0,
            quoted: 0,
            reported: 0,
            last_flags: 0,
            last_was_number: false,
            stop_waits: false,
            met: vec![0; rules.len()],
            touched: Vec::with_capacity(rules.len()),
            held: Vec::with_capacity(rules.len()),
            found: false,
            rules,
        }
    }

    /// Takes the next token of the text; `hash` is one of its folded form.
    #[inline]
    pub fn token(&mut self, token: &Token<'_>, hash: u64) {
        if self.stop_waits {
            self.stop_waits = false;
            if token.kind != TokenKind::Number {
                self.end_sentence(self.rules.words.marks.end);
            }
        }
        match token.kind {
            TokenKind::Punctuation => self.punctuation(token, hash),
            TokenKind::Mention | TokenKind::Link => {}
            TokenKind::Emoji => {
                let class = self.class_of(token, hash);
                if class != UNKNOWN {
                    self.word(class);
                }
            }
            TokenKind::Word | TokenKind::Hashtag | TokenKind::Number => {
                let class = self.class_of(token, hash);
                self.word(class);
                self.last_was_number = token.kind == TokenKind::Number;
            }
        }
    }

    /// Ends the text, gives what was found in it and is ready for the next one.
    pub fn finish(&mut self, language: Language) -> SignalSet {
        self.end_sentence(self.rules.words.marks.end);
        let mut signals = SignalSet::EMPTY;
        self.held.clear();
        for place in self.touched.drain(..) {
            let met = std::mem::take(&mut self.met[usize::from(place)]);
            let rule = &self.rules.rules[usize::from(place)];
            let speaks = language == Language::Other || rule.language.is_none_or(|of| of == language);
            if met & (HOLDS | NEVER) == HOLDS && speaks {
                signals = signals.union(rule.signals);
                self.held.push(place);
            }
        }
        (self.quoted, self.stop_waits) = (0, false);
        signals
    }

    /// The names of the rules that held in the last text: why it has its signals.
    pub fn held(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|place| self.rules.rules[usize::from(*place)].name.as_str())
    }

    /// What every buffer has room for.
    #[cfg(test)]
    pub(super) fn footprint(&self) -> ([usize; 3], usize) {
        (self.walk.footprint(), self.touched.capacity() + self.held.capacity() + self.met.capacity())
    }

    /// Live steps asked so far.
    #[cfg(test)]
    pub(super) fn asked(&self) -> u64 {
        self.walk.asked
    }

    #[inline]
    fn word(&mut self, class: Class) {
        let flags = self.rules.flags[usize::from(class)];
        if flags & CLAUSE != 0 {
            (self.negated, self.reported) = (0, 0);
        }
        if flags & LIFTER != 0 && self.negated == NEGATION_REACH {
            self.negated = 0;
        }
        self.step(class);
        if flags & NEGATOR != 0 && self.last_flags & CONDITION == 0 {
            self.negated = NEGATION_REACH;
        } else {
            self.negated = self.negated.saturating_sub(1);
        }
        self.quoted = self.quoted.saturating_sub(1);
        self.reported = self.reported.saturating_sub(1);
        self.last_flags = flags;
    }

    /// Hands a class to the walk and notes what it finds.
    #[inline]
    fn step(&mut self, class: Class) {
        if self.at_start {
            self.at_start = false;
            self.walk.step(&self.rules.graph, self.rules.words.marks.start, 0, |_| {});
        }
        if class == UNKNOWN {
            return self.walk.pass_over();
        }
        let quoted = self.quoted > 0 || self.reported > 0;
        let blocked = (u8::from(self.negated > 0) * NEGATED) | (u8::from(quoted) * QUOTED);
        let Self { walk, rules, met, touched, found, reported, .. } = self;
        walk.step(&rules.graph, class, blocked, |finding| match finding {
            Finding::Reported => *reported = REPORTED_REACH + 1,
            Finding::Phrase(rule, role) => {
                let of_rule = &mut met[usize::from(rule)];
                if *of_rule == 0 {
                    touched.push(rule);
                }
                *of_rule |= match role {
                    Role::Main => {
                        *found = true;
                        MAIN
                    }
                    Role::Also => ALSO,
                    Role::Unless => UNLESS,
                    Role::Never => NEVER,
                };
            }
        });
    }

    fn punctuation(&mut self, token: &Token<'_>, hash: u64) {
        let marks = self.rules.words.marks;
        let has = |mark: char| token.folded.contains(&mark);
        if is_emoticon(token.folded) {
            let class = self.class_of(token, hash);
            if class != UNKNOWN {
                self.word(class);
            }
            return;
        }
        if has('"') {
            self.quoted = if self.quoted > 0 { 0 } else { QUOTE_REACH };
        }
        if has('?') {
            self.end_sentence(marks.question);
        } else if has('!') {
            self.end_sentence(marks.exclamation);
        } else if token.folded == ['.'] && self.last_was_number {
            self.stop_waits = true;
        } else if token.folded.starts_with(&['.']) && token.folded.get(1) != Some(&'.')
            || has(';')
            || has('\u{bf}')
            || has('\u{a1}')
        {
            self.end_sentence(marks.end);
        } else if !is_passed_over(token.folded) {
            self.step(UNKNOWN);
            (self.negated, self.last_flags) = (0, 0);
        }
    }

    /// Ends the sentence with that mark: rules whose conditions are met hold, and every phrase begins anew.
    fn end_sentence(&mut self, mark: Class) {
        if self.at_start {
            return;
        }
        self.step(mark);
        if self.found {
            for number in &self.touched {
                let met = &mut self.met[usize::from(*number)];
                let also = *met & ALSO != 0 || !self.rules.rules[usize::from(*number)].needs_also;
                if *met & (MAIN | UNLESS) == MAIN && also {
                    *met |= HOLDS;
                }
            }
        }
        for number in &self.touched {
            self.met[usize::from(*number)] &= !IN_SENTENCE;
        }
        self.touched.retain(|number| self.met[usize::from(*number)] != 0);
        (self.found, self.at_start) = (false, true);
        self.walk.forget();
        (self.negated, self.reported, self.last_flags, self.last_was_number) = (0, 0, 0, false);
    }

    /// The class of a token, remembered by its hash.
    #[inline]
    fn class_of(&mut self, token: &Token<'_>, hash: u64) -> Class {
        // A stretched word is looked up in another way than a plain one that folds alike.
        let key = hash ^ u64::from(token.stretched);
        let slot = slot_of(key);
        let (known, class) = self.remembered[slot];
        if known == key {
            return class;
        }
        let class = self.look_up(token);
        self.remembered[slot] = (key, class);
        class
    }

    #[cold]
    fn look_up(&self, token: &Token<'_>) -> Class {
        let words = &self.rules.words;
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

/// The slot of a word: the well-mixed high bits of its hash.
#[expect(clippy::cast_possible_truncation, reason = "13 bits are left")]
fn slot_of(key: u64) -> usize {
    (key >> (u64::BITS - REMEMBERED.trailing_zeros())) as usize
}

/// Punctuation that separates nothing: `-`, `/`, `$`, ...
pub(super) fn is_passed_over(mark: &[char]) -> bool {
    !mark.iter().any(|character| ['.', ',', ';', ':', '!', '?', '\u{bf}', '\u{a1}', '"', '(', ')'].contains(character))
}

/// `:)`, `;-(`, `:d`, `<3`
pub(crate) fn is_emoticon(mark: &[char]) -> bool {
    mark == ['<', '3'] || (mark.len() >= 2 && matches!(mark[0], ':' | ';' | '=') && mark.last() != Some(&':'))
}
