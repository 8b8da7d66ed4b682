//! The project's own corpus of customers' messages, held to its rules.

mod against;
mod agreement;
mod counts;
#[cfg(test)]
mod fixture;
mod near;
mod page;
mod private;
mod problem;
mod repeats;
mod row;
mod sets;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::shell::{files_ending, root, say};
use private::Private;
use problem::{Place, Problem};
use row::{Message, Placed, Row, SecondLabels};

const DIRECTORY: &str = "models/corpus";
/// Messages that teach beside the corpus.
const OWN: &str = "models/own/customer-messages.jsonl";
const SECOND: &str = "models/corpus/second/labels.jsonl";
const PAGE: &str = "models/corpus/README.md";
/// Enough to see what kind of slip it is.
const SHOWN: usize = 100;

/// What to do beyond the check.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Also compare with public sets: every *.tsv.gz below this directory, with a header that names a column `text`.
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// Write the counts into the corpus's README first.
    #[arg(long)]
    write: bool,
}

impl Options {
    /// The check alone.
    pub(crate) const PLAIN: Self = Self { against: None, write: false };
}

/// Reads the corpus, tells its counts, fails if anything is wrong with it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut problems = Vec::new();
    let rows = read_all(&mut problems)?;
    let second = row::read::<SecondLabels>(&root().join(SECOND), &mut problems)?;
    let own = row::read::<Message>(&root().join(OWN), &mut problems)?;
    let readable = problems.is_empty();
    problems.extend(faults(&rows)?);
    problems.extend(repeats::check(&texts(&rows, &own)));
    let (pairs, unmatched) = agreement::join(&rows, &second);
    problems.extend(unmatched);
    problems.extend(counts::check(&rows, pairs.len()));
    let section = page::section(&rows, pairs.len(), &agreement::measure(&pairs));
    tell(&section);
    if readable {
        problems.extend(check_page(&root().join(PAGE), &section, options.write)?);
    }
    if let Some(directory) = &options.against {
        problems.extend(compare(&rows, directory)?);
    }
    settle(&problems)
}

fn read_all(problems: &mut Vec<Problem>) -> Result<Vec<Placed<Row>>> {
    let mut rows = Vec::new();
    for path in files_ending(&root().join(DIRECTORY), ".jsonl")? {
        rows.extend(row::read(&path, problems)?);
    }
    Ok(rows)
}

/// All that must be written anew.
fn texts<'a>(rows: &'a [Placed<Row>], own: &'a [Placed<Message>]) -> Vec<(&'a Place, &'a str)> {
    let rows = rows.iter().map(|placed| (&placed.place, placed.row.text.as_str()));
    rows.chain(own.iter().map(|placed| (&placed.place, placed.row.text.as_str()))).collect()
}

/// What is wrong with rows by themselves.
fn faults(rows: &[Placed<Row>]) -> Result<Vec<Problem>> {
    let private = Private::new()?;
    let mut problems = Vec::new();
    for Placed { place, row } in rows {
        let found = row.faults().into_iter().chain(private.find(&row.text));
        problems.extend(found.map(|fault| Problem::new(place, fault)));
    }
    Ok(problems)
}

/// Holds a page's counts to the corpus, or writes them.
fn check_page(path: &Path, section: &str, write: bool) -> Result<Option<Problem>> {
    let name = path.strip_prefix(root()).unwrap_or(path).display();
    let page = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let fresh = page::with_section(&page, section).with_context(|| name.to_string())?;
    if page == fresh {
        return Ok(None);
    }
    if !write {
        return Ok(Some(Problem::new(&name, "its counts are not the corpus's: run `cargo xtask corpus --write`")));
    }
    fs::write(path, fresh).with_context(|| format!("cannot write {name}"))?;
    Ok(None)
}

fn compare(rows: &[Placed<Row>], directory: &Path) -> Result<Vec<Problem>> {
    let found = against::check(rows, directory)?;
    say(&format!(
        "compared with {} texts of {} files; {} more are below {} words; near duplicates from {} on",
        found.compared,
        found.files,
        found.short,
        words::MIN_WORDS,
        near::THRESHOLD
    ));
    Ok(found.problems)
}

#[expect(clippy::print_stdout, reason = "the tables are what the step is run for")]
fn tell(section: &str) {
    println!("{section}");
}

fn settle(problems: &[Problem]) -> Result<()> {
    for problem in problems.iter().take(SHOWN) {
        say(&problem.to_string());
    }
    match problems.len() {
        0 => Ok(()),
        count @ ..=SHOWN => bail!("{count} problems in the corpus"),
        count => bail!("{count} problems in the corpus, the first {SHOWN} of them shown"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_are_stale_are_a_problem_until_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("README.md");
        fs::write(&path, page::marked("| old |")).unwrap();
        assert!(check_page(&path, "| old |", false).unwrap().is_none());
        let problem = check_page(&path, "| new |", false).unwrap().unwrap().to_string();
        assert!(problem.contains("README.md: ") && problem.contains("--write"), "{problem}");
        assert!(check_page(&path, "| new |", true).unwrap().is_none());
        assert!(check_page(&path, "| new |", false).unwrap().is_none());
    }
}
