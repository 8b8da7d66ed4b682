//! Timestamps, in the forms in which producers write them.

use jiff::civil::{DateTime, Time};
use jiff::fmt::temporal::Pieces;

use crate::message::EventTime;

/// Numbers below this are seconds since the epoch (up to the year 5138), others milliseconds (from March 1973).
const MILLIS_FROM: u64 = 100_000_000_000;

/// The first millisecond of the year -9999 and the last of the year 9999: beyond lie mistaken units (microseconds).
const READABLE_MILLIS: std::ops::RangeInclusive<i64> = -377_705_116_800_000..=253_402_300_799_999;

/// The moment that Kafka has a record at; none where the producer had no clock, or counted other units than milliseconds.
pub(crate) fn from_kafka(millis: i64) -> Option<EventTime> {
    (0..=*READABLE_MILLIS.end()).contains(&millis).then(|| EventTime::from_millis(millis))
}

/// Why a timestamp cannot be read as a moment. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTimestamp {
    #[error("is neither an RFC 3339 time with its offset nor a number of seconds or milliseconds since the epoch")]
    Unreadable,
    #[error("lies beyond the year 9999; seconds or milliseconds since the epoch are expected")]
    OutOfRange,
}

/// Reads a string: RFC 3339, or a number as [`from_number`] takes it.
pub(crate) fn from_text(text: &str) -> Result<EventTime, BadTimestamp> {
    let trimmed = text.trim();
    if looks_numeric(trimmed) {
        return from_number(trimmed);
    }
    from_rfc3339(trimmed)
}

/// Reads seconds or milliseconds since the epoch, told apart by magnitude, with or without sign, fraction and exponent.
pub(crate) fn from_number(number: &str) -> Result<EventTime, BadTimestamp> {
    if let Ok(whole) = number.parse::<i64>() {
        let millis = if whole.unsigned_abs() < MILLIS_FROM { whole * 1_000 } else { whole };
        return readable(millis);
    }
    let float: f64 = number.parse().map_err(|_| BadTimestamp::Unreadable)?;
    #[expect(clippy::cast_precision_loss, reason = "a power of ten below 2^53 is exact")]
    let is_seconds = float.abs() < MILLIS_FROM as f64;
    let millis = if is_seconds { (float * 1_000.0).round() } else { float.round() };
    // The cast saturates, and what saturates is out of range; the text was numeric, so it is no NaN.
    readable(millis as i64)
}

fn readable(millis: i64) -> Result<EventTime, BadTimestamp> {
    if READABLE_MILLIS.contains(&millis) {
        return Ok(EventTime::from_millis(millis));
    }
    Err(BadTimestamp::OutOfRange)
}

/// Whether a string is a decimal number, as opposed to a date (`2024-05-01`) or to words that floats go by (`inf`).
fn looks_numeric(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(a, b)| (a, Some(b)));
    let digits_and_point = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && part.bytes().filter(|byte| *byte == b'.').count() <= 1
    };
    let exponent_digits = |part: &str| {
        let digits = part.strip_prefix(['+', '-']).unwrap_or(part);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    digits_and_point(mantissa) && exponent.is_none_or(exponent_digits)
}

/// Reads RFC 3339, lower-case `t` and `z` and a space for `T` included.
fn from_rfc3339(text: &str) -> Result<EventTime, BadTimestamp> {
    // Not `jiff::Timestamp`: its range ends on 9999-12-30, before the year 9999 sentinel that some producers write.
    let pieces = Pieces::parse(text).map_err(|_| BadTimestamp::Unreadable)?;
    let time: Time = pieces.time().ok_or(BadTimestamp::Unreadable)?;
    let offset = pieces.to_numeric_offset().ok_or(BadTimestamp::Unreadable)?;
    let local = pieces.date().to_datetime(time).duration_since(EPOCH);
    let millis = local.as_millis() - i128::from(offset.seconds()) * 1_000;
    i64::try_from(millis).map_err(|_| BadTimestamp::OutOfRange).map(EventTime::from_millis)
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(text: &str) -> Option<i64> {
        from_text(text).ok().map(EventTime::as_millis)
    }

    #[test]
    fn a_record_whose_producer_counts_microseconds_or_has_no_clock_has_no_moment_in_kafka() {
        assert_eq!(from_kafka(1_760_000_000_000), Some(EventTime::from_millis(1_760_000_000_000)));
        for millis in [-1, i64::MIN, 1_760_000_000_000_000, 1_760_000_000_000_000_000, i64::MAX] {
            assert_eq!(from_kafka(millis), None, "{millis}");
        }
    }

    #[test]
    fn rfc_3339_is_read_with_any_offset_and_in_its_looser_spellings() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-05-01T10:20:30.123Z", 1_714_558_830_123),
            ("2024-05-01T10:20:30.123456789Z", 1_714_558_830_123),
            ("2024-05-01t10:20:30.123z", 1_714_558_830_123),
            ("2024-05-01 10:20:30.123Z", 1_714_558_830_123),
            ("2024-05-01T04:20:30.123-06:00", 1_714_558_830_123),
            ("2024-05-01T15:50:30.123+05:30", 1_714_558_830_123),
            (" 2024-05-01T10:20:30.123+00:00 ", 1_714_558_830_123),
            ("1969-12-31T23:59:59Z", -1_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds_by_their_size() {
        for (text, expected) in [
            ("0", 0),
            ("1714558830", 1_714_558_830_000),
            ("1714558830123", 1_714_558_830_123),
            ("1714558830.1234", 1_714_558_830_123),
            ("1714558830123.7", 1_714_558_830_124),
            ("+1714558830", 1_714_558_830_000),
            ("-1", -1_000),
            ("-1.5", -1_500),
            ("1.714558830e9", 1_714_558_830_000),
            ("99999999999", 99_999_999_999_000),
            ("100000000000", 100_000_000_000),
            ("-62135596800000", -62_135_596_800_000),
            ("00001714558830", 1_714_558_830_000),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            " ",
            "ayer",
            "NaN",
            "inf",
            "-infinity",
            "2024-05-01",
            "2024-05-01T10:20:30",
            "10:20:30Z",
            "1.2.3",
            "1e",
            "--1",
            "+",
            ".",
            "2024-13-01T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "2024-05-01T10:20:30+99:00",
            "0x10",
            "1_000",
        ] {
            assert_eq!(from_text(text), Err(BadTimestamp::Unreadable), "{text}");
        }
        let endless = "9".repeat(400);
        for text in [
            "1e400",
            "-1e400",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
            "1714558830123456",
            "1e300",
            &endless,
        ] {
            assert_eq!(from_text(text), Err(BadTimestamp::OutOfRange), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_string_is_read_or_refused_without_a_panic(text in any::<String>()) {
            if let Ok(moment) = from_text(&text) {
                prop_assert!(moment.as_millis().unsigned_abs() < 1_000_000_000_000_000);
            }
        }

        #[test]
        fn any_number_is_read_or_refused_without_a_panic(whole in any::<i64>(), float in any::<f64>()) {
            prop_assert_eq!(from_number(&whole.to_string()).is_ok(), from_text(&whole.to_string()).is_ok());
            if let Ok(moment) = from_text(&format!("{float:?}")) {
                prop_assert!(float.is_finite() && READABLE_MILLIS.contains(&moment.as_millis()));
            }
        }

        #[test]
        fn a_moment_reads_back_from_every_form(
            moment in -62_135_596_800_000_i64..253_402_200_000_000,
            offset_minutes in -14 * 60..14 * 60,
        ) {
            let event_time = EventTime::from_millis(moment);
            prop_assert_eq!(from_text(&event_time.to_rfc3339()), Ok(event_time));
            let offset = jiff::tz::Offset::from_seconds(offset_minutes * 60).unwrap();
            let timestamp = jiff::Timestamp::from_millisecond(moment).unwrap();
            prop_assert_eq!(from_text(&timestamp.display_with_offset(offset).to_string()), Ok(event_time));
            if moment.unsigned_abs() >= MILLIS_FROM {
                prop_assert_eq!(from_text(&moment.to_string()), Ok(event_time));
            }
        }
    }
}
