//! How often chance alone brings about evidence of some strength: one scale for all tests.
//!
//! A p-value says how rare a window is, not how often some window of a month is as rare: windows overlap, are looked at each
//! minute, and a quiet department has fewer different ones than a busy one. The constants here were fitted to simulated
//! months; `docs/alert-quality.md` says how, and how far they hold.

use std::time::Duration;

use crate::detect::tick::SPANS;

/// What a month is for a false-alarm budget.
pub(crate) const MONTH: Duration = Duration::from_secs(28 * 24 * 3_600);

/// Excursions a month of a span's −ln p beyond [`TYPICAL`], for each of [`SPANS`], in a busy department.
const OF_SPANS: [f64; SPANS.len()] = [20.0, 8.8, 3.4, 1.2];
const TYPICAL: f64 = 6.0;

/// How fast they become fewer with −ln p. Below 1, since a tail of overlapping windows is heavier than that of one.
const SLOPE: f64 = 0.9;

/// A span with so many messages has half as many excursions as one with any number: its counts take few values.
const COARSE_MESSAGES: f64 = 10.0;

/// Excursions of a cumulative sum for each nat of information that a month's messages bring (Siegmund 1985, fitted).
const OF_SUMS: f64 = 0.7;

/// Beyond so many nats a month, looking once a minute misses excursions.
const MOST_SEEN: f64 = 10_000.0;

/// The same for volumes, whose tails are heavier.
const VOLUME_SLOPE: f64 = 0.8;

/// Excursions a month of −ln p of a ratio's span, with so many messages at a ratio.
pub(crate) fn of_ratio_span(span: usize, strength: f64, messages: f64, ratio: f64) -> f64 {
    let coarse = COARSE_MESSAGES * (0.2 / ratio.clamp(0.01, 0.2)).powf(0.6);
    OF_SPANS[span] * (-SLOPE * (strength - TYPICAL)).exp() * messages / (messages + coarse)
}

/// Excursions a month of a cumulative sum, where a month brings so many nats.
pub(crate) fn of_sum(strength: f64, nats_a_month: f64) -> f64 {
    OF_SUMS * nats_a_month / (1.0 + nats_a_month / MOST_SEEN) * (-strength).exp()
}

/// Excursions a month of −ln p of a span's number of messages, either way.
pub(crate) fn of_volume_span(span: Duration, strength: f64) -> f64 {
    MONTH.as_secs_f64() / span.as_secs_f64().max(1.0) * (-VOLUME_SLOPE * strength).exp()
}
