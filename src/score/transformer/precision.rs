//! Whether 16 bits are faster here: with AMX two to three times, without AVX-512 four times slower. So it is measured.

use std::time::Instant;

use super::network::RustBert;
use super::tokenizer::Cutter;
use super::weights::Weights;
use crate::score::lane::{Network as _, NetworkError, Tokens};

/// Texts of the measurement, and their tokens: a batch of customers' messages.
const TEXTS: usize = 16;
const TOKENS: usize = 26;
/// The best of so many runs counts: what else the machine does only slows them.
const RUNS: usize = 3;
/// 16 bits must be faster by this factor, so that a close call does not go now this way, now that.
const WORTH_IT: f64 = 1.2;
/// 16 bits that take so many times as long over one text are not measured on: where the processor has no instruction
/// for them, the whole measurement would hold up the start by half a minute.
const HOPELESS: f64 = 2.0;

/// What a transformer computes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Whichever is measured to be faster when the model is loaded.
    #[default]
    Auto,
    /// 32 bits.
    Float32,
    /// 16 bits, of which 8 are the mantissa's.
    Bfloat16,
}

/// What a network is to compute in.
pub(super) struct Chosen {
    pub(super) precision: Precision,
    pub(super) weights: Weights,
    /// Of one thread.
    pub(super) texts_per_second: f64,
}

/// Takes what is asked for, or whichever is faster; either way the network has been built and has run.
pub(super) fn choose(
    asked: Precision,
    weights: Weights,
    cutter: &Cutter,
    build: impl Fn(&Weights) -> Result<RustBert, NetworkError>,
) -> Result<Chosen, NetworkError> {
    let batch = batch(cutter);
    let measured = |weights: &Weights| speed(&mut build(weights)?, &batch);
    match asked {
        Precision::Float32 => Ok(Chosen { precision: asked, texts_per_second: measured(&weights)?, weights }),
        Precision::Bfloat16 => {
            let weights = weights.in_bfloat16();
            Ok(Chosen { precision: asked, texts_per_second: measured(&weights)?, weights })
        }
        Precision::Auto => faster(weights, &batch, build),
    }
}

/// 16 bits where they are faster by enough, else 32.
fn faster(
    weights: Weights,
    batch: &[Tokens],
    build: impl Fn(&Weights) -> Result<RustBert, NetworkError>,
) -> Result<Chosen, NetworkError> {
    let mut plain = build(&weights)?;
    let texts_per_second = speed(&mut plain, batch)?;
    let short_weights = weights.in_bfloat16();
    let mut short = build(&short_weights)?;
    let as_it_is = Chosen { precision: Precision::Float32, texts_per_second, weights };
    // The first run of a network readies its kernels; the second counts.
    let one = &batch[..1];
    seconds(&mut plain, one)?;
    seconds(&mut short, one)?;
    if seconds(&mut short, one)? > HOPELESS * seconds(&mut plain, one)? {
        return Ok(as_it_is);
    }
    let shortened = speed(&mut short, batch)?;
    if shortened <= WORTH_IT * texts_per_second {
        return Ok(as_it_is);
    }
    Ok(Chosen { precision: Precision::Bfloat16, weights: short_weights, texts_per_second: shortened })
}

/// Texts a second, the best of a few runs.
fn speed(network: &mut RustBert, batch: &[Tokens]) -> Result<f64, NetworkError> {
    let mut best = f64::INFINITY;
    for _ in 0..=RUNS {
        best = best.min(seconds(network, batch)?);
    }
    #[expect(clippy::cast_precision_loss, reason = "sixteen")]
    let texts = batch.len() as f64;
    Ok(texts / best.max(f64::EPSILON))
}

/// What one run over a batch takes.
fn seconds(network: &mut RustBert, batch: &[Tokens]) -> Result<f64, NetworkError> {
    let texts: Vec<&Tokens> = batch.iter().collect();
    let begun = Instant::now();
    network.run(&texts)?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Words of a message, as many as there is room for.
fn batch(cutter: &Cutter) -> Vec<Tokens> {
    let words = cutter.cut(&"espera cuenta thanks nadie responde ".repeat(TOKENS));
    let ids = words.ids();
    // The last one marks the end.
    let cut = |ids: &[u32]| {
        let end = ids.last().copied();
        let kept = TOKENS.min(ids.len()) - 1;
        Tokens::new(ids[..kept].iter().copied().chain(end).collect::<Box<[u32]>>())
    };
    (0..TEXTS).map(|_| cut(ids)).collect()
}
