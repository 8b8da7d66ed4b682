//! The phrases of all rules, merged at their beginnings into one graph of steps.

use std::ops::Range;

use prefetch_index::prefetch_index;

use super::rules::Finding;
use super::words::{Class, Predicate, Words};

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

/// Some classes. Others look alike, so that a mask rules out and does not prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mask([u64; 2]);

impl Mask {
    pub(super) const NONE: Self = Self([0; 2]);

    /// A class alone.
    #[inline]
    pub(super) fn of(class: Class) -> Self {
        let number = u32::from(class);
        Self([1 << (number % 64), 1 << (number.wrapping_mul(0x9e37_79b1) >> 26)])
    }

    /// The classes of both.
    #[inline]
    pub(super) const fn union(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Whether a class may be in both.
    #[inline]
    pub(super) const fn meets(self, other: Self) -> bool {
        (self.0[0] & other.0[0] != 0) & (self.0[1] & other.0[1] != 0)
    }
}

/// How far ahead of a step there may be a class that a phrase goes on with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Horizon {
    #[default]
    Next,
    /// Within [`FEW`] places.
    Few,
    /// As far as the sentence goes.
    Rest,
}

/// Most phrases allow gaps narrower than this, if any.
pub(super) const FEW: u8 = 4;

impl Horizon {
    fn of(reach: u8) -> Self {
        match reach {
            0 => Self::Next,
            1..FEW => Self::Few,
            _ => Self::Rest,
        }
    }
}

/// How phrases go on from a step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Onward {
    /// The classes that may follow; none where the phrase ends.
    pub(super) classes: Mask,
    /// The places in the table of ways where those from here begin and end.
    pub(super) ways: [u32; 2],
    /// The widest gap to one of them.
    pub(super) reach: u8,
    pub(super) horizon: Horizon,
    /// For a first step, where it may not be passed.
    pub(super) blocked: u8,
}

/// A way from one step to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) gap: u8,
    pub(super) step: u32,
}

/// A first step with which something is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finder {
    pub(super) blocked: u8,
    pub(super) step: u32,
}

/// What begins with a class: places in the tables.
#[derive(Clone, Debug)]
struct Row {
    /// First steps that phrases go on from: near ones, from which they do so with the next place alone, then the others.
    opening: Range<u32>,
    /// Where the others begin.
    far: u32,
    finding: Range<u32>,
}

impl Row {
    /// Where first steps are to be asked from: from the near ones on, or without them.
    #[inline]
    fn first(&self, near: bool) -> u32 {
        if near { self.opening.start } else { self.far }
    }
}

/// Some pairs of classes. Others look alike, so that it rules out and does not prove.
#[derive(Debug)]
struct Pairs(Vec<u64>);

impl Pairs {
    /// A power of 2: how many pairs can be told apart. Rules of a user's own may have so many that nothing is ruled out, which costs time alone.
    const BITS: u32 = 18;

    fn none() -> Self {
        Self(vec![0; (1 << Self::BITS) / u64::BITS as usize])
    }

    #[inline]
    fn place(first: Class, second: Class) -> (usize, u64) {
        let pair = u32::from(first) << 16 | u32::from(second);
        let bit = pair.wrapping_mul(0x9e37_79b1) >> (u32::BITS - Self::BITS);
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    fn add(&mut self, first: Class, second: Class) {
        let (at, bit) = Self::place(first, second);
        self.0[at] |= bit;
    }

    #[inline]
    fn has(&self, first: Class, second: Class) -> bool {
        let (at, bit) = Self::place(first, second);
        self.0[at] & bit != 0
    }
}

/// A step: how phrases go on, and its places in the table of findings.
#[derive(Clone, Debug)]
struct Node {
    onward: Onward,
    found: Range<u32>,
}

/// A place in a table; one of 2^32 entries would not fit into memory.
#[inline]
pub(super) fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The entries of a table in a range.
#[inline]
fn part<'a, T>(table: &'a [T], range: &Range<u32>) -> &'a [T] {
    &table[range.start as usize..range.end as usize]
}

/// The graph of all phrases.
#[derive(Debug)]
pub(super) struct Graph {
    /// By class.
    rows: Vec<Row>,
    /// By class: whether a phrase goes on with it.
    continues: Vec<bool>,
    /// A class that a first step of `near` accepts, and one that a phrase goes on with from there.
    pairs: Pairs,
    opening: Vec<Onward>,
    finding: Vec<Finder>,
    nodes: Vec<Node>,
    /// By way: the class that passes it. Apart, so that a search goes through few lines of cache.
    classes: Vec<Class>,
    ways: Vec<Way>,
    findings: Vec<Finding>,
    /// Most ways that one class passes.
    pub(super) most_ways: usize,
    /// Most first steps, from which a phrase goes on, of one class.
    pub(super) most_opening: usize,
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
        let accepting = |class: Class| {
            let accepting = words.satisfied(class).iter();
            accepting.filter_map(|predicate| by_predicate.get(usize::from(*predicate))).flatten().copied()
        };
        let mut graph = Self {
            rows: Vec::new(),
            continues: Vec::new(),
            pairs: Pairs::none(),
            opening: Vec::new(),
            finding: Vec::new(),
            nodes: Vec::with_capacity(steps.len()),
            classes: Vec::new(),
            ways: Vec::new(),
            findings: Vec::new(),
            most_ways: 0,
            most_opening: 0,
        };
        let mut ways: Vec<Vec<(Class, Way)>> = vec![Vec::new(); steps.len()];
        for class in words.all() {
            let mut passed = 0;
            for step in accepting(class) {
                for (source, gap) in &steps[step as usize].sources {
                    ways[*source as usize].push((class, Way { gap: *gap, step }));
                    passed += 1;
                }
            }
            graph.continues.push(passed > 0);
            graph.most_ways = graph.most_ways.max(passed);
        }
        for (step, ways) in steps.iter().zip(ways) {
            graph.add_node(step, ways);
        }
        // Only now is known how phrases go on from each step.
        for class in words.all() {
            graph.add_row(class, steps, accepting(class));
        }
        graph
    }

    /// Adds the next step with the ways from it.
    fn add_node(&mut self, step: &Step, mut ways: Vec<(Class, Way)>) {
        ways.sort_by_key(|(class, way)| (*class, u8::MAX - way.gap));
        let (first_way, first_finding) = (index(self.ways.len()), index(self.findings.len()));
        self.classes.extend(ways.iter().map(|(class, _)| *class));
        self.ways.extend(ways.iter().map(|(_, way)| *way));
        self.findings.extend_from_slice(&step.findings);
        let reach = ways.iter().map(|(_, way)| way.gap).max().unwrap_or(0);
        let onward = Onward {
            classes: ways.iter().fold(Mask::NONE, |all, (class, _)| all.union(Mask::of(*class))),
            ways: [first_way, index(self.ways.len())],
            reach,
            horizon: Horizon::of(reach),
            blocked: step.first.unwrap_or(0),
        };
        self.nodes.push(Node { onward, found: first_finding..index(self.findings.len()) });
    }

    /// Adds the next class with the first steps that accept it.
    fn add_row(&mut self, class: Class, steps: &[Step], accepting: impl Iterator<Item = u32>) {
        let (mut near, mut far, first_finding) = (Vec::new(), Vec::new(), index(self.finding.len()));
        for step in accepting {
            let Some(blocked) = steps[step as usize].first else { continue };
            let onward = self.onward(step);
            match onward.horizon {
                _ if onward.classes == Mask::NONE => {}
                Horizon::Next => near.push(onward),
                Horizon::Few | Horizon::Rest => far.push(onward),
            }
            if !steps[step as usize].findings.is_empty() {
                self.finding.push(Finder { blocked, step });
            }
        }
        for Onward { ways: [begin, end], .. } in &near {
            part(&self.classes, &(*begin..*end)).iter().for_each(|second| self.pairs.add(class, *second));
        }
        self.most_opening = self.most_opening.max(near.len() + far.len());
        let first = index(self.opening.len());
        self.opening.append(&mut near);
        let first_far = index(self.opening.len());
        self.opening.append(&mut far);
        self.rows.push(Row {
            opening: first..index(self.opening.len()),
            far: first_far,
            finding: first_finding..index(self.finding.len()),
        });
    }

    /// Whether there are no phrases.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many steps there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether any phrase names a class.
    pub(super) fn names(&self, class: Class) -> bool {
        let Row { opening, finding, .. } = &self.rows[usize::from(class)];
        self.continues(class) || !opening.is_empty() || !finding.is_empty()
    }

    /// Whether a phrase goes on with a class.
    pub(super) fn continues(&self, class: Class) -> bool {
        self.continues[usize::from(class)]
    }

    /// Sends for what begins with a class: by the time it is asked for, it has come from memory. First comes where it stands.
    #[inline]
    pub(super) fn send_for(&self, class: Class) {
        prefetch_index(&self.rows, usize::from(class));
    }

    /// Whether a first step of `near` accepts a class and a phrase may go on from there with another.
    #[inline]
    pub(super) fn goes_on_at_once(&self, first: Class, second: Class) -> bool {
        self.pairs.has(first, second)
    }

    /// Sends for the first steps that a class passes, as [`Self::beginnings`] gives them: for the first few, two of which fill a line of cache.
    #[inline]
    pub(super) fn send_for_beginnings(&self, class: Class, near: bool) {
        let row = &self.rows[usize::from(class)];
        let first = row.first(near) as usize;
        prefetch_index(&self.opening, first);
        prefetch_index(&self.opening, first + 2);
        prefetch_index(&self.finding, row.finding.start as usize);
    }

    /// Sends for the classes of some ways. Most steps have few, so that these stand in one line of cache or two.
    #[inline]
    pub(super) fn send_for_ways(&self, [begin, end]: [u32; 2]) {
        prefetch_index(&self.classes, begin as usize);
        prefetch_index(&self.classes, begin.midpoint(end) as usize);
    }

    /// Sends for a step.
    #[inline]
    pub(super) fn send_for_step(&self, step: u32) {
        prefetch_index(&self.nodes, step as usize);
    }

    /// The first steps that a class passes: those from which a phrase goes on, and those with which something is found. Those from which
    /// it goes on with the next place alone are left out if not `near`.
    #[inline]
    pub(super) fn beginnings(&self, class: Class, near: bool) -> (&[Onward], &[Finder]) {
        let row = &self.rows[usize::from(class)];
        (part(&self.opening, &(row.first(near)..row.opening.end)), part(&self.finding, &row.finding))
    }

    /// How phrases go on from a step.
    #[inline]
    pub(super) fn onward(&self, step: u32) -> Onward {
        self.nodes[step as usize].onward
    }

    /// What is found once a step is passed.
    #[inline]
    pub(super) fn findings(&self, step: u32) -> &[Finding] {
        part(&self.findings, &self.nodes[step as usize].found)
    }

    /// Of some ways those that a class passes; the widest gaps come first.
    #[inline]
    pub(super) fn ways(&self, [begin, end]: [u32; 2], class: Class) -> impl Iterator<Item = &Way> {
        let classes = part(&self.classes, &(begin..end));
        let first = classes.partition_point(|other| *other < class);
        let ways = part(&self.ways, &(begin..end));
        classes[first..].iter().zip(&ways[first..]).take_while(move |(other, _)| **other == class).map(|(_, way)| way)
    }
}
