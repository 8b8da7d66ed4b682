//! Decoding records: a batch of believable ones, beside `serde_json` filling a plain struct, which checks and converts nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use latido::config::{Config, DepartmentConfig, InputConfig, Roster};
use latido::ingest::{Batch, BatchBuilder, Decoder, Router};
use latido::message::{EventTime, Offset, PartitionId};
use serde::Deserialize;

const RECORDS: usize = 1_000;
const NOW: EventTime = EventTime::from_millis(1_790_000_000_000);

const TEXTS: [(&str, &str); 6] = [
    ("es", "Llevo tres d\u{ed}as esperando y nadie contesta"),
    ("en", "I was charged twice and nobody calls back"),
    ("es", "\u{bf}D\u{f3}nde est\u{e1} mi pedido? Ya pagu\u{e9} el env\u{ed}o"),
    ("en", "Thanks, the technician solved it quickly"),
    ("es", "Quiero hablar con una persona, por favor \u{1f621}"),
    ("en", "How do I change the address on my account"),
];

const DEPARTMENTS: [&str; 6] = ["billing", "support", "logistics", "sales", "retention", "onboarding"];

fn roster() -> Roster {
    let departments = DEPARTMENTS
        .map(|id| DepartmentConfig { aliases: vec![format!("\u{c1}rea de {id}")], ..DepartmentConfig::named(id) });
    Roster::new(&Config { departments: departments.to_vec(), ..Config::default() })
}

/// How a producer writes its records.
#[derive(Clone, Copy)]
struct Style {
    escape_non_ascii: bool,
    number_as_timestamp: bool,
    department: fn(&str) -> String,
    wrap: fn(String) -> String,
}

const PLAIN: Style =
    Style { escape_non_ascii: false, number_as_timestamp: false, department: str::to_owned, wrap: |json| json };

fn json(place: usize, style: Style) -> String {
    let (language, text) = TEXTS[place % TEXTS.len()];
    let written_text = if style.escape_non_ascii { escaped(text) } else { text.to_owned() };
    let department = (style.department)(DEPARTMENTS[place % DEPARTMENTS.len()]);
    let seconds = 1_789_000_000 + place as i64;
    let timestamp = if style.number_as_timestamp {
        format!("{seconds}123")
    } else {
        format!("\"{}\"", EventTime::from_millis(seconds * 1_000 + 123).to_rfc3339())
    };
    (style.wrap)(format!(
        r#"{{"id":"m-{place:06}","timestamp":{timestamp},"department":"{department}","customer_id":"c-{:05}","conversation_id":"v-{:05}","author":"customer","channel":"chat","language":"{language}","text":"{written_text}"}}"#,
        place * 7 % 100_000,
        place * 3 % 100_000,
    ))
}

/// As producers write it that keep to ASCII (Python's `json.dumps`, for one).
fn escaped(text: &str) -> String {
    let mut units = [0; 2];
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

fn batch(style: Style) -> Batch {
    let mut builder = BatchBuilder::new(PartitionId::new("in", 0), 0, 0, RECORDS * 300);
    for place in 0..RECORDS {
        let value = json(place, style);
        builder.push(Offset(place as i64), Some(NOW), None, Some(value.as_bytes()), std::iter::empty());
    }
    builder.finish()
}

/// Decodes a whole batch; every record of it is good.
fn decode_all(decoder: &Decoder, batch: &Batch) -> usize {
    batch.iter().map(|record| decoder.decode(&record, NOW).unwrap().text.len()).sum()
}

/// What `serde_json` alone takes for the same fields.
#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow)]
    department: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    author: Cow<'a, str>,
    #[serde(borrow)]
    language: Cow<'a, str>,
}

fn plain_all(batch: &Batch) -> usize {
    batch
        .iter()
        .map(|record| {
            let text = std::str::from_utf8(record.value.unwrap()).unwrap();
            let plain: Plain<'_> = serde_json::from_str(text).unwrap();
            black_box((&plain.department, &plain.timestamp, &plain.author, &plain.language));
            plain.text.len()
        })
        .sum()
}

fn decode(criterion: &mut Criterion) {
    let default_input = InputConfig::default();
    let cloud_events = InputConfig {
        text: "/data/text".to_owned(),
        department: "/data/department".to_owned(),
        timestamp: "/data/timestamp".to_owned(),
        author: "/data/author".to_owned(),
        audience: "/data/audience".to_owned(),
        language: "/data/language".to_owned(),
        ..InputConfig::default()
    };
    let wrap = |json| format!(r#"{{"specversion":"1.0","type":"chat","source":"/crm","id":"1","data":{json}}}"#);
    let cases = [
        ("plain", PLAIN, &default_input),
        ("epoch_millis", Style { number_as_timestamp: true, ..PLAIN }, &default_input),
        ("escaped", Style { escape_non_ascii: true, ..PLAIN }, &default_input),
        (
            "folded_department",
            Style { department: |id| format!("area_de_{}", id.to_uppercase()), ..PLAIN },
            &default_input,
        ),
        ("cloud_events", Style { wrap, ..PLAIN }, &cloud_events),
    ];
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for (name, style, input) in cases {
        let records = batch(style);
        let decoder = Decoder::new(input, Router::new(&roster()));
        let label = format!("{name}/{}_bytes", records.bytes() / RECORDS);
        group.bench_with_input(BenchmarkId::new("latido", label), &records, |bencher, records| {
            bencher.iter(|| decode_all(&decoder, black_box(records)));
        });
    }
    let records = batch(PLAIN);
    group.bench_with_input(BenchmarkId::new("serde_struct", "plain"), &records, |bencher, records| {
        bencher.iter(|| plain_all(black_box(records)));
    });
    group.finish();
}

fn build(criterion: &mut Criterion) {
    let values: Vec<String> = (0..RECORDS).map(|place| json(place, PLAIN)).collect();
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function("build", |bencher| {
        bencher.iter(|| {
            let mut builder = BatchBuilder::new(PartitionId::new("in", 0), 0, 0, RECORDS * 300);
            for (place, value) in values.iter().enumerate() {
                builder.push(Offset(place as i64), Some(NOW), Some(b"key"), Some(value.as_bytes()), std::iter::empty());
            }
            builder.finish()
        });
    });
    group.finish();
}

criterion_group!(benches, decode, build);
criterion_main!(benches);
