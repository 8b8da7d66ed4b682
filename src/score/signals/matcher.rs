//! Which rules hold in which sentence of a text.

use std::sync::Arc;

use super::pile::Pile;
use super::rules::{Finding, QUOTED, Role, Rules, View};
use super::sense::Sense;
use super::sentences::{Kind, Place, Sentences};
use super::walk::Walk;
use crate::message::{Language, MAX_TEXT_BYTES, SignalSet};

/// Places in a sentence: beside its words, its start and end.
const MOST_PLACES: usize = MAX_TEXT_BYTES + 2;

/// How many words reported speech reaches, within its sentence.
const REPORTED_REACH: u32 = 8;

const MAIN: u8 = 1;
const ALSO: u8 = 2;
const UNLESS: u8 = 4;
const NEVER: u8 = 8;
const HOLDS: u8 = 16;

/// What a rule has met so far.
const IN_SENTENCE: u8 = MAIN | ALSO | UNLESS;

/// Finds the signals of texts of up to [`MAX_TEXT_BYTES`]. Keep one and reuse it: once made, it allocates nothing.
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<Rules>,
    sentence: Pile<Place>,
    search: Search,
    /// Rules that held in the last text.
    held: Vec<u16>,
}

impl Matcher {
    /// A matcher for those rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            sentence: Pile::new(MOST_PLACES),
            search: Search::new(&rules),
            held: Vec::with_capacity(rules.len()),
            rules,
        }
    }

    /// The signals of a text whose tokens are that to the rules, by the rules of its language; [`Language::Other`] asks those of every
    /// language.
    pub fn find(&mut self, senses: &[Sense], language: Language) -> SignalSet {
        let Self { rules, sentence, search, held } = self;
        let view = rules.view(language);
        held.clear();
        if !view.graph.is_empty() {
            let mut sentences = Sentences::new(senses, view, rules.words.marks);
            while sentences.next_into(sentence) {
                search.sentence(rules, view, sentence.as_slice());
            }
        }
        search.held_into(held);
        let signals = held.iter().map(|rule| rules.rules[usize::from(*rule)].signals);
        signals.fold(SignalSet::EMPTY, SignalSet::union)
    }

    /// The names of the rules that held in the last text, in the order of the rules: why it has its signals.
    pub fn held(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|place| self.rules.rules[usize::from(*place)].name.as_str())
    }

    /// What every buffer has room for.
    #[cfg(test)]
    pub(super) fn footprint(&self) -> Vec<usize> {
        let Search { walk, met, touched, .. } = &self.search;
        let own = [self.sentence.capacity(), self.held.capacity()];
        let of_search = [met.capacity(), touched.capacity()];
        walk.footprint().into_iter().chain(own).chain(of_search).collect()
    }

    /// Live steps asked so far.
    #[cfg(test)]
    pub(super) fn asked(&self) -> u64 {
        self.search.walk.asked
    }
}

/// What the rules have met in a text.
#[derive(Debug)]
struct Search {
    walk: Walk,
    /// By rule.
    met: Vec<u8>,
    /// Rules of which something was met.
    touched: Vec<u16>,
    /// A phrase of some rule was found in this sentence.
    found: bool,
}

impl Search {
    fn new(rules: &Rules) -> Self {
        Self {
            walk: Walk::new(rules.views().map(|view| &view.graph), MOST_PLACES),
            met: vec![0; rules.len()],
            touched: Vec::with_capacity(rules.len()),
            found: false,
        }
    }

    /// Looks for every phrase in a sentence.
    fn sentence(&mut self, rules: &Rules, view: &View, sentence: &[Place]) {
        let Self { walk, met, touched, found } = self;
        walk.begin(&view.graph, sentence);
        // The first word that is the customer's own again.
        let mut reported = 0;
        for (at, place) in sentence.iter().enumerate() {
            if place.kind == Kind::Clause {
                reported = 0;
            }
            // A mark stands after its sentence's last word.
            let word = place.words + u32::from(place.kind == Kind::Mark);
            let blocked = place.blocked | (u8::from(word < reported) * QUOTED);
            walk.step(&view.graph, (at, place), blocked, |finding| match finding {
                Finding::Reported => reported = place.words + REPORTED_REACH + 1,
                Finding::Phrase(rule, role) => {
                    *found |= role == Role::Main;
                    meet(met, touched, rule, role);
                }
            });
        }
        self.end_sentence(rules);
    }

    /// Rules whose conditions are met in the sentence hold.
    fn end_sentence(&mut self, rules: &Rules) {
        if self.found {
            for number in &self.touched {
                let met = &mut self.met[usize::from(*number)];
                let also = *met & ALSO != 0 || !rules.rules[usize::from(*number)].needs_also;
                if *met & (MAIN | UNLESS) == MAIN && also {
                    *met |= HOLDS;
                }
            }
        }
        for number in &self.touched {
            self.met[usize::from(*number)] &= !IN_SENTENCE;
        }
        self.touched.retain(|number| self.met[usize::from(*number)] != 0);
        self.found = false;
    }

    /// The rules that held in the text, in their order; forgets it.
    fn held_into(&mut self, held: &mut Vec<u16>) {
        for rule in self.touched.drain(..) {
            let met = std::mem::take(&mut self.met[usize::from(rule)]);
            if met & (HOLDS | NEVER) == HOLDS {
                held.push(rule);
            }
        }
        held.sort_unstable();
    }
}

#[inline]
fn meet(met: &mut [u8], touched: &mut Vec<u16>, rule: u16, role: Role) {
    let of_rule = &mut met[usize::from(rule)];
    if *of_rule == 0 {
        touched.push(rule);
    }
    *of_rule |= match role {
        Role::Main => MAIN,
        Role::Also => ALSO,
        Role::Unless => UNLESS,
        Role::Never => NEVER,
    };
}
