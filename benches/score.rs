//! How many texts a scorer scores in a second on one core, all heads and signals together, and what signals cost of that. The promise:
//! 250,000 texts of 25 words, and 10 MB of text in less than 10 ms.
#![allow(clippy::unwrap_used, missing_docs)]

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use latido::message::{Language, Score};
use latido::score::normalise::Normaliser;
use latido::score::signals::{Matcher, Rules, Sense, SignalFinder};
use latido::score::{EmbeddedModel, EmbeddedScorer, Scorer, Text};

/// The program's own allocator: it puts the model's rows at the start of a cache line.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Words in a text for signals.
const WORDS_OF_SIGNALS: usize = 25;

/// Texts for signals: few, for in the scorer the tokens come from a warm buffer too.
const TEXTS_OF_SIGNALS: usize = 128;

/// Bytes of the long text.
const LONG: usize = 10 << 20;

/// What customers write in Spanish and English, from the project's own corpus: its words are as rare and as common as theirs.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/corpus");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let of_language = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("messages.es") || name.starts_with("messages.en")
    };
    let mut texts = Vec::new();
    for path in files.iter().filter(|path| of_language(path)) {
        for line in fs::read_to_string(path).unwrap().lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            texts.push(row["text"].as_str().unwrap().to_owned());
        }
    }
    texts
}

/// Pieces of so many words of the corpus, several thousand, sectors and languages mixed.
fn texts(words_each: usize) -> Vec<String> {
    let joined = corpus().join(" ");
    let words: Vec<&str> = joined.split_whitespace().collect();
    let pieces: Vec<String> = words.chunks_exact(words_each).map(|words| words.join(" ")).collect();
    // A prime: every piece comes once.
    (0..pieces.len()).map(|place| pieces[place * 7_919 % pieces.len()].clone()).collect()
}

/// On the built-in model, or on the file that `BENCH_MODEL` names.
fn scorer() -> EmbeddedScorer {
    let model = match env::var_os("BENCH_MODEL") {
        Some(path) => EmbeddedModel::load(Path::new(&path)).unwrap(),
        None => EmbeddedModel::builtin().unwrap(),
    };
    EmbeddedScorer::new(model, Rules::builtin().unwrap())
}

fn score(criterion: &mut Criterion) {
    let mut scorer = scorer();
    let mut group = criterion.benchmark_group("score");
    group.measurement_time(Duration::from_secs(5)).sample_size(40);
    for words in [12, 25] {
        let owned = texts(words);
        let batch: Vec<Text<'_>> = owned.iter().map(|text| Text { text, language: None }).collect();
        group.throughput(Throughput::Elements(batch.len() as u64));
        group.bench_function(format!("texts_of_{words}_words"), |bencher| {
            bencher.iter_batched_ref(
                || Vec::<Score>::with_capacity(batch.len()),
                |scores| scorer.score(black_box(&batch), scores),
                BatchSize::LargeInput,
            );
        });
    }
    let long: String = corpus().join(" ").chars().cycle().take(LONG).collect();
    group.throughput(Throughput::Bytes(long.len() as u64));
    group.bench_function("one_text_of_10_mb", |bencher| {
        bencher.iter(|| scorer.score_one(black_box(Text { text: &long, language: None })));
    });
    group.finish();
}

/// Texts of 25 words: the matcher on senses, which the scorer remembers, and with normaliser and table of words before it.
fn signals(criterion: &mut Criterion) {
    let rules = Rules::builtin().unwrap();
    let mut texts = texts(WORDS_OF_SIGNALS);
    texts.truncate(TEXTS_OF_SIGNALS);
    let mut normaliser = Normaliser::default();
    let mut senses = |text: &String| {
        let mut senses: Vec<Sense> = Vec::new();
        normaliser.tokens(text, |token| senses.push(rules.sense(&token)));
        senses
    };
    let senses: Vec<Vec<Sense>> = texts.iter().map(&mut senses).collect();
    let mut matcher = Matcher::new(rules.clone());
    let mut finder = SignalFinder::new(rules);
    let mut group = criterion.benchmark_group("signals");
    group.throughput(Throughput::Elements(TEXTS_OF_SIGNALS as u64)).measurement_time(Duration::from_secs(5));
    group.bench_function("senses_of_25_words", |bencher| {
        bencher.iter(|| {
            for text in &senses {
                black_box(matcher.find(black_box(text), Language::Spanish));
            }
        });
    });
    group.bench_function("texts_of_25_words", |bencher| {
        bencher.iter(|| {
            for text in &texts {
                black_box(finder.find(black_box(text), Language::Spanish));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, score, signals);
criterion_main!(benches);
