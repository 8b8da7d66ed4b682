//! Many departments under one detector: a company whose departments turn unhappy together.

use anyhow::Result;
use latido::config::{Config, DepartmentConfig, DetectConfig, Roster};
use latido::detect::{AlertChange, AlertKind, Detector, Scope, TICK};
use latido::message::EventTime;
use latido::window::Tally;

use crate::parallel;
use crate::shifts::{Found, GRACE, Incident};
use crate::world::{DAY, Effect, HOUR, MONTH, Minute, Stream, World};

/// What a company's alerts were like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// Company-wide alerts of quiet months, and these months.
    pub(crate) false_alarms: u32,
    pub(crate) months: u32,
    /// Incidents of so many departments, and how soon the company's own alert told of them.
    pub(crate) of_all: Found,
    pub(crate) of_few: Found,
    /// Departments that alerted by themselves before the company did, in incidents of all.
    pub(crate) alerted_before: usize,
}

struct Watched {
    streams: Vec<Stream>,
    detector: Detector,
    minute: i64,
}

#[derive(Default)]
struct Step {
    company: bool,
    departments: usize,
}

impl Watched {
    fn new(world: World, size: usize, seed: u64) -> Self {
        let names = (0..size).map(|place| DepartmentConfig::named(&format!("department-{place}")));
        let config = Config { departments: names.collect(), detect: DetectConfig::default(), ..Config::default() };
        let roster = Roster::new(&config);
        let seeds = (0..size as u64).map(|place| seed * 1_000 + place);
        Self {
            streams: seeds.map(|seed| Stream::new(world, seed)).collect(),
            detector: Detector::new(&config.detect, &roster),
            minute: 0,
        }
    }

    /// A minute in which so many departments, the first ones, have an incident.
    fn step(&mut self, effect: Effect, departments: usize) -> Result<Step> {
        let mut minutes = Vec::with_capacity(self.streams.len());
        for (place, stream) in self.streams.iter_mut().enumerate() {
            minutes.push(stream.next(if place < departments { effect } else { Effect::NONE })?);
        }
        self.minute += 1;
        let end = EventTime::from_millis(0).plus(TICK * u32::try_from(self.minute)?);
        let tally = |place: usize| {
            let Minute { messages, negative, frustrated } = minutes.get(place).copied().unwrap_or_default();
            Tally { messages, negative, frustrated, ..Tally::default() }
        };
        let mut step = Step::default();
        for change in self.detector.close(end, |department| tally(department.index())) {
            match change {
                AlertChange::Opened(Scope::Company, _) => step.company = true,
                AlertChange::Opened(Scope::Department(_), alert) => {
                    step.departments += usize::from(alert.kind == AlertKind::NegativeSentiment);
                }
                AlertChange::Escalated(..) | AlertChange::Closed(..) => {}
            }
        }
        Ok(step)
    }

    fn run(&mut self, minutes: i64) -> Result<u32> {
        let mut company = 0;
        for _ in 0..minutes {
            company += u32::from(self.step(Effect::NONE, 0)?.company);
        }
        Ok(company)
    }

    /// Minutes until the company's alert, if there was one, and the departments' alerts until then.
    fn incident(&mut self, incident: Incident, departments: usize) -> Result<(Option<i64>, usize)> {
        let (mut delay, mut alerted_before) = (None, 0);
        for minute in 0..incident.minutes + GRACE {
            let effect = if minute < incident.minutes { incident.effect } else { Effect::NONE };
            let step = self.step(effect, departments)?;
            if delay.is_none() {
                alerted_before += step.departments;
            }
            if step.company {
                delay.get_or_insert(minute + 1);
            }
        }
        Ok((delay, alerted_before))
    }
}

/// Watches companies for some quiet months, then with incidents of all departments and of a sixth of them, by turns.
pub(crate) fn told(
    (world, size): (World, usize),
    incident: Incident,
    seeds: std::ops::Range<u64>,
    months: u32,
) -> Result<Told> {
    const EACH: i64 = 6;
    let of_companies = parallel::map(seeds, |seed| {
        let mut watched = Watched::new(world, size, seed);
        watched.run(MONTH)?;
        let mut told = Told { months, ..Told::default() };
        told.false_alarms = watched.run(i64::from(months) * MONTH)?;
        for place in 0..EACH {
            for departments in [size, size.div_ceil(6)] {
                watched.run(2 * DAY + place * 7 * HOUR % DAY)?;
                let (delay, alerted_before) = watched.incident(incident, departments)?;
                let found = if departments < size { &mut told.of_few } else { &mut told.of_all };
                found.incidents += 1;
                found.delays.extend(delay);
                if departments == size && delay.is_some() {
                    told.alerted_before += alerted_before;
                }
            }
        }
        Ok(told)
    })?;
    let mut sum = Told::default();
    for told in of_companies {
        sum.false_alarms += told.false_alarms;
        sum.months += told.months;
        sum.alerted_before += told.alerted_before;
        sum.of_all = Found::sum(vec![sum.of_all, told.of_all]);
        sum.of_few = Found::sum(vec![sum.of_few, told.of_few]);
    }
    Ok(sum)
}
