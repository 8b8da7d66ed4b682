//! Running programs from the repository's root, and saying what is run.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result, bail, ensure};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).map_or_else(PathBuf::new, Path::to_owned)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Tells what happens next.
#[expect(clippy::print_stderr, reason = "a step tells the person at the terminal what it does")]
pub(crate) fn say(what: &str) {
    eprintln!("\n== {what}");
}

/// Fails, naming the Debian package, where a program is missing.
pub(crate) fn need(program: &str, package: &str) -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|directory| directory.join(program).is_file());
    ensure!(found, "`{program}` is missing: install it (on Debian: apt-get install {package})");
    Ok(())
}

/// The files of a directory whose names end so, at least one, in order.
pub(crate) fn files_ending(directory: &Path, suffix: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.to_string_lossy().ends_with(suffix));
    paths.sort();
    ensure!(!paths.is_empty(), "no file in {} ends with {suffix}", directory.display());
    Ok(paths)
}

/// A program to run.
pub(crate) struct Run {
    program: OsString,
    command: Command,
}

impl Run {
    /// A program with its first arguments.
    pub(crate) fn new<'a>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(root());
        Self { program: program.as_ref().to_owned(), command }
    }

    /// The cargo that runs us.
    pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
    }

    /// Adds a variable of the environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Says what is run and hands over the command.
    pub(crate) fn command(self) -> Command {
        let words: Vec<_> = self.command.get_args().map(OsStr::to_string_lossy).collect();
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy();
        say(&format!("{name} {}", words.join(" ")));
        self.command
    }

    /// Runs it; fails unless it exits 0.
    pub(crate) fn go(self) -> Result<()> {
        let program = self.program.clone();
        let status = self.command().status();
        let status = status.with_context(|| format!("cannot start {}", program.display()))?;
        check(&program.to_string_lossy(), status)
    }
}

/// Fails unless the program exited 0.
pub(crate) fn check(program: &str, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{program} failed: {status}");
    }
    Ok(())
}
