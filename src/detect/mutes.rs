//! Whose alerts page nobody at a moment: a function of event time and config.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::alert::Scope;
use super::kind::{AlertKind, RATIOS};
use crate::config::{Day, EVERY_DEPARTMENT, Moment, MuteConfig, Roster};
use crate::message::{DepartmentId, EventTime};

/// The shortest time that event time tells apart.
pub(super) const INSTANT: Duration = Duration::from_millis(1);

/// The mutes of a config, by department.
#[derive(Clone, Debug, Default)]
pub struct Mutes {
    mutes: Vec<Mute>,
    /// In the roster's order.
    departments: Vec<Vec<Applied>>,
    company: Vec<Applied>,
}

/// One entry of `[[mutes]]`.
#[derive(Clone, Debug)]
struct Mute {
    reason: String,
    kinds: Vec<AlertKind>,
    from: Option<EventTime>,
    until: Option<EventTime>,
    times: Option<Times>,
    maintenance: bool,
    names_all: bool,
}

/// Days of the week and a time of day.
#[derive(Clone, Debug)]
struct Times {
    days: Vec<Weekday>,
    /// Minutes since midnight. The end comes first where midnight lies between them.
    start: u16,
    end: u16,
}

/// A mute where it applies: by its place, and in which time zone it is read.
#[derive(Clone, Debug)]
struct Applied {
    place: usize,
    zone: TimeZone,
}

/// How a slice of a department's event time stands to maintenance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Upkeep {
    /// Neither in it nor just after it.
    #[default]
    None,
    /// Some of the slice is in it.
    Ongoing,
    /// The slice is the first after it.
    JustOver,
}

impl Mutes {
    /// Those of a validated config. What names a department that is not of the roster mutes nothing there.
    #[must_use]
    pub fn new(mutes: &[MuteConfig], roster: &Roster) -> Self {
        let mut all = Self::of_company(mutes);
        for (_, known) in roster.iter() {
            all.watch(mutes, &known.id, &known.time_zone);
        }
        all
    }

    /// Those of the company alone: departments come one by one ([`Self::watch`]).
    #[must_use]
    pub fn of_company(mutes: &[MuteConfig]) -> Self {
        Self {
            mutes: mutes.iter().enumerate().map(|(place, mute)| Mute::new(place, mute)).collect(),
            departments: Vec::new(),
            company: applied(mutes, "UTC", |name| name == EVERY_DEPARTMENT),
        }
    }

    /// Takes one more department: the next number's. `mutes` are those that these were made of, `zone` is its time zone.
    pub fn watch(&mut self, mutes: &[MuteConfig], id: &str, zone: &str) {
        self.departments.push(applied(mutes, zone, |name| name == id || name == EVERY_DEPARTMENT));
    }

    /// Why an alert of that kind pages nobody at that moment; none where it pages. Of several mutes the first one counts.
    #[must_use]
    pub fn reason(&self, scope: Scope, kind: AlertKind, at: EventTime) -> Option<&str> {
        let mut in_force = self.in_force(scope, at);
        in_force.find(|mute| mute.is_about(kind)).map(|mute| &*mute.reason)
    }

    /// Which kinds of alerts page nobody at that moment, in the order of [`AlertKind::ALL`].
    #[must_use]
    pub fn muted(&self, scope: Scope, at: EventTime) -> [bool; AlertKind::ALL.len()] {
        let mut muted = [false; AlertKind::ALL.len()];
        for mute in self.in_force(scope, at) {
            for (muted, kind) in muted.iter_mut().zip(AlertKind::ALL) {
                *muted |= mute.is_about(*kind);
            }
        }
        muted
    }

    /// How the slice that ends at a moment stands to maintenance of the department.
    pub(super) fn upkeep(&self, department: DepartmentId, end: EventTime, slice: Duration) -> Upkeep {
        let start = end.minus(slice);
        if self.touches_maintenance(department, (start, end)) {
            return Upkeep::Ongoing;
        }
        let was = self.touches_maintenance(department, (start.minus(slice), start));
        if was { Upkeep::JustOver } else { Upkeep::None }
    }

    /// Which ratios of the department do not count for the company at that moment: those muted by the department's own name.
    pub(super) fn uncounted(&self, department: DepartmentId, at: EventTime) -> [bool; RATIOS] {
        let mut uncounted = [false; RATIOS];
        for mute in self.in_force(Scope::Department(department), at).filter(|mute| !mute.names_all) {
            for (uncounted, kind) in uncounted.iter_mut().zip(AlertKind::TESTED) {
                *uncounted |= mute.is_about(kind);
            }
        }
        uncounted
    }

    /// Whether that time begins or ends in maintenance. What is shorter than a slice, and within one, is overlooked.
    fn touches_maintenance(&self, department: DepartmentId, (start, end): (EventTime, EventTime)) -> bool {
        let is_maintained = |at| self.in_force(Scope::Department(department), at).any(|mute| mute.maintenance);
        is_maintained(start) || is_maintained(end.minus(INSTANT))
    }

    fn in_force(&self, scope: Scope, at: EventTime) -> impl Iterator<Item = &Mute> {
        let applied = match scope {
            Scope::Department(department) => self.departments.get(department.index()).map_or(&[][..], Vec::as_slice),
            Scope::Company => &self.company,
        };
        let mutes = applied.iter().map(|applied| (&self.mutes[applied.place], &applied.zone));
        mutes.filter(move |(mute, zone)| mute.is_in_force(at, zone)).map(|(mute, _)| mute)
    }
}

/// The mutes of some name among those that they are for.
fn applied(mutes: &[MuteConfig], own_zone: &str, is_meant: impl Fn(&str) -> bool) -> Vec<Applied> {
    let meant = mutes.iter().enumerate().filter(|(_, mute)| mute.departments.iter().any(|name| is_meant(name)));
    let zone = |mute: &MuteConfig| zone_of(mute.time_zone.as_deref().unwrap_or(own_zone));
    meant.map(|(place, mute)| Applied { place, zone: zone(mute) }).collect()
}

impl Mute {
    fn new(place: usize, config: &MuteConfig) -> Self {
        let moment = |moment: Moment| EventTime::from_millis(moment.0.as_millisecond());
        let named = |name: &String| AlertKind::ALL.iter().copied().find(|kind| kind.as_str() == name);
        let reason = if config.reason.is_empty() { format!("mutes[{place}]") } else { config.reason.clone() };
        Self {
            reason,
            kinds: config.kinds.iter().filter_map(named).collect(),
            from: config.from.map(moment),
            until: config.until.map(moment),
            times: config.is_recurring().then(|| Times::new(config)),
            maintenance: config.maintenance,
            names_all: config.departments.iter().any(|name| name == EVERY_DEPARTMENT),
        }
    }

    fn is_about(&self, kind: AlertKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    fn is_in_force(&self, at: EventTime, zone: &TimeZone) -> bool {
        self.from.is_none_or(|from| from <= at)
            && self.until.is_none_or(|until| at < until)
            && self.times.as_ref().is_none_or(|times| times.hold(at, zone))
    }
}

impl Times {
    fn new(config: &MuteConfig) -> Self {
        let (start, end) = config.clock_times();
        Self { days: config.days.iter().map(|day| weekday(*day)).collect(), start: start.minutes(), end: end.minutes() }
    }

    /// By the clock on the wall, so that no change of the clocks needs a rule of its own.
    fn hold(&self, at: EventTime, zone: &TimeZone) -> bool {
        let Ok(moment) = Timestamp::from_millisecond(at.as_millis()) else { return false };
        let local = zone.to_datetime(moment);
        let minute = u16::try_from(i16::from(local.hour()) * 60 + i16::from(local.minute())).unwrap_or_default();
        let today = local.weekday();
        if self.start < self.end {
            return self.is_on(today) && (self.start..self.end).contains(&minute);
        }
        (self.is_on(today) && minute >= self.start) || (self.is_on(today.previous()) && minute < self.end)
    }

    fn is_on(&self, day: Weekday) -> bool {
        self.days.is_empty() || self.days.contains(&day)
    }
}

fn weekday(day: Day) -> Weekday {
    match day {
        Day::Mon => Weekday::Monday,
        Day::Tue => Weekday::Tuesday,
        Day::Wed => Weekday::Wednesday,
        Day::Thu => Weekday::Thursday,
        Day::Fri => Weekday::Friday,
        Day::Sat => Weekday::Saturday,
        Day::Sun => Weekday::Sunday,
    }
}

/// A zone by its name; UTC where there is none of that name (validation has refused it).
fn zone_of(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}
