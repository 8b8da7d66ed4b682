//! Estimated shares of the windows.

use prometheus::proto::MetricFamily;

use super::BoardCollector;
use super::families as known;
use super::family::{Family, Label};
use crate::publish::view::{AdjustedShares, View};
use crate::score::shares::Estimate;

/// The families of one head.
struct Head {
    ratio: &'static Family<2>,
    low: &'static Family<2>,
    high: &'static Family<2>,
}

const NEGATIVE: Head = Head {
    ratio: &known::WINDOW_ADJUSTED_NEGATIVE,
    low: &known::WINDOW_ADJUSTED_NEGATIVE_LOW,
    high: &known::WINDOW_ADJUSTED_NEGATIVE_HIGH,
};
const FRUSTRATION: Head = Head {
    ratio: &known::WINDOW_ADJUSTED_FRUSTRATION,
    low: &known::WINDOW_ADJUSTED_FRUSTRATION_LOW,
    high: &known::WINDOW_ADJUSTED_FRUSTRATION_HIGH,
};

impl BoardCollector {
    /// The estimated shares of the windows that end now.
    pub(super) fn adjusted(&self, view: &View) -> Vec<MetricFamily> {
        let negative = self.of_head(view, &NEGATIVE, |shares| shares.negative);
        let frustrated = self.of_head(view, &FRUSTRATION, |shares| shares.frustrated);
        negative.into_iter().chain(frustrated).collect()
    }

    fn of_head(&self, view: &View, head: &Head, part: fn(&AdjustedShares) -> Option<Estimate>) -> [MetricFamily; 3] {
        let family = |family, value: fn(Estimate) -> f64| {
            self.each_department(view, family, |samples, department, shown| {
                for (place, name) in &self.windows {
                    let estimate = shown.adjusted.get(*place).and_then(part);
                    samples.push_known([department, Label::written(name)], estimate.map(value));
                }
            })
        };
        [
            family(head.ratio, |estimate| estimate.ratio),
            family(head.low, |estimate| estimate.low),
            family(head.high, |estimate| estimate.high),
        ]
    }
}
