//! Histories to run, and the program that runs them.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const HEADER: &str = "time,department,messages,negative,frustrated\n";
/// 5 January 2026, a Monday.
pub(crate) const START: i64 = 1_767_571_200;
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const STEP: i64 = 300;

/// Two departments in steps of five minutes; an incident of 3 h in `care` on the 20th day at noon.
pub(crate) const INCIDENT: i64 = START + 20 * DAY + 12 * HOUR;

pub(crate) struct Desk {
    pub(crate) folder: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latido"));
        command.current_dir(self.folder.path()).arg("backtest").args(arguments).env_clear().output().unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a run that fails says.
    pub(crate) fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        assert!(output.stdout.is_empty(), "{output:?}");
        (output.status.code(), text(&output.stderr).to_owned())
    }
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// An even spread without a generator.
pub(crate) fn spread(number: i64, salt: i64) -> f64 {
    ((number * 7 + salt * 13) as f64 * 0.618_033_988_75).fract()
}

pub(crate) fn counts(days: i64) -> String {
    let mut rows = HEADER.to_owned();
    for step in 0..days * DAY / STEP {
        let time = START + step * STEP;
        for (salt, department) in [(1, "billing"), (2, "care")] {
            let is_incident = department == "care" && (INCIDENT..INCIDENT + 3 * HOUR).contains(&time);
            let ratio = if is_incident { 0.6 } else { 0.2 };
            let messages = 25.0 + (10.0 * spread(step, salt)).floor();
            let negative = (messages * ratio + 3.0 * spread(step, salt + 2) - 1.0).floor();
            let frustrated = (messages * ratio / 2.0 + 2.0 * spread(step, salt + 4)).floor();
            rows.push_str(&format!("{time},{department},{messages},{negative},{frustrated}\n"));
        }
    }
    rows
}

pub(crate) fn seconds(moment: &Value) -> i64 {
    moment.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

pub(crate) fn incident_of_care() -> String {
    format!("department,start,end\ncare,{INCIDENT},{}\n", INCIDENT + 3 * HOUR)
}

pub(crate) fn department<'a>(run: &'a Value, id: &str) -> &'a Value {
    let found = run["departments"].as_array().unwrap().iter().find(|department| department["department"] == id);
    found.unwrap_or_else(|| panic!("{id} in {run}"))
}
