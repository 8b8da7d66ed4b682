//! What becomes of a record: the message it holds, or the reason why it holds none.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::borrow::Cow;

use latido::config::{Config, DepartmentConfig, InputConfig, OTHER, Roster};
use latido::ingest::{Decoder, Headers, Record, RecordIds, Rejection, Router};
use latido::message::{
    Audience, Author, EventTime, Language, MAX_TEXT_BYTES, Message, Offset, PartitionId, RejectReason,
};

/// 2024-05-01T10:20:30Z.
const NOW: EventTime = EventTime::from_millis(1_714_558_830_000);
/// A minute before.
const STAMPED: EventTime = EventTime::from_millis(1_714_558_770_000);

fn roster() -> Roster {
    let aliases = vec!["Facturaci\u{f3}n".to_owned(), "4711".to_owned()];
    let billing = DepartmentConfig { aliases, ..DepartmentConfig::named("billing") };
    Roster::new(&Config { departments: vec![billing, DepartmentConfig::named("support")], ..Config::default() })
}

fn decoder(config: &InputConfig) -> Decoder {
    Decoder::new(config, Router::new(&roster()))
}

fn record(value: &[u8]) -> Record<'_> {
    Record {
        offset: Offset(0),
        kafka_timestamp: Some(STAMPED),
        key: None,
        value: Some(value),
        headers: Headers::default(),
    }
}

fn decode(json: &str) -> Result<Message<'_>, Rejection> {
    decoder(&InputConfig::default()).decode(&record(json.as_bytes()), NOW)
}

fn reason(json: &str) -> RejectReason {
    decode(json).map(|message| message.department).expect_err(json).reason
}

/// Decodes an object of a good text and one more field.
fn with(field: &str) -> Result<(Message<'static>, String), Rejection> {
    let json = format!(r#"{{"text":"hola",{field}}}"#);
    let message = decode(&json)?;
    let customer_id = message.customer_id.map(|id| Cow::Owned(id.into_owned()));
    let owned = Message { text: Cow::Owned(message.text.into_owned()), customer_id, ..message };
    Ok((owned, json))
}

fn department_of(field: &str) -> String {
    let (message, _) = with(field).unwrap();
    roster().get(message.department).id.clone()
}

#[test]
fn a_full_record_becomes_a_message() {
    let json = r#"{"id":"m-1","department":"billing","timestamp":"2024-05-01T10:20:29.5Z","customer_id":"c-9",
        "conversation_id":"v-3","author":"agent","audience":"internal","channel":"chat","touchpoint":"invoice",
        "language":"es","text":"¿Me ayudas?"}"#;
    let message = decode(json).unwrap();
    let expected = Message {
        text: Cow::Borrowed("¿Me ayudas?"),
        text_was_cut: false,
        department: roster().find("billing").unwrap(),
        event_time: EventTime::from_millis(1_714_558_829_500),
        author: Author::Agent,
        audience: Audience::Internal,
        language: Some(Language::Spanish),
        customer_id: Some(Cow::Borrowed("c-9")),
    };
    assert_eq!(message, expected);
    assert!(matches!(message.text, Cow::Borrowed(_)), "a text without escapes is not copied");
}

#[test]
fn only_the_text_is_required() {
    let message = decode(r#"{"text":"hola"}"#).unwrap();
    assert_eq!(message.department, roster().find(OTHER).unwrap());
    assert_eq!(message.event_time, STAMPED);
    assert_eq!((message.author, message.audience, message.language), (Author::Customer, Audience::External, None));
}

#[test]
fn null_counts_as_absent_everywhere() {
    let json = r#"{"text":"hola","department":null,"timestamp":null,"author":null,"audience":null,"language":null}"#;
    assert_eq!(decode(json).unwrap(), decode(r#"{"text":"hola"}"#).unwrap());
    assert_eq!(reason(r#"{"text":null}"#), RejectReason::MissingText);
}

#[test]
fn a_record_without_any_timestamp_happened_now() {
    let value = br#"{"text":"hola"}"#;
    let unstamped = Record { kafka_timestamp: None, ..record(value) };
    assert_eq!(decoder(&InputConfig::default()).decode(&unstamped, NOW).unwrap().event_time, NOW);
}

#[test]
fn a_record_without_a_value_is_a_tombstone_and_an_empty_value_is_not_json() {
    let tombstone = Record { value: None, ..record(b"") };
    let rejection = decoder(&InputConfig::default()).decode(&tombstone, NOW).unwrap_err();
    assert_eq!((rejection.reason, rejection.department), (RejectReason::Tombstone, None));
    assert_eq!(reason(""), RejectReason::NotJson);
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_wherever_they_stand() {
    for value in [&b"\xff\xfe{\x00}\x00"[..], b"{\"text\":\"hol\xe1\"}", b"{\"text\":\"hola\",\"x\":\"\xed\xa0\x80\"}"]
    {
        let rejection = decoder(&InputConfig::default()).decode(&record(value), NOW).unwrap_err();
        assert_eq!(rejection.reason, RejectReason::NotUtf8);
    }
}

#[test]
fn what_is_not_one_whole_json_value_is_refused() {
    for json in [
        "hola",
        "{",
        "{}{}",
        r#"{"text":"hola"} x"#,
        r#"{"text":"hola"},"#,
        r#"{"text":"hola"}{"text":"hola"}"#,
        r#"{"text":"hola",}"#,
        r#"{"text":"hola"#,
        r#"{'text':'hola'}"#,
        r#"{"text":"hola","x":NaN}"#,
        r#"{"text":"hola","x":01}"#,
        r#"{"text":"hola","x":[1,2}"#,
        r#"[1,2"#,
        "{\"text\":\"ho\nla\"}",
        "{\"text\":\"hola\",\"x\":\"\t\"}",
        "\u{feff}\u{feff}{\"text\":\"hola\"}",
    ] {
        assert_eq!(reason(json), RejectReason::NotJson, "{json:?}");
    }
}

#[test]
fn json_of_another_shape_is_refused_as_such() {
    for json in ["[]", r#"[{"text":"hola"}]"#, r#""text""#, "17", "-1.5e3", "true", " null ", "1e400"] {
        assert_eq!(reason(json), RejectReason::NotObject, "{json:?}");
    }
}

#[test]
fn white_space_and_a_byte_order_mark_around_the_object_are_fine() {
    for json in [" \r\n\t{\"text\":\"hola\"}\n", "\u{feff}{\"text\":\"hola\"}", "\u{feff} { \"text\" : \"hola\" } "] {
        assert_eq!(decode(json).unwrap().text, "hola", "{json:?}");
    }
}

#[test]
fn an_emoji_cut_in_half_costs_no_message() {
    assert_eq!(decode(r#"{"text":"no funciona \ud83d"}"#).unwrap().text, "no funciona \u{fffd}");
    assert_eq!(decode(r#"{"text":"\ude00 hola"}"#).unwrap().text, "\u{fffd} hola");
    assert_eq!(decode(r#"{"text":"hola","department":"\ud83dx"}"#).unwrap().text, "hola");
    assert_eq!(reason(r#"{"\ud83d":1,"text":"hola"}"#), RejectReason::NotJson);
    assert_eq!(decode(r#"{"text":"\ud83d\ude00"}"#).unwrap().text, "\u{1f600}");
}

fn nested(levels: usize, open: &str, close: &str) -> String {
    format!(r#"{{"text":"hola","x":{}1{}}}"#, open.repeat(levels - 1), close.repeat(levels - 1))
}

#[test]
fn nesting_is_taken_to_127_levels_and_refused_beyond() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        assert!(decode(&nested(127, open, close)).is_ok());
        for levels in [128, 200, 100_000] {
            assert_eq!(reason(&nested(levels, open, close)), RejectReason::NotJson);
        }
    }
    assert_eq!(reason(&"[".repeat(100_000)), RejectReason::NotJson);
    assert_eq!(reason(&r#"{"text":"#.repeat(100_000)), RejectReason::NotJson);
    assert_eq!(reason(&format!(r#"{{"text":{}{}}}"#, "[".repeat(200), "]".repeat(200))), RejectReason::NotJson);
}

#[test]
fn many_brackets_that_do_not_nest_deeply_are_fine() {
    let in_text = format!(r#"{{"text":"\\\"{}\\","x":"\\"}}"#, "[{".repeat(1_000));
    assert!(decode(&in_text).unwrap().text.starts_with("\\\"[{"));
    let side_by_side = format!(r#"{{"text":"hola","x":[{}[]]}}"#, "[],".repeat(1_000));
    assert!(decode(&side_by_side).is_ok());
}

#[test]
fn of_duplicate_keys_the_last_wins() {
    assert_eq!(decode(r#"{"text":"uno","text":"dos"}"#).unwrap().text, "dos");
    assert_eq!(decode(r#"{"text":1,"t\u0065xt":"dos"}"#).unwrap().text, "dos");
    assert_eq!(reason(r#"{"text":"uno","text":null}"#), RejectReason::MissingText);
    assert_eq!(reason(r#"{"text":"uno","text":1}"#), RejectReason::BadText);
    assert_eq!(department_of(r#""department":"billing","department":"support""#), "support");
}

#[test]
fn each_kind_of_unusable_text_has_its_reason() {
    assert_eq!(reason("{}"), RejectReason::MissingText);
    assert_eq!(reason(r#"{"Text":"hola","data":{"text":"hola"}}"#), RejectReason::MissingText);
    for other_type in ["1", "true", r#"{"text":"hola"}"#, r#"["hola"]"#, "1e400"] {
        assert_eq!(reason(&format!(r#"{{"text":{other_type}}}"#)), RejectReason::BadText, "{other_type}");
    }
    for blank in
        ["", "  \\t\\r\\n", "\u{a0}\u{3000}", "\u{200b}\u{200d}\u{2060}\u{feff}", "\\u0000\\u001f", "\u{ad}\u{fe0f}"]
    {
        assert_eq!(reason(&format!(r#"{{"text":"{blank}"}}"#)), RejectReason::EmptyText, "{blank:?}");
    }
    assert_eq!(decode(r#"{"text":" \u200b? "}"#).unwrap().text, " \u{200b}? ");
}

#[test]
fn escapes_are_undone() {
    let json = r#"{"text":"l\u00ednea 1\nl\u00EDnea 2\t\"\\\/ \ud83d\ude21","department":"Facturaci\u00f3n"}"#;
    let message = decode(json).unwrap();
    assert_eq!(message.text, "l\u{ed}nea 1\nl\u{ed}nea 2\t\"\\/ \u{1f621}");
    assert_eq!(message.department, roster().find("billing").unwrap());
}

fn decode_cut(text: &str, max_text_bytes: usize) -> (String, bool) {
    let config = InputConfig { max_text_bytes, ..InputConfig::default() };
    let json = serde_json::json!({ "text": text }).to_string();
    let decoder = decoder(&config);
    let message = decoder.decode(&record(json.as_bytes()), NOW).unwrap();
    (message.text.clone().into_owned(), message.text_was_cut)
}

#[test]
fn a_text_over_the_limit_is_cut_on_a_character_boundary() {
    assert_eq!(decode_cut("12345678", 8), ("12345678".to_owned(), false));
    assert_eq!(decode_cut("123456789", 8), ("12345678".to_owned(), true));
    assert_eq!(decode_cut("1234567\u{f1}", 8), ("1234567".to_owned(), true));
    assert_eq!(decode_cut("12345\u{1f600}", 8), ("12345".to_owned(), true));
    assert_eq!(decode_cut("1\n345678\u{f1}", 8), ("1\n345678".to_owned(), true));
    assert_eq!(decode_cut("\u{1f600}\u{1f600}", 0), ("\u{1f600}".to_owned(), true));
}

#[test]
fn a_cut_keeps_words_even_behind_a_long_blank_start() {
    let blank = " \n".repeat(50);
    assert_eq!(decode_cut(&format!("{blank}no funciona"), 8), ("no funci".to_owned(), true));
    assert_eq!(decode_cut(&format!("{blank}no"), 8), ("no".to_owned(), true));
}

#[test]
fn whatever_the_scorer_would_not_look_at_is_cut_before_it_and_said_so() {
    let (kept, was_cut) = decode_cut(&"a ".repeat(MAX_TEXT_BYTES), usize::MAX);
    assert!(was_cut && kept.len() == MAX_TEXT_BYTES, "{}", kept.len());
}

#[test]
fn texts_of_ten_megabytes_are_cut_and_taken() {
    let limit = InputConfig::default().max_text_bytes;
    for unit in ["a", "\u{f1}", "\u{1f621}", "\n", "["] {
        let text = format!("x{}", unit.repeat(10_000_000 / unit.len()));
        let (kept, was_cut) = decode_cut(&text, limit);
        assert!(was_cut && kept.len() <= limit && kept.len() > limit - 4, "{unit:?}: {}", kept.len());
        assert!(text.starts_with(&kept));
    }
}

#[test]
fn departments_are_routed_by_any_of_their_names_and_unknown_ones_to_other() {
    for (field, id) in [
        (r#""department":"billing""#, "billing"),
        (r#""department":" FACTURACION ""#, "billing"),
        (r#""department":4711"#, "billing"),
        (r#""department":4712"#, "other"),
        (r#""department":"""#, "other"),
        (r#""department":"ventas""#, "other"),
        (r#""department":true"#, "other"),
        (r#""department":["billing"]"#, "other"),
        (r#""department":{"id":"billing"}"#, "other"),
    ] {
        assert_eq!(department_of(field), id, "{field}");
    }
}

#[test]
fn authors_and_audiences_are_read_in_any_case_and_refused_when_unknown() {
    assert_eq!(with(r#""author":" Bot""#).unwrap().0.author, Author::Bot);
    assert_eq!(with(r#""author":"CUSTOMER""#).unwrap().0.author, Author::Customer);
    assert_eq!(with(r#""audience":"Internal""#).unwrap().0.audience, Audience::Internal);
    for value in [r#""robot""#, r#""""#, "1", "false", "{}", "[]"] {
        assert_eq!(with(&format!(r#""author":{value}"#)).unwrap_err().reason, RejectReason::BadAuthor, "{value}");
        assert_eq!(with(&format!(r#""audience":{value}"#)).unwrap_err().reason, RejectReason::BadAudience, "{value}");
    }
}

#[test]
fn languages_are_read_from_any_tag_and_otherwise_left_to_be_detected() {
    for (value, expected) in [
        (r#""es""#, Some(Language::Spanish)),
        (r#""es-MX""#, Some(Language::Spanish)),
        (r#""ES_mx""#, Some(Language::Spanish)),
        (r#""es-419""#, Some(Language::Spanish)),
        (r#""spa""#, Some(Language::Spanish)),
        (r#""en-GB-oxendict""#, Some(Language::English)),
        (r#""pt-BR""#, Some(Language::Portuguese)),
        (r#""de-AT""#, Some(Language::German)),
        (r#""fra""#, Some(Language::French)),
        (r#""nl""#, Some(Language::Other)),
        (r#""nah""#, Some(Language::Other)),
        (r#""und""#, None),
        (r#""espa\u00f1ol""#, None),
        (r#""""#, None),
        (r#""e""#, None),
        (r#""es-""#, None),
        (r#""es MX""#, None),
        (r#""\u00f1\u00f1""#, None),
        ("1", None),
        ("[]", None),
    ] {
        assert_eq!(with(&format!(r#""language":{value}"#)).unwrap().0.language, expected, "{value}");
    }
}

fn event_time_of(value: &str) -> Result<i64, RejectReason> {
    with(&format!(r#""timestamp":{value}"#))
        .map(|(message, _)| message.event_time.as_millis())
        .map_err(|rejection| rejection.reason)
}

#[test]
fn timestamps_are_read_as_rfc_3339_seconds_or_milliseconds_also_in_strings() {
    for (value, millis) in [
        (r#""2024-05-01T10:00:00Z""#, 1_714_557_600_000),
        (r#""2024-05-01 04:00:00.25-06:00""#, 1_714_557_600_250),
        (r#""2024-05-01t10:00:00z""#, 1_714_557_600_000),
        (r#""2024-05-01T10\u003a00:00Z""#, 1_714_557_600_000),
        ("1714557600", 1_714_557_600_000),
        ("1714557600.25", 1_714_557_600_250),
        ("1714557600250", 1_714_557_600_250),
        ("1.7145576e9", 1_714_557_600_000),
        (r#""1714557600""#, 1_714_557_600_000),
        (r#""+1714557600.250""#, 1_714_557_600_250),
        (r#""1714557600250""#, 1_714_557_600_250),
        ("0", 0),
        ("-1", -1_000),
        (r#""0001-01-01T00:00:00Z""#, -62_135_596_800_000),
    ] {
        assert_eq!(event_time_of(value), Ok(millis), "{value}");
    }
}

#[test]
fn timestamps_that_are_no_moment_are_refused() {
    for value in [
        r#""ayer""#,
        r#""""#,
        r#""NaN""#,
        r#""2024-05-01""#,
        "true",
        "[1714557600]",
        "{}",
        "1e400",
        "-1e400",
        r#""1e400""#,
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999999999",
        "1714557600000000",
    ] {
        assert_eq!(event_time_of(value), Err(RejectReason::BadTimestamp), "{value}");
    }
}

#[test]
fn a_timestamp_ahead_of_the_arrival_by_more_than_the_skew_is_refused_as_future() {
    let skew = i64::try_from(InputConfig::default().future_skew.get().as_millis()).unwrap();
    let edge = NOW.as_millis() + skew;
    assert_eq!(event_time_of(&edge.to_string()), Ok(edge));
    assert_eq!(event_time_of(&(edge + 1).to_string()), Err(RejectReason::Future));
    assert_eq!(event_time_of(r#""9999-12-31T23:59:59.999Z""#), Err(RejectReason::Future));
    assert_eq!(event_time_of(r#""9999-01-01T00:00:00Z""#), Err(RejectReason::Future));
}

#[test]
fn a_clock_behind_kafkas_timestamp_makes_no_record_future() {
    let json = format!(r#"{{"text":"hola","timestamp":{}}}"#, NOW.as_millis());
    let long_ago = EventTime::from_millis(0);
    let decoder = decoder(&InputConfig::default());
    assert!(decoder.decode(&record(json.as_bytes()), long_ago).is_ok());
    let unstamped = Record { kafka_timestamp: None, ..record(json.as_bytes()) };
    assert_eq!(decoder.decode(&unstamped, long_ago).unwrap_err().reason, RejectReason::Future);
}

#[test]
fn extreme_clocks_do_not_panic() {
    let decoder = decoder(&InputConfig::default());
    let value = br#"{"text":"hola","timestamp":1714557600}"#;
    for clock in [i64::MIN, -1, 0, i64::MAX].map(EventTime::from_millis) {
        for stamp in [None, Some(EventTime::from_millis(i64::MIN)), Some(EventTime::from_millis(i64::MAX))] {
            let stamped = Record { kafka_timestamp: stamp, ..record(value) };
            if let Err(rejection) = decoder.decode(&stamped, clock) {
                assert_eq!(rejection.reason, RejectReason::Future);
            }
        }
    }
}

#[test]
fn a_rejection_tells_the_department_once_the_object_was_read() {
    let billing = roster().find("billing");
    for field in [r#""text":"""#, r#""text":"a","author":"x""#, r#""text":"a","timestamp":"x""#, r#""x":1"#] {
        let rejection = decode(&format!(r#"{{{field},"department":"billing"}}"#)).map(|_| ()).unwrap_err();
        assert_eq!(rejection.department, billing, "{field}");
    }
    assert_eq!(decode("[]").unwrap_err().department, None);
}

#[test]
fn a_rejection_never_repeats_what_was_written() {
    for json in [
        r#"secreto"#,
        r#"{"secreto":secreto}"#,
        r#"{"text":"secreto"#,
        r#"{"text":"secreto \ud8"}"#,
        r#"{"text":["secreto"]}"#,
        r#"{"text":"a","author":"secreto"}"#,
        r#"{"text":"a","audience":"secreto"}"#,
        r#"{"text":"a","timestamp":"secreto"}"#,
        r#"{"text":"secreto","timestamp":"9999-01-01T00:00:00Z"}"#,
        r#"["secreto"]"#,
        r#""secreto""#,
    ] {
        let rejection = decode(json).unwrap_err();
        let shown = format!("{rejection} {rejection:?}");
        assert!(!shown.contains("secreto") && rejection.detail.len() < 160, "{shown}");
    }
}

fn cloud_events() -> InputConfig {
    InputConfig {
        text: "/data/message/parts/1/body".to_owned(),
        department: "/data/queue~1name".to_owned(),
        timestamp: "/time".to_owned(),
        author: "/data/message/a~0b".to_owned(),
        audience: String::new(),
        language: "/data".to_owned(),
        ..InputConfig::default()
    }
}

#[test]
fn pointers_reach_into_objects_and_arrays() {
    let json = r#"{"specversion":"1.0","time":"2024-05-01T10:00:00Z","audience":17,
        "data":{"queue/name":"support","message":{"a~b":"bot","parts":[{"body":"no"},{"body":"sí","x":[]},3]}}}"#;
    let decoder = decoder(&cloud_events());
    let message = decoder.decode(&record(json.as_bytes()), NOW).unwrap();
    assert_eq!(message.text, "s\u{ed}");
    assert_eq!(message.department, roster().find("support").unwrap());
    assert_eq!(message.event_time, EventTime::from_millis(1_714_557_600_000));
    assert_eq!((message.author, message.audience), (Author::Bot, Audience::External), "an empty pointer is off");
    assert!(matches!(message.text, Cow::Borrowed(_)));
}

#[test]
fn a_later_duplicate_hides_all_that_stood_below_the_earlier_one() {
    let decoder = decoder(&cloud_events());
    let good = r#""data":{"message":{"parts":[1,{"body":"hola"}]}}"#;
    for (json, expected) in [
        (format!("{{{good}}}"), None),
        (format!(r#"{{"data":1,{good}}}"#), None),
        (format!(r#"{{{good},"data":1}}"#), Some(RejectReason::MissingText)),
        (format!(r#"{{{good},"data":{{}}}}"#), Some(RejectReason::MissingText)),
        (format!(r#"{{{good},"data":{{"message":{{"parts":[1]}}}}}}"#), Some(RejectReason::MissingText)),
        (format!(r#"{{"data":[{{"message":1}}],{good}}}"#), None),
    ] {
        let decoded = decoder.decode(&record(json.as_bytes()), NOW);
        assert_eq!(decoded.map(|_| ()).err().map(|rejection| rejection.reason), expected, "{json}");
    }
}

#[test]
fn who_wrote_may_be_named_by_a_text_or_a_number_and_costs_no_message() {
    let named =
        |written: &str| with(&format!(r#""customer_id":{written}"#)).unwrap().0.customer_id.map(Cow::into_owned);
    assert_eq!(named(r#""c \u00e1""#).as_deref(), Some("c á"));
    assert_eq!(named("417").as_deref(), Some("417"));
    for nobody in ["null", r#""""#, "true", "[7]", "{}"] {
        assert_eq!(named(nobody), None, "{nobody}");
    }
}

#[test]
fn a_record_is_called_by_its_own_id_or_by_where_it_stands() {
    let partition = PartitionId::new("in", 3);
    let id_of = |value: Option<&str>, pointer: &str| {
        let ids = RecordIds::new(&InputConfig { id: pointer.to_owned(), ..InputConfig::default() });
        let record = Record { value: value.map(str::as_bytes), ..record(b"{}") };
        ids.id_of(&record, &partition)
    };
    assert_eq!(id_of(Some(r#"{"text":"hola","id":"m-17"}"#), "/id"), "m-17");
    assert_eq!(id_of(Some(r#"{"id":4711}"#), "/id"), "4711");
    assert_eq!(id_of(Some(r#"{"data":{"id":"m-17"}}"#), "/data/id"), "m-17");
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(65));
    let nameless =
        [None, Some("nonsense"), Some("{}"), Some(r#"{"id":null}"#), Some(r#"{"id":"two words"}"#), Some(&*long)];
    for value in nameless {
        assert_eq!(id_of(value, "/id"), "in/3/0", "{value:?}");
    }
    assert_eq!(id_of(Some(r#"{"id":"m-17"}"#), ""), "in/3/0", "turned off");
}
