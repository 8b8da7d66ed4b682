//! With the feature `transformer`: lets the program find the libtorch that it was linked with, and tell its version.

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let Ok(libraries) = env::var("DEP_TCH_LIBTORCH_LIB") else { return };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{libraries}");
    println!("cargo:rustc-env=LATIDO_LIBTORCH={}", version_beside(Path::new(&libraries)));
}

/// The version that the headers tell.
fn version_beside(libraries: &Path) -> String {
    let header = libraries.join("../include/torch/csrc/api/include/torch/version.h");
    println!("cargo:rerun-if-changed={}", header.display());
    let text = fs::read_to_string(header).unwrap_or_default();
    let part =
        |name: &str| text.lines().find_map(|line| line.strip_prefix("#define TORCH_VERSION_")?.strip_prefix(name));
    let parts: Option<Vec<&str>> = ["MAJOR ", "MINOR ", "PATCH "].into_iter().map(part).collect();
    parts.map_or_else(|| "of unknown version".to_owned(), |parts| parts.join("."))
}
