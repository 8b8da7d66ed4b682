//! Probabilities that mean what they say, fitted on rows that taught nothing.

mod frustration;
mod sentiment;

use super::corpus::{Corpus, Example};
use super::shares::{self, ShareRow};
use crate::score::embedded::pooled;
use crate::score::model::layout::{CHANNELS, LANGUAGE_COUNT, Outputs};
use crate::score::model::{Calibration, EmbeddedModel};
use crate::score::recipe::FrustrationHead;
use crate::score::shares::{INPUTS, Shares, frustration_inputs, sentiment_inputs};

/// A labelled row and what the model says of it.
struct Case<'a> {
    outputs: Outputs,
    example: &'a Example,
}

/// Rows of one corpus that taught nothing.
#[derive(Clone, Copy)]
pub(super) struct Aside<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) examples: &'a [Example],
}

impl<'a> Aside<'a> {
    fn cases(self, model: &EmbeddedModel) -> Vec<Case<'a>> {
        let case = |example| Some(Case { outputs: outputs(model, self.corpus.families(example))?, example });
        self.examples.iter().filter_map(case).collect()
    }
}

/// By how much the log odds of negative and of frustrated are off in texts from elsewhere, as seen in sets that never teach
/// and of which the rows that calibrate, all of a few sources, can say nothing.
const LEAST_SPREADS: [f32; 2] = [0.15, 0.3];

/// Sets the calibration from these rows; for the sentiments, each counts what its set is worth there. Every language is drawn towards `base`, or else towards what
/// fits all rows together: a language with few rows shares that.
pub(super) fn calibrate(model: &mut EmbeddedModel, rows: Aside<'_>, base: Option<&Calibration>) {
    let cases = rows.cases(model);
    let mut calibration = base.copied().unwrap_or_default();
    calibration.sentiment = sentiment::fitted(&cases, base.map(|base| base.sentiment));
    calibration.frustration = frustration::fitted(&cases, &calibration, base.map(|base| base.frustration));
    model.header.calibration = calibration;
}

/// Sets the tables that the shares of windows are estimated with; they stay as they are where too few rows say better. They come
/// after the calibration, because they are of its probabilities.
pub(super) fn shares(model: &mut EmbeddedModel, parts: &[Aside<'_>]) {
    let calibration = &model.header.calibration;
    let (mut sentiment, mut frustration) = (Vec::new(), Vec::new());
    let mut sets = 0;
    for part in parts {
        let of_set = |row: ShareRow| ShareRow { set: sets + row.set, ..row };
        let cases = part.cases(model);
        sentiment.extend(cases.iter().filter_map(|case| case.sentiment_share(calibration)).map(of_set));
        frustration.extend(cases.iter().filter_map(|case| case.frustration_share(calibration)).map(of_set));
        sets += part.corpus.sets;
    }
    let present = &model.header.shares;
    model.header.shares = Shares {
        sentiment: shares::fit(&sentiment, LEAST_SPREADS[0]).or_else(|| present.sentiment.clone()),
        frustration: shares::fit(&frustration, LEAST_SPREADS[1]).or_else(|| present.frustration.clone()),
    };
}

impl Case<'_> {
    fn place(&self) -> usize {
        self.example.language.unwrap_or(LANGUAGE_COUNT - 1)
    }

    /// The sentiment as labelled, where it is one and counts.
    fn sentiment(&self) -> Option<usize> {
        let shares = self.example.targets.sentiment.filter(|_| self.example.counts_shares)?;
        shares.iter().position(|&share| share >= 1.0)
    }

    fn share(&self, inputs: [f32; INPUTS], class: usize) -> ShareRow {
        ShareRow { inputs, class, language: self.place(), set: self.example.set }
    }

    fn sentiment_share(&self, calibration: &Calibration) -> Option<ShareRow> {
        let tells_apart = self.example.told_apart == [true; 3] && self.example.all_sentiments;
        let class = self.sentiment().filter(|_| tells_apart)?;
        let said = calibration.sentiment(&self.outputs, self.place());
        Some(self.share(sentiment_inputs(said), class))
    }

    /// Frustrated, or calm and not positive, or calm and positive.
    fn frustration_share(&self, calibration: &Calibration) -> Option<ShareRow> {
        let example = self.example;
        let fits = example.head == FrustrationHead::Obstacle && example.frustration_weight > 0.0;
        let class = self.sentiment().filter(|_| fits)?;
        let class = if example.targets.frustrated? { 0 } else { 1 + usize::from(class == 2) };
        let said = calibration.sentiment(&self.outputs, self.place());
        let frustration = calibration.frustration(&self.outputs, said[0], self.place());
        Some(self.share(frustration_inputs(said, frustration), class))
    }
}

/// What the model says of a row's features, as the scorer computes it.
pub(super) fn outputs(model: &EmbeddedModel, families: [&[u32]; 2]) -> Option<Outputs> {
    let sums = families.map(|features| {
        let mut sums = [0_i32; CHANNELS];
        for &feature in features {
            for (sum, &weight) in sums.iter_mut().zip(model.table.row(feature as usize)) {
                *sum += i32::from(weight);
            }
        }
        sums
    });
    Some(model.outputs(&pooled(&sums, &model.header.scales)?))
}

/// The numbers of every language: `prior` for each, or else what fits all cases together, drawn to what fits its own.
fn by_language<T: Copy, C: Copy, const N: usize>(
    cases: &[C],
    language: impl Fn(&C) -> Option<usize>,
    prior: Option<[T; N]>,
    pooled: impl FnOnce(&[C]) -> T,
    fit: impl Fn(&[C], T) -> T,
) -> [T; N] {
    let prior = prior.unwrap_or_else(|| [pooled(cases); N]);
    std::array::from_fn(|at| {
        let own: Vec<C> = cases.iter().copied().filter(|case| language(case) == Some(at)).collect();
        if own.is_empty() { prior[at] } else { fit(&own, prior[at]) }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests;
