//! Shifts of known size, put into a department's own history now and then to see how soon they would be found.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::tradeoff::{Budgets, FoundAfter, Runs};
use crate::detect::Detector;
use crate::message::{DepartmentId, EventTime, ModelId};
use crate::window::Tally;

/// What a shift multiplies the odds of a negative message by, and of a frustrated one.
pub(super) const ODDS: f64 = 2.5;

/// How long a shift lasts.
pub(super) const LASTS: Duration = Duration::from_secs(3 * 3_600);

/// From one shift to the next: at another hour of the week each time.
const EVERY: Duration = Duration::from_secs((2 * 24 + 7) * 3_600 + 13 * 60);

/// How long a department is learned before its first shift.
const LEARNS_FOR: Duration = Duration::from_secs(28 * 24 * 3_600);

/// The same shifts in each run.
const SEED: u64 = 0x1a71d0;

/// When the first shift may come: after 28 days, or after half of a history whose half is shorter.
pub(super) fn first(start: EventTime, last: Option<EventTime>) -> EventTime {
    let half = last.map(|last| Duration::from_millis(last.as_millis().abs_diff(start.as_millis()) / 2));
    start.plus(half.map_or(LEARNS_FOR, |half| half.min(LEARNS_FOR)))
}

/// The shifts of a department.
pub(super) struct Shifts {
    next: EventTime,
    random: Pcg64Mcg,
    running: Option<Box<Shift>>,
    /// After how long each was found, at each budget.
    pub(super) found: Vec<FoundAfter>,
    budgets: Budgets,
}

/// A shift that goes on.
struct Shift {
    detector: Detector,
    start: EventTime,
    runs: Runs,
    /// How likely a message that was none of the two becomes negative, and frustrated.
    moved: [f64; 2],
    found: FoundAfter,
}

impl Shifts {
    pub(super) fn new(department: DepartmentId, first: EventTime, budgets: &Budgets) -> Self {
        let random = Pcg64Mcg::seed_from_u64(SEED + u64::from(department.0));
        Self { next: first, random, running: None, found: Vec::new(), budgets: budgets.clone() }
    }

    /// Whether a shift is due at the start of a step.
    pub(super) fn is_due(&self, start: EventTime) -> bool {
        start >= self.next && self.running.is_none()
    }

    /// Begins a shift of a department as the detector knows it; not where it knows nothing of its ratios.
    pub(super) fn begin(&mut self, detector: &Detector, department: DepartmentId, start: EventTime, slice: Duration) {
        self.next = start.plus(EVERY);
        let outlook = detector.outlook(department);
        let Some((negative, frustrated)) = outlook.usual_negative.zip(outlook.usual_frustrated) else { return };
        self.running = Some(Box::new(Shift {
            detector: detector.fork(department),
            start,
            runs: Runs::new(slice, &self.budgets),
            moved: [negative, frustrated].map(|usual| moved_part(usual.expected)),
            found: self.budgets.none_found(),
        }));
    }

    /// Feeds a step to the shift that goes on, if one does. `is_slice_end` where the detector looks at it.
    pub(super) fn feed(&mut self, end: EventTime, (model, tally): (ModelId, Tally), is_slice_end: bool) {
        let Some(shift) = &mut self.running else { return };
        let moved = shift.move_of(tally, &mut self.random);
        // A fork's alerts are nobody's.
        drop(shift.detector.close_by_model(end, |_| [(model, moved)]));
        if is_slice_end {
            shift.note(end);
        }
        if end >= shift.start.plus(LASTS) {
            self.found.push(std::mem::take(&mut shift.found));
            self.running = None;
        }
    }

    /// Nothing was recorded for a while: what was begun cannot be judged.
    pub(super) fn abandon(&mut self) {
        self.running = None;
    }
}

impl Shift {
    fn move_of(&self, tally: Tally, random: &mut Pcg64Mcg) -> Tally {
        let more = |unhappy: u32, moved: f64, random: &mut Pcg64Mcg| {
            unhappy + hits(tally.messages.saturating_sub(unhappy), moved, random)
        };
        Tally {
            negative: more(tally.negative, self.moved[0], random),
            frustrated: more(tally.frustrated, self.moved[1], random),
            ..tally
        }
    }

    fn note(&mut self, end: EventTime) {
        let reached = self.detector.budget_reached(DepartmentId(0));
        let Some(first) = self.runs.push(reached) else { return };
        let after = Duration::from_millis(end.as_millis().abs_diff(self.start.as_millis()));
        for found in &mut self.found[first..] {
            found.get_or_insert(after);
        }
    }
}

/// Of messages that are not unhappy, the part that must become so for the odds to be [`ODDS`] times as high.
fn moved_part(ratio: f64) -> f64 {
    let shifted = ODDS * ratio / (1.0 + (ODDS - 1.0) * ratio);
    ((shifted - ratio) / (1.0 - ratio)).clamp(0.0, 1.0)
}

/// How many of some messages are hit: a binomial draw, by the waiting times between hits (Devroye 1986, X.4.3).
fn hits(of: u32, part: f64, random: &mut Pcg64Mcg) -> u32 {
    if part >= 1.0 {
        return of;
    }
    if part <= 0.0 {
        return 0;
    }
    let ln_miss = (-part).ln_1p();
    let (mut hits, mut place) = (0, 0.0);
    loop {
        let dice: f64 = random.random();
        place += ((1.0 - dice).ln() / ln_miss).floor() + 1.0;
        if place > f64::from(of) {
            return hits;
        }
        hits += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_part_multiplies_the_odds() {
        for ratio in [0.01, 0.2, 0.5, 0.9] {
            let shifted = ratio + (1.0 - ratio) * moved_part(ratio);
            let odds = shifted / (1.0 - shifted) / (ratio / (1.0 - ratio));
            assert!((odds - ODDS).abs() < 1e-9, "{ratio}: {odds}");
        }
    }

    #[test]
    fn hits_are_as_many_as_their_part_says_and_never_more_than_there_are() {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        for (of, part) in [(1_000, 0.2), (10, 0.9), (3, 0.01), (0, 0.5)] {
            let draws: Vec<u32> = (0..2_000).map(|_| hits(of, part, &mut random)).collect();
            assert!(draws.iter().all(|hits| *hits <= of));
            let mean = f64::from(draws.iter().sum::<u32>()) / 2_000.0;
            let deviation = (f64::from(of) * part * (1.0 - part) / 2_000.0).sqrt();
            assert!((mean - f64::from(of) * part).abs() <= 5.0 * deviation + 1e-9, "{of} {part}: {mean}");
        }
    }

    #[test]
    fn the_first_shift_comes_after_28_days_or_half_of_a_shorter_history() {
        let day = |days: u64| EventTime::from_millis(0).plus(Duration::from_secs(days * 86_400));
        assert_eq!(first(day(0), Some(day(365))), day(28));
        assert_eq!(first(day(0), Some(day(20))), day(10));
        assert_eq!(first(day(0), None), day(28));
    }
}
