//! The suite on disks that refuse.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context as _, Result};

use crate::shell::{self, Run};

/// Runs the suite in a mount namespace of its own: what its tests mount, nobody else sees, and it ends with them.
pub(crate) fn run() -> Result<()> {
    for program in ["unshare", "mount", "setpriv"] {
        shell::need(program, "util-linux mount")?;
    }
    // Built outside, so that only the tests run inside.
    Run::cargo(["test", "--test", "disk_faults", "--no-run"]).go()?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut arguments = vec!["--mount"];
    if user()? != 0 {
        arguments.push("--map-root-user");
    }
    arguments.extend(["--", &cargo, "test", "--test", "disk_faults", "--", "--ignored", "--test-threads=1"]);
    Run::new("unshare", arguments).go()
}

/// Whose process this is.
fn user() -> Result<u32> {
    Ok(fs::metadata("/proc/self").context("cannot look at /proc/self: this step needs Linux")?.uid())
}
