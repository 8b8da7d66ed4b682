//! What a scrape costs the registry.

use prometheus::proto::Metric;

use super::*;
use crate::config::{Config, DepartmentConfig};
use crate::publish::AdjustedShares;
use crate::publish::view::StreamView;
use crate::score::shares::Estimate;

/// A collector of departments whose every window has ratios and an estimate.
fn collector() -> BoardCollector {
    let departments = ["shop", "billing", "delivery"].map(DepartmentConfig::named).to_vec();
    let config = Config { departments, ..Config::default() };
    let roster = Arc::new(Roster::new(&config));
    let windows = config.windows.lengths;
    let board = Arc::new(Board::new(Arc::clone(&roster), windows.len()));
    let estimate = Some(Estimate { ratio: 0.5, low: 0.25, high: 0.75 });
    let view = DepartmentView {
        windows: vec![Tally { messages: 4, negative: 1, positive: 1, frustrated: 1 }; windows.len()],
        adjusted: vec![AdjustedShares { negative: estimate, frustrated: estimate }; windows.len()],
        ..DepartmentView::default()
    };
    board.publish(StreamView::default(), roster.iter().map(|(id, _)| (id, view.clone())));
    let (timings, health) = (Timings::new().unwrap(), Health::new());
    BoardCollector::new(Sources { board, windows, timings, health, second: None }).unwrap()
}

#[test]
fn samples_of_departments_come_in_the_order_that_the_registry_would_sort_them_into() {
    let values = |sample: &Metric| sample.get_label().iter().map(|pair| pair.value().to_owned()).collect::<Vec<_>>();
    let mut families = collector().collect();
    families.retain(|family| {
        let sample = family.get_metric().first();
        sample.is_some_and(|sample| sample.get_label().iter().any(|pair| pair.name() == "department"))
    });
    assert!(families.len() > 15, "{}", families.len());
    for family in families {
        assert!(family.get_metric().is_sorted_by_key(values), "{}", family.name());
    }
}
