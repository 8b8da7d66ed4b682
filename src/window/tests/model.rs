//! A model that keeps every message and counts anew whenever it is asked.

use std::collections::BTreeMap;

use crate::message::{DepartmentId, EventTime};
use crate::window::{Panes, Tally};

/// Every message ever counted.
#[derive(Default)]
pub(super) struct Model {
    messages: Vec<(u16, i64, Tally)>,
}

impl Model {
    pub(super) fn add(&mut self, department: u16, event_time: EventTime, tally: Tally) {
        self.messages.push((department, event_time.as_millis(), tally));
    }

    /// The sum of a department's messages within [from, to).
    pub(super) fn sum(&self, department: u16, from: i64, to: i64) -> Tally {
        let mut sum = Tally::default();
        let within = |(of, millis, _): &&(u16, i64, Tally)| *of == department && (from..to).contains(millis);
        self.messages.iter().filter(within).for_each(|(_, _, tally)| sum += *tally);
        sum
    }

    /// The panes from a moment on.
    pub(super) fn panes(&self, from: i64) -> BTreeMap<(u16, i64), Tally> {
        let mut panes = BTreeMap::<_, Tally>::new();
        for (department, millis, tally) in self.messages.iter().filter(|(_, millis, _)| *millis >= from) {
            *panes.entry((*department, millis.div_euclid(10_000) * 10_000)).or_default() += *tally;
        }
        panes
    }
}

/// The panes as a map; fails where one comes twice.
pub(super) fn panes_of(panes: &Panes) -> BTreeMap<(u16, i64), Tally> {
    let mut map = BTreeMap::new();
    for (DepartmentId(department), start, tally) in panes.iter_panes() {
        assert_eq!(map.insert((department, start.as_millis()), tally), None, "one entry a pane");
    }
    map
}

/// A message with a sentiment that depends on a seed.
pub(super) fn message(seed: u32) -> Tally {
    Tally {
        messages: 1,
        negative: u32::from(seed.is_multiple_of(3)),
        positive: u32::from(seed % 3 == 1),
        frustrated: u32::from(seed.is_multiple_of(2)),
    }
}
