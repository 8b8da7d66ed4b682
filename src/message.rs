//! The words everybody shares, as types.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment in event time: milliseconds since the Unix epoch, as the customer's message dates itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventTime(i64);

impl EventTime {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch, as Prometheus wants its timestamps.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a millisecond count stays exact in f64 for 285,000 years")]
    pub const fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// This moment and a span more; stays within the representable range.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// This moment less a span; stays within the representable range.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// RFC 3339 in UTC; a moment outside the years -9999 to 9999 is shown as its milliseconds.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |moment| moment.to_string())
    }
}

/// A span in whole milliseconds, saturating.
fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for EventTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_rfc3339())
    }
}

/// Where a record stands in its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub i64);

impl Offset {
    /// The offset to read after this record.
    #[must_use]
    pub const fn next(self) -> NextOffset {
        NextOffset(self.0 + 1)
    }
}

/// The offset to read next: one past the last record taken. What is committed, saved and resumed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NextOffset(pub i64);

/// A partition of a topic. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl PartitionId {
    /// Names a partition.
    #[must_use]
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{}]", self.topic, self.partition)
    }
}

/// A department, by its place in the config's roster ([`crate::config::Roster`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DepartmentId(pub u16);

impl DepartmentId {
    /// The place in the roster, to index arrays with.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Implements the closed sets that serve as label values and JSON strings.
macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every member, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in labels, JSON and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }

            /// The member of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.as_str() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use closed_set;

pub(crate) mod json;
mod keyed;
mod language;
mod signals;
mod text;

pub use keyed::{CustomerHash, HashKey};
pub use language::NotATag;
pub use signals::{Signal, SignalSet};
pub use text::{MAX_TEXT_BYTES, head};

closed_set! {
    /// Whose voice a department hears.
    Audience {
        /// Customers of the company.
        External => "external",
        /// Other teams of the company.
        Internal => "internal",
    }
}

closed_set! {
    /// Who wrote a message. Only customers are scored.
    Author {
        /// The customer.
        Customer => "customer",
        /// A person who answers for the company.
        Agent => "agent",
        /// A program that answers for the company.
        Bot => "bot",
    }
}

closed_set! {
    /// The writer's attitude, as one word.
    Sentiment {
        /// Unhappy.
        Negative => "negative",
        /// Neither.
        Neutral => "neutral",
        /// Happy.
        Positive => "positive",
    }
}

closed_set! {
    /// The language of a text.
    Language {
        /// Spanish.
        Spanish => "es",
        /// English.
        English => "en",
        /// Portuguese.
        Portuguese => "pt",
        /// French.
        French => "fr",
        /// German.
        German => "de",
        /// Italian.
        Italian => "it",
        /// Any other, or too little text to tell; scored all the same, and counted apart.
        Other => "other",
    }
}

closed_set! {
    /// Which scorer gave a score.
    ScorerKind {
        /// The small model built into the binary.
        Embedded => "embedded",
        /// A transformer through rust-bert.
        Transformer => "transformer",
    }
}

closed_set! {
    /// Why a record could not be used.
    RejectReason {
        /// The record has no value.
        Tombstone => "tombstone",
        /// The value is not UTF-8.
        NotUtf8 => "not_utf8",
        /// The value is not JSON, or is nested too deeply.
        NotJson => "not_json",
        /// The value is JSON, but not an object.
        NotObject => "not_object",
        /// Nothing stands where the text should.
        MissingText => "missing_text",
        /// What stands where the text should is not a string.
        BadText => "bad_text",
        /// The text holds nothing but white space.
        EmptyText => "empty_text",
        /// The timestamp cannot be read as a moment.
        BadTimestamp => "bad_timestamp",
        /// The author is none of customer, agent, bot.
        BadAuthor => "bad_author",
        /// The audience is neither external nor internal.
        BadAudience => "bad_audience",
        /// The timestamp is ahead of the record's arrival by more than the allowed skew.
        Future => "future",
    }
}

/// Why a record is in the dead-letter topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterReason {
    /// It could not be used.
    Rejected(RejectReason),
    /// It was too old for any window, and late records are set aside too (`kafka.dead_letter_late`).
    Late,
}

impl LetterReason {
    const LATE: &'static str = "late";

    /// The name used in headers, JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected(reason) => reason.as_str(),
            Self::Late => Self::LATE,
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == Self::LATE { Some(Self::Late) } else { RejectReason::from_name(name).map(Self::Rejected) }
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        RejectReason::ALL.iter().map(|reason| reason.as_str()).chain([Self::LATE])
    }
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probability(f32);

impl Probability {
    /// Takes any float: clamps to 0..=1, and takes not-a-number for 0.
    #[must_use]
    pub const fn new(value: f32) -> Self {
        if value.is_nan() { Self(0.0) } else { Self(value.clamp(0.0, 1.0)) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f32 {
        self.0
    }
}

/// Probabilities of the three sentiments; they sum to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SentimentScore {
    /// P(negative).
    pub negative: Probability,
    /// P(neutral).
    pub neutral: Probability,
    /// P(positive).
    pub positive: Probability,
}

impl SentimentScore {
    /// The likeliest sentiment. On a tie the graver one: negative, then neutral.
    #[must_use]
    pub fn label(self) -> Sentiment {
        if self.negative >= self.neutral && self.negative >= self.positive {
            return Sentiment::Negative;
        }
        if self.neutral >= self.positive {
            return Sentiment::Neutral;
        }
        Sentiment::Positive
    }
}

/// From this frustration on a message counts as frustrated, everywhere.
pub const FRUSTRATED_FROM: f32 = 0.5;

/// How many cells the table has that a window's shares are estimated with, for each head.
pub const SHARE_CELLS: usize = 8;

/// The cells that a score falls in, each from 0 to [`SHARE_CELLS`] - 1. None where the model has no table of that head, or
/// knows nothing of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareCells {
    /// For the shares of the sentiments.
    pub sentiment: Option<u8>,
    /// For the share of frustration.
    pub frustration: Option<u8>,
}

/// Which model gave a score: a checksum of all that decides what it says, the model's file and the version of the scoring. Scores of two models are not comparable one by one: what is
/// normal is known for each apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelId(pub u32);

impl ModelId {
    /// Nobody knows: counts that somebody else made.
    pub const UNKNOWN: Self = Self(0);
}

/// What a scorer says of one text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The writer's attitude.
    pub sentiment: SentimentScore,
    /// How likely an obstacle stands between the customer and what they need.
    pub frustration: Probability,
    /// The text's language.
    pub language: Language,
    /// Which scorer said so.
    pub scorer: ScorerKind,
    /// Named reasons found in the text.
    pub signals: SignalSet,
    /// What a window counts to estimate its shares.
    #[serde(default)]
    pub share_cells: ShareCells,
    /// Which model of that scorer.
    #[serde(skip)]
    pub model: ModelId,
}

impl Score {
    /// Whether the message counts as frustrated.
    #[must_use]
    pub fn is_frustrated(&self) -> bool {
        self.frustration.get() >= FRUSTRATED_FROM
    }
}

/// What a person (or bot) wrote, decoded from a record; borrows from the batch's buffer where it can.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// What was written: neither empty nor longer than `ingest.max_text_bytes`.
    pub text: Cow<'a, str>,
    /// Whether the text was cut to `ingest.max_text_bytes`.
    pub text_was_cut: bool,
    /// Who owns the moment of truth.
    pub department: DepartmentId,
    /// When it was written.
    pub event_time: EventTime,
    /// Who wrote it.
    pub author: Author,
    /// Whose voice it is.
    pub audience: Audience,
    /// The language, where the record names one that we know.
    pub language: Option<Language>,
    /// Who wrote it, where the record says so: never kept but as a [`CustomerHash`].
    pub customer_id: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentiment(negative: f32, neutral: f32, positive: f32) -> SentimentScore {
        SentimentScore {
            negative: Probability::new(negative),
            neutral: Probability::new(neutral),
            positive: Probability::new(positive),
        }
    }

    #[test]
    fn the_next_offset_is_one_past_the_record() {
        assert_eq!(Offset(41).next(), NextOffset(42));
    }

    #[test]
    fn a_probability_holds_any_float_within_0_and_1() {
        assert_eq!(Probability::new(f32::NAN).get(), 0.0);
        assert_eq!(Probability::new(-3.0).get(), 0.0);
        assert_eq!(Probability::new(7.0).get(), 1.0);
        assert_eq!(Probability::new(0.25).get(), 0.25);
    }

    #[test]
    fn a_tie_goes_to_the_graver_sentiment() {
        assert_eq!(sentiment(0.4, 0.4, 0.2).label(), Sentiment::Negative);
        assert_eq!(sentiment(0.2, 0.4, 0.4).label(), Sentiment::Neutral);
        assert_eq!(sentiment(0.2, 0.3, 0.5).label(), Sentiment::Positive);
    }

    #[test]
    fn closed_sets_read_back_what_they_write() {
        for reason in RejectReason::ALL {
            assert_eq!(RejectReason::from_name(reason.as_str()), Some(*reason));
        }
        assert_eq!(Author::from_name("robot"), None);
        for name in LetterReason::names() {
            assert_eq!(LetterReason::from_name(name).map(LetterReason::as_str), Some(name));
        }
    }

    #[test]
    fn event_time_stays_in_range_at_its_ends() {
        let latest = EventTime::from_millis(i64::MAX);
        assert_eq!(latest.plus(Duration::from_secs(1)), latest);
        assert_eq!(EventTime::from_millis(0).to_rfc3339(), "1970-01-01T00:00:00Z");
    }
}
