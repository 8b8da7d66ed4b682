//! Each alert is proven by a recorded series: that it fires, that it ends, and when it does not fire at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::shipped_files::{path, read, rules};

/// Fires always, which has a case of its own.
const WATCHDOG: &str = "LatidoWatchdog";

/// What promtool is to find of an alert at a moment of a case.
#[derive(Debug)]
struct Expectation {
    alert: String,
    /// Minutes since the case began.
    at: u64,
    fires: bool,
}

/// The minutes of `361h30m`, `5m`, `2h`.
fn minutes(span: &str) -> u64 {
    let (hours, rest) = span.split_once('h').unwrap_or(("0", span));
    let rest = rest.strip_suffix('m').unwrap_or(if rest.is_empty() { "0" } else { rest });
    let number = |digits: &str| digits.parse::<u64>().unwrap_or_else(|_| panic!("the span {span}"));
    number(hours) * 60 + number(rest)
}

/// The value of a key in the lines of an expectation, written as a block or in braces.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("{key}: ")).unwrap_or_else(|| panic!("no {key} in {text}"));
    rest.split(['\n', ',']).next().unwrap().trim_end_matches(" }").trim()
}

/// The expectations of each case of a file, by the case's name.
fn cases(file: &str) -> BTreeMap<String, Vec<Expectation>> {
    let text = read(file);
    let blocks = text.split("\n  - name: ").skip(1);
    blocks
        .map(|case| {
            let of_alert = |text: &str| Expectation {
                alert: value(&format!("alertname: {text}"), "alertname").to_owned(),
                at: minutes(value(text, "eval_time")),
                fires: !text.contains("exp_alerts: []"),
            };
            let rules = case.split("promql_expr_test:").next().unwrap();
            let expected = rules.split("- alertname: ").skip(1).chain(rules.split("- { alertname: ").skip(1));
            let alone = |text: &'_ str| text.split("\n      - ").next().unwrap().to_owned();
            (case.lines().next().unwrap().to_owned(), expected.map(|text| of_alert(&alone(text))).collect())
        })
        .collect()
}

fn all_cases() -> BTreeMap<String, Vec<Expectation>> {
    let files = fs::read_dir(path("config/prometheus/tests")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.flat_map(|name| cases(&format!("config/prometheus/tests/{name}"))).collect()
}

/// The alerts of a case of which `what` is so.
fn alerts(expected: &[Expectation], what: impl Fn(&[&Expectation]) -> bool) -> BTreeSet<String> {
    let names: BTreeSet<_> = expected.iter().map(|one| one.alert.clone()).collect();
    let of = |name: &str| expected.iter().filter(|one| one.alert == name).collect::<Vec<_>>();
    names.into_iter().filter(|name| what(&of(name))).collect()
}

#[test]
fn each_alert_has_a_case_in_which_it_fires_and_then_resolves_and_one_in_which_it_never_fires() {
    let (mut resolved, mut never) = (BTreeSet::new(), BTreeSet::new());
    for expected in all_cases().into_values() {
        resolved.extend(alerts(&expected, |of| {
            of.iter().any(|fired| fired.fires && of.iter().any(|ended| !ended.fires && ended.at > fired.at))
        }));
        never.extend(alerts(&expected, |of| of.iter().all(|one| !one.fires)));
    }
    let wanted: BTreeSet<_> = rules().into_keys().filter(|alert| alert != WATCHDOG).collect();
    let without = |shown: &BTreeSet<String>| wanted.difference(shown).cloned().collect::<Vec<_>>();
    assert_eq!(without(&resolved), Vec::<String>::new(), "nothing shows that they end");
    assert_eq!(without(&never), Vec::<String>::new(), "nothing shows when they do not fire");
}

#[test]
fn no_case_asks_for_an_alert_that_no_rule_has() {
    // promtool finds that such a one does not fire, and is content.
    let known: BTreeSet<_> = rules().into_keys().collect();
    let mut asked = 0;
    for (case, expected) in all_cases() {
        asked += expected.len();
        for one in expected {
            assert!(known.contains(&one.alert), "{case}: {one:?}");
        }
    }
    let written: usize = ["department", "pipeline", "fallback"]
        .map(|name| read(&format!("config/prometheus/tests/{name}.test.yml")).matches(" alertname: Latido").count())
        .into_iter()
        .sum();
    assert_eq!(asked, written, "an expectation that was not understood");
}

#[test]
fn the_watchdog_has_a_case_in_which_it_fires_from_first_to_last() {
    let fires: Vec<bool> =
        all_cases().into_values().flatten().filter(|one| one.alert == WATCHDOG).map(|one| one.fires).collect();
    assert!(fires.len() >= 2 && fires.iter().all(|fires| *fires), "{fires:?}");
}

#[test]
fn spans_are_read_as_promtool_reads_them() {
    assert_eq!(["5m", "2h", "361h30m", "0m"].map(minutes), [5, 120, 21_690, 0]);
}
