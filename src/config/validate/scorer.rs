//! What scores, and how long it may take.

use super::Check;
use crate::config::{CascadeConfig, PipelineConfig, ScorerChoice, ScorerConfig, Span, TransformerConfig};

/// The shortest and the longest deadline of an answer.
const DEADLINES: [Span; 2] = [Span::from_millis(50), Span::from_secs(60)];

pub(super) fn all(scorer: &ScorerConfig, pipeline: &PipelineConfig, check: &mut Check<'_>) {
    if let Some(model) = &scorer.model {
        let remedy = "name a model file made by `latido train`, or leave it out for the built-in one";
        check.need(model.is_file(), &["scorer", "model"], "no such file", remedy);
    }
    if scorer.kind != ScorerChoice::Embedded && !cfg!(feature = "transformer") {
        let remedy = "write \"embedded\", or build with it: `cargo xtask libtorch && cargo build --release --features transformer`";
        check.refuse(&["scorer", "kind"], "this build has no transformer", remedy);
    }
    if scorer.kind != ScorerChoice::Embedded {
        let in_time = scorer.transformer.deadline < pipeline.drain_timeout;
        let what = format!("not below {}", check.named(&["pipeline", "drain_timeout"]));
        check.need(in_time, &["scorer", "transformer", "deadline"], &what, "make it shorter, or drain_timeout longer");
    }
    transformer(&scorer.transformer, check);
    let CascadeConfig { max_share } = scorer.cascade;
    let path = ["scorer", "cascade", "max_share"];
    check.need((0.0..=1.0).contains(&max_share), &path, "not a part", "write a number from 0 to 1, such as 0.5");
}

fn transformer(transformer: &TransformerConfig, check: &mut Check<'_>) {
    if let Some(directory) = &transformer.directory {
        let path = ["scorer", "transformer", "directory"];
        let remedy = "name the directory of a model, or leave it out for the built-in one";
        check.need(directory.is_dir(), &path, "no such directory", remedy);
    }
    let [shortest, longest] = DEADLINES;
    let deadline = transformer.deadline;
    let path = ["scorer", "transformer", "deadline"];
    check.need(
        shortest <= deadline && deadline <= longest,
        &path,
        "out of range",
        "write a span from \"50ms\" to \"1m\"",
    );
    let what = format!("not below half of {}", check.named(&path));
    let leaves_time = transformer.max_wait.get() < deadline.get() / 2;
    check.need(leaves_time, &["scorer", "transformer", "max_wait"], &what, "wait shorter, such as \"20ms\"");
    let sizes = [
        ("workers", transformer.workers, 0, 256),
        ("max_batch_tokens", transformer.max_batch_tokens, 1, 65_536),
        ("max_waiting_texts", transformer.max_waiting_texts, 1, 100_000),
        ("cache_texts", transformer.cache_texts, 0, 10_000_000),
    ];
    for (name, size, least, most) in sizes {
        let remedy = format!("write a number from {least} to {most}");
        check.need((least..=most).contains(&size), &["scorer", "transformer", name], "out of range", &remedy);
    }
}
