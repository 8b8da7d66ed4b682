//! The messages of a storm, by its seed, and what must become of each.

use std::collections::BTreeMap;

use anyhow::Result;
use latido::config::{ScorerConfig, SignalsConfig};
use latido::message::RejectReason;
use latido::score::{self, EmbeddedScorer, Text};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

/// Partitions of the input topic.
pub(crate) const PARTITIONS: i32 = 6;
/// The panes that are compared.
pub(crate) const PANE_MILLIS: i64 = 10_000;
const DAY_MILLIS: i64 = 24 * 3_600 * 1_000;
/// So late that no order of reading makes it less than late, and so far ahead that no clock makes it less than ahead.
const FAR_MILLIS: i64 = 3 * DAY_MILLIS;
/// How far the messages that come out of order lie behind: well within the day of panes that is kept.
const OUT_OF_ORDER_MILLIS: i64 = 3 * 3_600 * 1_000;
/// Of a thousand records: so many unusable ones, late ones, agents' and bots' ones.
const UNUSABLE: u32 = 12;
const LATE: u32 = 10;
const CONTEXT: u32 = 100;

/// The departments of the daemon's config, and what records call them.
const DEPARTMENTS: [(&str, &[&str]); 4] = [
    ("billing", &["billing", "Facturación", "cobros", "BILLING"]),
    ("delivery", &["delivery", "Envíos", "envios"]),
    ("support", &["support", "Soporte Técnico", "soporte tecnico"]),
    ("other", &["Tesorería", "no such department", ""]),
];

const TEXTS: [&str; 12] = [
    "Llevo tres días esperando mi pedido y nadie me responde, es una vergüenza",
    "Me han cobrado dos veces la misma factura y sigo sin solución",
    "¿A qué hora abre la tienda mañana?",
    "Quisiera cambiar la dirección de entrega, por favor",
    "Muchísimas gracias, lo resolvieron en cinco minutos 😊",
    "Necesito hablar con una persona, el robot no me entiende",
    "I have been on hold for an hour and nobody picks up, this is awful",
    "You charged me twice and the refund never arrived",
    "What time do you open on Sundays?",
    "I would like to change my delivery address please",
    "Thank you so much, Maria solved it right away!",
    "The app crashes every time I try to pay",
];

/// What a scorer says of a text, as the panes and counters tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mood {
    /// `negative`, `neutral` or `positive`.
    pub(crate) sentiment: &'static str,
    /// Whether it counts as frustrated.
    pub(crate) frustrated: bool,
}

/// What the daemon's own scorer says of each text.
pub(crate) fn moods() -> Result<Vec<Mood>> {
    let model = score::open(&ScorerConfig::default())?;
    let rules = score::open_rules(&SignalsConfig::default())?;
    let mut scorer = EmbeddedScorer::new(model, rules);
    let mood = |text| {
        let score = scorer.score_one(Text { text, language: None });
        Mood { sentiment: score.sentiment.label().as_str(), frustrated: score.is_frustrated() }
    };
    Ok(TEXTS.into_iter().map(mood).collect())
}

/// What must become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It counts in a pane.
    Counted {
        /// Whose.
        department: &'static str,
        /// `external` or `internal`.
        audience: &'static str,
        /// Start of the pane in milliseconds.
        pane: i64,
        /// How it reads.
        mood: Mood,
    },
    /// It is late, and in no pane.
    Late {
        /// Whose.
        department: &'static str,
    },
    /// An agent or a bot wrote it.
    Context {
        /// Whose.
        department: &'static str,
        /// `agent` or `bot`.
        author: &'static str,
    },
    /// It cannot be used.
    Unusable(RejectReason),
}

/// A record to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// To which partition.
    pub(crate) partition: i32,
    /// Its Kafka timestamp in milliseconds.
    pub(crate) kafka_millis: i64,
    /// Its key.
    pub(crate) key: Option<String>,
    /// Its value; none is a tombstone.
    pub(crate) value: Option<Vec<u8>>,
    /// What must become of it.
    pub(crate) fate: Fate,
}

/// Records without end, the same for the same seed and start.
pub(crate) struct Stream {
    random: Pcg64Mcg,
    moods: Vec<Mood>,
    starts: i64,
    period_micros: i64,
    number: i64,
}

impl Stream {
    /// Begins at that moment (milliseconds), so many records a second.
    pub(crate) fn new(seed: u64, moods: &[Mood], starts: i64, rate: u32) -> Self {
        let random = Pcg64Mcg::seed_from_u64(seed);
        Self { random, moods: moods.to_owned(), starts, period_micros: 1_000_000 / i64::from(rate.max(1)), number: 0 }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.random_range(0..from.len())]
    }

    /// The moment in one of the forms of the input contract.
    fn timestamp(&mut self, millis: i64) -> Value {
        let moment = latido::message::EventTime::from_millis(millis);
        match self.random.random_range(0..3) {
            0 => json!(millis),
            1 => json!(millis.to_string()),
            _ => json!(moment.to_rfc3339()),
        }
    }

    fn record(&mut self) -> Record {
        let number = self.number;
        self.number += 1;
        let now = self.starts + number * self.period_micros / 1_000;
        // The first of each partition is a fresh one: what is late depends on what came before.
        let is_first = number < i64::from(PARTITIONS);
        let partition = match i32::try_from(number) {
            Ok(number) if is_first => number,
            _ => self.random.random_range(0..PARTITIONS),
        };
        let draw = if is_first { u32::MAX } else { self.random.random_range(0..1_000) };
        let key = self.random.random_bool(0.8).then(|| format!("customer-{}", self.random.random_range(0..400)));
        let (value, fate) =
            if draw < UNUSABLE { self.unusable(now) } else { self.usable(now, draw - UNUSABLE, is_first) };
        Record { partition, kafka_millis: now, key, value, fate }
    }

    fn usable(&mut self, now: i64, draw: u32, is_first: bool) -> (Option<Vec<u8>>, Fate) {
        let (department, names) = self.pick(&DEPARTMENTS);
        let name = self.pick(names);
        let text = self.random.random_range(0..TEXTS.len());
        let mut value = json!({ "id": format!("m-{}", self.number - 1), "text": TEXTS[text], "channel": "chat" });
        if !name.is_empty() {
            value["department"] = json!(name);
        }
        let (millis, fate) = if draw < LATE {
            (now - FAR_MILLIS - self.random.random_range(0..DAY_MILLIS), Fate::Late { department })
        } else if draw < LATE + CONTEXT {
            let author = self.pick(&["agent", "bot"]);
            value["author"] = json!(author);
            (now, Fate::Context { department, author })
        } else {
            let is_out_of_order = !is_first && self.random.random_bool(0.3);
            let behind = if is_out_of_order { self.random.random_range(0..OUT_OF_ORDER_MILLIS) } else { 0 };
            let audience = if self.random.random_bool(0.05) { "internal" } else { "external" };
            value["audience"] = json!(audience);
            let millis = now - behind;
            let pane = millis - millis.rem_euclid(PANE_MILLIS);
            (millis, Fate::Counted { department, audience, pane, mood: self.moods[text] })
        };
        value["timestamp"] = self.timestamp(millis);
        (Some(value.to_string().into_bytes()), fate)
    }

    fn unusable(&mut self, now: i64) -> (Option<Vec<u8>>, Fate) {
        let text = self.pick(&TEXTS);
        let reason = self.pick(RejectReason::ALL);
        let json = |value: Value| Some(value.to_string().into_bytes());
        let value = match reason {
            RejectReason::Tombstone => None,
            RejectReason::NotUtf8 => Some([br#"{"text":"caf"#, &b"\xe9"[..], br#" frio"}"#].concat()),
            RejectReason::NotJson => Some(text.as_bytes().to_vec()),
            RejectReason::NotObject => json(json!([text])),
            RejectReason::MissingText => json(json!({ "message": text })),
            RejectReason::BadText => json(json!({ "text": { "body": text } })),
            RejectReason::EmptyText => json(json!({ "text": " \n" })),
            RejectReason::BadTimestamp => json(json!({ "text": text, "timestamp": "ayer por la tarde" })),
            RejectReason::BadAuthor => json(json!({ "text": text, "author": "the cat" })),
            RejectReason::BadAudience => json(json!({ "text": text, "audience": "martians" })),
            RejectReason::Future => json(json!({ "text": text, "timestamp": self.timestamp(now + FAR_MILLIS) })),
        };
        (value, Fate::Unusable(reason))
    }
}

impl Iterator for Stream {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        Some(self.record())
    }
}

/// How many records meet which fate, for a line of text.
pub(crate) fn summary<'a>(fates: impl Iterator<Item = &'a Fate>) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for fate in fates {
        let name = match fate {
            Fate::Counted { .. } => "to count",
            Fate::Late { .. } => "late",
            Fate::Context { .. } => "of agents and bots",
            Fate::Unusable(_) => "unusable",
        };
        *counts.entry(name).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    parts.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const STARTS: i64 = 1_790_000_000_000;

    fn records(seed: u64, count: usize) -> Vec<Record> {
        let mood = Mood { sentiment: "neutral", frustrated: false };
        Stream::new(seed, &[mood; TEXTS.len()], STARTS, 500).take(count).collect()
    }

    #[test]
    fn a_seed_gives_the_same_records_again_and_another_seed_others() {
        assert_eq!(records(7, 500), records(7, 500));
        assert_ne!(records(7, 500), records(8, 500));
    }

    #[test]
    fn the_first_record_of_each_partition_is_fresh_and_counts() {
        for seed in 0..50 {
            let mut seen = BTreeSet::new();
            for record in records(seed, 200) {
                if !seen.insert(record.partition) {
                    continue;
                }
                let Fate::Counted { pane, .. } = record.fate else { panic!("{record:?}") };
                assert!((0..PANE_MILLIS).contains(&(record.kafka_millis - pane)), "{record:?}");
            }
        }
    }

    #[test]
    fn every_fate_and_every_reason_comes_and_about_one_in_a_hundred_is_unusable() {
        let records = records(3, 50_000);
        let unusable: Vec<RejectReason> = records
            .iter()
            .filter_map(|record| if let Fate::Unusable(reason) = record.fate { Some(reason) } else { None })
            .collect();
        assert!((300..1_000).contains(&unusable.len()), "{}", unusable.len());
        let reasons: BTreeSet<RejectReason> = unusable.into_iter().collect();
        assert_eq!(reasons.len(), RejectReason::ALL.len());
        let is = |wanted: fn(&Fate) -> bool| records.iter().filter(|record| wanted(&record.fate)).count();
        assert!(is(|fate| matches!(fate, Fate::Late { .. })) > 200);
        assert!(is(|fate| matches!(fate, Fate::Context { .. })) > 2_000);
        assert!(is(|fate| matches!(fate, Fate::Counted { .. })) > 30_000);
    }

    #[test]
    fn what_counts_is_within_the_day_that_is_kept_and_what_is_late_is_far_outside() {
        for record in records(5, 20_000) {
            if let Fate::Counted { pane, .. } = record.fate {
                assert!((0..DAY_MILLIS / 2).contains(&(record.kafka_millis - pane)));
            }
        }
    }
}
