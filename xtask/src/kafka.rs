//! The suite against a real Apache Kafka.

use anyhow::Result;

use crate::shell::{self, Run, say};

/// What fetches the broker: its jars and a log binding.
const POM: &str = "tests/support/kafka/pom.xml";
/// Where the jars go, relative to the repository's root; the tests look there.
const JARS: &str = "target/kafka/libs";

/// Fetches the broker unless it is there, then runs the suite.
pub(crate) fn run() -> Result<()> {
    prepare()?;
    Run::cargo(["test", "--test", "real_kafka", "--", "--ignored", "--test-threads=1"]).go()
}

/// Sees to it that a broker can be started.
pub(crate) fn prepare() -> Result<()> {
    shell::need("java", "openjdk-17-jre-headless")?;
    shell::need("kcat", "kcat")?;
    fetch()
}

/// Fetches the broker unless it is there.
pub(crate) fn fetch() -> Result<()> {
    let jars = shell::root().join(JARS);
    if shell::files_ending(&jars, ".jar").is_ok() {
        say(&format!("the broker is in {JARS}"));
        return Ok(());
    }
    shell::need("mvn", "maven")?;
    // An absolute path: a relative one would start at the pom's directory.
    let output = format!("-DoutputDirectory={}", std::path::absolute(&jars)?.display());
    Run::new("mvn", ["-B", "-q", "-f", POM, "dependency:copy-dependencies", "-DincludeScope=runtime", &output]).go()
}
