//! Lasting changes that are nobody's incident: how often they page, and whether that ends.

use anyhow::Result;
use clap::ValueEnum;

use crate::parallel;
use crate::watched::Watched;
use crate::world::{DAY, Effect, HOUR, MONTH, WEEK, World};

/// What a department does from some moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Change {
    /// None, to compare with.
    Nothing,
    /// Another model scores, after a month, that calls 35 % negative in place of 20 %.
    OtherModel,
    /// The same of a third of the messages.
    MixOfModels,
    /// The same of all messages from 9 to 21 each day: a fallback while the first one is overloaded.
    Fallback,
    /// Open on working days from 9 to 17, from the first day on.
    OfficeHours,
    /// Closed at weekends after a month.
    FreeWeekends,
    /// Half of the messages negative from 18 to 19 each day, after a month.
    BadEvenings,
    /// A batch of messages each day at 9:05, as many as an hour and a half usually has, after a month.
    DailyBatch,
    /// 35 % negative after a month.
    WorseForGood,
    /// Twice the messages after a month.
    TwiceForGood,
    /// A third of the messages after a month.
    FewerForGood,
    /// Nobody writes after a month.
    GoneForGood,
    /// Nobody writes for two weeks after a month, and then all is as it was.
    TwoWeeksAway,
}

impl Change {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing (to compare with)",
            Self::OtherModel => "another model: 35 % negative by its measure",
            Self::MixOfModels => "the same of a third of the messages",
            Self::Fallback => "the same from 9 to 21",
            Self::OfficeHours => "office hours from the first day",
            Self::FreeWeekends => "closed at weekends",
            Self::BadEvenings => "50 % negative from 18 to 19",
            Self::DailyBatch => "a batch each day at 9:05",
            Self::WorseForGood => "35 % negative",
            Self::TwiceForGood => "twice the messages",
            Self::FewerForGood => "a third of the messages",
            Self::GoneForGood => "no messages any more",
            Self::TwoWeeksAway => "no messages for two weeks",
        }
    }

    /// When it begins.
    fn begins(self) -> i64 {
        if self == Self::OfficeHours { 0 } else { MONTH }
    }

    fn effect(self, minute: i64) -> Effect {
        if minute < self.begins() {
            return Effect::NONE;
        }
        let of_day = minute % DAY;
        // Minute 0 is a Thursday's.
        let is_weekend = (minute / DAY + 3) % 7 >= 5;
        let volume = |volume: f64| Effect { volume, ..Effect::NONE };
        let closed = volume(0.0);
        let other_model = |part: f64| Effect { other_model: part, ..Effect::NONE };
        match self {
            Self::OtherModel => other_model(1.0),
            Self::MixOfModels => other_model(1.0 / 3.0),
            Self::Fallback if (9 * HOUR..21 * HOUR).contains(&of_day) => other_model(1.0),
            Self::OfficeHours if is_weekend || !(9 * HOUR..17 * HOUR).contains(&of_day) => closed,
            Self::FreeWeekends if is_weekend => closed,
            Self::BadEvenings if (18 * HOUR..19 * HOUR).contains(&of_day) => {
                Effect { negative: Some(0.5), ..Effect::NONE }
            }
            Self::DailyBatch if (9 * HOUR + 5..9 * HOUR + 10).contains(&of_day) => volume(19.0),
            Self::WorseForGood => Effect { negative: Some(0.35), ..Effect::NONE },
            Self::TwiceForGood => volume(2.0),
            Self::FewerForGood => volume(0.33),
            Self::GoneForGood => closed,
            Self::TwoWeeksAway if minute < MONTH + 2 * WEEK => closed,
            _ => Effect::NONE,
        }
    }
}

/// What a department's alerts were like in the weeks after a change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Aftermath {
    /// Incidents in the first week, the three after it, and the four after those; of one department, on average.
    pub(crate) incidents: [f64; 3],
    /// Days with an alert open, of these eight weeks.
    pub(crate) days_open: f64,
}

/// Lets a change happen to departments, and watches them for eight weeks.
pub(crate) fn aftermath(change: Change, world: World, seeds: std::ops::Range<u64>) -> Result<Aftermath> {
    let count = (seeds.end - seeds.start) as f64;
    let each = parallel::map(seeds, |seed| {
        let mut watched = Watched::new(world, seed, 1.0);
        let mut aftermath = Aftermath::default();
        for minute in 0..change.begins() + 8 * WEEK {
            let step = watched.step(change.effect(minute))?;
            let Some(week) = (minute >= change.begins()).then(|| (minute - change.begins()) / WEEK) else { continue };
            let period = if week == 0 { 0 } else { if week < 4 { 1 } else { 2 } };
            aftermath.incidents[period] += f64::from(u8::from(step.incident.is_some()));
            aftermath.days_open += f64::from(u8::from(watched.is_alerting())) / DAY as f64;
        }
        Ok(aftermath)
    })?;
    let mut sum = Aftermath::default();
    for one in each {
        sum.days_open += one.days_open / count;
        for (sum, incidents) in sum.incidents.iter_mut().zip(one.incidents) {
            *sum += incidents / count;
        }
    }
    Ok(sum)
}
