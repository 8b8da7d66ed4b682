//! Streams of messages as departments get them, minute by minute.

use std::f64::consts::TAU;

use anyhow::{Context as _, Result};
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Beta, Binomial, Distribution as _, Gamma, Poisson, StandardNormal};
use rand_pcg::Pcg64Mcg;

pub(crate) const HOUR: i64 = 60;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const WEEK: i64 = 7 * DAY;
/// What a false-alarm budget is for.
pub(crate) const MONTH: i64 = 4 * WEEK;

/// Minutes that share the random part of their ratio and volume.
const BIN: i64 = 5;

/// Frustrated ones among negative messages, and among the others.
const FRUSTRATED_OF_NEGATIVE: f64 = 0.55;
const FRUSTRATED_OF_OTHERS: f64 = 0.05;

/// What a department's ordinary weeks look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// Messages in 5 minutes, on average over a week.
    pub(crate) volume: f64,
    /// Negative ratio of an average hour.
    pub(crate) negative: f64,
    /// How far the volume of the quietest hour is below the average, 0 to 1.
    pub(crate) night: f64,
    /// The volume of a day of the weekend, of that of a working day.
    pub(crate) weekend: f64,
    /// How far the log odds of a negative message move over the day.
    pub(crate) season: f64,
    /// Correlation of two messages of the same 5 minutes: threads, and customers who write twice.
    pub(crate) correlation: f64,
    /// Slow moods: standard deviation of the log odds, and hours until they are forgotten.
    pub(crate) mood: (f64, f64),
    /// The same of the logarithm of the volume.
    pub(crate) swing: (f64, f64),
    /// Squared coefficient of variation of the volume of 5 minutes.
    pub(crate) burst: f64,
    /// Messages that come together on average: customers who write several in a row. Their number is geometric.
    pub(crate) thread: f64,
    /// What happens beyond the ordinary that is nobody's incident.
    pub(crate) life: Life,
}

/// What is out of the ordinary, and no incident.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Life {
    /// Days with up to twice the volume, a month.
    pub(crate) campaigns: f64,
    /// Days with half the volume, a month.
    pub(crate) holidays: f64,
    /// Times a month that nothing comes in for one to three hours: a channel is down.
    pub(crate) outages: f64,
    /// How far the log odds drift in 8 weeks, there and back.
    pub(crate) drift: f64,
    /// How many hours later customers get up after 8 weeks, and how much more they write; and back again.
    pub(crate) rhythm: (f64, f64),
}

impl World {
    /// The world of the measured facts that this detector is compared with: a daily season of the ratio, a steady volume and
    /// messages that are a little alike.
    pub(crate) fn steady(volume: f64) -> Self {
        Self {
            volume,
            negative: 0.2,
            night: 0.0,
            weekend: 1.0,
            season: 0.15,
            correlation: 0.01,
            mood: (0.0, 6.0),
            swing: (0.0, 6.0),
            burst: 0.02,
            thread: 1.0,
            life: Life::default(),
        }
    }

    /// Working days and nights.
    pub(crate) fn rhythmic(volume: f64) -> Self {
        Self { night: 0.7, weekend: 0.6, mood: (0.1, 6.0), swing: (0.1, 6.0), burst: 0.05, ..Self::steady(volume) }
    }
}

/// What an incident does to a minute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect {
    /// The negative ratio of an average hour; the season still moves it.
    pub(crate) negative: Option<f64>,
    /// Part of the messages that are frustrated, whatever their sentiment; none as the world has it.
    pub(crate) frustrated: Option<f64>,
    /// What the volume is multiplied by.
    pub(crate) volume: f64,
    /// The part of the messages that another model scores, 0 to 1: it calls many more of the same messages unhappy.
    pub(crate) other_model: f64,
}

impl Effect {
    pub(crate) const NONE: Self = Self { negative: None, frustrated: None, volume: 1.0, other_model: 0.0 };
}

/// The messages of a minute.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Minute {
    pub(crate) messages: u32,
    pub(crate) negative: u32,
    pub(crate) frustrated: u32,
}

/// A stream, one minute after the other. Minute 0 is a Thursday's midnight, as in 1970.
pub(crate) struct Stream {
    world: World,
    random: Pcg64Mcg,
    minute: i64,
    mood: f64,
    swing: f64,
    bin_ratio: f64,
    bin_volume: f64,
    day_volume: f64,
    /// Until which minute nothing comes in.
    out_until: i64,
}

impl Stream {
    pub(crate) fn new(world: World, seed: u64) -> Self {
        let random = Pcg64Mcg::seed_from_u64(seed);
        Self {
            world,
            random,
            minute: 0,
            mood: 0.0,
            swing: 0.0,
            bin_ratio: 0.0,
            bin_volume: 1.0,
            day_volume: 1.0,
            out_until: 0,
        }
    }

    pub(crate) fn next(&mut self, effect: Effect) -> Result<Minute> {
        let minute = self.minute;
        self.minute += 1;
        if minute % DAY == 0 {
            self.day_volume = self.volume_of_day();
        }
        if minute % BIN == 0 {
            self.begin_bin(effect)?;
        }
        if self.is_out(minute) {
            return Ok(Minute::default());
        }
        let expected = self.world.volume / BIN as f64 * self.rhythm(minute) * self.day_volume * effect.volume;
        let mean = expected * self.bin_volume * self.swing.exp();
        if mean <= 0.0 {
            return Ok(Minute::default());
        }
        let messages = self.arrivals(mean)?;
        let negative = self.hits(messages, self.bin_ratio)?;
        let frustrated = match effect.frustrated {
            Some(ratio) => self.hits(messages, ratio)?,
            None => {
                self.hits(negative, FRUSTRATED_OF_NEGATIVE)? + self.hits(messages - negative, FRUSTRATED_OF_OTHERS)?
            }
        };
        Ok(Minute { messages, negative, frustrated })
    }

    /// Whether a channel is down, or was until half an hour ago.
    pub(crate) fn was_out(&self) -> bool {
        self.minute < self.out_until + HOUR / 2
    }

    fn is_out(&mut self, minute: i64) -> bool {
        let begins = self.world.life.outages / MONTH as f64;
        if begins > 0.0 && minute >= self.out_until && self.random.random::<f64>() < begins {
            self.out_until = minute + self.random.random_range(HOUR..3 * HOUR);
        }
        minute < self.out_until
    }

    fn arrivals(&mut self, mean: f64) -> Result<u32> {
        let thread = self.world.thread;
        let begun = Poisson::new(mean / thread).context("a volume that is no number")?.sample(&mut self.random);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a Poisson count")]
        let begun = begun as u32;
        if thread <= 1.0 {
            return Ok(begun);
        }
        let mut messages = begun;
        for _ in 0..begun {
            while self.random.random::<f64>() < 1.0 - 1.0 / thread {
                messages += 1;
            }
        }
        Ok(messages)
    }

    fn begin_bin(&mut self, effect: Effect) -> Result<()> {
        let world = self.world;
        self.mood = self.wander(self.mood, world.mood);
        self.swing = self.wander(self.swing, world.swing);
        let season = world.season * (TAU * (part_of_day(self.minute) + 0.2)).sin();
        let drift = world.life.drift * (TAU * self.minute as f64 / (16 * WEEK) as f64).sin();
        let level = logit(effect.negative.unwrap_or(world.negative));
        let mean = expit(level + season + drift + self.mood);
        self.bin_ratio = if world.correlation > 0.0 {
            let weight = (1.0 - world.correlation) / world.correlation;
            Beta::new(mean * weight, (1.0 - mean) * weight).context("a ratio of 0 or 1")?.sample(&mut self.random)
        } else {
            mean
        };
        self.bin_volume = if world.burst > 0.0 {
            Gamma::new(1.0 / world.burst, world.burst).context("bursts below 0")?.sample(&mut self.random)
        } else {
            1.0
        };
        Ok(())
    }

    /// An Ornstein-Uhlenbeck process, a bin further.
    fn wander(&mut self, value: f64, (deviation, hours): (f64, f64)) -> f64 {
        let kept = (-(BIN as f64) / (hours * HOUR as f64)).exp();
        let step: f64 = StandardNormal.sample(&mut self.random);
        kept * value + (1.0 - kept * kept).sqrt() * deviation * step
    }

    fn volume_of_day(&mut self) -> f64 {
        let (kind, size): (f64, f64) = (self.random.random(), self.random.random());
        let days = (MONTH / DAY) as f64;
        let (campaign, holiday) = (self.world.life.campaigns / days, self.world.life.holidays / days);
        if kind < campaign {
            return 1.2 + 0.8 * size;
        }
        if kind < campaign + holiday { 0.4 + 0.2 * size } else { 1.0 }
    }

    /// The volume of a minute, where the average over a week is 1.
    fn rhythm(&self, minute: i64) -> f64 {
        let world = self.world;
        let weekday = (minute / DAY + 3) % 7;
        let (later, more) = world.life.rhythm;
        let there_and_back = (TAU * minute as f64 / (16 * WEEK) as f64).sin();
        let of_day = if weekday >= 5 { world.weekend } else { 1.0 } * 7.0 / (5.0 + 2.0 * world.weekend);
        let hour = part_of_day(minute) - later / 24.0 * there_and_back;
        of_day * (1.0 + more * there_and_back) * (1.0 - world.night * (TAU * (hour - 0.1)).cos())
    }

    fn hits(&mut self, of: u32, ratio: f64) -> Result<u32> {
        let hits = Binomial::new(u64::from(of), ratio.clamp(0.0, 1.0)).context("a ratio that is no number")?;
        Ok(u32::try_from(hits.sample(&mut self.random)).unwrap_or(of))
    }
}

pub(crate) fn logit(ratio: f64) -> f64 {
    (ratio / (1.0 - ratio)).ln()
}

pub(crate) fn expit(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

fn part_of_day(minute: i64) -> f64 {
    (minute % DAY) as f64 / DAY as f64
}
