//! A walk through a graph of phrases, word by word.
//!
//! A walk keeps the steps that were passed so lately that a phrase may still go on from them: a handful, while a frequent word may
//! stand in hundreds of places. Each has a mask of the classes that it goes on with. What stands ahead in the sentence is known, so that
//! only steps are kept after which such a class comes, and of these only those are looked up that nearly surely fit. What a walk holds is
//! bounded by the longest gap.

use super::graph::{FEW, Graph, Mask, Onward, index};
use super::phrase::LONGEST_GAP;
use super::pile::Pile;
use super::rules::Finding;
use super::sentences::Place;
use super::words::Class;

/// A step that was passed, from which a phrase may still go on.
#[derive(Clone, Copy, Debug, Default)]
struct Live {
    classes: Mask,
    ways: [u32; 2],
    /// The last place that it reaches.
    until: u32,
    reach: u8,
}

impl Live {
    #[inline]
    fn new(onward: &Onward, now: u32) -> Self {
        let Onward { classes, ways, reach, .. } = *onward;
        Self { classes, ways, until: now + u32::from(reach) + 1, reach }
    }
}

/// What stands after a place.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    /// Which classes, by [`super::graph::Horizon`].
    classes: [Mask; 3],
    /// Whether a phrase that allows no gap may begin with this place and go on with the next.
    at_once: bool,
}

impl Ahead {
    /// Whether a phrase may go on from a step.
    #[inline]
    fn fits(&self, onward: &Onward) -> bool {
        onward.classes.meets(self.classes[onward.horizon as usize])
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
    /// Where those stand among them that may go on with this place.
    near: Pile<u32>,
    /// From which first steps of this place's class a phrase may go on.
    opening: Pile<u32>,
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
        let most_live = most(|graph| graph.most_ways + graph.most_opening) * (usize::from(LONGEST_GAP) + 2);
        Self {
            first: 0,
            last: 0,
            ahead: Vec::with_capacity(places),
            live: Pile::new(most_live),
            near: Pile::new(most_live),
            opening: Pile::new(most(|graph| graph.most_opening)),
            passing: Vec::with_capacity(most(|graph| graph.most_ways)),
            passed_at: vec![0; most(Graph::len)],
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
        let (mut rest, mut following) = (Mask::NONE, Place::default());
        for place in sentence.iter().rev() {
            let is_next = (place.number + 1 == following.number) & following.continues;
            let at_once = is_next & graph.goes_on_at_once(place.class, following.class);
            graph.send_for_beginnings(place.class, at_once);
            let next = if is_next { after[0] } else { Mask::NONE };
            // Places that nothing is said of are left out, so that this may look further than it must.
            let few = after.iter().fold(Mask::NONE, |few, class| few.union(*class));
            self.ahead.push(Ahead { classes: [next, few, rest], at_once });
            after.rotate_right(1);
            after[0] = if place.continues { Mask::of(place.class) } else { Mask::NONE };
            (rest, following) = (rest.union(after[0]), *place);
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
        let ahead = self.ahead[self.ahead.len() - 1 - at];
        let mut find = |step: u32| graph.findings(step).iter().for_each(|finding| found(*finding));
        self.ask(now, place.class);
        if !self.near.is_empty() {
            self.go_on(graph, now, place.class);
        }
        let (opening, finding) = graph.beginnings(place.class, ahead.at_once);
        let numbered = opening.iter().zip(0..index(opening.len()));
        self.opening
            .fill_if(numbered.map(|(onward, number)| ((onward.blocked & blocked == 0) & ahead.fits(onward), number)));
        for number in self.opening.as_slice() {
            let onward = &opening[*number as usize];
            graph.send_for_ways(onward.ways);
            self.live.push(Live::new(onward, now));
        }
        for step in self.passing.drain(..) {
            find(step);
            let onward = graph.onward(step);
            if ahead.fits(&onward) {
                graph.send_for_ways(onward.ways);
                self.live.push(Live::new(&onward, now));
            }
        }
        finding.iter().filter(|finder| finder.blocked & blocked == 0).for_each(|finder| find(finder.step));
    }

    /// Drops the steps that reach no further, and finds those that may go on with the class.
    #[inline]
    fn ask(&mut self, now: u32, class: Class) {
        #[cfg(test)]
        {
            self.asked += self.live.as_slice().len() as u64;
        }
        self.live.retain(|step| step.until >= now);
        let class = Mask::of(class);
        let live = self.live.as_slice();
        let numbered = live.iter().zip(0..index(live.len()));
        self.near.fill_if(numbered.map(|(step, number)| (step.classes.meets(class), number)));
    }

    /// Finds the steps that this place passes after those that are near.
    #[inline]
    fn go_on(&mut self, graph: &Graph, now: u32, class: Class) {
        for at in self.near.as_slice() {
            let live = &self.live.as_slice()[*at as usize];
            let between = now + u32::from(live.reach) - live.until;
            for way in graph.ways(live.ways, class).take_while(|way| between <= u32::from(way.gap)) {
                let passed_at = &mut self.passed_at[way.step as usize];
                if *passed_at != now {
                    graph.send_for_step(way.step);
                    *passed_at = now;
                    self.passing.push(way.step);
                }
            }
        }
    }

    /// What every buffer has room for.
    #[cfg(test)]
    pub(super) fn footprint(&self) -> [usize; 5] {
        let Self { ahead, live, near, opening, passing, .. } = self;
        [ahead.capacity(), live.capacity(), near.capacity(), opening.capacity(), passing.capacity()]
    }
}
