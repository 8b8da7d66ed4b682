//! What is kept of who wrote what, against a list of all messages.
#![allow(clippy::unwrap_used)]

mod counting;
mod model;

use std::sync::Arc;

use proptest::prelude::*;

use super::sample::SAMPLES;
use super::*;
use crate::message::{
    DepartmentId, Language, ModelId, Probability, ScorerKind, SentimentScore, ShareCells, Signal, SignalSet,
};
use crate::window::ShardId;
use model::{DEPARTMENTS, Model, SHARDS, Said, said};

/// The moment in which panes and minutes of these tests begin.
const BEGUN: i64 = 1_750_000_000_000 - 1_750_000_000_000 % 3_600_000;

fn at(second: i64) -> EventTime {
    EventTime::from_millis(BEGUN + second * 1_000)
}

fn score(said: &Said) -> Score {
    let negative = Probability::new(f32::from(said.negative) / 10.0);
    Score {
        sentiment: SentimentScore {
            negative,
            neutral: Probability::new(1.0 - negative.get()),
            positive: Probability::new(0.0),
        },
        frustration: Probability::new(f32::from(said.frustration) / 10.0),
        language: Language::Spanish,
        scorer: ScorerKind::Embedded,
        signals: said.signals,
        share_cells: ShareCells::default(),
        model: ModelId::UNKNOWN,
    }
}

fn note(voices: &mut Voices, said: &Said) {
    let score = score(said);
    let voice = Voice {
        event_time: at(said.second),
        score: &score,
        is_severe: said.is_severe(),
        customer: said.customer.map(CustomerHash),
    };
    voices.note(ShardId(said.shard), DepartmentId(said.department), &voice, || said.id.clone());
}

/// All that can be told.
fn told(voices: &Voices) -> Vec<Summary> {
    let abouts = [Voiced::Everyone, Voiced::Negative, Voiced::Frustrated, Voiced::Unhappy, Voiced::Severe(severe())];
    let sinces = [i64::MIN / 4_000_000, 0, 3_000, 6_000, 20_000, 40_000];
    let mut all = Vec::new();
    for about in abouts {
        for since in sinces {
            let one = |department| voices.summary(&[DepartmentId(department)], at(since), about);
            all.extend((0..DEPARTMENTS).map(one));
            all.push(voices.summary(&[DepartmentId(0), DepartmentId(1)], at(since), about));
        }
    }
    all
}

fn severe() -> SignalSet {
    [Signal::Fraud].into_iter().collect()
}

/// As another process finds it.
fn restored(voices: &Voices, end: EventTime) -> Voices {
    let mut again = Voices::new(usize::from(DEPARTMENTS), SHARDS);
    for shard in (0..SHARDS).map(ShardId) {
        for (department, hour) in voices.hours_of(shard).flat_map(|hour| hour.departments()) {
            let bytes = postcard::to_stdvec(&**hour).unwrap();
            let hour: HourVoices = postcard::from_bytes(&bytes).unwrap();
            assert!(hour.is_sound(hour.hour()));
            again.restore(shard, department, &Arc::new(hour));
        }
    }
    again.close(end);
    again
}

proptest! {
    #[test]
    fn what_is_told_is_what_a_list_of_all_messages_tells(mut all in prop::collection::vec(said(60_000), 1..200)) {
        // In time: each before its minute closes.
        all.sort_by_key(|said| said.second);
        let (mut voices, mut model) = (Voices::new(usize::from(DEPARTMENTS), SHARDS), Model::default());
        for said in &all {
            voices.close(at(said.second));
            note(&mut voices, said);
            model.note(said);
        }
        let last = all.last().unwrap().second;
        voices.close(at(last));
        prop_assert_eq!(told(&voices), model.told(last));
    }

    #[test]
    fn neither_order_nor_restarts_nor_when_minutes_close_change_what_is_told(
        all in prop::collection::vec(said(30_000), 1..120).prop_shuffle(),
        shuffled in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(0_i64..30_000, 0..4),
    ) {
        let end = at(30_060);
        let mut once = Voices::new(usize::from(DEPARTMENTS), SHARDS);
        let mut in_order = all.clone();
        in_order.sort_by_key(|said| said.second);
        in_order.iter().for_each(|said| note(&mut once, said));
        once.close(end);

        let mut often = Voices::new(usize::from(DEPARTMENTS), SHARDS);
        let mut rotated = all;
        let by = shuffled.index(rotated.len());
        rotated.rotate_left(by);
        for (place, said) in rotated.iter().enumerate() {
            if let Some(cut) = cuts.get(place) {
                often.close(at(*cut));
                often = restored(&often, at(*cut));
            }
            note(&mut often, said);
        }
        often.close(end);
        prop_assert_eq!(told(&often), told(&once));
        for shard in (0..SHARDS).map(ShardId) {
            prop_assert!(often.hours_of(shard).eq(once.hours_of(shard)), "byte by byte the same is saved");
        }
    }
}

/// A message of one customer that is as unhappy as they come.
fn angry(second: i64, customer: u32, id: &str) -> Said {
    Said {
        shard: 0,
        department: 0,
        second,
        negative: 9,
        frustration: 9,
        signals: SignalSet::EMPTY,
        customer: Some(customer),
        id: id.to_owned(),
    }
}

#[test]
fn what_is_handed_out_stays_as_it_was() {
    let mut voices = Voices::new(1, 1);
    note(&mut voices, &angry(0, 1, "a"));
    let before: Vec<_> = voices.hours_of(ShardId(0)).map(Arc::clone).collect();
    let copy = on_its_own(&before[0]);
    note(&mut voices, &angry(1, 2, "b"));
    voices.close(at(120));
    assert_eq!(*before[0], copy);
    assert_ne!(**voices.hours_of(ShardId(0)).next().unwrap(), copy);
}

/// The same with nothing that it shares.
fn on_its_own(hour: &CompanyHour) -> CompanyHour {
    let copied = hour.departments().map(|(department, hour)| {
        let pieces = hour.pieces().map(|(place, stretch)| (place, Arc::new(Stretch::clone(stretch))));
        (department, Arc::new(HourVoices::of_pieces(hour.hour(), pieces)))
    });
    CompanyHour::of_departments(hour.hour(), copied)
}

#[test]
fn hours_in_which_nothing_changes_stay_the_very_same() {
    let mut voices = Voices::new(2, 1);
    for hour in 0..6 {
        (0..2).for_each(|department| {
            note(&mut voices, &Said { department, ..angry(hour * 3_600, 1, "m") });
        });
        voices.close(at(hour * 3_600 + 60));
    }
    let handed_out: Vec<_> = voices.hours_of(ShardId(0)).map(Arc::clone).collect();
    note(&mut voices, &angry(5 * 3_600 + 70, 1, "m"));
    voices.close(at(5 * 3_600 + 180));
    let same = voices.hours_of(ShardId(0)).zip(&handed_out).map(|(now, before)| Arc::ptr_eq(now, before));
    assert_eq!(same.collect::<Vec<_>>(), [true, true, true, true, true, false]);
    let departments =
        |hour: &Arc<CompanyHour>| hour.departments().map(|(_, hour)| Arc::clone(hour)).collect::<Vec<_>>();
    let (now, before) = (voices.hours_of(ShardId(0)).last().unwrap(), handed_out.last().unwrap());
    let same = departments(now).into_iter().zip(departments(before)).map(|(now, before)| Arc::ptr_eq(&now, &before));
    assert_eq!(same.collect::<Vec<_>>(), [false, true], "of a department where nobody wrote nothing is copied");
}

#[test]
fn what_ended_two_hours_ago_is_known_by_the_half_hour_and_what_came_since_by_5_minutes() {
    let mut voices = Voices::new(1, 1);
    for minute in 0..180 {
        note(&mut voices, &angry(minute * 60, u32::try_from(minute).unwrap(), "m"));
    }
    let since = |voices: &Voices, minute: i64| {
        voices.summary(&[DepartmentId(0)], at(minute * 60), Voiced::Everyone).customers.unwrap()
    };
    voices.close(at(149 * 60));
    assert_eq!([14, 27, 47].map(|minute| since(&voices, minute)), [139, 124, 104], "each from its 5 minutes on");
    voices.close(at(150 * 60));
    assert_eq!([14, 27, 47].map(|minute| since(&voices, minute)), [150, 150, 105], "the first half hour is one");
    voices.close(at(180 * 60));
    assert_eq!([14, 27, 47, 64].map(|minute| since(&voices, minute)), [180, 180, 150, 120]);
    let hours: Vec<_> = voices.hours_of(ShardId(0)).flat_map(|hour| hour.departments()).collect();
    assert_eq!(hours.iter().map(|(_, hour)| hour.pieces().count()).collect::<Vec<_>>(), [2, 12, 12]);
}

#[test]
fn a_department_has_53_stretches_at_most_however_long_it_is_written_to() {
    let mut voices = Voices::new(1, 1);
    for minute in 0..30 * 60 {
        note(&mut voices, &angry(minute * 60, 1, "m"));
        // Late, for the oldest there is.
        note(&mut voices, &angry((minute - 700) * 60, 1, "m"));
        voices.close(at((minute + 1) * 60));
        let hours = voices.hours_of(ShardId(0)).flat_map(|hour| hour.departments());
        let pieces: usize = hours.map(|(_, hour)| hour.pieces().count()).sum();
        assert!(pieces <= 53, "{pieces} at {minute}");
    }
}

#[test]
fn a_moment_tells_nothing_of_the_minutes_that_are_open() {
    let mut voices = Voices::new(1, 1);
    voices.close(at(0));
    note(&mut voices, &angry(59, 1, "in time"));
    note(&mut voices, &angry(60, 2, "ahead"));
    voices.close(at(60));
    let summary = voices.summary(&[DepartmentId(0)], at(0), Voiced::Everyone);
    assert_eq!((summary.customers, summary.samples), (Some(1), vec!["in time".to_owned()]));
}

#[test]
fn what_is_older_than_thirteen_hours_is_forgotten_and_takes_no_room() {
    let mut voices = Voices::new(1, 1);
    for hour in 0..48 {
        note(&mut voices, &angry(hour * 3_600, 1, "m"));
        voices.close(at(hour * 3_600 + 60));
    }
    assert_eq!(voices.hours_of(ShardId(0)).count(), 14);
    note(&mut voices, &angry(0, 1, "late"));
    assert_eq!(voices.hours_of(ShardId(0)).count(), 14);
}

#[test]
fn one_customer_who_writes_ten_times_is_one_customer_and_one_sample() {
    let mut voices = Voices::new(1, 1);
    (0..10).for_each(|second| note(&mut voices, &angry(second, 7, &format!("m-{second}"))));
    note(&mut voices, &angry(20, 8, "other"));
    voices.close(at(60));
    let summary = voices.summary(&[DepartmentId(0)], at(0), Voiced::Negative);
    assert_eq!(summary.customers, Some(2));
    assert_eq!(summary.samples, ["m-0", "other"], "the first of equals");
}

#[test]
fn signals_are_told_by_how_far_they_are_beyond_what_is_usual() {
    let mut voices = Voices::new(1, 1);
    let say = |voices: &mut Voices, second: i64, signals: &[Signal]| {
        let signals = signals.iter().copied().collect();
        note(voices, &Said { signals, negative: 2, frustration: 2, ..angry(second, 1, "m") });
    };
    // Before: everybody waits. Then: still, and something is down.
    (0..300).for_each(|second| say(&mut voices, second, &[Signal::Waiting]));
    (600..660).for_each(|second| say(&mut voices, second, &[Signal::Waiting, Signal::Outage]));
    voices.close(at(660));
    let found = voices.summary(&[DepartmentId(0)], at(600), Voiced::Negative).signals;
    let named: Vec<_> = found.iter().map(|found| (found.signal, found.messages)).collect();
    assert_eq!(named, [(Signal::Outage, 60), (Signal::Waiting, 60)]);
    assert!(found[0].times_usual.unwrap() > 100.0, "{found:?}");
    assert_eq!(found[1].times_usual, Some(1.0));
    let first = voices.summary(&[DepartmentId(0)], at(0), Voiced::Negative).signals;
    assert_eq!(first[0].times_usual, None, "nothing is known of before");
}

#[test]
fn a_stretch_takes_no_more_than_is_said_whatever_comes() {
    let mut stretch = Stretch::default();
    for customer in 0..20_000_u32 {
        let said = Said {
            signals: Signal::ALL.iter().copied().collect(),
            id: "x".repeat(64),
            ..angry(0, customer.wrapping_mul(2_654_435_761), "")
        };
        let score = score(&said);
        let customer = said.customer.map(CustomerHash);
        stretch.add(&Voice { event_time: at(0), score: &score, is_severe: true, customer }, || said.id.clone());
    }
    assert_eq!(stretch.samples.len(), SAMPLES);
    let bytes = postcard::to_stdvec(&stretch).unwrap().len();
    assert!(bytes < 1_300, "{bytes}");
}
