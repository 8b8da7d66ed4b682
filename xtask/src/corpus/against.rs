//! The corpus against public sets: none of its texts may be one of theirs, or nearly so.
//!
//! Texts below five words are left out: "muchas gracias" is everybody's. A text of a public set is never printed.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use flate2::read::MultiGzDecoder;
use rustc_hash::FxHashMap;

use super::near::Near;
use super::problem::{Place, Problem};
use super::row::{Placed, Row};
use super::words::{MIN_WORDS, Vocabulary, runs, words};

/// So many words in a row come from one writer.
const RUN: usize = 8;

/// What comparing came to.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) files: usize,
    /// Texts compared; the rest are below five words.
    pub(crate) compared: usize,
    pub(crate) short: usize,
    pub(crate) problems: Vec<Problem>,
}

/// Compares the corpus with every `*.tsv.gz` below a directory.
pub(crate) fn check(rows: &[Placed<Row>], directory: &Path) -> Result<Comparison> {
    let mut files = Vec::new();
    find_sets(directory, &mut files)?;
    files.sort();
    ensure!(!files.is_empty(), "no file below {} ends with .tsv.gz", directory.display());
    let own = Own::new(rows);
    let mut comparison = Comparison { files: files.len(), compared: 0, short: 0, problems: Vec::new() };
    for file in &files {
        own.compare(rows, file, &mut comparison).with_context(|| format!("cannot compare with {}", file.display()))?;
    }
    Ok(comparison)
}

fn find_sets(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            find_sets(&path, found)?;
        } else if path.to_string_lossy().ends_with(".tsv.gz") {
            found.push(path);
        }
    }
    Ok(())
}

/// The corpus's texts, indexed for each way to be alike.
struct Own {
    texts: FxHashMap<Vec<u32>, usize>,
    sequences: FxHashMap<[u32; RUN], usize>,
    vocabulary: Vocabulary,
    near: Near,
}

impl Own {
    fn new(rows: &[Placed<Row>]) -> Self {
        let texts: Vec<_> = rows.iter().map(|placed| words(&placed.row.text)).collect();
        let near = Near::new(&texts);
        let mut own = Self {
            texts: FxHashMap::default(),
            sequences: FxHashMap::default(),
            vocabulary: Vocabulary::default(),
            near,
        };
        for (at, words) in texts.iter().enumerate() {
            let numbers = own.vocabulary.add(words);
            for run in runs::<RUN>(&numbers) {
                own.sequences.entry(run).or_insert(at);
            }
            own.texts.entry(numbers).or_insert(at);
        }
        own
    }

    /// Compares the texts of one set.
    fn compare(&self, rows: &[Placed<Row>], path: &Path, comparison: &mut Comparison) -> Result<()> {
        let file = Rc::from(path);
        let mut lines = BufReader::new(MultiGzDecoder::new(File::open(path)?)).lines();
        let header = lines.next().context("the file is empty")??;
        let column = header.split('\t').position(|name| name == "text").context("no column of its header is `text`")?;
        for (line, number) in lines.zip(2..) {
            let line = line?;
            let text = line.split('\t').nth(column).with_context(|| format!("line {number} has no text"))?;
            let words = words(text);
            if words.len() < MIN_WORDS {
                comparison.short += 1;
                continue;
            }
            comparison.compared += 1;
            if let Some((at, how)) = self.alike(&words) {
                let what = format!("{how} {}", Place::new(&file, number));
                comparison.problems.push(Problem::new(&rows[at].place, what));
            }
        }
        Ok(())
    }

    /// The row that is too much like these words, and how.
    fn alike(&self, words: &[String]) -> Option<(usize, String)> {
        let numbers = self.vocabulary.look_up(words);
        if let Some(at) = self.texts.get(&numbers) {
            return Some((*at, "the same text as".to_owned()));
        }
        if let Some(at) = runs::<RUN>(&numbers).find_map(|run| self.sequences.get(&run)) {
            return Some((*at, format!("shares {RUN} words in a row with")));
        }
        let (at, similarity) = self.near.nearest(words)?;
        Some((at, format!("nearly the same ({similarity:.2}) as")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::corpus::fixture::rows;

    /// The problems of one text of the corpus against a set with these lines, in a folder within the folder.
    fn against(own: &str, lines: &str) -> Result<Comparison> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("dev"))?;
        let file = File::create(folder.path().join("dev/set.es.dev.tsv.gz"))?;
        let mut gzip = GzEncoder::new(file, Compression::fast());
        gzip.write_all(lines.as_bytes())?;
        gzip.finish()?;
        check(&rows(&[own]), folder.path())
    }

    fn problems(own: &str, public: &str) -> Vec<String> {
        let comparison = against(own, &format!("label\ttext\nneutral\totra cosa\nnegative\t{public}\n")).unwrap();
        comparison.problems.iter().map(ToString::to_string).collect()
    }

    const OWN: &str = "Llevo tres días esperando que alguien me conteste el chat";

    #[test]
    fn an_equal_text_is_told_by_file_and_line_and_not_quoted() {
        let found = problems(OWN, "llevo TRES dias esperando... que alguien me conteste el chat!!");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("corpus.jsonl:1: the same text as /"), "{found:?}");
        assert!(found[0].ends_with("dev/set.es.dev.tsv.gz:3"), "{found:?}");
    }

    #[test]
    fn a_run_of_eight_words_within_a_longer_text_is_found() {
        let long = "y bueno que les digo amigos de internet, tres días esperando que alguien me conteste el chat de la tienda esa \
                    donde compré un regalo para mi sobrina que cumple años el domingo";
        let found = problems(OWN, long);
        assert!(found.len() == 1 && found[0].contains("shares 8 words in a row with"), "{found:?}");
    }

    #[test]
    fn a_text_with_a_word_changed_in_the_middle_is_nearly_the_same() {
        let found = problems(OWN, "llevo tres días esperando q alguien me conteste el chat");
        assert!(found.len() == 1 && found[0].contains("nearly the same (0."), "{found:?}");
    }

    #[test]
    fn texts_below_five_words_are_everybodys() {
        assert!(problems("Muchas gracias a todos", "muchas gracias a todos").is_empty());
    }

    #[test]
    fn a_text_of_its_own_is_no_problem() {
        assert!(problems(OWN, "hace tres días que espero y nadie contesta en el chat").is_empty());
    }

    #[test]
    fn a_set_without_a_column_of_texts_is_an_error_that_names_the_file() {
        let error = against(OWN, "label\tmessage\nneutral\thola\n").unwrap_err();
        let told = format!("{error:#}");
        assert!(told.contains("set.es.dev.tsv.gz") && told.contains("`text`"), "{told}");
    }

    #[test]
    fn a_folder_without_sets_is_an_error() {
        assert!(check(&rows(&[OWN]), tempfile::tempdir().unwrap().path()).is_err());
    }
}
