//! How the slow model goes.

use prometheus::proto::MetricFamily;

use super::families as known;
use super::family::Label;
use super::{count, flag, single};
use crate::publish::second::{FallbackReason, LOOKUPS, SecondStatus};
use crate::score::cascade::Worth;

/// Where there is none nothing falls back, and what says how it goes is absent.
pub(super) fn families(second: Option<&SecondStatus>) -> Vec<MetricFamily> {
    let mut fallbacks = known::SCORER_FALLBACKS.samples();
    for reason in FallbackReason::ALL {
        let messages = second.map_or(0, |second| second.fallbacks(*reason));
        fallbacks.push([Label::closed(reason.as_str())], count(messages));
    }
    let mut lookups = known::SCORER_CACHE_LOOKUPS.samples();
    for (result, texts) in LOOKUPS.iter().zip(second.map_or([0, 0], SecondStatus::lookups)) {
        lookups.push([Label::closed(result)], count(texts));
    }
    vec![
        single(&known::SCORER_DEGRADED, Some(flag(second.is_some_and(SecondStatus::is_degraded)))),
        fallbacks.finish(),
        lookups.finish(),
        single(&known::SCORER_THRESHOLD, second.map(threshold)),
        single(&known::SCORER_CAPACITY, second.and_then(SecondStatus::texts_per_second)),
    ]
}

/// A whole step, as it was set.
fn threshold(second: &SecondStatus) -> f64 {
    f64::from(second.threshold().step()) / f64::from(Worth::STEPS)
}
