//! One pass over a text's tokens: which rules hold in which sentence.

use std::sync::Arc;

use super::automaton::Walk;
use super::rules::{CLAUSE, CONDITION, Finding, LIFTER, NEGATED, NEGATOR, QUOTED, Role, Rules};
use super::sense::{Part, Sense};
use super::words::{Class, UNKNOWN};
use crate::message::{Language, SignalSet};
use crate::score::normalise::Token;

/// How many words a negation reaches.
const NEGATION_REACH: u8 = 4;
/// How many words reported speech reaches, within its sentence.
const REPORTED_REACH: u8 = 8;
/// How many words a quotation reaches that is not closed.
const QUOTE_REACH: u8 = 40;

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

    /// What a token is to the rules, for [`Self::take`].
    #[must_use]
    pub fn sense(&self, token: &Token<'_>) -> Sense {
        self.rules.sense(token)
    }

    /// Takes the next token of the text, by its sense.
    #[inline]
    pub fn take(&mut self, sense: Sense) {
        if self.stop_waits {
            self.stop_waits = false;
            if sense.part != Part::Number {
                self.end_sentence(self.rules.words.marks.end);
            }
        }
        match sense.part {
            Part::Word | Part::Number => {
                self.word(sense.class);
                self.last_was_number = sense.part == Part::Number;
            }
            Part::Sign => self.word(sense.class),
            _ => self.punctuation(sense),
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

    fn punctuation(&mut self, sense: Sense) {
        if sense.quotes {
            self.quoted = if self.quoted > 0 { 0 } else { QUOTE_REACH };
        }
        let marks = self.rules.words.marks;
        match sense.part {
            Part::Question => self.end_sentence(marks.question),
            Part::Exclamation => self.end_sentence(marks.exclamation),
            Part::Stop if self.last_was_number => self.stop_waits = true,
            Part::Stop | Part::End => self.end_sentence(marks.end),
            Part::Comma => {
                self.step(UNKNOWN);
                (self.negated, self.last_flags) = (0, 0);
            }
            Part::None | Part::Word | Part::Number | Part::Sign => {}
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
}
