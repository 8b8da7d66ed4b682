//! The shipped systemd unit, verified with the built program in its place.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::shell::{self, Run};

/// The unit that is shipped.
const UNIT: &str = "config/systemd/latido.service";

/// Fails on any word of `systemd-analyze verify`: a misspelt key is only warned about, with exit code 0.
pub(crate) fn run() -> Result<()> {
    shell::need("systemd-analyze", "systemd")?;
    Run::cargo(["build", "--bin", "latido"]).go()?;
    let program = std::path::absolute(shell::target().join("debug/latido"))?;
    let copy = unit_running(&program)?;
    let output = Run::new("systemd-analyze", ["verify", "--man=no"]).path(&copy).command().output()?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    ensure!(
        output.status.success() && words.is_empty(),
        "systemd-analyze verify ({}) says: {}",
        output.status,
        words.trim_end()
    );
    Ok(())
}

/// A copy of the unit in which the program's path, installed or not, is that of the one built here.
fn unit_running(program: &Path) -> Result<PathBuf> {
    let unit = fs::read_to_string(shell::root().join(UNIT)).with_context(|| format!("cannot read {UNIT}"))?;
    let installed = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .and_then(|command| command.split_whitespace().next())
        .with_context(|| format!("{UNIT} has no ExecStart"))?
        .to_owned();
    ensure!(installed.ends_with("/latido"), "ExecStart of {UNIT} starts {installed}, which is not latido");
    let directory = shell::target().join("systemd");
    fs::create_dir_all(&directory)?;
    let copy = directory.join("latido.service");
    fs::write(&copy, unit.replace(&installed, &program.display().to_string()))?;
    Ok(copy)
}
