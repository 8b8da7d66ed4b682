#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

use std::sync::LazyLock;

use serde_json::Value;

use super::*;
use crate::demo::departments::{DAY, part_of_day};

const START: EventTime = EventTime::from_millis(1_750_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
const DAYS: Duration = Duration::from_secs(3 * 24 * 3_600);
const RATE: u32 = 30;

fn records_until(generator: &mut Generator, end: EventTime) -> Vec<Record> {
    let mut records = Vec::new();
    while generator.next_at() < end {
        records.push(generator.next_record());
    }
    records
}

/// Three days of history: about 130,000 records.
static HISTORY: LazyLock<Vec<Record>> =
    LazyLock::new(|| records_until(&mut Generator::new(7, RATE, START), START.plus(DAYS)));

fn json(record: &Record) -> Value {
    serde_json::from_slice(&record.value).unwrap()
}

fn event_time(record: &Record) -> EventTime {
    match &json(record)["timestamp"] {
        Value::String(text) => EventTime::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()),
        number => EventTime::from_millis(number.as_i64().unwrap()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn negative_ratio<'a>(records: impl IntoIterator<Item = &'a Record>) -> (usize, f64) {
    let moods: Vec<Sentiment> = records
        .into_iter()
        .filter_map(|record| match record.kind {
            RecordKind::Customer(sentiment) => Some(sentiment),
            _ => None,
        })
        .collect();
    let negative = moods.iter().filter(|mood| **mood == Sentiment::Negative).count();
    (moods.len(), negative as f64 / moods.len() as f64)
}

fn of(records: &[Record], department: usize) -> impl Iterator<Item = &Record> {
    records.iter().filter(move |record| record.department == department)
}

#[test]
fn the_same_seed_writes_the_same_records_and_another_one_others() {
    let write = |seed| {
        let mut generator = Generator::new(seed, RATE, START);
        let mut records = records_until(&mut generator, START.plus(HOUR));
        generator.begin_live(generator.next_at());
        records.extend((0..3_000).map(|_| generator.next_record()));
        records
    };
    assert_eq!(write(7), write(7));
    assert_ne!(write(7), write(8));
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn history_holds_the_rate_and_each_record_is_dated_when_it_is_written() {
    let records = &*HISTORY;
    let promised = f64::from(RATE) * (DAYS / SPEED).as_secs_f64();
    assert!((records.len() as f64 / promised - 1.0).abs() < 0.02, "{} records", records.len());
    assert!(records.is_sorted_by_key(|record| record.at));
    assert!(records.iter().all(|record| START <= record.at && record.at < START.plus(DAYS)));
    let usable = records.iter().filter(|record| record.kind != RecordKind::Unusable);
    for record in usable {
        assert_eq!(event_time(record), record.at);
    }
    assert!(records.iter().all(|record| record.kind != RecordKind::Late), "history has no late records");
}

#[test]
fn usable_records_keep_the_input_contract() {
    let known = |value: &Value, allowed: &[&str]| value.is_null() || allowed.contains(&value.as_str().unwrap());
    for record in HISTORY.iter().filter(|record| record.kind != RecordKind::Unusable) {
        let message = json(record);
        assert!(!message["text"].as_str().unwrap().trim().is_empty());
        assert!(!message["text"].as_str().unwrap().contains(['{', '}']));
        let department = &DEPARTMENTS[record.department];
        let name = message["department"].as_str().unwrap();
        assert!(name == department.id || department.aliases.contains(&name), "{name}");
        assert_eq!(message["customer_id"], record.key.as_str());
        assert!(known(&message["author"], &["customer", "agent", "bot"]));
        assert!(known(&message["audience"], &["external", "internal"]));
        assert!(known(&message["language"], &["es", "en"]));
        let by_customer = known(&message["author"], &["customer"]);
        assert_eq!(by_customer, record.kind != RecordKind::Reply);
    }
}

#[test]
fn unusable_records_are_rare_and_really_unusable() {
    let records = &*HISTORY;
    let unusable: Vec<&Record> = records.iter().filter(|record| record.kind == RecordKind::Unusable).collect();
    assert!((100..300).contains(&unusable.len()), "{}", unusable.len());
    for record in unusable {
        let text = serde_json::from_slice::<Value>(&record.value).ok().and_then(|message| {
            let text = message["text"].as_str()?;
            Some(text.trim().to_owned())
        });
        assert!(text.is_none_or(|text| text.is_empty()));
    }
}

#[test]
fn late_records_come_only_live_and_are_older_than_any_window_keeps() {
    let mut generator = Generator::new(7, RATE, START);
    generator.begin_live(START);
    let records = records_until(&mut generator, START.plus(DAYS));
    let late: Vec<&Record> = records.iter().filter(|record| record.kind == RecordKind::Late).collect();
    assert!((100..400).contains(&late.len()), "{}", late.len());
    for record in late {
        assert!(event_time(record) <= record.at.minus(25 * HOUR));
    }
}

#[test]
fn both_languages_all_departments_and_aliases_occur() {
    let records = &*HISTORY;
    let messages: Vec<Value> = records.iter().filter(|record| record.kind != RecordKind::Unusable).map(json).collect();
    for language in ["es", "en"] {
        let share = messages.iter().filter(|message| message["language"] == language).count();
        assert!(share > messages.len() / 10, "{language}: {share}");
    }
    for department in &DEPARTMENTS {
        for name in department.aliases.iter().chain([&department.id]) {
            assert!(messages.iter().any(|message| message["department"] == *name), "{name}");
        }
    }
}

#[test]
fn the_rhythm_moves_the_volume_but_no_ratio() {
    let records = &*HISTORY;
    for department in 0..COUNT {
        let (count, overall) = negative_ratio(of(records, department));
        let mut sixths = [0_usize; 6];
        for slot in 0..432 {
            let from = START.plus(Duration::from_secs(slot * 600));
            let window = of(records, department)
                .filter(|record| from.minus(Duration::from_secs(50 * 60)) <= record.at && record.at < from);
            let (seen, ratio) = negative_ratio(window);
            // Decks of 50 hold an hour's ratio closer than chance would.
            assert!(seen < 60 || (ratio - overall).abs() < 0.12, "{ratio} of {seen} against {overall}");
        }
        for record in of(records, department) {
            sixths[((part_of_day(record.at) * 6.0) as usize).min(5)] += 1;
        }
        let busiest = sixths.iter().max().unwrap();
        let calmest = sixths.iter().min().unwrap();
        assert!(*busiest * 10 > *calmest * 15, "{sixths:?}");
        assert!(count > 8_000);
    }
    assert!(DAYS.as_secs().is_multiple_of(DAY.as_secs()), "these are whole days");
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn the_incident_hits_one_department_for_half_an_hour() {
    for seed in 0..12 {
        let mut generator = Generator::new(seed, RATE, START);
        let live = START.plus(DAY);
        records_until(&mut generator, live);
        let incident = generator.begin_live(live);
        assert_eq!(incident.started, live.plus(Duration::from_secs(45 * 60)));
        assert_eq!(incident.ended, live.plus(Duration::from_secs(75 * 60)));

        let records = records_until(&mut generator, live.plus(Duration::from_secs(150 * 60)));
        let (during, around): (Vec<Record>, Vec<Record>) =
            records.into_iter().partition(|record| incident.started <= record.at && record.at < incident.ended);
        for department in 0..COUNT {
            let (_, usual) = negative_ratio(of(&around, department));
            let (_, ratio) = negative_ratio(of(&during, department));
            assert!(usual < 0.35, "{usual} of department {department}, seed {seed}");
            assert_eq!(ratio > 0.7, department == incident.department, "{ratio} of {department}, seed {seed}");
        }
        let volume = of(&during, incident.department).count() as f64 / 30.0;
        let usual = of(&around, incident.department).count() as f64 / 120.0;
        assert!((1.8..3.3).contains(&(volume / usual)), "{volume} against {usual} a minute, seed {seed}");
    }
}

#[test]
fn each_department_may_be_the_troubled_one() {
    let hit: std::collections::BTreeSet<usize> =
        (0..60).map(|seed| Generator::new(seed, RATE, START).begin_live(START).department).collect();
    assert_eq!(hit.len(), COUNT);
}
