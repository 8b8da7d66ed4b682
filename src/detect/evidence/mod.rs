//! What the latest counts say against what is normal.

mod drift;
mod recurrence;
mod tails;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::drift::{Drift, Slice, nats_a_message};
use self::tails::{NegativeBinomial, ln_beta_binomial_upper};
use super::kind::{AlertKind, RATIOS};
use super::tick::{self, Counts, Expected, Recent, SPANS, Sums};
use crate::message::EventTime;

pub(super) use self::recurrence::MONTH;

/// Fewer messages are no evidence, whatever they say: nobody is woken up for four people.
const LEAST_MESSAGES: u32 = 5;

/// Fewer are no surge: one customer may write that many.
const LEAST_SURGE: u32 = 15;

/// A count this few standard deviations off is not looked at closer.
const UNREMARKABLE: f64 = 1.5;

/// −ln p below which evidence is not worth a figure.
const WEAK: f64 = 2.0;

/// A volume pages only where even one so much larger or smaller than usual would not explain it: campaigns and holidays do
/// that, and nobody needs to wake up for them.
const SURGE_FACTOR: f64 = 1.5;
const SILENCE_FACTOR: f64 = 0.5;

/// The longest span is for departments that get fewer messages than this in the next shorter one.
const FEW_MESSAGES: f64 = 30.0;

/// The span whose correlation counts for the cumulative sum is the shortest in which so many messages are expected: it takes
/// about so many to notice the shift.
const NOTICED_AFTER: f64 = 60.0;

/// Messages that tell what is the case now, and the −ln p below which it is as usual.
const ENOUGH_NOW: u32 = 10;
const CALM: f64 = 3.0;

/// How much of the budget each test of a ratio has: the sum, then each of the spans.
const SUM_SHARE: f64 = 0.8;
const SPAN_SHARES: [f64; SPANS.len()] = [0.04, 0.06, 0.06, 0.12];

/// What is known of a department at a moment.
pub(super) trait Normal {
    /// The correlation between two messages of a span.
    fn correlation(&self, ratio: usize, span: usize) -> f64;
    /// The squared coefficient of variation of a span's number of messages.
    fn spread(&self, span: usize) -> f64;
    /// Messages of an average hour.
    fn messages_an_hour(&self) -> f64;
}

/// The strongest evidence for a kind of alert.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Finding {
    /// How often a month chance alone brings about as much, all tests of the kind together.
    pub(super) recurrence: f64,
    /// ln of the probability of the counts; of a cumulative sum, its negative.
    pub(super) ln_p_value: f64,
    /// How long the tested counts are: of a cumulative sum, since it left 0.
    pub(super) seconds: u64,
    /// Messages tested.
    pub(super) messages: u32,
    /// Observed and expected ratio, or messages.
    pub(super) observed: f64,
    pub(super) expected: f64,
    /// The likeliest onset.
    pub(super) since: EventTime,
}

/// The strongest finding of each kind, in the order of `AlertKind::TESTED`.
pub(super) type Findings = [Option<Finding>; AlertKind::TESTED.len()];

/// The running tests of a department.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    recent: Recent,
    drifts: [Drift; RATIOS],
    /// Since the last message: when that came, and how many were expected since.
    gap: (Option<EventTime>, f64),
    slice: Duration,
}

/// What the running tests remember.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EvidenceState {
    slices: Vec<tick::Slice>,
    drifts: [Drift; RATIOS],
    gap: (Option<EventTime>, f64),
}

impl Evidence {
    /// All that is remembered.
    pub(super) fn snapshot(&self) -> EvidenceState {
        EvidenceState { slices: self.recent.slices(), drifts: self.drifts, gap: self.gap }
    }

    /// Takes up what was remembered.
    pub(super) fn restore(&mut self, saved: EvidenceState) {
        self.recent.restore(&saved.slices);
        self.drifts = saved.drifts;
        self.gap = saved.gap;
    }

    pub(super) fn new(slice: Duration) -> Self {
        Self { recent: Recent::new(slice), drifts: Default::default(), gap: (None, 0.0), slice }
    }

    /// Forgets what came up to `end`; a silence is counted from there on.
    pub(super) fn clear(&mut self, end: EventTime) {
        *self = Self { gap: (Some(end), 0.0), ..Self::new(self.slice) };
    }

    /// Takes the slice that ends at `end`, and says what there is.
    pub(super) fn push(
        &mut self,
        end: EventTime,
        counts: Counts,
        expected: Expected,
        normal: &impl Normal,
    ) -> Findings {
        let start = end.minus(self.slice);
        self.recent.push(counts, expected);
        if counts.messages > 0 {
            self.gap = (Some(end), 0.0);
        } else {
            self.gap.1 += expected.messages;
        }
        let [negative, frustrated] = [0, 1].map(|ratio| {
            let noticed = self.noticed_within();
            let in_span = self.recent.sums(noticed).map_or(0, |sums| sums.messages);
            let correlation = normal.correlation(ratio, noticed);
            self.drifts[ratio].push(Slice {
                start,
                unhappy: counts.unhappy[ratio],
                messages: counts.messages,
                ratio: expected.ratios[ratio],
                messages_each: 1.0 + f64::from(in_span.saturating_sub(1)) * correlation,
            });
            self.of_ratio(ratio, end, expected, normal)
        });
        [negative, frustrated, self.surge(end, normal), self.silence(end, normal)]
    }

    /// The sums of the last hour; none where hardly any message came in it.
    pub(super) fn hour(&self) -> Option<Sums> {
        self.recent.sums(1).filter(|sums| sums.messages >= LEAST_MESSAGES)
    }

    /// Whether what a kind looks at is as usual now, whatever it was an hour ago.
    pub(super) fn is_calm(&self, kind: AlertKind, normal: &impl Normal) -> bool {
        let strength = match kind {
            AlertKind::NegativeSentiment => self.ratio_now(0, normal),
            AlertKind::Frustration => self.ratio_now(1, normal),
            // Judged of all departments together, or not by evidence.
            AlertKind::CompanyWide | AlertKind::Severe => 0.0,
            AlertKind::VolumeSurge => {
                self.volume_now(|usual, messages| -usual.ln_upper(messages), SURGE_FACTOR, normal)
            }
            AlertKind::Silence => {
                let of_span = self.volume_now(|usual, messages| -usual.ln_lower(messages), SILENCE_FACTOR, normal);
                of_span.max(self.gap.1 * SILENCE_FACTOR)
            }
        };
        strength < CALM
    }

    /// −ln p of a ratio in the shortest span that has enough messages to tell; 0 where none has, infinite where the shifted ratio
    /// explains them better than the usual one.
    fn ratio_now(&self, ratio: usize, normal: &impl Normal) -> f64 {
        let Some((span, sums)) = self.shortest(|sums| sums.messages >= ENOUGH_NOW) else { return 0.0 };
        let slice = Slice {
            start: EventTime::from_millis(0),
            unhappy: sums.unhappy[ratio],
            messages: sums.messages,
            ratio: sums.ratios[ratio].clamp(0.001, 0.999),
            messages_each: 1.0,
        };
        if slice.nats() > 0.0 {
            return f64::INFINITY;
        }
        strength_of_ratio(&sums, ratio, normal.correlation(ratio, span)).unwrap_or(0.0)
    }

    /// −ln p of the messages of the shortest span that has enough, or should have; 0 where none does.
    fn volume_now(&self, strength: impl Fn(NegativeBinomial, u32) -> f64, factor: f64, normal: &impl Normal) -> f64 {
        let enough = f64::from(ENOUGH_NOW);
        let found = self.shortest(|sums| f64::from(sums.messages).max(sums.expected_messages) >= enough);
        let usual = found.and_then(|(span, sums)| Some((usual(&sums, factor, normal.spread(span))?, sums.messages)));
        usual.map_or(0.0, |(usual, messages)| strength(usual, messages))
    }

    fn shortest(&self, is_enough: impl Fn(&Sums) -> bool) -> Option<(usize, Sums)> {
        let spans = (0..SPANS.len()).filter_map(|span| Some((span, self.recent.sums(span)?)));
        spans.into_iter().find(|(_, sums)| is_enough(sums))
    }

    fn noticed_within(&self) -> usize {
        let is_enough =
            |span: &usize| self.recent.sums(*span).is_some_and(|sums| sums.expected_messages >= NOTICED_AFTER);
        (0..3).find(is_enough).unwrap_or(2)
    }

    fn of_ratio(&self, ratio: usize, end: EventTime, expected: Expected, normal: &impl Normal) -> Option<Finding> {
        let drift = self.drifts[ratio];
        let onset = drift.since().unwrap_or(end.minus(self.slice));
        let spans = (0..SPANS.len()).filter_map(|span| {
            let sums = self.recent.sums(span)?;
            let is_busy = span + 1 == SPANS.len()
                && self.recent.sums(span - 1).is_some_and(|shorter| shorter.expected_messages >= FEW_MESSAGES);
            if is_busy || sums.messages < LEAST_MESSAGES {
                return None;
            }
            let strength =
                strength_of_ratio(&sums, ratio, normal.correlation(ratio, span)).filter(|found| *found > WEAK)?;
            let messages = f64::from(sums.messages);
            let recurrence = recurrence::of_ratio_span(span, strength, messages, sums.ratios[ratio]);
            Some(Finding {
                recurrence: recurrence / SPAN_SHARES[span],
                ln_p_value: -strength,
                seconds: SPANS[span].as_secs(),
                messages: sums.messages,
                observed: f64::from(sums.unhappy[ratio]) / messages,
                expected: sums.ratios[ratio],
                since: onset.max(end.minus(SPANS[span])),
            })
        });
        spans
            .chain(self.of_sum(ratio, end, expected, normal))
            .min_by(|one, other| one.recurrence.total_cmp(&other.recurrence))
    }

    fn of_sum(&self, ratio: usize, end: EventTime, expected: Expected, normal: &impl Normal) -> Option<Finding> {
        let drift = self.drifts[ratio];
        let since = drift.since().filter(|_| drift.sum() > WEAK)?;
        let nats = self.messages_a_month(normal) * nats_a_message(expected.ratios[ratio]);
        let seconds = u64::try_from(end.as_millis() - since.as_millis()).unwrap_or_default() / 1_000;
        let span = SPANS.iter().position(|span| span.as_secs() >= seconds).unwrap_or(SPANS.len() - 1);
        let sums = self.recent.sums(span).filter(|sums| sums.messages >= LEAST_MESSAGES)?;
        Some(Finding {
            recurrence: recurrence::of_sum(drift.sum(), nats) / SUM_SHARE,
            ln_p_value: -drift.sum(),
            seconds,
            messages: sums.messages,
            observed: f64::from(sums.unhappy[ratio]) / f64::from(sums.messages.max(1)),
            expected: expected.ratios[ratio],
            since,
        })
    }

    /// As usual, or as of late where that is more: before the volume is known it is taken for less than it is.
    fn messages_a_month(&self, normal: &impl Normal) -> f64 {
        let of_late = self.recent.sums(SPANS.len() - 1).map_or(0.0, |sums| {
            f64::from(sums.messages) / self.recent.length(SPANS.len() - 1).as_secs_f64().max(3_600.0)
        });
        MONTH.as_secs_f64() * of_late.max(normal.messages_an_hour() / 3_600.0)
    }

    fn surge(&self, end: EventTime, normal: &impl Normal) -> Option<Finding> {
        let spans = (0..3).filter_map(|span| {
            let sums = self.recent.sums(span)?;
            let usual = usual(&sums, SURGE_FACTOR, normal.spread(span))?;
            let messages = f64::from(sums.messages);
            if sums.messages < LEAST_SURGE || messages < usual.mean + UNREMARKABLE * usual.standard_deviation() {
                return None;
            }
            Some(of_volume(span, end, &sums, -usual.ln_upper(sums.messages)))
        });
        spans.min_by(|one, other| one.recurrence.total_cmp(&other.recurrence))
    }

    fn silence(&self, end: EventTime, normal: &impl Normal) -> Option<Finding> {
        let spans = (0..3).filter_map(|span| {
            let sums = self.recent.sums(span)?;
            let usual = usual(&sums, SILENCE_FACTOR, normal.spread(span))?;
            let messages = f64::from(sums.messages);
            if messages > usual.mean - UNREMARKABLE * usual.standard_deviation() {
                return None;
            }
            Some(of_volume(span, end, &sums, -usual.ln_lower(sums.messages)))
        });
        spans.chain(self.gap(end, normal)).min_by(|one, other| one.recurrence.total_cmp(&other.recurrence))
    }

    /// Nothing at all since the last message, however long that is.
    fn gap(&self, end: EventTime, normal: &impl Normal) -> Option<Finding> {
        let (last, expected) = (self.gap.0?, self.gap.1);
        let usual = NegativeBinomial { mean: expected * SILENCE_FACTOR, dispersion: normal.spread(2) };
        if usual.mean < WEAK {
            return None;
        }
        let strength = -usual.ln_lower(0);
        let seconds = u64::try_from(end.as_millis() - last.as_millis()).unwrap_or_default() / 1_000;
        Some(Finding {
            recurrence: recurrence::of_volume_span(Duration::from_secs(seconds), strength),
            ln_p_value: -strength,
            seconds,
            messages: 0,
            observed: 0.0,
            expected,
            since: last,
        })
    }
}

/// −ln p of a span's unhappy messages; none where they are unremarkable.
fn strength_of_ratio(sums: &Sums, ratio: usize, correlation: f64) -> Option<f64> {
    let (messages, unhappy) = (f64::from(sums.messages), f64::from(sums.unhappy[ratio]));
    let expected = sums.ratios[ratio].clamp(1e-6, 1.0 - 1e-6);
    let variance = messages * expected * (1.0 - expected) * (1.0 + (messages - 1.0) * correlation);
    if unhappy < messages * expected + UNREMARKABLE * variance.sqrt() {
        return None;
    }
    Some(-ln_beta_binomial_upper(sums.unhappy[ratio], sums.messages, expected, correlation))
}

fn usual(sums: &Sums, factor: f64, dispersion: f64) -> Option<NegativeBinomial> {
    let mean = sums.expected_messages * factor;
    (mean > 0.0).then_some(NegativeBinomial { mean, dispersion })
}

fn of_volume(span: usize, end: EventTime, sums: &Sums, strength: f64) -> Finding {
    Finding {
        recurrence: recurrence::of_volume_span(SPANS[span], strength),
        ln_p_value: -strength,
        seconds: SPANS[span].as_secs(),
        messages: sums.messages,
        observed: f64::from(sums.messages),
        expected: sums.expected_messages,
        since: end.minus(SPANS[span]),
    }
}
