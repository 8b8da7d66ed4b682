//! The wheels that libtorch is made of, by their hashes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, ensure};
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

/// The one that tch 0.17 binds.
pub(super) const VERSION: &str = "2.4.0";

/// What has to be free while it is made.
pub(super) const ROOM: &str = "1.7 GB";

/// What libtorch is made of.
pub(super) const WHEELS: [Wheel; 3] = [
    Wheel {
        requirement: "torch==2.4.0",
        file: "torch-2.4.0-cp311-cp311-manylinux1_x86_64.whl",
        sha256: "e743adadd8c8152bb8373543964551a7cb7cc20ba898dc8f9c0cdbe47c283de0",
        takes: &[
            ("torch/include/", "include/"),
            ("torch/lib/libtorch_cpu.so", "lib/libtorch_cpu.so"),
            ("torch/lib/libc10.so", "lib/libc10.so"),
            // Its name holds a hash.
            ("torch/lib/libgomp", "lib/libgomp"),
        ],
    },
    // libtorch_cpu.so of a wheel for CUDA does not load without these two; nothing in them is called.
    Wheel {
        requirement: "nvidia-cuda-runtime-cu12==12.1.105",
        file: "nvidia_cuda_runtime_cu12-12.1.105-py3-none-manylinux1_x86_64.whl",
        sha256: "6e258468ddf5796e25f1dc591a31029fa317d97a0a94ed93468fc86301d61e40",
        takes: &[("nvidia/cuda_runtime/lib/libcudart.so.12", "lib/libcudart.so.12")],
    },
    Wheel {
        requirement: "nvidia-cuda-cupti-cu12==12.1.105",
        file: "nvidia_cuda_cupti_cu12-12.1.105-py3-none-manylinux1_x86_64.whl",
        sha256: "e54fde3983165c624cb79254ae9818a456eb6e87a7fd4d56a2352c24ee542d7e",
        takes: &[("nvidia/cuda_cupti/lib/libcupti.so.12", "lib/libcupti.so.12")],
    },
];

/// A pinned wheel, and what is taken out of it.
pub(super) struct Wheel {
    /// As pip writes it.
    pub(super) requirement: &'static str,
    pub(super) file: &'static str,
    /// In lower case hexadecimal digits.
    pub(super) sha256: &'static str,
    /// Beginnings of members' names, and what stands for each in the tree. Each must be there.
    pub(super) takes: &'static [(&'static str, &'static str)],
}

impl Wheel {
    /// Takes out of the wheel in a directory what goes into the tree.
    ///
    /// # Errors
    /// If it is not there, is not the pinned one, lacks a member, or the disk refuses.
    pub(super) fn unpack(&self, directory: &Path, tree: &Path) -> Result<()> {
        let path = directory.join(self.file);
        let mut file = File::open(&path).with_context(|| {
            format!(
                "cannot open {}: `pip download --no-deps {}` for Python 3.11 on Linux gets it",
                path.display(),
                self.requirement
            )
        })?;
        let found = sha256(&mut file).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            found == self.sha256,
            "{} is damaged, or another than the pinned one: its SHA-256 is {found}, not {}; delete it and get it anew",
            path.display(),
            self.sha256
        );
        let mut archive = ZipArchive::new(file).with_context(|| format!("{} is no wheel", path.display()))?;
        let names = archive.file_names().map(|name| Ok(name?.into_owned())).collect::<Result<Vec<String>>>()?;
        for (beginning, end) in self.takes {
            let mut is_there = false;
            for name in names.iter().filter(|name| !name.ends_with('/')) {
                let Some(rest) = name.strip_prefix(beginning) else { continue };
                let to = tree.join(format!("{end}{rest}"));
                extract(&mut archive, name, &to).with_context(|| format!("{name} of {}", path.display()))?;
                is_there = true;
            }
            ensure!(is_there, "{} has no member {beginning}", path.display());
        }
        Ok(())
    }
}

fn extract(archive: &mut ZipArchive<File>, name: &str, to: &Path) -> Result<()> {
    let mut member = archive.by_name(name)?;
    ensure!(member.enclosed_name().is_some(), "its name leads out of the tree");
    let parent = to.parent().map_or_else(PathBuf::new, Path::to_owned);
    fs::create_dir_all(&parent).map_err(|error| refused(error, &parent))?;
    let mut file = File::create(to).map_err(|error| refused(error, to))?;
    io::copy(&mut member, &mut file).map_err(|error| refused(error, to))?;
    Ok(())
}

/// What the disk refused, and what helps.
fn refused(error: io::Error, path: &Path) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let remedy =
        if full { format!(" (it takes {ROOM} while it is made, a third of it afterwards)") } else { String::new() };
    Error::new(error).context(format!("cannot write {}{remedy}", path.display()))
}

fn sha256(file: &mut File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(file, &mut hasher)?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use tempfile::TempDir;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const MEMBERS: [(&str, &str); 4] = [
        ("made/include/deep/one.h", "#pragma once"),
        ("made/include/two.h", "int two();"),
        ("made/lib/libmade-0a1b.so.1", "the library"),
        ("made/data.py", "of no use"),
    ];
    const TAKES: &[(&str, &str)] = &[("made/include/", "include/"), ("made/lib/libmade", "lib/libmade")];

    /// A small wheel in a directory of its own, pinned as it is.
    fn wheel(members: &[(&str, &str)]) -> (TempDir, Wheel) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made.whl");
        let mut writer = ZipWriter::new(File::create(&path).unwrap());
        for (name, text) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let sha256 = sha256(&mut File::open(&path).unwrap()).unwrap().leak();
        (directory, Wheel { requirement: "made==1", file: "made.whl", sha256, takes: TAKES })
    }

    fn refusal(directory: &TempDir, wheel: &Wheel) -> String {
        let error = wheel.unpack(directory.path(), &directory.path().join("tree")).unwrap_err();
        format!("{error:#}")
    }

    #[test]
    fn what_is_wanted_is_taken_and_nothing_else() {
        let (directory, wheel) = wheel(&MEMBERS);
        let tree = directory.path().join("tree");
        wheel.unpack(directory.path(), &tree).unwrap();
        let text = |path: &str| fs::read_to_string(tree.join(path)).unwrap();
        assert_eq!(text("include/deep/one.h"), "#pragma once");
        assert_eq!(text("include/two.h"), "int two();");
        assert_eq!(text("lib/libmade-0a1b.so.1"), "the library");
        assert_eq!(fs::read_dir(&tree).unwrap().count(), 2);
    }

    #[test]
    fn a_wheel_with_any_byte_changed_is_refused_before_anything_is_taken() {
        let (directory, wheel) = wheel(&MEMBERS[..1]);
        let path = directory.path().join(wheel.file);
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            let words = refusal(&directory, &wheel);
            assert!(words.contains("made.whl is damaged") && words.contains(wheel.sha256), "{words}");
            assert!(!directory.path().join("tree").exists(), "something of it was taken");
        }
    }

    #[test]
    fn a_member_that_is_missing_is_named() {
        let (directory, wheel) = wheel(&MEMBERS[..2]);
        let words = refusal(&directory, &wheel);
        assert!(words.contains("no member made/lib/libmade"), "{words}");
    }

    #[test]
    fn a_wheel_that_is_not_there_is_named_with_how_to_get_it() {
        let (directory, wheel) = wheel(&MEMBERS);
        fs::remove_file(directory.path().join(wheel.file)).unwrap();
        let words = refusal(&directory, &wheel);
        assert!(words.contains("made.whl") && words.contains("pip download --no-deps made==1"), "{words}");
    }

    #[test]
    fn a_member_that_leads_out_of_the_tree_is_refused() {
        let (directory, wheel) = wheel(&[("made/include/../../../out.h", "far")]);
        assert!(refusal(&directory, &wheel).contains("leads out of the tree"));
    }

    #[test]
    fn a_full_disk_is_told_with_the_room_that_it_takes() {
        let error = refused(io::ErrorKind::StorageFull.into(), Path::new("lib/libc10.so"));
        let words = format!("{error:#}");
        assert!(words.contains("lib/libc10.so") && words.contains(ROOM), "{words}");
    }
}
