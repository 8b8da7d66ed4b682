//! What is normal for a department at an hour of the week.

mod bias;
mod block;
mod calendar;
mod dispersion;
mod recurring;
mod seasonal;

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::block::{BLOCK, Block, Gathering, Taught, block_of};
use self::dispersion::{Correlation, VolumeSpread};
use self::recurring::StrangeHours;
use self::seasonal::{Known, Learning, Seasonal};
use super::kind::RATIOS;
use super::tick::{Counts, Expected, SPANS};
use crate::message::EventTime;

pub(super) use self::bias::{Biased, Biases};
pub(super) use self::calendar::{Calendar, HOURS_OF_WEEK, HourOfWeek};

/// A block teaches once it is this old, and only if no alert was open until then: an incident is not noticed at once.
const TRUSTED_AFTER: Duration = SPANS[2];

/// What the prior ratio is worth, in messages. So little, because departments differ: it says 30 % ± 17 %, for example.
const PRIOR_MESSAGES: f64 = 7.0;

/// What the prior volume is worth, in hours.
const PRIOR_HOURS: f64 = 0.05;

/// The level of a ratio forgets by half in this time, or in so many messages where that takes longer.
const RATIO_HALF_LIFE: Duration = Duration::from_secs(3 * 24 * 3_600);
const RATIO_HALF_LIFE_MESSAGES: f64 = 1_500.0;

/// What no longer comes is forgotten all the same.
const LONGEST_HALF_LIFE: Duration = Duration::from_secs(90 * 24 * 3_600);

/// The level of the volume forgets by half in this time.
const VOLUME_HALF_LIFE: Duration = Duration::from_secs(4 * 24 * 3_600);

/// How many events a parent is worth in the rhythm's grids (hours of the day, by kind of day, hours of the week): departments are
/// alike in that their ratio changes by a third over the day at most, and their volume tenfold.
const RATIO_GRID_EVENTS: [f64; 3] = [30.0, 60.0, 100.0];
const VOLUME_GRID_EVENTS: [f64; 3] = [1.0, 3.0, 10.0];
const VOLUME_QUARTER_EVENTS: f64 = 30.0;
const RATIO_LEVEL_EVENTS: f64 = 100.0;
const VOLUME_LEVEL_EVENTS: f64 = 20.0;
const RHYTHM_WEEKS: f64 = 6.0;

/// A residual teaches at most as if it were so many standard deviations large.
const MOST_DEVIATIONS: f64 = 3.0;

/// How long a new normal is taken as it comes.
const ACCEPTED_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Messages after which the mean of a ratio is known well enough to learn the spread around it.
const MEAN_KNOWN_AFTER_MESSAGES: f64 = 500.0;

/// And after which anything can be said of what is within reason.
const ANY_MEAN_AFTER_MESSAGES: f64 = 200.0;

/// Blocks before a gap that may have held the beginning of an incident.
const DOUBTFUL_BLOCKS: usize = 2;

/// Volumes differ from week to week by more than within one: a level must be able to follow.
const UNKNOWN_SPREAD: f64 = 0.1;

/// What is known of a ratio at an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KnownRatio {
    /// Expected, 0 to 1.
    pub(super) ratio: f64,
    /// Standard deviation of what is expected.
    pub(super) deviation: f64,
}

/// What a department's panes have taught.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Baseline {
    /// Messages of all slices.
    seen: u64,
    taught: Taught,
    ratios: [Seasonal; RATIOS],
    /// Messages an hour.
    volume: Seasonal,
    correlations: [Correlation; RATIOS],
    spread: VolumeSpread,
    /// Start of the newest block that taught.
    as_of: Option<EventTime>,
    /// The block that is gathered now, and those that wait until they are trusted, oldest first.
    current: Block,
    waiting: VecDeque<Block>,
    gathering: Gathering,
    strange: StrangeHours,
    /// Blocks that start before these moments teach as they are: ratios, then the volume.
    accepted_until: [Option<EventTime>; RATIOS + 1],
}

impl Baseline {
    pub(super) fn new() -> Self {
        Self {
            seen: 0,
            taught: Taught::default(),
            ratios: [Seasonal::new(), Seasonal::new()],
            volume: Seasonal::new(),
            correlations: [Correlation::assumed(), Correlation::assumed()],
            spread: VolumeSpread::assumed(),
            as_of: None,
            current: Block::default(),
            waiting: VecDeque::new(),
            gathering: Gathering::default(),
            strange: StrangeHours::default(),
            accepted_until: [None; RATIOS + 1],
        }
    }

    /// Takes a slice that begins at `start`, and learns from the blocks that are trusted by now. `priors` are the ratios
    /// assumed of a department of which nothing is known.
    pub(super) fn push(
        &mut self,
        (start, length): (EventTime, Duration),
        counts: Counts,
        expected: Expected,
        calendar: &mut Calendar,
        priors: [f64; RATIOS],
    ) {
        self.seen = self.seen.saturating_add(u64::from(counts.messages));
        let number = block_of(start);
        if number != self.current.number {
            let known = Taught { this_hour: self.knows_volume(calendar.hour_of(start)), ..self.taught };
            let finished = std::mem::replace(&mut self.current, Block::at(number, known));
            if finished.seconds > 0.0 {
                self.waiting.push_back(finished);
            }
            self.learn_trusted(start, calendar, priors);
        }
        self.current.add_slice(length, counts, expected);
    }

    /// An alert is open: nothing that came so far, and has not taught yet, is usual.
    pub(super) fn distrust(&mut self) {
        self.current.is_strange = true;
        self.waiting.iter_mut().for_each(|block| block.is_strange = true);
    }

    /// Nobody knows what the latest messages would have led to.
    pub(super) fn distrust_latest(&mut self) {
        self.current.is_strange = true;
        self.waiting.iter_mut().rev().take(DOUBTFUL_BLOCKS).for_each(|block| block.is_strange = true);
    }

    /// What comes from that moment on is the new normal of these ratios, and of the volume last: the old level hardly counts, and
    /// nothing is held to be out of reason for a day.
    pub(super) fn accept_from(&mut self, moment: EventTime, accepted: [bool; RATIOS + 1]) {
        self.distrust();
        let levels = self.ratios.iter_mut().chain([&mut self.volume]);
        for ((level, until), _) in levels.zip(&mut self.accepted_until).zip(accepted).filter(|(_, accepted)| *accepted)
        {
            level.forget_level();
            *until = Some(moment.plus(ACCEPTED_FOR));
        }
    }

    /// Whether it is what it should be, wherever it came from.
    pub(super) fn is_sound(&self) -> bool {
        let mut blocks = self.waiting.iter().chain([&self.current]);
        self.taught.messages >= 0.0
            && self.taught.hours >= 0.0
            && self.ratios.iter().chain([&self.volume]).all(Seasonal::is_sound)
            && self.correlations.iter().all(Correlation::is_sound)
            && self.spread.is_sound()
            && self.gathering.is_sound()
            && blocks.all(Block::is_sound)
    }

    /// Messages of all slices so far.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Messages that taught.
    pub(super) fn taught(&self) -> f64 {
        self.taught.messages
    }

    /// Hours that taught.
    pub(super) fn taught_hours(&self) -> f64 {
        self.taught.hours
    }

    /// Whether that hour was seen on a day of its kind: a department may be closed in others.
    pub(super) fn knows_volume(&self, hour: HourOfWeek) -> bool {
        self.volume.has_seen(hour)
    }

    /// The ratio expected of a kind at an hour of the week.
    pub(super) fn ratio(&self, kind: usize, hour: HourOfWeek, prior: f64) -> KnownRatio {
        let known = self.ratios[kind].at(hour, &ratio_learning(prior));
        let ratio = known.rate.clamp(0.001, 0.999);
        // The events of a ratio are binomial, not Poisson: so much less do they vary.
        KnownRatio { ratio, deviation: ratio * (known.variance * (1.0 - ratio)).sqrt() }
    }

    /// Messages expected in a slice of that length, and the variance of their logarithm that is due to how little is known.
    pub(super) fn volume(&self, hour: HourOfWeek, length: Duration) -> Known {
        let an_hour = self.volume.at(hour, &VOLUME_LEARNING);
        Known { rate: an_hour.rate * length.as_secs_f64() / 3_600.0, ..an_hour }
    }

    /// The ratio of an average hour.
    pub(super) fn level(&self, kind: usize, prior: f64) -> f64 {
        self.ratios[kind].level(&ratio_learning(prior))
    }

    /// Messages of an average hour.
    pub(super) fn messages_an_hour(&self) -> f64 {
        self.volume.level(&VOLUME_LEARNING)
    }

    pub(super) fn correlation(&self, kind: usize, span: usize) -> f64 {
        self.correlations[kind].of(span)
    }

    pub(super) fn spread(&self, span: usize) -> f64 {
        self.spread.of(span)
    }

    pub(super) fn clumping(&self) -> f64 {
        self.spread.clumping()
    }

    fn learn_trusted(&mut self, now: EventTime, calendar: &mut Calendar, priors: [f64; RATIOS]) {
        let trusted_until = now.minus(TRUSTED_AFTER);
        while let Some(block) = self.waiting.front().copied().filter(|block| block.start() < trusted_until) {
            self.waiting.pop_front();
            let hour = calendar.hour_of(block.start());
            if block.is_strange {
                self.learn_strange(&block, hour, priors);
            } else {
                self.learn(&block, hour, priors);
            }
        }
    }

    /// What is strange teaches nothing, unless it is so time and again.
    fn learn_strange(&mut self, block: &Block, hour: HourOfWeek, priors: [f64; RATIOS]) {
        let Some(habit) = self.strange.note(hour_of_epoch(block.start())) else { return };
        for (kind, prior) in priors.into_iter().enumerate() {
            let seen = (block.as_of_first_model(kind, block.unhappy[kind]), block.messages);
            self.ratios[kind].learn_habit(hour, seen, habit, &ratio_learning(prior));
        }
        self.volume.learn_habit(hour, (block.messages, block.seconds / 3_600.0), habit, &VOLUME_LEARNING);
    }

    fn learn(&mut self, block: &Block, hour: HourOfWeek, priors: [f64; RATIOS]) {
        let accepted = self.accepted_until.map(|until| until.is_some_and(|until| block.start() < until));
        let away = self.as_of.map_or(BLOCK, |as_of| since(as_of, block.start()));
        self.as_of = Some(block.start());
        for (span, whole) in self.gathering.push(block).into_iter().enumerate() {
            if let Some(whole) = whole {
                self.learn_dispersion(span, &whole, accepted);
            }
        }
        if !accepted[RATIOS] && is_volume_known(block) {
            self.spread.learn_clumping(block.square, block.expected_messages, block.expected_square);
        }
        let hours = block.seconds / 3_600.0;
        for (kind, prior) in priors.into_iter().enumerate() {
            let unhappy = if accepted[kind] { block.unhappy[kind] } else { self.within_reason(kind, block) };
            let unhappy = block.as_of_first_model(kind, unhappy);
            let by_messages = block.messages / RATIO_HALF_LIFE_MESSAGES + half_lives(away, LONGEST_HALF_LIFE);
            let level_kept = (-half_lives(away, RATIO_HALF_LIFE).min(by_messages)).exp2();
            self.ratios[kind].learn(hour, (unhappy, block.messages), (level_kept, hours), &ratio_learning(prior));
        }
        let messages = if accepted[RATIOS] { block.messages } else { self.volume_within_reason(block) };
        let level_kept = (-half_lives(away, VOLUME_HALF_LIFE)).exp2();
        self.volume.learn(hour, (messages, hours), (level_kept, hours), &VOLUME_LEARNING);
        self.taught.messages += block.messages;
        self.taught.hours += hours;
    }

    fn learn_dispersion(&mut self, span: usize, block: &Block, accepted: [bool; RATIOS + 1]) {
        // Before the means were known, their errors would pass for spread.
        for (kind, correlation) in self.correlations.iter_mut().enumerate() {
            if !accepted[kind] && block.known.messages >= MEAN_KNOWN_AFTER_MESSAGES {
                correlation.learn(span, block.messages, block.unhappy[kind], block.expected_unhappy[kind]);
            }
        }
        if !accepted[RATIOS] && is_volume_known(block) {
            self.spread.learn(span, block.messages, block.expected_messages);
        }
    }

    /// The block's messages, within the same reason.
    fn volume_within_reason(&self, block: &Block) -> f64 {
        if !block.known.this_hour {
            return block.messages;
        }
        let expected = block.expected_messages;
        let spread = self.spread.of(0) + UNKNOWN_SPREAD;
        let most = MOST_DEVIATIONS * (expected * self.clumping() + spread * expected * expected).sqrt();
        block.messages.clamp(expected - most, expected + most.max(MOST_DEVIATIONS))
    }

    /// The block's unhappy messages, but no more than chance could explain: an incident too small for an alert is not normal
    /// either.
    fn within_reason(&self, kind: usize, block: &Block) -> f64 {
        let (messages, expected) = (block.messages, block.expected_unhappy[kind]);
        if messages <= 0.0 || block.known.messages < ANY_MEAN_AFTER_MESSAGES {
            return block.unhappy[kind];
        }
        let ratio = (expected / messages).clamp(0.0, 1.0);
        let variance = messages * ratio * (1.0 - ratio) * (1.0 + (messages - 1.0).max(0.0) * self.correlation(kind, 0));
        let most = MOST_DEVIATIONS * variance.sqrt();
        block.unhappy[kind].clamp(expected - most, expected + most.max(MOST_DEVIATIONS))
    }
}

const VOLUME_LEARNING: Learning = Learning {
    prior: 1.0,
    prior_exposure: PRIOR_HOURS,
    grid_events: VOLUME_GRID_EVENTS,
    quarter_events: Some(VOLUME_QUARTER_EVENTS),
    level_events: VOLUME_LEVEL_EVENTS,
    rhythm_weeks: RHYTHM_WEEKS,
};

fn ratio_learning(prior: f64) -> Learning {
    Learning {
        prior,
        prior_exposure: PRIOR_MESSAGES,
        grid_events: RATIO_GRID_EVENTS,
        quarter_events: None,
        level_events: RATIO_LEVEL_EVENTS,
        rhythm_weeks: RHYTHM_WEEKS,
    }
}

fn is_volume_known(block: &Block) -> bool {
    block.known.this_hour && block.known.hours >= HOURS_OF_WEEK as f64
}

fn hour_of_epoch(moment: EventTime) -> i64 {
    moment.as_millis().div_euclid(3_600_000)
}

fn since(from: EventTime, to: EventTime) -> Duration {
    Duration::from_millis(u64::try_from(to.as_millis().saturating_sub(from.as_millis())).unwrap_or_default())
}

fn half_lives(elapsed: Duration, half_life: Duration) -> f64 {
    elapsed.as_secs_f64() / half_life.as_secs_f64()
}
