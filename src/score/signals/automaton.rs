//! The phrases as one automaton, and a walk through it.
//!
//! The phrases of all rules are merged at their beginnings into one graph of steps. A walk keeps the steps that were passed so lately
//! that a phrase may still go on from them: a handful, while a frequent word may stand in hundreds of places. Each has a mask of the
//! classes that it goes on with, so that a token looks further only where it nearly surely fits. A token that no phrase names costs
//! nothing, and what a walk holds is bounded by the longest gap.

use std::ops::Range;

use super::phrase::LONGEST_GAP;
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

/// How a phrase may go on from a step.
#[derive(Clone, Copy, Debug, Default)]
struct Opens {
    /// The classes that may follow, by [`bit`].
    classes: u64,
    /// The widest gap to one of them.
    reach: u8,
}

/// The bit of a class or step in a mask: others share it, so that a mask rules out and does not prove.
const fn bit(number: u32) -> u64 {
    1 << (number % 64)
}

/// A first step that a class passes.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    opens: Opens,
    blocked: u8,
    step: u32,
}

/// The steps that a class may pass after one source.
#[derive(Clone, Copy, Debug)]
struct Source {
    step: u32,
    /// The end of its targets; they begin where those of the source before end.
    end: u32,
}

/// A step that a class may pass.
#[derive(Clone, Copy, Debug)]
struct Target {
    step: u32,
    gap: u8,
}

/// What concerns one class: places in the tables.
#[derive(Clone, Debug)]
struct Row {
    /// First steps from which a phrase goes on.
    opening: Range<u32>,
    /// First steps with which something is found.
    finding: Range<u32>,
    /// Sorted by step.
    sources: Range<u32>,
    /// The sources' steps, by [`bit`].
    steps: u64,
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
    opening: Vec<Beginning>,
    finding: Vec<Beginning>,
    sources: Vec<Source>,
    targets: Vec<Target>,
    /// By step.
    opens: Vec<Opens>,
    /// By step: its places in [`Self::findings`].
    found: Vec<Range<u32>>,
    findings: Vec<Finding>,
    /// Most targets, and most first steps, that one token passes.
    most: [usize; 2],
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
            opening: Vec::new(),
            finding: Vec::new(),
            sources: Vec::new(),
            targets: Vec::new(),
            opens: vec![Opens::default(); steps.len()],
            found: Vec::with_capacity(steps.len()),
            findings: Vec::new(),
            most: [0; 2],
        };
        for step in steps {
            let begin = index(graph.findings.len());
            graph.findings.extend_from_slice(&step.findings);
            graph.found.push(begin..index(graph.findings.len()));
        }
        let accepting = |class: Class| {
            let accepting = words.satisfied(class).iter();
            accepting.filter_map(|predicate| by_predicate.get(usize::from(*predicate))).flatten().copied()
        };
        for class in words.all() {
            graph.add_ways(class, steps, &accepting(class).collect::<Vec<_>>());
        }
        // Only now is known how phrases go on from each step.
        for class in words.all() {
            graph.add_beginnings(usize::from(class), steps, &accepting(class).collect::<Vec<_>>());
        }
        graph
    }

    /// Adds the next class, with the ways to the steps that accept it.
    fn add_ways(&mut self, class: Class, steps: &[Step], accepting: &[u32]) {
        let first_source = self.sources.len();
        let mut ways: Vec<(u32, Target)> = Vec::new();
        for number in accepting {
            let target = |gap: u8| Target { step: *number, gap };
            ways.extend(steps[*number as usize].sources.iter().map(|(source, gap)| (*source, target(*gap))));
        }
        ways.sort_by_key(|(source, target)| (*source, u8::MAX - target.gap));
        let mut sources = 0;
        for of_source in ways.chunk_by(|one, other| one.0 == other.0) {
            self.targets.extend(of_source.iter().map(|(_, target)| *target));
            let (step, widest) = of_source[0];
            self.sources.push(Source { step, end: index(self.targets.len()) });
            sources |= bit(step);
            let opens = &mut self.opens[step as usize];
            *opens = Opens { classes: opens.classes | bit(class.into()), reach: opens.reach.max(widest.gap) };
        }
        self.most[0] = self.most[0].max(ways.len());
        self.rows.push(Row {
            opening: 0..0,
            finding: 0..0,
            sources: index(first_source)..index(self.sources.len()),
            steps: sources,
        });
    }

    /// Adds the first steps that a class passes.
    fn add_beginnings(&mut self, class: usize, steps: &[Step], accepting: &[u32]) {
        let (first_opening, first_finding) = (index(self.opening.len()), index(self.finding.len()));
        for step in accepting {
            let Some(blocked) = steps[*step as usize].first else { continue };
            let beginning = Beginning { opens: self.opens[*step as usize], blocked, step: *step };
            if beginning.opens.classes != 0 {
                self.opening.push(beginning);
            }
            if !steps[*step as usize].findings.is_empty() {
                self.finding.push(beginning);
            }
        }
        let row = &mut self.rows[class];
        row.opening = first_opening..index(self.opening.len());
        row.finding = first_finding..index(self.finding.len());
        self.most[1] = self.most[1].max(row.opening.len());
    }

    /// The targets of a class after a source; the widest gaps come first.
    fn targets(&self, row: &Row, source: u32) -> &[Target] {
        let Ok(place) = part(&self.sources, &row.sources).binary_search_by_key(&source, |source| source.step) else {
            return &[];
        };
        let place = row.sources.start as usize + place;
        let begin = place.checked_sub(1).map_or(0, |before| self.sources[before].end);
        part(&self.targets, &(begin..self.sources[place].end))
    }
}

/// A step that was passed, from which a phrase may still go on.
#[derive(Clone, Copy, Debug)]
struct Live {
    classes: u64,
    step: u32,
    /// The last token that it reaches.
    until: u32,
}

impl Live {
    fn new(step: u32, opens: Opens, now: u32) -> Self {
        Self { classes: opens.classes, step, until: now + u32::from(opens.reach) + 1 }
    }
}

/// A walk through a graph.
#[derive(Debug)]
pub(super) struct Walk {
    now: u32,
    /// The steps passed of late.
    live: Vec<Live>,
    /// Those that may go on with this token.
    near: Vec<Live>,
    /// The steps that this token passes after others.
    passing: Vec<u32>,
    /// When each step was passed last after another.
    passed_at: Vec<u32>,
    /// Live steps asked so far.
    #[cfg(test)]
    pub(super) asked: u64,
}

impl Walk {
    pub(super) fn new(graph: &Graph) -> Self {
        // A step lives for as many tokens as the longest gap, the token after it and its own.
        let most_live = (graph.most[0] + graph.most[1]) * (usize::from(LONGEST_GAP) + 2);
        Self {
            now: 0,
            live: Vec::with_capacity(most_live),
            near: Vec::with_capacity(most_live),
            passing: Vec::with_capacity(graph.most[0]),
            passed_at: vec![0; graph.found.len()],
            #[cfg(test)]
            asked: 0,
        }
    }

    /// Takes a token of that class. `blocked` says where it stands; `found` gets what ends with it.
    #[inline]
    pub(super) fn step(&mut self, graph: &Graph, class: Class, blocked: u8, mut found: impl FnMut(Finding)) {
        self.now += 1;
        let now = self.now;
        let row = &graph.rows[usize::from(class)];
        self.ask(class, row);
        let mut find = |step: u32| {
            part(&graph.findings, &graph.found[step as usize]).iter().for_each(|finding| found(*finding));
        };
        if !self.near.is_empty() {
            self.go_on(graph, row);
            for step in self.passing.drain(..) {
                find(step);
                let opens = graph.opens[step as usize];
                if opens.classes != 0 {
                    self.live.push(Live::new(step, opens, now));
                }
            }
        }
        let free = |beginning: &&Beginning| beginning.blocked & blocked == 0;
        let opening = part(&graph.opening, &row.opening).iter();
        let live = |beginning: &Beginning| Live::new(beginning.step, beginning.opens, now);
        if blocked == 0 {
            self.live.extend(opening.map(live));
        } else {
            self.live.extend(opening.filter(free).map(live));
        }
        part(&graph.finding, &row.finding).iter().filter(free).for_each(|beginning| find(beginning.step));
    }

    /// Drops the steps that reach no further, and finds those that may go on with the class.
    #[inline]
    fn ask(&mut self, class: Class, row: &Row) {
        #[cfg(test)]
        {
            self.asked += self.live.len() as u64;
        }
        let (class, live) = (bit(class.into()), self.live.as_mut_slice());
        let mut kept = 0;
        for place in 0..live.len() {
            let step = live[place];
            if step.classes & class != 0 && row.steps & bit(step.step) != 0 && step.until >= self.now {
                self.near.push(step);
            }
            // Written always: which steps end is hard to guess for a processor.
            live[kept] = step;
            kept += usize::from(step.until >= self.now);
        }
        self.live.truncate(kept);
    }

    /// Finds the steps that this token passes after those that are near.
    fn go_on(&mut self, graph: &Graph, row: &Row) {
        // A step passed twice goes on from where it is nearest.
        if self.near.len() > 1 {
            self.near.sort_unstable_by_key(|live| (live.step, u32::MAX - live.until));
        }
        for live in self.near.drain(..) {
            let targets = graph.targets(row, live.step);
            if targets.is_empty() {
                continue;
            }
            let between = self.now + u32::from(graph.opens[live.step as usize].reach) - live.until;
            for target in targets.iter().take_while(|target| between <= u32::from(target.gap)) {
                let passed_at = &mut self.passed_at[target.step as usize];
                if *passed_at != self.now {
                    *passed_at = self.now;
                    self.passing.push(target.step);
                }
            }
        }
    }

    /// A token that no phrase names.
    #[inline]
    pub(super) fn pass_over(&mut self) {
        self.now += 1;
    }

    /// Forgets what has begun.
    pub(super) fn forget(&mut self) {
        self.live.clear();
        // Long before the count of tokens could overflow.
        if self.now > u32::MAX / 2 {
            self.passed_at.fill(0);
            self.now = 0;
        }
    }

    /// What every buffer has room for.
    #[cfg(test)]
    pub(super) fn footprint(&self) -> [usize; 3] {
        [self.live.capacity(), self.near.capacity(), self.passing.capacity()]
    }
}
