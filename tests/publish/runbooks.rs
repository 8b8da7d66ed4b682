//! A runbook has the same five parts whatever woke you: what it means, where to look, what to do, how to silence it, when it lies.

use std::collections::BTreeSet;
use std::path::Path;

use crate::shipped_files::{read, rules};

const MEANING: &str = "**What it means:**";
const PARTS: [&str; 4] = ["Look here first", "Do", "Silence it", "When it lies"];
/// Sent to nobody, or worth nothing once silenced.
const NEVER_SILENCED: [&str; 2] = ["LatidoBlind", "LatidoWatchdog"];

fn runbook(alert: &str) -> String {
    read(&format!("docs/runbooks/{alert}.md"))
}

/// What stands under a heading, to the next one.
fn part<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading} in {page}"));
    rest.split("\n## ").next().unwrap().trim_matches('\n')
}

/// The commands and queries of a part: what is indented.
fn commands(part: &str) -> impl Iterator<Item = &str> {
    part.lines().filter_map(|line| line.strip_prefix("    "))
}

#[test]
fn each_runbook_says_what_it_means_where_to_look_what_to_do_how_to_silence_it_and_when_it_lies() {
    for alert in rules().into_keys() {
        let page = runbook(&alert);
        let (head, _) = page.split_once("\n## ").unwrap_or_else(|| panic!("{alert}: no heading"));
        let meaning = head.split_once(MEANING).unwrap_or_else(|| panic!("{alert}: no {MEANING}")).1;
        assert!(meaning.len() > 80, "{alert} means more than:{meaning}");
        let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, PARTS, "{alert}");
        for heading in PARTS {
            assert!(part(&page, heading).len() > 60, "{alert}: {heading}");
        }
        assert!(commands(part(&page, "Look here first")).next().is_some(), "{alert}: nothing to type");
    }
}

#[test]
fn what_silences_an_alert_names_it_and_ends_by_itself() {
    for alert in rules().into_keys() {
        let page = runbook(&alert);
        let silences: Vec<&str> = commands(part(&page, "Silence it")).collect();
        if NEVER_SILENCED.contains(&alert.as_str()) {
            assert!(!page.contains("silence add"), "{alert}");
            continue;
        }
        assert_eq!(silences.len(), 1, "{alert}");
        let words: Vec<&str> = silences[0].split(' ').collect();
        assert!(silences[0].starts_with("amtool --alertmanager.url="), "{alert}: {}", silences[0]);
        assert!(words.contains(&format!("alertname={alert}").as_str()), "{alert}: {}", silences[0]);
        for option in ["--duration=", "--comment="] {
            assert!(words.iter().any(|word| word.starts_with(option)), "{alert}: {}", silences[0]);
        }
    }
}

/// The text of all sources under a folder.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = entries.map(|path| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => std::fs::read_to_string(path).unwrap(),
        _ => String::new(),
    });
    texts.collect()
}

/// The text between the first pair of quotes.
fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

/// What stands before the colon in the lines of `/readyz`, as the sources give it: a text, or a constant.
fn keys_of_readyz() -> BTreeSet<String> {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let calls = ["set_not_ready(", "health.note(", "health().note("];
    let arguments = calls.iter().flat_map(|call| sources.split(call).skip(1));
    let mut keys = BTreeSet::from(["starting".to_owned()]);
    for argument in arguments.map(|text| text.split(',').next().unwrap().trim()) {
        let key = match argument {
            literal if literal.starts_with('"') => quoted(literal),
            own if own.starts_with('&') => continue,
            constant => sources.split_once(&format!("const {constant}: &str =")).and_then(|(_, value)| quoted(value)),
        };
        keys.insert(key.unwrap_or_else(|| panic!("what is {argument}?")).to_owned());
    }
    keys
}

#[test]
fn the_runbook_of_a_daemon_that_is_not_ready_has_each_name_that_readyz_prints() {
    let keys = keys_of_readyz();
    assert!(keys.contains("catching_up") && keys.contains("dead_letters") && keys.len() > 12, "{keys:?}");
    let page = runbook("LatidoNotReady");
    let named: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split_once("`:"))
        .map(|(key, _)| key.to_owned())
        .collect();
    assert_eq!(named, keys);
}
