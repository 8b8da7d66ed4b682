//! A text's tokens as sentences: its words in turn, each with what it stands under.

use super::pile::Pile;
use super::rules::{CLAUSE, CONDITION, CONTINUES, LIFTER, NAMED, NEGATED, NEGATOR, QUOTED, View};
use super::sense::{Part, Sense};
use super::words::{Class, Marks};

/// How many words a negation reaches.
const NEGATION_REACH: u8 = 4;
/// How many words a quotation reaches that is not closed.
const QUOTE_REACH: u8 = 40;

/// A place in a sentence where something stands that phrases name, or that ends what was said before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// How many words, commas, starts and ends of sentences stand before it.
    pub(super) number: u32,
    /// How many words stand up to it.
    pub(super) words: u32,
    pub(super) class: Class,
    /// Whether a phrase goes on with it.
    pub(super) continues: bool,
    pub(super) kind: Kind,
    /// [`NEGATED`] and [`QUOTED`], if it stands so.
    pub(super) blocked: u8,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Word,
    /// A word that begins a clause.
    Clause,
    /// The start or end of a sentence.
    Mark,
}

/// The sentences of a text.
pub(super) struct Sentences<'a> {
    rest: &'a [Sense],
    view: &'a View,
    marks: Marks,
    /// Words that the open quotation still reaches.
    quoted: u8,
}

/// What holds at a place of a sentence.
#[derive(Default)]
struct State {
    /// Places so far, and words among them.
    places: u32,
    words: u32,
    /// Words that the last negation still reaches.
    negated: u8,
    /// What kind of word the last one was.
    last_flags: u8,
    last_was_number: bool,
}

impl<'a> Sentences<'a> {
    pub(super) fn new(senses: &'a [Sense], view: &'a View, marks: Marks) -> Self {
        Self { rest: senses, view, marks, quoted: 0 }
    }

    /// Puts the next sentence in place of what `places` holds; `false` after the last one.
    pub(super) fn next_into(&mut self, places: &mut Pile<Place>) -> bool {
        places.clear();
        let start = Place { class: self.marks.start, kind: Kind::Mark, ..Place::default() };
        places.push(start);
        let mut state = State { places: 1, ..State::default() };
        while let Some((sense, rest)) = self.rest.split_first() {
            self.rest = rest;
            let end = match sense.part {
                Part::Word => self.word(sense.class, false, &mut state, places),
                Part::Number => self.word(sense.class, true, &mut state, places),
                Part::Sign => self.word(sense.class, state.last_was_number, &mut state, places),
                _ => self.punctuation(*sense, &mut state),
            };
            if let Some(mark) = end
                && state.places > 1
            {
                places.push(self.place(mark, Kind::Mark, &state));
                return true;
            }
        }
        places.push(self.place(self.marks.end, Kind::Mark, &state));
        state.places > 1
    }

    /// Takes a word, which ends no sentence.
    #[inline]
    fn word(&mut self, class: Class, is_number: bool, state: &mut State, places: &mut Pile<Place>) -> Option<Class> {
        let flags = self.view.flags[usize::from(class)];
        self.view.graph.send_for(class);
        state.words += 1;
        let begins_clause = flags & CLAUSE != 0;
        if begins_clause || (flags & LIFTER != 0 && state.negated == NEGATION_REACH) {
            state.negated = 0;
        }
        let kind = if begins_clause { Kind::Clause } else { Kind::Word };
        places.push_if(flags & (NAMED | CLAUSE) != 0, self.place(class, kind, state));
        state.places += 1;
        state.negated = if flags & NEGATOR != 0 && state.last_flags & CONDITION == 0 {
            NEGATION_REACH
        } else {
            state.negated.saturating_sub(1)
        };
        self.quoted = self.quoted.saturating_sub(1);
        (state.last_flags, state.last_was_number) = (flags, is_number);
        None
    }

    /// Takes punctuation; gives the mark of the sentence's end, if this ends it.
    fn punctuation(&mut self, sense: Sense, state: &mut State) -> Option<Class> {
        if sense.quotes {
            self.quoted = if self.quoted > 0 { 0 } else { QUOTE_REACH };
        }
        match sense.part {
            Part::Question => Some(self.marks.question),
            Part::Exclamation => Some(self.marks.exclamation),
            Part::Stop if state.last_was_number && self.is_decimal_point() => None,
            Part::Stop | Part::End => Some(self.marks.end),
            Part::Comma => {
                state.places += 1;
                (state.negated, state.last_flags) = (0, 0);
                None
            }
            Part::None | Part::Word | Part::Number | Part::Sign => None,
        }
    }

    /// Whether a full stop after a number is one: another number follows.
    fn is_decimal_point(&self) -> bool {
        self.rest.first().is_some_and(|next| next.part == Part::Number)
    }

    #[inline]
    fn place(&self, class: Class, kind: Kind, state: &State) -> Place {
        let blocked = (u8::from(state.negated > 0) * NEGATED) | (u8::from(self.quoted > 0) * QUOTED);
        let continues = self.view.flags[usize::from(class)] & CONTINUES != 0;
        Place { number: state.places, words: state.words, class, continues, kind, blocked }
    }
}
