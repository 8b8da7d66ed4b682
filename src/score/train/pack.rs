//! Weights to 8 bits.

use super::fit::Fit;
use crate::message::ModelId;
use crate::score::model::layout::{CHANNELS, RARITY, Row};
use crate::score::model::{Calibration, EmbeddedModel, Header, Provenance, Table};
use crate::score::recipe::Recipe;
use crate::score::shares::Shares;

/// Weights beyond this quantile of their channel are cut to it, so that one outlier does not coarsen all others.
const KEPT_QUANTILE: f64 = 0.9999;

/// What a text gets that says nothing known: neutral, but not surely so. Such texts (a link, a number, a name) are hardly ever
/// complaints, and nobody should be paged for them.
const PRIOR: [f32; 4] = [0.2, 0.6, 0.2, 0.02];

/// Steps of a byte on either side of 0. A model keeps its base's scales, so that what did not move stays as it was.
const MOST_LEVELS: f32 = 127.0;

/// The model without a calibration.
pub(super) fn pack(fit: &Fit<'_>, provenance: Provenance, recipe: &Recipe) -> EmbeddedModel {
    let (scales, levels) = fit.base.map_or_else(|| own_scales(fit, recipe), |base| (base.header.scales, MOST_LEVELS));
    let table = Table::new(fit.rows.iter().map(|row| quantised(row, &scales, levels)));
    let header = Header {
        bits: fit.rows.len().ilog2(),
        hidden: fit.dense.bias.len(),
        scales,
        biases: fit.biases,
        calibration: Calibration::default(),
        prior: fit.base.map_or(PRIOR, |base| base.header.prior),
        shares: fit.base.map_or_else(Shares::default, |base| base.header.shares.clone()),
        provenance,
    };
    EmbeddedModel { id: ModelId::UNKNOWN, header, table, dense: fit.dense.clone() }
}

fn own_scales(fit: &Fit<'_>, recipe: &Recipe) -> ([f32; CHANNELS], f32) {
    let levels = f32::from(recipe.levels);
    let mut scales: [f32; CHANNELS] = std::array::from_fn(|channel| scale(fit, channel, levels));
    scales[RARITY] = fit.rarity_unit;
    (scales, levels)
}

/// A feature's weight times its inverse document frequency: what one occurrence adds.
fn addend(row: &[f32; CHANNELS], channel: usize) -> f32 {
    row[channel] * row[RARITY]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a list"
)]
fn scale(fit: &Fit<'_>, channel: usize, levels: f32) -> f32 {
    let mut sizes: Vec<f32> =
        fit.rows.iter().map(|row| addend(row, channel).abs()).filter(|&size| size > 0.0).collect();
    if sizes.is_empty() {
        return 1.0;
    }
    sizes.sort_unstable_by(f32::total_cmp);
    let at = ((sizes.len() - 1) as f64 * KEPT_QUANTILE) as usize;
    sizes[at].max(f32::MIN_POSITIVE * 1e6) / levels
}

fn quantised(row: &[f32; CHANNELS], scales: &[f32; CHANNELS], levels: f32) -> Row {
    let mut packed: Row = std::array::from_fn(|channel| byte(addend(row, channel) / scales[channel], levels));
    packed[RARITY] = byte(row[RARITY] * row[RARITY] / scales[RARITY], MOST_LEVELS);
    packed
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of a signed byte")]
fn byte(units: f32, levels: f32) -> i8 {
    units.round().clamp(-levels, levels) as i8
}
