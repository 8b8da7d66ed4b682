//! What else people alert on, given every chance: its threshold is fitted to the same world until it is wrong as often as it may be.

use std::collections::VecDeque;

use anyhow::Result;
use statrs::distribution::{Binomial, DiscreteCDF as _};

use crate::parallel;
use crate::shifts::{Found, GRACE, Incident};
use crate::world::{DAY, Effect, HOUR, MONTH, Minute, Stream, World};

/// Alarms that are less than this apart are one.
const APART: i64 = 6 * HOUR;
/// What the ratio is taken of.
const WINDOW: usize = 15;
/// What is normal is taken of so many days.
const LOOK_BACK: i64 = 7 * DAY;
/// Fewer messages say nothing of a ratio.
const LEAST: u32 = 20;

/// An alert on the negative ratio of the last 15 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Above a fixed ratio, with 20 messages or more.
    Ratio,
    /// So many standard deviations above the mean of the last seven days.
    ZScore,
    /// So improbable under a binomial with the mean of the last seven days.
    Binomial,
}

impl Rule {
    pub(crate) const ALL: [Self; 3] = [Self::Ratio, Self::ZScore, Self::Binomial];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ratio => "ratio, 15 min, 20 messages",
            Self::ZScore => "rolling z-score of the ratio, 7 days",
            Self::Binomial => "plain binomial tail, 15 min",
        }
    }
}

/// A stream and what a rule makes of it.
struct Ruled {
    rule: Rule,
    stream: Stream,
    minute: i64,
    recent: VecDeque<Minute>,
    sums: (u32, u32),
    /// Ratios by minute of the last days, with their sum and their sum of squares.
    ratios: VecDeque<f64>,
    moments: (f64, f64),
    /// Messages and negative ones of the last days, minute by minute.
    past: VecDeque<(u32, u32)>,
    totals: (u64, u64),
}

impl Ruled {
    fn new(rule: Rule, world: World, seed: u64) -> Self {
        Self {
            rule,
            stream: Stream::new(world, seed),
            minute: 0,
            recent: VecDeque::new(),
            sums: (0, 0),
            ratios: VecDeque::new(),
            moments: (0.0, 0.0),
            past: VecDeque::new(),
            totals: (0, 0),
        }
    }

    /// How alarming the rule finds the minute.
    fn step(&mut self, effect: Effect) -> Result<f64> {
        let next = self.stream.next(effect)?;
        self.minute += 1;
        self.recent.push_back(next);
        self.sums.0 += next.messages;
        self.sums.1 += next.negative;
        if self.recent.len() > WINDOW
            && let Some(old) = self.recent.pop_front()
        {
            self.sums.0 -= old.messages;
            self.sums.1 -= old.negative;
        }
        let alarming = self.alarming()?;
        self.remember(next);
        Ok(alarming)
    }

    fn alarming(&self) -> Result<f64> {
        let (messages, negative) = self.sums;
        let ratio = f64::from(negative) / f64::from(messages.max(1));
        Ok(match self.rule {
            Rule::Ratio if messages < LEAST => 0.0,
            Rule::Ratio => ratio,
            Rule::ZScore => {
                let count = self.ratios.len().max(1) as f64;
                let mean = self.moments.0 / count;
                let deviation = (self.moments.1 / count - mean * mean).max(1e-6).sqrt();
                if messages == 0 { 0.0 } else { (ratio - mean) / deviation }
            }
            Rule::Binomial => {
                let usual = (self.totals.1 as f64 / self.totals.0.max(1) as f64).clamp(0.01, 0.99);
                if negative == 0 {
                    return Ok(0.0);
                }
                let p_value = Binomial::new(usual, u64::from(messages))?.sf(u64::from(negative) - 1);
                -p_value.max(f64::MIN_POSITIVE).ln()
            }
        })
    }

    fn remember(&mut self, minute: Minute) {
        let (messages, negative) = self.sums;
        if messages > 0 {
            let ratio = f64::from(negative) / f64::from(messages);
            self.ratios.push_back(ratio);
            self.moments.0 += ratio;
            self.moments.1 += ratio * ratio;
        }
        if self.ratios.len() as i64 > LOOK_BACK
            && let Some(old) = self.ratios.pop_front()
        {
            self.moments.0 -= old;
            self.moments.1 -= old * old;
        }
        self.past.push_back((minute.messages, minute.negative));
        self.totals.0 += u64::from(minute.messages);
        self.totals.1 += u64::from(minute.negative);
        if self.past.len() as i64 > LOOK_BACK
            && let Some((messages, negative)) = self.past.pop_front()
        {
            self.totals.0 -= u64::from(messages);
            self.totals.1 -= u64::from(negative);
        }
    }
}

/// The threshold at which a rule is wrong so often a month, from so many months of each seed.
pub(crate) fn threshold(
    rule: Rule,
    world: World,
    budget: f64,
    seeds: std::ops::Range<u64>,
    months: i64,
) -> Result<f64> {
    let departments = (seeds.end - seeds.start) as f64;
    let peaks = parallel::map(seeds, |seed| {
        let mut ruled = Ruled::new(rule, world, seed);
        for _ in 0..LOOK_BACK {
            ruled.step(Effect::NONE)?;
        }
        // The largest of each stretch: alarms are counted as if each stretch had one at most.
        let mut peaks = Vec::new();
        for _ in 0..months * MONTH / APART {
            let mut peak = f64::MIN;
            for _ in 0..APART {
                peak = peak.max(ruled.step(Effect::NONE)?);
            }
            peaks.push(peak);
        }
        Ok(peaks)
    })?;
    let mut peaks: Vec<f64> = peaks.into_iter().flatten().collect();
    peaks.sort_unstable_by(|one, other| other.total_cmp(one));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of alarms")]
    let allowed = (budget * departments * months as f64) as usize;
    Ok(peaks.get(allowed).copied().unwrap_or(f64::MAX))
}

/// How many of the same incidents a rule finds.
pub(crate) fn found(
    rule: Rule,
    world: World,
    incident: Incident,
    threshold: f64,
    seeds: std::ops::Range<u64>,
    each: usize,
) -> Result<Found> {
    let of_departments = parallel::map(seeds, |seed| {
        let mut ruled = Ruled::new(rule, world, seed);
        for _ in 0..LOOK_BACK {
            ruled.step(Effect::NONE)?;
        }
        let mut found = Found { incidents: each, ..Found::default() };
        for place in 0..each {
            for _ in 0..2 * DAY + (place as i64 * (7 * HOUR + 13)) % DAY {
                ruled.step(Effect::NONE)?;
            }
            let mut delay = None;
            for minute in 0..incident.minutes + GRACE {
                let effect = if minute < incident.minutes { incident.effect } else { Effect::NONE };
                if ruled.step(effect)? > threshold {
                    delay.get_or_insert(minute + 1);
                }
            }
            found.delays.extend(delay);
        }
        Ok(found)
    })?;
    Ok(Found::sum(of_departments))
}
