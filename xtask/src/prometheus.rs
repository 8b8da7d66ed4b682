//! What is shipped beside the program, held to the programs that read it, and the way of a page through them.

use anyhow::Result;

use crate::shell::{self, Run};

/// Debian's package of Alertmanager.
const ALERTMANAGER: &str = "prometheus-alertmanager";

/// Checks the files by themselves first, then runs the suites with the real programs.
pub(crate) fn run() -> Result<()> {
    shell::need("promtool", "prometheus")?;
    shell::need("prometheus", "prometheus")?;
    shell::need("amtool", ALERTMANAGER)?;
    // Debian's name of the program, where it has not the one that everybody else knows.
    if shell::need("alertmanager", ALERTMANAGER).is_err() {
        shell::need("prometheus-alertmanager", ALERTMANAGER)?;
    }
    shell::need("python3", "python3")?;
    shell::need("systemd-analyze", "systemd")?;
    Run::new("python3", [".ci/dashboards.py"]).go()?;
    Run::new("python3", [".ci/alertmanager"]).go()?;
    let suites = ["--test", "publish", "--test", "prometheus", "--test", "paging"];
    Run::cargo(["test"].into_iter().chain(suites).chain(["--", "--ignored", "--test-threads=1"])).go()
}
