//! Decoding: from a record to the message it holds, or to the reason why it holds none.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::batch::Record;
use super::pointer::{MAX_NESTING, Picker, is_too_deep};
use super::route::Router;
use super::timestamp;
use crate::config::InputConfig;
use crate::message::json::unquote;
use crate::message::{
    Audience, Author, DepartmentId, EventTime, Language, MAX_TEXT_BYTES, Message, PartitionId, RejectReason, head,
};

/// A text shorter than the longest character cannot be cut to; a validated config allows no limit of 0, and none above
/// [`MAX_TEXT_BYTES`].
const LEAST_TEXT_BYTES: usize = 4;

/// Why a record could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Rejection {
    /// The reason it is counted under.
    pub reason: RejectReason,
    /// What is wrong, in a few words; names fields and places, never what was written (INV-8).
    pub detail: String,
    /// Whose message it would have been, where the record got as far as telling.
    pub department: Option<DepartmentId>,
}

impl Rejection {
    fn new(reason: RejectReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), department: None }
    }
}

/// Turns records into messages. Cheap to clone, and shared freely between threads.
#[derive(Clone, Debug)]
pub struct Decoder {
    pointers: InputPointers,
    picker: Picker<7>,
    max_text_bytes: usize,
    future_skew: Duration,
    router: Router,
}

/// The pointers of the fields that a message keeps, to name them in rejections.
#[derive(Clone, Debug)]
struct InputPointers {
    text: Box<str>,
    timestamp: Box<str>,
    author: Box<str>,
    audience: Box<str>,
}

impl Decoder {
    /// Prepares decoding by a validated config. An empty pointer turns its field off.
    #[must_use]
    pub fn new(config: &InputConfig, router: Router) -> Self {
        let picker = Picker::new([
            &config.text,
            &config.department,
            &config.timestamp,
            &config.author,
            &config.audience,
            &config.language,
            &config.customer_id,
        ]);
        let pointers = InputPointers {
            text: config.text.as_str().into(),
            timestamp: config.timestamp.as_str().into(),
            author: config.author.as_str().into(),
            audience: config.audience.as_str().into(),
        };
        let max_text_bytes = config.max_text_bytes.clamp(LEAST_TEXT_BYTES, MAX_TEXT_BYTES);
        Self { pointers, picker, max_text_bytes, future_skew: config.future_skew.get(), router }
    }

    /// From now on that router says whose message it is.
    pub fn route_by(&mut self, router: Router) {
        self.router = router;
    }

    /// Decodes a record, borrowing its text where that is written without escapes. `now` is the wall clock.
    ///
    /// # Errors
    /// If the record cannot be used; the rejection says under which reason to count it.
    pub fn decode<'a>(&self, record: &Record<'a>, now: EventTime) -> Result<Message<'a>, Rejection> {
        let value = record.value.ok_or_else(|| Rejection::new(RejectReason::Tombstone, "the record has no value"))?;
        let json = json_object(value)?;
        let [text, department, timestamp, author, audience, language, customer] =
            self.picker.pick(json).map_err(not_json)?;

        let department = self.department(department)?;
        let with_department = |rejection| Rejection { department: Some(department), ..rejection };
        let (text, text_was_cut) = self.text(text).map_err(with_department)?;
        let event_time = self.event_time(timestamp, record.kafka_timestamp, now).map_err(with_department)?;
        Ok(Message {
            text,
            text_was_cut,
            department,
            event_time,
            author: self.author(author).map_err(with_department)?,
            audience: self.audience(audience).map_err(with_department)?,
            language: named_language(language).map_err(with_department)?,
            customer_id: Field::read(customer).ok().and_then(Field::into_name),
        })
    }

    /// Whose message a value would be, where its JSON can be read at all: `other` where it names no known department.
    #[must_use]
    pub fn department_of(&self, value: &[u8]) -> Option<DepartmentId> {
        let json = json_object(value).ok()?;
        let [_, department, ..] = self.picker.pick(json).ok()?;
        self.department(department).ok()
    }

    /// How a value names its department, where its JSON can be read at all and names one.
    #[must_use]
    pub fn department_name<'a>(&self, value: &'a [u8]) -> Option<Cow<'a, str>> {
        let json = json_object(value).ok()?;
        let [_, department, ..] = self.picker.pick(json).ok()?;
        match Field::read(department).ok()? {
            Field::Text(name) => Some(name),
            Field::Number(digits) => Some(Cow::Borrowed(digits)),
            Field::Absent | Field::Unusable => None,
        }
    }

    fn department(&self, raw: Option<&RawValue>) -> Result<DepartmentId, Rejection> {
        match Field::read(raw)? {
            Field::Text(name) => Ok(self.router.route(&name)),
            Field::Number(digits) => Ok(self.router.route(digits)),
            Field::Absent | Field::Unusable => Ok(self.router.other()),
        }
    }

    fn text<'a>(&self, raw: Option<&'a RawValue>) -> Result<(Cow<'a, str>, bool), Rejection> {
        let pointer = &self.pointers.text;
        let text = match Field::read(raw)? {
            Field::Text(text) => text,
            Field::Absent => {
                return Err(Rejection::new(RejectReason::MissingText, format!("nothing stands at `{pointer}`")));
            }
            Field::Number(_) | Field::Unusable => {
                return Err(Rejection::new(RejectReason::BadText, format!("`{pointer}` is not a string")));
            }
        };
        if text.chars().all(is_blank) {
            return Err(Rejection::new(RejectReason::EmptyText, format!("`{pointer}` holds only white space")));
        }
        Ok(cut(text, self.max_text_bytes))
    }

    fn event_time(
        &self,
        raw: Option<&RawValue>,
        kafka_timestamp: Option<EventTime>,
        now: EventTime,
    ) -> Result<EventTime, Rejection> {
        let read = match Field::read(raw)? {
            Field::Absent => return Ok(kafka_timestamp.unwrap_or(now)),
            Field::Text(text) => timestamp::from_text(&text),
            Field::Number(number) => timestamp::from_number(number),
            Field::Unusable => Err(timestamp::BadTimestamp::Unreadable),
        };
        let pointer = &self.pointers.timestamp;
        let event_time =
            read.map_err(|error| Rejection::new(RejectReason::BadTimestamp, format!("`{pointer}` {error}")))?;
        let arrival = kafka_timestamp.map_or(now, |stamped| stamped.max(now));
        if event_time > arrival.plus(self.future_skew) {
            let detail = format!("`{pointer}` is {event_time}, the record arrived at {arrival}");
            return Err(Rejection::new(RejectReason::Future, detail));
        }
        Ok(event_time)
    }

    fn author(&self, raw: Option<&RawValue>) -> Result<Author, Rejection> {
        let name = match Field::read(raw)? {
            Field::Absent => return Ok(Author::Customer),
            field => field.into_text(),
        };
        name.and_then(|text| member(Author::ALL, Author::as_str, &text)).ok_or_else(|| {
            let detail = format!("`{}` is none of customer, agent, bot", self.pointers.author);
            Rejection::new(RejectReason::BadAuthor, detail)
        })
    }

    fn audience(&self, raw: Option<&RawValue>) -> Result<Audience, Rejection> {
        let name = match Field::read(raw)? {
            Field::Absent => return Ok(Audience::External),
            field => field.into_text(),
        };
        name.and_then(|text| member(Audience::ALL, Audience::as_str, &text)).ok_or_else(|| {
            let detail = format!("`{}` is neither external nor internal", self.pointers.audience);
            Rejection::new(RejectReason::BadAudience, detail)
        })
    }
}

/// Finds what a record is called, for whoever wants to read it. Asked of few records: decoding passes it over.
#[derive(Clone, Debug)]
pub struct RecordIds {
    picker: Picker<1>,
}

impl RecordIds {
    /// A longer id is none: ids are kept.
    const MOST_BYTES: usize = 64;

    /// By a validated config.
    #[must_use]
    pub fn new(config: &InputConfig) -> Self {
        Self { picker: Picker::new([&config.id]) }
    }

    /// The record's own id, where it has one of at most 64 bytes without blanks; else `topic/partition/offset`.
    #[must_use]
    pub fn id_of(&self, record: &Record<'_>, partition: &PartitionId) -> String {
        self.own(record).unwrap_or_else(|| format!("{}/{}/{}", partition.topic, partition.partition, record.offset.0))
    }

    fn own(&self, record: &Record<'_>) -> Option<String> {
        let json = json_object(record.value?).ok()?;
        let [id] = self.picker.pick(json).ok()?;
        let id = Field::read(id).ok()?.into_name()?;
        let is_word = id.len() <= Self::MOST_BYTES && !id.chars().any(is_blank);
        is_word.then(|| id.into_owned())
    }
}

/// Checks that a value is text that can hold an object and is not nested too deeply.
fn json_object(value: &[u8]) -> Result<&str, Rejection> {
    let text = std::str::from_utf8(value).map_err(|error| {
        Rejection::new(RejectReason::NotUtf8, format!("no UTF-8 from byte {} on", error.valid_up_to()))
    })?;
    // RFC 8259 lets a reader ignore a byte order mark; some producers on Windows write one.
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_too_deep(json) {
        let detail = format!("nested deeper than {MAX_NESTING} levels");
        return Err(Rejection::new(RejectReason::NotJson, detail));
    }
    if json.trim_ascii_start().starts_with('{') {
        return Ok(json);
    }
    serde_json::from_str::<IgnoredAny>(json).map_err(not_json)?;
    Err(Rejection::new(RejectReason::NotObject, "the value is JSON, but not an object"))
}

/// Syntax errors name line and column, and nothing of the text.
fn not_json(error: serde_json::Error) -> Rejection {
    Rejection::new(RejectReason::NotJson, error.to_string())
}

/// What stands at a pointer, as far as decoding cares.
enum Field<'a> {
    /// Nothing, or null.
    Absent,
    Text(Cow<'a, str>),
    /// As it is written.
    Number(&'a str),
    /// A boolean, an object or an array.
    Unusable,
}

impl<'a> Field<'a> {
    fn read(raw: Option<&'a RawValue>) -> Result<Self, Rejection> {
        let Some(written) = raw.map(RawValue::get) else {
            return Ok(Self::Absent);
        };
        match written.as_bytes().first() {
            Some(b'n') => Ok(Self::Absent),
            Some(b'"') => unquote(written).map(Self::Text).map_err(not_json),
            Some(b'-' | b'0'..=b'9') => Ok(Self::Number(written)),
            _ => Ok(Self::Unusable),
        }
    }

    /// A text that is not empty, or a number as it is written.
    fn into_name(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            Self::Number(digits) => Some(Cow::Borrowed(digits)),
            Self::Text(_) | Self::Absent | Self::Unusable => None,
        }
    }

    fn into_text(self) -> Option<Cow<'a, str>> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// The member of that name, whatever its case.
fn member<T: Copy>(all: &[T], as_str: impl Fn(T) -> &'static str, name: &str) -> Option<T> {
    let trimmed = name.trim();
    all.iter().copied().find(|member| as_str(*member).eq_ignore_ascii_case(trimmed))
}

/// The language of a tag such as `es`, `es-MX` or `ES_mx`; what is no such tag names none.
fn named_language(raw: Option<&RawValue>) -> Result<Option<Language>, Rejection> {
    Ok(Field::read(raw)?.into_text().and_then(|tag| Language::of_tag(&tag).ok().flatten()))
}

/// White space, and characters that show nothing: controls, zero-width ones, direction marks, blank fillers.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'
                ..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
                ..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        )
}

/// Cuts a text on a character boundary; the blank start of a text that is cut is passed over, so that words are left.
fn cut(text: Cow<'_, str>, max_bytes: usize) -> (Cow<'_, str>, bool) {
    if text.len() <= max_bytes {
        return (text, false);
    }
    let start = text.len() - text.trim_start_matches(is_blank).len();
    let kept = match text {
        Cow::Borrowed(whole) => Cow::Borrowed(head(&whole[start..], max_bytes)),
        // A copy, so that a text of megabytes does not stay in memory for its head.
        Cow::Owned(whole) => Cow::Owned(head(&whole[start..], max_bytes).to_owned()),
    };
    (kept, true)
}
