//! Frustration, by language: the chance of an obstacle, or of open anger.
//!
//! Open anger is fitted first, on sets of emotions at their own mix, where few are angry: it is rarely sure of itself, and
//! counts where anger is plain. The chance of an obstacle is then fitted on customers' messages with it in place.

use super::{Case, by_language};
use crate::score::maths::{log_odds, sigmoid};
use crate::score::model::layout::{ANGER, LANGUAGE_COUNT, OBSTACLE};
use crate::score::model::{Calibration, FrustrationCalibration, OpenAnger};
use crate::score::recipe::FrustrationHead;

/// How strongly all rows together are drawn to the outputs as they are, and a language's to what fits all.
const PULLS: [f32; 2] = [1.0, 10.0];

/// With fewer angry rows, or fewer calm ones, open anger is left as it is.
const MIN_ROWS: usize = 50;

/// Steps of the gradient descents, and their size.
const STEPS: u32 = 2_000;
const STEP: f32 = 0.2;

/// Factors of the obstacle and anger outputs and of the log odds of negative, and an offset.
type Factors = [f32; 4];

#[derive(Clone, Copy)]
struct Row {
    parts: Factors,
    /// Probability of open anger.
    anger: f32,
    frustrated: bool,
    language: Option<usize>,
}

/// The frustration of every language, given `calibration`'s sentiments.
pub(super) fn fitted(
    cases: &[Case<'_>],
    calibration: &Calibration,
    base: Option<[FrustrationCalibration; LANGUAGE_COUNT]>,
) -> [FrustrationCalibration; LANGUAGE_COUNT] {
    let found = open_anger(cases);
    let prior = base.map(|base| base.map(|of| FrustrationCalibration { open_anger: found.or(of.open_anger), ..of }));
    let anger_of = |language: usize| prior.map_or(found, |prior| prior[language].open_anger);
    let rows: Vec<Row> = cases.iter().filter_map(|case| obstacle_row(case, calibration, &anger_of)).collect();
    let start = FrustrationCalibration { open_anger: found, ..FrustrationCalibration::default() };
    by_language(
        &rows,
        |row| row.language,
        prior,
        |rows| drawn(rows, start, PULLS[0]),
        |rows, prior| drawn(rows, prior, PULLS[1]),
    )
}

/// What sets of emotions say of anger; nothing where too few rows are angry or calm.
fn open_anger(cases: &[Case<'_>]) -> Option<OpenAnger> {
    let rows: Vec<Row> = cases
        .iter()
        .filter_map(|case| {
            let frustrated = frustrated(case, FrustrationHead::Anger)?;
            Some(Row { parts: [0.0, case.outputs[ANGER], 0.0, 1.0], anger: 0.0, frustrated, language: None })
        })
        .collect();
    let angry = rows.iter().filter(|row| row.frustrated).count();
    if angry < MIN_ROWS || rows.len() - angry < MIN_ROWS {
        return None;
    }
    let [_, factor, _, offset] = descend(&rows, [0.0, 1.0, 0.0, 0.0], PULLS[0]);
    Some(OpenAnger { factor, offset })
}

fn obstacle_row(
    case: &Case<'_>,
    calibration: &Calibration,
    anger_of: &dyn Fn(usize) -> Option<OpenAnger>,
) -> Option<Row> {
    let frustrated = frustrated(case, FrustrationHead::Obstacle)?;
    let (outputs, language) = (&case.outputs, case.example.language);
    let place = language.unwrap_or(LANGUAGE_COUNT - 1);
    let negative = calibration.sentiment(outputs, place)[0];
    let parts = [outputs[OBSTACLE], outputs[ANGER], log_odds(negative), 1.0];
    let anger = anger_of(place).map_or(0.0, |anger| anger.probability(outputs));
    Some(Row { parts, anger, frustrated, language })
}

/// A set that holds one side alone (praise, say) has no mix to go by.
fn frustrated(case: &Case<'_>, head: FrustrationHead) -> Option<bool> {
    let example = case.example;
    let fits = example.head == head && example.frustration_weight > 0.0 && example.both_sides;
    example.targets.frustrated.filter(|_| fits)
}

fn drawn(rows: &[Row], prior: FrustrationCalibration, pull: f32) -> FrustrationCalibration {
    let start = [prior.obstacle, prior.anger, prior.negative, prior.offset];
    let [obstacle, anger, negative, offset] = descend(rows, start, pull);
    FrustrationCalibration { obstacle, anger, negative, offset, open_anger: prior.open_anger }
}

/// The factors with the least log loss, drawn to where they start, by gradient descent.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
fn descend(rows: &[Row], start: Factors, pull: f32) -> Factors {
    let total = rows.len().max(1) as f32;
    let mut factors = start;
    for _ in 0..STEPS {
        let mut by_factors = std::array::from_fn::<_, 4, _>(|at| pull * (factors[at] - start[at]));
        for row in rows {
            let error = row.error(&factors);
            for (by, part) in by_factors.iter_mut().zip(row.parts) {
                *by += error * part;
            }
        }
        for (factor, by) in factors.iter_mut().zip(by_factors) {
            *factor -= STEP * by / total.max(pull);
        }
        // A head that speaks against its own name is noise.
        factors[..3].iter_mut().for_each(|factor| *factor = factor.max(0.0));
    }
    factors
}

impl Row {
    /// Derivative of the log loss by the obstacle's logit.
    fn error(&self, factors: &Factors) -> f32 {
        let obstacle = sigmoid(self.parts.iter().zip(factors).map(|(part, factor)| part * factor).sum());
        if !self.frustrated {
            return obstacle;
        }
        let either = (obstacle + self.anger - obstacle * self.anger).max(1e-6);
        -obstacle * (1.0 - obstacle) * (1.0 - self.anger) / either
    }
}
