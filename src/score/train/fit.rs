//! The three heads' weights, by AdaGrad.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

use super::corpus::{Corpus, Example};
use crate::score::embedded::{family_length, language_margins, narrow, sigmoid, softmax};
use crate::score::model::{CHANNELS, FRUSTRATION, LANGUAGE, RARITY, SENTIMENT};
use crate::score::recipe::Recipe;

/// Largest squared inverse document frequency in units of its quantised channel.
const RARITY_UNITS: f32 = 127.0;

/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 1_024;

/// Sentiments and frustration come first among the channels, so that zipping pairs them with the language biases.
const _: () = assert!(SENTIMENT == 0 && FRUSTRATION == 3);

type Weights = [f32; CHANNELS];

/// Weights while they are learned. The last channel holds a feature's inverse document frequency, 0 where left out.
pub(super) struct Fit {
    pub(super) rows: Vec<Weights>,
    pub(super) biases: [f32; RARITY],
    pub(super) language_biases: [[f32; 4]; 4],
    /// What one unit of the quantised squared inverse document frequency is worth.
    pub(super) rarity_unit: f32,
    squares: Vec<Weights>,
    bias_squares: [f32; RARITY],
    language_bias_squares: [[f32; 4]; 4],
}

impl Fit {
    pub(super) fn new(corpus: &Corpus, recipe: &Recipe) -> Self {
        let (rows, rarity_unit) = rarities(corpus, recipe);
        Self {
            squares: vec![[0.0; CHANNELS]; rows.len()],
            rows,
            biases: [0.0; RARITY],
            language_biases: [[0.0; 4]; 4],
            rarity_unit,
            bias_squares: [0.0; RARITY],
            language_bias_squares: [[0.0; 4]; 4],
        }
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
                self.learn(corpus, &corpus.examples[at], rate, recipe.l2);
                done += 1;
                if done % REPORT_ROWS == 0 {
                    progress(done, total);
                }
            }
        }
        progress(total, total);
    }

    /// Probabilities of negative, neutral, positive before rounding to 8 bits.
    #[cfg(test)]
    pub(super) fn sentiment(&self, corpus: &Corpus, example: &Example) -> [f32; 3] {
        let families = corpus.families(example);
        let margins = self.margins(families, self.lengths(families), example);
        softmax([margins[0], margins[1], margins[2]])
    }

    fn learn(&mut self, corpus: &Corpus, example: &Example, rate: f32, l2: f32) {
        let families = corpus.families(example);
        let lengths = self.lengths(families);
        let margins = self.margins(families, lengths, example);
        let errors = errors(&margins, example);
        if errors.iter().all(|&error| error == 0.0) {
            return;
        }
        for (family, length) in families.into_iter().zip(lengths) {
            if length > 0.0 {
                self.step_features(family, errors.map(|error| error / length), rate, l2);
            }
        }
        self.step_biases(&errors, example, rate);
    }

    fn lengths(&self, families: [&[u32]; 2]) -> [f32; 2] {
        std::array::from_fn(|family| {
            let squared: f32 =
                families[family].iter().map(|&feature| self.rows[feature as usize][RARITY].powi(2)).sum();
            narrow(family_length(family, f64::from(squared)))
        })
    }

    fn margins(&self, families: [&[u32]; 2], lengths: [f32; 2], example: &Example) -> [f32; RARITY] {
        let mut margins = self.biases;
        if let Some(language) = example.language_index() {
            for (margin, bias) in margins.iter_mut().zip(self.language_biases[language]) {
                *margin += bias;
            }
        }
        for (family, length) in families.into_iter().zip(lengths) {
            if length == 0.0 {
                continue;
            }
            let mut sums = [0.0; CHANNELS];
            for &feature in family {
                let row = &self.rows[feature as usize];
                for channel in 0..RARITY {
                    sums[channel] += row[channel] * row[RARITY];
                }
            }
            for channel in 0..RARITY {
                margins[channel] += sums[channel] / length;
            }
        }
        margins
    }

    fn step_features(&mut self, family: &[u32], errors: [f32; RARITY], rate: f32, l2: f32) {
        for &feature in family {
            let row = &mut self.rows[feature as usize];
            let squares = &mut self.squares[feature as usize];
            let rarity = row[RARITY];
            for channel in 0..RARITY {
                if errors[channel] == 0.0 {
                    continue;
                }
                let gradient = errors[channel] * rarity + l2 * row[channel];
                squares[channel] += gradient * gradient;
                row[channel] -= rate * gradient / (squares[channel].sqrt() + 1e-6);
            }
        }
    }

    fn step_biases(&mut self, errors: &[f32; RARITY], example: &Example, rate: f32) {
        let own = self.biases.iter_mut().zip(&mut self.bias_squares);
        for ((bias, squares), &error) in own.zip(errors) {
            adagrad(bias, squares, error, rate);
        }
        let Some(language) = example.language_index() else { return };
        // Of the language's biases there are as many as there are channels up to frustration.
        let of_language = self.language_biases[language].iter_mut().zip(&mut self.language_bias_squares[language]);
        for ((bias, squares), &error) in of_language.zip(errors) {
            adagrad(bias, squares, error, rate);
        }
    }
}

fn adagrad(weight: &mut f32, squares: &mut f32, gradient: f32, rate: f32) {
    *squares += gradient * gradient;
    *weight -= rate * gradient / (squares.sqrt() + 1e-6);
}

/// From 1 to a tenth.
#[expect(clippy::cast_precision_loss, reason = "a share of the work needs no more digits")]
fn falling(done: u64, total: u64) -> f32 {
    1.0 - 0.9 * (done as f32 / total.max(1) as f32)
}

/// Derivative of the weighted losses by the margins.
fn errors(margins: &[f32; RARITY], example: &Example) -> [f32; RARITY] {
    let mut errors = [0.0; RARITY];
    if let Some(shares) = example.targets.sentiment {
        let among =
            |class: usize| if example.told_apart[class] { margins[SENTIMENT + class] } else { f32::NEG_INFINITY };
        let probabilities = softmax(std::array::from_fn::<_, 3, _>(among));
        for class in 0..3 {
            errors[SENTIMENT + class] = example.sentiment_weight * (probabilities[class] - shares[class]);
        }
    }
    if let Some(frustrated) = example.targets.frustrated {
        let target = if frustrated { 1.0 } else { 0.0 };
        errors[FRUSTRATION] = example.frustration_weight * (sigmoid(margins[FRUSTRATION]) - target);
    }
    if let Some(language) = example.language_index() {
        let probabilities = softmax(language_margins(margins));
        for class in 0..3 {
            let target = if class == language { 1.0 } else { 0.0 };
            errors[LANGUAGE + class] = example.language_weight * (probabilities[class] - target);
        }
    }
    errors
}

/// Rows with each feature's inverse document frequency, rounded as the model file will hold it.
#[expect(clippy::cast_precision_loss, reason = "counts of texts are small")]
fn rarities(corpus: &Corpus, recipe: &Recipe) -> (Vec<Weights>, f32) {
    let counts = corpus.text_counts(recipe.bits);
    let texts = corpus.examples.len() as f32;
    let squared = |count: u32| {
        if count < recipe.min_texts.max(1) {
            return 0.0;
        }
        (((1.0 + texts) / (1.0 + count as f32)).ln() + 1.0).powi(2)
    };
    let largest = counts.iter().map(|&count| squared(count)).fold(f32::MIN_POSITIVE, f32::max);
    let unit = largest / RARITY_UNITS;
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
