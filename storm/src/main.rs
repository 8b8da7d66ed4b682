//! The storm: real brokers and real daemons, killed, frozen and restarted by a seed, and an oracle that knows every record.
//!
//! It holds the daemon to one promise: after any storm, each window holds each record exactly once, and each unusable record is in
//! the dead-letter topic at least once. `cargo xtask storm` runs it; `docs/storm.md` tells more.

mod cluster;
mod daemon;
#[allow(dead_code, reason = "the suites on real parts use the rest of it")]
#[path = "../../tests/support/exposition.rs"]
mod exposition;
mod guarded;
mod letters;
mod oracle;
mod producer;
mod schedule;
mod storm;
mod stream;
mod topic;
mod wait;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};

use cluster::Cluster;
use daemon::Ground;
use schedule::{Plan, Store};
use storm::{Setting, Verdict};
use stream::Mood;

/// Seeds that once failed, and that run whenever several do: a store and a seed on each line.
const FAILED_SEEDS: &str = include_str!("../failed_seeds");
/// Where `cargo xtask storm` puts the broker's jars, relative to the repository's root.
const JARS: &str = "target/kafka/libs";
/// The longest a seed of one minute may take.
const SEED_LIMIT: Duration = Duration::from_secs(120);

/// Kills, freezes and restarts brokers and daemons by a seed, and compares what came out with what went in.
#[derive(Parser)]
#[command(name = "cargo xtask storm", bin_name = "cargo xtask storm")]
struct Arguments {
    /// One storm, by its seed; more where it is given more than once.
    #[arg(long, value_name = "N", conflicts_with = "seeds", required_unless_present = "seeds")]
    seed: Vec<u64>,
    /// So many storms, of the seeds from 1 on, and those that once failed.
    #[arg(long, value_name = "COUNT")]
    seeds: Option<u64>,
    /// How long a storm is: each minute has each kind of fault once.
    #[arg(long, value_name = "M", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    minutes: u32,
    /// Where the daemons keep their state; both, one after the other, where it is given twice.
    #[arg(long, value_name = "STORE", required = true)]
    store: Vec<Store>,
    /// Storm a build that is broken on purpose, to show that the storm sees it: it must fail.
    #[arg(long, value_name = "HOW")]
    broken: Option<Broken>,
    /// Storm this program instead of one built for it.
    #[arg(long, value_name = "FILE", conflicts_with = "broken")]
    program: Option<PathBuf>,
    /// What the daemons score with. With a transformer only counts of messages are compared: which scorer answers depends on the load.
    #[arg(long, value_name = "KIND", default_value = "embedded")]
    scorer: Scorer,
}

/// What the daemons score with: `scorer.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scorer {
    /// The embedded scorer.
    Embedded,
    /// The transformer, as far as it manages.
    Transformer,
    /// The transformer for what is worth it.
    Cascade,
}

impl Scorer {
    /// Its name in the config.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether the storm knows what it says of each text.
    pub(crate) fn has_known_moods(self) -> bool {
        self == Self::Embedded
    }
}

/// How a build is broken on purpose.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Broken {
    /// The offsets that a checkpoint saves pass records that are not in its panes.
    CommitBeforeApply,
    /// Panes are restored, and reading goes on at the offsets that the group committed, or at those of an earlier checkpoint.
    CheckpointWithoutOffsets,
    /// A checkpoint does not wait until the broker has confirmed the dead letters before it.
    DeadLetterNotAwaited,
}

impl Broken {
    /// Its name for the daemon.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// How one seed went.
struct Outcome {
    store: Store,
    seed: u64,
    took: Duration,
    verdict: Result<Verdict>,
}

impl Outcome {
    fn passed(&self) -> bool {
        matches!(self.verdict, Ok(Verdict::Passed))
    }

    fn told(&self) -> String {
        match &self.verdict {
            Ok(Verdict::Passed) => "passed".to_owned(),
            Ok(Verdict::DoesNotCount(missed)) => format!("does not count: {}", missed.join("; ")),
            Ok(Verdict::Failed(wrong)) => format!("FAILED: {}", wrong.first().map_or("", String::as_str)),
            Err(error) => format!("BROKE OFF: {error:#}"),
        }
    }
}

#[expect(clippy::print_stdout, reason = "what happens is told to the person at the terminal")]
fn say(what: &str) {
    println!("{what}");
}

#[expect(clippy::print_stderr, reason = "what went wrong is told to the person at the terminal")]
fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let jars = root().join(JARS);
    ensure!(jars.is_dir(), "no Kafka in {}: run `cargo xtask storm`, which fetches it", jars.display());
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None if arguments.scorer != Scorer::Embedded => daemon::build(&target, Some("transformer"))?,
        None => daemon::build(&target, arguments.broken.map(|_| "sabotage"))?,
    };
    let program = Program::keep(&program, &target)?;
    let moods = stream::moods()?;
    let mut outcomes = Vec::new();
    let mut cluster = Cluster::start(&jars)?;
    for (store, seed) in seeds(arguments)? {
        let started = Instant::now();
        let setting = setting(arguments, (&target, &program.0), &cluster, &moods, (store, seed))?;
        let verdict = one(setting, &mut cluster);
        let outcome = Outcome { store, seed, took: started.elapsed(), verdict };
        if let Err(error) = &outcome.verdict {
            say(&format!("storm {seed} breaks off: {error:#}"));
        }
        let is_over = outcome.verdict.is_err();
        outcomes.push(outcome);
        if is_over {
            // Nobody knows what state the cluster is in.
            drop(cluster);
            cluster = Cluster::start(&jars)?;
        }
    }
    drop(cluster);
    conclude(&outcomes, arguments.minutes, &target)
}

/// The program that is stormed, a copy of our own.
struct Program(PathBuf);

impl Program {
    /// Copies a program to where no later build replaces it.
    fn keep(program: &Path, target: &Path) -> Result<Self> {
        let directory = target.join("storm/bin");
        fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        let kept = directory.join(format!("latido-{}", std::process::id()));
        fs::copy(program, &kept).with_context(|| format!("cannot copy {}", program.display()))?;
        Ok(Self(kept))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A copy that stays is only in the way.
        fs::remove_file(&self.0).unwrap_or_default();
    }
}

fn one(setting: Setting<'_>, cluster: &mut Cluster) -> Result<Verdict> {
    let Ground { topic, dead_letters, checkpoints, store, .. } = &setting.ground;
    let mut topics = vec![topic.clone(), dead_letters.clone()];
    topics.extend((*store == Store::Kafka).then(|| checkpoints.clone()));
    let verdict = storm::run(setting, cluster)?;
    cluster.delete_topics(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
    Ok(verdict)
}

/// What a seed's storm is made on; its topics and group are its own.
fn setting<'a>(
    arguments: &Arguments,
    (target, program): (&Path, &Path),
    cluster: &Cluster,
    moods: &'a [Mood],
    (store, seed): (Store, u64),
) -> Result<Setting<'a>> {
    let name = format!("storm-{store}-{seed}");
    let plan = Plan::new(seed, store, arguments.minutes);
    let directory = target.join("storm").join(format!("{store}-{seed}"));
    storm::fresh_directory(&directory)?;
    let broken = arguments.broken.map(|broken| ("LATIDO_SABOTAGE".to_owned(), broken.name()));
    let ground = Ground {
        program: program.to_owned(),
        environment: broken.into_iter().collect(),
        directory,
        brokers: cluster.bootstrap(),
        store,
        scorer: arguments.scorer,
        topic: format!("{name}-in"),
        dead_letters: format!("{name}-dead"),
        checkpoints: format!("{name}-checkpoints"),
        group: name,
        named: plan.named,
    };
    Ok(Setting { seed, plan, moods, ground })
}

/// The seeds to run, by store.
fn seeds(arguments: &Arguments) -> Result<Vec<(Store, u64)>> {
    let failed = failed_seeds(FAILED_SEEDS)?;
    let of_store = |store: &Store| -> Vec<(Store, u64)> {
        let mut seeds = arguments.seed.clone();
        if let Some(count) = arguments.seeds {
            seeds.extend(1..=count);
            let more = failed.iter().filter(|(of, seed)| of == store && *seed > count).map(|(_, seed)| *seed);
            seeds.extend(more);
        }
        seeds.into_iter().map(|seed| (*store, seed)).collect()
    };
    Ok(arguments.store.iter().flat_map(of_store).collect())
}

/// Reads the list of seeds that once failed.
fn failed_seeds(text: &str) -> Result<Vec<(Store, u64)>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let store = words.next().and_then(|word| Store::from_str(word, false).ok());
            let seed = words.next().and_then(|word| word.parse().ok());
            store.zip(seed).with_context(|| format!("failed_seeds: `{line}` is no store and seed"))
        })
        .collect()
}

/// The table of seeds; an error unless all passed.
fn conclude(outcomes: &[Outcome], minutes: u32, target: &Path) -> Result<()> {
    say("\nstore      seed  seconds  verdict");
    for outcome in outcomes {
        let Outcome { store, seed, took, .. } = outcome;
        let store = store.to_string();
        let told = outcome.told();
        let first = told.lines().next().unwrap_or_default();
        say(&format!("{store:<9} {seed:>5} {:>8.0}  {first}", took.as_secs_f64()));
    }
    let slow = outcomes.iter().filter(|outcome| outcome.took > SEED_LIMIT * minutes).count();
    if slow > 0 {
        say(&format!(
            "{slow} seeds took longer than {} s: this machine is slow, or busy",
            (SEED_LIMIT * minutes).as_secs()
        ));
    }
    let bad = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    ensure!(
        bad == 0,
        "{bad} of {} seeds did not pass; schedule and logs of each are in {}/storm/STORE-SEED. A seed that fails goes on the list in \
         storm/failed_seeds",
        outcomes.len(),
        target.display()
    );
    Ok(())
}

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).map_or_else(PathBuf::new, Path::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has said what is wrong")]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::parse_from(line.split(' '))
    }

    #[test]
    fn each_seed_is_one_storm_for_each_store() {
        let seeds = seeds(&arguments("storm --seed 9 --seed 4 --store directory --store kafka")).unwrap();
        assert_eq!(seeds, [(Store::Directory, 9), (Store::Directory, 4), (Store::Kafka, 9), (Store::Kafka, 4)]);
    }

    #[test]
    fn several_seeds_bring_those_along_that_once_failed() {
        let seeds = seeds(&arguments("storm --seeds 3 --store directory")).unwrap();
        let failed = failed_seeds(FAILED_SEEDS).unwrap();
        for seed in 1..=3 {
            assert!(seeds.contains(&(Store::Directory, seed)));
        }
        assert!(failed.iter().filter(|(store, _)| *store == Store::Directory).all(|seed| seeds.contains(seed)));
        assert!(seeds.iter().all(|(store, _)| *store == Store::Directory));
    }

    #[test]
    fn a_line_of_failed_seeds_that_cannot_be_read_is_named() {
        assert_eq!(failed_seeds("# why\ndirectory 4\n\nkafka 12\n").unwrap().len(), 2);
        assert!(failed_seeds("directory four").unwrap_err().to_string().contains("directory four"));
    }
}
