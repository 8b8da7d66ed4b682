//! `[[mutes]]`: whose alerts page nobody, and when.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands for every department, and for the company as a whole.
pub const EVERY_DEPARTMENT: &str = "*";

/// `[[mutes]]`: alerts that page nobody, by event time. They are found, listed and scored as ever, marked with the reason, and page
/// if they are still open once the mute ends. Reloaded on SIGHUP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MuteConfig {
    /// Whose alerts, by id. `["*"]`: those of all departments, and of the company as a whole (`company_wide`). Required. A department
    /// muted by its id does not count among those that make an alert of the company.
    pub departments: Vec<String>,
    /// Which kinds of alerts, such as `silence`: the label `alert` of [the metrics](metrics.md). Empty: all.
    pub kinds: Vec<String>,
    /// When it begins (RFC 3339), such as `2026-12-24T18:00:00Z`. Unset: it has always been so.
    pub from: Option<Moment>,
    /// When it ends (RFC 3339); that moment is no longer muted. Unset: never.
    pub until: Option<Moment>,
    /// Only on these days of the week, by the clock of `time_zone`; `saturday` is taken for `sat`, and so on. What crosses midnight belongs to the day on which it begins. Empty:
    /// every day.
    pub days: Vec<Day>,
    /// Only from this time of day on, such as `22:00`. Unset: from midnight on.
    pub start_time: Option<ClockTime>,
    /// Only before this time of day, up to `24:00`; before `start_time`, it is on the next day. It is the clock on the wall that counts: an
    /// hour that a change of the clocks leaves out is not muted, one that comes twice is muted twice. Unset: until midnight.
    pub end_time: Option<ClockTime>,
    /// Time zone of days and times, by IANA name. Unset: each department's own, and UTC for the company as a whole.
    pub time_zone: Option<String>,
    /// A known outage: what comes then also teaches nothing, opens no `silence`, and is no evidence for what comes afterwards.
    pub maintenance: bool,
    /// Why, for whoever misses the page: shown with each alert. No text of a customer's.
    pub reason: String,
}

/// A moment, as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String", extend("format" = "moment"))]
pub struct Moment(pub jiff::Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|error| format!("not an RFC 3339 time with its offset ({error})"))
    }
}

/// A time of day to the minute, from 00:00 to 24:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String", extend("format" = "clock"))]
pub struct ClockTime(u16);

impl ClockTime {
    /// The midnight that begins a day.
    pub const MIDNIGHT: Self = Self(0);
    /// The midnight that ends a day.
    pub const DAYS_END: Self = Self(24 * 60);

    /// Minutes since the day's midnight, 0 to 1440.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for ClockTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "not a time of day from 00:00 to 24:00".to_owned();
        // TOML's own times of day have seconds.
        let plain = text.strip_suffix(":00").filter(|plain| plain.contains(':')).unwrap_or(text);
        let (hours, minutes) = plain.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str| {
            let fits = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            fits.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = number(hours).zip(number(minutes).filter(|_| minutes.len() == 2)).ok_or_else(wrong)?;
        let time = Self(hours * 60 + minutes);
        if minutes < 60 && time <= Self::DAYS_END { Ok(time) } else { Err(wrong()) }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    #[serde(alias = "monday")]
    Mon,
    /// Tuesday.
    #[serde(alias = "tuesday")]
    Tue,
    /// Wednesday.
    #[serde(alias = "wednesday")]
    Wed,
    /// Thursday.
    #[serde(alias = "thursday")]
    Thu,
    /// Friday.
    #[serde(alias = "friday")]
    Fri,
    /// Saturday.
    #[serde(alias = "saturday")]
    Sat,
    /// Sunday.
    #[serde(alias = "sunday")]
    Sun,
}

impl Day {
    /// The name used in the config.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

impl MuteConfig {
    /// Whether it comes back: only some days, or some time of the day.
    #[must_use]
    pub fn is_recurring(&self) -> bool {
        !self.days.is_empty() || self.start_time.is_some() || self.end_time.is_some()
    }

    /// The time of day on which it begins, and the one on which it ends.
    #[must_use]
    pub fn clock_times(&self) -> (ClockTime, ClockTime) {
        (self.start_time.unwrap_or(ClockTime::MIDNIGHT), self.end_time.unwrap_or(ClockTime::DAYS_END))
    }

    /// When it is in force, in words: `sat, sun 02:00-04:00 Europe/Madrid, from 2026-12-01T00:00:00Z`.
    #[must_use]
    pub fn when(&self) -> String {
        let mut parts = Vec::new();
        if self.is_recurring() {
            let days: Vec<_> = self.days.iter().map(|day| day.as_str()).collect();
            let days = if days.is_empty() { "daily".to_owned() } else { days.join(", ") };
            let (start, end) = self.clock_times();
            let zone = self.time_zone.as_deref().unwrap_or("in the department's time zone");
            parts.push(format!("{days} {start}-{end} {zone}"));
        }
        parts.extend(self.from.map(|from| format!("from {from}")));
        parts.extend(self.until.map(|until| format!("until {until}")));
        if parts.is_empty() { "always".to_owned() } else { parts.join(", ") }
    }
}

macro_rules! as_text {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

as_text!(Moment, ClockTime);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_read_as_people_and_toml_write_it() {
        for (text, shown) in
            [("02:00", "02:00"), ("2:05", "02:05"), ("24:00", "24:00"), ("00:00", "00:00"), ("23:59:00", "23:59")]
        {
            assert_eq!(text.parse::<ClockTime>().unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "2", "02", "24:01", "12:60", "1:2", "002:00", "-1:00", "02:00:30", "2h", "+2:00", "99:99"] {
            assert!(text.parse::<ClockTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mute_says_when_it_is_in_force() {
        let when = |toml: &str| toml::from_str::<MuteConfig>(toml).unwrap().when();
        assert_eq!(when(""), "always");
        assert_eq!(when("until = '2026-12-24T18:00:00Z'"), "until 2026-12-24T18:00:00Z");
        assert_eq!(when("days = ['sat', 'sunday']"), "sat, sun 00:00-24:00 in the department's time zone");
        assert_eq!(
            when("start_time = '22:00'\nend_time = '04:00'\ntime_zone = 'UTC'\nfrom = '2026-01-01T00:00:00+01:00'"),
            "daily 22:00-04:00 UTC, from 2025-12-31T23:00:00Z"
        );
    }
}
