//! Files of rules to tables.

use rustc_hash::FxHashMap;

use super::file::{Effect, RuleEntry, RuleFile, RulesError};
use super::graph::{Graph, Step};
use super::phrase::{Lists, Phrase, PhraseError, read};
use super::rules::{
    CLAUSE, CONDITION, CONTINUES, Finding, LIFTER, NAMED, NEGATED, NEGATOR, Placed, QUOTED, Role, Rule, Source, View,
    guess,
};
use super::words::{Class, Predicate, Words, WordsBuilder};
use crate::message::{Signal, SignalSet};

/// Most rules of all files together.
const MOST_RULES: usize = 8_192;

/// Most steps of all phrases that one language is asked about.
const MOST_STEPS: usize = 1 << 20;

/// Turns files into tables.
#[derive(Default)]
pub(super) struct Compiler {
    words: WordsBuilder,
    negation_cancels: SignalSet,
    quotation_cancels: SignalSet,
    /// The tables being filled, and those before them.
    draft: Draft,
    drafts: Vec<Draft>,
}

/// The phrases of some files.
#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    /// First steps by what they accept and where they may not be passed: phrases that begin alike share them.
    first: FxHashMap<(Predicate, u8), u32>,
    /// Steps with one source, by it, its gap and what they accept: phrases that go on alike share them too.
    next: FxHashMap<(u32, u8, Predicate), u32>,
    flagged: Vec<(Predicate, u8)>,
}

/// Where in a file something stands.
#[derive(Clone, Copy)]
struct At<'a> {
    source: &'a Source,
    key: &'a str,
}

impl At<'_> {
    fn refuse(self, place: impl std::fmt::Display, value: &str, what: &str, remedy: &str) -> RulesError {
        RulesError {
            file: self.source.file.clone(),
            key: format!("{}{place}", self.key),
            value: value.to_owned(),
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

impl Compiler {
    /// A file's negation and quotation.
    pub(super) fn words_of(&mut self, source: &Source) -> Result<(), RulesError> {
        let RuleFile { negation, quotation, lists, .. } = &source.content;
        let kinds = [
            ("negation.words", &negation.words, NEGATOR),
            ("negation.lifted_by", &negation.lifted_by, LIFTER),
            ("negation.conditions", &negation.conditions, CONDITION),
            ("negation.ended_by", &negation.ended_by, CLAUSE),
        ];
        for (key, words, flag) in kinds {
            for (place, word) in words.iter().enumerate() {
                let at = At { source, key };
                let phrase = phrase_of(at, place, word, lists)?;
                let [step] = phrase.steps.as_slice() else {
                    return Err(at.refuse(format!("[{place}]"), word, "more than one word", "write single words"));
                };
                let predicate = self.words.predicate(&step.atoms).ok_or_else(|| too_many(at, place, word))?;
                self.draft.flagged.push((predicate, flag));
            }
        }
        let at = At { source, key: "quotation.reported" };
        self.phrases(at, &quotation.reported, lists, Finding::Reported, 0)?;
        let at = At { source, key: "negation.cancels" };
        self.negation_cancels = self.negation_cancels.union(signals(at, &negation.cancels)?);
        let at = At { source, key: "quotation.cancels" };
        self.quotation_cancels = self.quotation_cancels.union(signals(at, &quotation.cancels)?);
        Ok(())
    }

    pub(super) fn rule(&mut self, placed: &Placed, source: &Source, number: usize) -> Result<Rule, RulesError> {
        let Placed { key, entry, .. } = placed;
        let at = |field: &str| format!("{key}.{field}");
        let number = u16::try_from(number).ok().filter(|number| usize::from(*number) < MOST_RULES);
        let Some(number) = number else {
            let at = At { source, key };
            return Err(at.refuse("", &entry.name, &format!("more than {MOST_RULES} rules"), "join rules into one"));
        };
        let key_signals = at("signals");
        let found = signals(At { source, key: &key_signals }, &entry.signals)?;
        if found.is_empty() {
            return Err(At { source, key: &key_signals }.refuse("", "", "empty", "name what the rule finds"));
        }
        let lists = &source.content.lists;
        let blocked = self.blocked(found, entry);
        let kinds = [
            ("any", &entry.any, Role::Main, blocked),
            ("also", &entry.also, Role::Also, 0),
            ("unless", &entry.unless, Role::Unless, 0),
            ("unless_anywhere", &entry.unless_anywhere, Role::Never, 0),
        ];
        for (field, phrases, role, blocked) in kinds {
            let key = at(field);
            if role == Role::Main && phrases.is_empty() {
                return Err(At { source, key: &key }.refuse("", "", "empty", "write at least one phrase"));
            }
            self.phrases(At { source, key: &key }, phrases, lists, Finding::Phrase(number, role), blocked)?;
        }
        Ok(Rule { name: entry.name.clone(), signals: found, needs_also: !entry.also.is_empty() })
    }

    /// Where a rule's phrases may not begin.
    fn blocked(&self, found: SignalSet, entry: &RuleEntry) -> u8 {
        let any_in = |cancelled: SignalSet| found.iter().any(|signal| cancelled.contains(signal));
        let decide = |effect: Option<Effect>, by_signal: bool| effect.map_or(by_signal, |said| said == Effect::Cancels);
        let negated = decide(entry.negation, any_in(self.negation_cancels));
        let quoted = decide(entry.quotation, any_in(self.quotation_cancels));
        (u8::from(negated) * NEGATED) | (u8::from(quoted) * QUOTED)
    }

    fn phrases(
        &mut self,
        at: At<'_>,
        phrases: &[String],
        lists: &Lists,
        finding: Finding,
        blocked: u8,
    ) -> Result<(), RulesError> {
        for (place, phrase) in phrases.iter().enumerate() {
            let graph = phrase_of(at, place, phrase, lists)?;
            self.draft.merge(&mut self.words, &graph, finding, blocked).ok_or_else(|| too_many(at, place, phrase))?;
        }
        Ok(())
    }

    /// Ends a view: what comes next begins another.
    pub(super) fn end_view(&mut self) {
        self.drafts.push(std::mem::take(&mut self.draft));
    }

    /// The words of all views, and the views in order.
    pub(super) fn finish(self) -> Result<(Words, Vec<View>), RulesError> {
        let Some(words) = self.words.finish() else {
            return Err(RulesError {
                file: "rules".to_owned(),
                key: String::new(),
                value: String::new(),
                what: "they name more than 65,536 kinds of words".to_owned(),
                remedy: "leave some files out".to_owned(),
            });
        };
        let views = self.drafts.into_iter().map(|draft| draft.view(&words)).collect();
        Ok((words, views))
    }
}

impl Draft {
    /// Merges a phrase into the steps so far; nothing where there are too many.
    fn merge(&mut self, words: &mut WordsBuilder, phrase: &Phrase, finding: Finding, blocked: u8) -> Option<()> {
        // Steps are in order: all ways to a step are known once its turn comes.
        let mut sources: Vec<Vec<(u32, u8)>> = vec![Vec::new(); phrase.steps.len()];
        for (place, step) in phrase.steps.iter().enumerate() {
            let predicate = words.predicate(&step.atoms)?;
            let mut merged = Vec::with_capacity(2);
            if phrase.first.contains(&place) {
                merged.push(self.first_step(predicate, blocked)?);
            }
            if !sources[place].is_empty() {
                merged.push(self.later_step(predicate, std::mem::take(&mut sources[place]))?);
            }
            for number in merged {
                for (next, gap) in &step.next {
                    sources[*next].push((number, *gap));
                }
                if step.ends {
                    self.steps[number as usize].findings.push(finding);
                }
            }
        }
        Some(())
    }

    fn first_step(&mut self, predicate: Predicate, blocked: u8) -> Option<u32> {
        if let Some(known) = self.first.get(&(predicate, blocked)) {
            return Some(*known);
        }
        let new = self.step(Step { predicate, first: Some(blocked), sources: Vec::new(), findings: Vec::new() })?;
        self.first.insert((predicate, blocked), new);
        Some(new)
    }

    fn later_step(&mut self, predicate: Predicate, sources: Vec<(u32, u8)>) -> Option<u32> {
        let key = if let [(source, gap)] = sources.as_slice() { Some((*source, *gap, predicate)) } else { None };
        if let Some(known) = key.and_then(|key| self.next.get(&key)) {
            return Some(*known);
        }
        let new = self.step(Step { predicate, first: None, sources, findings: Vec::new() })?;
        self.next.extend(key.map(|key| (key, new)));
        Some(new)
    }

    fn step(&mut self, step: Step) -> Option<u32> {
        let number = u32::try_from(self.steps.len()).ok().filter(|_| self.steps.len() < MOST_STEPS)?;
        self.steps.push(step);
        Some(number)
    }

    fn view(self, words: &Words) -> View {
        let graph = Graph::new(&self.steps, words);
        let flags_of = |class: Class| {
            let named = (u8::from(graph.names(class)) * NAMED) | (u8::from(graph.continues(class)) * CONTINUES);
            let flagged = self.flagged.iter().filter(|(predicate, _)| words.satisfies(class, *predicate));
            flagged.fold(named, |all, (_, flag)| all | flag)
        };
        let flags = words.all().map(flags_of).collect();
        View { graph, flags }
    }
}

fn phrase_of(at: At<'_>, place: usize, phrase: &str, lists: &Lists) -> Result<Phrase, RulesError> {
    read(phrase, lists).map_err(|PhraseError { what, remedy }| at.refuse(format!("[{place}]"), phrase, &what, &remedy))
}

fn too_many(at: At<'_>, place: usize, phrase: &str) -> RulesError {
    at.refuse(format!("[{place}]"), phrase, "the rules together are too large", "leave some of them out")
}

/// A list of signals by name.
fn signals(at: At<'_>, names: &[String]) -> Result<SignalSet, RulesError> {
    let mut found = SignalSet::EMPTY;
    for (place, name) in names.iter().enumerate() {
        let Some(signal) = Signal::from_name(name) else {
            let all: Vec<&str> = Signal::ALL.iter().map(|signal| signal.as_str()).collect();
            let remedy =
                guess(name, all.iter().copied()).unwrap_or_else(|| format!("the signals are {}", all.join(", ")));
            return Err(at.refuse(format!("[{place}]"), name, "no such signal", &remedy));
        };
        found.insert(signal);
    }
    Ok(found)
}
