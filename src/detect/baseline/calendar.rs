//! The hour of the week where a department works.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::message::EventTime;

pub(crate) const HOURS_OF_DAY: usize = 24;
pub(crate) const HOURS_OF_WEEK: usize = 7 * HOURS_OF_DAY;

/// Moments of one hour since the epoch share an hour of the week unless the zone is off by a part of an hour: then they share
/// a quarter.
const QUARTER_MILLIS: i64 = 15 * 60 * 1_000;

/// A quarter of an hour of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HourOfWeek {
    hour: u8,
    quarter: u8,
}

impl HourOfWeek {
    /// Which hour, 0 to 167: Monday from midnight on is 0.
    pub(crate) fn index(self) -> usize {
        usize::from(self.hour)
    }

    /// Which quarter of an hour of the day, 0 to 95.
    pub(crate) fn quarter_of_day(self) -> usize {
        4 * self.hour_of_day() + usize::from(self.quarter)
    }

    pub(crate) fn hour_of_day(self) -> usize {
        self.index() % HOURS_OF_DAY
    }

    /// Saturday or Sunday.
    pub(crate) fn is_weekend(self) -> bool {
        self.index() >= 5 * HOURS_OF_DAY
    }
}

/// Tells hours of the week in a time zone.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    /// The quarter of an hour asked for last: a zone's rules are not looked up each minute.
    last: Option<(i64, HourOfWeek)>,
}

impl Calendar {
    /// Of a zone by its IANA name; UTC where there is none of that name (validation has refused it).
    pub(crate) fn new(zone: &str) -> Self {
        Self { zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC), last: None }
    }

    /// The hour of the week that a moment lies in.
    pub(crate) fn hour_of(&mut self, moment: EventTime) -> HourOfWeek {
        let quarter = moment.as_millis().div_euclid(QUARTER_MILLIS);
        if let Some((known, hour)) = self.last
            && known == quarter
        {
            return hour;
        }
        let hour = self.look_up(moment);
        self.last = Some((quarter, hour));
        hour
    }

    fn look_up(&self, moment: EventTime) -> HourOfWeek {
        let Ok(timestamp) = Timestamp::from_millisecond(moment.as_millis()) else { return HourOfWeek::default() };
        let local = self.zone.to_datetime(timestamp);
        let day = local.weekday().to_monday_zero_offset();
        let hour = u8::try_from(i16::from(day) * 24 + i16::from(local.hour())).unwrap_or_default();
        HourOfWeek { hour, quarter: u8::try_from(local.minute() / 15).unwrap_or_default() }
    }
}
