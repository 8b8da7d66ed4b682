//! What `latido --version` says after the name.

/// The version of this program and, where it was built with the feature `transformer`, of libtorch.
#[cfg(not(feature = "transformer"))]
pub(super) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[cfg(feature = "transformer")]
pub(super) use with_libtorch::version;

#[cfg(feature = "transformer")]
mod with_libtorch {
    use std::fs;
    use std::sync::LazyLock;

    /// The version of this program, that of the libtorch it was built with, and the file that this process runs on: a binary that was moved,
    /// or `LD_LIBRARY_PATH`, may have found another.
    pub(in super::super) fn version() -> &'static str {
        static VERSION: LazyLock<String> = LazyLock::new(|| {
            // Only Linux has this file.
            let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
            told(mapped(&maps))
        });
        &VERSION
    }

    fn told(library: Option<&str>) -> String {
        let path = library.map(|path| format!(", {path}")).unwrap_or_default();
        format!("{} (libtorch {}{path})", env!("CARGO_PKG_VERSION"), env!("LATIDO_LIBTORCH"))
    }

    /// The path of `libtorch_cpu` among what a process has mapped, in the form of Linux: a path comes last in its line and is the first
    /// that holds a slash.
    fn mapped(maps: &str) -> Option<&str> {
        let mut paths = maps.lines().filter_map(|line| Some(&line[line.find('/')?..]));
        paths.find(|path| path.rsplit('/').next().is_some_and(|name| name.starts_with("libtorch_cpu.")))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const MAPS: &str = "\
55d0c2a00000-55d0c2b00000 r-xp 00000000 fe:00 131   /opt/libtorch_cpu.so.d/latido
7f0000000000-7f0000021000 rw-p 00000000 00:00 0
7f1c00000000-7f1c10000000 r--p 00000000 fe:00 132   /opt/our libtorch/lib/libtorch_cpu.so
7f1c10000000-7f1c20000000 r-xp 10000000 fe:00 132   /opt/our libtorch/lib/libtorch_cpu.so
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0     [stack]
";

        #[test]
        fn the_library_is_found_among_what_is_mapped_by_its_name() {
            assert_eq!(mapped(MAPS), Some("/opt/our libtorch/lib/libtorch_cpu.so"));
            assert_eq!(mapped(&MAPS.replace("/lib/libtorch_cpu", "/lib/libtorch")), None);
            assert_eq!(mapped(""), None);
        }

        #[test]
        fn without_a_path_the_version_of_the_build_is_told_alone() {
            assert_eq!(told(None), format!("{} (libtorch {})", env!("CARGO_PKG_VERSION"), env!("LATIDO_LIBTORCH")));
            assert!(told(Some("/lib/libtorch_cpu.so")).ends_with(", /lib/libtorch_cpu.so)"));
        }
    }
}
