//! The durations that threads observe themselves; everything else is read from the board.

use std::sync::Arc;

use prometheus::{Error, Histogram, HistogramOpts};

/// Upper bounds in seconds of how long a batch takes to score: from an idle core to a transformer on a long batch.
const SCORING_SECONDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Upper bounds in seconds of how old a message is when its metrics show it: finest around the seconds promised.
const EVENT_TO_METRIC_SECONDS: [f64; 16] =
    [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0];

/// Upper bounds in seconds of how long a batch takes to its windows: a second opinion makes that up to its deadline.
const CONSUMPTION_TO_FOLD_SECONDS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0];

/// Histograms in seconds. Any thread may observe them at any time; none takes a lock.
#[derive(Debug)]
pub struct Timings {
    /// How long it took to decode and score one batch.
    pub scoring: Histogram,
    /// From when a batch was read until its messages were folded.
    pub consumption_to_fold: Histogram,
    /// From a message's event time to the moment its counts were published; not observed while catching up.
    pub event_to_metric: Histogram,
}

impl Timings {
    /// Histograms with nothing observed.
    ///
    /// # Errors
    /// If the metrics library refuses a name or a bucket.
    pub fn new() -> Result<Arc<Self>, Error> {
        let scoring = HistogramOpts::new("latido_scoring_duration_seconds", "Time to decode and score one batch.")
            .buckets(SCORING_SECONDS.to_vec());
        let event_to_metric = HistogramOpts::new(
            "latido_event_to_metric_seconds",
            "Time from when a message was written to when its counts were published; not observed while catching up.",
        )
        .buckets(EVENT_TO_METRIC_SECONDS.to_vec());
        let consumption_to_fold = HistogramOpts::new(
            "latido_consumption_to_fold_seconds",
            "Time from when a batch was read to when its messages were in their windows.",
        )
        .buckets(CONSUMPTION_TO_FOLD_SECONDS.to_vec());
        Ok(Arc::new(Self {
            consumption_to_fold: Histogram::with_opts(consumption_to_fold)?,
            scoring: Histogram::with_opts(scoring)?,
            event_to_metric: Histogram::with_opts(event_to_metric)?,
        }))
    }
}
