//! A tree that is put in its place whole or not at all.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::wheels::{VERSION, WHEELS};
use crate::shell::Run;

/// Of which wheels a tree is made, and how long each file in it is.
const STAMP: &str = "made-of";

/// Where a tree is made, beside its place. What is left of it goes with this value, or at the next beginning.
pub(super) struct Partial {
    path: PathBuf,
    place: PathBuf,
}

impl Partial {
    /// Begins in an empty directory.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn begin(place: &Path) -> Result<Self> {
        let path = place.with_extension("partial");
        remove(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path, place: place.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a tree that was made here in its place; what was there goes.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn finish(self, tree: &Path) -> Result<()> {
        let cannot = || format!("cannot put {} in its place", self.place.display());
        // Not `exists`, which follows a link that may lead nowhere.
        if self.place.symlink_metadata().is_ok() {
            fs::rename(&self.place, self.path.join("before")).with_context(cannot)?;
        }
        fs::rename(tree, &self.place).with_context(cannot)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // What cannot be removed now is tried again at the next beginning.
        drop(remove(&self.path));
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Makes the library that programs are linked to. The wheel's own asks for CUDA's; this one holds nothing but the names of two others.
///
/// # Errors
/// If gcc is missing or fails.
pub(super) fn link(tree: &Path) -> Result<()> {
    let lib = tree.join("lib");
    let (output, search) = (lib.join("libtorch.so"), format!("-L{}", lib.display()));
    let output = output.to_string_lossy();
    let arguments = [
        "-shared",
        "-x",
        "c",
        "/dev/null",
        "-o",
        &output,
        &search,
        "-Wl,-soname,libtorch.so,-rpath,$ORIGIN,--no-as-needed,--allow-shlib-undefined",
        "-ltorch_cpu",
        "-lc10",
    ];
    Run::new("gcc", arguments).go()
}

/// Writes what a tree is made of. Comes last.
///
/// # Errors
/// If the disk refuses.
pub(super) fn stamp(tree: &Path) -> Result<()> {
    let cannot = || format!("cannot write to {}", tree.display());
    fs::write(tree.join("build-version"), format!("{VERSION}\n")).with_context(cannot)?;
    fs::write(tree.join(STAMP), head() + &files(tree).with_context(cannot)?).with_context(cannot)
}

/// Whether the tree that the pinned wheels make is there, with each file as long as it was.
pub(super) fn is_whole(tree: &Path) -> bool {
    let (Ok(stamp), Ok(present)) = (fs::read_to_string(tree.join(STAMP)), files(tree)) else { return false };
    let Some(files) = stamp.strip_prefix(&head()) else { return false };
    let present: HashSet<&str> = present.lines().collect();
    files.lines().all(|file| present.contains(file))
}

fn head() -> String {
    WHEELS.iter().map(|wheel| format!("{}  {}\n", wheel.sha256, wheel.file)).collect()
}

/// The lengths of all files below a directory and their paths, a line each.
fn files(tree: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let path = entry.path();
            let below = path.strip_prefix(tree).unwrap_or(&path).display();
            text.push_str(&format!("{} {below}\n", entry.metadata()?.len()));
        }
    }
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const LIBRARY: &str = "lib/libtorch_cpu.so";

    /// A place with nothing in it yet.
    fn place() -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("libtorch");
        (directory, place)
    }

    /// Makes a tree with one library and puts it in its place.
    fn put(place: &Path, library: &str) {
        let partial = Partial::begin(place).unwrap();
        let tree = partial.path().join("tree");
        fs::create_dir_all(tree.join("lib")).unwrap();
        fs::write(tree.join(LIBRARY), library).unwrap();
        stamp(&tree).unwrap();
        partial.finish(&tree).unwrap();
    }

    #[test]
    fn what_is_put_is_whole_until_a_file_is_cut_or_gone() {
        let (_directory, place) = place();
        assert!(!is_whole(&place));
        put(&place, "code");
        assert!(is_whole(&place));
        fs::write(place.join("notes"), "of a person").unwrap();
        assert!(is_whole(&place));
        fs::write(place.join(LIBRARY), "cod").unwrap();
        assert!(!is_whole(&place));
        fs::remove_file(place.join(LIBRARY)).unwrap();
        assert!(!is_whole(&place));
    }

    #[test]
    fn a_tree_of_other_wheels_is_not_whole() {
        let (_directory, place) = place();
        put(&place, "code");
        let stamp = fs::read_to_string(place.join(STAMP)).unwrap();
        fs::write(place.join(STAMP), stamp.replacen(WHEELS[0].sha256, WHEELS[1].sha256, 1)).unwrap();
        assert!(!is_whole(&place));
    }

    #[test]
    fn what_was_in_the_place_goes_and_nothing_is_left_beside_it() {
        let (directory, place) = place();
        put(&place, "one");
        put(&place, "another");
        assert_eq!(fs::read_to_string(place.join(LIBRARY)).unwrap(), "another");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_breaks_off_leaves_the_place_as_it_was() {
        let (directory, place) = place();
        put(&place, "code");
        let partial = Partial::begin(&place).unwrap();
        fs::write(partial.path().join("half"), "of it").unwrap();
        drop(partial);
        assert!(is_whole(&place));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_kill_left_is_cleared_at_the_next_beginning() {
        let (directory, place) = place();
        fs::create_dir_all(directory.path().join("libtorch.partial/wheels")).unwrap();
        let partial = Partial::begin(&place).unwrap();
        assert_eq!(fs::read_dir(partial.path()).unwrap().count(), 0);
    }
}
