//! A runbook has the same five parts whatever woke you: what it means, where to look, what to do, how to silence it, when it lies.

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
