//! What is written, against a topic that is a map.

use std::sync::Arc;

use proptest::prelude::*;

use super::book::{Book, Plan};
use super::key::{Item, Key};
use super::log::Values;
use crate::checkpoint::{PartitionPosition, SavedHour, SavedShard, SavedVoices, Snapshot};
use crate::config::WindowsConfig;
use crate::message::{CustomerHash, DepartmentId, EventTime, ModelId, NextOffset, PartitionId};
use crate::publish::events::Outbox;
use crate::voices::{Summary, Voice, Voiced, Voices};
use crate::window::{Panes, ShardId, Tally};

const HOUR_MILLIS: i64 = 3_600_000;

fn partitions() -> Vec<PartitionId> {
    (0..3).map(|number| PartitionId::new("messages", number)).collect()
}

/// Where each partition goes on, its panes with their messages, and who wrote them.
type Counted = ([i64; 3], Vec<Vec<(EventTime, u32)>>, Summary);

/// Panes of three partitions and where each goes on.
struct Fold {
    panes: Panes,
    voices: Voices,
    next: [i64; 3],
}

impl Fold {
    fn new() -> Self {
        let panes = Panes::with_shards(&WindowsConfig::default(), 1, 3);
        Self { panes, voices: Voices::new(1, 3), next: [0; 3] }
    }

    fn count(&mut self, partition: usize, hour: i64) {
        let at = EventTime::from_millis(hour * HOUR_MILLIS);
        let one = Tally { messages: 1, ..Tally::default() };
        self.panes.add_to((ShardId(partition), DepartmentId(0)), at, one.into(), [(ModelId(7), one)]);
        let score = crate::checkpoint::tests::unhappy();
        let customer = Some(CustomerHash(u32::try_from(self.next[partition]).unwrap()));
        let voice = Voice { event_time: at, score: &score, is_severe: false, customer };
        self.voices
            .note(ShardId(partition), DepartmentId(0), &voice, || format!("{partition}/{}", self.next[partition]));
        self.next[partition] += 1;
    }

    fn advance(&mut self, hour: i64) {
        self.panes.advance(EventTime::from_millis(hour * HOUR_MILLIS), |_, _| {});
        self.voices.close(EventTime::from_millis(hour * HOUR_MILLIS));
    }

    fn snapshot(&self) -> Snapshot {
        let shard = |(number, partition): (usize, PartitionId)| {
            let hours = self.panes.hours_of(ShardId(number)).map(|(_, hour)| (Arc::from("billing"), Arc::clone(hour)));
            let mut hours = SavedHour::sort(hours);
            let hours_of = self.voices.hours_of(ShardId(number));
            let voices = hours_of.map(|hour| SavedVoices::new([Arc::from("billing")].into(), Arc::clone(hour)));
            SavedHour::add_voices(&mut hours, voices);
            SavedShard { partition, hours }
        };
        let position = |(next, partition): (i64, PartitionId)| PartitionPosition {
            partition,
            next_offset: NextOffset(next),
            frontier: None,
        };
        Snapshot {
            stream_time: self.panes.window_end(),
            window_end: self.panes.window_end(),
            kept_from: self.panes.kept_from(),
            partitions: self.next.into_iter().zip(partitions()).map(position).collect(),
            shards: partitions().into_iter().enumerate().map(shard).collect(),
            is_whole: true,
            ..Snapshot::empty()
        }
    }

    /// The daemon that goes on with what is saved.
    fn restored(snapshot: &Snapshot) -> Self {
        let mut fold = Self::new();
        fold.panes.restore(snapshot.window_end, []);
        for saved in &snapshot.shards {
            let number = usize::try_from(saved.partition.partition).unwrap();
            for hour in saved.hours.iter().flat_map(|hour| hour.departments.values()) {
                for (start, counts, by_model) in snapshot.kept_panes_by_model(hour) {
                    fold.panes.add_to((ShardId(number), DepartmentId(0)), start, counts, by_model);
                }
            }
        }
        for saved in &snapshot.shards {
            let number = usize::try_from(saved.partition.partition).unwrap();
            for hour in saved.hours.iter().flat_map(|hour| hour.voices.departments().into_iter().map(|(_, hour)| hour))
            {
                fold.voices.restore(ShardId(number), DepartmentId(0), hour);
            }
        }
        if let Some(end) = snapshot.window_end {
            fold.voices.close(end);
        }
        for saved in &snapshot.partitions {
            fold.next[usize::try_from(saved.partition.partition).unwrap()] = saved.next_offset.0;
        }
        fold
    }

    fn counted(&self) -> Counted {
        let snapshot = self.snapshot();
        let panes = |saved: &SavedShard| {
            let hours = saved.hours.iter().flat_map(|hour| hour.departments.values());
            hours
                .flat_map(|hour| snapshot.kept_panes(hour))
                .map(|(start, counts)| (start, counts.tally.messages))
                .collect()
        };
        let told = self.voices.summary(&[DepartmentId(0)], EventTime::from_millis(0), Voiced::Negative);
        (self.next, snapshot.shards.iter().map(panes).collect(), told)
    }
}

fn commit(topic: &mut Values, plan: &Plan) {
    for (key, value) in &plan.changes {
        match value {
            Some(value) => topic.insert(key.clone(), value.clone()),
            None => topic.remove(key),
        };
    }
}

fn hours_in(plan: &Plan) -> Vec<(i32, i64)> {
    let hour_of = |key: &Key| match &key.item {
        Item::Hour(partition, hour) => Some((partition.partition, *hour)),
        _ => None,
    };
    plan.changes.iter().filter(|(_, value)| value.is_some()).filter_map(|(key, _)| hour_of(key)).collect()
}

/// Saves, and the transaction counts.
fn save(book: &mut Book, topic: &mut Values, fold: &Fold) -> Vec<(i32, i64)> {
    let plan = book.plan(&fold.snapshot(), &Outbox::default()).unwrap();
    let hours = hours_in(&plan);
    book.begin(&plan);
    commit(topic, &plan);
    book.finish(&plan);
    hours
}

#[test]
fn an_hour_is_written_once_and_again_only_when_something_is_counted_in_it() {
    let (mut fold, mut book, mut topic) = (Fold::new(), Book::default(), Values::new());
    fold.count(0, 1);
    fold.count(0, 2);
    fold.count(1, 2);
    assert_eq!(save(&mut book, &mut topic, &fold), [(0, 1), (0, 2), (1, 2)]);
    assert_eq!(save(&mut book, &mut topic, &fold), []);
    fold.count(0, 2);
    assert_eq!(save(&mut book, &mut topic, &fold), [(0, 2)]);

    let mut successor = Book::default();
    let mut fold = Fold::restored(&successor.take_up(&partitions(), &topic).unwrap());
    assert_eq!(save(&mut successor, &mut topic, &fold), [], "a takeover writes nothing anew");
    fold.advance(40);
    assert_eq!(save(&mut successor, &mut topic, &fold), []);
    let hours = topic.keys().filter(|key| matches!(key.item, Item::Hour(..))).count();
    assert_eq!(hours, 0, "what is kept no longer is removed");
}

#[test]
fn what_is_damaged_is_named_and_nothing_of_it_is_restored() {
    let (mut fold, mut topic) = (Fold::new(), Values::new());
    fold.count(2, 7);
    save(&mut Book::default(), &mut topic, &fold);
    let key = topic.keys().find(|key| matches!(key.item, Item::Hour(..))).unwrap().clone();
    topic.get_mut(&key).unwrap()[40] ^= 1;
    let error = Book::default().take_up(&partitions(), &topic).unwrap_err().to_string();
    assert!(error.contains("hour 7 since 1970 of messages[2]") && error.contains("checksum"), "{error}");
    topic.remove(&key);
    assert!(Book::default().take_up(&partitions(), &topic).is_err(), "a missing hour is no empty one");
}

#[derive(Clone, Debug)]
enum Step {
    Count {
        partition: usize,
        hour: i64,
    },
    Advance {
        hour: i64,
    },
    /// A checkpoint that counts or not, and whose writer learns which or not.
    Save {
        counts: bool,
        is_told: bool,
    },
    /// Another daemon goes on with what is saved.
    TakeOver,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_usize..3, 0_i64..40).prop_map(|(partition, hour)| Step::Count { partition, hour }),
        1 => (0_i64..45).prop_map(|hour| Step::Advance { hour }),
        3 => any::<[bool; 2]>().prop_map(|[counts, is_told]| Step::Save { counts, is_told }),
        1 => Just(Step::TakeOver),
    ]
}

proptest! {
    // Each case closes some days of panes.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whoever_takes_over_has_what_the_last_transaction_that_counts_saved(steps in prop::collection::vec(step(), 1..80)) {
        let (mut fold, mut book, mut topic) = (Fold::new(), Book::default(), Values::new());
        let mut saved = fold.counted();
        for step in steps {
            match step {
                Step::Count { partition, hour } => fold.count(partition, hour),
                Step::Advance { hour } => fold.advance(hour),
                Step::Save { counts, is_told } => {
                    let plan = book.plan(&fold.snapshot(), &Outbox::default()).unwrap();
                    let before = book.begin(&plan);
                    if !counts && is_told {
                        book.give_up(before);
                    }
                    if counts {
                        commit(&mut topic, &plan);
                        saved = fold.counted();
                    }
                    if counts && is_told {
                        book.finish(&plan);
                    }
                }
                Step::TakeOver => {
                    book = Book::default();
                    fold = Fold::restored(&book.take_up(&partitions(), &topic).unwrap());
                    prop_assert_eq!(fold.counted(), saved.clone());
                }
            }
        }
        let snapshot = Book::default().take_up(&partitions(), &topic).unwrap();
        prop_assert_eq!(Fold::restored(&snapshot).counted(), saved);
    }
}
