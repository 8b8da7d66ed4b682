//! Decoding against anything at all, and against a decoder that builds the whole tree first.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use latido::config::{Config, DepartmentConfig, InputConfig, Roster};
use latido::ingest::{BatchBuilder, Decoder, Headers, Record, Router};
use latido::message::{EventTime, Offset, PartitionId, RejectReason};
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::IgnoredAny;
use serde_json::Value;

const NOW: EventTime = EventTime::from_millis(1_714_558_830_000);

fn roster() -> Roster {
    let departments = vec![DepartmentConfig::named("a"), DepartmentConfig::named("b")];
    Roster::new(&Config { departments, ..Config::default() })
}

fn record(value: &[u8]) -> Record<'_> {
    Record { offset: Offset(0), kafka_timestamp: None, key: None, value: Some(value), headers: Headers::default() }
}

/// A JSON text as producers may write it: duplicate keys, escapes, odd white space, any nesting.
#[derive(Clone, Debug)]
enum Written {
    Scalar(String),
    Array(Vec<Written>),
    Object(Vec<(String, Written)>),
}

impl Written {
    fn write(&self, space: &str, out: &mut String) {
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Array(items) => write_list(('[', ']'), space, items, out, |item, rest| item.write(space, rest)),
            Self::Object(members) => write_list(('{', '}'), space, members, out, |(key, value), rest| {
                rest.push_str(key);
                rest.push_str(space);
                rest.push(':');
                value.write(space, rest);
            }),
        }
    }
}

fn write_list<T>(
    (open, close): (char, char),
    space: &str,
    items: &[T],
    out: &mut String,
    write: impl Fn(&T, &mut String),
) {
    out.push(open);
    out.push_str(space);
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
    out.push_str(space);
}

/// Few keys, so that duplicates and hits are frequent; some of them escaped.
fn key() -> impl Strategy<Value = String> {
    select(vec![
        r#""text""#,
        r#""\u0074ext""#,
        r#""department""#,
        r#""timestamp""#,
        r#""author""#,
        r#""audience""#,
        r#""language""#,
        r#""data""#,
        r#""0""#,
        r#""1""#,
        r#""a\/b~""#,
        r#""""#,
    ])
    .prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = Written> {
    prop_oneof![
        4 => any::<String>().prop_map(|text| Value::from(text).to_string()),
        4 => select(vec![
            r#""a""#, r#""B""#, r#""\u0061""#, r#""agent""#, r#""Bot""#, r#""internal""#, r#""es-MX""#, r#""en""#,
            r#""2024-05-01T10:00:00Z""#, r#""1714557600""#, r#""9999-12-31T00:00:00Z""#, r#"" \n""#, r#""\ud83d\ude00""#,
        ]).prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => (1_600_000_000_i64..1_714_558_830).prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_filter("JSON has finite numbers only", |float| float.is_finite())
            .prop_map(|number| Value::from(number).to_string()),
        1 => select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ]
    .prop_map(Written::Scalar)
}

fn any_written() -> impl Strategy<Value = Written> {
    scalar().prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Written::Array),
            prop::collection::vec((key(), inner), 0..8).prop_map(Written::Object),
        ]
    })
}

fn object() -> impl Strategy<Value = Written> {
    prop::collection::vec((key(), any_written()), 0..10).prop_map(Written::Object)
}

fn pointer() -> impl Strategy<Value = String> {
    let step = select(vec!["/text", "/data", "/department", "/0", "/1", "/a~1b~0", "/", "/author", "/timestamp"]);
    prop::collection::vec(step, 0..4).prop_map(|steps| steps.concat())
}

fn input_config() -> impl Strategy<Value = InputConfig> {
    let pointers = [(); 6].map(|()| pointer());
    let random = (pointers, 4_usize..40).prop_map(
        |([text, department, timestamp, author, audience, language], max_text_bytes)| InputConfig {
            text,
            department,
            timestamp,
            author,
            audience,
            language,
            max_text_bytes,
            ..InputConfig::default()
        },
    );
    prop_oneof![Just(InputConfig::default()), random]
}

/// What stands at a pointer, the slow and obvious way. An empty pointer is off.
fn at<'v>(document: &'v Value, pointer: &str) -> Option<&'v Value> {
    if pointer.is_empty() {
        return None;
    }
    document.pointer(pointer).filter(|value| !value.is_null())
}

/// The same record reduced to what the pointers find, laid out flat under the default pointers.
fn flattened(json: &str, config: &InputConfig) -> Option<Value> {
    let document: Value = serde_json::from_str(json).ok()?;
    let fields = [
        ("text", &config.text),
        ("department", &config.department),
        ("timestamp", &config.timestamp),
        ("author", &config.author),
        ("audience", &config.audience),
        ("language", &config.language),
    ];
    let found =
        fields.into_iter().filter_map(|(name, pointer)| Some((name.to_owned(), at(&document, pointer)?.clone())));
    Some(Value::Object(found.collect()))
}

/// What a naive reading of the tree says of the text.
fn expected_text(flat: &Value, max_bytes: usize) -> Result<String, RejectReason> {
    let text = match flat.get("text") {
        None => return Err(RejectReason::MissingText),
        Some(Value::String(text)) => text,
        Some(_) => return Err(RejectReason::BadText),
    };
    if text.len() <= max_bytes {
        return Ok(text.clone());
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if kept.len() + letter.len_utf8() > max_bytes {
            break;
        }
        kept.push(letter);
    }
    Ok(kept)
}

/// Whether bytes follow JSON's grammar. (Building a tree would also refuse `1e400` and unpaired surrogates in fields that
/// nobody reads.)
fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

fn name(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(|text| text.trim().to_ascii_lowercase())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_decoded_or_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..256),
        config in input_config(),
        now in any::<i64>(),
    ) {
        let decoder = Decoder::new(&config, Router::new(&roster()));
        let decoded = decoder.decode(&record(&bytes), EventTime::from_millis(now));
        prop_assert!(decoded.is_err() || is_json(&bytes));
    }

    #[test]
    fn a_broken_object_is_decoded_or_refused_without_a_panic(
        written in object(),
        config in input_config(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut json = String::new();
        written.write("", &mut json);
        let mut bytes = json.into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        if cut {
            bytes.truncate(place);
        }
        let decoder = Decoder::new(&config, Router::new(&roster()));
        let decoded = decoder.decode(&record(&bytes), NOW);
        prop_assert!(decoded.is_err() || is_json(&bytes));
    }

    #[test]
    fn any_json_value_is_taken_for_json(written in any_written(), config in input_config(), space in select(vec!["", " ", "\n\t"])) {
        let mut json = String::new();
        written.write(space, &mut json);
        let decoder = Decoder::new(&config, Router::new(&roster()));
        let decoded = decoder.decode(&record(json.as_bytes()), NOW);
        let reason = decoded.map(|_| ()).map_err(|rejection| rejection.reason);
        prop_assert!(!matches!(reason, Err(RejectReason::NotJson | RejectReason::NotUtf8 | RejectReason::Tombstone)));
        prop_assert_eq!(reason == Err(RejectReason::NotObject), !matches!(written, Written::Object(_)));
    }

    #[test]
    fn picking_in_one_pass_finds_what_the_whole_tree_holds(
        written in object(),
        config in input_config(),
        space in select(vec!["", " ", "\n\t"]),
    ) {
        let mut json = String::new();
        written.write(space, &mut json);
        let flat = flattened(&json, &config).expect("what was written is JSON");
        let flat_json = flat.to_string();
        let flat_config = InputConfig { max_text_bytes: config.max_text_bytes, ..InputConfig::default() };
        let picking = Decoder::new(&config, Router::new(&roster()));
        let reading = Decoder::new(&flat_config, Router::new(&roster()));
        let picked = picking.decode(&record(json.as_bytes()), NOW);
        let read = reading.decode(&record(flat_json.as_bytes()), NOW);
        prop_assert_eq!(
            picked.as_ref().map_err(|rejection| (rejection.reason, rejection.department)),
            read.as_ref().map_err(|rejection| (rejection.reason, rejection.department)),
            "{} against {}", json, flat_json
        );
    }

    #[test]
    fn each_field_is_what_a_naive_reading_says(written in object(), config in input_config()) {
        let mut json = String::new();
        written.write("", &mut json);
        let flat = flattened(&json, &config).expect("what was written is JSON");
        let roster = roster();
        let decoder = Decoder::new(&config, Router::new(&roster));
        let decoded = decoder.decode(&record(json.as_bytes()), NOW);
        let naive_text = expected_text(&flat, config.max_text_bytes);
        match decoded {
            Ok(message) => {
                let whole = flat["text"].as_str().unwrap();
                prop_assert_eq!(message.text_was_cut, whole.len() > config.max_text_bytes);
                prop_assert!(whole.contains(&*message.text) && message.text.len() <= config.max_text_bytes);
                if !message.text_was_cut || whole.starts_with(char::is_alphanumeric) {
                    prop_assert_eq!(Ok(message.text.into_owned()), naive_text);
                }
                prop_assert_eq!(message.author.as_str(), name(flat.get("author")).unwrap_or("customer".to_owned()));
                prop_assert_eq!(message.audience.as_str(), name(flat.get("audience")).unwrap_or("external".to_owned()));
                let department = &roster.get(message.department).id;
                let named = name(flat.get("department")).filter(|id| roster.find(id).is_some());
                prop_assert_eq!(department, &named.unwrap_or("other".to_owned()));
                if flat.get("timestamp").is_none() {
                    prop_assert_eq!(message.event_time, NOW);
                }
            }
            Err(rejection) => match rejection.reason {
                RejectReason::MissingText | RejectReason::BadText => prop_assert_eq!(Err(rejection.reason), naive_text),
                RejectReason::EmptyText => {
                    let is_wordless = flat["text"].as_str().unwrap().chars().all(|letter| !letter.is_alphanumeric());
                    prop_assert!(is_wordless);
                }
                RejectReason::BadAuthor => prop_assert!(flat.get("author").is_some()),
                RejectReason::BadAudience => prop_assert!(flat.get("audience").is_some()),
                RejectReason::BadTimestamp | RejectReason::Future => prop_assert!(flat.get("timestamp").is_some()),
                other => prop_assert!(false, "{other} for {json}"),
            },
        }
    }

    #[test]
    fn a_batch_gives_back_what_was_pushed(
        records in prop::collection::vec(
            (
                prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
                prop::option::of(prop::collection::vec(any::<u8>(), 0..60)),
                prop::collection::vec((any::<String>(), prop::option::of(prop::collection::vec(any::<u8>(), 0..20))), 0..4),
                prop::option::of(any::<i64>()),
            ),
            1..20,
        ),
        capacity in 0_usize..200,
    ) {
        let mut builder = BatchBuilder::new(PartitionId::new("in", 0), 1, 2, capacity);
        for (place, (key, value, headers, timestamp)) in records.iter().enumerate() {
            let listed = headers.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
            let offset = Offset(place as i64 * 2);
            builder.push(offset, timestamp.map(EventTime::from_millis), key.as_deref(), value.as_deref(), listed);
        }
        let batch = builder.finish();
        prop_assert_eq!(batch.len(), records.len());
        for (place, (back, (key, value, headers, timestamp))) in batch.iter().zip(&records).enumerate() {
            prop_assert_eq!(back.offset, Offset(place as i64 * 2));
            prop_assert_eq!(back.kafka_timestamp.map(EventTime::as_millis), *timestamp);
            prop_assert_eq!((back.key, back.value), (key.as_deref(), value.as_deref()));
            let listed: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
            prop_assert_eq!(back.headers.collect::<Vec<_>>(), listed);
        }
    }
}
