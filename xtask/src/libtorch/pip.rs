//! Wheels by pip.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::wheels::{ROOM, Wheel};
use crate::shell::Run;

/// How pip may be called: on some machines it is a program, on others only a part of Python.
const PIPS: [&[&str]; 2] = [&["pip3"], &["python3", "-m", "pip"]];

/// Downloads wheels into a directory that is made for them, and needs twice their room for it.
///
/// # Errors
/// If there is no pip, or it cannot get them.
pub(super) fn download(wheels: &[Wheel], directory: &Path) -> Result<()> {
    let cannot = || format!("cannot write to {}", directory.display());
    fs::create_dir_all(directory).with_context(cannot)?;
    let requirements = directory.join("requirements.txt");
    fs::write(&requirements, pinned(wheels)).with_context(cannot)?;
    let pip = pip()?;
    let (requirements, to) = (requirements.to_string_lossy(), directory.to_string_lossy());
    let arguments = pip[1..].iter().copied().chain(ARGUMENTS).chain(["--requirement", &requirements, "--dest", &to]);
    // Where temporary files go may be small, and what is half downloaded goes with the rest.
    let mut command = Run::new(pip[0], arguments).with("TMPDIR", &to).command();
    let status = command.status().with_context(|| format!("cannot start {}", pip[0]))?;
    ensure!(
        status.success(),
        "pip cannot get the wheels of libtorch, see its words above. Where it found no index: `--from DIR` takes wheels that were \
         downloaded on another machine (docs/transformer.md says how). Where the disk is full: it takes {ROOM}"
    );
    Ok(())
}

/// Not kept in pip's cache, and for the Python that they were pinned for, whichever runs pip.
const ARGUMENTS: [&str; 14] = [
    "download",
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--no-deps",
    "--only-binary=:all:",
    "--platform",
    "manylinux1_x86_64",
    "--python-version",
    "3.11",
    "--implementation",
    "cp",
    "--abi",
    "cp311",
    "--require-hashes",
];

fn pinned(wheels: &[Wheel]) -> String {
    wheels.iter().map(|wheel| format!("{} --hash=sha256:{}\n", wheel.requirement, wheel.sha256)).collect()
}

/// The first pip that runs.
fn pip() -> Result<&'static [&'static str]> {
    for pip in PIPS {
        let mut command = Command::new(pip[0]);
        command.args(&pip[1..]).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Ok(pip);
        }
    }
    bail!("`pip3` is missing: install it (on Debian: apt-get install python3-pip)")
}

#[cfg(test)]
mod tests {
    use super::super::wheels::WHEELS;
    use super::*;

    #[test]
    fn every_wheel_is_pinned_by_version_and_hash() {
        let text = pinned(&WHEELS);
        assert_eq!(text.lines().count(), WHEELS.len());
        for line in text.lines() {
            let (requirement, hash) = line.split_once(" --hash=sha256:").unwrap_or_default();
            assert!(requirement.contains("==") && hash.len() == 64, "{line}");
        }
    }
}
