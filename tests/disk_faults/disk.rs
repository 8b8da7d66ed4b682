//! A file system that a test can fill, close and open.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Room for a few hundred checkpoints of these tests.
const SIZE: &str = "size=1m";

/// A small file system in memory. It is unmounted when dropped.
pub(crate) struct Disk {
    place: TempDir,
}

impl Disk {
    /// Mounts it.
    pub(crate) fn mount() -> Self {
        let place = TempDir::with_prefix("latido-disk-").expect("a temporary directory");
        let disk = Self { place };
        call("mount", &["-t", "tmpfs", "-o", SIZE, "latido-test"], disk.place.path());
        fs::create_dir(disk.directory()).expect("a directory on it");
        disk
    }

    /// The checkpoint directory on it.
    pub(crate) fn directory(&self) -> PathBuf {
        self.place.path().join("state")
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.filler()).expect("a file");
        // Ever smaller pieces: what is left in the end is less than the smallest.
        for piece in [1 << 16, 1 << 12, 1 << 8, 1] {
            while file.write_all(&vec![1; piece]).is_ok() {}
        }
    }

    /// Makes room again.
    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).expect("the filler is removed");
    }

    fn filler(&self) -> PathBuf {
        self.place.path().join("filler")
    }

    /// Lays a read-only view of the checkpoint directory over it, or takes it away. The file system itself cannot be made
    /// read-only while a daemon holds its lock open for writing: only the kernel may, when the disk fails.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        let directory = self.directory();
        if !read_only {
            return call("umount", &[], &directory);
        }
        let source = directory.display().to_string();
        call("mount", &["--bind", &source], &directory);
        call("mount", &["-o", "remount,bind,ro"], &directory);
    }

    /// Takes every right to the checkpoint directory away, or gives them back.
    pub(crate) fn set_closed(&self, closed: bool) {
        let mode = if closed { 0o000 } else { 0o700 };
        fs::set_permissions(self.directory(), Permissions::from_mode(mode)).expect("the mode is changed");
    }
}

fn call(program: &str, arguments: &[&str], place: &Path) {
    let done = Command::new(program).args(arguments).arg(place).output();
    let done = done.unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
    assert!(
        done.status.success(),
        "{program} {arguments:?} failed: {}: run `cargo xtask disk`, as root or where user namespaces are allowed",
        String::from_utf8_lossy(&done.stderr).trim()
    );
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a daemon that a failed test leaves is killed only after this.
        call("umount", &["-l", "-R"], self.place.path());
    }
}

/// The same command by somebody whom permissions stop: root, if it is, loses the right to pass them by.
pub(crate) fn without_override(command: &Command) -> Command {
    const LOST: &str = "-dac_override,-dac_read_search";
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--bounding-set", LOST, "--inh-caps", LOST]);
    wrapped.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    wrapped
}
