//! What is built with the feature `transformer` alone.

use anyhow::Result;

use crate::libtorch;
use crate::shell::Run;

/// Sees that libtorch is there, then lints and tests the program with it. Only the package `latido`: programs of the others would be linked
/// with libtorch too, and not be told where it lies.
pub(crate) fn run() -> Result<()> {
    libtorch::run(&libtorch::Options::PLAIN)?;
    cargo("clippy --package latido --lib --bins --features transformer -- -D warnings")?;
    // What else the library does was tested without the feature.
    cargo("test --package latido --features transformer --lib -- score::transformer commands::version")?;
    cargo(
        "test --package latido --features transformer --test cli_check --test pipeline -- slow:: transformer model_that",
    )
}

fn cargo(words: &str) -> Result<()> {
    Run::cargo(words.split(' ')).go()
}
