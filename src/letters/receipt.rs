//! Receipts: records in the dead-letter topic that say which letters a replay has put back.
//!
//! A receipt is written in one transaction with what it speaks of, into the partition of the letters: so it is there if
//! and only if they were put back, and retention removes them before it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::Place;
use super::letter::Record;

/// The header that tells a receipt from a letter.
pub const RECEIPT_HEADER: &str = "latido_replay_receipt";

/// Which letters of one partition were put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    partition: i32,
    /// First and last offset of each run.
    runs: Vec<(i64, i64)>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    replayed: Vec<(i64, i64)>,
}

impl Receipt {
    /// For letters of one partition.
    #[must_use]
    pub fn new(partition: i32, offsets: &BTreeSet<i64>) -> Self {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for offset in offsets {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *offset => *last = *offset,
                _ => runs.push((*offset, *offset)),
            }
        }
        Self { partition, runs }
    }

    /// Reads a record; none where it is no receipt.
    pub(super) fn of(partition: i32, record: &Record) -> Option<Self> {
        if !record.headers.iter().any(|(name, _)| name == RECEIPT_HEADER) {
            return None;
        }
        let body: Body = serde_json::from_slice(record.value.as_deref()?).ok()?;
        let is_sound = |(first, last): &(i64, i64)| 0 <= *first && first <= last;
        body.replayed.iter().all(is_sound).then_some(Self { partition, runs: body.replayed })
    }

    /// The value of its record.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!({ "replayed": self.runs }).to_string()
    }
}

/// All that receipts have said so far.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// By partition: first and last offset of runs that do not overlap.
    runs: HashMap<i32, BTreeMap<i64, i64>>,
}

impl Replayed {
    /// Takes a receipt in.
    pub fn add(&mut self, receipt: &Receipt) {
        let runs = self.runs.entry(receipt.partition).or_default();
        for &(mut first, mut last) in &receipt.runs {
            while let Some((&start, &end)) = runs.range(..=last).next_back().filter(|(_, end)| **end >= first) {
                runs.remove(&start);
                (first, last) = (first.min(start), last.max(end));
            }
            runs.insert(first, last);
        }
    }

    /// Whether a letter was put back.
    #[must_use]
    pub fn contains(&self, place: Place) -> bool {
        let runs = self.runs.get(&place.partition);
        let run = runs.and_then(|runs| runs.range(..=place.offset).next_back());
        run.is_some_and(|(_, last)| *last >= place.offset)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(receipt: &Receipt) -> Record {
        Record {
            value: Some(receipt.to_json().into_bytes()),
            headers: vec![(RECEIPT_HEADER.to_owned(), None)],
            ..Record::default()
        }
    }

    #[test]
    fn a_receipt_holds_runs_of_offsets() {
        let receipt = Receipt::new(0, &BTreeSet::from([1, 2, 3, 7, 9, 10]));
        assert_eq!(receipt.to_json(), r#"{"replayed":[[1,3],[7,7],[9,10]]}"#);
    }

    #[test]
    fn what_cannot_be_read_is_no_receipt() {
        let sound = record(&Receipt::new(0, &BTreeSet::from([1])));
        for value in ["", "[]", r#"{"replayed":[[3,1]]}"#, r#"{"replayed":[[-1,1]]}"#] {
            let spoilt = Record { value: Some(value.as_bytes().to_vec()), ..sound.clone() };
            assert_eq!(Receipt::of(0, &spoilt), None, "{value}");
        }
        assert_eq!(Receipt::of(0, &Record { headers: Vec::new(), ..sound }), None);
    }

    proptest! {
        #[test]
        fn receipts_together_hold_what_each_of_them_holds(
            sets in prop::collection::vec(prop::collection::btree_set(0..60_i64, 0..12), 0..8),
        ) {
            let mut replayed = Replayed::default();
            for set in &sets {
                let receipt = Receipt::of(3, &record(&Receipt::new(3, set))).expect("it reads back");
                replayed.add(&receipt);
            }
            for offset in 0..60 {
                let expected = sets.iter().any(|set| set.contains(&offset));
                prop_assert_eq!(replayed.contains(Place { partition: 3, offset }), expected);
                let elsewhere = replayed.contains(Place { partition: 2, offset });
                prop_assert!(!elsewhere);
            }
        }
    }
}
