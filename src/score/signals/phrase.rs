//! The notation of phrases: text to a graph of steps. `docs/signals.md` describes it.

use std::collections::BTreeMap;

use super::sense::{is_emoticon, is_passed_over};
use crate::score::normalise::{Normaliser, TokenKind};

/// Longest gap between two words.
pub(super) const LONGEST_GAP: u8 = 15;

/// Most steps of one phrase; each word of a list is one only where it stands alone.
const MOST_STEPS: usize = 4_096;

/// Brackets and lists may lie so deep in one another.
const DEEPEST: usize = 8;

const BRACKETS: &str = "write (one|two|three)";

/// What a step accepts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Atom {
    /// This token.
    Word(String),
    /// A token that begins so.
    Prefix(String),
    /// Any number.
    Number,
    /// A question mark.
    Question,
    /// An exclamation mark.
    Exclamation,
    /// Where a sentence begins.
    Start,
    /// Where a sentence ends.
    End,
}

/// One step of a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What it accepts; sorted, without repeats.
    pub(super) atoms: Vec<Atom>,
    /// The steps that may come next, and how many other tokens may stand before each.
    pub(super) next: Vec<(usize, u8)>,
    /// Whether the phrase may end with it.
    pub(super) ends: bool,
}

/// A phrase as a graph: every way from a first step to one that ends is a sequence of words that the phrase stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) steps: Vec<Step>,
    /// The steps that it may begin with.
    pub(super) first: Vec<usize>,
}

/// Part of a phrase while it is read.
#[derive(Clone, Debug, Default)]
struct Part {
    first: Vec<usize>,
    /// The steps that it may end with, and the gap that skipped parts leave behind each.
    last: Vec<(usize, u8)>,
    /// Whether it may be left out.
    optional: bool,
}

/// Lists of words by name, for `{name}`.
pub(super) type Lists = BTreeMap<String, Vec<String>>;

/// Why a phrase cannot be read: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PhraseError {
    pub(super) what: String,
    pub(super) remedy: String,
}

fn wrong(what: impl Into<String>, remedy: impl Into<String>) -> PhraseError {
    PhraseError { what: what.into(), remedy: remedy.into() }
}

/// Reads a phrase.
pub(super) fn read(phrase: &str, lists: &Lists) -> Result<Phrase, PhraseError> {
    let mut reader = Reader { steps: Vec::new(), lists };
    let whole = reader.sequence(phrase, 0)?;
    if whole.optional {
        return Err(wrong("nothing in it is required", "write at least one word that is not optional"));
    }
    for (last, _) in whole.last {
        reader.steps[last].ends = true;
    }
    Ok(Phrase { steps: reader.steps, first: whole.first })
}

/// Reads parts of a phrase into steps.
struct Reader<'a> {
    steps: Vec<Step>,
    lists: &'a Lists,
}

impl Reader<'_> {
    /// Parts one after the other.
    fn sequence(&mut self, text: &str, depth: usize) -> Result<Part, PhraseError> {
        if depth > DEEPEST {
            return Err(wrong("its brackets or lists lie too deep", "write it as several phrases"));
        }
        let mut whole = Part { optional: true, ..Part::default() };
        let mut gap = 0;
        for text in split(text, char::is_whitespace)? {
            if let Some(digits) = text.strip_prefix("..") {
                gap = gap_of(digits)?;
                continue;
            }
            let (body, optional) = match text.strip_suffix('?') {
                Some(body) if !body.is_empty() => (body, true),
                _ => (text, false),
            };
            let mut part = self.part(body, depth)?;
            part.optional |= optional;
            self.append(&mut whole, gap, part);
            gap = 0;
        }
        if gap > 0 {
            return Err(wrong("it ends with a gap", "end it with a word"));
        }
        Ok(whole)
    }

    /// One part: brackets, a list, or a word.
    fn part(&mut self, text: &str, depth: usize) -> Result<Part, PhraseError> {
        let lists = self.lists;
        if let Some(inner) = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            let options = split(inner, |character| character == '|')?;
            if options.is_empty() {
                return Err(wrong("its brackets are empty", BRACKETS));
            }
            return self.choice(&options, depth);
        }
        if let Some(name) = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
            let unknown = || wrong(format!("there is no list `{name}`"), "name one of this file's [lists]");
            let entries: Vec<&str> = lists.get(name).ok_or_else(unknown)?.iter().map(String::as_str).collect();
            return self.choice(&entries, depth);
        }
        let mut whole = Part { optional: true, ..Part::default() };
        for atom in atoms_of(text)? {
            let step = self.step(vec![atom])?;
            self.append(&mut whole, 0, Part { first: vec![step], last: vec![(step, 0)], optional: false });
        }
        Ok(whole)
    }

    /// One of several. Those that are one word share a step.
    fn choice(&mut self, options: &[&str], depth: usize) -> Result<Part, PhraseError> {
        let mut whole = Part::default();
        let mut words = Vec::new();
        for option in options {
            let before = self.steps.len();
            let part = self.sequence(option.trim(), depth + 1)?;
            if self.steps.len() == before + 1 && !part.optional {
                words.extend(self.steps.pop().into_iter().flat_map(|step| step.atoms));
                continue;
            }
            whole.first.extend(part.first);
            whole.last.extend(part.last);
            whole.optional |= part.optional;
        }
        if !words.is_empty() {
            words.sort();
            words.dedup();
            let step = self.step(words)?;
            whole.first.push(step);
            whole.last.push((step, 0));
        }
        Ok(whole)
    }

    fn step(&mut self, atoms: Vec<Atom>) -> Result<usize, PhraseError> {
        if self.steps.len() >= MOST_STEPS {
            return Err(wrong(format!("it has more than {MOST_STEPS} words"), "write it as several phrases"));
        }
        self.steps.push(Step { atoms, next: Vec::new(), ends: false });
        Ok(self.steps.len() - 1)
    }

    /// Puts a part behind those so far.
    fn append(&mut self, whole: &mut Part, gap: u8, part: Part) {
        for (last, left) in &whole.last {
            let gap = gap.max(*left);
            self.steps[*last].next.extend(part.first.iter().map(|first| (*first, gap)));
        }
        if whole.optional {
            whole.first.extend(part.first);
        }
        if part.optional {
            for (_, left) in &mut whole.last {
                *left = gap.max(*left);
            }
            whole.last.extend(part.last);
        } else {
            whole.last = part.last;
        }
        whole.optional &= part.optional;
    }
}

/// Splits outside of brackets, and leaves out what is empty.
fn split(phrase: &str, at: impl Fn(char) -> bool) -> Result<Vec<&str>, PhraseError> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (place, character) in phrase.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return Err(wrong("a bracket is closed that was not opened", BRACKETS)),
            ')' => depth -= 1,
            other if depth == 0 && at(other) => {
                found.push(&phrase[start..place]);
                start = place + other.len_utf8();
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(wrong("a bracket is not closed", BRACKETS));
    }
    found.push(&phrase[start..]);
    found.retain(|part| !part.trim().is_empty());
    Ok(found)
}

fn gap_of(digits: &str) -> Result<u8, PhraseError> {
    let gap = digits.parse().ok().filter(|gap| (1..=LONGEST_GAP).contains(gap));
    gap.ok_or_else(|| {
        wrong(
            format!("`..{digits}` is no gap"),
            format!("write ..1 to ..{LONGEST_GAP}: at most so many tokens between"),
        )
    })
}

/// What a word accepts. A word that the normaliser cuts (`e-mail`) is several.
fn atoms_of(word: &str) -> Result<Vec<Atom>, PhraseError> {
    match word {
        "<number>" => return Ok(vec![Atom::Number]),
        "<?>" => return Ok(vec![Atom::Question]),
        "<!>" => return Ok(vec![Atom::Exclamation]),
        "<start>" => return Ok(vec![Atom::Start]),
        "<end>" => return Ok(vec![Atom::End]),
        _ => {}
    }
    let (body, prefix) = word.strip_suffix('*').map_or((word, false), |body| (body, true));
    let tokens = folded(body);
    let unusable = || {
        let remedy = "write words, word*, (one|two), {list}, ..3, <number>, <?>, <!>, <start> or <end>";
        wrong(format!("`{word}` is no word"), remedy)
    };
    let is_misspelt_mark = body.starts_with('<') && body.ends_with('>');
    let Some(((last, kind), before)) = tokens.split_last().filter(|_| !is_misspelt_mark) else {
        return Err(unusable());
    };
    if prefix && !matches!(kind, TokenKind::Word) {
        return Err(unusable());
    }
    let mut atoms: Vec<Atom> = before.iter().map(|(text, _)| Atom::Word(text.clone())).collect();
    atoms.push(if prefix { Atom::Prefix(last.clone()) } else { Atom::Word(last.clone()) });
    Ok(atoms)
}

/// The tokens of a word as a text has them, without the punctuation that the matcher passes over.
fn folded(word: &str) -> Vec<(String, TokenKind)> {
    let mut tokens = Vec::new();
    Normaliser::default().tokens(word, |token| {
        let passed_over =
            token.kind == TokenKind::Punctuation && is_passed_over(token.folded) && !is_emoticon(token.folded);
        if !passed_over {
            tokens.push((token.folded.iter().collect(), token.kind));
        }
    });
    tokens
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Every sequence that a phrase stands for.
    fn shown(phrase: &str) -> Vec<String> {
        let lists = Lists::from([("units".to_owned(), vec!["hora*".to_owned(), "rato".to_owned()])]);
        let read = read(phrase, &lists).unwrap();
        let mut found = Vec::new();
        for first in &read.first {
            follow(&read, *first, String::new(), 0, &mut found);
        }
        found.sort();
        found
    }

    fn follow(phrase: &Phrase, at: usize, before: String, gap: u8, found: &mut Vec<String>) {
        let word = |atom: &Atom| match atom {
            Atom::Word(word) => word.clone(),
            Atom::Prefix(word) => format!("{word}*"),
            other => format!("{other:?}"),
        };
        let step = &phrase.steps[at];
        let words = step.atoms.iter().map(word).collect::<Vec<_>>().join("|");
        let gap = if gap > 0 { format!("..{gap} ") } else { String::new() };
        let so_far = format!("{before} {gap}{words}").trim().to_owned();
        if step.ends {
            found.push(so_far.clone());
        }
        for (next, gap) in &step.next {
            follow(phrase, *next, so_far.clone(), *gap, found);
        }
    }

    fn refusal(phrase: &str) -> String {
        read(phrase, &Lists::new()).unwrap_err().what
    }

    #[test]
    fn words_are_folded_as_texts_are() {
        assert_eq!(shown("Qué PÉSIMA atención"), ["que pesima atencion"]);
        assert_eq!(shown("e-mail"), ["e mail"]);
    }

    #[test]
    fn choices_of_one_word_stay_one_step() {
        assert_eq!(shown("llevo ..4 (día*|semana*|{units})"), ["llevo ..4 rato|dia*|hora*|semana*"]);
        assert_eq!(shown("{units}"), ["rato|hora*"]);
    }

    #[test]
    fn choices_of_several_words_and_optional_ones_are_spelt_out() {
        assert_eq!(shown("no (ha sido|fue) bueno"), ["no fue bueno", "no ha sido bueno"]);
        assert_eq!(shown("nadie me? contesta"), ["nadie contesta", "nadie me contesta"]);
        assert_eq!(
            shown("mi (caso|reclamo ..2 (abierto|sin cerrar))"),
            ["mi caso", "mi reclamo ..2 abierto", "mi reclamo ..2 sin cerrar"]
        );
    }

    #[test]
    fn a_gap_before_what_is_left_out_stays() {
        assert_eq!(shown("uno ..3 dos? tres"), ["uno ..3 dos tres", "uno ..3 tres"]);
        assert_eq!(shown("uno? dos"), ["dos", "uno dos"]);
        assert_eq!(shown("uno dos?"), ["uno", "uno dos"]);
    }

    #[test]
    fn what_is_no_phrase_is_refused_with_a_reason() {
        assert_eq!(refusal("llevo ..40 horas"), "`..40` is no gap");
        assert_eq!(refusal("llevo ..4"), "it ends with a gap");
        assert_eq!(refusal("(uno|dos"), "a bracket is not closed");
        assert_eq!(refusal("{nada}"), "there is no list `nada`");
        assert_eq!(refusal("uno? dos?"), "nothing in it is required");
        assert_eq!(refusal("uno (|)"), "its brackets are empty");
        assert_eq!(refusal("uno) dos"), "a bracket is closed that was not opened");
        assert_eq!(refusal("<word>"), "`<word>` is no word");
        assert_eq!(refusal(""), "nothing in it is required");
    }
}
