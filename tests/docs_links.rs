//! The pages lead where they say they lead.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Every Markdown page of the project.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// The targets of a page's links that lie in the project.
fn local_links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local.map(|target| target.split('#').next().unwrap_or(target))
}

#[test]
fn every_link_between_the_pages_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    pages(root, &mut found);
    let mut links = 0;
    for page in found {
        let text = fs::read_to_string(&page).expect("a page");
        for link in local_links(&text) {
            links += 1;
            let target = page.parent().expect("a folder").join(link);
            assert!(target.exists(), "{} links to {link}, which is not there", page.display());
        }
    }
    assert!(links >= 10, "only {links} links were found: the test looks at the wrong place");
}

#[test]
fn every_runbook_that_a_rule_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["latido-departments.rules.yml", "latido-pipeline.rules.yml", "latido-fallback.rules.yml"] {
        let rules = fs::read_to_string(root.join("config/prometheus/rules").join(file)).expect("the rules");
        let named: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: ")).collect();
        assert_eq!(named.len(), rules.matches("- alert: ").count(), "{file}: an alert without a runbook");
        assert!(!named.is_empty(), "{file}");
        for runbook in named {
            assert!(root.join(runbook).is_file(), "{file} names {runbook}, which is not there");
        }
    }
}

/// Every Rust file under a folder, as one text.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
}

/// The names in backticks that can only be a test's: sentences of at least four words.
fn tests_named_in(text: &str) -> Vec<&str> {
    let is_sentence = |name: &&str| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && name.matches('_').count() >= 3
            && !name.starts_with("latido_")
    };
    text.split('`').skip(1).step_by(2).filter(is_sentence).collect()
}

#[test]
fn every_test_that_the_guarantees_name_is_there_and_every_fault_names_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/guarantees.md")).expect("the page");
    let mut code = String::new();
    for folder in ["src", "tests"] {
        sources(&root.join(folder), &mut code);
    }
    for name in tests_named_in(&page) {
        assert!(code.contains(&format!("fn {name}(")), "docs/guarantees.md names the test {name}, which is not there");
    }
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| fault |")).collect();
    assert!(rows.len() >= 25, "only {} rows were found: the test looks at the wrong place", rows.len());
    for row in rows {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        assert!(!tests_named_in(shown).is_empty() || shown.contains("the storm"), "nothing shows: {row}");
    }
}
