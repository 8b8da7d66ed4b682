//! The phrases as one automaton, and a walk through it.
//!
//! The phrases of all rules are merged at their beginnings into one graph of steps. A walk keeps the steps that were passed so lately
//! that a phrase may still go on from them: a handful, while a frequent word may stand in hundreds of places. Each has a mask of the
//! classes that it goes on with, so that a token looks further only where it nearly surely fits. A token that no phrase names costs
//! nothing, and what a walk holds is bounded by the longest gap.

use std::ops::Range;

use super::phrase::LONGEST_GAP;
use super::pile::Pile;
use super::rules::Finding;
use super::sentences::Place;
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
    /// The classes that may follow; none where the phrase ends.
    classes: Mask,
    /// The widest gap to one of them.
    reach: u8,
    ahead: Horizon,
}

/// How far ahead of a step there may be a class that a phrase goes on with.
#[derive(Clone, Copy, Debug, Default)]
enum Horizon {
    #[default]
    Next,
    /// Within [`FEW`] places.
    Few,
    /// As far as the sentence goes.
    Rest,
}

/// Most phrases allow gaps narrower than this, if any.
const FEW: u8 = 4;

impl Horizon {
    fn of(reach: u8) -> Self {
        match reach {
            0 => Self::Next,
            1..FEW => Self::Few,
            _ => Self::Rest,
        }
    }
}

/// Which classes stand after a place, by [`Horizon`].
type Ahead = [Mask; 3];

/// Some classes or steps. Others look alike, so that a mask rules out and does not prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mask([u64; 2]);

impl Mask {
    const NONE: Self = Self([0; 2]);

    /// A class or step alone.
    const fn of(number: u32) -> Self {
        Self([1 << (number % 64), 1 << (number.wrapping_mul(0x9e37_79b1) >> 26)])
    }

    #[inline]
    const fn and(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Whether both may hold the same class or step.
    #[inline]
    const fn meets(self, other: Self) -> bool {
        (self.0[0] & other.0[0] != 0) & (self.0[1] & other.0[1] != 0)
    }
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
    /// The sources' steps.
    steps: Mask,
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
    /// Each class with which a phrase goes on; none of others.
    later: Vec<Mask>,
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
            later: Vec::new(),
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
        let (mask, first_source) = (Mask::of(class.into()), self.sources.len());
        let mut ways: Vec<(u32, Target)> = Vec::new();
        for number in accepting {
            let target = |gap: u8| Target { step: *number, gap };
            ways.extend(steps[*number as usize].sources.iter().map(|(source, gap)| (*source, target(*gap))));
        }
        ways.sort_by_key(|(source, target)| (*source, u8::MAX - target.gap));
        let mut sources = Mask::NONE;
        for of_source in ways.chunk_by(|one, other| one.0 == other.0) {
            self.targets.extend(of_source.iter().map(|(_, target)| *target));
            let (step, widest) = of_source[0];
            self.sources.push(Source { step, end: index(self.targets.len()) });
            sources = sources.and(Mask::of(step));
            let opens = &mut self.opens[step as usize];
            let reach = opens.reach.max(widest.gap);
            *opens = Opens { classes: opens.classes.and(mask), reach, ahead: Horizon::of(reach) };
        }
        self.most[0] = self.most[0].max(ways.len());
        self.later.push(if ways.is_empty() { Mask::NONE } else { mask });
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
            if beginning.opens.classes != Mask::NONE {
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

    /// Whether there are no phrases.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether any phrase names a class.
    pub(super) fn names(&self, class: Class) -> bool {
        let Row { opening, finding, sources, .. } = &self.rows[usize::from(class)];
        [opening, finding, sources].iter().any(|range| !range.is_empty())
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
#[derive(Clone, Copy, Debug, Default)]
struct Live {
    classes: Mask,
    step: u32,
    /// The last place that it reaches.
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
    /// The numbers of the sentence's first and last place; numbers grow on from sentence to sentence.
    first: u32,
    last: u32,
    /// What stands after each place of the sentence, the last place first.
    ahead: Vec<Ahead>,
    /// The steps passed of late.
    live: Pile<Live>,
    /// Those that may go on with this place.
    near: Pile<Live>,
    /// The steps that this place passes after others.
    passing: Vec<u32>,
    /// Where each step was passed last after another.
    passed_at: Vec<u32>,
    /// Live steps asked so far.
    #[cfg(test)]
    pub(super) asked: u64,
}

impl Walk {
    /// A walk through any of those graphs, for sentences of so many places.
    pub(super) fn new<'g>(graphs: impl Iterator<Item = &'g Graph> + Clone, places: usize) -> Self {
        let most = |of: fn(&Graph) -> usize| graphs.clone().map(of).max().unwrap_or(0);
        // A step lives for as many places as the longest gap, the place after it and its own.
        let most_live = most(|graph| graph.most[0] + graph.most[1]) * (usize::from(LONGEST_GAP) + 2);
        Self {
            first: 0,
            last: 0,
            ahead: Vec::with_capacity(places),
            live: Pile::new(most_live),
            near: Pile::new(most_live),
            passing: Vec::with_capacity(most(|graph| graph.most[0])),
            passed_at: vec![0; most(|graph| graph.found.len())],
            #[cfg(test)]
            asked: 0,
        }
    }

    /// Begins a sentence.
    pub(super) fn begin(&mut self, graph: &Graph, sentence: &[Place]) {
        self.live.clear();
        // Long before numbers could overflow.
        if self.last > u32::MAX / 2 {
            self.passed_at.fill(0);
            self.last = 0;
        }
        self.first = self.last + 1;
        self.last = self.first + sentence.last().map_or(0, |end| end.number);
        self.ahead.clear();
        let mut after = [Mask::NONE; FEW as usize];
        let (mut rest, mut number) = (Mask::NONE, 0);
        for place in sentence.iter().rev() {
            let next = if place.number + 1 == number { after[0] } else { Mask::NONE };
            // Places that nothing is said of are left out, so that this may look further than it must.
            let few = after.iter().fold(Mask::NONE, |few, class| few.and(*class));
            self.ahead.push([next, few, rest]);
            after.rotate_right(1);
            after[0] = graph.later[usize::from(place.class)];
            (rest, number) = (rest.and(after[0]), place.number);
        }
    }

    /// Goes to a place of the sentence. `blocked` says under what it stands; `found` gets what ends with it.
    #[inline]
    pub(super) fn step(
        &mut self,
        graph: &Graph,
        (at, place): (usize, &Place),
        blocked: u8,
        mut found: impl FnMut(Finding),
    ) {
        let now = self.first + place.number;
        let row = &graph.rows[usize::from(place.class)];
        let mut find = |step: u32| {
            part(&graph.findings, &graph.found[step as usize]).iter().for_each(|finding| found(*finding));
        };
        let ahead = self.ahead[self.ahead.len() - 1 - at];
        if !self.live.is_empty() && row.steps != Mask::NONE {
            self.ask(now, place.class);
        }
        if !self.near.is_empty() {
            self.go_on(graph, now, row);
            for step in self.passing.drain(..) {
                find(step);
                let opens = graph.opens[step as usize];
                self.live.push_if(opens.classes.meets(ahead[opens.ahead as usize]), Live::new(step, opens, now));
            }
        }
        for beginning in part(&graph.opening, &row.opening) {
            let Beginning { opens, blocked: not_under, step } = beginning;
            let goes_on = (not_under & blocked == 0) & opens.classes.meets(ahead[opens.ahead as usize]);
            self.live.push_if(goes_on, Live::new(*step, *opens, now));
        }
        let free = |beginning: &&Beginning| beginning.blocked & blocked == 0;
        part(&graph.finding, &row.finding).iter().filter(free).for_each(|beginning| find(beginning.step));
    }

    /// Drops the steps that reach no further, and finds those that may go on with the class.
    #[inline]
    fn ask(&mut self, now: u32, class: Class) {
        #[cfg(test)]
        {
            self.asked += self.live.as_slice().len() as u64;
        }
        let class = Mask::of(class.into());
        let near = &mut self.near;
        self.live.retain(|step| {
            let reaches = step.until >= now;
            near.push_if(reaches & step.classes.meets(class), *step);
            reaches
        });
    }

    /// Finds the steps that this place passes after those that are near.
    fn go_on(&mut self, graph: &Graph, now: u32, row: &Row) {
        self.near.retain(|live| row.steps.meets(Mask::of(live.step)));
        let near = self.near.as_mut_slice();
        // A step passed twice goes on from where it is nearest.
        if near.len() > 1 {
            near.sort_unstable_by_key(|live| (live.step, u32::MAX - live.until));
        }
        for live in near {
            let targets = graph.targets(row, live.step);
            if targets.is_empty() {
                continue;
            }
            let between = now + u32::from(graph.opens[live.step as usize].reach) - live.until;
            for target in targets.iter().take_while(|target| between <= u32::from(target.gap)) {
                let passed_at = &mut self.passed_at[target.step as usize];
                if *passed_at != now {
                    *passed_at = now;
                    self.passing.push(target.step);
                }
            }
        }
        self.near.clear();
    }

    /// What every buffer has room for.
    #[cfg(test)]
    pub(super) fn footprint(&self) -> [usize; 4] {
        [self.ahead.capacity(), self.live.capacity(), self.near.capacity(), self.passing.capacity()]
    }
}
