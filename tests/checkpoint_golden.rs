//! Checkpoints that older versions wrote, as an operator looks at them. See `tests/golden/checkpoint/README.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::daemon::Home;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoint").join(name)
}

/// What `latido checkpoint show --json` says of a golden file.
fn shown(version: u32) -> Value {
    let home = Home::new("127.0.0.1:1", &["messages"], "golden");
    fs::create_dir_all(home.checkpoint_directory()).unwrap();
    fs::copy(golden(&format!("v{version}.latido")), home.checkpoint_directory().join("state.1.latido")).unwrap();
    let output = home.command(&["checkpoint", "show"], &["--json"]).output().unwrap();
    assert!(output.status.success(), "version {version}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_checkpoint_of_every_version_is_shown_as_it_always_was() {
    for version in 1..=latido::checkpoint::FORMAT_VERSION {
        let path = golden(&format!("v{version}.json"));
        let shown = shown(version);
        let may_be_written = version == latido::checkpoint::FORMAT_VERSION || !path.exists();
        if may_be_written && std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&shown).unwrap())).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(shown, serde_json::from_str::<Value>(&expected).unwrap(), "version {version}");
    }
}
