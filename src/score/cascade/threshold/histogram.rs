//! Worths of late, by step.

use std::time::Duration;

use super::super::Worth;
use super::decay;

const HALF_LIFE: Duration = Duration::from_secs(60);

/// So many texts are remembered however long ago they came: else few texts an hour would say nothing of the next.
const KEPT: f64 = 200.0;

/// What is left of a text long gone: numbers much smaller are slow to reckon with, and never get to 0.
const NOTHING: f64 = 1e-9;

/// One bin for each step of a threshold: what lies at or above a threshold is then known without a guess, also where many texts have
/// the very same worth.
const BINS: usize = Worth::STEPS as usize;

/// Worths that were seen, those of late more.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    bins: Box<[f64]>,
    total: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { bins: vec![0.0; BINS].into_boxed_slice(), total: 0.0 }
    }
}

impl Histogram {
    pub(super) fn pass(&mut self, elapsed: Duration) {
        if elapsed.is_zero() || self.total <= KEPT {
            return;
        }
        let left = decay(elapsed, HALF_LIFE).max(KEPT / self.total);
        for bin in &mut self.bins {
            let remains = *bin * left;
            *bin = if remains < NOTHING { 0.0 } else { remains };
        }
        self.total = self.bins.iter().sum();
    }

    pub(super) fn add(&mut self, worths: &[Worth]) {
        for worth in worths {
            self.bins[usize::from(worth.step()).min(BINS - 1)] += 1.0;
            self.total += 1.0;
        }
    }

    /// Texts seen, those of long ago in part.
    pub(super) fn total(&self) -> f64 {
        self.total
    }

    /// The lowest step that no more than so many of the texts seen reach.
    pub(super) fn step_above(&self, most: f64) -> u16 {
        let mut above = 0.0;
        for (step, bin) in (1..=Worth::STEPS).zip(&self.bins).rev() {
            above += bin;
            if above > most {
                return step;
            }
        }
        0
    }
}
