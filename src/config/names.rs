//! Names that people write: folding them, and guessing the one that was meant.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A department's name as it is compared: without case, accents and surplus white space (`  Envíos` is `envios`).
#[must_use]
pub fn fold_name(name: &str) -> String {
    let plain: String = name.nfkd().filter(|letter| !is_combining_mark(*letter)).collect();
    plain.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Below this likeness a guess would confuse more than it helps.
const LEAST_LIKENESS: f64 = 0.82;

/// The candidate most like what was written, where one is like enough to be what was meant.
pub(super) fn guess<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (likeness(&written, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// 0 to 1. Two slips count as a likeness of at least 0.9 in all but short words, whatever the measure of whole words says.
fn likeness(written: &str, candidate: &str) -> f64 {
    let slips = strsim::damerau_levenshtein(written, candidate);
    let few_slips = slips <= 2 && candidate.chars().count() > 3 * slips;
    let whole = strsim::jaro_winkler(written, candidate);
    if few_slips { whole.max(0.95) } else { whole.min(0.94) }
}
