//! The shares that explain counts by cell best, and how sure that is.

use super::{CLASSES, ShareTable};
use crate::message::SHARE_CELLS;

/// Each class is taken to have been seen this many times before: keeps the shares of small windows off 0 and 1.
const SEEN_BEFORE: f64 = 1.0;
/// Standard deviations of a normal distribution that 95 % lie within.
const DEVIATIONS: f64 = 1.96;
const MOST_STEPS: usize = 60;
/// A step that gains less (in the log likelihood of the window) is the last.
const LEAST_GAIN: f64 = 1e-4;
/// How close to its bound a step may bring a share, as part of the way.
const WITHIN: f64 = 0.95;

/// An estimated part of a window's messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The likeliest part, 0 to 1.
    pub ratio: f64,
    /// Where it may lie: lower end of 95 %, 0 to 1.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Parts of the first two classes; the third has the rest.
type Parts = [f64; 2];

/// How likely each class makes each cell, the counts, and how many there are.
struct Window {
    likelihoods: [[f64; CLASSES]; SHARE_CELLS],
    counts: [f64; SHARE_CELLS],
    total: f64,
}

/// How unsure a ratio is.
struct Deviations {
    /// Standard deviation by chance: of whose class each message is, and of the parts themselves.
    chance: f64,
    /// How far the ratio moves where the log odds of the wanted class are off by 1 in every text.
    per_log_odds: f64,
}

/// Derivatives of the log likelihood at some parts.
struct Slope {
    gradient: Parts,
    /// Minus the second derivatives: `[[a, b], [b, c]]` as a, b, c. Positive definite.
    information: [f64; 3],
}

impl ShareTable {
    /// The part of the wanted class among messages counted by cell; none where nothing was counted.
    ///
    /// The interval holds the part itself, not a rate behind it: a window is all of its messages. It is widened by how far
    /// texts from elsewhere may be misjudged.
    #[must_use]
    pub fn estimate(&self, counts: &[u64; SHARE_CELLS]) -> Option<Estimate> {
        let window = Window::new(self, counts)?;
        let parts = window.best();
        let ratio = window.ratio(parts);
        let Deviations { chance, per_log_odds } = window.deviations(parts);
        let deviation = chance.hypot(f64::from(self.spread) * per_log_odds);
        // On the scale of log odds no end leaves 0 to 1.
        let reach = DEVIATIONS * deviation / (ratio * (1.0 - ratio));
        let middle = (ratio / (1.0 - ratio)).ln();
        Some(Estimate { ratio, low: odds_to_part(middle - reach), high: odds_to_part(middle + reach) })
    }
}

impl Window {
    /// None where nothing was counted.
    fn new(table: &ShareTable, counts: &[u64; SHARE_CELLS]) -> Option<Self> {
        let counts = counts.map(as_f64);
        let total: f64 = counts.iter().sum();
        let likelihoods = table.cells.map(|cell| cell.map(f64::from));
        (total > 0.0).then_some(Self { likelihoods, counts, total })
    }

    /// The likeliest parts: Newton's method, on a concave function.
    fn best(&self) -> Parts {
        let mut parts = [1.0 / 3.0; 2];
        let mut likelihood = self.log_likelihood(parts);
        for _ in 0..MOST_STEPS {
            let Slope { gradient, information } = self.slope(parts);
            let step = solve(information, gradient);
            let mut length = longest_within(parts, step);
            // It ends: a step along the gradient of a smooth function gains something once it is short enough.
            let gained = loop {
                let next = [parts[0] + length * step[0], parts[1] + length * step[1]];
                let gained = self.log_likelihood(next) - likelihood;
                if gained >= 0.0 {
                    parts = next;
                    break gained;
                }
                if length < 1e-9 {
                    return parts;
                }
                length *= 0.5;
            };
            likelihood += gained;
            if gained < LEAST_GAIN {
                break;
            }
        }
        parts
    }

    fn log_likelihood(&self, parts: Parts) -> f64 {
        let all = with_rest(parts);
        let of_cells = self.cells().map(|(likelihoods, count)| count * dot(likelihoods, &all).ln());
        of_cells.sum::<f64>() + all.iter().map(|part| SEEN_BEFORE * part.ln()).sum::<f64>()
    }

    fn slope(&self, parts: Parts) -> Slope {
        let all = with_rest(parts);
        let mut gradient = [0, 1].map(|at| SEEN_BEFORE / all[at] - SEEN_BEFORE / all[2]);
        let [first, second, rest] = all.map(|part| SEEN_BEFORE / (part * part));
        let mut information = [first + rest, rest, second + rest];
        for (likelihoods, count) in self.cells() {
            let [one, other] = relative(likelihoods, &all);
            gradient[0] += count * one;
            gradient[1] += count * other;
            information[0] += count * one * one;
            information[1] += count * one * other;
            information[2] += count * other * other;
        }
        Slope { gradient, information }
    }

    /// The part of these very messages that is of the wanted class.
    fn ratio(&self, parts: Parts) -> f64 {
        let all = with_rest(parts);
        let wanted = self.cells().map(|(likelihoods, count)| count * all[0] * likelihoods[0] / dot(likelihoods, &all));
        (wanted.sum::<f64>() / self.total).clamp(1e-6, 1.0 - 1e-6)
    }

    /// How unsure [`Self::ratio`] is.
    fn deviations(&self, parts: Parts) -> Deviations {
        let all = with_rest(parts);
        // Derivatives of the wanted messages by the parts, and of the gradient by the log odds of the wanted class.
        let (mut of_messages, mut by_parts, mut by_odds) = (0.0, [0.0; 2], [0.0; 2]);
        for (likelihoods, count) in self.cells() {
            let likelihood = dot(likelihoods, &all);
            let [first, second, third] = likelihoods.map(|of_class| of_class / likelihood);
            let wanted = all[0] * first;
            of_messages += count * wanted * (1.0 - wanted);
            by_parts[0] += count * (first - wanted * (first - third));
            by_parts[1] -= count * wanted * (second - third);
            by_odds[0] += count * (first * (1.0 - wanted) + third * wanted);
            by_odds[1] -= count * (second - third) * wanted;
        }
        let [one, other] = solve(self.slope(parts).information, by_parts);
        let of_parts = by_parts[0] * one + by_parts[1] * other;
        let moved = by_odds[0] * one + by_odds[1] * other;
        Deviations {
            chance: (of_messages + of_parts).sqrt() / self.total,
            per_log_odds: (of_messages + moved) / self.total,
        }
    }

    /// The cells with messages.
    fn cells(&self) -> impl Iterator<Item = (&[f64; CLASSES], f64)> {
        self.likelihoods.iter().zip(self.counts).filter(|(_, count)| *count > 0.0)
    }
}

/// How much likelier the first two classes make a cell than the third does, against its likelihood.
fn relative(likelihoods: &[f64; CLASSES], all: &[f64; CLASSES]) -> Parts {
    let likelihood = dot(likelihoods, all);
    [(likelihoods[0] - likelihoods[2]) / likelihood, (likelihoods[1] - likelihoods[2]) / likelihood]
}

fn with_rest([first, second]: Parts) -> [f64; CLASSES] {
    [first, second, 1.0 - first - second]
}

fn dot(one: &[f64; CLASSES], other: &[f64; CLASSES]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// Solves a symmetric 2 by 2 system.
fn solve([a, b, c]: [f64; 3], [first, second]: Parts) -> Parts {
    let determinant = a * c - b * b;
    [(c * first - b * second) / determinant, (a * second - b * first) / determinant]
}

/// The whole step, or as much of it as keeps all parts above 0.
fn longest_within(parts: Parts, step: Parts) -> f64 {
    let steps = [step[0], step[1], -step[0] - step[1]];
    let falling = with_rest(parts).into_iter().zip(steps).filter(|(_, step)| *step < 0.0);
    falling.map(|(part, step)| WITHIN * part / -step).fold(1.0, f64::min)
}

fn odds_to_part(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 messages")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
