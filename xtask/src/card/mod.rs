//! The model card: made from a template and measured figures, and held to the model that is shipped.

mod figures;
mod measure;
mod page;
mod plan;
mod tables;
mod taught;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell::{root, say};
use figures::Figures;
use measure::Latido;
use plan::Plan;
use taught::Present;

const PAGE: &str = "models/README.md";
const TEMPLATE: &str = "models/card/template.md.in";
const PLAN: &str = "models/card/card.toml";
const FIGURES: &str = "models/card/figures.json";
const MEASURE_ALL: &str =
    "run `cargo xtask card --data DIR --write`, DIR holding the public sets that models/card/card.toml names";
const WRITE: &str = "run `cargo xtask card --write`";

/// What to do beyond the check.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Also measure on the public sets, found by their file names anywhere below this directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write the figures and the card.
    #[arg(long)]
    write: bool,
}

impl Options {
    /// The check alone.
    pub(crate) const PLAIN: Self = Self { data: None, write: false };
}

/// Measures what can be measured here; fails if the figures or the card are not those of the shipped model, or writes them.
pub(crate) fn run(options: &Options) -> Result<()> {
    let plan = Plan::load(&root().join(PLAN))?;
    // Looked for before anything is built.
    let files = options.data.as_deref().map(|directory| plan.find(directory)).transpose()?;
    let latido = Latido::build()?;
    let all_anew = options.data.is_some() && options.write;
    let kept = if all_anew { None } else { Figures::load(&root().join(FIGURES))? };
    let mut fresh = latido.measure(&plan)?;
    match (files, &kept) {
        (Some(files), _) => {
            fresh.sets = latido.public(&files)?;
            fresh.languages = latido.by_language(&files)?;
        }
        (None, Some(kept)) if kept.model.sha256 == fresh.model.sha256 => {
            fresh.sets.clone_from(&kept.sets);
            fresh.languages.clone_from(&kept.languages);
        }
        (None, kept) => bail!(stale_model(&fresh, kept.as_ref())),
    }
    let present = Present::read(&root().join(measure::CORPUS))?;
    fresh.taught = taught(&present, &fresh, kept.as_ref());
    let new_rows = present.new_rows(&fresh.model.rows);
    let template = read(TEMPLATE)?;
    let page = page::fill(&template, &tables::all(&plan, &fresh, new_rows)?).with_context(|| TEMPLATE.to_owned())?;
    settle(&present.problems(&fresh.model.rows, &fresh.taught), "the corpus is not what taught the shipped model")?;
    settle(&present.examples_that_teach(&plan.examples), "the card would show what it was taught")?;
    if options.write {
        write(FIGURES, &fresh.to_json()?)?;
        write(PAGE, &page)?;
        say(&format!("{FIGURES} and {PAGE} are written"));
        return Ok(());
    }
    let problems = problems(&kept, &fresh, &fs::read_to_string(root().join(PAGE)).unwrap_or_default(), &page);
    settle(&problems, "the model card is not the shipped model's")
}

/// The digests of the rows that taught the model: kept for as long as it is the same one.
fn taught(present: &Present, fresh: &Figures, kept: Option<&Figures>) -> BTreeMap<String, String> {
    let same = kept.filter(|kept| kept.model.sha256 == fresh.model.sha256 && !kept.taught.is_empty());
    same.map_or_else(|| present.digests(&fresh.model.rows), |kept| kept.taught.clone())
}

/// Tells all problems and fails with `sum`, if there are any.
fn settle(problems: &[String], sum: &'static str) -> Result<()> {
    problems.iter().for_each(|problem| say(problem));
    ensure!(problems.is_empty(), sum);
    Ok(())
}

fn stale_model(fresh: &Figures, kept: Option<&Figures>) -> String {
    let shipped = &fresh.model.sha256;
    match kept {
        None => format!("there is no {FIGURES}: {MEASURE_ALL}"),
        Some(kept) => format!(
            "{} has the SHA-256 {shipped}, but {FIGURES} was measured on {}: {MEASURE_ALL}",
            measure::MODEL,
            kept.model.sha256
        ),
    }
}

/// What differs, each with what to run.
fn problems(kept: &Option<Figures>, fresh: &Figures, page: &str, made: &str) -> Vec<String> {
    let Some(kept) = kept else { return vec![stale_model(fresh, None)] };
    let mut problems = Vec::new();
    if kept.model != fresh.model {
        problems.push(stale_model(fresh, Some(kept)));
    }
    if kept.taught != fresh.taught {
        problems.push(format!("{FIGURES}: it does not say which rows of the corpus taught the model: {WRITE}"));
    }
    if kept.sets != fresh.sets || kept.languages != fresh.languages {
        problems.push(format!("{FIGURES}: measured afresh, the figures on the public sets differ: {MEASURE_ALL}"));
    }
    if let Some(group) = fresh.corpus_difference(kept) {
        problems
            .push(format!("{FIGURES}: measured afresh, the figures on the corpus differ, first of {group}: {WRITE}"));
    }
    if kept.examples != fresh.examples {
        problems.push(format!("{FIGURES}: scored afresh, the examples differ: {WRITE}"));
    }
    if page != made {
        problems.push(format!("{PAGE} is not what {TEMPLATE}, {PLAN} and {FIGURES} give: change those, and {WRITE}"));
    }
    problems
}

fn read(name: &str) -> Result<String> {
    fs::read_to_string(root().join(name)).with_context(|| format!("cannot read {name}"))
}

fn write(name: &str, text: &str) -> Result<()> {
    fs::write(root().join(name), text).with_context(|| format!("cannot write {name}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use figures::{Group, Model};

    fn figures(sha256: &str) -> Figures {
        let model = Model {
            sha256: sha256.to_owned(),
            bytes: 3,
            seed: 7,
            epochs: 5,
            rows: [("umsab.es".to_owned(), 9)].into(),
        };
        let group = Group { by: Some("region".to_owned()), set: "mx".to_owned(), rows: 3, ..Group::default() };
        Figures {
            model,
            taught: BTreeMap::new(),
            sets: [("umsab.es.val.tsv.gz".to_owned(), Group::default())].into(),
            languages: Vec::new(),
            corpus: vec![group],
            examples: Vec::new(),
        }
    }

    #[test]
    fn figures_and_a_page_of_the_shipped_model_are_no_problem() {
        assert_eq!(problems(&Some(figures("ab")), &figures("ab"), "page", "page"), [""; 0]);
    }

    #[test]
    fn another_model_asks_for_all_figures() {
        let told = problems(&Some(figures("ab")), &figures("cd"), "page", "page").join("\n");
        assert!(
            told.contains("SHA-256 cd") && told.contains("measured on ab") && told.contains("--data DIR --write"),
            "{told}"
        );
        assert!(stale_model(&figures("cd"), None).contains("there is no models/card/figures.json"));
    }

    #[test]
    fn other_figures_on_the_corpus_and_an_edited_page_ask_to_be_written() {
        let mut fresh = figures("ab");
        fresh.corpus[0].rows = 4;
        let told = problems(&Some(figures("ab")), &fresh, "edited", "made");
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("first of region mx") && told[1].contains("models/README.md is not what"), "{told:?}");
        assert!(told.iter().all(|problem| problem.contains("cargo xtask card --write")));
    }

    #[test]
    fn the_shipped_plan_and_template_fit_each_other() {
        let plan = Plan::load(&root().join(PLAN)).unwrap();
        assert!(!plan.sets.is_empty() && !plan.examples.is_empty());
        let template = read(TEMPLATE).unwrap();
        for name in page::asked(&template) {
            assert!(tables::NAMES.contains(&name), "{name} is no table of ours");
        }
    }
}
