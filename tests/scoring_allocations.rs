//! Scoring allocates nothing for a text. Alone in its file, for it counts what the whole process allocates.
#![allow(clippy::unwrap_used, missing_docs)]

use std::alloc::System;
use std::fs;
use std::path::Path;

use latido::score::{EmbeddedModel, EmbeddedScorer, Rules, Scorer, Text};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn texts(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/corpus").join(file);
    let rows = fs::read_to_string(path).unwrap();
    let text = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["text"].as_str().unwrap().to_owned()
    };
    rows.lines().map(text).collect()
}

#[test]
fn a_warm_scorer_allocates_nothing_for_texts_it_never_saw() {
    let mut scorer = EmbeddedScorer::new(EmbeddedModel::builtin().unwrap(), Rules::builtin().unwrap());
    let mut score = |texts: &[String]| {
        let batch: Vec<Text<'_>> = texts.iter().map(|text| Text { text, language: None }).collect();
        let mut scores = Vec::with_capacity(batch.len());
        let region = Region::new(ALLOCATOR);
        scorer.score(&batch, &mut scores);
        let change = region.change();
        // A buffer that grows is counted apart.
        change.allocations + change.reallocations
    };
    score(&texts("messages.es-bank.jsonl"));
    let unseen = texts("messages.en-airline.jsonl");
    assert!(unseen.len() > 1_000);
    assert_eq!(score(&unseen), 0);
}
