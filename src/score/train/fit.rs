//! The weights, by AdaGrad.

use rand::seq::SliceRandom;
use rand::{RngExt as _, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::corpus::{Corpus, Example};
use super::errors::errors;
use super::warm;
use crate::score::embedded::{family_length, narrow};
use crate::score::maths::ln;
use crate::score::model::layout::{CHANNELS, LANGUAGE, OUTPUTS, Outputs, POOLED, Pooled, RARITY};
use crate::score::model::{Dense, EmbeddedModel};
use crate::score::recipe::Recipe;

/// Largest squared inverse document frequency in units of its quantised channel.
pub(super) const MAX_RARITY_UNITS: f32 = 127.0;

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 1_024;

/// Outputs on which a set may have a leaning of its own: all but the languages.
type Leaning = [f32; LANGUAGE];

/// Weights while they are learned. The last channel of a row holds a feature's inverse document frequency, 0 where left out.
pub(super) struct Fit<'a> {
    pub(super) rows: Vec<[f32; CHANNELS]>,
    pub(super) biases: Outputs,
    pub(super) dense: Dense,
    /// What one unit of the quantised squared inverse document frequency is worth.
    pub(super) rarity_unit: f32,
    /// The model that features are drawn to; without one, to 0.
    pub(super) base: Option<&'a EmbeddedModel>,
    pub(super) squares: Vec<Pooled>,
    bias_squares: Outputs,
    dense_squares: Dense,
    /// What each set adds to the outputs: learned, so that its mix of labels does not shift the model, and left behind.
    leanings: Vec<Leaning>,
    leaning_squares: Vec<Leaning>,
}

/// What one text gave on its way through the model.
struct Forward {
    lengths: [f32; 2],
    pooled: Pooled,
    /// Hidden units that fire, with their activations.
    active: Vec<(usize, f32)>,
    outputs: Outputs,
}

impl Fit<'_> {
    pub(super) fn new(corpus: &Corpus, recipe: &Recipe) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(recipe.seed ^ 0x6c61_7469_646f);
        let (mut rows, rarity_unit) = rarities(corpus, recipe);
        // Channels that only the hidden units read must not all start alike.
        for row in &mut rows {
            row[OUTPUTS..POOLED].iter_mut().for_each(|weight| *weight = around_zero(&mut random) * 0.15);
        }
        Self::cold(rows, first_dense(recipe.hidden, &mut random), rarity_unit, corpus.sets)
    }

    /// These weights, of which nothing was learned yet.
    pub(super) fn cold(rows: Vec<[f32; CHANNELS]>, dense: Dense, rarity_unit: f32, sets: usize) -> Self {
        Self {
            squares: vec![[0.0; POOLED]; rows.len()],
            rows,
            biases: [0.0; OUTPUTS],
            dense_squares: filled_dense(dense.bias.len(), 0.0),
            dense,
            rarity_unit,
            base: None,
            bias_squares: [0.0; OUTPUTS],
            leanings: vec![[0.0; LANGUAGE]; sets],
            leaning_squares: vec![[0.0; LANGUAGE]; sets],
        }
    }

    /// As if the biases and hidden units had moved before, with these squared gradients.
    pub(super) fn expect_squares(&mut self, squares: f32) {
        self.bias_squares = [squares; OUTPUTS];
        self.dense_squares = filled_dense(self.dense.bias.len(), squares);
    }

    pub(super) fn run(&mut self, corpus: &Corpus, recipe: &Recipe, progress: &mut dyn FnMut(u64, u64)) {
        let mut order: Vec<usize> = (0..corpus.examples.len()).collect();
        let mut random = Pcg64Mcg::seed_from_u64(recipe.seed);
        let total = order.len() as u64 * u64::from(recipe.epochs);
        let mut done = 0;
        for _ in 0..recipe.epochs {
            order.shuffle(&mut random);
            for &at in &order {
                let rate = recipe.learning_rate * falling(done, total);
                self.learn(corpus, &corpus.examples[at], rate, recipe);
                done += 1;
                if done % REPORT_ROWS == 0 {
                    progress(done, total);
                }
            }
        }
        progress(total, total);
    }

    /// What the model says of an example before rounding, without its set's leaning.
    #[cfg(test)]
    pub(super) fn outputs(&self, corpus: &Corpus, example: &Example) -> Outputs {
        let mut outputs = self.forward(corpus.families(example), example).outputs;
        for (output, leaning) in outputs.iter_mut().zip(&self.leanings[example.set]) {
            *output -= leaning;
        }
        outputs
    }

    fn learn(&mut self, corpus: &Corpus, example: &Example, rate: f32, recipe: &Recipe) {
        let families = corpus.families(example);
        let forward = self.forward(families, example);
        let errors = errors(&forward.outputs, example, recipe);
        if errors.iter().all(|&error| error == 0.0) {
            return;
        }
        let pull = if self.base.is_some() { recipe.anchor } else { recipe.l2 };
        let by_pooled = self.step_dense(&forward, &errors, rate * recipe.dense_rate);
        for (family, length) in families.into_iter().zip(forward.lengths) {
            if length > 0.0 {
                self.step_features(family, by_pooled.map(|error| error / length), rate, pull);
            }
        }
        self.step_biases(&errors, example, rate);
    }

    fn forward(&self, families: [&[u32]; 2], example: &Example) -> Forward {
        let lengths = self.lengths(families);
        let pooled = self.pooled(families, lengths);
        let mut biases = self.biases;
        for (bias, leaning) in biases.iter_mut().zip(&self.leanings[example.set]) {
            *bias += leaning;
        }
        let mut active = Vec::with_capacity(self.dense.bias.len());
        let outputs = self.dense.outputs(biases, &pooled, &mut |unit, activation| active.push((unit, activation)));
        Forward { lengths, pooled, active, outputs }
    }

    fn lengths(&self, families: [&[u32]; 2]) -> [f32; 2] {
        std::array::from_fn(|family| {
            let squared: f32 =
                families[family].iter().map(|&feature| self.rows[feature as usize][RARITY].powi(2)).sum();
            narrow(family_length(family, f64::from(squared)))
        })
    }

    fn pooled(&self, families: [&[u32]; 2], lengths: [f32; 2]) -> Pooled {
        let mut pooled = [0.0; POOLED];
        for (family, length) in families.into_iter().zip(lengths).filter(|(_, length)| *length > 0.0) {
            for &feature in family {
                let row = &self.rows[feature as usize];
                let factor = row[RARITY] / length;
                for (sum, weight) in pooled.iter_mut().zip(row) {
                    *sum += weight * factor;
                }
            }
        }
        pooled
    }

    /// Moves the hidden units; gives the derivative of the loss by the pooled channels as they were.
    fn step_dense(&mut self, forward: &Forward, errors: &Outputs, rate: f32) -> Pooled {
        let mut by_pooled = [0.0; POOLED];
        by_pooled[..OUTPUTS].copy_from_slice(errors);
        for &(unit, activation) in &forward.active {
            let output = &mut self.dense.output[unit];
            let by_unit: f32 = errors.iter().zip(output.iter()).map(|(error, weight)| error * weight).sum();
            let squares = &mut self.dense_squares.output[unit];
            for ((weight, squares), error) in output.iter_mut().zip(squares).zip(errors) {
                adagrad(weight, squares, error * activation, rate);
            }
            let (input, squares) = (&mut self.dense.input[unit], &mut self.dense_squares.input[unit]);
            for channel in 0..POOLED {
                by_pooled[channel] += by_unit * input[channel];
                adagrad(&mut input[channel], &mut squares[channel], by_unit * forward.pooled[channel], rate);
            }
            adagrad(&mut self.dense.bias[unit], &mut self.dense_squares.bias[unit], by_unit, rate);
        }
        by_pooled
    }

    fn step_features(&mut self, family: &[u32], errors: Pooled, rate: f32, l2: f32) {
        for &feature in family {
            let row = &mut self.rows[feature as usize];
            let rarity = row[RARITY];
            if rarity == 0.0 {
                continue;
            }
            let squares = &mut self.squares[feature as usize];
            let home = self.base.map_or([0.0; POOLED], |base| warm::weights(base, feature as usize));
            for channel in 0..POOLED {
                let gradient = errors[channel] * rarity + l2 * (row[channel] - home[channel]);
                adagrad(&mut row[channel], &mut squares[channel], gradient, rate);
            }
        }
    }

    fn step_biases(&mut self, errors: &Outputs, example: &Example, rate: f32) {
        for ((bias, squares), &error) in self.biases.iter_mut().zip(&mut self.bias_squares).zip(errors) {
            adagrad(bias, squares, error, rate);
        }
        // Beside a base, a set of one class has nothing else to say than its mix.
        if example.reference || (self.base.is_some() && !example.all_sentiments) {
            return;
        }
        let leaning = self.leanings[example.set].iter_mut().zip(&mut self.leaning_squares[example.set]);
        for ((bias, squares), &error) in leaning.zip(errors) {
            adagrad(bias, squares, error, rate);
        }
    }
}

#[inline]
fn adagrad(weight: &mut f32, squares: &mut f32, gradient: f32, rate: f32) {
    *squares += gradient * gradient;
    *weight -= rate * gradient / (squares.sqrt() + 1e-6);
}

/// From 1 to a tenth.
#[expect(clippy::cast_precision_loss, reason = "a share of the work needs no more digits")]
fn falling(done: u64, total: u64) -> f32 {
    1.0 - 0.9 * (done as f32 / total.max(1) as f32)
}

fn filled_dense(hidden: usize, number: f32) -> Dense {
    Dense { input: vec![[number; POOLED]; hidden], bias: vec![number; hidden], output: vec![[number; OUTPUTS]; hidden] }
}

fn first_dense(hidden: usize, random: &mut Pcg64Mcg) -> Dense {
    let mut dense = filled_dense(hidden, 0.0);
    dense.input.as_flattened_mut().iter_mut().for_each(|weight| *weight = around_zero(random) * 0.18);
    dense.output.as_flattened_mut().iter_mut().for_each(|weight| *weight = around_zero(random) * 0.1);
    dense
}

/// Evenly from -1 to 1.
fn around_zero(random: &mut Pcg64Mcg) -> f32 {
    random.random::<f32>() * 2.0 - 1.0
}

/// Rows with each feature's inverse document frequency, rounded as the model file will hold it.
#[expect(clippy::cast_precision_loss, reason = "counts of texts are small")]
fn rarities(corpus: &Corpus, recipe: &Recipe) -> (Vec<[f32; CHANNELS]>, f32) {
    let counts = corpus.text_counts(recipe.bits);
    let texts = corpus.examples.len() as f32;
    let squared = |count: u32| {
        if count < recipe.min_texts.max(1) {
            return 0.0;
        }
        (ln((1.0 + texts) / (1.0 + count as f32)) + 1.0).powi(2)
    };
    let largest = counts.iter().map(|&count| squared(count)).fold(f32::MIN_POSITIVE, f32::max);
    let unit = largest / MAX_RARITY_UNITS;
    let rows = counts
        .iter()
        .map(|&count| {
            let mut row = [0.0; CHANNELS];
            row[RARITY] = ((squared(count) / unit).round() * unit).sqrt();
            row
        })
        .collect();
    (rows, unit)
}
