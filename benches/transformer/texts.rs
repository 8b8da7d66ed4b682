//! Texts of the project's own corpus, as the encoder cuts them.

use std::fs;
use std::path::Path;

use latido::score::lane::{SlowModel as _, Tokens};
use latido::score::transformer::Transformer;

/// Messages of the corpus in Spanish and English, mixed the same way each time.
pub(crate) fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/corpus");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let is_meant = |path: &&std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("messages.es") || name.starts_with("messages.en")
    };
    let lines = files.iter().filter(is_meant).flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let texts = lines.map(|line| {
        let row: serde_json::Value = serde_json::from_str(&line).unwrap();
        row["text"].as_str().unwrap().to_owned()
    });
    let texts: Vec<String> = texts.collect();
    // A prime: every text comes once.
    (0..texts.len()).map(|place| texts[place * 7_919 % texts.len()].clone()).collect()
}

/// So many texts of exactly so many tokens, what marks a text's ends included: pieces of the corpus.
pub(crate) fn of_length(model: &Transformer, length: usize, count: usize) -> Vec<Tokens> {
    let mut pieces = Vec::new();
    let mut inner = Vec::new();
    for text in corpus() {
        let tokens = model.tokens(&text);
        let ids = tokens.ids();
        inner.extend_from_slice(&ids[1..ids.len() - 1]);
        while inner.len() >= length - 2 && pieces.len() < count {
            let piece: Vec<u32> = inner.drain(..length - 2).collect();
            pieces.push(Tokens::new([&ids[..1], &piece, &ids[ids.len() - 1..]].concat()));
        }
        if pieces.len() == count {
            break;
        }
    }
    pieces
}

/// About so many messages as they come, 26 tokens in the mean: of the shortest, or of the longest, some are left out.
pub(crate) fn as_they_come(model: &Transformer, count: usize) -> Vec<Tokens> {
    let mut texts: Vec<Tokens> = corpus().iter().take(count * 2).map(|text| model.tokens(text)).collect();
    let is_short = |texts: &[Tokens]| texts.iter().map(|text| text.ids().len()).sum::<usize>() < 26 * texts.len();
    let begun_short = is_short(&texts);
    while is_short(&texts) == begun_short {
        let by_length = |place: &usize| texts[*place].ids().len();
        let places = 0..texts.len();
        let out = if begun_short { places.min_by_key(by_length) } else { places.max_by_key(by_length) };
        texts.remove(out.unwrap());
    }
    texts.truncate(count);
    texts
}

/// Runs as the lane makes them of a backlog: gathered until there are `most` tokens, then sorted by length and split where that costs
/// the fewest tokens.
pub(crate) fn in_runs(texts: &[Tokens], most: usize) -> Vec<Vec<Tokens>> {
    let mut runs = Vec::new();
    let mut rest = texts;
    while !rest.is_empty() {
        let mut tokens = 0;
        let gathered = rest.iter().take_while(|text| {
            let fits = tokens < most;
            tokens += text.ids().len();
            fits
        });
        let count = gathered.count();
        let mut batch = rest[..count].to_vec();
        rest = &rest[count..];
        batch.sort_by_key(|text| text.ids().len());
        let lengths: Vec<usize> = batch.iter().map(|text| text.ids().len()).collect();
        runs.extend(latido::score::lane::runs_of(&lengths, most).into_iter().map(|range| batch[range].to_vec()));
    }
    runs
}
