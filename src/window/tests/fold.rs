//! Stream time and panes together, as the fold uses them.

use proptest::prelude::*;

use super::model::{message, panes_of};
use super::{at, partition, secs, settings, settings_with};
use crate::config::WindowsConfig;
use crate::message::{DepartmentId, EventTime};
use crate::window::{Panes, StreamClock, Tally};

/// A record: department, event time and trusted time in milliseconds, seed.
#[derive(Clone, Copy, Debug)]
struct Record {
    department: u16,
    event_time: i64,
    trusted: i64,
    seed: u32,
}

impl Record {
    fn in_time(second: i64) -> Self {
        Self { department: 0, event_time: second * 1_000, trusted: second * 1_000, seed: 0 }
    }
}

/// Clock and panes, and what came out of them.
struct Fold {
    clock: StreamClock,
    panes: Panes,
    now: u64,
    late: usize,
    /// Each window end with the sums of all departments.
    closed: Vec<(EventTime, Vec<Tally>)>,
}

impl Fold {
    fn new(settings: &WindowsConfig, partitions: i32) -> Self {
        let mut clock = StreamClock::new(settings);
        (0..partitions).for_each(|number| clock.assign(partition(number), secs(0)));
        Self { clock, panes: Panes::new(settings, 2), now: 0, late: 0, closed: Vec::new() }
    }

    fn batch(&mut self, number: i32, records: &[Record]) {
        let stream_time = self.clock.stream_time();
        let of_partition = self.clock.partition_mut(&partition(number)).unwrap();
        for record in records {
            let event_time = EventTime::from_millis(record.event_time);
            if of_partition.is_late(event_time, stream_time) {
                self.late += 1;
            } else {
                let kept = self.panes.add(DepartmentId(record.department), event_time, message(record.seed));
                assert!(kept, "what is not late is kept");
            }
            of_partition.observe(EventTime::from_millis(record.trusted), secs(self.now));
        }
        self.advance();
    }

    fn advance(&mut self) {
        let Some(stream_time) = self.clock.advance(secs(self.now)) else { return };
        let closed = &mut self.closed;
        self.panes.advance(stream_time, |end, panes| {
            closed.push((end, [0, 1].map(DepartmentId).map(|id| panes.sums(id).to_vec()).concat()));
        });
    }

    /// All partitions are read to their ends, and so much time passes.
    fn end(&mut self, partitions: i32, seconds: u64) {
        (0..partitions).for_each(|number| self.clock.set_at_end(&partition(number), true, secs(self.now)));
        self.now += seconds;
        self.advance();
    }

    /// Messages in all closed panes, where the first window is one pane long.
    fn counted(&self) -> u32 {
        self.closed.iter().map(|(_, sums)| sums[0].messages).sum()
    }
}

const WEEK_MINUTES: i64 = 7 * 24 * 60;

#[test]
fn four_partitions_of_seven_days_drained_one_after_the_other_give_none_late() {
    let mut fold = Fold::new(&settings_with(&[10, 300, 86_400], 30), 4);
    for number in 0..4 {
        let records: Vec<_> =
            (0..WEEK_MINUTES).map(|minute| Record::in_time(minute * 60 + i64::from(number))).collect();
        records.chunks(500).for_each(|batch| fold.batch(number, batch));
        fold.now += 60;
        fold.clock.set_at_end(&partition(number), true, secs(fold.now));
        fold.advance();
    }
    fold.end(4, 60);
    assert_eq!(fold.late, 0);
    assert_eq!(i64::from(fold.counted()), 4 * WEEK_MINUTES);
    let full_days = fold.closed.iter().filter(|(_, sums)| sums[2].messages == 4 * 1_440).count();
    assert!(full_days > 6 * 8_640 - 10, "each minute of six days ended a full window of a day: {full_days}");
}

#[test]
fn four_partitions_of_seven_days_paused_when_ahead_give_none_late_and_all_get_read() {
    let mut fold = Fold::new(&settings_with(&[10], 30), 4);
    let records: Vec<_> = (0..WEEK_MINUTES).map(|minute| Record::in_time(minute * 60)).collect();
    let mut read = [0_usize; 4];
    let mut widest = 0;
    while read.iter().any(|next| *next < records.len()) {
        for number in 0..4 {
            let next = &mut read[usize::try_from(number).unwrap()];
            // A broker that always answers for the first partition that may be read.
            while *next < records.len() && !fold.clock.is_ahead(&partition(number)) {
                let until = (*next + 50).min(records.len());
                fold.batch(number, &records[*next..until]);
                *next = until;
            }
        }
        widest = widest.max(read.iter().max().unwrap() - read.iter().min().unwrap());
    }
    fold.end(4, 60);
    assert_eq!((fold.late, i64::from(fold.counted())), (0, 4 * WEEK_MINUTES));
    assert!(widest <= 60 + 50 + 1, "no partition got further ahead than an hour and a batch: {widest} minutes");
}

#[test]
fn a_record_dated_in_the_future_closes_no_window() {
    let mut fold = Fold::new(&settings_with(&[10], 30), 1);
    fold.batch(0, &[Record::in_time(1_000)]);
    let year_9999 = Record { event_time: 253_402_300_799_000, trusted: 1_001_000, ..Record::in_time(0) };
    fold.batch(0, &[year_9999]);
    assert_eq!(fold.panes.window_end(), Some(at(970)));
    fold.batch(0, &[Record::in_time(1_002)]);
    assert_eq!(fold.late, 0, "those after it are still in time");
    fold.end(1, 60);
    assert_eq!(fold.counted(), 2);
    assert_eq!(panes_of(&fold.panes).len(), 2, "one pane of the two, and one in the year 9999");
}

#[test]
fn a_late_message_is_told_and_changes_no_window() {
    let mut fold = Fold::new(&settings(), 1);
    let two_days = 2 * 86_400;
    fold.batch(
        0,
        &[Record::in_time(0), Record::in_time(two_days), Record::in_time(1), Record::in_time(two_days + 100)],
    );
    assert_eq!(fold.late, 1);
    assert_eq!(panes_of(&fold.panes).len(), 2, "that of the first has gone with its day, the late one never came");
}

#[test]
fn the_oldest_message_that_is_not_late_is_kept() {
    for lateness in [0, 7, 10, 30, 3_601] {
        for newest in 200_000..200_020 {
            let mut fold = Fold::new(&settings_with(&[10, 86_400], lateness), 1);
            fold.batch(0, &[Record::in_time(200_000), Record::in_time(newest)]);
            let oldest = fold.clock.partition_mut(&partition(0)).unwrap().late_before(None).unwrap();
            let record = |event_time| Record { event_time, ..Record::in_time(0) };
            // The batch itself asserts that what is not late is kept.
            fold.batch(0, &[record(oldest.as_millis()), record(oldest.as_millis() - 1)]);
            assert_eq!(fold.late, 1, "lateness {lateness}, newest {newest}");
        }
    }
}

/// A partition's records: roughly in order, so many milliseconds out of it at most.
fn records(disorder: i64) -> impl Strategy<Value = Vec<Record>> {
    let record = (0..20_000_i64, 0..=disorder, 0..2_u16, any::<u32>());
    prop::collection::vec(record, 1..60).prop_map(|gaps| {
        let mut clock = 0;
        let dated = gaps.into_iter().map(|(gap, back, department, seed)| {
            clock += gap;
            Record { department, event_time: clock - back, trusted: clock - back, seed }
        });
        dated.collect()
    })
}

/// Reads three partitions in turns and portions told by a seed, then lets them rest.
fn run(settings: &WindowsConfig, partitions: &[Vec<Record>; 3], turns: &[(usize, usize)]) -> Fold {
    let mut fold = Fold::new(settings, 3);
    let mut read = [0; 3];
    // After the turns told, each partition is read to its end.
    let rest = [(0, usize::MAX), (1, usize::MAX), (2, usize::MAX)];
    for (number, portion) in turns.iter().copied().chain(rest) {
        let records = &partitions[number][read[number]..];
        let portion = portion.min(records.len());
        fold.batch(i32::try_from(number).unwrap(), &records[..portion]);
        read[number] += portion;
    }
    fold.end(3, 300);
    fold
}

fn turns() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..3_usize, 1..10_usize), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn windows_do_not_depend_on_how_partitions_interleave(
        partitions in prop::array::uniform3(records(29_000)),
        one in turns(),
        other in turns(),
    ) {
        let settings = settings_with(&[10, 60, 3_600], 30);
        let (one, other) = (run(&settings, &partitions, &one), run(&settings, &partitions, &other));
        prop_assert_eq!((one.late, other.late), (0, 0));
        prop_assert_eq!(one.closed, other.closed);
        prop_assert_eq!(panes_of(&one.panes), panes_of(&other.panes));
    }

    #[test]
    fn which_messages_are_late_does_not_depend_on_how_partitions_interleave(
        partitions in prop::array::uniform3(records(200_000_000)),
        one in turns(),
        other in turns(),
    ) {
        let settings = settings_with(&[10, 60, 3_600], 30);
        let (one, other) = (run(&settings, &partitions, &one), run(&settings, &partitions, &other));
        prop_assert_eq!(one.late, other.late);
        prop_assert_eq!(panes_of(&one.panes), panes_of(&other.panes));
        prop_assert_eq!(one.panes.sums(DepartmentId(0)), other.panes.sums(DepartmentId(0)));
    }
}
