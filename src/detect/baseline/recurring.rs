//! Hours that are strange time and again: a habit, and no incident.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Hours since the epoch.
const DAY: i64 = 24;
const WEEK: i64 = 7 * DAY;

/// How far back hours are remembered.
const REMEMBERED: i64 = 3 * WEEK;

/// How an hour recurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    Daily,
    Weekly,
}

/// An hour that is strange time and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Habit {
    pub(crate) period: Period,
    /// It is taken for a habit for the first time.
    pub(crate) is_new: bool,
    /// This is its first slice.
    pub(crate) is_first_slice: bool,
}

/// The strange hours of the last three weeks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StrangeHours {
    hours: BTreeSet<i64>,
    /// Those that were strange as so often before.
    habits: BTreeSet<i64>,
}

impl StrangeHours {
    /// A slice of that hour is strange. It is a habit if the same hour was strange on two of the last three days, or in each of the
    /// last two weeks.
    pub(crate) fn note(&mut self, hour: i64) -> Option<Habit> {
        let oldest = hour.saturating_sub(REMEMBERED);
        self.hours = self.hours.split_off(&oldest);
        self.habits = self.habits.split_off(&oldest);
        self.hours.insert(hour);
        let period = self.period_of(hour)?;
        let is_new = !self.habits.iter().any(|habit| *habit != hour && is_same(*habit, hour, period));
        Some(Habit { period, is_new, is_first_slice: self.habits.insert(hour) })
    }

    fn period_of(&self, hour: i64) -> Option<Period> {
        let was_strange = |ago: i64| self.hours.contains(&hour.saturating_sub(ago));
        let days = [DAY, 2 * DAY, 3 * DAY].into_iter().filter(|ago| was_strange(*ago)).count();
        if days >= 2 && self.has_breaks(hour, DAY) {
            return Some(Period::Daily);
        }
        (was_strange(WEEK) && was_strange(2 * WEEK) && self.has_breaks(hour, WEEK)).then_some(Period::Weekly)
    }

    /// Whether a third of the time until then was as usual: what goes on and on does not recur.
    fn has_breaks(&self, hour: i64, period: i64) -> bool {
        let strange = self.hours.range(hour.saturating_sub(period)..hour).count();
        i64::try_from(strange).is_ok_and(|strange| 3 * strange <= 2 * period)
    }
}

fn is_same(one: i64, other: i64, period: Period) -> bool {
    let every = match period {
        Period::Daily => DAY,
        Period::Weekly => WEEK,
    };
    (other - one).rem_euclid(every) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_NINE: i64 = 100 * DAY + 9;

    const fn habit(period: Period, is_new: bool, is_first_slice: bool) -> Option<Habit> {
        Some(Habit { period, is_new, is_first_slice })
    }

    #[test]
    fn an_hour_is_a_habit_on_the_third_day_in_a_row_but_for_one() {
        let mut strange = StrangeHours::default();
        assert_eq!(strange.note(AT_NINE), None);
        assert_eq!(strange.note(AT_NINE + 1), None, "the next hour of the same day");
        assert_eq!(strange.note(AT_NINE + 2 * DAY), None);
        assert_eq!(strange.note(AT_NINE + 3 * DAY), habit(Period::Daily, true, true));
        assert_eq!(strange.note(AT_NINE + 3 * DAY), habit(Period::Daily, true, false), "more of that hour");
        assert_eq!(strange.note(AT_NINE + 4 * DAY), habit(Period::Daily, false, true));
    }

    #[test]
    fn an_hour_of_the_week_is_a_habit_in_the_third_week() {
        let mut strange = StrangeHours::default();
        assert_eq!(strange.note(AT_NINE), None);
        assert_eq!(strange.note(AT_NINE + WEEK), None);
        assert_eq!(strange.note(AT_NINE + 2 * WEEK), habit(Period::Weekly, true, true));
        assert_eq!(strange.note(AT_NINE + 3 * WEEK), habit(Period::Weekly, false, true));
    }

    #[test]
    fn what_goes_on_for_days_is_no_habit() {
        let mut strange = StrangeHours::default();
        assert!((0..4 * DAY).all(|hour| strange.note(AT_NINE + hour).is_none()));
    }

    #[test]
    fn weekends_are_a_habit_in_the_third_week() {
        let mut strange = StrangeHours::default();
        let mut weekend = |week: i64| (0..2 * DAY).map(|hour| strange.note(week * WEEK + hour)).collect::<Vec<_>>();
        assert!(weekend(0).into_iter().chain(weekend(1)).all(|recurs| recurs.is_none()));
        assert!(weekend(2).into_iter().all(|recurs| recurs == habit(Period::Weekly, true, true)));
    }

    #[test]
    fn what_is_strange_now_and_then_is_no_habit() {
        let mut strange = StrangeHours::default();
        for day in [0, 4, 9, 13, 20, 30] {
            assert_eq!(strange.note(AT_NINE + day * DAY), None);
        }
    }
}
