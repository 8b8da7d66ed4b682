//! The naive one: every message in a list.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Shard, department, and the minutes of a stretch.
type Place = (usize, u16, (i64, i64));

pub(super) const DEPARTMENTS: u16 = 2;
pub(super) const SHARDS: usize = 2;

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) shard: usize,
    pub(super) department: u16,
    pub(super) second: i64,
    /// Tenths.
    pub(super) negative: u8,
    pub(super) frustration: u8,
    pub(super) signals: SignalSet,
    pub(super) customer: Option<u32>,
    pub(super) id: String,
}

impl Said {
    pub(super) fn is_severe(&self) -> bool {
        self.signals.contains(Signal::Fraud)
    }

    fn is_negative(&self) -> bool {
        self.negative >= 5
    }

    fn is_frustrated(&self) -> bool {
        self.frustration >= 5
    }

    /// The rank that the record of voices gives, in other words.
    fn rank(&self) -> (i64, i64, &str) {
        let score = score(self);
        let sure = score.sentiment.negative.get() + score.frustration.get();
        let reasons = 250 * self.signals.len().min(2) as i64;
        let severe = if self.is_severe() { 10_000 } else { 0 };
        (-((1_000.0 * sure).round() as i64 + reasons + severe), self.second, &self.id)
    }
}

/// Any message within so many seconds; ids are not all different, and few customers write.
pub(super) fn said(seconds: i64) -> impl Strategy<Value = Said> {
    let signals = prop::collection::vec(0..Signal::ALL.len(), 0..4);
    let what = (0_u8..=10, 0_u8..=10, signals, prop::option::of(0_u32..9), 0_u16..500);
    (0..SHARDS, 0..DEPARTMENTS, 0..seconds, what).prop_map(
        |(shard, department, second, (negative, frustration, signals, customer, id))| Said {
            shard,
            department,
            second,
            negative,
            frustration,
            signals: signals.into_iter().map(|place| Signal::ALL[place]).collect(),
            customer: customer.map(|number| number.wrapping_mul(2_654_435_761)),
            id: format!("m-{id}"),
        },
    )
}

#[derive(Default)]
pub(super) struct Model(Vec<Said>);

impl Model {
    pub(super) fn note(&mut self, said: &Said) {
        self.0.push(said.clone());
    }

    /// All that can be told once the minutes before that second have closed.
    pub(super) fn told(&self, last: i64) -> Vec<Summary> {
        let abouts =
            [Voiced::Everyone, Voiced::Negative, Voiced::Frustrated, Voiced::Unhappy, Voiced::Severe(severe())];
        let sinces = [i64::MIN / 4_000_000, 0, 3_000, 6_000, 20_000, 40_000];
        let mut all = Vec::new();
        for about in abouts {
            for since in sinces {
                all.extend((0..DEPARTMENTS).map(|department| self.summary(&[department], since, last, about)));
                all.push(self.summary(&[0, 1], since, last, about));
            }
        }
        all
    }

    fn summary(&self, departments: &[u16], since: i64, last: i64, about: Voiced) -> Summary {
        // Hours of which thirteen are kept before the one of the last closed minute; of a stretch all.
        let closed_until = last.div_euclid(60) * 60;
        let oldest = (closed_until.div_euclid(3_600) - 13) * 3_600;
        let of: Vec<&Said> = self
            .0
            .iter()
            .filter(|said| departments.contains(&said.department))
            .filter(|said| (oldest..closed_until).contains(&said.second))
            .collect();
        let stretch = |second| stretch_of(second, closed_until);
        let (within, before): (Vec<&Said>, Vec<&Said>) =
            of.into_iter().partition(|said| said.second >= since || stretch(said.second) == stretch(since));
        let is_behind = |said: &&&Said| match about {
            Voiced::Everyone => true,
            Voiced::Severe(_) => said.is_severe(),
            _ => said.is_negative() || said.is_frustrated() || said.is_severe(),
        };
        let customers: BTreeSet<u32> = within.iter().filter(is_behind).filter_map(|said| said.customer).collect();
        Summary {
            customers: (!customers.is_empty()).then_some(customers.len() as u64),
            signals: signals(&within, &before, about),
            samples: samples(&within, about, stretch),
        }
    }
}

fn signals(within: &[&Said], before: &[&Said], about: Voiced) -> Vec<SignalFound> {
    let is_told = |signal: Signal| match about {
        Voiced::Everyone => true,
        Voiced::Severe(signals) => signals.contains(signal),
        _ => signal != Signal::Praise && signal != Signal::Resolved,
    };
    let with = |of: &[&Said], signal| of.iter().filter(|said| said.signals.contains(signal)).count() as f64;
    let mut found = Vec::new();
    for signal in Signal::ALL.iter().copied().filter(|signal| is_told(*signal)) {
        let count = with(within, signal);
        if count == 0.0 {
            continue;
        }
        let expected = (with(before, signal) + 0.5) / (before.len() as f64 + 1.0) * within.len() as f64;
        let is_usual_known = before.len() >= 100;
        let times_usual = is_usual_known.then(|| (count / expected * 100.0).round() / 100.0);
        let excess = if is_usual_known { count - expected } else { count };
        found.push((excess, SignalFound { signal, messages: count as u64, times_usual }));
    }
    // Stable: those of the same excess stay in the order of the signals.
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    found.into_iter().take(5).map(|(_, found)| found).collect()
}

/// In which stretch a second lies, by its start and length.
fn stretch_of(second: i64, closed_until: i64) -> (i64, i64) {
    let half_hour = second.div_euclid(1_800) * 1_800;
    let is_long_ago = half_hour + 1_800 + 7_200 <= closed_until;
    if is_long_ago { (half_hour, 1_800) } else { (second.div_euclid(300) * 300, 300) }
}

/// At most three of each stretch, before they are asked what they are about.
fn samples(within: &[&Said], about: Voiced, stretch: impl Fn(i64) -> (i64, i64)) -> Vec<String> {
    let mut stretches: BTreeMap<Place, Vec<&Said>> = BTreeMap::new();
    for said in within.iter().filter(|said| said.is_negative() || said.is_frustrated() || said.is_severe()) {
        stretches.entry((said.shard, said.department, stretch(said.second))).or_default().push(said);
    }
    let kept = stretches.into_values().flat_map(|of| best(of));
    let is_about = |said: &&Said| match about {
        Voiced::Everyone | Voiced::Unhappy => true,
        Voiced::Negative => said.is_negative(),
        Voiced::Frustrated => said.is_frustrated(),
        Voiced::Severe(_) => said.is_severe(),
    };
    best(kept.filter(is_about).collect()).into_iter().map(|said| said.id.clone()).collect()
}

/// The best three, one of each customer.
fn best(mut of: Vec<&Said>) -> Vec<&Said> {
    of.sort_by(|one, other| one.rank().cmp(&other.rank()));
    let mut seen = BTreeSet::new();
    of.retain(|said| said.customer.is_none_or(|customer| seen.insert(customer)));
    of.truncate(3);
    of
}
