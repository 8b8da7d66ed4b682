//! The files shipped beside the program hold together: rules, runbooks, the page on metrics, the service.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::exposition::families;
use crate::fixture::Company;

/// Departments by what the daemon found.
const DEPARTMENT_RULES: &str = "config/prometheus/rules/latido-departments.rules.yml";
/// Every file of rules: besides those, Latido itself, and departments by Prometheus alone.
const RULES: [&str; 3] = [
    DEPARTMENT_RULES,
    "config/prometheus/rules/latido-pipeline.rules.yml",
    "config/prometheus/rules/latido-fallback.rules.yml",
];
/// What the department rules read: open alerts, held where the daemon is gone.
const HELD: &str = "- record: department:latido_alert_active:held";

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The text of each alerting rule of a file by its name.
fn rules_of(file: &str) -> BTreeMap<String, String> {
    let text = read(file);
    let blocks = text.split("- alert: ").skip(1);
    let alone = |block: &str| block.split("- record: ").next().unwrap_or_default().to_owned();
    blocks.map(|block| (block.lines().next().unwrap().to_owned(), alone(block))).collect()
}

pub(crate) fn rules() -> BTreeMap<String, String> {
    RULES.into_iter().flat_map(rules_of).collect()
}

/// The text of each recording rule by its name; of those of one name, together.
fn recorded() -> BTreeMap<String, String> {
    let mut recorded = BTreeMap::<String, String>::new();
    for file in RULES {
        for block in read(file).split("- record: ").skip(1) {
            let (name, rest) = block.split_once('\n').unwrap();
            recorded.entry(name.to_owned()).or_default().push_str(rest.split("- alert: ").next().unwrap());
        }
    }
    recorded
}

/// Latido's families that a rule reads, itself or through what is recorded. Comments read nothing.
fn families_read(rule: &str, recorded: &BTreeMap<String, String>) -> BTreeSet<String> {
    let (mut read, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut texts = vec![rule];
    while let Some(text) = texts.pop() {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for line in lines {
            for word in line.split(|letter: char| !letter.is_ascii_alphanumeric() && !"_:".contains(letter)) {
                match recorded.get(word) {
                    Some(behind) if seen.insert(word) => texts.push(behind),
                    None if word.starts_with("latido_") => _ = read.insert(word.trim_end_matches(':').to_owned()),
                    _ => {}
                }
            }
        }
    }
    read
}

/// Latido's families named in a text.
fn families_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
    words.filter(|word| word.starts_with("latido_")).map(str::to_owned).collect()
}

#[test]
fn each_alert_has_the_runbook_that_it_names() {
    let alerts: Vec<_> = rules().into_keys().collect();
    for kind in ["NegativeSentiment", "Frustration", "VolumeSurge", "Silence"] {
        assert!(alerts.contains(&format!("Latido{kind}")), "{alerts:?}");
    }
    for (alert, rule) in rules() {
        let runbook = format!("docs/runbooks/{alert}.md");
        assert!(rule.contains(&format!("runbook_url: {runbook}\n")), "{alert}");
        assert!(read(&runbook).starts_with(&format!("# {alert}\n")), "{runbook}");
    }
    let runbooks = fs::read_dir(path("docs/runbooks")).unwrap().count();
    assert_eq!(runbooks, alerts.len(), "a runbook without an alert");
    assert_eq!(runbooks, 20);
}

#[test]
fn the_shipped_prometheus_loads_the_rules_and_tells_an_alertmanager() {
    let config = read("config/prometheus/prometheus.yml");
    let lines: Vec<&str> = config.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    for wanted in ["- rules/latido-departments.rules.yml", "- rules/latido-pipeline.rules.yml", "alerting:"] {
        assert!(lines.contains(&wanted), "{wanted} in {config}");
    }
    assert!(lines.contains(&r#"- targets: ["localhost:9093"]"#), "{config}");
}

#[test]
fn whatever_a_site_loads_for_departments_it_hears_of_latido_itself_by_one_file() {
    let [departments, pipeline, fallback] = RULES.map(rules_of);
    for alert in ["LatidoDown", "LatidoWatermarkStalled", "LatidoWatchdog", "LatidoBlind"] {
        assert!(pipeline.contains_key(alert), "{alert}");
    }
    for (alert, rule) in pipeline {
        assert!(!departments.contains_key(&alert) && !fallback.contains_key(&alert), "{alert} twice");
        assert!(rule.contains("team: platform\n"), "{alert} is about a department");
    }
}

#[test]
fn rules_read_families_that_exist_and_the_page_on_metrics_says_which() {
    let exposed = families(&Company::live().scrape());
    let page = read("docs/metrics.md");
    let mut documented = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let family = row[3..].split(['`', '{']).next().unwrap();
        let alerts = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for alert in alerts.split(", ").filter(|word| word.starts_with("Latido")) {
            documented.insert((alert.trim_end_matches(" (its text)").to_owned(), family.to_owned()));
        }
    }
    let recorded = recorded();
    let mut read_by_rules = BTreeSet::new();
    for (alert, rule) in rules() {
        // What only the link to a runbook or a hint to a person names is not read.
        let hints = ["runbook_url", "says for which reason"];
        let read_lines = rule.lines().filter(|line| !hints.iter().any(|hint| line.contains(hint)));
        for family in families_read(&read_lines.collect::<Vec<_>>().join("\n"), &recorded) {
            assert!(exposed.contains(&family), "{alert} reads {family}");
            read_by_rules.insert((alert.clone(), family));
        }
    }
    assert_eq!(documented, read_by_rules);
}

#[test]
fn a_department_alert_waits_for_nothing_and_asks_nobody_else() {
    let rules: Vec<String> =
        rules_of(DEPARTMENT_RULES).into_values().filter(|rule| rule.contains(&HELD[10..])).collect();
    assert!(rules.len() >= 4, "one for each kind");
    let text = read(DEPARTMENT_RULES);
    let held = text.split(HELD).nth(1).and_then(|rest| rest.split("- alert: ").next()).unwrap();
    let expressions = rules.iter().map(|rule| rule.split("annotations:").next().unwrap());
    for expression in expressions.chain([held]) {
        assert!(!expression.contains(" for:"), "the daemon held it already: {expression}");
        for gate in ["watermark", "catching_up", "ready", "up{"] {
            assert!(!expression.contains(gate), "a gate on {gate} resolves the page when the pipeline breaks");
        }
    }
}

#[test]
fn examples_on_the_page_on_metrics_name_families_that_exist() {
    let exposed = families(&Company::live().scrape());
    let page = read("docs/metrics.md");
    let prose = ["latido_window_", "latido_baseline_"];
    for name in families_in(&page).iter().filter(|name| !prose.contains(&name.as_str())) {
        let family = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        assert!(exposed.contains(name) || exposed.contains(family), "{name}");
    }
}

#[test]
fn the_service_does_not_restart_where_that_cannot_help() {
    let unit = read("config/systemd/latido.service");
    for line in ["Restart=on-failure", "RestartPreventExitStatus=65 78", "StateDirectory=latido"] {
        assert!(unit.lines().any(|shown| shown == line), "{line}");
    }
}

/// Runs a program in the repository; it must succeed. Answers all it said.
fn succeed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(path("")).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

#[test]
#[ignore = "needs promtool"]
fn promtool_accepts_the_rules_and_the_scrape_config() {
    succeed("promtool", &[&["check", "rules"], &RULES[..]].concat());
    succeed("promtool", &["check", "config", "config/prometheus/prometheus.yml"]);
}

#[test]
#[ignore = "needs promtool"]
fn promtool_proves_the_rules() {
    let tests = fs::read_dir(path("config/prometheus/tests")).unwrap().map(|entry| entry.unwrap().path());
    let tests: Vec<_> = tests.map(|test| test.to_str().unwrap().to_owned()).collect();
    assert_eq!(tests.len(), 3);
    for test in &tests {
        succeed("promtool", &["test", "rules", test]);
    }
}

#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_has_nothing_to_say_of_the_service() {
    let unit = read("config/systemd/latido.service").replace("/usr/local/bin/latido", env!("CARGO_BIN_EXE_latido"));
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("latido.service");
    fs::write(&copy, unit).unwrap();
    // A misspelt key is only warned about, with success: so silence is asked for as well.
    assert_eq!(succeed("systemd-analyze", &["verify", copy.to_str().unwrap()]), "");
}

#[test]
#[ignore = "needs systemd-analyze"]
fn the_service_is_hardened() {
    succeed("systemd-analyze", &["security", "--offline=true", "--threshold=50", "config/systemd/latido.service"]);
}
