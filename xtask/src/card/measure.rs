//! Asking the program for figures.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::figures::{Figures, Group, Model, Scored, rounded};
use super::plan::{Files, Plan};
use crate::shell::{Run, check, files_ending, root, say, target};

/// The shipped model.
pub(super) const MODEL: &str = "models/embedded.latido";
const LABELS: &str = "models/card/labels.toml";
pub(super) const CORPUS: &str = "models/corpus";
/// The half of the rows that calibration was not fitted on.
const UNFITTED: [&str; 2] = ["--half", "other"];

/// The built program.
pub(super) struct Latido {
    program: PathBuf,
}

#[derive(Deserialize)]
struct Evaluated {
    model: Evaluator,
    sets: Vec<Group>,
}

#[derive(Deserialize)]
struct Evaluator {
    provenance: Provenance,
}

#[derive(Deserialize)]
struct Provenance {
    seed: u64,
    epochs: u32,
    sets: BTreeMap<String, u64>,
}

impl Latido {
    /// Builds it as the tests do: they have built it already.
    pub(super) fn build() -> Result<Self> {
        Run::cargo(["build", "--bin", "latido"]).go()?;
        Ok(Self { program: target().join("debug/latido") })
    }

    /// Everything but the public sets.
    pub(super) fn measure(&self, plan: &Plan) -> Result<Figures> {
        let bytes = fs::read(root().join(MODEL)).with_context(|| format!("cannot read {MODEL}"))?;
        let files = files_ending(&root().join(CORPUS), ".jsonl")?;
        let groups = ["--split", "dev", "--by", "language", "--by", "channel", "--by", "region", "--by", "sector"];
        let groups = [&groups[..], &UNFITTED].concat();
        let Evaluated { model: Evaluator { provenance }, sets: corpus } = self.eval(&groups, &files)?;
        let model = Model {
            sha256: hex(&Sha256::digest(&bytes)),
            bytes: bytes.len() as u64,
            seed: provenance.seed,
            epochs: provenance.epochs,
            rows: provenance.sets,
        };
        Ok(Figures {
            model,
            taught: BTreeMap::new(),
            sets: BTreeMap::new(),
            languages: Vec::new(),
            corpus,
            examples: self.score(plan)?,
        })
    }

    /// The public sets, by their files' names: what calibration could flatter, of rows that did not fit it.
    pub(super) fn public(&self, files: &Files) -> Result<BTreeMap<String, Group>> {
        let seen = texts(&files.trained_on);
        let mut options = vec!["--except"];
        options.extend(seen.iter().map(String::as_str));
        let mut groups = self.named(&options, &files.sets)?;
        options.extend(UNFITTED);
        for (file, half) in self.named(&options, &files.halves)? {
            let group = groups.get_mut(&file).with_context(|| format!("{file} was measured by half alone"))?;
            group.take_calibrated(half);
        }
        Ok(groups)
    }

    /// Rows of several public sets by language, of the half that had no part in the calibration nor in its choices.
    pub(super) fn by_language(&self, files: &Files) -> Result<Vec<Group>> {
        if files.pooled.is_empty() {
            return Ok(Vec::new());
        }
        let seen = texts(&files.trained_on);
        let mut options = vec!["--by", "language", "--except"];
        options.extend(seen.iter().map(String::as_str));
        options.extend(UNFITTED);
        let groups = self.eval(&options, &files.pooled)?.sets;
        Ok(groups.into_iter().filter(|group| group.by.is_some()).collect())
    }

    fn named(&self, options: &[&str], files: &[PathBuf]) -> Result<BTreeMap<String, Group>> {
        if files.is_empty() {
            return Ok(BTreeMap::new());
        }
        Ok(files.iter().map(|file| name(file)).zip(self.eval(options, files)?.sets).collect())
    }

    fn eval(&self, options: &[&str], files: &[PathBuf]) -> Result<Evaluated> {
        say(&format!("latido eval on {} files", files.len()));
        let files = texts(files);
        let mut arguments = vec!["eval", "--json", "--model", MODEL, "--recipe", LABELS];
        arguments.extend(options);
        arguments.push("--data");
        arguments.extend(files.iter().map(String::as_str));
        parse(&self.output(&arguments)?).context("`latido eval --json` gave another JSON than expected")
    }

    fn score(&self, plan: &Plan) -> Result<Vec<Scored>> {
        let mut arguments = vec!["score", "--model", MODEL, "--"];
        arguments.extend(plan.examples.iter().map(|example| example.text.as_str()));
        let output = self.output(&arguments)?;
        let scored: Vec<Scored> = output.lines().map(parse).collect::<Result<_>>()?;
        ensure!(scored.len() == plan.examples.len(), "`latido score` gave {} lines", scored.len());
        Ok(scored)
    }

    fn output(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(root()).stderr(Stdio::inherit());
        let output = command.output().with_context(|| format!("cannot start {}", self.program.display()))?;
        check("latido", output.status)?;
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    Ok(serde_json::from_value(rounded(serde_json::from_str(json)?))?)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_told_as_sha256sum_tells_it() {
        assert!(hex(&Sha256::digest(b"")).starts_with("e3b0c44298fc1c149afb"));
    }
}
