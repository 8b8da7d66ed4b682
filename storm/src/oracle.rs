//! What must come out of a storm, from what went in: it knows every record and where it stands.

use std::collections::{BTreeMap, BTreeSet};

use crate::daemon::{Pane, Panes};
use crate::exposition::Samples;
use crate::letters::{Letter, Place};
use crate::producer::Delivered;
use crate::stream::{Fate, Mood};

/// Most differences that are told of one kind.
const TOLD: usize = 5;

/// The panes that hold each record exactly once, with moods or without.
pub(crate) fn panes(delivered: &[Delivered], has_moods: bool) -> Panes {
    let mut panes = Panes::new();
    for Delivered { record, .. } in delivered {
        let Fate::Counted { department, pane, mood, .. } = record.fate else { continue };
        let pane: &mut Pane = panes.entry((department.to_owned(), pane)).or_default();
        pane.messages += 1;
        pane.negative += u64::from(has_moods && mood.sentiment == "negative");
        pane.frustrated += u64::from(has_moods && mood.frustrated);
    }
    panes
}

/// How the panes found differ from those expected: the first ones by time, and how many records that makes.
pub(crate) fn differing_panes(expected: &Panes, found: &Panes) -> Vec<String> {
    let both: BTreeSet<(i64, &String)> =
        expected.keys().chain(found.keys()).map(|(department, start)| (*start, department)).collect();
    let (mut told, mut lost, mut surplus, mut count) = (Vec::new(), 0, 0, 0_usize);
    for (start, department) in both {
        let at = (department.clone(), start);
        let (wanted, seen) = (expected.get(&at).copied(), found.get(&at).copied());
        if wanted == seen {
            continue;
        }
        count += 1;
        let (wanted, seen) = (wanted.unwrap_or_default(), seen.unwrap_or_default());
        lost += wanted.messages.saturating_sub(seen.messages);
        surplus += seen.messages.saturating_sub(wanted.messages);
        if told.len() < TOLD {
            told.push(format!("pane {start} of {department}: expected {}, found {}", shown(wanted), shown(seen)));
        }
    }
    if count > 0 {
        let all = expected.len();
        told.push(format!("{count} panes of {all} differ: {lost} records lost, {surplus} counted too often"));
    }
    told
}

fn shown(pane: Pane) -> String {
    let Pane { messages, negative, frustrated } = pane;
    format!("{messages} messages ({negative} negative, {frustrated} frustrated)")
}

/// How the dead letters found differ from those expected: each unusable record at least once, and no other.
pub(crate) fn differing_letters(delivered: &[Delivered], letters: &[Letter]) -> Vec<String> {
    let mut expected: BTreeMap<Place, &Delivered> = BTreeMap::new();
    for delivered in delivered {
        if matches!(delivered.record.fate, Fate::Unusable(_)) {
            expected.insert((delivered.record.partition, delivered.offset), delivered);
        }
    }
    let found: BTreeSet<Place> = letters.iter().map(|letter| letter.source).collect();
    let missing = expected.keys().filter(|place| !found.contains(*place)).copied().collect::<Vec<_>>();
    let surplus = found.iter().filter(|place| !expected.contains_key(*place)).copied().collect::<Vec<_>>();
    let changed = letters.iter().filter(|letter| expected.get(&letter.source).is_some_and(|sent| !is_of(letter, sent)));
    let changed = changed.map(|letter| letter.source).collect::<Vec<_>>();
    let kinds = [
        ("unusable records are in no dead letter", missing),
        ("dead letters are of records that can be used", surplus),
        ("dead letters differ from their records", changed),
    ];
    let some = kinds.into_iter().filter(|(_, places)| !places.is_empty());
    some.map(|(what, places)| format!("{} {what}: {}", places.len(), listed(&places))).collect()
}

/// Whether a letter holds its record, and the right reason.
fn is_of(letter: &Letter, sent: &Delivered) -> bool {
    let Fate::Unusable(reason) = sent.record.fate else { return false };
    letter.reason == reason.as_str()
        && letter.value == sent.record.value
        && letter.key.as_deref() == sent.record.key.as_deref().map(str::as_bytes)
}

fn listed(places: &[Place]) -> String {
    let first = places.iter().take(TOLD).map(|(partition, offset)| format!("[{partition}] {offset}"));
    let more = if places.len() > TOLD { ", ..." } else { "" };
    first.collect::<Vec<_>>().join(", ") + more
}

/// A counter's name and labels, as they are written in an exposition.
type Counter = (&'static str, Vec<(&'static str, &'static str)>);

/// The counters of a daemon that began at those offsets and has read everything since, alone: each record is in them once. By mood, or
/// whatever the mood.
pub(crate) fn counters(delivered: &[Delivered], began: &[i64], has_moods: bool) -> BTreeMap<Counter, u64> {
    let mut counters: BTreeMap<Counter, u64> = BTreeMap::new();
    let mut count = |name, labels: &[(&'static str, &'static str)]| {
        *counters.entry((name, labels.to_vec())).or_default() += 1;
    };
    for Delivered { record, offset } in delivered {
        let first = usize::try_from(record.partition).ok().and_then(|place| began.get(place)).copied();
        if *offset < first.unwrap_or_default() {
            continue;
        }
        match record.fate {
            Fate::Counted { department, audience, mood: Mood { sentiment, frustrated }, .. } => {
                let labels = [("department", department), ("audience", audience)];
                if !has_moods {
                    count("latido_messages_total", &labels);
                    continue;
                }
                count("latido_messages_total", &[labels[0], labels[1], ("sentiment", sentiment)]);
                if frustrated {
                    count("latido_frustrated_messages_total", &labels);
                }
            }
            Fate::Late { department } => count("latido_late_messages_total", &[("department", department)]),
            Fate::Context { department, author } => {
                count("latido_context_messages_total", &[("department", department), ("author", author)]);
            }
            Fate::Unusable(reason) => count("latido_rejected_records_total", &[("reason", reason.as_str())]),
        }
    }
    counters
}

/// How a scrape differs from the counters expected.
pub(crate) fn differing_counters(expected: &BTreeMap<Counter, u64>, samples: &Samples) -> Vec<String> {
    let mut told = Vec::new();
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for ((name, labels), wanted) in expected {
        *totals.entry(name).or_default() += wanted;
        let found = samples.count(name, labels);
        if found != *wanted && told.len() < TOLD {
            told.push(format!("{name}{labels:?}: expected {wanted}, found {found}"));
        }
    }
    for (name, wanted) in totals {
        let found = samples.count(name, &[]);
        if found != wanted {
            told.push(format!("{name}: expected {wanted} in all, found {found}"));
        }
    }
    told
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]
mod tests {
    use latido::message::RejectReason;

    use super::*;
    use crate::stream::Record;

    const UNHAPPY: Mood = Mood { sentiment: "negative", frustrated: true };

    fn delivered(partition: i32, offset: i64, fate: Fate) -> Delivered {
        let record = Record { partition, kafka_millis: 0, key: None, value: Some(b"x".to_vec()), fate };
        Delivered { record, offset }
    }

    fn counted(offset: i64, pane: i64) -> Delivered {
        delivered(0, offset, Fate::Counted { department: "billing", audience: "external", pane, mood: UNHAPPY })
    }

    fn unusable(offset: i64) -> Delivered {
        delivered(0, offset, Fate::Unusable(RejectReason::NotJson))
    }

    fn letter(offset: i64) -> Letter {
        Letter { source: (0, offset), reason: "not_json".to_owned(), key: None, value: Some(b"x".to_vec()) }
    }

    #[test]
    fn a_pane_holds_what_counts_and_nothing_else() {
        let late = delivered(0, 2, Fate::Late { department: "billing" });
        let context = delivered(0, 3, Fate::Context { department: "billing", author: "bot" });
        let panes =
            panes(&[counted(0, 10_000), counted(1, 10_000), late, context, unusable(4), counted(5, 20_000)], true);
        let pane = |messages| Pane { messages, negative: messages, frustrated: messages };
        assert_eq!(panes.len(), 2);
        assert_eq!(panes[&("billing".to_owned(), 10_000)], pane(2));
        assert_eq!(panes[&("billing".to_owned(), 20_000)], pane(1));
    }

    #[test]
    fn the_first_differing_pane_is_told_first_and_all_are_summed_up() {
        let expected = panes(&[counted(0, 10_000), counted(1, 20_000), counted(2, 30_000)], true);
        assert!(differing_panes(&expected, &expected).is_empty());
        let found = panes(&[counted(0, 10_000), counted(2, 30_000), counted(2, 30_000)], true);
        let told = differing_panes(&expected, &found);
        assert!(told[0].starts_with("pane 20000 of billing: expected 1 messages"), "{told:?}");
        assert!(told[2].contains("2 panes of 3 differ: 1 records lost, 1 counted too often"), "{told:?}");
    }

    #[test]
    fn a_pane_of_nothing_sent_differs_too() {
        let told = differing_panes(&Panes::new(), &panes(&[counted(0, 10_000)], true));
        assert_eq!(told.len(), 2, "{told:?}");
    }

    #[test]
    fn an_unusable_record_may_have_two_letters_but_not_none() {
        let sent = [counted(0, 0), unusable(1), unusable(2)];
        assert!(differing_letters(&sent, &[letter(1), letter(2), letter(1)]).is_empty());
        let told = differing_letters(&sent, &[letter(2)]);
        assert_eq!(told, ["1 unusable records are in no dead letter: [0] 1"]);
    }

    #[test]
    fn a_letter_of_a_usable_record_or_with_another_value_or_reason_is_told() {
        let sent = [counted(0, 0), unusable(1)];
        assert_eq!(differing_letters(&sent, &[letter(1), letter(0)]).len(), 1);
        let other = Letter { value: None, ..letter(1) };
        assert_eq!(differing_letters(&sent, &[other]).len(), 1);
        let other = Letter { reason: "future".to_owned(), ..letter(1) };
        assert_eq!(differing_letters(&sent, &[other]).len(), 1);
    }

    #[test]
    fn counters_are_of_what_was_read_since_the_daemon_began() {
        let late = delivered(0, 3, Fate::Late { department: "billing" });
        let expected = counters(&[counted(0, 0), counted(1, 0), unusable(2), late], &[1], true);
        let text = "latido_messages_total{department=\"billing\",audience=\"external\",sentiment=\"negative\"} 1\n\
                    latido_frustrated_messages_total{department=\"billing\",audience=\"external\"} 1\n\
                    latido_rejected_records_total{reason=\"not_json\"} 1\n\
                    latido_late_messages_total{department=\"billing\"} 1\n";
        assert!(differing_counters(&expected, &Samples::parse(text)).is_empty());
        let more = text.replace("negative\"} 1", "negative\"} 2");
        assert_eq!(differing_counters(&expected, &Samples::parse(&more)).len(), 2);
        let elsewhere = text.to_owned() + "latido_late_messages_total{department=\"support\"} 1\n";
        assert_eq!(differing_counters(&expected, &Samples::parse(&elsewhere)).len(), 1);
    }

    #[test]
    fn where_nobody_knows_the_moods_messages_are_counted_whatever_they_are() {
        let delivered = [counted(0, 0), counted(1, 0)];
        let pane = panes(&delivered, false).into_values().next().unwrap();
        assert_eq!(pane, Pane { messages: 2, negative: 0, frustrated: 0 });
        let text = "latido_messages_total{department=\"billing\",audience=\"external\",sentiment=\"negative\"} 1\n\
                    latido_messages_total{department=\"billing\",audience=\"external\",sentiment=\"neutral\"} 1\n";
        assert!(differing_counters(&counters(&delivered, &[0], false), &Samples::parse(text)).is_empty());
        assert!(!differing_counters(&counters(&delivered, &[0], true), &Samples::parse(text)).is_empty());
    }
}
