//! Estimated shares of the windows: found at each scrape from the cells that the windows count.

use prometheus::proto::MetricFamily;

use super::BoardCollector;
use super::families as known;
use super::family::{Family, Label, Samples};
use crate::message::SHARE_CELLS;
use crate::publish::view::View;
use crate::score::shares::{Estimate, ShareTable};
use crate::window::ShareSums;

/// Of ten messages of a window so many must have been counted by cell: else the estimate would not be of the window. They
/// are not where they were scored before a restart, by a model without a table or an older version.
const COUNTED_OF_TEN: u64 = 9;

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
        let shares = &self.sources.shares;
        let mut families = self.of_head(view, &NEGATIVE, shares.sentiment.as_ref(), |sums| &sums.sentiment);
        families.extend(self.of_head(view, &FRUSTRATION, shares.frustration.as_ref(), |sums| &sums.frustration));
        families
    }

    fn of_head(
        &self,
        view: &View,
        head: &Head,
        table: Option<&ShareTable>,
        cells: impl Fn(&ShareSums) -> &[u64; SHARE_CELLS],
    ) -> Vec<MetricFamily> {
        let Some(table) = table else { return Vec::new() };
        let mut families = [head.ratio, head.low, head.high].map(Family::samples);
        for id in &self.departments {
            let Some(shown) = view.departments.get(id.index()) else { continue };
            let department = Label::department(self.sources.roster.get(*id));
            for (place, name) in &self.windows {
                let (Some(tally), Some(sums)) = (shown.windows.get(*place), shown.share_sums.get(*place)) else {
                    continue;
                };
                if let Some(estimate) = estimate(table, cells(sums), u64::from(tally.messages)) {
                    let Estimate { ratio, low, high } = estimate;
                    for (samples, value) in families.iter_mut().zip([ratio, low, high]) {
                        samples.push([department, Label::written(name)], value);
                    }
                }
            }
        }
        families.map(Samples::finish).into()
    }
}

/// The estimate of a window of so many messages, where enough of them were counted by cell.
fn estimate(table: &ShareTable, cells: &[u64; SHARE_CELLS], messages: u64) -> Option<Estimate> {
    let counted: u64 = cells.iter().sum();
    if 10 * counted < COUNTED_OF_TEN * messages {
        return None;
    }
    table.estimate(cells)
}
