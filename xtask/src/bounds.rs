//! The proofs with a daemon that crawls or whose threads stand still: memory is bounded, and `/healthz` tells.

use anyhow::Result;
use clap::Args;

use crate::kafka;
use crate::shell::Run;

/// Which proof.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// Ten minutes and 2 million records, in place of one minute and 200,000.
    #[arg(long)]
    long: bool,
}

impl Options {
    /// The short one.
    pub(crate) const PLAIN: Self = Self { long: false };
}

pub(crate) fn run(options: &Options) -> Result<()> {
    Run::cargo(["test", "--features", "sabotage", "--test", "stalled"]).go()?;
    kafka::prepare()?;
    let which = if options.long { "ten_minutes" } else { "a_minute" };
    let test = ["test", "--features", "sabotage", "--test", "bounds", "--"];
    Run::cargo(test.into_iter().chain([which, "--ignored", "--nocapture", "--test-threads=1"])).go()
}
