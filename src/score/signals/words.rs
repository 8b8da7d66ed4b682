//! Tokens to classes: all tokens that the phrases cannot tell apart are one class, a small number.

use rustc_hash::FxHashMap;

use super::phrase::Atom;

/// What a step accepts, numbered.
pub(super) type Predicate = u16;

/// Tokens that every phrase sees alike.
pub(super) type Class = u16;

/// The class of tokens that no phrase names.
pub(super) const UNKNOWN: Class = 0;

/// The classes of marks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) number: Class,
    pub(super) question: Class,
    pub(super) exclamation: Class,
    pub(super) start: Class,
    pub(super) end: Class,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// Class of a token that ends here.
    whole: Class,
    /// Class of a token that goes on where no child does.
    within: Class,
}

/// Every word that the phrases name.
#[derive(Clone, Debug)]
pub(super) struct Words {
    nodes: Vec<Node>,
    /// From a node by a character to the next one.
    children: FxHashMap<(u32, char), u32>,
    /// What each class satisfies, sorted.
    satisfied: Vec<Vec<Predicate>>,
    pub(super) marks: Marks,
}

/// Gathers words and the predicates that they satisfy.
#[derive(Debug, Default)]
pub(super) struct WordsBuilder {
    predicates: FxHashMap<Vec<Atom>, Predicate>,
    atoms: FxHashMap<Atom, Vec<Predicate>>,
}

impl WordsBuilder {
    /// The predicate that accepts any of those; nothing where there are too many predicates.
    pub(super) fn predicate(&mut self, atoms: &[Atom]) -> Option<Predicate> {
        if let Some(known) = self.predicates.get(atoms) {
            return Some(*known);
        }
        let new = Predicate::try_from(self.predicates.len()).ok()?;
        self.predicates.insert(atoms.to_vec(), new);
        for atom in atoms {
            self.atoms.entry(atom.clone()).or_default().push(new);
        }
        Some(new)
    }

    /// Builds the table; nothing where there are too many classes.
    pub(super) fn finish(self) -> Option<Words> {
        let mut trie = Trie::new();
        for (atom, predicates) in &self.atoms {
            match atom {
                Atom::Word(word) => {
                    let node = trie.node(word);
                    trie.whole[node].extend(predicates);
                }
                Atom::Prefix(word) => {
                    let node = trie.node(word);
                    trie.prefix[node].extend(predicates);
                }
                _ => {}
            }
        }
        let mut classes = Classes::default();
        let of = |atoms: &[Atom]| -> Vec<Predicate> {
            atoms.iter().filter_map(|atom| self.atoms.get(atom)).flatten().copied().collect()
        };
        classes.of(Vec::new())?;
        let marks = Marks {
            number: classes.of(of(&[Atom::Number]))?,
            question: classes.of(of(&[Atom::Question, Atom::End]))?,
            exclamation: classes.of(of(&[Atom::Exclamation, Atom::End]))?,
            start: classes.of(of(&[Atom::Start]))?,
            end: classes.of(of(&[Atom::End]))?,
        };
        trie.classify(&mut classes, &of(&[Atom::Number]))?;
        let children =
            trie.children.iter().zip(0..).flat_map(|(children, node)| {
                children.iter().map(move |(character, child)| ((node, *character), *child))
            });
        Some(Words { children: children.collect(), nodes: trie.nodes, satisfied: classes.satisfied, marks })
    }
}

/// A trie under construction; what its nodes satisfy stands beside them.
struct Trie {
    nodes: Vec<Node>,
    children: Vec<FxHashMap<char, u32>>,
    whole: Vec<Vec<Predicate>>,
    prefix: Vec<Vec<Predicate>>,
}

impl Trie {
    fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            children: vec![FxHashMap::default()],
            whole: vec![Vec::new()],
            prefix: vec![Vec::new()],
        }
    }

    /// The node of a word, made where there is none.
    fn node(&mut self, word: &str) -> usize {
        let mut at = 0_usize;
        for character in word.chars() {
            let next = self.nodes.len();
            let child = *self.children[at].entry(character).or_insert(u32::try_from(next).unwrap_or(u32::MAX));
            at = child as usize;
            if at == next {
                self.nodes.push(Node::default());
                self.children.push(FxHashMap::default());
                self.whole.push(Vec::new());
                self.prefix.push(Vec::new());
            }
        }
        at
    }

    /// Gives each node its classes, from the root down: what begins like a prefix satisfies it.
    fn classify(&mut self, classes: &mut Classes, number: &[Predicate]) -> Option<()> {
        let mut open = vec![(0_usize, Vec::new(), false)];
        while let Some((at, mut satisfied, digits)) = open.pop() {
            satisfied.extend_from_slice(&self.prefix[at]);
            let mut whole = satisfied.clone();
            whole.extend_from_slice(&self.whole[at]);
            if digits && !self.whole[at].is_empty() {
                whole.extend_from_slice(number);
            }
            self.nodes[at].whole = classes.of(whole)?;
            self.nodes[at].within = classes.of(satisfied.clone())?;
            for (character, child) in &self.children[at] {
                open.push((*child as usize, satisfied.clone(), digits || *character == '0'));
            }
        }
        Some(())
    }
}

/// Classes by what they satisfy.
#[derive(Default)]
struct Classes {
    known: FxHashMap<Vec<Predicate>, Class>,
    satisfied: Vec<Vec<Predicate>>,
}

impl Classes {
    fn of(&mut self, mut predicates: Vec<Predicate>) -> Option<Class> {
        predicates.sort_unstable();
        predicates.dedup();
        if let Some(known) = self.known.get(&predicates) {
            return Some(*known);
        }
        let new = Class::try_from(self.satisfied.len()).ok()?;
        self.satisfied.push(predicates.clone());
        self.known.insert(predicates, new);
        Some(new)
    }
}

impl Words {
    /// Every class, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = Class> {
        // No more classes are made than have a number.
        (0..=Class::MAX).take(self.satisfied.len())
    }

    /// The class of a word or number.
    pub(super) fn class_of(&self, token: impl Iterator<Item = char>) -> Class {
        let mut at = 0;
        for character in token {
            match self.children.get(&(at, character)) {
                Some(child) => at = *child,
                None => return self.nodes[at as usize].within,
            }
        }
        self.nodes[at as usize].whole
    }

    /// What a class satisfies, sorted.
    pub(super) fn satisfied(&self, class: Class) -> &[Predicate] {
        &self.satisfied[usize::from(class)]
    }

    /// Whether a class satisfies a predicate.
    pub(super) fn satisfies(&self, class: Class, predicate: Predicate) -> bool {
        self.satisfied(class).binary_search(&predicate).is_ok()
    }
}
