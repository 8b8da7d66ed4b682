//! Tables to estimate the shares of a window with, from rows whose labels are known.

use std::collections::BTreeMap;

use crate::message::SHARE_CELLS;
use crate::score::embedded::narrow;
use crate::score::maths::{log_odds, sigmoid};
use crate::score::model::layout::LANGUAGE_COUNT;
use crate::score::shares::{CLASSES, INPUTS, ShareTable, cell_of, probabilities};

/// With fewer rows of a class there is no table.
const MIN_ROWS: usize = 50;
/// A class of a set weighs at most this many times its rows.
const MAX_CLASS_WEIGHT: f64 = 5.0;
/// How many rows the weights of all languages are worth to a language that has few of its own.
const POOLED_ROWS: f64 = 20.0;
/// Rounds of the fit; each is a step down, whatever the rows.
const ROUNDS: u32 = 200;
/// Rows that each cell is taken to have had of each class.
const SEEN_BEFORE: f64 = 0.5;
/// A set with fewer rows of either side says nothing of how sets differ.
const MIN_SET_ROWS: usize = 25;

/// A row that did not teach: what the table looks at, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShareRow {
    /// From [`crate::score::shares::sentiment_inputs`] or its like.
    pub(super) inputs: [f32; INPUTS],
    /// Its class, from 0.
    pub(super) class: usize,
    /// The place of its language.
    pub(super) language: usize,
    /// Which set it is of.
    pub(super) set: usize,
}

type Weights = [[f32; CLASSES]; INPUTS];

/// The table of these rows; none where a class has too few. It does not depend on how frequent a class is in a set. However
/// alike the sets at hand are, others differ from them by at least `least_spread` in the log odds of the wanted class.
pub(super) fn fit(rows: &[ShareRow], least_spread: f32) -> Option<ShareTable> {
    if (0..CLASSES).any(|class| rows.iter().filter(|row| row.class == class).count() < MIN_ROWS) {
        return None;
    }
    let worth = worth(rows);
    let all: Vec<usize> = (0..rows.len()).collect();
    let pooled = regress(rows, &worth, &all, [[0.0; CLASSES]; INPUTS], 1.0);
    let mut weights = [pooled; LANGUAGE_COUNT];
    for (language, weights) in weights.iter_mut().enumerate() {
        let own: Vec<usize> = all.iter().copied().filter(|&at| rows[at].language == language).collect();
        if !own.is_empty() {
            *weights = regress(rows, &worth, &own, pooled, POOLED_ROWS);
        }
    }
    let cells = cells(rows, &worth, &weights);
    Some(ShareTable { weights, cells, spread: spread(rows, &worth, &weights).max(least_spread) })
}

/// What each row counts, so that within a set and language, and over all rows, the classes count alike.
fn worth(rows: &[ShareRow]) -> Vec<f64> {
    let mut counts = BTreeMap::<(usize, usize), [f64; CLASSES]>::new();
    for row in rows {
        counts.entry((row.set, row.language)).or_default()[row.class] += 1.0;
    }
    let in_set = |row: &ShareRow| {
        let counts = &counts[&(row.set, row.language)];
        let present: f64 = counts.iter().map(|&count| if count > 0.0 { 1.0 } else { 0.0 }).sum();
        let total: f64 = counts.iter().sum();
        (total / (present * counts[row.class])).min(MAX_CLASS_WEIGHT)
    };
    let mut worth: Vec<f64> = rows.iter().map(in_set).collect();
    let mut totals = [0.0; CLASSES];
    for (row, worth) in rows.iter().zip(&worth) {
        totals[row.class] += worth;
    }
    let each = totals.iter().sum::<f64>() / 3.0;
    for (row, worth) in rows.iter().zip(&mut worth) {
        *worth *= each / totals[row.class];
    }
    worth
}

/// Logistic regression of the classes on the inputs, pulled to `towards` as if by so many rows. Steps by a bound of the
/// curvature (Böhning 1992): no step can go too far.
fn regress(rows: &[ShareRow], worth: &[f64], chosen: &[usize], towards: Weights, pull: f64) -> Weights {
    let mut curvature = [[0.0_f64; INPUTS]; INPUTS];
    for &at in chosen {
        let inputs = rows[at].inputs.map(f64::from);
        for (line, one) in curvature.iter_mut().zip(inputs) {
            for (cell, other) in line.iter_mut().zip(inputs) {
                *cell += 0.5 * worth[at] * one * other;
            }
        }
    }
    for (place, line) in curvature.iter_mut().enumerate() {
        line[place] += pull;
    }
    let mut weights = towards;
    for _ in 0..ROUNDS {
        let mut gradient = [[0.0_f64; INPUTS]; CLASSES];
        for &at in chosen {
            let row = &rows[at];
            let found = probabilities(&weights, row.inputs);
            for (class, of_class) in gradient.iter_mut().enumerate() {
                let wanted = if class == row.class { 1.0 } else { 0.0 };
                let error = worth[at] * (wanted - f64::from(found[class]));
                for (cell, input) in of_class.iter_mut().zip(row.inputs) {
                    *cell += error * f64::from(input);
                }
            }
        }
        for (class, mut of_class) in gradient.into_iter().enumerate() {
            for (input, cell) in of_class.iter_mut().enumerate() {
                *cell -= pull * f64::from(weights[input][class] - towards[input][class]);
            }
            for (input, step) in solve(curvature, of_class).into_iter().enumerate() {
                weights[input][class] += narrow(step);
            }
        }
    }
    weights
}

/// Solves a positive definite system by elimination.
fn solve(mut matrix: [[f64; INPUTS]; INPUTS], mut right: [f64; INPUTS]) -> [f64; INPUTS] {
    for pivot in 0..INPUTS {
        let above = matrix[pivot];
        for line in pivot + 1..INPUTS {
            let factor = matrix[line][pivot] / above[pivot];
            for (cell, above) in matrix[line].iter_mut().zip(above) {
                *cell -= factor * above;
            }
            right[line] -= factor * right[pivot];
        }
    }
    let mut found = [0.0; INPUTS];
    for line in (0..INPUTS).rev() {
        let known: f64 = (line + 1..INPUTS).map(|column| matrix[line][column] * found[column]).sum();
        found[line] = (right[line] - known) / matrix[line][line];
    }
    found
}

/// Part of each class in each cell, over all languages.
fn cells(rows: &[ShareRow], worth: &[f64], weights: &[Weights; LANGUAGE_COUNT]) -> [[f32; CLASSES]; SHARE_CELLS] {
    let mut sums = [[SEEN_BEFORE; CLASSES]; SHARE_CELLS];
    for (row, worth) in rows.iter().zip(worth) {
        let cell = cell_of(probabilities(&weights[row.language], row.inputs));
        sums[usize::from(cell)][row.class] += worth;
    }
    let totals: [f64; CLASSES] = std::array::from_fn(|class| sums.iter().map(|cell| cell[class]).sum());
    sums.map(|cell| std::array::from_fn(|class| narrow(cell[class] / totals[class])))
}

/// How much the log odds of the wanted class are off from set to set, beyond what chance explains.
fn spread(rows: &[ShareRow], worth: &[f64], weights: &[Weights; LANGUAGE_COUNT]) -> f32 {
    let mut sets = BTreeMap::<(usize, usize), Vec<usize>>::new();
    for (at, row) in rows.iter().enumerate() {
        sets.entry((row.set, row.language)).or_default().push(at);
    }
    let enough = |set: &&Vec<usize>| {
        let wanted = set.iter().filter(|&&at| rows[at].class == 0).count();
        wanted.min(set.len() - wanted) >= MIN_SET_ROWS
    };
    let (mut squares, mut counted) = (0.0_f64, 0.0_f64);
    for set in sets.values().filter(enough) {
        let (offset, variance) = offset(rows, worth, set, weights);
        squares += offset * offset - variance;
        counted += 1.0;
    }
    let variance = if counted > 0.0 { squares / counted } else { 0.0 };
    narrow(variance.max(0.0).sqrt())
}

/// By how much the log odds of the wanted class are too low in a set, and the variance of that: Newton's method.
fn offset(rows: &[ShareRow], worth: &[f64], set: &[usize], weights: &[Weights; LANGUAGE_COUNT]) -> (f64, f64) {
    let mut offset = 0.0_f64;
    let mut information = 1.0;
    for _ in 0..10 {
        let mut gradient = 0.0;
        information = 1e-9;
        for &at in set {
            let row = &rows[at];
            let wanted = probabilities(&weights[row.language], row.inputs)[0];
            let found = f64::from(sigmoid(log_odds(wanted) + narrow(offset)));
            let is_wanted = if row.class == 0 { 1.0 } else { 0.0 };
            gradient += worth[at] * (is_wanted - found);
            information += worth[at] * found * (1.0 - found);
        }
        offset = (offset + gradient / information).clamp(-3.0, 3.0);
    }
    (offset, 1.0 / information)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_pcg::Pcg64Mcg;

    use super::*;
    use crate::score::maths::softmax;
    use crate::score::shares::sentiment_inputs;

    /// A scorer that leans to negative, in the first language more than in the second.
    const LEANINGS: [f32; 2] = [0.8, 0.2];

    /// Probabilities that such a scorer gives a text of a class.
    fn scored(class: usize, language: usize, rng: &mut Pcg64Mcg) -> [f32; 3] {
        let mut margins: [f32; 3] = std::array::from_fn(|_| (0..4).map(|_| rng.random_range(-1.0..1.0)).sum());
        margins[class] += 1.6;
        margins[0] += LEANINGS[language];
        softmax(margins)
    }

    fn rows(rng: &mut Pcg64Mcg) -> Vec<ShareRow> {
        let row = |at: usize, rng: &mut Pcg64Mcg| {
            let (class, language) = (at % CLASSES, (at / CLASSES) % 2);
            let inputs = sentiment_inputs(scored(class, language, rng));
            ShareRow { inputs, class, language, set: at % 4 % 2 }
        };
        (0..6_000).map(|at| row(at, rng)).collect()
    }

    /// Mean error by counting labels and by the estimate, in points, and how often the interval holds the true share.
    fn errors(table: &ShareTable, language: usize, shares: [f64; 2], rng: &mut Pcg64Mcg) -> [f64; 3] {
        const WINDOWS: u32 = 200;
        const MESSAGES: u32 = 300;
        let mut sums = [0.0; 3];
        for _ in 0..WINDOWS {
            let (mut cells, mut labelled, mut negative) = ([0; SHARE_CELLS], 0, 0);
            for _ in 0..MESSAGES {
                let drawn: f64 = rng.random_range(0.0..1.0);
                let class = if drawn < shares[0] { 0 } else { 1 + usize::from(drawn >= shares[0] + shares[1]) };
                let score = scored(class, language, rng);
                negative += u32::from(class == 0);
                labelled += u32::from(score[0] >= score[1] && score[0] >= score[2]);
                cells[usize::from(table.cell(sentiment_inputs(score), language))] += 1;
            }
            let part = |count: u32| f64::from(count) / f64::from(MESSAGES);
            let found = table.estimate(&cells).unwrap();
            sums[0] += part(labelled) - part(negative);
            sums[1] += found.ratio - part(negative);
            sums[2] += if (found.low..=found.high).contains(&part(negative)) { 1.0 } else { 0.0 };
        }
        sums.map(|sum| 100.0 * sum / f64::from(WINDOWS))
    }

    #[test]
    fn the_estimate_stays_true_where_the_mix_is_not_that_of_the_rows_and_counting_does_not() {
        let mut rng = Pcg64Mcg::seed_from_u64(11);
        let table = fit(&rows(&mut rng), 0.1).unwrap();
        let mut worst_counting: f64 = 0.0;
        for language in [0, 1] {
            for shares in [[0.05, 0.75], [0.05, 0.20], [0.3, 0.6], [0.3, 0.1], [0.6, 0.2]] {
                let [counting, estimate, held] = errors(&table, language, shares, &mut rng);
                worst_counting = worst_counting.max(counting.abs());
                assert!(
                    estimate.abs() < 2.5,
                    "{language} {shares:?}: off by {estimate} points, by counting {counting}"
                );
                assert!(held >= 90.0, "{language} {shares:?}: the interval holds {held} %");
            }
        }
        assert!(worst_counting > 10.0, "counting is off by {worst_counting} points at most");
    }

    #[test]
    fn the_same_rows_give_the_same_table() {
        let rows = rows(&mut Pcg64Mcg::seed_from_u64(11));
        assert_eq!(fit(&rows, 0.1), fit(&rows, 0.1));
    }

    #[test]
    fn how_frequent_a_class_is_among_the_rows_does_not_move_the_estimate() {
        let mut rng = Pcg64Mcg::seed_from_u64(11);
        let mut rows = rows(&mut rng);
        let mut at = 0;
        rows.retain(|row| {
            at += 1;
            row.class != 0 || at % 5 == 0
        });
        let table = fit(&rows, 0.1).unwrap();
        for shares in [[0.05, 0.5], [0.5, 0.25]] {
            let [_, estimate, _] = errors(&table, 0, shares, &mut rng);
            assert!(estimate.abs() < 4.0, "{shares:?}: off by {estimate} points");
        }
    }

    #[test]
    fn too_few_rows_of_a_class_give_no_table() {
        let mut rows = rows(&mut Pcg64Mcg::seed_from_u64(11));
        rows.retain(|row| row.class != 2);
        assert_eq!(fit(&rows, 0.1), None);
    }
}
