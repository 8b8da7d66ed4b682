//! What the latest counts say against what is normal.

mod drift;
mod recurrence;
mod tails;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::drift::{Drift, Slice, nats_a_message};
use self::tails::NegativeBinomial;
use super::kind::{AlertKind, RATIOS};
use super::tick::{self, Counts, Expected, Recent, SPANS, Sums};
use crate::message::EventTime;

pub(super) use self::recurrence::MONTH;
pub(super) use self::tails::ln_beta_binomial_upper;

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
const LEAST_SPREAD: f64 = 0.02;

/// An alert about a volume is over only where it is nearer to the usual than what opens one.
const SURGE_OVER_FACTOR: f64 = 1.2;
const SILENCE_OVER_FACTOR: f64 = 0.8;

/// The longest span is for departments that get fewer messages than this in the next shorter one.
const FEW_MESSAGES: f64 = 30.0;

/// The span whose correlation counts for the cumulative sum is the shortest in which so many messages are expected: it takes
/// about so many to notice the shift.
const NOTICED_AFTER: f64 = 60.0;

/// It is sought among the first so many spans.
const LONGEST_OF_SUMS: usize = 3;

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
    /// The part of it that is due to how little is known of the ratio.
    fn unknown_ratio(&self, ratio: usize) -> f64;
    /// The squared coefficient of variation of a span's number of messages.
    fn spread(&self, span: usize) -> f64;
    /// The part of it that is due to how little is known.
    fn unknown_volume(&self) -> f64;
    /// Variance over mean of the messages of a short while, 1 or more: some come together.
    fn clumping(&self) -> f64;
    /// Messages of an average hour.
    fn messages_an_hour(&self) -> f64;
    /// Messages of an hour such as this one.
    fn messages_now(&self) -> f64;
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

impl EvidenceState {
    /// Whether it is what it should be, wherever it came from.
    pub(super) fn is_sound(&self) -> bool {
        let (_, expected) = self.gap;
        let drifts = self.drifts.iter().all(|drift| drift.is_sound());
        expected >= 0.0 && drifts && self.slices.iter().all(tick::Slice::is_sound)
    }
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
            let messages_each = self.messages_each(ratio, normal);
            self.drifts[ratio].push(Slice {
                start,
                unhappy: counts.unhappy[ratio],
                messages: counts.messages,
                ratio: expected.ratios[ratio],
                messages_each,
            });
            self.of_ratio(ratio, end, expected, normal)
        });
        [negative, frustrated, self.surge(end, normal), self.silence(end, normal)]
    }

    /// The sums of the last hour; none where hardly any message came in it.
    pub(super) fn hour(&self) -> Option<Sums> {
        self.recent.sums(1).filter(|sums| sums.messages >= LEAST_MESSAGES)
    }

    /// The sums of the last quarter of an hour; none where slices are longer.
    pub(super) fn lately(&self) -> Option<Sums> {
        self.recent.sums(0)
    }

    /// Whether nobody has written for as long as the longest span.
    pub(super) fn is_deserted(&self) -> bool {
        self.recent.sums(SPANS.len() - 1).is_some_and(|sums| sums.messages == 0)
    }

    /// Whether what a kind looks at is as usual now, whatever it was an hour ago.
    pub(super) fn is_calm(&self, kind: AlertKind, normal: &impl Normal) -> bool {
        let strength = match kind {
            AlertKind::NegativeSentiment => self.ratio_now(0, normal),
            AlertKind::Frustration => self.ratio_now(1, normal),
            // Judged of all departments together, or not by evidence.
            AlertKind::CompanyWide | AlertKind::Severe => 0.0,
            AlertKind::VolumeSurge => {
                self.volume_now(|usual, messages| -usual.ln_upper(messages), SURGE_OVER_FACTOR, normal)
            }
            AlertKind::Silence => {
                let of_span = self.volume_now(|usual, messages| -usual.ln_lower(messages), SILENCE_OVER_FACTOR, normal);
                // Where customers hardly write any more nobody waits for them.
                let longest = SPANS[SPANS.len() - 1].as_secs_f64() / 3_600.0;
                of_span.max(self.gap.1.min(normal.messages_an_hour() * longest) * SILENCE_FACTOR / normal.clumping())
            }
        };
        strength < CALM
    }

    /// An alert of a kind has opened.
    pub(super) fn alerted(&mut self, kind: AlertKind) {
        match kind {
            AlertKind::NegativeSentiment => self.drifts[0].doubt(),
            AlertKind::Frustration => self.drifts[1].doubt(),
            AlertKind::VolumeSurge | AlertKind::Silence | AlertKind::CompanyWide | AlertKind::Severe => {}
        }
    }

    /// −ln p of a ratio in the shortest span that has enough messages to tell; infinite as long as it is not shown that the usual
    /// ratio is back; 0 where nobody has written for the longest span.
    fn ratio_now(&self, ratio: usize, normal: &impl Normal) -> f64 {
        let longest = SPANS.len() - 1;
        let found = self.shortest(|sums| sums.messages >= ENOUGH_NOW);
        let Some((span, sums)) = found.or_else(|| Some((longest, self.recent.sums(longest)?))) else { return 0.0 };
        if sums.messages == 0 {
            return 0.0;
        }
        if !self.drifts[ratio].is_back() {
            return f64::INFINITY;
        }
        strength_of_ratio(&sums, ratio, normal.correlation(ratio, span)).unwrap_or(0.0)
    }

    /// −ln p of the messages of the shortest span that has enough, or should have; 0 where none does.
    fn volume_now(&self, strength: impl Fn(NegativeBinomial, u32) -> f64, factor: f64, normal: &impl Normal) -> f64 {
        let enough = f64::from(ENOUGH_NOW);
        let found = self.shortest(|sums| f64::from(sums.messages).max(sums.expected_messages) >= enough);
        let usual = found.and_then(|(span, sums)| Some((usual(&sums, factor, span, normal)?, sums.messages)));
        usual.map_or(0.0, |(usual, messages)| strength(usual, messages))
    }

    fn shortest(&self, is_enough: impl Fn(&Sums) -> bool) -> Option<(usize, Sums)> {
        let spans = (0..SPANS.len()).filter_map(|span| Some((span, self.recent.sums(span)?)));
        spans.into_iter().find(|(_, sums)| is_enough(sums))
    }

    /// How many messages tell as much as one independent one. Between two answers: a large shift is noticed within a short span, and
    /// moods that last for hours make only long ones vary more. (Their geometric mean kept to the budget best where
    /// moods are strong.) The end of a shift is told from its continuation by what comes within the short one.
    fn messages_each(&self, ratio: usize, normal: &impl Normal) -> (f64, f64) {
        let unknown = normal.unknown_ratio(ratio);
        let messages = |span: usize| {
            let seen = self.recent.sums(span).map_or(0.0, |sums| f64::from(sums.messages));
            // After a gap little of the span is there, and as much is to come as ever.
            let usual = normal.messages_now() * SPANS[span].as_secs_f64() / 3_600.0;
            (seen.max(usual) - 1.0).max(0.0)
        };
        let within = |span: usize| 1.0 + messages(span) * (normal.correlation(ratio, span) - unknown);
        let most = (0..LONGEST_OF_SUMS).map(within).fold(1.0, f64::max);
        let least = within(self.noticed_within());
        // An error of the mean lasts.
        ((least * most).sqrt() + messages(LONGEST_OF_SUMS - 1) * unknown, least)
    }

    fn noticed_within(&self) -> usize {
        let is_enough =
            |span: &usize| self.recent.sums(*span).is_some_and(|sums| sums.expected_messages >= NOTICED_AFTER);
        (0..LONGEST_OF_SUMS).find(is_enough).unwrap_or(LONGEST_OF_SUMS - 1)
    }

    fn of_ratio(&self, ratio: usize, end: EventTime, expected: Expected, normal: &impl Normal) -> Option<Finding> {
        let drift = self.drifts[ratio];
        let onset = drift.rise().map_or(end.minus(self.slice), |rise| rise.since);
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
        let of_late = self.recent.sums(SPANS.len() - 1)?.messages;
        let rise = drift.rise().filter(|rise| drift.sum() > WEAK && rise.messages.min(of_late) >= LEAST_MESSAGES)?;
        let nats = self.messages_a_month(normal) * nats_a_message(expected.ratios[ratio]);
        let messages = f64::from(rise.messages);
        Some(Finding {
            recurrence: recurrence::of_sum(drift.sum(), nats) / SUM_SHARE,
            ln_p_value: -drift.sum(),
            seconds: u64::try_from(end.as_millis() - rise.since.as_millis()).unwrap_or_default() / 1_000,
            messages: rise.messages,
            observed: f64::from(rise.unhappy) / messages,
            expected: rise.expected_unhappy / messages,
            since: rise.since,
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
            let usual = usual(&sums, SURGE_FACTOR, span, normal)?;
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
            let usual = usual(&sums, SILENCE_FACTOR, span, normal)?;
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
        let longest = SPANS[SPANS.len() - 1];
        if expected * SILENCE_FACTOR < WEAK {
            return None;
        }
        // The factor allows for all that hours and days differ in.
        let usual = counts_of(expected * SILENCE_FACTOR, LEAST_SPREAD + normal.unknown_volume(), normal);
        let strength = -usual.ln_lower(0);
        let seconds = u64::try_from(end.as_millis() - last.as_millis()).unwrap_or_default() / 1_000;
        Some(Finding {
            recurrence: recurrence::of_volume_span(Duration::from_secs(seconds).min(longest), strength),
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

fn usual(sums: &Sums, factor: f64, span: usize, normal: &impl Normal) -> Option<NegativeBinomial> {
    let mean = sums.expected_messages * factor;
    (mean > 0.0).then(|| counts_of(mean, normal.spread(span), normal))
}

/// Counts with that mean whose variance is clumping × mean + spread × mean².
fn counts_of(mean: f64, spread: f64, normal: &impl Normal) -> NegativeBinomial {
    NegativeBinomial { mean, dispersion: spread + (normal.clumping() - 1.0) / mean }
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
