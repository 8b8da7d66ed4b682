//! A model that keeps every message and counts anew whenever it is asked.

use std::collections::BTreeMap;

use crate::message::{DepartmentId, EventTime};
use crate::window::{PaneCounts, Panes, ShareCounts, Tally};

/// Every message ever counted.
#[derive(Default)]
pub(super) struct Model {
    messages: Vec<(u16, i64, PaneCounts)>,
}

impl Model {
    pub(super) fn add(&mut self, department: u16, event_time: EventTime, counts: PaneCounts) {
        self.messages.push((department, event_time.as_millis(), counts));
    }

    /// The sum of a department's messages within [from, to).
    pub(super) fn sum(&self, department: u16, from: i64, to: i64) -> PaneCounts {
        let mut sum = PaneCounts::default();
        let within = |(of, millis, _): &&(u16, i64, PaneCounts)| *of == department && (from..to).contains(millis);
        self.messages.iter().filter(within).for_each(|(_, _, counts)| sum = sum.checked_add(*counts).unwrap());
        sum
    }

    /// The panes from a moment on.
    pub(super) fn panes(&self, from: i64) -> BTreeMap<(u16, i64), PaneCounts> {
        let mut panes = BTreeMap::<_, PaneCounts>::new();
        for (department, millis, counts) in self.messages.iter().filter(|(_, millis, _)| *millis >= from) {
            let pane = panes.entry((*department, millis.div_euclid(10_000) * 10_000)).or_default();
            *pane = pane.checked_add(*counts).unwrap();
        }
        panes
    }
}

/// The panes as a map; fails where one comes twice.
pub(super) fn panes_of(panes: &Panes) -> BTreeMap<(u16, i64), PaneCounts> {
    let mut map = BTreeMap::new();
    for (DepartmentId(department), start, counts) in panes.iter_panes() {
        assert_eq!(map.insert((department, start.as_millis()), counts), None, "one entry a pane");
    }
    map
}

/// A message with labels and cells that depend on a seed.
pub(super) fn message(seed: u32) -> PaneCounts {
    crowd(seed, 1)
}

/// So many messages that are all alike, with labels and cells that depend on a seed; some have no cell.
pub(super) fn crowd(seed: u32, many: u32) -> PaneCounts {
    let count = |yes: bool| if yes { many } else { 0 };
    let cells = |shift: u32| std::array::from_fn(|cell| count((seed >> shift) % 9 == u32::try_from(cell).unwrap()));
    PaneCounts {
        tally: Tally {
            messages: many,
            negative: count(seed.is_multiple_of(3)),
            positive: count(seed % 3 == 1),
            frustrated: count(seed.is_multiple_of(2)),
        },
        shares: ShareCounts { sentiment: cells(3), frustration: cells(7) },
        severe: count(seed.is_multiple_of(5)),
    }
}
