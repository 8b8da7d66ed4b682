//! The phrases as one automaton, and a walk through it.
//!
//! The phrases of all rules are merged at their beginnings into one graph of steps. A walk notes for each step when it was passed last; a
//! token asks only those steps that it satisfies whether one of their sources was passed near enough before. So a token costs as
//! much as there are phrases with a word like it, a token that no phrase names costs nothing, and what a walk holds never grows.

use std::ops::Range;

use super::phrase::LONGEST_GAP;
use super::rules::Finding;
use super::words::{Class, Predicate, Words};

/// What lies between two sentences, and before the first: further than any gap reaches.
const APART: u32 = LONGEST_GAP as u32 + 2;

/// A step while the graph is built.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What it accepts.
    pub(super) predicate: Predicate,
    /// For a first step, where it may not be passed; see [`super::rules::NEGATED`].
    pub(super) first: Option<u8>,
    /// The steps before it, and how many other tokens may stand between.
    pub(super) sources: Vec<(u32, u8)>,
    /// What is found once it is passed.
    pub(super) findings: Vec<Finding>,
}

/// A first step that a class passes.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    passed: Passed,
    blocked: u8,
}

/// The steps that a class may pass after one source.
#[derive(Clone, Copy, Debug)]
struct Source {
    step: u32,
    /// The widest gap to one of them.
    reach: u8,
    /// The end of its targets; they begin where those of the source before end.
    end: u32,
}

/// A step that a class may pass.
#[derive(Clone, Copy, Debug)]
struct Target {
    passed: Passed,
    gap: u8,
}

/// A step, and whether something is found with it.
#[derive(Clone, Copy, Debug)]
struct Passed(u32);

impl Passed {
    const FINDS: u32 = 1 << 31;

    fn new(step: u32, finds: bool) -> Self {
        Self(if finds { step | Self::FINDS } else { step })
    }

    const fn step(self) -> usize {
        (self.0 & !Self::FINDS) as usize
    }

    const fn finds(self) -> bool {
        self.0 & Self::FINDS != 0
    }
}

/// What concerns one class: places in the tables.
#[derive(Clone, Debug)]
struct Row {
    beginnings: Range<u32>,
    sources: Range<u32>,
    /// Where the targets of its first source begin.
    targets: u32,
}

/// A place in a table. Tables hold fewer than 2^31 entries: there are at most 2^20 steps.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The entries of a table in a range.
#[inline]
fn part<'a, T>(table: &'a [T], range: &Range<u32>) -> &'a [T] {
    &table[range.start as usize..range.end as usize]
}

/// The graph of all phrases, by class.
#[derive(Debug)]
pub(super) struct Graph {
    rows: Vec<Row>,
    beginnings: Vec<Beginning>,
    sources: Vec<Source>,
    targets: Vec<Target>,
    /// By step: its places in [`Self::findings`].
    found: Vec<Range<u32>>,
    findings: Vec<Finding>,
    /// Most targets that one token has.
    most: usize,
}

impl Graph {
    /// Builds it from its steps.
    pub(super) fn new(steps: &[Step], words: &Words) -> Self {
        let mut by_predicate: Vec<Vec<u32>> = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            let predicate = usize::from(step.predicate);
            by_predicate.resize(by_predicate.len().max(predicate + 1), Vec::new());
            by_predicate[predicate].push(index(place));
        }
        let mut graph = Self {
            rows: Vec::new(),
            beginnings: Vec::new(),
            sources: Vec::new(),
            targets: Vec::new(),
            found: Vec::with_capacity(steps.len()),
            findings: Vec::new(),
            most: 0,
        };
        for step in steps {
            let begin = index(graph.findings.len());
            graph.findings.extend_from_slice(&step.findings);
            graph.found.push(begin..index(graph.findings.len()));
        }
        for class in words.all() {
            let accepting = words.satisfied(class).iter();
            let accepting = accepting.filter_map(|predicate| by_predicate.get(usize::from(*predicate))).flatten();
            graph.add_class(steps, &accepting.copied().collect::<Vec<_>>());
        }
        graph
    }

    /// Adds the next class, with the steps that accept it.
    fn add_class(&mut self, steps: &[Step], accepting: &[u32]) {
        let of = |number: u32| &steps[number as usize];
        let passed = |number: u32| Passed::new(number, !of(number).findings.is_empty());
        let (begin, first_source, first_target) = (self.beginnings.len(), self.sources.len(), self.targets.len());
        let first = |number: &u32| of(*number).first.map(|blocked| Beginning { passed: passed(*number), blocked });
        self.beginnings.extend(accepting.iter().filter_map(first));
        let mut ways: Vec<(u32, Target)> = Vec::new();
        for number in accepting {
            let target = |gap: u8| Target { passed: passed(*number), gap };
            ways.extend(of(*number).sources.iter().map(|(source, gap)| (*source, target(*gap))));
        }
        ways.sort_by_key(|(source, target)| (*source, u8::MAX - target.gap));
        for of_source in ways.chunk_by(|one, other| one.0 == other.0) {
            self.targets.extend(of_source.iter().map(|(_, target)| *target));
            let (step, widest) = of_source[0];
            self.sources.push(Source { step, reach: widest.gap, end: index(self.targets.len()) });
        }
        self.most = self.most.max(ways.len());
        self.rows.push(Row {
            beginnings: index(begin)..index(self.beginnings.len()),
            sources: index(first_source)..index(self.sources.len()),
            targets: index(first_target),
        });
    }
}

/// A walk through a graph.
#[derive(Debug)]
pub(super) struct Walk {
    /// When each step was passed last.
    passed_at: Vec<u32>,
    now: u32,
    /// The steps that this token passes after others.
    passing: Vec<Passed>,
    /// Sources asked so far.
    #[cfg(test)]
    pub(super) asked: u64,
}

impl Walk {
    pub(super) fn new(graph: &Graph) -> Self {
        Self {
            passed_at: vec![0; graph.found.len()],
            now: APART,
            passing: Vec::with_capacity(graph.most),
            #[cfg(test)]
            asked: 0,
        }
    }

    /// Takes a token of that class. `blocked` says where it stands; `found` gets what ends with it.
    #[inline]
    pub(super) fn step(&mut self, graph: &Graph, class: Class, blocked: u8, mut found: impl FnMut(Finding)) {
        self.now += 1;
        let row = &graph.rows[usize::from(class)];
        self.ask(graph, row);
        let mut pass = |passed: Passed| {
            self.passed_at[passed.step()] = self.now;
            if passed.finds() {
                part(&graph.findings, &graph.found[passed.step()]).iter().for_each(|finding| found(*finding));
            }
        };
        // Only now, so that no step counts as passed before this token.
        self.passing.iter().for_each(|passed| pass(*passed));
        for beginning in part(&graph.beginnings, &row.beginnings) {
            if beginning.blocked & blocked == 0 {
                pass(beginning.passed);
            }
        }
    }

    /// Finds the steps of which a source was passed near enough before.
    #[inline]
    fn ask(&mut self, graph: &Graph, row: &Row) {
        self.passing.clear();
        let sources = part(&graph.sources, &row.sources);
        #[cfg(test)]
        {
            self.asked += sources.len() as u64;
        }
        let mut begin = row.targets;
        for source in sources {
            let between = self.now - self.passed_at[source.step as usize] - 1;
            if between <= u32::from(source.reach) {
                // The widest gaps come first.
                let targets = part(&graph.targets, &(begin..source.end)).iter();
                let near = targets.take_while(|target| between <= u32::from(target.gap));
                self.passing.extend(near.map(|target| target.passed));
            }
            begin = source.end;
        }
    }

    /// A token that no phrase names.
    #[inline]
    pub(super) fn pass_over(&mut self) {
        self.now += 1;
    }

    /// Forgets what has begun.
    pub(super) fn forget(&mut self) {
        self.now += APART;
        // Long before the count of tokens could overflow.
        if self.now > u32::MAX / 2 {
            self.passed_at.fill(0);
            self.now = APART;
        }
    }

    /// What every buffer has room for.
    #[cfg(test)]
    pub(super) fn footprint(&self) -> [usize; 2] {
        [self.passed_at.capacity(), self.passing.capacity()]
    }
}
