//! A model as the start of a training: what it knows is kept unless the new rows say otherwise.
//!
//! AdaGrad's memory is not in a model file, but a feature's rarity is, and tells in how many texts it was met: what was learned
//! from many texts moves little, what was never met moves freely. A pull towards the base's weights holds the rest.

use super::corpus::Corpus;
use super::fit::{Fit, MAX_RARITY_UNITS};
use crate::score::maths::exp;
use crate::score::model::EmbeddedModel;
use crate::score::model::layout::{CHANNELS, POOLED, Pooled, RARITY};
use crate::score::recipe::Recipe;

/// What a text that the base learned from adds to the squared gradients: of a feature's channels, and of biases and hidden units.
const FEATURE_SQUARE: f32 = 1e-2;
const SHARED_SQUARE: f32 = 1e-1;

impl<'a> Fit<'a> {
    /// The base's weights; features that only `corpus` has begin at 0.
    #[expect(clippy::cast_precision_loss, reason = "counts of texts are small")]
    pub(super) fn from_base(base: &'a EmbeddedModel, corpus: &Corpus, recipe: &Recipe) -> Self {
        let unit = base.header.scales[RARITY];
        let provenance = &base.header.provenance;
        // Rarities are those that the first training found.
        let (first, all) = (provenance.first.rows() as f32, provenance.rows() as f32);
        let counts = corpus.text_counts(base.header.bits);
        let mut rows = vec![[0.0; CHANNELS]; base.table.len()];
        let mut squares = vec![[0.0; POOLED]; rows.len()];
        for (feature, row) in rows.iter_mut().enumerate() {
            row[RARITY] = rarity(base, feature);
            if row[RARITY] > 0.0 {
                row[..POOLED].copy_from_slice(&weights(base, feature));
                squares[feature] = [FEATURE_SQUARE * texts_with(row[RARITY], first); POOLED];
            } else if counts[feature] >= recipe.min_texts.max(1) {
                row[RARITY] = (MAX_RARITY_UNITS * unit).sqrt();
            }
        }
        let mut fit = Self::cold(rows, base.dense.clone(), unit, corpus.sets);
        fit.squares = squares;
        fit.biases = base.header.biases;
        fit.expect_squares(SHARED_SQUARE * all);
        fit.base = Some(base);
        fit
    }
}

/// A feature's weights as they were before they were rounded, or 0 where the base does not know it.
pub(super) fn weights(base: &EmbeddedModel, feature: usize) -> Pooled {
    let rarity = rarity(base, feature);
    if rarity == 0.0 {
        return [0.0; POOLED];
    }
    let row = base.table.row(feature);
    std::array::from_fn(|channel| f32::from(row[channel]) * base.header.scales[channel] / rarity)
}

fn rarity(base: &EmbeddedModel, feature: usize) -> f32 {
    (f32::from(base.table.row(feature)[RARITY]) * base.header.scales[RARITY]).max(0.0).sqrt()
}

/// In how many of `texts` a feature of this rarity (inverse document frequency) was found.
fn texts_with(rarity: f32, texts: f32) -> f32 {
    ((1.0 + texts) * exp(1.0 - rarity) - 1.0).clamp(1.0, texts.max(1.0))
}
