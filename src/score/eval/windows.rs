//! How far the shares of windows are off, over windows drawn from labelled rows with few to many of the wanted ones.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

use crate::message::{SHARE_CELLS, Score, Sentiment};
use crate::score::data::Row;
use crate::score::shares::ShareTable;

/// Messages of each window.
pub const WINDOW_MESSAGES: usize = 300;
/// Wanted messages of the windows, in percent: each of these equally often.
const PERCENTS: std::ops::RangeInclusive<usize> = 5..=60;
const PERCENT_STEP: usize = 5;
/// Windows drawn for each.
const WINDOWS: usize = 50;
/// With fewer rows of either side, windows would be made of copies of a few texts.
const LEAST_ROWS: usize = 50;

/// Mean errors of a window's share, each 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WindowFigures {
    /// Windows drawn, of [`WINDOW_MESSAGES`] rows each, 5 to 60 % of them wanted.
    pub windows: usize,
    /// Mean distance of the share counted by labels from the true one.
    pub counted_error: f64,
    /// Mean distance of the adjusted share.
    pub adjusted_error: f64,
    /// Share of the windows whose 95 % interval holds the true share.
    pub interval_holds: f64,
}

/// A labelled row as a window counts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowCase {
    wanted: bool,
    said: bool,
    cell: Option<u8>,
}

impl WindowCase {
    /// Whether it is negative.
    pub(super) fn negative(row: &Row, score: &Score) -> Option<Self> {
        let wanted = row.targets.sentiment_label()? == Sentiment::Negative;
        let said = score.sentiment.label() == Sentiment::Negative;
        Some(Self { wanted, said, cell: score.share_cells.sentiment })
    }

    /// Whether it is frustrated.
    pub(super) fn frustrated(row: &Row, score: &Score) -> Option<Self> {
        let wanted = row.targets.frustrated?;
        Some(Self { wanted, said: score.is_frustrated(), cell: score.share_cells.frustration })
    }
}

impl WindowFigures {
    /// Nothing where either side has too few rows.
    pub(super) fn of(cases: &[WindowCase], table: &ShareTable, seed: u64) -> Option<Self> {
        let (wanted, others): (Vec<WindowCase>, Vec<WindowCase>) = cases.iter().partition(|case| case.wanted);
        if wanted.len() < LEAST_ROWS || others.len() < LEAST_ROWS {
            return None;
        }
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut sums = Sums::default();
        for percent in PERCENTS.step_by(PERCENT_STEP) {
            let count = WINDOW_MESSAGES * percent / 100;
            for _ in 0..WINDOWS {
                let mut window = Window::default();
                (0..count).for_each(|_| window.add(wanted[random.random_range(0..wanted.len())]));
                (count..WINDOW_MESSAGES).for_each(|_| window.add(others[random.random_range(0..others.len())]));
                sums.add(&window, table);
            }
        }
        sums.figures()
    }
}

#[derive(Default)]
struct Window {
    wanted: u32,
    said: u32,
    cells: [u64; SHARE_CELLS],
}

impl Window {
    fn add(&mut self, case: WindowCase) {
        self.wanted += u32::from(case.wanted);
        self.said += u32::from(case.said);
        if let Some(count) = case.cell.and_then(|cell| self.cells.get_mut(usize::from(cell))) {
            *count += 1;
        }
    }
}

#[derive(Default)]
struct Sums {
    windows: u32,
    counted: f64,
    adjusted: f64,
    held: u32,
}

impl Sums {
    /// A window without an estimate is none.
    fn add(&mut self, window: &Window, table: &ShareTable) {
        let Some(estimate) = table.estimate(&window.cells) else { return };
        let share = |count: u32| f64::from(count) / WINDOW_MESSAGES as f64;
        let truth = share(window.wanted);
        self.windows += 1;
        self.counted += (share(window.said) - truth).abs();
        self.adjusted += (estimate.ratio - truth).abs();
        self.held += u32::from((estimate.low..=estimate.high).contains(&truth));
    }

    fn figures(&self) -> Option<WindowFigures> {
        let mean = |sum: f64| sum / f64::from(self.windows);
        (self.windows > 0).then(|| WindowFigures {
            windows: self.windows as usize,
            counted_error: mean(self.counted),
            adjusted_error: mean(self.adjusted),
            interval_holds: mean(f64::from(self.held)),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::score::model::layout::LANGUAGE_COUNT;

    /// A scorer that is right of 8 in 10, and a table that knows it.
    fn table() -> ShareTable {
        let mut cells = [[1e-6; 3]; SHARE_CELLS];
        cells[SHARE_CELLS - 1] = [0.8, 0.2, 0.2];
        cells[0] = [0.2, 0.8, 0.2];
        cells[1] = [1e-6, 1e-6, 0.6];
        ShareTable { weights: [[[0.0; 3]; 3]; LANGUAGE_COUNT], cells, spread: 0.0 }
    }

    fn cases(of: usize) -> Vec<WindowCase> {
        let last = u8::try_from(SHARE_CELLS - 1).unwrap();
        (0..of)
            .flat_map(|at| [true, false].map(|wanted| (at, wanted)))
            .map(|(at, wanted)| {
                let said = wanted != (at % 5 == 0);
                WindowCase { wanted, said, cell: Some(if said { last } else { 0 }) }
            })
            .collect()
    }

    #[test]
    fn a_table_that_knows_the_scorers_errors_mends_the_counted_share() {
        let figures = WindowFigures::of(&cases(500), &table(), 7).unwrap();
        assert_eq!(figures.windows, 600);
        // Counted: 0.2 + 0.6 x share, so 17 points too many at 5 % and 4 too few at 60 %.
        assert!((0.05..0.1).contains(&figures.counted_error), "{figures:?}");
        assert!(figures.adjusted_error < 0.03, "{figures:?}");
        assert!(figures.interval_holds > 0.9, "{figures:?}");
    }

    #[test]
    fn too_few_rows_of_a_side_are_no_windows() {
        assert_eq!(WindowFigures::of(&cases(49), &table(), 7), None);
    }
}
